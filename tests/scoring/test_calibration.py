"""Calibrations applied, kept in files, and refused where they do not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from own_network import channel_means
from synthetic import picture

import lookalike
from lookalike import PRESETS, Calibration, LookalikeError, Preset
from lookalike.errors import SourceNotFound, UsageError
from lookalike.scoring import pair
from lookalike.scoring.bands import Bands
from lookalike.scoring.calibration import RULE_VERSIONS, scored_by
from lookalike.scoring.calibrators import Beta, Isotonic, Platt
from lookalike.types import Comparison


def made(preset: str | None = "fast", method: str | None = None, **fields: Any) -> Calibration:
    chosen = None if preset is None else PRESETS[preset]
    curve = Platt().fit([0.1, 0.2, 0.6, 0.8], [0, 0, 1, 1])
    bands = Bands(product=0.6, category=0.4)
    given_by = scored_by(chosen, method)
    usual = {"curve": curve, "bands": bands, "scored_by": given_by, "report": {"made": "today"}}
    return Calibration(chosen, method, **{**usual, **fields})


def test_a_comparison_gets_a_score_whose_verdict_holds_and_a_probability() -> None:
    calibration = made()
    raw = Comparison("a", "b", 0.7, "same category", {"ssim": 0.7}, reasons=("by fast alone",), preset="fast")
    told = calibration.apply(raw)
    assert told.score == pytest.approx(0.825)
    assert told.verdict == "same product"
    assert told.probability == pytest.approx(float(calibration.curve.predict(0.7)))
    assert told.details["uncalibrated_score"] == 0.7
    assert str(told) == f"0.83  same product   ({100 * told.probability:.0f} % likely the same product; by fast alone)"
    assert told.to_dict()["probability"] == told.probability
    assert Comparison.from_dict(told.to_dict()) == told


def test_a_score_of_one_keeps_its_verdict() -> None:
    """A hash may see no difference where there is one: the pixels decide on the word."""
    for verdict in ("identical", "near-duplicate"):
        told = made().apply(Comparison("a", "b", 1.0, verdict, {}, preset="fast"))  # type: ignore[arg-type]
        assert (told.score, told.verdict) == (1.0, verdict)


def test_a_comparison_of_another_kind_is_refused() -> None:
    raw = Comparison("a", "b", 0.7, "same category", {}, preset="fast")
    with pytest.raises(UsageError, match="scored by 'hybrid'"):
        made().apply(replace(raw, preset="hybrid"))
    with pytest.raises(UsageError, match="was calibrated"):
        made().apply(made().apply(raw))


def test_compare_scores_as_the_calibration_says(tmp_path: Path) -> None:
    a, b = picture("photo"), picture("mixed")
    for calibration in (made(), made(None, "phash"), made("auto", bands=Bands(0.7, 0.5, 0.9))):
        way = {"method": calibration.method} if calibration.method else {"preset": calibration.name}
        raw = lookalike.compare(a, b, **way)  # type: ignore[arg-type]
        told = lookalike.compare(a, b, calibration=calibration)
        assert told == calibration.apply(raw)
        [again] = lookalike.compare_many([(a, b)], calibration=calibration.save(tmp_path / "c.json"))
        assert again == told
        by_preset = lookalike.compare(a, b, preset=calibration.as_preset())
        assert by_preset.score == raw.score


@pytest.mark.parametrize(
    "beside",
    [{"preset": "hybrid"}, {"method": "phash"}, {"weights": {"phash": 1}}, {"options": {"ssim": {}}}, {"trim": True}],
)
def test_nothing_of_scoring_is_given_beside_a_calibration(beside: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="brings it"):
        lookalike.compare(picture("photo"), picture("mixed"), calibration=made(), **beside)


def test_a_file_keeps_everything(tmp_path: Path) -> None:
    curves = [
        Platt().fit([0.1, 0.35, 0.6, 0.8], [0, 1, 0, 1]),
        Beta().fit([0.1, 0.35, 0.6, 0.8], [0, 1, 0, 1]),
        Isotonic().fit(np.linspace(0, 1, 30) ** 1.1, np.arange(30) % 3 > 0),
    ]
    for curve in curves:
        calibration = made(curve=curve, bands=Bands(1 / 3, 0.1, 0.7))
        path = calibration.save(tmp_path / "own.calibration.json")
        assert "\n" in path.read_text()  # for people
        back = Calibration.load(path)
        assert back.to_dict() == calibration.to_dict()
        assert back.source == str(path)
        assert (back.preset, back.bands) == (calibration.preset, calibration.bands)
        asked = np.linspace(0, 1, 50)
        assert np.array_equal(back.curve.predict(asked), curve.predict(asked))


def test_a_preset_of_ones_own_comes_from_the_file(tmp_path: Path) -> None:
    own = Preset(
        "shoes", "mine", "weighted", {"phash": 0.2, "bhattacharyya": 0.8}, options={"phash": {"hash_size": 16}}
    )
    calibration = made(preset=None, method="phash", scored_by=scored_by(own, None))
    calibration = replace(calibration, preset=own, method=None)
    told = lookalike.compare(picture("photo"), picture("mixed"), calibration=calibration.save(tmp_path / "c.json"))
    assert told.preset == "shoes"
    raw = lookalike.compare(picture("photo"), picture("mixed"), preset=own)
    assert told.details["uncalibrated_score"] == raw.score


def test_what_scores_is_named_with_its_version() -> None:
    auto = scored_by(PRESETS["auto"], None)
    assert auto["rule"] == f"auto/{RULE_VERSIONS['auto']}"
    assert {"look", "tint", "exact", "embedding", "xfeat"} <= set(auto)
    assert set(scored_by(PRESETS["robust"], None)) == {"rule", "phash", "ssim", "embedding", "orb"}
    assert set(scored_by(PRESETS["style"], None)) == {"rule", "style"}
    assert (
        scored_by(PRESETS["hybrid"], None)["embedding"]
        != (scored_by(replace(PRESETS["hybrid"], options={"embedding": {"size": 128}}), None)["embedding"])
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scored_by": {"rule": "weighted/1", "phash": "phash/0/abc", "ssim": "ssim/0/x"}}, "fit it anew"),
        ({"scored_by": {}}, "fit it anew"),
        ({"version": 2}, "newer version"),
        ({"version": True}, "fit it anew"),
        ({"format": "something"}, "does not say that it is one"),
        ({"probability": {"kind": "spline"}}, "no curve of the kind"),
        ({"probability": {"kind": "platt", "a": -1, "b": 0}}, "0 or more"),
        ({"probability": {"kind": "isotonic", "scores": [0.2, 0.1], "probabilities": [0, 1]}}, "must rise"),
        ({"thresholds": {"same product": 0.5, "same category": 0.6}}, "must rise"),
        ({"thresholds": {"same product": 0.5}}, "no threshold for 'same category'"),
        ({"thresholds": None}, "no thresholds"),
        ({"belongs_to": {}}, "which preset or method"),
        ({"belongs_to": {"method": "phish"}}, "phash"),
        ({"belongs_to": {"preset": "x", "rule": "weighted", "weights": {"phash": -1}}}, "about"),
        ({"fusion": 3}, "no fusion"),
        ({"report": []}, "must be a table"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    file = tmp_path / "c.json"
    file.write_text(json.dumps({**made().to_dict(), **change}))
    with pytest.raises(UsageError) as found:
        Calibration.load(file)
    assert words in str(found.value)
    assert "c.json" in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}', b"1e999"]
)
def test_what_is_no_calibration_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "c.json"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"c\.json is no calibration"):
        Calibration.load(file)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(SourceNotFound):
        Calibration.load("nowhere.json")
    with pytest.raises(UsageError):
        Calibration.load("a\0b")


def test_another_model_file_is_refused_and_one_beside_the_calibration_is_found(tmp_path: Path) -> None:
    model = channel_means(tmp_path / "mine.onnx")
    numbers = {"size": 64, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
    options = {"embedding": {"model": str(model), **numbers}}
    calibration = made(None, "embedding", options=options, scored_by=scored_by(None, "embedding", options))
    path = calibration.save(tmp_path / "c.json")
    assert Calibration.load(path).request["options"] == options
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    model.rename(moved / "mine.onnx")
    path = path.rename(moved / "c.json")
    assert Calibration.load(path).request["options"]["embedding"]["model"] == str(moved / "mine.onnx")
    with (moved / "mine.onnx").open("ab") as file:
        file.write(b"\x72\x01x")  # a field that no reader of ONNX minds
    pair._shared_method.cache_clear()  # another process would not remember the old one
    with pytest.raises(UsageError, match="fit it anew"):
        Calibration.load(path)
    (moved / "mine.onnx").unlink()
    pair._shared_method.cache_clear()
    with pytest.raises(UsageError, match=r"mine\.onnx"):
        Calibration.load(path)


plain: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


def _places(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at]
    if isinstance(document, dict):
        for key, value in document.items():
            found += _places(value, (*at, key))
    return found


def _changed(document: Any, at: tuple[Any, ...], value: Any) -> Any:
    if not at:
        return value
    return {**document, at[0]: _changed(document[at[0]], at[1:], value)}


DOCUMENTS = [made().to_dict(), made(None, "embedding").to_dict(), made("auto").to_dict()]


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_changed_file_is_read_or_refused_and_nothing_else(tmp_path_factory: Any, data: st.DataObject) -> None:
    document = data.draw(st.sampled_from(DOCUMENTS))
    changed = _changed(document, data.draw(st.sampled_from(_places(document))), data.draw(plain))
    file = tmp_path_factory.getbasetemp() / "fuzzed.json"
    file.write_text(json.dumps(changed))
    try:
        read = Calibration.load(file)
    except LookalikeError as error:
        said = str(error)
    else:
        said = ""
        scores = [read.bands.apply(raw) for raw in np.linspace(0, 1, 20)]
        assert scores == sorted(scores)
        read.save(file)
        assert Calibration.load(file).to_dict() == read.to_dict()
    assert "\n" not in said
    assert "\x1b" not in said


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 3000), st.binary(max_size=3), st.integers(0, 3))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    tmp_path_factory: Any, place: int, junk: bytes, cut: int
) -> None:
    content = json.dumps(DOCUMENTS[0], indent=1).encode()
    place %= len(content)
    file = tmp_path_factory.getbasetemp() / "damaged.json"
    file.write_bytes(content[:place] + junk + content[place + cut :])
    try:
        Calibration.load(file)
        said = ""
    except LookalikeError as error:
        said = str(error)
    assert "\n" not in said
