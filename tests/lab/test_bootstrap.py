"""Intervals: over pictures, the same for one seed, of about the width they must have, and quick."""

from __future__ import annotations

import time

import numpy as np
import pytest

from lookalike.lab.bootstrap import intervals, picture_numbers, picture_weights
from lookalike.lab.measures import MEASURES, Sample
from lookalike.lab.ranking import Floats


def test_pairs_weigh_what_their_pictures_count() -> None:
    first, second, count = picture_numbers([("x", "y"), ("y", "z"), ("z", "z")])
    random = np.random.default_rng(7)
    [weights] = picture_weights(first, second, count, rounds=50, seed=7)
    counts = random.multinomial(3, np.full(3, 1 / 3), size=50)
    x, y, z = counts.T
    assert np.array_equal(weights, np.stack([x * y, y * z, z], axis=1))


def mean_of(values: Floats) -> object:
    return lambda weights: {"mean": (weights @ values) / weights.sum(axis=1)}


def test_pictures_that_stand_in_many_pairs_widen_the_interval() -> None:
    # 300 pairs, each picture of 20 in 30 of them; every picture shifts all its pairs
    random = np.random.default_rng(0)
    shift = random.normal(size=20)
    pairs = [(f"{a}", f"{b}") for a, b in (random.choice(20, 2, replace=False) for _ in range(300))]
    values = np.array([shift[int(a)] + shift[int(b)] for a, b in pairs])
    first, second, count = picture_numbers(pairs)
    low, high = intervals(mean_of(values), picture_weights(first, second, count))["mean"]  # type: ignore[arg-type]
    of_pairs = 2 * 1.96 * values.std() / np.sqrt(300)
    of_pictures = 2 * 1.96 * 2 * shift.std() / np.sqrt(20)
    assert high - low > 2 * of_pairs
    assert high - low == pytest.approx(of_pictures, rel=0.3)


def test_one_seed_gives_one_answer_and_half_of_no_rounds_none() -> None:
    first, second, count = picture_numbers([(f"{n}a", f"{n}b") for n in range(40)])
    values = np.arange(40.0)
    once, twice = (intervals(mean_of(values), picture_weights(first, second, count)) for _ in range(2))  # type: ignore[arg-type]
    assert once == twice
    broken = intervals(lambda weights: {"x": np.full(len(weights), np.nan)}, picture_weights(first, second, count))
    assert np.isnan(broken["x"]).all()


def test_all_measures_of_a_thousand_pairs_take_about_a_second() -> None:
    random = np.random.default_rng(0)
    ranks = random.choice([2, 4], 1000)
    scores = np.clip(random.normal(0.8 - 0.1 * (ranks - 2), 0.15), 0, 1)
    sample = Sample(scores, ranks, probabilities=scores)
    pairs = [(str(a), str(b)) for a, b in random.integers(0, 600, (1000, 2))]

    def measured(weights: Floats) -> dict[str, Floats]:
        weighed = sample.weighed(weights)
        return {name: measure.value(weighed) for name, measure in MEASURES.items() if not measure.lacks(sample)}

    started = time.process_time()
    found = intervals(measured, picture_weights(*picture_numbers(pairs)))
    assert time.process_time() - started < 5  # 0.4 s on a quiet machine
    for name, (low, high) in found.items():
        assert low <= float(MEASURES[name].value(sample)) <= high, name
