"""Weights fitted to labelled pairs, and left alone where they are no better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lookalike import PRESETS, Preset
from lookalike.errors import UsageError
from lookalike.lab.calibrating.crossval import Folds, deal
from lookalike.lab.calibrating.evidence import Evidence
from lookalike.lab.calibrating.weights import open_preset, refit
from lookalike.lab.labelled import LabelledPair
from lookalike.types import Comparison

OWN = Preset("own", "both", "weighted", {"phash": 1.0, "cosine": 3.0})


def evidence(likely: dict[str, float], count: int = 600) -> tuple[Evidence, list[Folds]]:
    """Pairs whose log-odds are a sum over two random terms with these slopes."""
    random = np.random.default_rng(0)
    terms = {name: random.random(count) for name in likely}
    odds = sum(slope * (terms[name] - 0.5) for name, slope in likely.items())
    labels = random.random(count) < 1 / (1 + np.exp(-np.asarray(odds)))
    pairs = tuple(LabelledPair(f"a{at}", f"b{at}", "", bool(label)) for at, label in enumerate(labels))
    comparisons = tuple(
        Comparison(
            f"a{at}", f"b{at}", 0.5, "different", {"phash": float(terms["phash"][at]), "embedding": 0.0},
            details={"cosine": float(terms["cosine"][at])},
        )
        for at in range(count)
    )  # fmt: skip
    first, second = np.arange(count), np.arange(count, 2 * count)
    made = Evidence(pairs, comparisons, np.full(count, 0.5), first, second, labels < 0, "digest")
    return made, [deal(first, second, labels, seed=seed) for seed in range(2)]


def test_weights_that_made_the_labels_are_found() -> None:
    found = refit(OWN, *evidence({"phash": 9.0, "cosine": 3.0}))
    assert found.better
    assert found.weights["phash"] == pytest.approx(0.75, abs=0.06)
    assert sum(found.weights.values()) == pytest.approx(1)
    assert found.preset.weights == found.weights
    assert found.preset.name == "own (fitted)"
    assert "weights fitted: phash 0.7" in found.told


def test_good_weights_stay() -> None:
    found = refit(OWN, *evidence({"phash": 2.0, "cosine": 6.0}))
    assert not found.better
    assert found.preset is OWN
    assert "no better than those of own" in found.told


def test_a_term_that_speaks_against_weighs_nothing() -> None:
    found = refit(OWN, *evidence({"phash": 8.0, "cosine": -8.0}))
    assert found.better
    assert found.weights == {"phash": 1.0, "cosine": 0.0}


def test_terms_that_all_speak_against_change_nothing() -> None:
    found = refit(OWN, *evidence({"phash": -6.0, "cosine": -6.0}))
    assert not found.better
    assert found.preset is OWN


def test_what_has_no_weights_to_fit_is_refused() -> None:
    for name in ("layered", "semantic"):
        with pytest.raises(UsageError, match="weights are fitted for 'auto' and 'weighted'"):
            open_preset(PRESETS[name])
    with pytest.raises(UsageError, match="one term"):
        open_preset(replace(OWN, weights={"phash": 1.0}))
    assert open_preset(replace(OWN, weights={"phash": 1.0, "ssim": 0.0})).weights == {"phash": 1.0, "ssim": 1.0}
