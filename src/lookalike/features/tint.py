"""Tint: whether one picture is the other in other colours.

Edits change colours everywhere by one rule (a cast, more light, no colour at all); a recoloured product changes while
skin and background stay. What tells them apart is how much the difference of colour varies over the aligned pictures,
there where both show the same structure: a sticker put on a picture is no other colour of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.align import inverted
from lookalike.features.base import Method
from lookalike.features.dihedral import apply
from lookalike.features.look import agreeing
from lookalike.features.register import rescaled
from lookalike.features.shrink import square, twice
from lookalike.features.toned import is_toned

if TYPE_CHECKING:
    from lookalike.features.align import Alignment, Matrix
    from lookalike.features.look import Frame
    from lookalike.types import Picture, Pixels

GREYISH = 8.0
"""Lab chroma that a picture without colour stays below (95 % of its pixels)."""

STRONG = 0.02
"""How much less differences between strong colours are seen, per unit of chroma: between the 0.045 and 0.015 by which
CIE94 weighs differences of chroma and of hue."""

EVENED_SHARE, GREY_SHARE = 0.6, 0.8
"""Weights of lightness against chroma: light and shade move lightness in honest copies too."""

GAINS = (0.4, 2.5)
"""Contrast that an edit may take away or add; a black product turned white on a white page would need far less."""


class Tint(Method[npt.NDArray[np.uint8]]):
    """Colours place by place, at 32×32, with margins and without.

    The feature is uint8 2×32×32×3 sRGB. The similarity is exp(−change / 25) with :func:`colour_change` in Lab units:
    edits stay over 0.8, recoloured products fall to about 0.6.

    >>> from lookalike import load
    >>> a, b = Tint().extract([load(np.full((9, 9, 3), value, np.uint8)) for value in (200, 200)])
    >>> Tint().compare(a, b)
    1.0
    """

    name = "tint"
    dtype = "uint8"
    SIDE = 32

    @property
    def shape(self) -> tuple[int, ...]:
        return (2, self.SIDE, self.SIDE, 3)

    def extract(self, pictures: Sequence[Picture]) -> list[npt.NDArray[np.uint8]]:
        return [np.stack(twice(picture, lambda part: square(part, self.SIDE))) for picture in pictures]

    def compare(self, a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
        return math.exp(-colour_change(a[0], b[0]) / 25)

    def in_frame(
        self, a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8], frame: Frame, agree: npt.NDArray[np.bool_]
    ) -> float:
        """:func:`colour_change` once ``b`` is laid down as ``frame`` says, where the structure agrees (n×n mask)."""
        which = int(frame.trimmed)
        return colour_change(a[which], np.ascontiguousarray(apply(b[which], frame.orientation)), _at_scale(agree))


def colour_change(
    a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_] | None = None
) -> float:
    """How unevenly colours differ between two aligned pictures, in units of CIE Lab; symmetric.

    The greater of two spreads: of the chroma difference (root of summed variances; strong colours count less, as in
    CIE94), and of the lightness that is left once contrast and brightness are evened out, at a lower weight. Where one
    picture has no colour, or is a toned print (:mod:`lookalike.features.toned`), it is a copy if lightness stayed as it
    was. For pictures without texture the mean difference counts in full, for there is nothing else to tell them apart.

    Args:
        a, b: uint8, H×W×3, sRGB.
        mask: H×W, where to look.

    Returns:
        0 for the same colours; 95 % of edits stay below 4.9, recoloured products have a median of 11.6.
    """
    where = np.ones(a.shape[:2], np.bool_) if mask is None else mask
    if not where.any():
        return 0.0
    lab_a, lab_b = (_lab(x)[where] for x in (a, b))
    difference = lab_a - lab_b
    if max(float(_spreads(lab).max()) for lab in (lab_a, lab_b)) < 2.0:
        return float(np.linalg.norm(difference.mean(axis=0)))
    chroma_a, chroma_b = (np.sqrt(lab[:, 1] ** 2 + lab[:, 2] ** 2) for lab in (lab_a, lab_b))
    grey_a, grey_b = (np.count_nonzero(chroma >= GREYISH) <= 0.05 * len(chroma) for chroma in (chroma_a, chroma_b))
    change = EVENED_SHARE * _evened(lab_a[:, 0], lab_b[:, 0])
    in_lightness = max(change, GREY_SHARE * float(_spreads(difference)[0]))
    if grey_a and grey_b:
        return change
    if grey_a or grey_b:
        return in_lightness
    seen = difference[:, 1:] / (1 + STRONG * (chroma_a + chroma_b) / 2)[:, None]
    in_colour = max(change, math.hypot(*_spreads(seen).tolist()))
    return in_lightness if in_colour > in_lightness and is_toned(lab_a, lab_b) else in_colour


def _spreads(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Standard deviation of every column; N×C, at most four columns."""
    return np.asarray(cv2.meanStdDev(values[:, None])[1], np.float64).ravel()


