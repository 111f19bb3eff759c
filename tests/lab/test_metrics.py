"""Every measure against scikit-learn, with ties, weights and one-sided labels."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from lookalike.errors import UsageError
from lookalike.lab import metrics

pairs = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.55, 0.8, 0.9, 1.0]), st.booleans(), st.integers(1, 5)),
    min_size=2,
    max_size=40,
)
"""Score, label, weight: few scores, so that there are ties."""


def split(rows: list[tuple[float, bool, int]]) -> tuple[Any, Any, Any]:
    scores, labels, weights = zip(*rows, strict=True)
    return np.array(scores), np.array(labels), np.array(weights, float)


def both(rows: list[tuple[float, bool, int]]) -> bool:
    return len({label for _, label, _ in rows}) == 2


@settings(max_examples=150)
@given(pairs.filter(both))
def test_areas_are_those_of_scikit_learn(rows: list[tuple[float, bool, int]]) -> None:
    scores, labels, weights = split(rows)
    for weight in (None, weights):
        area = oracle.roc_auc_score(labels, scores, sample_weight=weight)
        assert metrics.roc_auc(scores, labels, weight) == pytest.approx(area)
        precision = oracle.average_precision_score(labels, scores, sample_weight=weight)
        assert metrics.average_precision(scores, labels, weight) == pytest.approx(precision)
        assert metrics.brier(scores, labels, weight) == pytest.approx(
            oracle.brier_score_loss(labels, scores, sample_weight=weight)
        )


@settings(max_examples=100)
@given(pairs.filter(both))
def test_curves_are_those_of_scikit_learn(rows: list[tuple[float, bool, int]]) -> None:
    scores, labels, weights = split(rows)
    x, y, thresholds = oracle.roc_curve(labels, scores, sample_weight=weights, drop_intermediate=False)
    curve = metrics.roc_curve(scores, labels, weights)
    for ours, theirs in zip(curve, (x, y, thresholds), strict=True):
        assert np.allclose(ours, theirs)
    precision, recall, thresholds = oracle.precision_recall_curve(labels, scores, sample_weight=weights)
    found = metrics.pr_curve(scores, labels, weights)
    assert np.allclose(found.y, precision[::-1])
    assert np.allclose(found.x, recall[::-1])
    assert np.allclose(found.thresholds[1:], thresholds[::-1])


@settings(max_examples=100)
@given(pairs.filter(both), st.sampled_from([0.0, 0.01, 0.2, 0.5, 1.0]))
def test_what_is_read_off_the_curves(rows: list[tuple[float, bool, int]], rate: float) -> None:
    scores, labels, weights = split(rows)
    x, y, _ = oracle.roc_curve(labels, scores, sample_weight=weights, drop_intermediate=False)
    assert metrics.tpr_at_fpr(scores, labels, rate, weights) == pytest.approx(y[x <= rate].max())
    best = metrics.best_f1(scores, labels, weights)
    every = [oracle.f1_score(labels, scores >= threshold, sample_weight=weights) for threshold in set(scores.tolist())]
    assert best.f1 == pytest.approx(max(every))
    chosen = scores >= best.threshold
    assert best.f1 == pytest.approx(oracle.f1_score(labels, chosen, sample_weight=weights))
    assert best.precision == pytest.approx(oracle.precision_score(labels, chosen, sample_weight=weights))
    assert best.recall == pytest.approx(oracle.recall_score(labels, chosen, sample_weight=weights))
    for threshold in (0.3, 0.5, 0.9):
        precision, recall = metrics.precision_recall_at(scores, labels, threshold, weights)
        over = scores >= threshold
        assert recall == pytest.approx(oracle.recall_score(labels, over, sample_weight=weights))
        if over.any():
            assert precision == pytest.approx(oracle.precision_score(labels, over, sample_weight=weights))
        else:
            assert np.isnan(precision)


MEASURES = [
    metrics.roc_auc,
    metrics.average_precision,
    metrics.brier,
    metrics.ece,
    lambda *given: metrics.tpr_at_fpr(given[0], given[1], 0.3, given[2]),
    lambda *given: np.stack(metrics.best_f1(*given)),
    lambda *given: np.stack(metrics.precision_recall_at(given[0], given[1], 0.5, given[2])),
]


@pytest.mark.parametrize("measure", MEASURES)
def test_a_weight_counts_like_so_many_pairs_and_rounds_are_independent(measure: Any) -> None:
    random = np.random.default_rng(0)
    scores, labels = random.integers(0, 12, 60) / 11, random.random(60) < 0.4
    weights = random.integers(0, 4, (7, 60))
    together = measure(scores, labels, weights)
    for number, row in enumerate(weights):
        alone = measure(np.repeat(scores, row), np.repeat(labels, row), None)
        assert np.allclose(together[..., number], alone, equal_nan=True)


@pytest.mark.parametrize("same", [True, False])
def test_one_sided_labels_give_nan_where_nothing_can_be_said(same: bool) -> None:
    scores, labels = [0.2, 0.7, 0.7], [same] * 3
    assert np.isnan(metrics.roc_auc(scores, labels))
    assert np.isnan(metrics.tpr_at_fpr(scores, labels, 0.1))
    assert np.isnan(metrics.average_precision(scores, labels)) == (not same)
    assert np.isnan(metrics.best_f1(scores, labels).f1) == (not same)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metrics.roc_curve(scores, labels)
        metrics.pr_curve(scores, labels)


def test_calibration_error_by_hand() -> None:
    # bins [0.1, 0.2): one of two the same, mean 0.15; [0.8, 0.9): all three the same, mean 0.85; 1.0 in the last bin
    probabilities, labels = [0.1, 0.19, 0.85, 0.85, 0.85, 1.0], [1, 0, 1, 1, 1, 0]
    expected = (abs(0.29 - 1) + abs(2.55 - 3) + abs(1.0 - 0)) / 6
    assert metrics.ece(probabilities, labels) == pytest.approx(expected)


@pytest.mark.parametrize(("scores", "labels"), [([], []), ([0.1], [True, False]), ([np.nan, 0.1], [True, False])])
def test_what_cannot_be_measured_is_refused(scores: list[float], labels: list[bool]) -> None:
    with pytest.raises(UsageError):
        metrics.roc_auc(scores, labels)
