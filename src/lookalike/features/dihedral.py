"""The 8 ways to lay a picture down: mirrored or not, turned by quarter turns. One order of them for all methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

Scalar = TypeVar("Scalar", bound=np.generic)

TRANSFORMS: tuple[tuple[bool, int], ...] = (
    (False, 0),
    (False, 90),
    (False, 180),
    (False, 270),
    (True, 0),
    (True, 90),
    (True, 180),
    (True, 270),
)
"""(mirrored, degrees): first left and right change places where mirrored, then the picture is turned clockwise."""


def apply(array: npt.NDArray[Scalar], index: int) -> npt.NDArray[Scalar]:
    """``array`` (H×W or H×W×C) laid down as ``TRANSFORMS[index]`` says; a view, not a copy.

    >>> apply(np.array([[1, 2], [3, 4]]), 1).tolist()
    [[3, 1], [4, 2]]
    """
    mirrored, degrees = TRANSFORMS[index]
    return np.rot90(array[:, ::-1] if mirrored else array, -(degrees // 90), axes=(0, 1))


def inverse(index: int) -> int:
    """The transform that undoes ``TRANSFORMS[index]``: the opposite turn; a mirrored one undoes itself.

    >>> [inverse(index) for index in range(8)]
    [0, 3, 2, 1, 4, 5, 6, 7]
    """
    return index if TRANSFORMS[index][0] else -index % 4


def compose(first: int, second: int) -> int:
    """The one transform that equals ``first`` and then ``second``.

    >>> TRANSFORMS[compose(1, 4)]  # a turn by 90°, then mirrored = mirrored, then turned by 270°
    (True, 270)
    """
    mirrored_first, mirrored_second = TRANSFORMS[first][0], TRANSFORMS[second][0]
    turns = first % 4
    if mirrored_second:  # a mirror after a turn = the mirror, then the turn the other way
        turns = -turns
    return 4 * (mirrored_first != mirrored_second) + (turns + second) % 4


def apply_to_dct(block: npt.NDArray[Any], index: int, *, lowest: int = 0) -> npt.NDArray[Any]:
    """DCT-II coefficients of ``apply(picture, index)`` from those of a square ``picture``, without another transform.

    Mirroring an axis changes the sign of its odd frequencies; a turn is that and a transposition.

    Args:
        block: n×n, rows are vertical frequencies ``lowest``, ``lowest`` + 1 … and columns horizontal ones.
        index: into :data:`TRANSFORMS`.
        lowest: frequency of the first row and column.

    Returns:
        n×n, the same frequencies of the picture laid down anew.
    """
    mirrored, degrees = TRANSFORMS[index]
    signs = np.where((np.arange(block.shape[0]) + lowest) % 2, -1, 1).astype(block.dtype)
    if mirrored:
        block = block * signs
    for _ in range(degrees // 90):
        block = (block * signs[:, None]).T
    return block
