"""What is measured of scored pairs: one table, a row for each number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from lookalike.lab import metrics
from lookalike.lab.labelled import VERDICTS, Labelled
from lookalike.lab.ranking import Floats, Labels, Ranking, ranking, ratio
from lookalike.verdicts import BANDS, Verdict

SAME: Verdict = "same product"

S = TypeVar("S")
"""What is measured: scored pairs, or rankings."""


@dataclass(frozen=True)
class Sample:
    """Scored pairs with their labels.

    Attributes:
        scores: (N,), in [0, 1].
        ranks: (N,), number of each label among the five verdicts, 0 for identical; where labels only say same or
            different, 2 (same product) and 4.
        five: the labels are the five verdicts.
        probabilities: (N,), that it is the same product; None where the scores are no probabilities.
        weights: (N,) or (rounds, N); None counts every pair once.
    """

    scores: Floats
    ranks: npt.NDArray[np.int64]
    five: bool = False
    probabilities: Floats | None = None
    weights: Floats | None = None
    _rankings: dict[Verdict, Ranking] = field(default_factory=dict, repr=False, compare=False)

    def weighed(self, weights: Floats) -> Sample:
        """The same pairs with other weights."""
        return replace(self, weights=weights, _rankings={})

    def labels(self, verdict: Verdict = SAME) -> Labels:
        """(N,), which pairs have this verdict or a closer one; where labels say no more, which are the same."""
        return self.ranks <= VERDICTS.index(verdict if self.five else SAME)

    def ranking(self, verdict: Verdict = SAME) -> Ranking:
        """The pairs counted over every threshold, made once."""
        if verdict not in self._rankings:
            self._rankings[verdict] = ranking(self.scores, self.labels(verdict), self.weights)
        return self._rankings[verdict]


def ranks(table: Labelled) -> npt.NDArray[np.int64]:
    """(pairs,), number of each label among the five verdicts, see :class:`Sample`."""
    return np.array(
        [VERDICTS.index(pair.verdict or (SAME if pair.same else "different")) for pair in table.pairs], np.int64
    )


NOT_HERE = "-"
"""What :attr:`Measure.lacks` says of a number that has no place in such a table."""


@dataclass(frozen=True, slots=True)
class Measure(Generic[S]):
    """One number.

    Attributes:
        title: in a table.
        about: what it tells, in one sentence.
        value: sample → the number, or one for every round of weights.
        better: which way is better; empty where neither is.
        lacks: why it cannot be told of a sample, in words; empty where it can, :data:`NOT_HERE` where it is not asked.
        drawn_anew: drawing pictures anew tells how far it may be off. A calibration error only grows by that: what
            happens to be right in every bin of all pairs is not in every draw.
    """

    title: str
    about: str
    value: Callable[[S], Floats]
    better: Literal["higher", "lower", ""] = "higher"
    lacks: Callable[[S], str] = lambda sample: ""
    drawn_anew: bool = True


def _enough(rate: float) -> Callable[[Sample], str]:
    needed = round(1 / rate)

    def lacks(sample: Sample) -> str:
        there = int((~sample.labels()).sum())
        return "" if there >= needed else f"needs {needed:,} different pairs, there are {there:,}"

    return lacks


def _probable(sample: Sample) -> str:
    return "" if sample.probabilities is not None else "the score is no probability; see lookalike calibrate"


def _needs_five(sample: Sample) -> str:
    return "" if sample.five else NOT_HERE


def _needs_both(verdict: Verdict) -> Callable[[Sample], str]:
    def lacks(sample: Sample) -> str:
        if not sample.five:
            return NOT_HERE
        labels = sample.labels(verdict)
        return "" if labels.any() and not labels.all() else "needs pairs that are labelled so, and others"

    return lacks


def _reached(lowest: float, verdict: Verdict, part: int) -> Callable[[Sample], str]:
    def lacks(sample: Sample) -> str:
        if part == 0:
            return "" if (sample.scores >= lowest).any() else f"no pair scores {lowest:.2f} or more"
        return "" if sample.labels(verdict).any() else f"no pair is labelled {verdict} or closer"

    return lacks


def _of_probabilities(measure: Callable[..., Floats]) -> Callable[[Sample], Floats]:
    def value(sample: Sample) -> Floats:
        assert sample.probabilities is not None
        return measure(sample.probabilities, sample.labels(), sample.weights)

    return value


def _at_band(lowest: float, verdict: Verdict, part: int) -> Callable[[Sample], Floats]:
    return lambda sample: metrics.precision_recall_at(sample.scores, sample.labels(verdict), lowest, sample.weights)[
        part
    ]


def _in_band(sample: Sample) -> Floats:
    hit = (sample_verdicts(sample.scores) == sample.ranks).astype(np.float64)
    weights = np.ones(len(hit)) if sample.weights is None else sample.weights
    return ratio(weights @ hit, weights.sum(axis=-1))


def sample_verdicts(scores: Floats) -> npt.NDArray[np.int64]:
    """(N,), number of the verdict whose band holds each score."""
    lowest = np.array([lowest for lowest, _ in BANDS])
    return np.asarray((scores[:, None] < lowest).sum(axis=1), np.int64)


MEASURES: dict[str, Measure[Sample]] = {
    "auc": Measure(
        "AUC",
        "How often a pair of the same product scores over a pair of different ones: 0.5 is chance.",
        lambda sample: metrics.area(sample.ranking()),
    ),
    "average_precision": Measure(
        "average precision",
        "Precision averaged over all recalls; the share of same pairs in the table is chance.",
        lambda sample: metrics.mean_precision(sample.ranking()),
    ),
    "tpr_at_fpr_1": Measure(
        "TPR at FPR 1 %",
        "Share of the same pairs found by a threshold that lets one different pair in a hundred through.",
        lambda sample: metrics.recall_within(sample.ranking(), 0.01),
        lacks=_enough(0.01),
    ),
    "tpr_at_fpr_01": Measure(
        "TPR at FPR 0.1 %",
        "Share of the same pairs found by a threshold that lets one different pair in a thousand through.",
        lambda sample: metrics.recall_within(sample.ranking(), 0.001),
        lacks=_enough(0.001),
    ),
    "best_f1": Measure(
        "best F1",
        "The harmonic mean of precision and recall, at the threshold where it is highest.",
        lambda sample: metrics.balance(sample.ranking()).f1,
    ),
    "best_threshold": Measure(
        "  threshold",
        "That threshold.",
        lambda sample: metrics.balance(sample.ranking()).threshold,
        better="",
    ),
    "best_precision": Measure(
        "  precision",
        "Share of the same product among the pairs from that threshold on.",
        lambda sample: metrics.balance(sample.ranking()).precision,
        better="",
    ),
    "best_recall": Measure(
        "  recall",
        "Share of the same pairs from that threshold on.",
        lambda sample: metrics.balance(sample.ranking()).recall,
        better="",
    ),
    **{
        f"{name}_at_{round(100 * lowest)}": Measure(
            f"{name} from {lowest:.2f}",
            f"{about}, from a score of {lowest:.2f} on: the band of {verdict}.",
            _at_band(lowest, verdict, part),
            lacks=_reached(lowest, verdict, part),
        )
        for lowest, verdict in BANDS[1:-1]
        for part, (name, about) in enumerate(
            (("precision", "Share of true ones among the pairs"), ("recall", "Share of the true pairs that are found"))
        )
    },
    "ece": Measure(
        "ECE",
        "Expected calibration error: by how much the probability misses the share that is the same, ten bins.",
        _of_probabilities(metrics.ece),
        "lower",
        _probable,
        drawn_anew=False,
    ),
    "brier": Measure(
        "Brier",
        "Mean squared difference between probability and truth: 0 is perfect, 0.25 is a coin.",
        _of_probabilities(metrics.brier),
        "lower",
        _probable,
    ),
    "auc_near_duplicate": Measure(
        "AUC, near-duplicates",
        "How often a near-duplicate scores over a pair that is none.",
        lambda sample: metrics.area(sample.ranking("near-duplicate")),
        lacks=_needs_both("near-duplicate"),
    ),
    "auc_same_category": Measure(
        "AUC, same category",
        "How often a pair of one category scores over a pair of two.",
        lambda sample: metrics.area(sample.ranking("same category")),
        lacks=_needs_both("same category"),
    ),
    "in_band": Measure(
        "verdict as labelled",
        "Share of the pairs whose verdict is their label.",
        _in_band,
        lacks=_needs_five,
    ),
}
"""Every measure of pairs by the name it has in JSON, in the order of the table."""
