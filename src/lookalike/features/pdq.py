"""PDQ, the 256-bit picture hash published by Facebook, as two small matrix products.

"The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm" (Facebook, 2019): luminance, two passes of a
box filter along rows and columns (together a tent), 64×64 samples, the 16×16 lowest DCT frequencies without the zeroth,
one bit each: above the median. Filter, sampling and DCT are linear, so all of them are folded into one matrix for
each axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.bits import Bits, DihedralHash
from lookalike.features.dihedral import TRANSFORMS, apply_to_dct
from lookalike.features.resample import multiply

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

SAMPLES = 64
FREQUENCIES = 16
LEAST_SIDE = 5
"""Pictures with a shorter side have no PDQ hash by the paper; all their bits are 0."""

BAND = 64
"""Rows that are worked on at a time, so that they stay in the cache as floats."""

NOISE = 0.01
"""Coefficients below this are rounding errors of a zero (they run to thousands); taken as 0, so that a flat picture
has the hash 0 on every machine, not a random one."""


class PDQ(DihedralHash):
    """PDQ: 256 bits; published as the same picture at a distance of about 31 bits or less (similarity 0.88).

    The first element is the highest bit of the published hexadecimal text: ``np.packbits(hash).tobytes().hex()``. The
    bits are those of the published code; in pictures with fewer than about 32 pixels on a side many coefficients are
    equal on paper, and there rounding decides a few of them.
    """

    name = "pdq"

    @property
    def shape(self) -> tuple[int, ...]:
        return (FREQUENCIES**2,)

    def extract(self, pictures: Sequence[Picture]) -> list[Bits]:
        return [_bits(_coefficients(picture.decoded(self.side).pixels)) for picture in pictures]

    def dihedral(self, picture: Picture) -> npt.NDArray[np.bool_]:
        block = _coefficients(picture.decoded(self.side).pixels)
        return np.stack([_bits(apply_to_dct(block, index, lowest=1)) for index in range(len(TRANSFORMS))])


def _bits(block: npt.NDArray[np.float32]) -> Bits:
    """The 128 highest coefficients; of an even count of values the paper takes the lower one for the median."""
    values = block.ravel()[::-1]
    median = np.partition(values, values.size // 2 - 1)[values.size // 2 - 1]
    return np.asarray(values > median)


def _coefficients(pixels: Pixels) -> npt.NDArray[np.float32]:
    """The 16×16 lowest frequencies but the zeroth, rows vertical; zeros where the picture is too small."""
    height, width = pixels.shape[:2]
    if min(height, width) < LEAST_SIDE:
        return np.zeros((FREQUENCIES, FREQUENCIES), np.float32)
    rows = np.empty((height, FREQUENCIES), np.float32)
    for first in range(0, height, BAND):
        band = slice(first, first + BAND)
        luminance = cv2.cvtColor(pixels[band].astype(np.float32), cv2.COLOR_RGB2GRAY)  # 0.299 R + 0.587 G + 0.114 B
        multiply(luminance, _projection(width), rows[band])
    block = multiply(_projection(height).T, rows)
    block[np.abs(block) < NOISE] = 0.0
    return block


@lru_cache(maxsize=64)
def _projection(length: int) -> npt.NDArray[np.float32]:
    """float32, (length, 16): the frequencies 1 to 16 of one axis, filter and sampling included."""
    angle = np.pi / (2 * SAMPLES) * np.outer(np.arange(1, FREQUENCIES + 1), 2 * np.arange(SAMPLES) + 1)
    cosines = np.sqrt(2 / SAMPLES) * np.cos(angle)
    return np.ascontiguousarray(multiply(cosines, _sampling(length)).T, np.float32)


def _sampling(length: int) -> npt.NDArray[np.float64]:
    """float64, (64, length): 64 samples of one axis after the box filter ran over it twice.

    The box is ``length`` / 128 wide, rounded up; where it is even, it reaches one pixel further to the right. At the
    ends it is cut and the mean taken of what is left.
    """
    window = -(-length // (2 * SAMPLES))
    ahead = (window + 2) // 2 - 1
    behind = window - 1 - ahead
    at = np.arange(length)
    begin, end = np.maximum(at - behind, 0), np.minimum(at + ahead + 1, length)
    share = 1.0 / (end - begin)
    sampled = ((np.arange(SAMPLES) + 0.5) * length / SAMPLES).astype(np.int64)
    inner = begin[sampled, None] + np.arange(window)  # where the second box looks, (64, window)
    weight = np.where(inner < end[sampled, None], share[sampled, None], 0.0)
    inner = np.minimum(inner, length - 1)
    weight *= share[inner]
    row = np.arange(SAMPLES)[:, None] * (length + 1)
    # Each box of the first pass is a step up at its begin and a step down at its end.
    size = SAMPLES * (length + 1)
    up = np.bincount((row + begin[inner]).ravel(), weight.ravel(), size)
    down = np.bincount((row + end[inner]).ravel(), weight.ravel(), size)
    return np.cumsum((up - down).reshape(SAMPLES, length + 1), axis=1)[:, :length]
