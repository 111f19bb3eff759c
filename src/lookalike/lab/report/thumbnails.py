"""Pictures in a report: small, inside the page, each read once."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

from lookalike.errors import LookalikeError, printable
from lookalike.explain.palette import VERDICTS
from lookalike.explain.story import shortened
from lookalike.images.limits import Limits
from lookalike.images.load import load
from lookalike.results.thumbnails import small_jpeg
from lookalike.types import Comparison
from lookalike.verdicts import format_score

SIDE = 220
"""Longest side of a picture in the page, in pixels."""

NAME = 24
"""Letters of a name that fit under a picture; of longer ones the middle is left out, for they differ at their ends."""


@dataclass(slots=True)
class Shown:
    """Pictures on their way into a page.

    Attributes:
        limits: what reading one may cost.
        progress: told how many were read.
    """

    limits: Limits
    progress: Callable[[str, int, int], None] | None = None
    _made: dict[str, str | None] = field(default_factory=dict)

    def figure(self, source: str, caption: str = "") -> str:
        """A picture in its frame, its name below."""
        name = os.path.basename(source.rstrip("/")) or source
        uri = self._uri(source)
        inside = '<span class="gone">cannot be read</span>' if uri is None else f'<img alt="" src="{uri}">'
        title = escape(printable(source, 500))
        below = f"<small>{escape(caption)}</small>" if caption else ""
        return (
            f'<figure><div class="frame">{inside}</div>'
            f'<figcaption title="{title}">{escape(shortened(printable(name), NAME))}{below}</figcaption></figure>'
        )

    def _uri(self, source: str) -> str | None:
        if source not in self._made:
            try:
                jpeg = small_jpeg(load(source, limits=self.limits), SIDE)
                self._made[source] = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
            except LookalikeError:
                self._made[source] = None
            if self.progress is not None:
                self.progress("drawing pictures", len(self._made), 0)
        return self._made[source]


def chip(comparison: Comparison) -> str:
    """The score, in the colour of its verdict; the verdict in words."""
    number = list(VERDICTS).index(comparison.verdict)
    return f'<b class="chip v{number}">{format_score(comparison.score)}</b> {escape(comparison.verdict)}'
