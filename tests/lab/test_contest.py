"""Several ways to score over the same pairs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from labels import copies

import lookalike
from lookalike.errors import UnknownPreset, UsageError
from lookalike.lab.contest import Contestant, contestants_of, fresh_seconds, run
from lookalike.lab.labelled import LabelledPair, read_labelled
from lookalike.types import Comparison
from lookalike.verdicts import verdict_of


def test_scores_are_those_of_compare(tmp_path: Path) -> None:
    pairs = read_labelled(copies(tmp_path)).pairs
    fast, hashes = run(pairs, [Contestant("fast", "fast"), Contestant("hashes", method="phash")])
    assert fast.scores.tolist() == [lookalike.compare(pair.a, pair.b, preset="fast").score for pair in pairs]
    assert hashes.scores.tolist() == [lookalike.compare(pair.a, pair.b, method="phash").score for pair in pairs]
    assert fast.probabilities is None
    assert fast.seconds > 0
    assert np.isnan(fast.fresh_seconds)


def test_a_bad_picture_is_a_row(tmp_path: Path) -> None:
    pairs = [*read_labelled(copies(tmp_path, 2)).pairs, LabelledPair("gone.png", str(tmp_path / "0.png"), "same", True)]
    [scored] = run(pairs, [Contestant("fast", "fast")])
    assert np.isnan(scored.scores).tolist() == [False] * 4 + [True]
    assert [failure.failure.kind for failure in scored.failures] == ["SourceNotFound"]


class Halved:
    """A calibration that halves every score."""

    def apply(self, comparison: Comparison) -> Comparison:
        score = comparison.score / 2
        return replace(comparison, score=score, verdict=verdict_of(score))


def test_a_calibration_is_applied_to_comparisons_alone(tmp_path: Path) -> None:
    pairs = [*read_labelled(copies(tmp_path, 2)).pairs, LabelledPair("gone.png", "gone.jpg", "same", True)]
    plain, halved = run(pairs, [Contestant("fast", "fast"), Contestant("halved", "fast", calibration=Halved())])
    assert np.array_equal(halved.scores, plain.scores / 2, equal_nan=True)


def test_contestants_of_options() -> None:
    assert [each.name for each in contestants_of()] == ["auto"]
    made = contestants_of(["auto"], ["phash"], ["models/shoes.onnx"], {"embedding": {"size": 128}})
    assert [each.name for each in made] == ["auto", "phash", "embedding shoes.onnx"]
    assert made[2].options == {"embedding": {"size": 128, "model": "models/shoes.onnx"}}


def test_what_cannot_take_part_is_said_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'fast' takes part twice"):
        run([], [Contestant("fast", "fast"), Contestant("fast", "fast")])
    with pytest.raises(UnknownPreset):
        run([LabelledPair("gone", "gone", "same", True)], [Contestant("x", "fast"), Contestant("y", "nosuch")])


def test_progress_and_times(tmp_path: Path) -> None:
    pairs = read_labelled(copies(tmp_path, 2)).pairs
    told: list[tuple[str, int, int]] = []
    [scored] = run(pairs, [Contestant("fast", "fast")], timed=True, progress=lambda *what: told.append(what), threads=1)
    assert told == [("fast: comparing pairs", number, 4) for number in (1, 2, 3, 4)]
    assert 0 < scored.fresh_seconds < 60
    assert np.isnan(fresh_seconds([LabelledPair("gone", "gone", "same", True)], Contestant("fast", "fast")))
