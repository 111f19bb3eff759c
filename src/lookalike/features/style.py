"""Style of a garment photo in 114 numbers: cut and layout before colour.

The published formula fixes the groups of numbers, their weights and the score. What it leaves open is settled so
that the same garment in another colour stays near: the layout is counted from the picture's own mean and in its own
standard deviations, and edges are steps of a ratio, not of grey levels. See :func:`describe` for each choice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.base import Method

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

Descriptor = npt.NDArray[np.float32]
"""float32, (114,), each in [0, 1]; the groups in the order of :data:`GROUPS`."""

GROUPS: tuple[tuple[str, int, tuple[float, ...]], ...] = (
    # name, how many numbers, their weights (repeated to fill)
    ("rgb", 30, (0.8,)),
    ("hue", 18, (1.0,)),
    ("saturation", 10, (0.9,)),
    ("value", 10, (1.2,)),
    ("blocks", 36, (3.0,)),
    ("statistics", 5, (2.2, 2.0, 1.8, 1.8, 1.8)),  # brightness, colour variance, second moments of R, G, B
    ("edges", 5, (2.8, 2.8, 3.2, 3.2, 3.5)),  # horizontal, vertical, falling, rising, density
)
WEIGHTS: npt.NDArray[np.float64] = np.concatenate([np.resize(weights, count) for _, count, weights in GROUPS])
HUE, BLOCKS = slice(30, 48), slice(68, 104)

SIDE = 192
GRID = 3
CELL = SIDE // GRID

PENALTIES = ((0.8, 0.3), (0.6, 0.5), (0.4, 0.7))
"""(largest difference of two features, factor of the score), hardest first; only the first that applies counts."""

SPREAD = 8.0
"""Standard deviations across the range of a block's mean. One of nine values lies at most 2.83 from their mean."""

LEAST_DEVIATION = 0.02
"""Deviation of the blocks, 5 of 255 levels, below which layout is noise."""

EDGE = 0.25
"""Sobel gradient of :data:`LOG_GREY` that makes an edge: brightness changes by about 3 % a pixel."""

LOG_GREY: npt.NDArray[np.float32] = np.log1p(np.arange(256, dtype=np.float32) / 64)
"""ln(1 + grey / 64) of the 256 grey levels."""

SOBEL_FALLING: npt.NDArray[np.float32] = np.array([[0, 1, 2], [-1, 0, 1], [-2, -1, 0]], np.float32)
SOBEL_RISING: npt.NDArray[np.float32] = np.array([[2, 1, 0], [1, 0, -1], [0, -1, -2]], np.float32)
"""Sobel's kernel turned by 45° either way: the edges it answers to fall, or rise, from left to right."""


class Style(Method[Descriptor]):
    """Garments: cut and layout before colour, by 114 numbers; see :func:`describe` and :func:`style_score`."""

    name = "style"
    dtype = "float32"

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(WEIGHTS),)

    def extract(self, pictures: Sequence[Picture]) -> list[Descriptor]:
        return [describe(picture.decoded(self.side).pixels) for picture in pictures]

    def compare(self, a: Descriptor, b: Descriptor) -> float:
        return style_score(a, b)


def describe(pixels: Pixels) -> Descriptor:
    """The style of a picture, stretched to 192×192 pixels. Alpha is laid on white before and counts as white.

    * rgb: shares of the pixels in 10 equal bins for each of R, G and B.
    * hue: 18 bins of 20°, where a pixel votes with its saturation, as a share of all pixels: the hue of grey is noise.
      saturation, value: shares in 10 bins each.
    * blocks: for each of 3×3 blocks, row by row, the means of R, G and B and the texture. A mean is counted from that
      of the nine blocks, in their standard deviations: -4 to 4 become 0 to 1. Texture is the share of edge pixels in
      the block over that of the richest block.
    * statistics: mean brightness; mean variance of R, G and B, times 4; mean square of R, of G and of B.
    * edges: shares of the edge pixels whose edge runs horizontally, vertically, falling and rising to the right, by the
      strongest of four Sobel kernels; density is the share of all pixels that are edge pixels.

    An edge pixel is one whose Sobel gradient of ln(1 + grey / 64) is above 0.25: the logarithm makes the folds of a
    dark garment count like those of a bright one, the 64 keeps the noise of near-black down.

    Args:
        pixels: uint8, H×W×3, RGB.

    Returns:
        float32, (114,), each in [0, 1].

    >>> describe(np.zeros((4, 4, 3), np.uint8))[[0, 48, 58, 68]].tolist()
    [1.0, 1.0, 1.0, 0.5]
    """
    small = _squeezed(pixels)
    edge, directions = _edges(small)
    numbers = [*_histograms(small), _blocks(small, edge).ravel(), _statistics(small), directions]
    return np.concatenate(numbers).astype(np.float32)


