"""What a threshold comes to on pictures that it was not fitted to, and how far luck may have had a hand in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.lab.bootstrap import Interval, intervals, picture_weights
from lookalike.lab.calibrating.banding import JUST_BELOW
from lookalike.lab.calibrating.crossval import Folds, held_out
from lookalike.lab.calibrating.evidence import Evidence
from lookalike.lab.calibrating.thresholds import Target, pick, rates
from lookalike.lab.ranking import Floats, ranking

RATES = ("tpr", "fpr", "precision", "f1")


@dataclass(frozen=True, slots=True)
class Expected:
    """Figures, each with the interval that holds it 95 times in 100, by bootstrap over pictures.

    Attributes:
        threshold: of the same product, and its interval.
        rates: name → rate and interval; a rate is nan where it is not defined. See :data:`RATES`.
    """

    threshold: tuple[float, Interval]
    rates: dict[str, tuple[float, Interval]]


def expect(evidence: Evidence, target: Target, threshold: float, rule: str, folds: Folds, seed: int) -> Expected:
    """Rates of thresholds fitted to other pictures, and intervals of all.

    Each pair is called the same, or not, by the threshold that meets the target on pairs without its pictures; the
    rates are counted over all of them.

    Args:
        evidence: the scored pairs.
        target: what the threshold was asked to do.
        threshold: where it lies.
        rule: of the preset, under ``auto`` no threshold lies among copies.
        folds: of the pictures.
        seed: of the bootstrap.
    """
    scores, labels = evidence.scores, evidence.labels
    highest = JUST_BELOW if rule == "auto" else 1.0

    def fit(chosen: npt.NDArray[np.intp], weights: Floats) -> Callable[[npt.NDArray[np.intp]], Floats]:
        fitted = float(pick(ranking(scores[chosen], labels[chosen], weights), target))
        least = min(fitted, highest) if np.isfinite(fitted) else np.inf  # a target out of reach calls nothing the same
        return lambda numbers: (scores[numbers] >= least).astype(float)

    said = held_out(folds, labels, fit)
    told = np.isfinite(said)
    called, truth = said[told] == 1, labels[told]

    def counted(weights: Floats) -> dict[str, Floats]:
        return rates(called, truth, weights[..., told])

    def measured(weights: Floats) -> dict[str, Floats]:
        fitted = pick(ranking(scores, labels, weights), target)
        return {"threshold": np.where(fitted > highest, highest, fitted), **counted(weights)}

    pictures = 1 + int(max(evidence.first.max(), evidence.second.max()))
    found = intervals(measured, picture_weights(evidence.first, evidence.second, pictures, seed=seed))
    figures = counted(np.ones(len(labels)))
    return Expected((threshold, found["threshold"]), {name: (float(figures[name]), found[name]) for name in RATES})
