"""The table of measures: what it asks of which labels, and what it says where it cannot tell."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.lab.labelled import VERDICTS, Labelled, LabelledPair
from lookalike.lab.measures import MEASURES, NOT_HERE, Sample, ranks, sample_verdicts
from lookalike.verdicts import verdict_of

FIVE = Sample(
    np.array([1.0, 0.95, 0.85, 0.70, 0.30, 0.92, 0.10]), np.array([0, 1, 2, 3, 4, 3, 2]), five=True
)  # the last but one is told too close, the last too far


def value(name: str, sample: Sample) -> float:
    return float(MEASURES[name].value(sample))


def test_bands_are_measured_against_their_own_verdicts() -> None:
    assert value("precision_at_90", FIVE) == pytest.approx(2 / 3)  # of 1.0, 0.95 and 0.92 two are near-duplicates
    assert value("recall_at_90", FIVE) == 1.0
    assert value("precision_at_80", FIVE) == pytest.approx(3 / 4)
    assert value("recall_at_80", FIVE) == pytest.approx(3 / 4)
    assert value("precision_at_65", FIVE) == 1.0
    assert value("recall_at_65", FIVE) == pytest.approx(5 / 6)
    assert value("in_band", FIVE) == pytest.approx(5 / 7)


def test_same_and_different_are_one_question_at_every_band() -> None:
    two = Sample(FIVE.scores, np.where(FIVE.ranks <= 2, 2, 4))
    assert value("precision_at_90", two) == pytest.approx(2 / 3)
    assert value("recall_at_90", two) == pytest.approx(2 / 4)
    assert [name for name, measure in MEASURES.items() if measure.lacks(two) == NOT_HERE] == [
        "auc_near_duplicate", "auc_same_category", "in_band"
    ]  # fmt: skip


def test_what_too_few_pairs_cannot_tell_is_said() -> None:
    assert MEASURES["tpr_at_fpr_1"].lacks(FIVE) == "needs 100 different pairs, there are 3"
    enough = Sample(np.linspace(0, 1, 1100), np.where(np.arange(1100) >= 1000, 2, 4))
    assert MEASURES["tpr_at_fpr_1"].lacks(enough) == ""
    assert MEASURES["tpr_at_fpr_01"].lacks(enough) == ""
    assert "no probability" in MEASURES["ece"].lacks(FIVE)


def test_bands_that_nothing_reaches_are_said() -> None:
    low = Sample(np.array([0.7, 0.1]), np.array([2, 4]), five=True)
    assert MEASURES["precision_at_80"].lacks(low) == "no pair scores 0.80 or more"
    assert MEASURES["recall_at_80"].lacks(low) == ""
    assert MEASURES["recall_at_90"].lacks(low) == "no pair is labelled near-duplicate or closer"
    assert "labelled so" in MEASURES["auc_near_duplicate"].lacks(low)


def test_labels_of_verdicts_near_and_far() -> None:
    near = FIVE.labels("near-duplicate")
    assert near.tolist() == [True, True, False, False, False, False, False]
    assert FIVE.labels("same category").tolist() == [True, True, True, True, False, True, True]


def test_ranks_of_a_table() -> None:
    pairs = tuple(LabelledPair("a", "b", verdict, False, None, verdict) for verdict in VERDICTS)
    assert ranks(Labelled(pairs, five=True)).tolist() == [0, 1, 2, 3, 4]
    plain = (LabelledPair("a", "b", "yes", True), LabelledPair("a", "c", "no", False))
    assert ranks(Labelled(plain)).tolist() == [2, 4]


def test_verdicts_of_scores_are_those_of_comparisons() -> None:
    scores = np.array([0.0, 0.649, 0.65, 0.8, 0.8999, 0.9, 0.999, 1.0])
    assert [VERDICTS[number] for number in sample_verdicts(scores)] == [verdict_of(score) for score in scores]
