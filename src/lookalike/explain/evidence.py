"""What there is to show of a pair: how the second picture lies on the first, and which points match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.features.align import LEAST_INLIERS, look_aligned
from lookalike.features.dihedral import TRANSFORMS, apply, inverse
from lookalike.features.keypoints import shrunk
from lookalike.features.xfeat import XFeat
from lookalike.images.trim import Box, content_box
from lookalike.scoring.geometry import orientation_matrix
from lookalike.scoring.pair import Pair
from lookalike.scoring.presets import PRESETS
from lookalike.types import Transform

if TYPE_CHECKING:
    from lookalike.types import Comparison, Pixels

Matrix = npt.NDArray[np.float64]

DECODED = 1024
"""Pixels wanted on the longer side of what is shown."""

STRAY = 0.03
"""How far, in shares of the picture, a drawn match may miss the alignment shown."""

BETTER = 0.02
"""Correlation by which matching points must beat a plain stretch of whole frames to be shown instead."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is shown of two pictures, in the caller's order.

    Positions are shares of width and height: (0, 0) is the upper left corner of a picture, (1, 1) the lower right,
    whatever the size it is drawn at.

    Attributes:
        first, second: uint8, H×W×3, sRGB; perhaps decoded at a reduced scale.
        size_first, size_second: (width, height) of the originals.
        placement: float64 3×3, positions in the second → positions in the first; None where none was found.
        matches: float32 N×4, (x, y) in the first and (x, y) in the second; consistent with ``placement``.
        borrowed: the score did not come from this alignment, it is the default preset's.
    """

    first: Pixels
    second: Pixels
    size_first: tuple[int, int]
    size_second: tuple[int, int]
    placement: Matrix | None
    matches: npt.NDArray[np.float32]
    borrowed: bool = False


def gather(pair: Pair, comparison: Comparison) -> Evidence:
    """Everything that is shown of ``pair``; the pair's similarities and details stay as they are."""
    a, b = (pair.second, pair.first) if pair.swapped else (pair.first, pair.second)
    shown_a, shown_b = (picture.decoded(DECODED).pixels for picture in (a, b))
    transform, borrowed = comparison.transform, False
    if transform is None and not _identical(comparison) and comparison.preset not in ("auto", "exact"):
        comparison = _by_default_preset(pair)
        transform, borrowed = comparison.transform, True
    if transform is None and _identical(comparison):
        transform = Transform()
    placement, matches = None, np.empty((0, 4), np.float32)
    if transform is not None:
        matches, by_points = _matches(pair, TRANSFORMS.index((transform.flip, transform.rotation)))
        if transform.homography is not None:
            placement = in_shares(np.reshape(transform.homography, (3, 3)), a.original_size, b.original_size)
        elif _identical(comparison):
            placement = np.eye(3)
        else:
            placement = _whole_frame(shown_a, shown_b, transform, by_points)
        matches = matches[_miss(placement, matches) < STRAY]
    return Evidence(shown_a, shown_b, a.original_size, b.original_size, placement, matches, borrowed)


def _identical(comparison: Comparison) -> bool:
    return comparison.parts.get("exact") == 1.0


def _by_default_preset(pair: Pair) -> Comparison:
    """The default preset's opinion, found on a pair of its own so that nothing is added to the caller's."""
    from lookalike.scoring.rules import decide

    a, b = (pair.second, pair.first) if pair.swapped else (pair.first, pair.second)
    return decide(Pair(a, b, pair.options), PRESETS["auto"])


def in_shares(homography: Matrix, size_a: tuple[int, int], size_b: tuple[int, int]) -> Matrix:
    """A homography from pixels of b to pixels of a, made to map shares to shares; sizes are (width, height).

    >>> in_shares(np.diag([2.0, 2.0, 1.0]), (200, 100), (100, 50)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    return np.diag([1 / size_a[0], 1 / size_a[1], 1.0]) @ homography @ np.diag([size_b[0], size_b[1], 1.0])


def in_pixels(placement: Matrix, size_a: tuple[int, int], size_b: tuple[int, int]) -> Matrix:
    """``placement`` as a matrix from pixel centres of a (width, height) b to those of an a, as OpenCV warps."""
    to_share = np.diag([1 / size_b[0], 1 / size_b[1], 1.0]) @ _shift(0.5)
    made: Matrix = _shift(-0.5) @ np.diag([size_a[0], size_a[1], 1.0]) @ placement @ to_share
    return made / made[2, 2]


def _shift(by: float) -> Matrix:
    return np.array([[1.0, 0, by], [0, 1, by], [0, 0, 1]])


def moved(placement: Matrix, points: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """N×2 ``points`` mapped by ``placement``; N×2."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ placement.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:])


def _miss(placement: Matrix, matches: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    return np.asarray(np.linalg.norm(moved(placement, matches[:, 2:]) - matches[:, :2], axis=1))


def _matches(pair: Pair, index: int) -> tuple[npt.NDArray[np.float32], Matrix | None]:
    """Matching points and their own alignment, once the caller's second picture is laid down as ``TRANSFORMS[index]``.

    Worked in the pair's order, as the score was, so that the same points come out.
    """
    xfeat = pair.method("xfeat")
    assert isinstance(xfeat, XFeat)
    a, b = pair.features("xfeat")
    index = inverse(index) if pair.swapped else index
    turned = b if index == 0 else xfeat.describe(np.ascontiguousarray(apply(b.small, index)), b.digest)
    found = xfeat.align(a, turned)
    if found.homography is None or found.matches is None or found.inliers < LEAST_INLIERS:
        return np.empty((0, 4), np.float32), None
    in_a, in_turned = (
        (each.points[found.matches[:, side]] + 0.5) / each.small.shape[1::-1] for side, each in enumerate((a, turned))
    )
    lay = orientation_matrix(index, (1, 1), (1, 1))
    in_b = moved(np.linalg.inv(lay), in_turned)
    size_a, size_turned = a.small.shape[1::-1], turned.small.shape[1::-1]
    placement = in_shares(_shift(0.5) @ found.homography @ _shift(-0.5), size_a, size_turned) @ lay
    if pair.swapped:
        in_a, in_b, placement = in_b, in_a, np.linalg.inv(placement)
    # A picture one pixel thin is described as 32: its points may come to lie just outside.
    return np.clip(np.column_stack([in_a, in_b]), 0, 1).astype(np.float32), placement


def _whole_frame(a: Pixels, b: Pixels, transform: Transform, by_points: Matrix | None) -> Matrix:
    """Where whole frames agreed: edge on edge, content on content, or a little off, as the matching points say.

    Which of them is not part of the record, so the one that looks best is taken.
    """
    index = TRANSFORMS.index((transform.flip, transform.rotation))
    lay = orientation_matrix(index, (1, 1), (1, 1))
    content_a, content_b = content_box(a), content_box(b)
    inside = _from_unit(content_a) @ lay @ np.linalg.inv(_from_unit(content_b))
    small_a, small_b = shrunk(a), shrunk(b)

    def looks(placement: Matrix) -> float:
        return look_aligned(small_a, small_b, in_pixels(placement, small_a.shape[1::-1], small_b.shape[1::-1]))

    best = max((lay, inside), key=looks)
    if by_points is not None and looks(by_points) > looks(best) + BETTER:
        return by_points
    return best


def _from_unit(box: Box) -> Matrix:
    """3×3: shares of the part inside ``box`` → shares of the whole."""
    return np.array([[box.right - box.left, 0, box.left], [0, box.bottom - box.top, box.top], [0, 0, 1.0]])
