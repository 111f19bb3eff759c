"""Where bands begin, for every kind of labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from lookalike.lab.calibrating.banding import JUST_BELOW, band
from lookalike.lab.calibrating.evidence import Evidence
from lookalike.lab.calibrating.thresholds import Target
from lookalike.lab.labelled import VERDICTS, LabelledPair
from lookalike.types import Comparison
from lookalike.verdicts import Verdict

Rows = Sequence[tuple[float, str]]


def evidence(rows: Rows) -> Evidence:
    """Pairs of their own pictures: score and label."""
    pairs, comparisons = [], []
    for number, (score, label) in enumerate(rows):
        verdict: Verdict | None = next((each for each in VERDICTS if each == label), None)
        five = any(each in VERDICTS[:-1] for _, each in rows)
        same = label == "same" or (verdict is not None and VERDICTS.index(verdict) < 3)
        pairs.append(LabelledPair(f"a{number}", f"b{number}", label, same, None, verdict if five else None))
        comparisons.append(Comparison(f"a{number}", f"b{number}", score, "different", {}))
    count = np.arange(len(rows))
    scores = np.array([score for score, _ in rows])
    return Evidence(tuple(pairs), tuple(comparisons), scores, count, count + len(rows), count < 0, "digest")


def spread(low: float, high: float, label: str, count: int = 40) -> list[tuple[float, str]]:
    return [(float(score), label) for score in np.linspace(low, high, count)]


TWO = [*spread(0.6, 0.8, "same"), *spread(0.1, 0.65, "different")]


def test_the_same_product_begins_where_the_target_says() -> None:
    found = band(evidence(TWO), Target(), "weighted")
    scores = np.linspace(0.6, 0.8, 40)
    assert scores[1] < found.bands.product <= scores[2]  # 38 of 40
    assert found.bands.near is None
    assert found.bands.category == pytest.approx(found.bands.product * 0.65 / 0.80)
    assert "in proportion" in found.category


def test_by_chance_only_one_pair_in_a_hundred_is_of_one_category() -> None:
    chance = np.linspace(0, 0.5, 200)
    found = band(evidence(TWO), Target(), "weighted", chance)
    assert (chance >= found.bands.category).sum() == 2
    assert "200 pairs taken at random" in found.category


def test_chance_that_says_nothing_is_not_asked() -> None:
    few, too_alike = np.linspace(0, 0.5, 99), np.linspace(0, 0.9, 200)
    for chance in (few, too_alike, np.zeros(200), np.ones(200)):
        found = band(evidence(TWO), Target(), "weighted", chance)
        assert 0 < found.bands.category < found.bands.product
    assert "in proportion" in band(evidence(TWO), Target(), "weighted", too_alike).category


def test_auto_keeps_its_own_category_and_copies() -> None:
    rows = [*spread(0.7, 0.95, "same"), *spread(0.1, 0.75, "different")]
    found = band(evidence(rows), Target(), "auto", np.linspace(0, 0.3, 200))
    assert (found.bands.category, found.bands.near) == (0.65, 0.90)
    low = band(evidence(TWO), Target(), "auto")
    assert low.bands.category < low.bands.product < 0.65


def test_no_threshold_of_auto_lies_among_copies() -> None:
    rows = [*spread(0.92, 0.97, "same"), *spread(0.1, 0.95, "different")]
    found = band(evidence(rows), Target("fpr", 0.05), "auto")
    assert (found.bands.product, found.bands.near) == (JUST_BELOW, 0.90)
    assert "among what auto tells to be copies" in found.notes[0]
    assert band(evidence(rows), Target("fpr", 0.05), "weighted").bands.product > 0.90


FIVE = [
    *spread(0.9, 0.99, "near-duplicate"),
    *spread(0.6, 0.8, "same product"),
    *spread(0.3, 0.5, "same category"),
    *spread(0.0, 0.2, "different"),
]


def test_five_verdicts_give_three_thresholds() -> None:
    found = band(evidence(FIVE), Target(), "weighted", np.linspace(0, 0.5, 200))
    assert found.bands.near is not None
    assert 0.30 < found.bands.category < 0.50 < 0.60 < found.bands.product < 0.80 < 0.90 < found.bands.near < 0.99
    assert "of one category" in found.category
    auto = band(evidence(FIVE), Target(), "auto")
    assert auto.bands.near == 0.90
    assert 0.30 < auto.bands.category < 0.50


def test_too_few_of_a_verdict_fit_nothing() -> None:
    rows = [*FIVE[:19], *FIVE[40:99], *FIVE[120:]]  # 19 near-duplicates, 19 of one category
    found = band(evidence(rows), Target(), "weighted")
    assert found.bands.near is None
    assert "20 near-duplicates are needed, 19 are labelled" in found.near
    assert "in proportion" in found.category


def test_near_duplicates_that_score_no_higher_are_not_told_apart() -> None:
    rows = [*spread(0.3, 0.6, "near-duplicate"), *FIVE[40:]]
    found = band(evidence(rows), Target("tpr", 0.5), "weighted")
    assert found.bands.near is None
    assert any("no higher" in note for note in found.notes)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_scores_at_the_ends(score: float) -> None:
    rows = [*[(score, "same")] * 30, *spread(0.0, 0.9, "different")]
    found = band(evidence(rows), Target(), "weighted")
    if score:
        assert 0.9 < found.bands.product < 1
    else:
        assert found.bands.product == found.bands.category == 0
        assert "every pair is called the same product" in found.notes[0]
