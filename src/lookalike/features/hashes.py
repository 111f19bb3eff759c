"""Average, difference and DCT hashes, bit for bit those of ImageHash, in batches.

All three shrink the grey picture to a thumbnail with Pillow's Lanczos filter and write one bit a cell; see
http://www.hackerfactor.com/blog/index.php?/archives/432-Looks-Like-It.html (aHash, pHash) and
http://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html (dHash).
Where a picture has an alpha channel, it is hashed as laid on white.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.features.bits import Bits, DihedralHash
from lookalike.features.dihedral import TRANSFORMS, apply, apply_to_dct
from lookalike.features.grey import grey_of
from lookalike.features.resample import resample

if TYPE_CHECKING:
    from lookalike.types import Picture

Thumbnails = npt.NDArray[np.uint8]
"""uint8, (n, height, width): grey thumbnails of n pictures."""

HIGH_FREQUENCY_FACTOR = 4
"""The DCT is taken of a thumbnail so many times wider than the block of coefficients that is kept."""

TIE = 1e-6
"""Coefficients nearer to the median than this are equal to it on paper; they run to about a million."""


class _ThumbnailHash(DihedralHash):
    """A hash of ``hash_size`` × ``hash_size`` bits made from one small grey thumbnail."""

    def __init__(self, hash_size: int = 8) -> None:
        if not 2 <= hash_size <= 64:
            raise UsageError(f"hash_size is {hash_size}", remedy="give 2 to 64 (8 makes 64 bits)")
        self.hash_size = hash_size

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.hash_size**2,)

    @property
    def params(self) -> dict[str, Any]:
        return {"hash_size": self.hash_size}

    def _thumbnails(self, pictures: Sequence[Picture], width: int, height: int) -> Thumbnails:
        made = [resample(grey_of(picture, self.side), (width, height), "lanczos") for picture in pictures]
        return np.stack(made)


class AverageHash(_ThumbnailHash):
    """Average hash: a bit for every cell of the thumbnail, brighter than the mean. Cheap and coarse."""

    name = "ahash"

    def extract(self, pictures: Sequence[Picture]) -> list[Bits]:
        return list(self._hash(self._thumbnails(pictures, self.hash_size, self.hash_size))) if pictures else []

    def dihedral(self, picture: Picture) -> npt.NDArray[np.bool_]:
        thumbnail = self._thumbnails([picture], self.hash_size, self.hash_size)[0]
        return self._hash(np.stack([apply(thumbnail, index) for index in range(len(TRANSFORMS))]))

    @staticmethod
    def _hash(thumbnails: Thumbnails) -> npt.NDArray[np.bool_]:
        cells = thumbnails.reshape(len(thumbnails), -1)
        return np.asarray(cells > cells.mean(axis=1, keepdims=True))


class DifferenceHash(_ThumbnailHash):
    """Difference hash: a bit for every pair of neighbours in a row, the right one brighter."""

    name = "dhash"

    def extract(self, pictures: Sequence[Picture]) -> list[Bits]:
        return list(self._hash(self._thumbnails(pictures, self.hash_size + 1, self.hash_size))) if pictures else []

    def dihedral(self, picture: Picture) -> npt.NDArray[np.bool_]:
        # A quarter turn makes rows of columns, so it needs a thumbnail that is tall, not wide.
        wide = self._thumbnails([picture], self.hash_size + 1, self.hash_size)[0]
        tall = self._thumbnails([picture], self.hash_size, self.hash_size + 1)[0]
        turned = (tall if degrees % 180 else wide for _, degrees in TRANSFORMS)
        return self._hash(np.stack([apply(thumbnail, index) for index, thumbnail in enumerate(turned)]))

    @staticmethod
    def _hash(thumbnails: Thumbnails) -> npt.NDArray[np.bool_]:
        return (thumbnails[:, :, 1:] > thumbnails[:, :, :-1]).reshape(len(thumbnails), -1)


class PerceptualHash(_ThumbnailHash):
    """Perceptual hash: a bit for every low frequency of the DCT, above the median of them all.

    Stands re-encoding, resizing and slight blur; blind to colour; falls to crops, borders and flips (for flips and
    quarter turns see :meth:`dihedral`).
    """

    name = "phash"

    def extract(self, pictures: Sequence[Picture]) -> list[Bits]:
        return list(self._hash(self._coefficients(pictures))) if pictures else []

    def dihedral(self, picture: Picture) -> npt.NDArray[np.bool_]:
        block = self._coefficients([picture])[0]
        return self._hash(np.stack([apply_to_dct(block, index) for index in range(len(TRANSFORMS))]))

    def _coefficients(self, pictures: Sequence[Picture]) -> npt.NDArray[np.float64]:
        edge = self.hash_size * HIGH_FREQUENCY_FACTOR
        thumbnails = self._thumbnails(pictures, edge, edge)
        cosines = _cosines(self.hash_size, edge)
        blocks: npt.NDArray[np.float64] = cosines @ thumbnails.astype(np.float64) @ cosines.T
        values = blocks.reshape(len(blocks), -1)
        from_median = np.abs(values - np.median(values, axis=1, keepdims=True))
        for index in np.flatnonzero(from_median.min(axis=1) < TIE):
            blocks[index] = _dct_of_imagehash(thumbnails[index])[: self.hash_size, : self.hash_size]
        return blocks

    @staticmethod
    def _hash(blocks: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        values = blocks.reshape(len(blocks), -1)
        return np.asarray(values > np.median(values, axis=1, keepdims=True))


@lru_cache(maxsize=8)
def _cosines(frequencies: int, length: int) -> npt.NDArray[np.float64]:
    """The first rows of the DCT-II matrix, (frequencies, length), without normalisation as in SciPy."""
    angle = np.pi / (2 * length) * np.outer(np.arange(frequencies), 2 * np.arange(length) + 1)
    return np.asarray(2.0 * np.cos(angle))


def _dct_of_imagehash(thumbnail: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The DCT by the very routine of ImageHash, for pictures where rounding errors decide the bits.

    In flat and symmetric pictures many coefficients are zero on paper, and so is the median; which side of it they
    fall on is the noise of one algorithm. Imported here, since SciPy takes a tenth of a second and few need it.
    """
    from scipy.fftpack import dct

    transformed: npt.NDArray[np.float64] = dct(dct(thumbnail, axis=0), axis=1)
    return transformed
