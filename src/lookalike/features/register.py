"""Registration: whether one picture lies somewhere on the other, found by its pixels rather than by points.

A thumbnail of 32 pixels is searched in the other at several sizes and tilts (normalised cross-correlation), the best
place is refined by ECC (Evangelidis and Psarakis 2008, "Parametric Image Alignment Using Enhanced Correlation
Coefficient Maximization") at 96 pixels, and the pictures thus aligned are looked at. Crops, shifts, frames and tilts of
one picture come out at a local correlation of 0.8 to 1.0, other pictures at 0.2 in the median; it takes a third of the
time of keypoints, and works on pictures that are too small for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.align import Matrix, inverted, look_aligned, overlaps
from lookalike.features.look import levels_agree

if TYPE_CHECKING:
    from lookalike.types import Pixels

Grey = npt.NDArray[np.float32]

COARSE, FINE = 32, 96
"""Longer side, in pixels, at which a place is searched, and at which it is refined."""

SCALES = (1.0, 0.94, 0.88, 0.82, 0.76, 0.70, 0.65, 0.60, 0.55, 0.50, 0.46, 0.42)
"""Sizes at which one picture is searched in the other: steps that a correlation at 32 pixels still bridges."""

TILTS = (-40, -30, -20, -10, 10, 20, 30, 40)
"""Degrees; quarter turns are for the caller, who knows them from the whole frames."""

CORE = 0.66
"""Share of the sides, around the middle, that is searched: what a shift leaves over."""

LEAST_NCC = 0.7
"""Cross-correlation of thumbnails below which nothing is refined: 95 % of crops, shifts and tilts are over 0.78."""

SURE_NCC = 0.9
"""Cross-correlation from which no tilt is tried."""

FLAT = 4.0
"""Standard deviation, in grey levels, below which a piece of a picture could lie anywhere."""

STRAY = 1.25
"""Factor by which refinement may change the size found by the search; what changes more has run away."""

LEAST_OVERLAP = 0.18
"""Share that the smaller picture must cover of the larger one."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What registration needs of a picture.

    Attributes:
        pixels: uint8, h×w×3 or h×w, at most 320 pixels on the longer side.
        coarse, fine: float32 grey thumbnails of :data:`COARSE` and :data:`FINE` pixels on the longer side.
    """

    pixels: Pixels
    coarse: Grey
    fine: Grey

    @classmethod
    def of(cls, pixels: Pixels) -> View:
        """Make the thumbnails of uint8 h×w×3 or h×w ``pixels``."""
        grey = pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
        fine = _thumbnail(grey.astype(np.float32), FINE)
        return cls(pixels, _thumbnail(fine, COARSE), fine)


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """How picture b lies on picture a.

    Attributes:
        matrix: float64, 3×3, pixels of b's ``pixels`` → pixels of a's, counted from the middle of the first pixel.
        correlation: mean local correlation over the overlap, -1 to 1.
        overlap, overlap_other: share of a that b covers, and of b that lies on a, 0 to 1.
        levels: how equal their levels are there, see :func:`~lookalike.features.look.levels_agree`.
    """

    matrix: Matrix
    correlation: float
    levels: float
    overlap: float
    overlap_other: float


class Place(NamedTuple):
    """Where one picture may lie on another.

    Attributes:
        ncc: cross-correlation of the thumbnails, -1 to 1.
        matrix: b → a, in pixels of the coarse thumbnails.
    """

    ncc: float
    matrix: Matrix


def register(a: View, b: View) -> Registration | None:
    """The likeliest way in which ``b`` lies on ``a``, or None where nothing speaks for any.

    >>> photo = np.random.default_rng(0).integers(0, 255, (12, 12, 3), np.uint8).repeat(12, 0).repeat(12, 1)
    >>> part = np.ascontiguousarray(photo[30:130, 20:120])
    >>> found = register(View.of(photo), View.of(part))
    >>> found.correlation > 0.95, np.allclose(found.matrix @ [0, 0, 1], [20, 30, 1], atol=0.5)
    (True, True)
    """
    place = likeliest(a, b)
    if place is None:
        return None
    return settled(a, b, rescaled(place.matrix, a.coarse, b.coarse, a.fine, b.fine))


def likeliest(a: View, b: View) -> Place | None:
    """The place where the thumbnails agree best; None below :data:`LEAST_NCC`."""
    found: list[tuple[float, float, bool, tuple[int, int]]] = []
    for scale in SCALES:
        for back in (False, True) if scale < 1 else (False,):
            base, other = (b.coarse, a.coarse) if back else (a.coarse, b.coarse)
            here = _searched(base, _scaled(other, scale), _core(scale))
            if here is not None:
                found.append((here[0], scale, back, here[1]))
    best = max(found, default=None)
    ncc = -1.0 if best is None else best[0]
    if ncc < SURE_NCC:
        tilted = max(_tilted(a.coarse, b.coarse), key=lambda place: place.ncc, default=None)
        if tilted is not None and tilted.ncc > ncc + 0.02:
            return tilted if tilted.ncc >= LEAST_NCC else None
    if best is None or ncc < LEAST_NCC:
        return None
    _, scale, back, shift = best
    matrix = _placed(a.coarse if back else b.coarse, scale, shift)
    return Place(ncc, inverted(matrix) if back else matrix)


def _core(scale: float) -> float:
    return CORE if scale > 0.8 else min(1.0, 0.8 * CORE / scale)


def _scaled(thumbnail: Grey, scale: float) -> Grey:
    if scale == 1:
        return thumbnail
    return np.asarray(cv2.resize(thumbnail, _size_at(thumbnail, scale), interpolation=cv2.INTER_AREA), np.float32)


def _size_at(thumbnail: Grey, scale: float) -> tuple[int, int]:
    height, width = thumbnail.shape
    return max(6, round(width * scale)), max(6, round(height * scale))


def _placed(other: Grey, scale: float, shift: tuple[int, int]) -> Matrix:
    """Pixels of ``other`` → pixels of the base that it lies on, scaled and shifted."""
    size = _size_at(other, scale) if scale < 1 else other.shape[::-1]
    across, down = size[0] / other.shape[1], size[1] / other.shape[0]
    # a thumbnail grows around its outer corner, and pixels count from their middle
    return np.array([[across, 0, shift[0] + across / 2 - 0.5], [0, down, shift[1] + down / 2 - 0.5], [0, 0, 1.0]])


def _tilted(a: Grey, b: Grey) -> Iterator[Place]:
    height, width = b.shape
    for degrees in TILTS:
        turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1)
        turned = cv2.warpAffine(b, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        found = _searched(a, np.asarray(turned, np.float32), 0.6)
        if found is not None:
            ncc, (x, y) = found
            yield Place(ncc, np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]]) @ np.vstack([turn, [0, 0, 1]]))


def _searched(base: Grey, piece: Grey, share: float) -> tuple[float, tuple[int, int]] | None:
    """Where the middle ``share`` of ``piece`` correlates best with ``base``: the correlation and the shift."""
    height, width = piece.shape
    top, left = int(height * (1 - share) / 2), int(width * (1 - share) / 2)
    core = piece[top : height - top, left : width - left]
    if core.shape[0] > base.shape[0] or core.shape[1] > base.shape[1]:
        return None
    if float(cv2.meanStdDev(core)[1].item()) < FLAT:
        return None
    _, best, _, (x, y) = cv2.minMaxLoc(cv2.matchTemplate(base, core, cv2.TM_CCOEFF_NORMED))
    return best, (x - left, y - top)


def settled(a: View, b: View, place: Matrix) -> Registration | None:
    """A place (in pixels of ``fine``) refined and looked at; None where it runs away or overlaps too little."""
    found = refined(a.fine, b.fine, place)
    if found is None:
        return None
    matrix = rescaled(found, a.fine, b.fine, a.pixels, b.pixels)
    overlap, other = overlaps(matrix, a.pixels.shape[1::-1], b.pixels.shape[1::-1])
    if min(overlap, other) < LEAST_OVERLAP or max(overlap, other) < 0.5:
        return None
    correlation, _ = look_aligned(a.pixels, b.pixels, matrix)
    return Registration(matrix, correlation, levels_at(a.fine, b.fine, found), overlap, other)


def levels_at(a: Grey, b: Grey, homography: Matrix) -> float:
    """:func:`~lookalike.features.look.levels_agree` where ``homography`` (b → a) lays one on the other.

    Args:
        a, b: float32, H×W, as large as :attr:`View.fine`.
        homography: pixels of b → pixels of a; it is looked at in the frame of the coarser.
    """
    if abs(float(np.linalg.det(homography[:2, :2]))) > 1:
        a, b, homography = b, a, inverted(homography)
    size = a.shape[::-1]
    laid = np.asarray(cv2.warpPerspective(b, homography, size, flags=cv2.INTER_LINEAR), np.float32)
    inside = cv2.warpPerspective(np.full(b.shape, 255, np.uint8), homography, size, flags=cv2.INTER_NEAREST)
    return levels_agree(a, laid, cv2.erode(inside, np.ones((5, 5), np.uint8), borderValue=255) > 0)


def refined(a: Grey, b: Grey, matrix: Matrix, steps: int = 12) -> Matrix | None:
    """``matrix`` (b → a) made exact by ECC; None where that runs away."""
    found = by_ecc(a, b, matrix, steps)
    if found is None:
        return None
    sides = np.linalg.svd(found[:2, :2], compute_uv=False)
    if sides[1] <= 0 or sides[0] / sides[1] > STRAY:
        return None
    change = math.sqrt(float(sides[0] * sides[1]) / abs(float(np.linalg.det(matrix[:2, :2]))))
    return found if 1 / STRAY < change < STRAY else None


def by_ecc(a: Grey, b: Grey, matrix: Matrix, steps: int, blur: int = 3) -> Matrix | None:
    """The affine map (b → a) near ``matrix`` that correlates two greys best; None where it does not converge.

    Args:
        a, b: float32, H×W.
        matrix: where to begin.
        steps: at most.
        blur: side of the Gaussian that both are blurred with, odd.
    """
    growth = abs(float(np.linalg.det(matrix[:2, :2])))
    base, other, start = (a, b, matrix) if growth <= 1 else (b, a, inverted(matrix))
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, steps, 1e-3)
    try:
        _, warp = cv2.findTransformECC(
            other, base, start[:2].astype(np.float32), cv2.MOTION_AFFINE, stop, np.ones_like(base, np.uint8), blur
        )
    except cv2.error:  # it did not converge
        return None
    found = np.vstack([np.asarray(warp, np.float64), [0, 0, 1]])
    if not np.isfinite(found).all() or float(np.linalg.det(found[:2, :2])) == 0:
        return None
    return found if growth <= 1 else inverted(found)


def rescaled(
    matrix: Matrix,
    a: npt.NDArray[np.generic],
    b: npt.NDArray[np.generic],
    to_a: npt.NDArray[np.generic],
    to_b: npt.NDArray[np.generic],
) -> Matrix:
    """``matrix`` (b → a) for the same two pictures at other sizes; points count from the middle of the first pixel."""
    grow_a, grow_b = _growth(a, to_a), _growth(b, to_b)
    return np.asarray(grow_a @ matrix @ inverted(grow_b), np.float64)


def _growth(small: npt.NDArray[np.generic], large: npt.NDArray[np.generic]) -> Matrix:
    down, across = large.shape[0] / small.shape[0], large.shape[1] / small.shape[1]
    return np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1.0]])


def _thumbnail(grey: Grey, side: int) -> Grey:
    height, width = grey.shape
    scale = side / max(height, width)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, size, interpolation=way), np.float32)
