"""Colour and brightness without place: histograms.

Every pixel counts, also white ones that an alpha channel let through (the published formulas know no mask). Each method
here is one picture → one histogram → one number; a new method can start as a copy of :class:`GreyCosine`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.base import Method
from lookalike.features.grey import grey_of

if TYPE_CHECKING:
    from lookalike.types import Decoded, Picture

Histogram = npt.NDArray[np.float32]
"""float32, shares of all pixels, adding up to 1: (180, 256) hue by saturation, or (256,) grey levels."""

HUES, SATURATIONS = 180, 256
"""OpenCV's whole range of hue (half degrees) and saturation, a bin for each value."""


class _HueSaturation(Method[Histogram]):
    """Methods on one histogram of hue and saturation, brightness left out."""

    dtype = "float32"

    @property
    def shape(self) -> tuple[int, ...]:
        return (HUES, SATURATIONS)

    def extract(self, pictures: Sequence[Picture]) -> list[Histogram]:
        return [self._histogram(picture) for picture in pictures]

    def _histogram(self, picture: Picture) -> Histogram:
        side = self.side
        return picture.kept("hue-saturation", side, lambda: _hue_saturation(picture.decoded(side)))


class HSVCorrelation(_HueSaturation):
    """Correlation of two histograms, bin by bin, as ``cv2.compareHist(a, b, cv2.HISTCMP_CORREL)``; below 0 counts as 0.

    Scaling a histogram does not change it, so shares do as well as counts.
    """

    name = "hsv"
    metric = "correlation"

    def compare(self, a: Histogram, b: Histogram) -> float:
        return self.mapped(self.raw(a, b))

    def raw(self, a: Histogram, b: Histogram) -> float:
        """The correlation itself, -1 to 1."""
        return float(cv2.compareHist(a, b, cv2.HISTCMP_CORREL))


class HSVBhattacharyya(_HueSaturation):
    """1 - Bhattacharyya distance of two histograms, ``cv2.compareHist(a, b, cv2.HISTCMP_BHATTACHARYYA)``.

    The distance is √(1 - Σ √(a b)), 0 for equal histograms and 1 where no bin is shared.
    """

    name = "bhattacharyya"

    def compare(self, a: Histogram, b: Histogram) -> float:
        distance = cv2.compareHist(a, b, cv2.HISTCMP_BHATTACHARYYA)
        # The root blows rounding up: 1e-16 below 1 under it is a distance of 1e-8.
        return 1.0 - min(distance, 1.0) if distance > 1e-6 else 1.0


class GreyCosine(Method[Histogram]):
    """Cosine of the angle between two histograms of grey levels."""

    name = "grey"
    metric = "cosine"
    dtype = "float32"

    @property
    def shape(self) -> tuple[int, ...]:
        return (256,)

    def extract(self, pictures: Sequence[Picture]) -> list[Histogram]:
        greys = (grey_of(picture, self.side) for picture in pictures)
        return [cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel() / np.float32(grey.size) for grey in greys]

    def compare(self, a: Histogram, b: Histogram) -> float:
        product = float(np.dot(a, b))
        return min(1.0, product / math.sqrt(float(np.dot(a, a)) * float(np.dot(b, b))))


def _hue_saturation(decoded: Decoded) -> Histogram:
    hsv = cv2.cvtColor(decoded.pixels, cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1], None, [HUES, SATURATIONS], [0, HUES, 0, SATURATIONS])
    histogram = np.asarray(counts / (hsv.shape[0] * hsv.shape[1]), np.float32)
    histogram.flags.writeable = False  # two methods share it
    return histogram
