"""How one picture may lie on another, as told by what the store has of them; a look at the pictures follows."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np

from lookalike.features.align import Matrix, inverted

WHOLE: Matrix = np.eye(3)
"""Where the content of a picture without margins lies."""


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
        first, second: 3×3, where the contents lie in their pictures, likewise.
    """

    place: Matrix
    strength: float
    first: Matrix = WHOLE
    second: Matrix = WHOLE

    @property
    def laid(self) -> Matrix:
        """The second picture → the first, in shares of either."""
        return self.first @ self.place @ inverted(self.second)


Guess: TypeAlias = FrameGuess | PlaceGuess
