"""Reasons to look at: one picture or page that shows why two pictures got their score.

::

    pair, comparison → evidence (what lies on what, which points match)
                     → panels (the pictures) + story (the words and numbers)
                     → sheet (PNG, JPEG, WebP) or page (HTML)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.explain.output import output_kind
from lookalike.files import write_whole

if TYPE_CHECKING:
    import os

    from lookalike.scoring.pair import Pair
    from lookalike.types import Comparison

__all__ = ["explain", "output_kind"]


def explain(pair: Pair, comparison: Comparison, out: str | os.PathLike[str]) -> Path:
    """Draw why ``pair`` was scored as it was, and write it to ``out``.

    Shown are both pictures with the points that match, the second laid on the first, a map of what differs, and every
    similarity as a bar; the pictures stand in the caller's order. Where the preset looks for no alignment of its own,
    the default preset's is shown and said to be so. Scores are not touched.

    Args:
        pair: the pictures, as they were scored.
        comparison: what came of it.
        out: where to write; the suffix says what: ``.png``, ``.jpg``, ``.webp``, or ``.html`` for a page that stands
            alone, with a slider that wipes from one picture to the other.

    Returns:
        The path written. The file appears whole or not at all.

    Raises:
        UsageError: another suffix.
        OutputError: the file cannot be written there.
        PictureError: a picture cannot be decoded.
    """
    path = Path(out)
    kind = output_kind(path)

    from lookalike.explain.evidence import gather  # brings OpenCV and ONNX Runtime
    from lookalike.explain.story import tell

    evidence = gather(pair, comparison)
    story = tell(comparison, evidence)
    if kind == "HTML":
        from lookalike.explain.page import page

        made = page(evidence, story)
    else:
        from lookalike.explain.sheet import encode, sheet

        made = encode(sheet(evidence, story), kind)
    return write_whole(path, made)
