"""What is where in a picture, on a grid of eight by eight: a middle layer of the built-in network.

It sees edges, textures and simple shapes where they are, and not yet what they are part of. Cells tell whether the same
things stand side by side in two pictures, crops and shifts included, at a hundredth of the cost of keypoints; they only
propose. A cell stands for 16 pixels of what the network sees, whatever that is scaled to: the cells of a picture at
64 pixels are like those of another one at 128 that has it in a quarter of its area.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.features import models
from lookalike.features.base import Method
from lookalike.features.embedding import Vector, squeeze, unit
from lookalike.features.shrink import content

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

Grid = npt.NDArray[np.uint8]
"""uint8, (64, 80): the cells row by row, 80 numbers each; (16, 80) at 64 pixels."""

MODEL = "efficientnet-lite0-int8-cells"

SIDE = 128
"""Pixels on a side of what the network sees."""

GRID, CHANNELS = 8, 80

ZERO = 131
"""The byte that stands for 0."""


class Cells(Method[Grid]):
    """What is where on a grid of 8×8: mean cosine of every cell's likest in the other picture.

    The content is looked at: margins off, set upright where it stands askew.

    Args:
        side: of the square that the network sees, in pixels; 128, or 64 for a grid of 4×4.

    Raises:
        UsageError: another side.

    >>> from lookalike import load
    >>> noise = load(np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8))
    >>> [grid] = Cells().extract([noise])
    >>> grid.shape, Cells().compare(grid, grid)
    ((64, 80), 1.0)
    """

    name = "cells"
    metric = None
    dtype = "uint8"

    def __init__(self, side: int = SIDE) -> None:
        if side not in (SIDE, SIDE // 2):
            raise UsageError(f"cells are made at {SIDE} or {SIDE // 2} pixels, not {side}")
        self.size = side

    @property
    def shape(self) -> tuple[int, ...]:
        return ((GRID * self.size // SIDE) ** 2, CHANNELS)

    @property
    def params(self) -> dict[str, Any]:
        return {"sha256": models.spec(MODEL).sha256, "size": self.size}

    def extract(self, pictures: Sequence[Picture]) -> list[Grid]:
        return [self.grids(np.stack([square(picture)]))[0] for picture in pictures]

    def grids(self, squares: Pixels) -> Grid:
        """Cells of pictures as :func:`square` gives them: uint8 N×128×128×3 → uint8 N×64×80, or N×16×80.

        Runs in the calling thread alone, so that several may work side by side.
        """
        if self.size < SIDE:
            size = (self.size, self.size)
            squares = np.stack([cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in squares])
        session = models.session(models.spec(MODEL), threads=1)
        (cells,) = session.run(["cells"], {session.get_inputs()[0].name: squares})
        return np.ascontiguousarray(cells.reshape(len(squares), CHANNELS, -1).transpose(0, 2, 1))

    def compare(self, a: Grid, b: Grid) -> float:
        if np.array_equal(a, b):
            return 1.0
        alike = _directions(a) @ _directions(b).T
        return min(1.0, max(0.0, float(max(alike.max(axis=0).mean(), alike.max(axis=1).mean()))))


def square(picture: Picture) -> Pixels:
    """What the network sees of a picture: its content, uint8 128×128×3."""
    return squeeze(content(picture).pixels, SIDE)


def _directions(grid: Grid) -> Vector:
    return unit(grid.astype(np.float32) - ZERO)
