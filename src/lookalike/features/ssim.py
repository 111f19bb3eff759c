"""Structural similarity of two grey arrays: on one scale as scikit-image has it, and on several.

Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural similarity" (2004);
Wang, Simoncelli, Bovik, "Multiscale structural similarity for image quality assessment" (2003).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.threads import both

if TYPE_CHECKING:
    Array = npt.NDArray[Any]
    Floats = npt.NDArray[Any]  # float32 or float64

K1, K2 = 0.01, 0.03
WINDOW = 7
GAUSSIAN, SIGMA = 11, 1.5
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Exponents of the five scales, finest first, as measured by Wang et al. (2003)."""

BAND = 64
"""Rows of windows that are worked on at a time."""


def ssim(a: Array, b: Array, data_range: float = 255.0) -> float:
    """Mean structural similarity: ``skimage.metrics.structural_similarity`` with its defaults.

    7×7 uniform windows, sample covariance, K1 = 0.01, K2 = 0.03, the mean over all windows that lie wholly inside. A
    side shorter than the window is lengthened by repeating its last row or column.

    Args:
        a, b: H×W, the same shape; uint8, uint16 or float.
        data_range: distance from black to white in these values (65535 for uint16).

    Returns:
        -1 to 1, 1.0 for equal arrays; within 1e-4 of scikit-image for uint8, closer for the rest (summed in float64).

    Raises:
        ValueError: the shapes differ.

    >>> ramp = np.tile(np.arange(16, dtype=np.uint8), (16, 1))
    >>> ssim(ramp, ramp), round(ssim(ramp, ramp[:, ::-1]), 3)
    (1.0, 0.586)
    """
    a, b = _floats(a, b, WINDOW, data_range)
    return min(1.0, _means(a, b, _box, WINDOW, WINDOW**2 / (WINDOW**2 - 1), data_range)[0])  # float sums may exceed it


def msssim(a: Array, b: Array, data_range: float = 255.0) -> float:
    """Multi-scale structural similarity: 11×11 Gaussian windows (sigma 1.5), up to five scales, each half the last.

    A scale is left out where the shorter side has fewer than 11 pixels, and the exponents of the rest are divided by
    their sum; the first always counts (short sides are lengthened as in :func:`ssim`). A negative mean of a scale
    counts as 0, since it has no real power.

    Args:
        a, b: H×W, the same shape; uint8, uint16 or float.
        data_range: distance from black to white in these values.

    Returns:
        0 to 1, 1.0 for equal arrays.

    Raises:
        ValueError: the shapes differ.

    >>> ramp = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (32, 1))
    >>> msssim(ramp, ramp), msssim(ramp, ramp[:, ::-1])
    (1.0, 0.0)
    """
    a, b = _floats(a, b, GAUSSIAN, data_range)
    scales = 1
    while scales < len(SCALE_WEIGHTS) and min(a.shape) >> scales >= GAUSSIAN:
        scales += 1
    result = 1.0
    for scale, weight in enumerate(SCALE_WEIGHTS[:scales]):
        whole, structure = _means(a, b, _gaussian, GAUSSIAN, 1.0, data_range)
        mean = whole if scale == scales - 1 else structure  # luminance matters on the coarsest scale only
        result *= min(1.0, max(0.0, mean)) ** (weight / sum(SCALE_WEIGHTS[:scales]))
        a, b = _half(a), _half(b)
    return result


def _floats(a: Array, b: Array, least: int, data_range: float) -> tuple[Floats, Floats]:
    """Both arrays as floats about mid-grey, no side shorter than ``least``.

    About mid-grey the sums of squares stay small, so that little is lost where two of them are subtracted: then
    float32 is good enough for 8 bits.
    """
    if a.shape != b.shape or a.ndim != 2:
        raise ValueError(f"needs two grey arrays of one shape, got {a.shape} and {b.shape}")
    dtype = np.float32 if a.dtype == np.uint8 and b.dtype == np.uint8 else np.float64
    below, right = (max(0, least - side) for side in a.shape)

    def prepared(array: Array) -> Floats:
        centred: Floats = array.astype(dtype)
        centred -= data_range / 2
        if below or right:
            return np.asarray(cv2.copyMakeBorder(centred, 0, below, 0, right, cv2.BORDER_REPLICATE))
        return centred

    return prepared(a), prepared(b)


def _means(
    a: Floats, b: Floats, mean: Callable[[Floats], Floats], window: int, sample: float, data_range: float
) -> tuple[float, float]:
    """Means over all windows of the whole similarity and of contrast times structure.

    Band by band: a dozen intermediate arrays of a band stay in the cache, those of a whole picture would not. The two
    halves are worked on side by side; what is added up is added in one order.
    """
    rows, columns = a.shape[0] - window + 1, a.shape[1] - window + 1

    def sums(firsts: range) -> list[tuple[float, float]]:
        found = []
        for first in firsts:
            band = slice(first, min(first + BAND, rows) + window - 1)
            luminance, structure = _terms(a[band], b[band], mean, sample, data_range)
            structures = cv2.sumElems(structure)[0]
            luminance *= structure
            found.append((cv2.sumElems(luminance)[0], structures))
        return found

    middle = -(-rows // (2 * BAND)) * BAND
    upper, lower = both(lambda: sums(range(0, middle, BAND)), lambda: sums(range(middle, rows, BAND)))
    whole, structures = (sum(each) for each in zip(*(upper + lower), strict=True))
    return whole / (rows * columns), structures / (rows * columns)


def _terms(
    a: Floats, b: Floats, mean: Callable[[Floats], Floats], sample: float, data_range: float
) -> tuple[Floats, Floats]:
    """The luminance term, and contrast times structure, of every window. ``a`` and ``b`` are about mid-grey.

    Written in place, since the time goes into memory, not into arithmetic.
    """
    middle = data_range / 2
    mean_a, mean_b = mean(a), mean(b)
    product = mean_a * mean_b
    structure = mean(a * b)
    structure -= product
    structure *= 2.0 * sample
    structure += (K2 * data_range) ** 2
    variances = a * a
    variances += b * b
    variances = mean(variances)
    squares = mean_a * mean_a
    squares += mean_b * mean_b
    variances -= squares
    variances *= sample
    variances += (K2 * data_range) ** 2
    structure /= variances
    # (x + m)(y + m) = xy + m(x + y) + m²: back to means above black.
    mean_a += mean_b
    mean_a += middle
    mean_a *= middle
    product += mean_a
    product *= 2.0
    product += (K1 * data_range) ** 2
    mean_a *= 2.0
    squares += mean_a
    squares += (K1 * data_range) ** 2
    product /= squares
    return product, structure


def _box(values: Floats) -> Floats:
    """Mean of every 7×7 window that lies wholly inside."""
    edge = WINDOW // 2
    return np.asarray(cv2.boxFilter(values, -1, (WINDOW, WINDOW)))[edge:-edge, edge:-edge]


def _gaussian(values: Floats) -> Floats:
    """Gaussian mean of every 11×11 window that lies wholly inside."""
    edge = GAUSSIAN // 2
    return np.asarray(cv2.GaussianBlur(values, (GAUSSIAN, GAUSSIAN), SIGMA))[edge:-edge, edge:-edge]


def _half(values: Floats) -> Floats:
    """Means of 2×2 pixels; an odd last row or column is left out."""
    height, width = values.shape[0] // 2, values.shape[1] // 2
    if not height or not width:
        return values
    return np.asarray(cv2.resize(values[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA))
