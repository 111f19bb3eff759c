"""The map of what differs: place by place, how little the aligned pictures agree."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.explain.placement import Matrix, in_pixels
from lookalike.features.look import STEADY, TEXTURE
from lookalike.features.shrink import shrunk

if TYPE_CHECKING:
    from lookalike.types import Pixels

Map = npt.NDArray[np.float32]

WINDOW = 15
"""Side of the windows in pixels, of pictures with 320 on the longer side; as where scores are made."""

SAME_COLOUR, OTHER_COLOUR = 4.0, 45.0
"""Distance in CIE Lab that is hardly seen (and that JPEG makes), and one that counts in full."""

UNSEEN = 0.1
"""Correlation that compression and resampling may cost before anything shows."""

RIM = 3
"""Pixels along the edge of the overlap that are judged by their neighbours further in."""


def difference(a: Pixels, b: Pixels, placement: Matrix) -> Map:
    """How much ``b``, laid on ``a`` by ``placement``, differs from it, window by window.

    The greater of 1 − local correlation (where either has texture) and the distance of colours in CIE Lab. The finer
    picture is first softened to what the coarser can hold.

    Args:
        a, b: uint8, H×W×3, sRGB.
        placement: 3×3, shares of b → shares of a.

    Returns:
        float32 h×w in [0, 1] in the frame of a at 320 pixels; meaningless where b does not cover it.
    """
    base = shrunk(a)
    size = base.shape[1::-1]
    matrix = in_pixels(placement, size, b.shape[1::-1])
    grown_a, grown_b = size[0] / a.shape[1], math.sqrt(abs(float(np.linalg.det(matrix[:2, :2]))))
    coarsest = max(1.0, grown_a, grown_b)
    soft_a = _softened(base, 0.5 * coarsest if grown_a < 0.9 * coarsest else 0.0)
    soft_b = _softened(b, 0.5 * coarsest / grown_b if grown_b < 0.9 * coarsest else 0.0)
    smooth = (
        cv2.INTER_CUBIC if grown_b > 1 else cv2.INTER_LINEAR
    )  # as the first was enlarged, so that equals stay equal
    warped = cv2.warpPerspective(soft_b, matrix, size, flags=smooth, borderMode=cv2.BORDER_REPLICATE)
    weight = _inner(cv2.warpPerspective(np.full(b.shape[:2], 255, np.uint8), matrix, size, flags=cv2.INTER_NEAREST))
    other = np.asarray(warped, np.uint8)
    return np.maximum(_unlike(soft_a, other, weight), _recoloured(soft_a, other, weight))


def _softened(pixels: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), min(sigma, 50.0)), np.uint8) if sigma > 0.3 else pixels


def _inner(covered: npt.NDArray[Any]) -> Map:
    """1 well inside the overlap, 0 outside and on its rim, where an alignment half a pixel off shows most."""
    square = np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)
    eroded = np.asarray(cv2.erode(covered, square, borderType=cv2.BORDER_CONSTANT, borderValue=0))
    return ((eroded if eroded.any() else np.asarray(covered)) > 0).astype(np.float32)


def _unlike(a: Pixels, b: Pixels, weight: Map) -> Map:
    """1 − correlation of each window, over what ``weight`` counts; 0 where neither has texture."""
    grey_a, grey_b = (
        np.asarray(cv2.GaussianBlur(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0), np.float32)
        for x in (a, b)
    )
    count = np.maximum(_box(weight), 1e-3)

    def mean(values: Map) -> Map:
        return np.asarray(_box(values * weight) / count, np.float32)

    mean_a, mean_b = mean(grey_a), mean(grey_b)
    var_a = np.maximum(mean(grey_a * grey_a) - mean_a * mean_a, 0)
    var_b = np.maximum(mean(grey_b * grey_b) - mean_b * mean_b, 0)
    together = mean(grey_a * grey_b) - mean_a * mean_b
    correlation = together / np.sqrt((var_a + STEADY) * (var_b + STEADY))
    textured = np.clip((np.maximum(var_a, var_b) - TEXTURE) / (3 * TEXTURE), 0, 1)
    return np.asarray(np.clip((1 - UNSEEN - correlation) / (1 - UNSEEN), 0, 1) * textured, np.float32)


def _recoloured(a: Pixels, b: Pixels, weight: Map) -> Map:
    """Distance of the colours, averaged over a few pixels so that an outline a pixel off does not show."""
    share = np.maximum(cv2.GaussianBlur(weight, (0, 0), 3.0), 1e-6)[..., None]

    def soft_lab(pixels: Pixels) -> Map:
        counted = pixels.astype(np.float32) / 255 * weight[..., None]
        mean = np.asarray(cv2.GaussianBlur(counted, (0, 0), 3.0) / share, np.float32)
        return np.asarray(cv2.cvtColor(mean, cv2.COLOR_RGB2Lab), np.float32)

    distance = np.linalg.norm(soft_lab(a) - soft_lab(b), axis=2)
    return np.asarray(np.clip((distance - SAME_COLOUR) / (OTHER_COLOUR - SAME_COLOUR), 0, 1), np.float32)


def _box(values: npt.NDArray[Any]) -> Map:
    return np.asarray(
        cv2.boxFilter(values, cv2.CV_32F, (WINDOW, WINDOW), normalize=False, borderType=cv2.BORDER_CONSTANT),
        np.float32,
    )


def painted(first: Pixels, heat: Map, inside: npt.NDArray[np.bool_]) -> Pixels:
    """The heat map over ``first``, dimmed and grey; what the second does not cover is pale and has no heat.

    Args:
        first: uint8, H×W×3, at the size wanted.
        heat: as :func:`difference` gives it; enlarged to that size.
        inside: bool, H×W, what the second covers.
    """
    smooth = np.clip(cv2.resize(heat, first.shape[1::-1], interpolation=cv2.INTER_LINEAR), 0, 1)
    grey = cv2.cvtColor(first, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    return np.where(inside[..., None], _mixed(grey, smooth), grey * 0.28 + 182).astype(np.uint8)


def legend(width: int, height: int) -> Pixels:
    """The scale of :func:`painted`, same on the left and different on the right, over the grey of a picture."""
    ramp = np.repeat(np.linspace(0, 1, width, dtype=np.float32)[None], height, axis=0)
    return _mixed(np.full((height, width, 1), 128, np.float32), ramp).astype(np.uint8)


def _mixed(grey: npt.NDArray[Any], heat: npt.NDArray[Any]) -> npt.NDArray[Any]:
    colours = cv2.applyColorMap((heat * 235).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1].astype(np.float32)
    strength = np.clip(heat * 1.5, 0, 0.9)[..., None]
    return np.asarray((1 - strength) * (grey * 0.3 + 34) + strength * colours)
