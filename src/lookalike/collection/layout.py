"""Cells → vectors that say what is where: of a whole picture, of its windows, and of a picture at half its size.

A quarter of a quarter of a picture is two cells by two, at 128 pixels; a quarter of a picture at 64 pixels is as large.
So the picture that another was cut out of is found by a nearest neighbour: the one at half its size among the windows
of the other. Windows overlap by half.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lookalike.collection.neighbours import Vectors
from lookalike.features.cells import CHANNELS, GRID, ZERO, Grid
from lookalike.features.embedding import unit

Patches = npt.NDArray[np.uint8]
"""uint8, (16, 80): means of two cells by two, row by row."""

WINDOWS = 9
"""Windows of a picture, half its sides each: three by three."""

_SIDE = GRID // 2
"""Patches on a side."""


def patches(grid: Grid) -> Patches:
    """Two cells by two as one: uint8 64×80 → 16×80.

    >>> patches(np.arange(64, dtype=np.uint8)[:, None].repeat(80, axis=1))[:2, 0].tolist()
    [4, 6]
    """
    means = grid.reshape(_SIDE, 2, _SIDE, 2, CHANNELS).mean(axis=(1, 3), dtype=np.float32)
    return np.asarray(means, np.uint8).reshape(_SIDE * _SIDE, CHANNELS)


def quarters(found: npt.NDArray[np.uint8]) -> Vectors:
    """The four quarters of a picture: uint8 N×16×80, its patches or its cells at half its size → float32 N×320.

    Vectors have length 1.
    """
    means = found.reshape(-1, 2, _SIDE // 2, 2, _SIDE // 2, CHANNELS).mean(axis=(2, 4), dtype=np.float32)
    return unit(means.reshape(len(found), 4 * CHANNELS) - ZERO)


def windows(found: Patches) -> Vectors:
    """The four quarters of each window: uint8 N×16×80 → float32 9·N×320, of length 1, picture by picture."""
    rows = found.reshape(-1, _SIDE, _SIDE, CHANNELS).astype(np.float32) - ZERO
    starts = range(_SIDE - 1)
    parts = [rows[:, top : top + 2, left : left + 2] for top in starts for left in starts]
    return unit(np.stack(parts, axis=1).reshape(WINDOWS * len(found), -1))
