"""Raw scores → scores whose verdict bands hold: a broken line through the thresholds that were fitted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from lookalike.errors import UsageError
from lookalike.verdicts import BANDS

_LOWEST = {verdict: lowest for lowest, verdict in BANDS}
CATEGORY, PRODUCT, NEAR = (_LOWEST[name] for name in ("same category", "same product", "near-duplicate"))


@dataclass(frozen=True, slots=True)
class Bands:
    """Where the bands begin among raw scores, and the line that takes them to where bands begin.

    A raw score of 0 stays 0, ``category`` becomes 0.65, ``product`` 0.80, ``near`` 0.90, and what lies between is
    interpolated, so that the order of scores stays as it was. 1 stays 1, and nothing else becomes 1. Where nobody knows
    how near-duplicates score (``near`` is None), scores from ``product`` up to 1 become 0.80 up to 0.90, 0.90 itself
    left out, and only 1 lies above.

    A band may be empty: with ``product`` 1 nothing but a score of 1 is the same product; with ``product`` 0 everything
    is, and ``category`` is 0 then.

    Attributes:
        product: raw score from which two pictures show the same product, 0 to 1.
        category: raw score from which they show the same category, over 0 and below ``product``.
        near: raw score from which one is a near-duplicate of the other, over ``product`` and below 1; None where that
            is not known.

    Raises:
        UsageError: thresholds in another order.

    >>> bands = Bands(product=0.5, category=0.25)
    >>> [round(bands.apply(raw), 3) for raw in (0, 0.25, 0.5, 0.75, 0.9999, 1)]
    [0.0, 0.65, 0.8, 0.85, 0.9, 1.0]
    """

    product: float
    category: float
    near: float | None = None

    def __post_init__(self) -> None:
        ordered = 0 < self.category < self.product <= 1 or self.category == self.product == 0
        if not ordered or (self.near is not None and not self.product < self.near < 1):
            near = "" if self.near is None else f" < near-duplicate {self.near:g} < 1"
            raise UsageError(
                f"thresholds must rise: 0 < same category {self.category:g} < same product {self.product:g}{near}"
            )

    def apply(self, raw: float) -> float:
        """The score for a raw score, both in [0, 1]; never falls as ``raw`` rises."""
        if raw >= 1:
            return 1.0
        for begin, end, low, high in self._pieces():
            if raw < end:
                return min(low + (high - low) * ((max(raw, begin) - begin) / (end - begin)), math.nextafter(high, 0))
        return 1.0  # for NaN, which no score is

    def raw(self, score: float) -> float:
        """The least raw score that becomes ``score`` or more: over it lies exactly what lies over ``score`` after.

        >>> Bands(product=0.5, category=0.25).raw(0.80), Bands(product=0.5, category=0.25).raw(0.90)
        (0.5, 1.0)
        """
        low, high = 0.0, 1.0
        if self.apply(low) >= score:
            return low
        while low < (middle := (low + high) / 2) < high:
            if self.apply(middle) >= score:
                high = middle
            else:
                low = middle
        return high

    def _pieces(self) -> list[tuple[float, float, float, float]]:
        """Pieces of the line that are not empty: raw scores from, up to (left out), and what these become."""
        corners = [(0.0, 0.0), (self.category, CATEGORY), (self.product, PRODUCT)]
        corners += [(1.0, NEAR)] if self.near is None else [(self.near, NEAR), (1.0, 1.0)]
        if self.product == 1:
            corners = corners[:3]
        return [(begin, end, low, high) for (begin, low), (end, high) in pairwise(corners) if begin < end]
