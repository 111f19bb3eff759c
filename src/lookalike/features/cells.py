"""What is where in a picture, on a grid of eight by eight: a middle layer of the built-in network.

The network computes it on its way to the embedding, so that both cost one run. Cells tell whether the same things
stand side by side in two pictures, crops and shifts included, at a hundredth of the cost of keypoints; they only
propose.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.features import models
from lookalike.features.base import Method
from lookalike.features.embedding import DEFAULT_MODEL, Embedding, Vector, unit

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

Grid = npt.NDArray[np.uint8]
"""uint8, (64, 80): the cells row by row, 80 numbers each."""

SIDE = 128
"""Pixels on a side of what the network sees."""

GRID, CHANNELS = 8, 80

ZERO = 131
"""The byte that stands for 0."""


class Cells(Method[Grid]):
    """What is where on a grid of 8×8: mean cosine of every cell's likest in the other picture.

    The content is looked at: margins off, set upright where it stands askew.

    >>> from lookalike import load
    >>> noise = load(np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8))
    >>> [grid] = Cells().extract([noise])
    >>> grid.shape, Cells().compare(grid, grid)
    ((64, 80), 1.0)
    """

    name = "cells"
    metric = None
    dtype = "uint8"

    @property
    def shape(self) -> tuple[int, ...]:
        return (GRID * GRID, CHANNELS)

    @property
    def params(self) -> dict[str, Any]:
        return {"sha256": models.spec(DEFAULT_MODEL).sha256, "size": SIDE}

    def extract(self, pictures: Sequence[Picture]) -> list[Grid]:
        embedding = proposing()
        return [vectors_and_cells(np.stack([embedding.squeezed(picture)]))[1][0] for picture in pictures]

    def compare(self, a: Grid, b: Grid) -> float:
        if np.array_equal(a, b):
            return 1.0
        alike = _directions(a) @ _directions(b).T
        return min(1.0, max(0.0, float(max(alike.max(axis=0).mean(), alike.max(axis=1).mean()))))


def _directions(grid: Grid) -> Vector:
    return unit(grid.astype(np.float32) - ZERO)


@cache
def proposing() -> Embedding:
    """The embedding that proposes pairs: it looks at the content, at 128 pixels, in the run that gives the cells."""
    return Embedding(size=SIDE, content=True)


def vectors_and_cells(batch: Pixels) -> tuple[Vector, Grid]:
    """Embeddings and cells of pictures that have the right size: uint8 N×128×128×3 → float32 N×1280, uint8 N×64×80.

    Runs in the calling thread alone, so that several may work side by side.
    """
    session = models.session(models.spec(DEFAULT_MODEL), threads=1)
    vectors, cells = session.run(["embedding", "cells"], {session.get_inputs()[0].name: batch})
    grid = cells.reshape(len(batch), CHANNELS, GRID * GRID).transpose(0, 2, 1)
    return unit(vectors.reshape(len(batch), -1)), np.ascontiguousarray(grid)
