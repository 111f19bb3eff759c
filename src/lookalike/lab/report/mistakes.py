"""Which pairs a contestant is most wrong about: what people look at first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lookalike.lab.contest import Scored
from lookalike.lab.labelled import Labelled, LabelledPair
from lookalike.lab.measures import ranks, sample_verdicts
from lookalike.types import Comparison

SHOWN = 6
"""Mistakes of a kind that are shown."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A pair on the wrong side of the threshold."""

    pair: LabelledPair
    comparison: Comparison


def worst(
    pairs: Sequence[LabelledPair], scored: Scored, threshold: float, most: int = SHOWN
) -> tuple[list[Mistake], list[Mistake]]:
    """Different pairs that score highest, from ``threshold`` on, and same pairs that score lowest, below it.

    The most wrong first; of equal scores the one that stands first in the table.
    """
    scores = scored.scores
    same = np.array([pair.same for pair in pairs], bool)
    false = np.flatnonzero(~same & (scores >= threshold))  # nan, a pair that failed, is neither
    missed = np.flatnonzero(same & (scores < threshold))
    false = false[np.argsort(-scores[false], kind="stable")]
    missed = missed[np.argsort(scores[missed], kind="stable")]
    return _told(pairs, scored, false[:most].tolist()), _told(pairs, scored, missed[:most].tolist())


def farthest(table: Labelled, scored: Scored, most: int = SHOWN) -> tuple[list[Mistake], list[Mistake]]:
    """Pairs whose verdict is closer than their label, and those whose verdict is farther: most bands off first."""
    scores = scored.scores
    told = sample_verdicts(np.nan_to_num(scores))
    off = np.where(np.isfinite(scores), told - ranks(table), 0)
    closer, farther = np.flatnonzero(off < 0), np.flatnonzero(off > 0)
    closer = closer[np.lexsort((-scores[closer], off[closer]))]
    farther = farther[np.lexsort((scores[farther], -off[farther]))]
    pairs = table.pairs
    return _told(pairs, scored, closer[:most].tolist()), _told(pairs, scored, farther[:most].tolist())


def _told(pairs: Sequence[LabelledPair], scored: Scored, numbers: Sequence[int]) -> list[Mistake]:
    found = [(pairs[number], scored.results[number]) for number in numbers]
    return [Mistake(pair, result) for pair, result in found if isinstance(result, Comparison)]
