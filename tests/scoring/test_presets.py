"""Presets: the table, overrides, and one's own in TOML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_network import channel_means
from synthetic import photo

import lookalike
from lookalike.errors import SourceNotFound, UnknownPreset, UsageError
from lookalike.scoring.fusion import shipped
from lookalike.scoring.presets import PRESETS, Preset, possible_parts, preset, read_presets
from lookalike.scoring.terms import SPECIAL


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_keeps_the_contract(name: str) -> None:
    a, b = photo(1, 320, 240), photo(2, 300, 300)
    forward, backward = lookalike.compare(a, b, preset=name), lookalike.compare(b, a, preset=name)
    assert 0 <= forward.score <= 1
    assert forward.score == pytest.approx(backward.score, abs=1e-6)
    assert lookalike.compare(a, a.copy(), preset=name).score == pytest.approx(1.0, abs=1e-6)
    assert all(0 <= part <= 1 for part in forward.parts.values())
    assert set(forward.parts) <= set(possible_parts(preset(name)))
    assert forward.preset == name


def test_an_unknown_preset_gets_a_hint() -> None:
    with pytest.raises(UnknownPreset, match=r"'fats'.*'fast'"):
        preset("fats")


@pytest.mark.parametrize("name", [None, 3, ["fast"]])
def test_what_is_no_name_is_refused(name: Any) -> None:
    with pytest.raises(UsageError, match="by its name"):
        preset(name)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("fast", {"weights": {"phsh": 1.0}}, "phash"),
        ("fast", {"weights": {"phash": -1.0}}, "0 or more"),
        ("fast", {"weights": {"phash": 0.0, "ssim": 0.0}}, "are 0"),
        ("fast", {"weights": {"ssim": "x"}}, "'ssim' is 'x'"),
        ("fast", {"weights": {"ssim": None}}, "'ssim' is None"),
        ("fast", {"weights": {"ssim": True}}, "'ssim' is True"),
        ("fast", {"weights": {"ssim": float("nan")}}, "finite"),
        ("fast", {"weights": {"ssim": float("inf")}}, "finite"),
        ("fast", {"weights": {"ssim": 10**400}}, "finite"),
        ("fast", {"weights": {"phash": 1e308, "ssim": 1e308}}, "not finite"),
        ("fast", {"weights": {3: 1.0}}, "table of numbers"),
        ("fast", {"weights": ["ssim"]}, "table of numbers"),
        ("fast", {"thresholds": {"enough": 0.5}}, "no threshold 'enough'; it has: none"),
        ("semantic", {"thresholds": {"disagree": 0.5}}, "no threshold 'disagree'; it has: enough"),
        ("semantic", {"thresholds": {"enough": "high"}}, "'enough' is 'high'"),
        ("auto", {"thresholds": {"frame": float("nan")}}, "finite"),
        ("auto", {"thresholds": {"inliers": float("inf")}}, "finite"),
        ("auto", {"thresholds": 0.5}, "table of numbers"),
        ("auto", {"weights": {"cosine": 1.0}}, "'auto' has no weights.*calibrate --fit-weights"),
        ("layered", {"weights": {"fast": 0.0, "embedding": 0.0}}, "are 0"),
    ],
)
def test_senseless_overrides_are_refused(name: str, change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PRESETS[name].changed(**change)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rule": "nope", "weights": {"phash": 1}}, "unknown rule 'nope'"),
        ({"rule": ["weighted"], "weights": {"phash": 1}}, "unknown rule"),
        ({"rule": "weighted"}, "no weights"),
        ({"rule": "layered", "weights": {"hsv": 1}}, "needs weights for 'fast' and 'embedding'"),
        ({"rule": "weighted", "weights": {"phash": 1}, "options": 3}, "table for each method"),
        ({"rule": "weighted", "weights": {"phash": 1}, "options": {"phsh": {}}}, "did you mean 'phash'"),
        ({"rule": "weighted", "weights": {"phash": 1}, "options": {"phash": 16}}, "table of arguments"),
        ({"rule": "weighted", "weights": {"phash": 1}, "options": {"phash": {3: 16}}}, "table of arguments"),
        ({"rule": "weighted", "weights": {"phash": 1}, "about": 3}, "about must be a line of text"),
        ({"rule": "weighted", "weights": {"phash": 1}, "fusion": shipped()}, "'weighted' takes weights, not a fusion"),
    ],
)
def test_a_senseless_preset_cannot_be_made(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Preset(**{"name": "mine", "about": "", **arguments})


def test_numbers_of_numpy_will_do() -> None:
    changed = PRESETS["semantic"].changed({"fast": np.float32(0.25)}, {"enough": np.float64(0.5)})
    assert (changed.weights["fast"], changed.thresholds) == (0.25, {"enough": 0.5})
    assert {type(number) for number in (*changed.weights.values(), *changed.thresholds.values())} == {float}


def test_a_rule_brings_its_thresholds() -> None:
    half = Preset("half", "", "layered", {"fast": 1, "embedding": 1}, {"disagree": 0.5})
    assert half.thresholds == {"enough": 0.9, "disagree": 0.5}


def test_weights_act_where_layered_adds_no_keypoints() -> None:
    # thresholds at which fast is never enough and nothing counts as disagreement: fast and embedding alone are mixed
    a, b = photo(1, 320, 240), photo(2, 300, 300)
    calm = {"enough": 1.0, "disagree": 1.0}
    chosen = PRESETS["layered"].changed({"fast": 0.9, "embedding": 0.1}, calm)
    found = lookalike.compare(a, b, preset=chosen)
    assert "keypoints" not in found.parts
    assert found.score == pytest.approx(0.9 * found.parts["fast"] + 0.1 * found.parts["embedding"], abs=1e-9)
    assert found.score != pytest.approx(lookalike.compare(a, b, preset="layered", thresholds=calm).score, abs=0.01)


@pytest.mark.parametrize(
    ("name", "weights", "parts"),
    [
        ("fast", {}, {"phash", "ssim"}),
        ("fast", {"ssim": 0.0, "ssim16": 1.0}, {"phash", "ssim16"}),
        ("semantic", {}, {"fast", "phash", "ssim", "embedding"}),
        ("layered", {"keypoints": 0.0}, {"fast", "phash", "ssim", "embedding", "keypoints"}),
        ("auto", {}, {"exact", "look", "embedding", "palette", "xfeat", "object"}),
    ],
)
def test_possible_parts_are_those_that_rules_compute(name: str, weights: dict[str, float], parts: set[str]) -> None:
    assert set(possible_parts(PRESETS[name].changed(weights))) == parts


def test_a_preset_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[preset.shoes]\nabout = "colour first"\nweights = { hsv = 0.7, phash = 0.3 }\n'
        '[preset.quick]\nbase = "semantic"\nthresholds = { enough = 0.5 }\n'
        "[preset.quick.options.embedding]\nsize = 128\n",
        encoding="utf-8",
    )
    mine = read_presets(file)
    a, b = photo(1, 320, 240), photo(2, 300, 300)
    shoes = lookalike.compare(a, b, preset=mine["shoes"])
    assert shoes.preset == "shoes"
    hsv, phash = (lookalike.compare(a, b, method=name).score for name in ("hsv", "phash"))
    assert shoes.score == pytest.approx(0.7 * hsv + 0.3 * phash, abs=0.01)  # hsv is cut at 0 when alone
    assert mine["quick"].weights == PRESETS["semantic"].weights
    assert mine["quick"].thresholds == {"enough": 0.5}
    assert mine["quick"].options == {"embedding": {"size": 128}}


def test_another_rule_than_the_bases_brings_its_own_thresholds(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[preset.sooner]\nbase = "fast"\nrule = "early"\n'
        '[preset.soonest]\nbase = "fast"\nrule = "early"\nthresholds = { enough = 0.4 }\n'
        '[preset.all]\nbase = "layered"\nrule = "weighted"\n'
        '[preset.kept]\nbase = "semantic"\nrule = "layered"\n'
        '[preset.bare]\nbase = "fast"\nrule = "auto"\n',
        encoding="utf-8",
    )
    mine = read_presets(file)
    assert [dict(mine[name].thresholds) for name in ("sooner", "soonest", "all", "kept")] == [
        {"enough": 0.9},
        {"enough": 0.4},
        {},
        {"enough": 0.9, "disagree": 0.25},
    ]
    assert (mine["bare"].thresholds, mine["bare"].weights) == (PRESETS["auto"].thresholds, {})
    a, b = photo(1, 320, 240), photo(2, 300, 300)
    for name, made in mine.items():
        found = lookalike.compare(a, b, preset=made)
        assert 0 <= found.score <= 1
        assert set(found.parts) <= set(possible_parts(made)), name


def test_lists_are_arguments_too(tmp_path: Path) -> None:
    network = channel_means(tmp_path / "mine.onnx").as_posix()
    file = tmp_path / "mine.toml"
    file.write_text(
        "[preset.means]\nweights = { cosine = 1 }\n[preset.means.options.embedding]\n"
        f'model = "{network}"\nsize = 32\nmean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]\n'
        'providers = ["CPUExecutionProvider"]\n',
        encoding="utf-8",
    )
    colours = np.array([[255, 51, 0], [255, 255, 51]])
    a, b = (np.full((40, 40, 3), colour, np.uint8) for colour in colours)
    found = lookalike.compare(a, b, preset=read_presets(file)["means"])
    first, second = (colours / 255 - 0.5) / 0.25
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert (found.score, found.model) == (pytest.approx(max(0, cosine), abs=1e-5), "mine")
    assert cosine > 0.1, "the colours are chosen so that the score is not just cut off"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "cannot be read as TOML"),
        ("[other]", "defines no preset"),
        ('[preset.a]\nrule = "magic"', "unknown rule 'magic'"),
        ("[preset.a]\nwieghts = {}", "unknown key 'wieghts'"),
        ('[preset.a]\nweights = { phash = "much" }', "must be a table of numbers"),
        ("[preset.a]\nweights = { phash = true }", "must be a table of numbers"),
        ("[preset.a]\nweights = { nothing = 1 }", "cannot weigh 'nothing'"),
        ("[preset.a]\nweights = {}", "no weights"),
        ("[preset.a]\nweights = 3", "must be a table of numbers"),
        ("[preset.a]\nweights = { phash = -1 }", "0 or more"),
        ("[preset.a]\nweights = { phash = nan }", "must be finite"),
        ("[preset.a]\nthresholds = [0.9]", "must be a table of numbers"),
        ("[preset.a]\nthresholds = { enough = 0.9 }", "'weighted' has no threshold 'enough'"),
        ('[preset.a]\nrule = "auto"\nthresholds = { frame = inf }', "must be finite"),
        ('[preset.a]\nrule = "auto"\nweights = { fast = 1 }', "'auto' has no weights"),
        ('[preset.a]\nbase = "auto"\nrule = "weighted"', "no weights"),
        ('[preset.a]\nbase = "fast"\nrule = "layered"', "needs weights for"),
        ('[preset.a]\nrule = ["early"]', "unknown rule"),
        ('[preset.a]\nbase = "none"', "no preset called 'none'"),
        ("[preset.a]\nbase = 3", "by its name"),
        ('[preset.a]\nbase = ["fast"]', "by its name"),
        ("[preset.a]\nabout = 3", "about must be a line of text"),
        ("[preset.a]\noptions = 3", "options must be a table"),
        ("[preset.a]\noptions = { embedding = 3 }", "options of 'embedding' must be a table"),
        ("[preset.a]\noptions = { embeding = { size = 128 } }", "did you mean 'embedding'"),
        ("[preset.a]\noptions = { embedding = { mean = { r = 1 } } }", "a value or a list of values"),
        ("[preset.a]\noptions = { embedding = { mean = [{ r = 1 }] } }", "a value or a list of values"),
        ("[preset]\na = 3", "defines no preset"),
        (f"[preset.a]\nweights = {{ phash = {'9' * 5000} }}", "cannot be read as TOML"),
        (f"[preset.a]\nweights = {{ phash = 1{'0' * 400} }}", "must be finite"),
        (f"a = {'[' * 9000}", "cannot be read as TOML"),
    ],
)
def test_a_bad_file_gets_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message) as caught:
        read_presets(file)
    assert "\n" not in str(caught.value)
    assert "bad.toml" in str(caught.value)
    assert "preset 'a'" in str(caught.value) or "[preset.a]" not in text or "TOML" in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("embedding = { sise = 128 }", "does not take 'sise'; it takes: model, size"),
        ('embedding = { size = "128" }', "a whole number for 'size'"),
        ("embedding = { size = [128] }", "a whole number for 'size'"),
        ("embedding = { providers = 3 }", "cannot be made with providers=3"),
        ('phash = { hash_size = "8" }', "a whole number for 'hash_size'"),
    ],
)
def test_an_argument_no_method_takes_is_said(tmp_path: Path, options: str, message: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(f'[preset.a]\nbase = "semantic"\noptions = {{ {options} }}', encoding="utf-8")
    made = read_presets(file)["a"]
    with pytest.raises(UsageError, match=message):
        lookalike.compare(photo(1, 60, 40), photo(2, 60, 40), preset=made)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"none\.toml"):
        read_presets(tmp_path / "none.toml")


def test_special_terms_do_not_hide_a_preset() -> None:
    assert not set(SPECIAL) & set(PRESETS)
