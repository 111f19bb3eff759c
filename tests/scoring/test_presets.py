"""Presets: the table, overrides, and one's own in TOML."""

from __future__ import annotations

from pathlib import Path

import pytest
from synthetic import photo

import lookalike
from lookalike.errors import SourceNotFound, UnknownPreset, UsageError
from lookalike.scoring.presets import PRESETS, possible_parts, preset, read_presets
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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": {"phsh": 1.0}}, "phash"),
        ({"weights": {"phash": -1.0}}, "0 or more"),
        ({"weights": {"phash": 0.0, "ssim": 0.0}}, "are 0"),
        ({"thresholds": {"enough": 0.5}}, "no threshold 'enough'"),
    ],
)
def test_senseless_overrides_are_refused(change: dict[str, dict[str, float]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PRESETS["fast"].changed(**change)


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
        ('[preset.a]\nbase = "none"', "no preset called 'none'"),
    ],
)
def test_a_bad_file_gets_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message) as caught:
        read_presets(file)
    assert "\n" not in str(caught.value).strip()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match=r"none\.toml"):
        read_presets(tmp_path / "none.toml")


def test_special_terms_do_not_hide_a_preset() -> None:
    assert not set(SPECIAL) & set(PRESETS)
