"""Thresholds against counting by hand, and how many pairs it takes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import UsageError
from lookalike.lab.calibrating.thresholds import Target, pick, rates, threshold_for
from lookalike.lab.ranking import ranking

tables = st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=4, max_size=40).filter(
    lambda rows: len({label for _, label in rows}) == 2
)
targets = st.builds(Target, st.sampled_from(["tpr", "fpr", "precision"]), st.sampled_from([0.05, 0.2, 0.5, 0.9, 0.95]))


def counted(scores: np.ndarray, labels: np.ndarray, threshold: float) -> tuple[float, float, float]:
    over = scores >= threshold
    hits, false = int((over & labels).sum()), int((over & ~labels).sum())
    return hits / labels.sum(), false / (~labels).sum(), hits / (hits + false) if hits + false else float("nan")


@given(tables, targets)
def test_no_other_threshold_does_it_better(rows: list[tuple[int, bool]], target: Target) -> None:
    scores, labels = np.array([score / 20 for score, _ in rows]), np.array([label for _, label in rows])
    reached = []
    for threshold in np.unique(scores):
        tpr, fpr, precision = counted(scores, labels, threshold)
        does = {
            "tpr": tpr >= target.value,
            "fpr": fpr <= target.value and tpr > 0,
            "precision": precision >= target.value,
        }
        if does[target.kind]:
            reached.append((tpr, fpr))
    if not reached:
        with pytest.raises(UsageError, match="no threshold gives"):
            threshold_for(scores, labels, target)
        return
    tpr, fpr, precision = counted(scores, labels, threshold_for(scores, labels, target))
    if target.kind == "tpr":
        assert tpr >= target.value
        assert fpr == min(other for found, other in reached)
    else:
        assert tpr == max(found for found, _ in reached)
        assert fpr <= target.value if target.kind == "fpr" else precision >= target.value


def test_it_lies_halfway_to_the_next_score_below() -> None:
    scores, labels = np.array([0.9, 0.8, 0.4, 0.2]), np.array([True, True, False, False])
    assert threshold_for(scores, labels, Target("tpr", 0.95)) == pytest.approx(0.6)
    assert threshold_for(scores, labels, Target("tpr", 0.5)) == pytest.approx(0.85)
    assert threshold_for(scores, labels, Target("fpr", 0.5)) == pytest.approx(0.3)
    assert threshold_for(np.array([0.5, 0.5]), np.array([True, False]), Target()) == 0.5  # nothing is below


def test_weights_count_rows() -> None:
    random = np.random.default_rng(0)
    scores, labels = random.random(40).round(1), random.random(40) < 0.5
    weights = random.integers(0, 3, (5, 40))
    for target in (Target(), Target("fpr", 0.3), Target("precision", 0.6)):
        found = pick(ranking(scores, labels, weights), target)
        for row, threshold in zip(weights, found, strict=True):
            again = float(pick(ranking(np.repeat(scores, row), np.repeat(labels, row)), target))
            over = [(np.repeat(scores, row) >= each).sum() for each in (threshold, again)]
            assert over[0] == over[1] or np.isnan([threshold, again]).all()


def test_rates_are_counted() -> None:
    called, labels = np.array([1, 1, 1, 0, 0], bool), np.array([1, 1, 0, 1, 0], bool)
    found = {name: float(value) for name, value in rates(called, labels, np.ones(5)).items()}
    assert found == pytest.approx({"tpr": 2 / 3, "fpr": 1 / 2, "precision": 2 / 3, "f1": 2 / 3})
    nothing = rates(np.zeros(5, bool), labels, np.ones((2, 5)))
    assert nothing["tpr"].tolist() == [0, 0]
    assert np.isnan(nothing["precision"]).all()


@pytest.mark.parametrize(
    ("target", "same", "different"),
    [
        (Target("tpr", 0.95), 20, 20),
        (Target("tpr", 0.5), 20, 20),
        (Target("tpr", 0.99), 100, 20),
        (Target("fpr", 0.01), 20, 100),
        (Target("fpr", 0.001), 20, 1000),
        (Target("precision", 0.9), 20, 20),
        (Target("precision", 0.98), 50, 20),
    ],
)
def test_how_many_pairs_it_takes(target: Target, same: int, different: int) -> None:
    assert target.needed == (same, different)
    target.require(same, different)
    with pytest.raises(UsageError, match="1 more of same"):
        target.require(same - 1, different)
    with pytest.raises(UsageError, match="1 more of different"):
        target.require(same, different - 1)


def test_the_refusal_says_how_many_are_missing() -> None:
    with pytest.raises(UsageError) as found:
        Target("fpr", 0.01).require(3, 40)
    assert str(found.value) == (
        "3 pairs are labelled same and 40 different, too few for a false-positive rate 0.01; "
        "at least 20 of same and 100 of different are needed: 17 more of same and 60 more of different"
    )


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, float("nan")])
def test_a_share_that_is_none(value: float) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        Target("tpr", value)
