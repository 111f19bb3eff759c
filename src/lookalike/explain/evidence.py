"""What there is to show of a pair: how the second picture lies on the first, and which points match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.explain.placement import Matrix, in_shares, moved
from lookalike.features.align import LEAST_INLIERS, inverted
from lookalike.features.dihedral import TRANSFORMS, apply, inverse
from lookalike.features.xfeat import XFeat
from lookalike.scoring.geometry import orientation_matrix
from lookalike.scoring.pair import Pair
from lookalike.scoring.presets import PRESETS
from lookalike.types import Transform

if TYPE_CHECKING:
    from lookalike.types import Comparison, Pixels

DECODED = 1024
"""Pixels wanted on the longer side of what is shown."""

STRAY = 0.03
"""How far, in shares of the picture, a drawn match may miss the alignment shown."""


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
    if transform is None and not _identical(comparison) and comparison.preset != "auto":
        comparison = _by_default_preset(pair)
        transform, borrowed = comparison.transform, True
    if transform is None and _identical(comparison):
        transform = Transform()
    placement, matches = None, np.empty((0, 4), np.float32)
    if transform is not None:
        matches = _matches(pair, inverse(TRANSFORMS.index((transform.flip, transform.rotation))))
        if transform.homography is not None:
            placement = in_shares(np.reshape(transform.homography, (3, 3)), a.original_size, b.original_size)
        else:
            placement = np.eye(3)
        matches = matches[_miss(placement, matches) < STRAY]
    return Evidence(shown_a, shown_b, a.original_size, b.original_size, placement, matches, borrowed)


def _identical(comparison: Comparison) -> bool:
    return comparison.parts.get("exact") == 1.0


def _by_default_preset(pair: Pair) -> Comparison:
    """The default preset's opinion, found on a pair of its own so that nothing is added to the caller's."""
    from lookalike.scoring.rules import decide

    a, b = (pair.second, pair.first) if pair.swapped else (pair.first, pair.second)
    return decide(Pair(a, b, pair.options), PRESETS["auto"])


def _miss(placement: Matrix, matches: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    return np.asarray(np.linalg.norm(moved(placement, matches[:, 2:]) - matches[:, :2], axis=1))


def _matches(pair: Pair, index: int) -> npt.NDArray[np.float32]:
    """Matching points, once the caller's second picture is laid down as ``TRANSFORMS[index]``.

    Worked in the pair's order, as the score was, so that the same points come out.
    """
    index = inverse(index) if pair.swapped else index
    kept = pair.aligned
    if kept is not None and kept.matched is not None and kept.alignment is not None and kept.orientation == index:
        (a, turned), found = kept.matched, kept.alignment
    else:
        xfeat = pair.method("xfeat")
        assert isinstance(xfeat, XFeat)
        a, b = pair.features("xfeat")
        turned = b if index == 0 else xfeat.describe(np.ascontiguousarray(apply(b.small, index)), b.digest)
        found = xfeat.align(a, turned)
    if found.homography is None or found.matches is None or found.inliers < LEAST_INLIERS:
        return np.empty((0, 4), np.float32)
    in_a, in_turned = (
        (each.points[found.matches[:, side]] + 0.5) / each.small.shape[1::-1] for side, each in enumerate((a, turned))
    )
    in_b = moved(inverted(orientation_matrix(index, (1, 1), (1, 1))), in_turned)
    if pair.swapped:
        in_a, in_b = in_b, in_a
    # A picture one pixel thin is described as 32: its points may come to lie just outside.
    return np.asarray(np.clip(np.column_stack([in_a, in_b]), 0, 1), np.float32)
