"""How well scores tell pairs of the same from pairs of different things: functions of scores and labels.

Every function takes scores (N,), labels (N,; true for the same) and weights. Weights may have a row for every round of
a bootstrap, (rounds, N); the answer then has one number a round. Ties are handled as scikit-learn does: pairs of one
score go over a threshold together. Where a number is not defined (no positives, no negatives) it is nan.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.lab.ranking import Floats, Ranking, checked, ranking, ratio

Weights = npt.ArrayLike | None

BINS = 10
"""Bins of equal width that a calibration error is summed over."""

_ROUNDING = 1e-12


class Curve(NamedTuple):
    """Points of a curve, from the highest threshold to the lowest; thresholds begin with infinity: nothing is over it.

    Attributes:
        x, y: (T + 1,), in [0, 1].
        thresholds: (T + 1,).
    """

    x: Floats
    y: Floats
    thresholds: Floats


class Best(NamedTuple):
    """The threshold at which F1, the harmonic mean of precision and recall, is highest."""

    f1: Floats
    threshold: Floats
    precision: Floats
    recall: Floats


def roc_curve(scores: npt.ArrayLike, labels: npt.ArrayLike, weights: Weights = None) -> Curve:
    """Share of the different pairs taken for the same (x) and share of the same pairs that are found (y).

    >>> roc_curve([0.9, 0.6, 0.4], [True, False, True]).y
    array([0. , 0.5, 0.5, 1. ])
    """
    found = ranking(scores, labels, weights)
    return Curve(np.append(0.0, found.fall_out), np.append(0.0, found.recall), np.append(np.inf, found.thresholds))


def pr_curve(scores: npt.ArrayLike, labels: npt.ArrayLike, weights: Weights = None) -> Curve:
    """Share of the same pairs that are found (x, recall) and share of the found that are the same (y, precision)."""
    found = ranking(scores, labels, weights)
    return Curve(np.append(0.0, found.recall), np.append(1.0, found.precision), np.append(np.inf, found.thresholds))


def roc_auc(scores: npt.ArrayLike, labels: npt.ArrayLike, weights: Weights = None) -> Floats:
    """Area under the ROC curve: how often a pair of the same scores over a pair of different things, ties by half.

    >>> float(roc_auc([0.9, 0.6, 0.4], [True, False, True]))
    0.5
    """
    return area(ranking(scores, labels, weights))


def area(found: Ranking) -> Floats:
    """Area under the ROC curve by the trapezoid rule, (…,)."""
    tall = np.diff(found.false, axis=-1, prepend=0.0)
    middle = found.hits - np.diff(found.hits, axis=-1, prepend=0.0) / 2
    return ratio((tall * middle).sum(axis=-1), found.positives * found.negatives)


def average_precision(scores: npt.ArrayLike, labels: npt.ArrayLike, weights: Weights = None) -> Floats:
    """Precision averaged over the recalls at which it changes: Σ (Rₙ - Rₙ₋₁) Pₙ, without interpolation.

    >>> float(average_precision([0.9, 0.6, 0.4], [True, False, True]))
    0.8333333333333333
    """
    return mean_precision(ranking(scores, labels, weights))


def mean_precision(found: Ranking) -> Floats:
    """Average precision, (…,)."""
    steps = np.diff(found.hits, axis=-1, prepend=0.0)
    return ratio((steps * np.nan_to_num(found.precision)).sum(axis=-1), found.positives)


def tpr_at_fpr(scores: npt.ArrayLike, labels: npt.ArrayLike, rate: float, weights: Weights = None) -> Floats:
    """Largest share of the same pairs that a threshold finds at a false-positive rate of at most ``rate``.

    It can only be told where there are at least 1 / ``rate`` negatives.
    """
    return recall_within(ranking(scores, labels, weights), rate)


def recall_within(found: Ranking, rate: float) -> Floats:
    """Largest recall at a false-positive rate of at most ``rate``, (…,)."""
    recall = np.where(found.fall_out <= rate + _ROUNDING, found.recall, 0.0).max(axis=-1)
    return np.where((found.positives > 0) & (found.negatives > 0), recall, np.nan)


def best_f1(scores: npt.ArrayLike, labels: npt.ArrayLike, weights: Weights = None) -> Best:
    """The threshold with the highest F1; of several the highest."""
    return balance(ranking(scores, labels, weights))


def balance(found: Ranking) -> Best:
    """The threshold with the highest F1, (…,)."""
    f1 = np.nan_to_num(ratio(2 * found.hits, found.hits + found.false + found.positives[..., None]))
    at = f1.argmax(axis=-1)[..., None]
    picked = (np.take_along_axis(values, at, axis=-1)[..., 0] for values in (f1, found.precision, found.recall))
    values, precision, recall = (np.where(found.positives > 0, each, np.nan) for each in picked)
    threshold = np.where(found.positives > 0, found.thresholds[at[..., 0]], np.nan)
    return Best(values, threshold, precision, recall)


def precision_recall_at(
    scores: npt.ArrayLike, labels: npt.ArrayLike, threshold: float, weights: Weights = None
) -> tuple[Floats, Floats]:
    """Precision and recall of calling every pair the same whose score is ``threshold`` or more.

    >>> [float(each) for each in precision_recall_at([0.9, 0.6, 0.4], [True, False, True], 0.5)]
    [0.5, 0.5]
    """
    values, truth = checked(scores, labels)
    weighed = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    over = (values >= threshold).astype(np.float64)
    hits = weighed @ (over * truth)
    return ratio(hits, weighed @ over), ratio(hits, weighed @ truth.astype(np.float64))


def brier(probabilities: npt.ArrayLike, labels: npt.ArrayLike, weights: Weights = None) -> Floats:
    """Mean squared difference between probability and truth (Brier 1950): 0 is perfect, 0.25 is a coin."""
    values, truth = checked(probabilities, labels)
    weighed = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    return ratio(weighed @ (values - truth) ** 2, weighed.sum(axis=-1))


def ece(probabilities: npt.ArrayLike, labels: npt.ArrayLike, weights: Weights = None, bins: int = BINS) -> Floats:
    """Expected calibration error: |mean probability - share that is the same|, over bins of equal width by weight.

    Guo et al., "On calibration of modern neural networks" (ICML 2017), equation 3.

    >>> round(float(ece([0.9, 0.9, 0.1], [True, False, False])), 3)
    0.3
    """
    values, truth = checked(probabilities, labels)
    weighed = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    member = bin_of(values, bins)[:, None] == np.arange(bins)
    gaps = weighed @ (member * (values - truth)[:, None])
    return ratio(np.abs(gaps).sum(axis=-1), weighed.sum(axis=-1))


def bin_of(probabilities: Floats, bins: int = BINS) -> npt.NDArray[np.int64]:
    """Number of the bin of equal width that each probability falls into; 1.0 into the last."""
    return np.clip((probabilities * bins).astype(np.int64), 0, bins - 1)
