"""Propose, align, look: whether one picture lies on the other, and how.

Matching points propose a homography; inliers alone are fooled by catalogues, where outlines and poses line up, so the
aligned pictures are then looked at (:mod:`lookalike.features.look`). Different products of one category reach 36
inliers in the median, but a local correlation of 0.23; edits of one picture stay over 0.6.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.look import equally_sharp, local_correlations
from lookalike.features.resample import multiply
from lookalike.types import adjugate

if TYPE_CHECKING:
    from lookalike.types import Pixels

Matrix = npt.NDArray[np.float64]

REPROJECTION = 4.0
"""Pixels (at :data:`~lookalike.features.shrink.SIDE`) by which an inlier may miss."""

LEAST_COSINE = 0.82
"""Least cosine of mutual nearest neighbours (XFeat's own setting)."""

RATIO = 0.8
"""Lowe's ratio for ORB and SIFT when the geometry is checked afterwards."""

LEAST_INLIERS = 6
"""Fewer agree by chance: a homography has eight unknowns."""


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """What a keypoint method keeps of a picture.

    Attributes:
        points: float32, N×2, (x, y) in pixels of ``small``.
        descriptors: N×D; float32 of unit length, or uint8 bits for ORB.
        small: uint8, h×w×3, the picture at :data:`~lookalike.features.shrink.SIDE` pixels on the longer side; what
            the alignment is looked at with.
        digest: the picture's; orders a pair, so that both directions give the same answer to the last bit.
    """

    points: npt.NDArray[np.float32]
    descriptors: npt.NDArray[Any]
    small: Pixels
    digest: str


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """How picture b lies on picture a.

    Attributes:
        homography: float64, 3×3, pixels of b's ``small`` → pixels of a's; None where none was found.
        matches: int, M×2, indices (into a's points, into b's) of the pairs that agree with it.
        overlap, overlap_other: share of a that b covers, and of b that lies on a, 0 to 1.
        correlation: mean local correlation over the overlap, -1 to 1.
        part_correlation: the same over the area that the matching points span: high where one object was photographed
            twice and all around it differs.
        part_share: how much of a picture that area is, in the one where it is the smaller, 0 to 1.
    """

    homography: Matrix | None = None
    matches: npt.NDArray[np.int64] | None = None
    overlap: float = 0.0
    overlap_other: float = 0.0
    correlation: float = 0.0
    part_correlation: float = 0.0
    part_share: float = 0.0

    @property
    def inliers(self) -> int:
        """Matching points that agree with the homography."""
        return 0 if self.matches is None else len(self.matches)

    @property
    def similarity(self) -> float:
        """Inliers, overlap and look in one number, 0 to 1; near 0 as soon as one of them says no."""
        points = 1 - math.exp(-self.inliers / 12)
        looks = min(1.0, max(0.0, (self.correlation - 0.3) / 0.5))
        cover = 0.8 + 0.2 * max(self.overlap, self.overlap_other) * min(self.overlap, self.overlap_other) ** 0.5
        return float(points * looks * cover)

    def reversed(self) -> Alignment:
        """The same alignment, with a and b exchanged."""
        if self.homography is None or self.matches is None:
            return self
        return Alignment(
            inverted(self.homography),
            self.matches[:, ::-1],
            self.overlap_other,
            self.overlap,
            self.correlation,
            self.part_correlation,
            self.part_share,
        )


def align(a: Keypoints, b: Keypoints, *, matching: Literal["ratio", "mutual"], binary: bool) -> Alignment:
    """Match the points of two pictures, fit a homography by MAGSAC, and look at the aligned pictures.

    The pair is always worked in one order (by digest), so that ``align(b, a)`` is exactly the reverse.

    Returns:
        The alignment; without a homography where fewer than :data:`LEAST_INLIERS` points agree, or where they agree on
        something that no camera does (a fold, a sliver).
    """
    if b.digest < a.digest:
        return align(b, a, matching=matching, binary=binary).reversed()
    pairs = _mutual(a.descriptors, b.descriptors) if matching == "mutual" else _by_ratio(a, b, binary)
    if len(pairs) < LEAST_INLIERS:
        return Alignment()
    fitted, mask = cv2.findHomography(
        b.points[pairs[:, 1]], a.points[pairs[:, 0]], cv2.USAC_MAGSAC, REPROJECTION, maxIters=1000, confidence=0.999
    )
    if fitted is None or mask is None or int(mask.sum()) < LEAST_INLIERS:
        return Alignment()
    homography: Matrix = np.asarray(fitted, np.float64)
    size_a, size_b = a.small.shape[1::-1], b.small.shape[1::-1]
    if not plausible(homography, size_b):
        return Alignment()
    overlap, overlap_other = overlaps(homography, size_a, size_b)
    agreeing = pairs[mask.ravel() > 0]
    correlation, part = look_aligned(a.small, b.small, homography, a.points[agreeing[:, 0]])
    share = min(_hull_share(each, agreeing[:, side]) for side, each in enumerate((a, b)))
    return Alignment(homography, agreeing, overlap, overlap_other, correlation, part, share)


def _hull_share(picture: Keypoints, indices: npt.NDArray[np.int64]) -> float:
    """Share of a picture inside the hull of some of its points."""
    height, width = picture.small.shape[:2]
    return float(cv2.contourArea(cv2.convexHull(picture.points[indices]))) / float(height * width)


def _mutual(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    if len(a) == 0 or len(b) == 0:
        return np.empty((0, 2), np.int64)
    cosine = multiply(a, b.T)
    best_b, best_a = cosine.argmax(axis=1), cosine.argmax(axis=0)
    index = np.arange(len(a))
    keep = (best_a[best_b] == index) & (cosine[index, best_b] > LEAST_COSINE)
    return np.stack([index[keep], best_b[keep]], axis=1)


def _by_ratio(a: Keypoints, b: Keypoints, binary: bool) -> npt.NDArray[np.int64]:
    if len(a.descriptors) < 2 or len(b.descriptors) < 2:
        return np.empty((0, 2), np.int64)
    matcher = cv2.BFMatcher(cv2.NORM_HAMMING if binary else cv2.NORM_L2)
    pairs = matcher.knnMatch(a.descriptors, b.descriptors, k=2)
    good = [(best.queryIdx, best.trainIdx) for best, second in pairs if best.distance < RATIO * second.distance]
    return np.array(good, np.int64).reshape(-1, 2)


def inverted(matrix: Matrix) -> Matrix:
    """The inverse of a 3×3 matrix, by cofactors: many times quicker than a general routine for so few numbers.

    Raises:
        numpy.linalg.LinAlgError: it has none.
    """
    values = matrix.ravel().tolist()
    found = adjugate(values)
    determinant = values[0] * found[0] + values[1] * found[3] + values[2] * found[6]
    if determinant == 0:
        raise np.linalg.LinAlgError("singular matrix")
    return np.asarray(np.reshape(found, (3, 3)) / determinant, np.float64)


def plausible(homography: Matrix, size: tuple[int, int]) -> bool:
    """Whether a homography maps a (width, height) frame to a convex, unmirrored quadrilateral of sensible size.

    >>> plausible(np.eye(3), (320, 240)), plausible(np.diag([-1.0, 1.0, 1.0]), (320, 240))
    (True, False)
    """
    if not np.isfinite(homography).all():
        return False
    corners = _corners(size)
    weights = corners @ homography[2, :2] + homography[2, 2]
    if weights.min() * weights.max() <= 0 or abs(weights).min() < 0.3 * abs(weights).max():
        return False  # the horizon runs through the picture, or nearly
    quad = cv2.perspectiveTransform(corners[None], homography)[0]
    edges = np.roll(quad, -1, axis=0) - quad
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    if turns.min() <= 0:  # folded, or mirrored: mirror images are tried as such
        return False
    growth = abs(cv2.contourArea(quad.astype(np.float32))) / (size[0] * size[1])
    sides = np.linalg.norm(edges, axis=1)
    return bool(1 / 100 < growth < 100 and sides.min() > 0.2 * sides.max() * min(size) / max(size))


def overlaps(homography: Matrix, size_a: tuple[int, int], size_b: tuple[int, int]) -> tuple[float, float]:
    """Share of a covered by b, and of b lying on a, once b is mapped by ``homography``; sizes are (width, height)."""
    frame = _corners(size_a).astype(np.float32)
    quad = cv2.perspectiveTransform(_corners(size_b)[None], homography)[0].astype(np.float32)
    shared, _ = cv2.intersectConvexConvex(frame, quad)
    area_a, area_b = float(size_a[0] * size_a[1]), abs(float(cv2.contourArea(quad)))
    return min(1.0, shared / area_a), min(1.0, shared / max(area_b, 1e-9))


def look_aligned(
    a: npt.NDArray[np.uint8],
    b: npt.NDArray[np.uint8],
    homography: Matrix,
    points: npt.NDArray[np.float32] | None = None,
) -> tuple[float, float]:
    """Mean local correlation of two uint8 H×W×3 or H×W pictures where ``homography`` (b → a) lays one on the other.

    The finer one is brought into the frame of the coarser, blurred as much as it shrinks, so that detail that only
    one of them can hold is not counted against them.

    Args:
        points: N×2 points of a; None stands for its corners.

    Returns:
        The correlation over the whole overlap, and over the part of it inside the hull of ``points``.
    """
    if points is None:
        points = _corners(a.shape[1::-1]).astype(np.float32)
    growth = math.sqrt(abs(float(np.linalg.det(homography[:2, :2]))))
    if growth > 1:
        back = inverted(homography)
        points = np.asarray(cv2.perspectiveTransform(points[None].astype(np.float64), back)[0], np.float32)
        a, b, homography, growth = b, a, back, 1 / growth
    base = _grey(a)
    finer = _grey(b)
    if growth < 0.9:
        finer = np.asarray(cv2.GaussianBlur(finer, (0, 0), 0.5 / max(growth, 0.05)), np.float32)
    size = base.shape[1::-1]
    warped = np.asarray(cv2.warpPerspective(finer, homography, size, flags=cv2.INTER_LINEAR), np.float32)
    inside = cv2.warpPerspective(np.full(finer.shape, 255, np.uint8), homography, size, flags=cv2.INTER_NEAREST)
    covered = cv2.erode(inside, np.ones((7, 7), np.uint8), borderValue=255) > 0
    if covered.sum() < 64:
        return 0.0, 0.0
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    within = None if covered[part].all() else covered[part]
    if within is not None:  # what lies outside must not be blurred into what lies inside
        outside = ~covered
        base, warped = base.copy(), warped.copy()
        base[outside], warped[outside] = float(base[covered].mean()), float(warped[covered].mean())
    soft_a, soft_b = (np.asarray(cv2.GaussianBlur(x[part], (0, 0), 1.0), np.float32) for x in (base, warped))
    soft_a, soft_b = equally_sharp(soft_a, soft_b, within)
    window = 15 if min(soft_a.shape) >= 100 else 9
    hull = np.zeros(base.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points.astype(np.float32)).round().astype(np.int32), 1)
    spanned = covered & (hull > 0)
    return tuple(local_correlations(soft_a, soft_b, window, (covered[part], spanned[part])))  # type: ignore[return-value]


def _grey(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return (pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)).astype(np.float32)


def _corners(size: tuple[int, int]) -> Matrix:
    width, height = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
