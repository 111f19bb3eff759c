"""What every head is in the end: a linear map of a vector, and its length or its signs made one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.features.embedding import unit

Vectors = npt.NDArray[np.float32]
"""float32, N×D, a vector a row."""


@dataclass(frozen=True)
class Projection:
    """v → unit(unit(v) · matrix + bias), or the signs of it over √bits.

    Attributes:
        matrix: float32, D×d.
        bias: float32, (d,).
        bits: the result is a binary code, see :mod:`lookalike.features.codes`.

    >>> halves = Projection(np.eye(4, 2, dtype=np.float32), np.zeros(2, np.float32))
    >>> halves(np.array([[3, 4, 0, 0]], np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """

    matrix: Vectors
    bias: npt.NDArray[np.float32]
    bits: bool = False

    @property
    def dimension(self) -> int:
        """Length of a vector that comes out."""
        return int(self.matrix.shape[1])

    def before(self, vectors: npt.NDArray[Any]) -> Vectors:
        """unit(v) · matrix + bias: float32 N×d, of any length."""
        return np.asarray(unit(vectors) @ self.matrix + self.bias, np.float32)

    def __call__(self, vectors: npt.NDArray[Any]) -> Vectors:
        """float32 N×D → float32 N×d, rows of length 1."""
        mapped = self.before(vectors)
        if self.bits:
            side = np.float32(1 / np.sqrt(self.dimension))
            return np.where(mapped >= 0, side, -side)
        return unit(mapped)


def centred(matrix: npt.NDArray[Any], mean: npt.NDArray[Any], *, bits: bool = False) -> Projection:
    """The projection unit(v) → (unit(v) - mean) · matrix."""
    wide = np.asarray(matrix, np.float64)
    return Projection(wide.astype(np.float32), (-np.asarray(mean, np.float64) @ wide).astype(np.float32), bits)
