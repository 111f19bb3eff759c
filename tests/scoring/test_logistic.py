"""Logistic regression within bounds, by what must hold of its best answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.scoring.logistic import fit_logistic, sigmoid


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(2, 60))
def test_no_slope_can_be_bettered(seed: int, pieces: int, rows: int) -> None:
    """Karush, Kuhn and Tucker: no gradient where a slope is free, none that would raise it from 0 elsewhere."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, pieces)) @ random.normal(size=(pieces, pieces))
    targets, weights = random.uniform(0.02, 0.98, rows), random.random(rows) + 0.1
    line = fit_logistic(features, targets, weights)
    slopes = np.array(line.slopes)
    off = weights * (sigmoid(line.intercept + features @ slopes) - targets) / weights.sum()
    slope = features.T @ off
    assert np.all(slopes >= 0)
    assert off.sum() == pytest.approx(0, abs=1e-7)
    assert np.all(np.abs(slope[slopes > 0]) < 1e-7)
    assert np.all(slope[slopes == 0] > -1e-7)


def test_the_answer_of_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    random = np.random.default_rng(0)
    features = random.random((300, 3))
    labels = random.random(300) < sigmoid(features @ [4.0, 2.0, 1.0] - 3)
    theirs = linear_model.LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(features, labels)
    assert theirs.coef_.min() > 0  # else the test says nothing
    ours = fit_logistic(features, labels.astype(float), np.ones(300))
    assert ours.slopes == pytest.approx(theirs.coef_[0], rel=1e-5)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], rel=1e-5)


def test_features_that_tell_nothing_weigh_nothing() -> None:
    features = np.array([[1.0, 5.0], [1.0, 5.0], [1.0, 5.0]])
    line = fit_logistic(features, np.array([0.1, 0.2, 0.9]), np.ones(3))
    assert line.slopes == (0.0, 0.0)
    assert sigmoid(np.array(line.intercept)) == pytest.approx(0.4)


def test_the_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist() == [0.0, 0.5, 1.0]