def style_score(a: Descriptor, b: Descriptor) -> float:
    """How alike two styles are.

    (0.40 · cosine of the weighted numbers + 0.25 · layout + 0.25 · hue + 0.10 · (1 - mean difference)), times 0.7, 0.5
    or 0.3 where the largest difference of two numbers passes 0.4, 0.6 or 0.8, to the power 0.7. Layout is the mean
    over the blocks of exp(-5 · Euclidean distance of their four numbers); hue is the mean over the 18 bins of
    exp(-8 · difference). Differences are absolute and without weights.

    Returns:
        0 to 1; 1.0 for equal descriptors.
    """
    difference = np.abs(a - b)
    largest = float(difference.max())
    if largest == 0.0:
        return 1.0
    weighted_a, weighted_b = a * WEIGHTS, b * WEIGHTS
    cosine = float(weighted_a @ weighted_b) / math.sqrt(float(weighted_a @ weighted_a) * float(weighted_b @ weighted_b))
    blocks = difference[BLOCKS].reshape(-1, 4)
    layout = float(np.exp(-5.0 * np.sqrt((blocks * blocks).sum(axis=1))).mean())
    hue = float(np.exp(-8.0 * difference[HUE]).mean())
    score = 0.40 * cosine + 0.25 * layout + 0.25 * hue + 0.10 * (1.0 - float(difference.mean()))
    factor = next((factor for least, factor in PENALTIES if largest > least), 1.0)
    return float(min(1.0, score * factor) ** 0.7)


def _squeezed(pixels: Pixels) -> Pixels:
    """``pixels`` at 192×192, first by exact halves, which OpenCV has a far faster path for."""
    height, width = pixels.shape[:2]
    while min(height, width) >= 2 * SIDE:
        height, width = height // 2, width // 2
        even = pixels[: 2 * height, : 2 * width]
        pixels = np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _histograms(small: Pixels) -> list[npt.NDArray[np.float32]]:
    """Shares of the pixels: 10 each of R, G and B, 18 of hue by saturation, 10 of saturation, 10 of value."""
    hsv = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2HSV), np.uint8)
    share = np.float32(1.0 / (SIDE * SIDE))
    ten = [_histogram(small, channel) for channel in range(3)]
    saturation, value = _histogram(hsv, 1), _histogram(hsv, 2)
    by_saturation = cv2.calcHist([hsv], [0, 1], None, [18, 256], [0, 180, 0, 256])
    hue = by_saturation @ np.linspace(0.0, 1.0, 256, dtype=np.float32)
    return [numbers * share for numbers in (*ten, hue, saturation, value)]


def _histogram(picture: Pixels, channel: int) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.calcHist([picture], [channel], None, [10], [0, 256]), np.float32).ravel()


def _edges(small: Pixels) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    """Which pixels lie on an edge, and the five edge numbers."""
    brightness = LOG_GREY[cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)]
    across, down = cv2.Sobel(brightness, cv2.CV_32F, 1, 0), cv2.Sobel(brightness, cv2.CV_32F, 0, 1)
    edge = np.asarray(cv2.magnitude(across, down)) > EDGE
    falling = cv2.filter2D(brightness, cv2.CV_32F, SOBEL_FALLING)
    rising = cv2.filter2D(brightness, cv2.CV_32F, SOBEL_RISING)
    strongest = np.abs(np.stack([kernel[edge] for kernel in (down, across, falling, rising)])).argmax(axis=0)
    directions = np.bincount(strongest, minlength=4) / max(1, strongest.size)
    return edge, np.append(directions, edge.mean()).astype(np.float32)


def _blocks(small: Pixels, edge: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """(9, 4): mean R, G, B from the picture's own mean and in its own deviations, and texture."""
    colour = _block_means(small.astype(np.float32)).reshape(-1, 3) / 255.0
    deviation = np.maximum(colour.std(axis=0), LEAST_DEVIATION)
    layout = 0.5 + (colour - colour.mean(axis=0)) / (SPREAD * deviation)
    texture = _block_means(edge.astype(np.float32)).reshape(-1, 1)
    return np.hstack([layout, texture / max(float(texture.max()), 1.0 / (CELL * CELL))])


def _block_means(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Means of 3×3 blocks: shrinking by a whole number averages areas."""
    return np.asarray(cv2.resize(values, (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)


def _statistics(small: Pixels) -> npt.NDArray[np.float32]:
    """Brightness, colour variance, second moments of R, G and B."""
    means, deviations = cv2.meanStdDev(small)
    mean, variance = means.ravel() / 255.0, (deviations.ravel() / 255.0) ** 2
    brightness = mean @ np.array([0.299, 0.587, 0.114])
    return np.array([brightness, 4.0 * variance.mean(), *(variance + mean * mean)], np.float32)
