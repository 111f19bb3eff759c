"""The same bytes, or the same pixels in other bytes (metadata, container, compression without loss)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.features.base import Method

if TYPE_CHECKING:
    from lookalike.types import Picture

Digests = npt.NDArray[np.uint8]
"""uint8, (64,): sha256 of the encoded bytes, then sha256 of the picture's size and pixels."""


class Exact(Method[Digests]):
    """1.0 where bytes or pixels are the same, else 0.0.

    Pixels are those that are seen: oriented, alpha laid on white; so a cut-out and the same object on an opaque white
    ground are one picture. 16-bit greys count at full depth.

    >>> from lookalike import load
    >>> from lookalike.features.base import method
    >>> black, white = load(np.zeros((2, 2), np.uint8)), load(np.full((2, 2), 255, np.uint8))
    >>> a, b = method("exact").extract([black, white])
    >>> method("exact").compare(a, b)
    0.0
    """

    name = "exact"
    dtype = "uint8"
    side = 0

    @property
    def shape(self) -> tuple[int, ...]:
        return (64,)

    def extract(self, pictures: Sequence[Picture]) -> list[Digests]:
        digests = (bytes.fromhex(picture.digest) + _pixel_digest(picture) for picture in pictures)
        return [np.frombuffer(digest, np.uint8) for digest in digests]

    def compare(self, a: Digests, b: Digests) -> float:
        """1.0 where either half agrees, else 0.0."""
        return float(np.array_equal(a[:32], b[:32]) or np.array_equal(a[32:], b[32:]))


def _pixel_digest(picture: Picture) -> bytes:
    decoded = picture.decoded()
    shown = decoded.pixels if decoded.grey16 is None else decoded.grey16
    digest = hashlib.sha256(f"{shown.shape}{shown.dtype.str}".encode())
    digest.update(np.ascontiguousarray(shown).data)
    return digest.digest()
