"""What a person sees in the worst mistakes: one sentence for each pair, by the names of its pictures.

A pair that is not here is told by its evidence alone; look at it in the strip, and write what you see.
"""

from __future__ import annotations

WHY: dict[str, str] = {}
