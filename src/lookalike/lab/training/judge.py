"""Is it better? Measured on pictures that training never saw, before and after, with how far luck could have gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.lab.bootstrap import LEVEL, Interval, intervals, picture_weights
from lookalike.lab.metrics import area
from lookalike.lab.ranking import Floats, ranking
from lookalike.lab.training.nearest import agreement, precisions
from lookalike.lab.training.shares import some_products

ROUNDS = 1000

PAIRED = 500
"""Pictures whose pairs the AUC is over: an eighth of a million."""

PAIR_ROUNDS = 200


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, before and after.

    Attributes:
        before, after: by the vectors of the network as it was, and by the new ones.
        gain: after - before.
        interval: of the gain; 95 % of the draws lie inside. Nan twice where it cannot be told.
    """

    before: float
    after: float
    gain: float
    interval: Interval

    @property
    def better(self) -> bool:
        """Whether the whole interval is above zero."""
        return self.interval[0] > 0

    @property
    def worse(self) -> bool:
        """Whether the whole interval is below zero."""
        return self.interval[1] < 0

    def to_dict(self) -> dict[str, Any]:
        """As plain values, rounded; None for what cannot be told."""
        ends = [_rounded(end) for end in self.interval]
        return {"before": _rounded(self.before), "after": _rounded(self.after), "gain_interval": ends}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found on the held-out part.

    Attributes:
        figures: name (``"map"``, ``"recall_at_1"``, ``"auc"``) → its figure; empty where there are no labels.
        agreement: ``"10"`` and ``"100"`` → share of the ten nearest by the network as it was among as many nearest by
            the new vectors.
        pictures, products: how many were ranked, and how many different labels they have.
    """

    figures: Mapping[str, Figure]
    agreement: Mapping[str, float]
    pictures: int
    products: int

    @property
    def better(self) -> bool:
        """Whether mAP rose, beyond luck, and the first picture found is not the wrong one more often."""
        return bool(self.figures) and self.figures["map"].better and not self.figures["recall_at_1"].worse

    def to_dict(self) -> dict[str, Any]:
        """As plain values, ready for ``json.dumps``."""
        return {
            **{name: figure.to_dict() for name, figure in self.figures.items()},
            "neighbours_kept": {name: _rounded(value) for name, value in self.agreement.items()},
            "pictures": self.pictures,
            "products": self.products,
        }


def judge(
    before: npt.NDArray[np.float32],
    after: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int64] | None,
    seed: int = 0,
) -> Judgement:
    """Compare two sets of vectors of the same held-out pictures.

    Products are drawn with replacement, not pictures, since pictures of one product are no independent witnesses;
    before and after see the same draws.

    Args:
        before, after: N×D and N×d, rows of length 1.
        labels: (N,), the product of each; None where it is not known: then only the agreement is told.
        seed: of the draws.
    """
    kept = {str(among): float(agreement(before, after, among).mean()) for among in (10, 100)}
    if labels is None:
        return Judgement({}, kept, len(before), 0)
    old, new = precisions(before, labels), precisions(after, labels)
    figures = {name: _paired(old[index], new[index], labels, seed) for index, name in enumerate(("map", "recall_at_1"))}
    figures["auc"] = _areas(before, after, labels, seed)
    return Judgement(figures, kept, len(before), len(np.unique(labels)))


def _paired(old: Floats, new: Floats, labels: npt.NDArray[np.int64], seed: int) -> Figure:
    """Means over pictures, and the interval of their difference over draws of products."""
    good = np.isfinite(old)
    if not good.any():
        nothing = float("nan")
        return Figure(nothing, nothing, nothing, (nothing, nothing))
    old, new = old[good], new[good]
    _, product = np.unique(labels[good], return_inverse=True)
    count = np.bincount(product).astype(np.float64)
    gain = np.bincount(product, new - old)
    random = np.random.default_rng(seed)
    weights = random.multinomial(len(count), np.full(len(count), 1 / len(count)), size=ROUNDS).astype(np.float64)
    drawn = (weights @ gain) / (weights @ count)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    before, after = float(old.mean()), float(new.mean())
    return Figure(before, after, after - before, (float(low), float(high)))


def _areas(
    before: npt.NDArray[np.float32], after: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], seed: int
) -> Figure:
    """AUC of all pairs by cosine: how often a pair of one product is more alike than a pair of two."""
    drawn = some_products(labels, np.arange(len(labels)), PAIRED, seed)
    first, second = np.triu_indices(len(drawn), 1)
    same = labels[drawn[first]] == labels[drawn[second]]

    def of(vectors: npt.NDArray[np.float32]) -> Callable[[Floats | None], Floats]:
        alike = (vectors[drawn] @ vectors[drawn].T)[first, second].astype(np.float64)
        order = np.argsort(-alike)
        ordered, truth = alike[order], same[order]  # the next sort of it costs little
        return lambda weights: area(ranking(ordered, truth, None if weights is None else weights[..., order]))

    old, new = of(before), of(after)
    spread = intervals(
        lambda weights: {"gain": new(weights) - old(weights)},
        picture_weights(first, second, len(drawn), PAIR_ROUNDS, seed),
    )
    a, b = float(old(None)), float(new(None))
    return Figure(a, b, b - a, spread["gain"])


def _rounded(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None
