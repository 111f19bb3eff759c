"""What all bit hashes share: a row of bits, Hamming distance, and the 8 ways to lay the other picture down."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from lookalike.features.base import Method

if TYPE_CHECKING:
    from lookalike.types import Picture

Bits = npt.NDArray[np.bool_]
"""bool, (bits,): a hash, one element a bit, in the order of the published hexadecimal text (first = highest)."""


class BitHash(Method[Bits]):
    """A hash of fixed length; similarity 1 - d/bits with d the Hamming distance.

    >>> from lookalike.features.base import method
    >>> method("ahash").compare(np.zeros(64, bool), np.arange(64) < 16)
    0.75
    """

    metric = "hamming"
    dtype: ClassVar[str | None] = "bool"

    def compare(self, a: Bits, b: Bits) -> float:
        """Share of bits that agree."""
        return 1.0 - int(np.count_nonzero(a != b)) / a.size


class DihedralHash(BitHash):
    """A hash whose 8 flips and quarter turns come from one reduced picture.

    They may differ in a few bits from hashes of the turned picture, because the reduced picture is rounded to whole
    grey levels in another order. On 120 photos: aHash and pHash at most 2 bits of 64 (0.05 on average), dHash 6 (0.2),
    pHash 16 at most 6 of 256 (0.4). PDQ 6 of 256 on average and 20 in a twentieth of the cases, as in the published
    code: its box filter reaches further to one side where its width is even.
    """

    @abstractmethod
    def dihedral(self, picture: Picture) -> npt.NDArray[np.bool_]:
        """Hashes of the picture laid down in all 8 ways.

        Returns:
            bool, (8, bits), in the order of :data:`~lookalike.features.dihedral.TRANSFORMS`; row 0 equals
            ``extract([picture])[0]``.
        """

    def compare_dihedral(self, a: Bits, b: npt.NDArray[np.bool_]) -> tuple[float, int]:
        """The best of the 8 similarities.

        Args:
            a: one hash, (bits,).
            b: what :meth:`dihedral` gave for the other picture, (8, bits).

        Returns:
            The similarity in [0, 1] and the index into :data:`~lookalike.features.dihedral.TRANSFORMS` of the transform
            that, applied to the second picture, makes it most like the first; the lowest index where several tie.
        """
        distances = (b != a).sum(axis=1)
        best = int(distances.argmin())
        return 1.0 - int(distances[best]) / a.size, best
