"""What speaks for kin is asked for once, in an order of cost, and told beside the score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import garment, photo

import lookalike
from lookalike import load
from lookalike.features.base import method
from lookalike.scoring.fusion import Fusion, Sum, shipped
from lookalike.scoring.kinship import evidence, kinship
from lookalike.scoring.pair import Pair
from lookalike.scoring.presets import PRESETS, Preset
from lookalike.scoring.rules import decide

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
KIN = PRESETS["auto"].thresholds["kin"]


def cartons(**arguments: Any) -> Pair:
    return Pair(load(EXAMPLES / "carton.jpg"), load(EXAMPLES / "carton-shelf.jpg"), **arguments)


def strangers(**arguments: Any) -> Pair:
    return Pair(load(EXAMPLES / "carton.jpg"), load(EXAMPLES / "shirt.jpg"), **arguments)


def forbid(monkeypatch: pytest.MonkeyPatch, *classes: str) -> None:
    def asked(self: object, pictures: Sequence[object]) -> list[Any]:
        pytest.fail(f"{type(self).__name__} was asked")

    for name in classes:
        monkeypatch.setattr(f"lookalike.features.{name}.extract", asked)


def test_the_pieces_are_those_of_the_methods() -> None:
    pair = cartons()
    found = evidence(pair, KIN)
    for name, raw in (("embedding", found["embedding"]), ("palette", found["palette"])):
        assert raw == method(name).raw(*pair.features(name))
    points = method("object").raw(*pair.features("object"))
    assert points > 20
    assert found["object"] == math.log1p(points)
    assert pair.details["agreeing_points"] == points
    assert set(pair.similarities) == {"embedding", "palette", "object"}


def test_no_object_is_looked_for_where_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(monkeypatch, "objects.Objects")
    pair = cartons()
    assert set(evidence(pair, KIN, closely=False)) == {"embedding", "palette"}
    assert "agreeing_points" not in pair.details
    answer = kinship(cartons(), shipped(), KIN, closely=False)
    assert set(answer.added) == {"embedding", "palette"}


def test_no_object_is_looked_for_in_strangers_and_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is known, unlike what was not asked: the sums with the object are used."""
    forbid(monkeypatch, "objects.Objects")
    pair = strangers()
    assert evidence(pair, KIN)["object"] == 0.0
    assert pair.details["agreeing_points"] == 0.0
    assert "object" not in pair.similarities
    assert set(kinship(strangers(), shipped(), KIN, closely=True).added) == {"embedding", "palette", "object"}


def test_from_which_cosine_on_an_object_is_looked_for_is_a_threshold() -> None:
    cosine = evidence(strangers(), KIN)["embedding"]
    pair = strangers()
    evidence(pair, cosine + 1e-6)
    assert "object" not in pair.similarities
    evidence(pair, cosine)
    assert "object" in pair.similarities


def test_pictures_that_show_nothing_are_no_kin() -> None:
    """The embedding finds black and white walls much alike; there is nothing on them but their colour."""
    levels = (0, 90, 255)
    black, grey, white = (np.full((60, 80), level, np.uint8) for level in levels)
    for a, b in ((black, white), (black, grey), (grey, white)):
        pair = Pair(load(a), load(b))
        found = evidence(pair, KIN)
        assert pair.details["cosine"] > 0.4 > found["embedding"]
        assert found["object"] == 0.0
        assert lookalike.compare(a, b).score < 0.65
    faint = [np.asarray(photo(seed, 80, 60) // 8 + 100, np.uint8) for seed in (3, 5)]  # shades are something to see
    pair = Pair(*map(load, faint))
    assert evidence(pair, KIN)["embedding"] == pair.details["cosine"]


def test_what_every_piece_added_stands_in_the_details() -> None:
    pair = cartons()
    answer = kinship(pair, shipped(), KIN, closely=True)
    told = {name.removeprefix("log_odds_"): x for name, x in pair.details.items() if name.startswith("log_odds_")}
    assert told == {**answer.added, "base": answer.base}
    assert answer.probability == pytest.approx(1 / (1 + math.exp(-sum(told.values()))))
    (used,) = [each["product"] for each in shipped().sums if set(each["product"].lines) == set(answer.added)]
    assert told["base"] == used.base


def test_a_copy_needs_no_kin(monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(monkeypatch, "objects.Objects", "palette.Palette", "embedding.Embedding")
    found = lookalike.compare(photo(3, 360, 270), np.ascontiguousarray(photo(3, 360, 270)[:, ::-1]))
    assert found.verdict == "near-duplicate"
    assert not any(name.startswith("log_odds") for name in found.details)


@pytest.mark.parametrize("swapped", [False, True])
def test_looking_closely_makes_no_copy(swapped: bool) -> None:
    """What a search for copies leaves out changes no score from 0.90 on, nor which pairs have one."""
    pictures = [load(EXAMPLES / name) for name in ("shirt.jpg", "shirt-cropped.jpg", "shirt-other.jpg", "carton.jpg")]
    pictures += [load(EXAMPLES / "carton-shelf.jpg"), load(garment("dress", (200, 40, 40)))]
    for number, a in enumerate(pictures):
        for b in pictures[:number]:
            pair = (b, a) if swapped else (a, b)
            closely, not_closely = (decide(Pair(*pair, closely=how), PRESETS["auto"]) for how in (True, False))
            assert (closely.score >= 0.9) == (not_closely.score >= 0.9)
            if closely.score >= 0.9:
                assert closely.score == not_closely.score


def test_a_fusion_of_ones_own_decides() -> None:
    """By colour alone: the category by nothing."""
    line = ((0.0, -6.0), (1.0, 6.0))
    sums = {"product": Sum(0.0, {"palette": line}), "category": Sum(-9.0, {})}
    own = Fusion((sums,), dict.fromkeys(sums, ((-6.0, 0.1), (6.0, 0.7))), {})
    preset = Preset("colours", "", "auto", fusion=own)
    found = lookalike.compare(EXAMPLES / "carton.jpg", EXAMPLES / "shirt.jpg", preset=preset)
    log_odds = 12 * found.parts["palette"] - 6
    assert found.probability == pytest.approx(1 / (1 + math.exp(-log_odds)))
    assert found.score == pytest.approx(0.1 + 0.6 * found.parts["palette"])
    assert found.details["log_odds_palette"] == pytest.approx(log_odds)
