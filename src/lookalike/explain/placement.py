"""Where one picture lies on another, in shares of their sides, so that it holds at whatever size they are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
"""3×3, maps positions of one picture to positions of another. A position is in shares of width and height: (0, 0) is
the upper left corner, (1, 1) the lower right."""


def in_shares(homography: Matrix, size_a: tuple[int, int], size_b: tuple[int, int]) -> Matrix:
    """A homography from pixels of b to pixels of a, made to map shares to shares; sizes are (width, height).

    >>> in_shares(np.diag([2.0, 2.0, 1.0]), (200, 100), (100, 50)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    made = np.diag([1 / size_a[0], 1 / size_a[1], 1.0]) @ homography @ np.diag([size_b[0], size_b[1], 1.0])
    return np.asarray(made, np.float64)


def in_pixels(placement: Matrix, size_a: tuple[int, int], size_b: tuple[int, int]) -> Matrix:
    """``placement`` as a matrix from pixel centres of a (width, height) b to those of an a, as OpenCV warps.

    >>> in_pixels(np.eye(3), (200, 100), (100, 50))[0].tolist()  # the first centre, 0.5 from the edge, goes to 1.0
    [2.0, 0.0, 0.5]
    """
    to_share = np.diag([1 / size_b[0], 1 / size_b[1], 1.0]) @ shift(0.5)
    made = shift(-0.5) @ np.diag([size_a[0], size_a[1], 1.0]) @ placement @ to_share
    return np.asarray(made / made[2, 2], np.float64)


def shift(by: float) -> Matrix:
    """The matrix that adds ``by`` to x and y; half a pixel leads from pixel centres to edges."""
    return np.array([[1.0, 0, by], [0, 1, by], [0, 0, 1]])


def moved(placement: Matrix, points: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """N×2 ``points`` mapped by ``placement``; N×2.

    >>> moved(shift(0.25), np.array([[0.5, 0.0]])).tolist()
    [[0.75, 0.25]]
    """
    mapped = np.column_stack([points, np.ones(len(points))]) @ placement.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)
