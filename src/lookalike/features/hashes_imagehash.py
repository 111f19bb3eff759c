"""Wavelet, colour and crop-resistant hashes: thin wrappers round the package ImageHash.

They are slower than the hashes of :mod:`lookalike.features.hashes` and rarely on a hot path, so the reference
implementation itself is called (and imported on first use). Where a picture has an alpha channel, it is hashed as laid
on white.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from lookalike.errors import UsageError
from lookalike.features.base import Method
from lookalike.features.bits import BitHash, Bits
from lookalike.features.grey import grey_of

if TYPE_CHECKING:
    from lookalike.types import Picture


class WaveletHash(BitHash):
    """Wavelet hash: a bit for every cell of the Haar wavelet's low band, above the median."""

    name = "whash"

    def __init__(self, hash_size: int = 8) -> None:
        if hash_size not in (2, 4, 8, 16, 32):
            raise UsageError(f"hash_size is {hash_size}", remedy="give a power of two from 2 to 32 (8 makes 64 bits)")
        self.hash_size = hash_size

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.hash_size**2,)

    @property
    def params(self) -> dict[str, Any]:
        return {"hash_size": self.hash_size}

    def extract(self, pictures: Sequence[Picture]) -> list[Bits]:
        import imagehash

        images = (Image.fromarray(grey_of(picture, self.side)) for picture in pictures)
        return [imagehash.whash(image, hash_size=self.hash_size).hash.ravel() for image in images]


class ColorHash(BitHash):
    """Colour hash: shares of black, of grey and of 6 hues faint and bright; colour without place."""

    name = "colorhash"

    def __init__(self, binbits: int = 3) -> None:
        if not 1 <= binbits <= 8:
            raise UsageError(f"binbits is {binbits}", remedy="give 1 to 8 (3 makes 42 bits)")
        self.binbits = binbits

    @property
    def shape(self) -> tuple[int, ...]:
        return (14 * self.binbits,)

    @property
    def params(self) -> dict[str, Any]:
        return {"binbits": self.binbits}

    def extract(self, pictures: Sequence[Picture]) -> list[Bits]:
        import imagehash

        images = (Image.fromarray(picture.decoded(self.side).pixels) for picture in pictures)
        return [imagehash.colorhash(image, binbits=self.binbits).hash.ravel() for image in images]


Segments = npt.NDArray[np.bool_]
"""bool, (segments, 64): a difference hash for each bright or dark region, at least one."""


class CropResistantHash(Method[Segments]):
    """Crop-resistant hash: difference hashes of bright and dark regions, so that those in a crop still match.

    Steinebach, Liu and Yannikos, "Efficient Cropping-Resistant Robust Image Hashing" (ARES 2014), as ImageHash has it:
    a region matches where the nearest region of the other picture differs in at most 16 of 64 bits; the similarity is
    (matches - their mean distance in bits / 64) / regions. That reads differently from either side, so both are taken
    and the larger counts: a crop holds a part of the regions only, but those all match.
    """

    name = "crophash"
    dtype = "bool"
    bit_error_rate = 0.25

    def extract(self, pictures: Sequence[Picture]) -> list[Segments]:
        import imagehash

        images = (Image.fromarray(picture.decoded(self.side).pixels) for picture in pictures)
        hashes = (imagehash.crop_resistant_hash(image) for image in images)
        return [np.stack([segment.hash.ravel() for segment in made.segment_hashes]) for made in hashes]

    def compare(self, a: Segments, b: Segments) -> float:
        """The larger share of regions of one picture that are found in the other, less their mean distance."""
        distances = np.count_nonzero(a[:, None, :] != b[None, :, :], axis=2)
        return max(self._matched(distances.min(axis=1), a.shape[1]), self._matched(distances.min(axis=0), a.shape[1]))

    def _matched(self, nearest: npt.NDArray[np.int64], bits: int) -> float:
        matches = nearest[nearest <= self.bit_error_rate * bits]
        if not len(matches):
            return 0.0
        return (len(matches) - float(matches.mean()) / bits) / len(nearest)
