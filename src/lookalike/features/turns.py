"""A hash in the best of the eight flips and quarter turns, at little more than the cost of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.features.base import Method, method
from lookalike.features.bits import DihedralHash

if TYPE_CHECKING:
    from lookalike.types import Picture

Turned = npt.NDArray[np.bool_]
"""bool, (8, bits), in the order of :data:`~lookalike.features.dihedral.TRANSFORMS`."""


class Turns(Method[Turned]):
    """A hash (pHash by default) in the best of the 8 flips and quarter turns: 1 - distance / bits.

    Args:
        hash: ``ahash``, ``dhash``, ``phash``, ``phash16`` or ``pdq``.

    Raises:
        UsageError: a hash whose turns do not come from one picture.

    >>> from lookalike import load
    >>> photo = np.random.default_rng(0).integers(0, 255, (8, 6), np.uint8).repeat(30, 0).repeat(30, 1)
    >>> turns = Turns()
    >>> a, b = turns.extract([load(photo), load(np.ascontiguousarray(np.rot90(photo)[:, ::-1]))])
    >>> turns.compare(a, b) > 0.95
    True
    """

    name = "turns"
    dtype = "bool"

    def __init__(self, hash: str = "phash") -> None:
        made = method(hash)
        if not isinstance(made, DihedralHash):
            raise UsageError(f"{hash!r} cannot be turned", remedy="use ahash, dhash, phash, phash16 or pdq")
        self.hash = hash
        self._made = made

    @property
    def shape(self) -> tuple[int, ...]:
        return (8, *(self._made.shape or ()))

    @property
    def params(self) -> dict[str, Any]:
        return {"hash": self.hash, **self._made.params}

    def extract(self, pictures: Sequence[Picture]) -> list[Turned]:
        return [self._made.dihedral(picture) for picture in pictures]

    def compare(self, a: Turned, b: Turned) -> float:
        # A turned hash may differ from the hash of the turned picture in a bit or two: both ways are looked at.
        return max(self._made.compare_dihedral(x[0], y)[0] for x, y in ((a, b), (b, a)))
