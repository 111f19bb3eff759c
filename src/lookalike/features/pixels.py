"""Pixel against pixel: squared error, signal to noise, structural similarity on one scale and on several.

All four keep the proportions of a picture, fill a square box with it, lay two such pictures on each other at the top
left corner and look at the part they share. Alpha is laid on white and counts as white.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from lookalike.features.base import Method
from lookalike.features.grey import contained, contained_size, grey_of
from lookalike.features.shrink import shrunk
from lookalike.features.ssim import msssim, ssim

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

Box = npt.NDArray[Any]
"""uint8 or uint16, H×W or H×W×3, the longer side as long as the box."""

CONTAINED = 512
"""Side of the square that SSIM's grey pictures are contained in, as published."""

COLOUR_BOX = 256
"""Side of the box for errors in colour, in pixels: enough for a mean, and a quarter of the memory."""

WHITE = 255.0


def mse(a: Pixels, b: Pixels) -> float:
    """Mean squared error of two uint8 arrays of one shape, in grey levels squared, 0 to 65025.

    >>> mse(np.array([[0, 255]], np.uint8), np.array([[4, 255]], np.uint8))
    8.0
    """
    return round(cv2.norm(a, b, cv2.NORM_L2SQR)) / a.size  # a sum of whole numbers, but for OpenCV's rounding


def psnr(a: Pixels, b: Pixels) -> float:
    """Peak signal-to-noise ratio of two uint8 arrays of one shape, in dB; infinite for equal ones.

    >>> round(psnr(np.array([[0, 255]], np.uint8), np.array([[4, 255]], np.uint8)), 2)
    39.1
    """
    error = mse(a, b)
    return math.inf if error == 0 else 10.0 * math.log10(WHITE**2 / error)


class _ColourError(Method[Box]):
    """Errors between two pictures in colour, each contained in 256×256."""

    def extract(self, pictures: Sequence[Picture]) -> list[Box]:
        return [shrunk(picture.decoded(self.side).pixels, COLOUR_BOX) for picture in pictures]


class MeanSquaredError(_ColourError):
    """1 - √MSE / 255: 1 = equal, 0 = black against white.

    The root makes it a distance in grey levels. Without it all photos would crowd near 1: two unlike ones differ by
    about 70 levels, which is 0.92 by MSE / 255² and 0.73 here.
    """

    name = "mse"

    def compare(self, a: Box, b: Box) -> float:
        return 1.0 - math.sqrt(mse(*_shared(a, b))) / WHITE


class PeakSignalToNoise(_ColourError):
    """PSNR over its greatest value, with one grey level of noise allowed for: 1 - ln(1 + MSE) / ln(1 + 255²).

    Plain PSNR is infinite for equal pictures and 0 dB for black against white. An error of one level (MSE 1) is the
    least that 8 bits can show, at 48.13 dB; adding it to the error makes an end of the scale there, so that the
    similarity is dB / 48.13 but for the very best, 1 only for equal pictures: 0.62 at 30 dB, 0.83 at 40 dB.
    """

    name = "psnr"

    def compare(self, a: Box, b: Box) -> float:
        return 1.0 - math.log1p(mse(*_shared(a, b))) / math.log1p(WHITE**2)


class StructuralSimilarity(Method[Box]):
    """SSIM of the grey pictures, each contained in 512×512; see :func:`lookalike.features.ssim.ssim`.

    A negative value counts as 0.

    Args:
        full_depth: use 16-bit grey where a picture has it. Features are then uint16, and 8-bit pictures are scaled
            up, so that both kinds can be compared.
    """

    name = "ssim"

    def __init__(self, full_depth: bool = False) -> None:
        self.full_depth = full_depth

    @property
    def params(self) -> dict[str, Any]:
        return {"full_depth": self.full_depth}

    def extract(self, pictures: Sequence[Picture]) -> list[Box]:
        return [self._box(picture) for picture in pictures]

    def _box(self, picture: Picture) -> Box:
        if not self.full_depth:
            return contained(grey_of(picture, self.side), CONTAINED)
        grey16 = picture.decoded(self.side).grey16
        return _contained16(grey_of(picture, self.side).astype(np.uint16) * 257 if grey16 is None else grey16)

    def compare(self, a: Box, b: Box) -> float:
        return self.mapped(self.raw(a, b))

    def raw(self, a: Box, b: Box) -> float:
        """SSIM itself, -1 to 1."""
        return ssim(*_shared(a, b), data_range=float(np.iinfo(a.dtype).max))


class MultiScaleSSIM(Method[Box]):
    """Multi-scale SSIM of the grey pictures, each contained in 512×512; see :func:`lookalike.features.ssim.msssim`."""

    name = "msssim"

    def extract(self, pictures: Sequence[Picture]) -> list[Box]:
        return [contained(grey_of(picture, self.side), CONTAINED) for picture in pictures]

    def compare(self, a: Box, b: Box) -> float:
        return msssim(*_shared(a, b))


def _shared(a: Box, b: Box) -> tuple[Box, Box]:
    """Both cut to the size they share, from the top left corner."""
    height, width = min(a.shape[0], b.shape[0]), min(a.shape[1], b.shape[1])
    return a[:height, :width], b[:height, :width]


def _contained16(grey: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    """Pillow's bicubic in floating point, since its 8-bit one would throw the depth away."""
    size = contained_size(grey.shape[1], grey.shape[0], CONTAINED)
    enlarged = Image.fromarray(grey.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(np.clip(np.rint(np.asarray(enlarged)), 0, 65535), np.uint16)
