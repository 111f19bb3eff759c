"""Which curve is taken, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import UsageError
from lookalike.lab.calibrating.crossval import Folds, deal
from lookalike.lab.calibrating.quality import choose, judge, measured, surely_better


def separate(count: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(0, 2 * count, 2), np.arange(1, 2 * count, 2)


def drawn(likely: np.ndarray, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(len(likely)) < likely


def dealt(labels: np.ndarray) -> list[Folds]:
    first, second = separate(len(labels))
    return [deal(first, second, labels, seed=seed) for seed in range(2)]


def test_probabilities_that_hold_have_the_error_of_chance() -> None:
    scores = np.random.default_rng(1).random(3000)
    labels = drawn(scores)
    quality = judge("beta", scores, labels, dealt(labels))
    assert quality.ece < 0.03
    assert quality.ece == pytest.approx(quality.ece_by_chance, abs=0.015)
    assert quality.brier == pytest.approx(1 / 6, abs=0.01)  # the mean of p (1 - p)
    assert quality.log_loss == pytest.approx(0.5, abs=0.02)  # and of the entropy


def test_the_simplest_curve_that_does_is_taken() -> None:
    scores = np.random.default_rng(2).random(800)
    labels = drawn(1 / (1 + np.exp(-(6 * scores - 3))))
    assert choose("auto", scores, labels, dealt(labels))[0] == "platt"


def test_a_curve_bent_the_other_way_is_beta() -> None:
    scores = np.random.default_rng(3).random(3000) ** 3
    odds = 1.5 * np.log(scores) + 4  # steep where scores are low
    labels = drawn(1 / (1 + np.exp(-odds)))
    kind, found = choose("auto", scores, labels, dealt(labels))
    assert kind == "beta"
    assert list(found) == ["platt", "beta", "isotonic"]


def test_steps_are_isotonic_and_few_pairs_are_not() -> None:
    scores = np.random.default_rng(4).random(2000)
    likely = np.select([scores < 0.2, scores < 0.75], [0.02, 0.5], 0.97)
    labels = drawn(likely)
    assert choose("auto", scores, labels, dealt(labels))[0] == "isotonic"
    few = slice(0, 250)
    assert "isotonic" not in choose("auto", scores[few], labels[few], dealt(labels[few]))[1]
    assert choose("isotonic", scores[few], labels[few], dealt(labels[few]))[0] == "isotonic"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="auto, platt, beta, isotonic"):
        choose("spline", np.zeros(2), np.array([True, False]), [])


def test_pairs_that_cannot_be_judged_are_refused() -> None:
    with pytest.raises(UsageError, match="too few pictures"):
        measured(np.full((1, 10), np.nan), np.arange(10) % 2 == 0)


def test_surely_better_wants_more_than_luck() -> None:
    labels = drawn(np.full(400, 0.5))
    good = measured(np.where(labels, 0.8, 0.2)[None], labels)
    coin = measured(np.full((1, 400), 0.5), labels)
    right = np.arange(400) < 210  # a little more often right than wrong
    wobbling = measured(np.where(labels == right, 0.51, 0.49)[None], labels)
    assert surely_better(good, coin, labels)
    assert not surely_better(coin, good, labels)
    assert not surely_better(wobbling, coin, labels)
    assert not surely_better(coin, coin, labels)