def _evened(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    """Spread of the difference of two lightnesses once one has been given the contrast of the other, within reason."""
    found = []
    for x, y in ((a - a.mean(), b - b.mean()), (b - b.mean(), a - a.mean())):
        gain = min(GAINS[1], max(GAINS[0], float(x @ y) / max(float(x @ x), 1e-6)))
        found.append(float(cv2.meanStdDev(y - gain * x)[1].item()))
    return min(found)


def aligned_change(a: Pixels, b: Pixels, alignment: Alignment) -> float:
    """:func:`colour_change` where two pictures that ``alignment`` lays on each other show the same structure."""
    if alignment.homography is None:
        return 0.0
    size = a.shape[1::-1]
    warped = np.asarray(cv2.warpPerspective(b, alignment.homography, size, flags=cv2.INTER_LINEAR), np.uint8)
    inside = cv2.warpPerspective(np.full(b.shape[:2], 255, np.uint8), alignment.homography, size)
    grey_a, grey_b = (
        square(np.asarray(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), np.uint8), 3 * Tint.SIDE).astype(np.float32)
        for x in (a, warped)
    )
    covered = square(np.asarray(inside, np.uint8), Tint.SIDE) > 250
    agree = _at_scale(agreeing(grey_a, grey_b))
    return colour_change(square(a, Tint.SIDE), square(warped, Tint.SIDE), covered & agree)


def changed_at(
    tints: tuple[Pixels, Pixels], greys: tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]], homography: Matrix
) -> float:
    """:func:`aligned_change` told from thumbnails alone.

    Args:
        tints: uint8, 32×32×3, of the whole pictures.
        greys: uint8, h×w, of the whole pictures in their own shape.
        homography: pixels of the second grey → pixels of the first.
    """
    if abs(float(np.linalg.det(homography[:2, :2]))) > 1:  # the finer one is brought into the frame of the coarser
        return changed_at(tints[::-1], greys[::-1], inverted(homography))
    place = rescaled(homography, *greys, *tints)
    growth = math.sqrt(abs(float(np.linalg.det(place[:2, :2]))))
    finer = cv2.GaussianBlur(tints[1], (0, 0), 0.5 / max(growth, 0.05)) if growth < 0.9 else tints[1]
    side = (Tint.SIDE, Tint.SIDE)
    warped = np.asarray(cv2.warpAffine(finer, place[:2], side, flags=cv2.INTER_LINEAR), np.uint8)
    inside = np.asarray(cv2.warpAffine(np.full(side, 255, np.uint8), place[:2], side), np.uint8)
    other = cv2.warpAffine(greys[1], homography[:2], greys[0].shape[::-1], flags=cv2.INTER_LINEAR)
    agree = _at_scale(agreeing(greys[0].astype(np.float32), np.asarray(other, np.float32)))
    return colour_change(tints[0], warped, (inside > 250) & agree)


def _at_scale(agree: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return square(agree.astype(np.uint8) * 255, Tint.SIDE) > 127


def _lab(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)
