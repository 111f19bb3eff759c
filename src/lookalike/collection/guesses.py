"""How one picture may lie on another, as told by what the store has of them; a look at the pictures follows."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np

from lookalike.features.align import Matrix

NEAR = 0.1
"""Share of a side by which corners may miss those of the other: cells are an eighth."""

_CORNERS = np.array([[0, 1, 1, 0], [0, 0, 1, 1], [1, 1, 1, 1]], np.float64)


class FrameGuess(NamedTuple):
    """The whole frames may agree.

    Attributes:
        orientation: index into TRANSFORMS, applied to the second.
        inside: whether without their margins.
    """

    orientation: int
    inside: bool


class PlaceGuess(NamedTuple):
    """One may be a part of the other, or shifted, or tilted.

    Attributes:
        place: 3×3, the content of the second → that of the first, in shares of either (0 to 1).
        strength: how much the cells speak for it, see :data:`~lookalike.collection.matches.LEAST_EVIDENCE`.
    """

    place: Matrix
    strength: float

    @property
    def as_frame(self) -> FrameGuess | None:
        """The contents on each other as a whole, where they nearly lie so: that is told sooner."""
        near = bool(np.abs((self.place - np.eye(3))[:2] @ _CORNERS).max() < NEAR)
        return FrameGuess(0, inside=True) if near else None


class PartGuess(NamedTuple):
    """One may be a part of the other, about half as large.

    Attributes:
        second: whether it is the second that lies in the first.
        strength: mean cosine of the part's cells, at half its size, with their likest in the other.
    """

    second: bool
    strength: float


class InsetGuess(NamedTuple):
    """One may be pasted into the other, smaller.

    Attributes:
        second: whether it is the second that lies in the first.
        box: where: left, top, right and bottom, in shares of the other.
    """

    second: bool
    box: tuple[float, float, float, float]


Guess: TypeAlias = FrameGuess | PlaceGuess | PartGuess | InsetGuess
