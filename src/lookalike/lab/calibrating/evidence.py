"""Scored pairs with their labels, as arrays: what everything is fitted to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lookalike.lab.bootstrap import Numbers
from lookalike.lab.calibrating.cleaned import Cleaned, label_of
from lookalike.lab.labelled import VERDICTS, LabelledPair
from lookalike.lab.ranking import Floats, Labels
from lookalike.types import Comparison, PairFailure
from lookalike.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Evidence:
    """Pairs that were compared, in an order that does not depend on the table's.

    Attributes:
        pairs, comparisons: label and comparison of each.
        scores: (N,), in [0, 1], as the preset gave them.
        first, second: (N,), number of the pictures; equal contents have one number.
        sampled: (N,), pairs that nobody labelled but chance.
        digest: sha256 (hex) of all contents and labels.
        failures: pairs that could not be compared.
    """

    pairs: tuple[LabelledPair, ...]
    comparisons: tuple[Comparison, ...]
    scores: Floats
    first: Numbers
    second: Numbers
    sampled: Labels
    digest: str
    failures: tuple[PairFailure, ...] = ()

    @property
    def labels(self) -> Labels:
        """(N,), true for the same product."""
        return np.array([pair.same for pair in self.pairs], bool)

    @property
    def pictures(self) -> int:
        """How many different pictures there are."""
        return len(np.union1d(self.first, self.second))

    @property
    def five(self) -> bool:
        """Whether the labels are the five verdicts."""
        return any(pair.verdict is not None for pair in self.pairs)

    def within(self, verdict: Verdict) -> Labels:
        """(N,), which pairs have this verdict or a closer one, where the labels are the five."""
        rank = VERDICTS.index(verdict)
        return np.array([VERDICTS.index(pair.verdict or "different") <= rank for pair in self.pairs], bool)

    def counts(self) -> dict[str, int]:
        """How many pairs have each label."""
        found = Counter(label_of(pair) for pair in self.pairs)
        return {label: found[label] for label in (*VERDICTS[:-1], "same", "different") if found[label]}

    def rescored(self, comparisons: Sequence[Comparison]) -> Evidence:
        """The same pairs with other comparisons, one each."""
        scores = np.array([each.score for each in comparisons], np.float64)
        return replace(self, comparisons=tuple(comparisons), scores=scores)


def evidence_of(
    cleaned: Cleaned, results: Sequence[Comparison | PairFailure], sampled: Sequence[bool] | None = None
) -> Evidence:
    """Pairs and what became of them as evidence; those that failed are told beside it.

    Args:
        cleaned: the pairs.
        results: one a pair.
        sampled: which of them were drawn at random; None for none.
    """
    good = [isinstance(result, Comparison) for result in results]
    kept = cleaned.only(good)
    names = {name: number for number, name in enumerate(sorted({name for key in kept.keys for name in key}))}
    ends = np.array([[names[name] for name in key] for key in kept.keys], np.int64).reshape(-1, 2)
    drawn = np.zeros(len(results), bool) if sampled is None else np.array(sampled, bool)
    comparisons = tuple(result for result in results if isinstance(result, Comparison))
    return Evidence(
        kept.pairs,
        comparisons,
        np.array([each.score for each in comparisons], np.float64),
        ends[:, 0],
        ends[:, 1],
        drawn[np.array(good, bool)],
        kept.digest(),
        tuple(result for result in results if isinstance(result, PairFailure)),
    )
