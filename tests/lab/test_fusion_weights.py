"""The fusion of ``auto`` made steeper or flatter by labelled pairs, and left alone where that is no better."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike import PRESETS
from lookalike.errors import UsageError
from lookalike.lab.calibrating.crossval import Folds, deal
from lookalike.lab.calibrating.evidence import Evidence
from lookalike.lab.calibrating.fusion_weights import refit_fusion, steeper
from lookalike.lab.labelled import LabelledPair
from lookalike.scoring.fusion import shipped
from lookalike.scoring.kinship import LOG_ODDS
from lookalike.types import Comparison

PIECES = ("embedding", "palette", "object")


def evidence(likely: dict[str, float], count: int = 900, copies: int = 50) -> tuple[Evidence, list[Folds]]:
    """Pairs whose true log-odds are a sum over what each piece adds times these factors; the last are copies."""
    random = np.random.default_rng(0)
    added = {piece: random.uniform(0, 4, count) for piece in PIECES}
    odds = sum(factor * (added[piece] - 2) for piece, factor in likely.items())
    labels = random.random(count) < 1 / (1 + np.exp(-np.asarray(odds)))
    labels[count - copies :] = True
    pairs = tuple(LabelledPair(f"a{at}", f"b{at}", "", bool(label)) for at, label in enumerate(labels))
    details = [{LOG_ODDS + piece: float(added[piece][at]) for piece in PIECES} for at in range(count)]
    details[count - copies :] = [{} for _ in range(copies)]
    comparisons = tuple(
        Comparison(f"a{at}", f"b{at}", 0.5, "different", {}, details=details[at]) for at in range(count)
    )
    first, second = np.arange(count), np.arange(count, 2 * count)
    made = Evidence(pairs, comparisons, np.full(count, 0.5), first, second, labels < 0, "digest")
    return made, [deal(first, second, labels, seed=seed) for seed in range(2)]


def test_factors_that_made_the_labels_are_found() -> None:
    found = refit_fusion(PRESETS["auto"], *evidence({"embedding": 2.0, "palette": 0.0, "object": 1.0}))
    assert found.better
    assert found.weights["embedding"] == pytest.approx(2.0, abs=0.35)
    assert found.weights["palette"] == pytest.approx(0.0, abs=0.2)
    assert found.weights["object"] == pytest.approx(1.0, abs=0.25)
    fusion = found.preset.fusion
    assert fusion is not None
    for name in PIECES:
        ours = np.array(fusion.fullest["product"].lines[name])
        theirs = np.array(shipped().fullest["product"].lines[name])
        assert ours[:, 0] == pytest.approx(theirs[:, 0])
        assert ours[:, 1] == pytest.approx(found.weights[name] * theirs[:, 1])


def test_a_good_fusion_stays() -> None:
    found = refit_fusion(PRESETS["auto"], *evidence(dict.fromkeys(PIECES, 1.0)))
    assert not found.better
    assert found.preset is PRESETS["auto"]
    assert "no better than those of auto" in found.told


def test_what_speaks_against_weighs_nothing() -> None:
    found = refit_fusion(PRESETS["auto"], *evidence({"embedding": 2.0, "palette": -2.0, "object": 2.0}))
    assert found.weights["palette"] == 0
    assert found.preset.fusion is not None  # whose lines may not fall: it could not be made otherwise


def test_copies_alone_teach_nothing() -> None:
    with pytest.raises(UsageError, match="copies aside, 0 pairs are labelled same and 0 different"):
        refit_fusion(PRESETS["auto"], *evidence(dict.fromkeys(PIECES, 1.0), count=60, copies=60))


def test_all_sums_of_the_question_change_alike() -> None:
    fusion = shipped()
    base = fusion.fullest["product"].base
    flat = steeper(fusion, base + 1.5, dict.fromkeys(PIECES, 0.5))
    for ours, theirs in zip(flat.sums, fusion.sums, strict=True):
        assert ours["category"] == theirs["category"]
        assert ours["product"].base == pytest.approx(theirs["product"].base + 1.5)
        for piece, line in theirs["product"].lines.items():
            assert ours["product"].lines[piece] == tuple((x, 0.5 * y) for x, y in line)
