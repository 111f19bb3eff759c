"""The default rule as if it had never seen the pictures it is asked about.

What ships was fitted to all labelled pairs. Here the products are dealt into folds, the fusion is fitted once for every
two folds that are left out, and a pair is scored by one that knows neither of its products.

It is always two folds, also where both products are in one: fusions fitted to more pairs differ a little in level, and
pairs of one product, which lie in one fold, would be scored on another scale than the rest.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import fusion_fit
import numpy as np
import numpy.typing as npt
from accuracy_pairs import Asked

from lookalike import PRESETS, compare_many
from lookalike.api import Result
from lookalike.collection.kept import KeptFeatures
from lookalike.lab.contest import Contestant, Scored
from lookalike.lab.datasets.splits import folds
from lookalike.scoring.fusion import Fusion
from lookalike.scoring.presets import Preset

FOLDS = 5


@dataclass
class HeldOut:
    """Fusions by the folds they were not fitted to.

    Attributes:
        rows: the evidence of all labelled pairs.
        fold: product → its fold.
    """

    rows: fusion_fit.Rows
    fold: dict[str, int]
    _fitted: dict[frozenset[int], Fusion] = field(default_factory=dict)

    @classmethod
    def read(cls, seed: int = 0) -> HeldOut:
        """From ``results/fusion_evidence.csv.gz``."""
        rows = fusion_fit.read()
        names = np.unique(rows.groups).tolist()
        dealt = folds(names, FOLDS, strata=[name.split("/")[0] for name in names], seed=seed)
        return cls(rows, dict(zip(names, dealt, strict=True)))

    def without(self, products: Collection[str], key: str = "") -> frozenset[int]:
        """Two folds that hold these products, the rest drawn by ``key``."""
        found = sorted({self.fold[name] for name in products if name in self.fold})
        others = [fold for fold in range(FOLDS) if fold not in found]
        random.Random(key).shuffle(others)
        return frozenset([*found, *others][:2])

    def fusion(self, left_out: frozenset[int]) -> Fusion:
        """Fitted to the pairs that have no product in these folds."""
        if left_out not in self._fitted:
            self._fitted[left_out] = fusion_fit.fitted(self.rows, self.outside(left_out))
        return self._fitted[left_out]

    def outside(self, left_out: frozenset[int]) -> npt.NDArray[np.bool_]:
        """(pairs,), which of the table have no product in these folds."""
        return ~np.isin(self.sides(), sorted(left_out)).any(axis=1)

    def sides(self) -> npt.NDArray[np.int64]:
        """(pairs, 2), folds of the table's products."""
        return np.array([[self.fold[name] for name in pair] for pair in self.rows.groups.tolist()], np.int64)

    def preset(self, left_out: frozenset[int]) -> Preset:
        """``auto`` with that fusion."""
        return replace(PRESETS["auto"], fusion=self.fusion(left_out))

    def score(self, asked: Asked, features: KeptFeatures) -> Scored:
        """Every pair by a rule that knows neither of its products."""
        results: list[Any] = [None] * len(asked.pairs)
        by_folds: dict[frozenset[int], list[int]] = {}
        for number, (pair, products) in enumerate(zip(asked.pairs, asked.groups, strict=True)):
            key = f"{Path(pair.a).name} {Path(pair.b).name}"
            by_folds.setdefault(self.without(products, key), []).append(number)
        for left_out, numbers in by_folds.items():
            pairs = [(asked.pairs[number].a, asked.pairs[number].b) for number in numbers]
            for number, result in zip(numbers, self.compared(pairs, left_out, features), strict=True):
                results[number] = result
        return Scored(Contestant("auto"), tuple(results), float("nan"))

    def compared(
        self, pairs: Sequence[tuple[str, str]], left_out: frozenset[int], features: KeptFeatures
    ) -> list[Result]:
        """Pairs by the rule without some folds."""
        return list(compare_many(pairs, preset=self.preset(left_out), store=features))


def probabilities(held_out: HeldOut) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """P(same product) of all pairs of the table that were asked, whether they are it, and what each counts for.

    Every pair by a fusion that knows neither of its products; copies, which geometry tells, are left out.
    """
    rows = held_out.rows
    asked, same = rows.asked("product")
    likely = np.full(len(asked), np.nan)
    left_out = [held_out.without(both, f"pair {number}") for number, both in enumerate(rows.groups.tolist())]
    for folds_left in set(left_out):
        here = np.array([each == folds_left for each in left_out])
        odds = fusion_fit.log_odds(held_out.fusion(folds_left).sums[0]["product"], rows)
        likely[here] = (1 / (1 + np.exp(-odds)))[here]
    counts = fusion_fit.weights(rows, asked, same)
    return likely[asked], same[asked], counts[asked]
