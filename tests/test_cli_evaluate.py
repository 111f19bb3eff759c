"""lookalike evaluate: what it prints, writes and refuses."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
from test_cli import EXAMPLES, SHIRT, call

from lookalike.errors import PictureError, UsageError

CARTON, CROPPED = str(EXAMPLES / "carton.jpg"), str(EXAMPLES / "shirt-cropped.jpg")
ROWS = [(SHIRT, CROPPED, "same"), (SHIRT, CARTON, "different"), (CROPPED, CARTON, "different")]


def table(file: Path, rows: list[tuple[str, ...]], head: tuple[str, ...] = ("a", "b", "label")) -> str:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([head, *rows])
    return str(file)


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "store.sqlite3")


def test_contestants_stand_side_by_side(tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    labels = table(tmp_path / "pairs.csv", [*ROWS, (SHIRT, "gone.jpg", "same")])
    report, rows = tmp_path / "report.html", tmp_path / "rows.jsonl"
    code, out, err = call(
        capsys, "evaluate", labels, "-p", "auto", "--preset", "hybrid", "-m", "embedding:size=128",
        "--report", str(report), "--out", str(rows), "--store", store,
    )  # fmt: skip
    assert code == 0
    assert out.splitlines()[0].split() == ["auto", "hybrid", "embedding:size=128"]
    assert "\x1b" not in out
    assert "AUC" in out
    assert "– TPR at FPR 1 %: needs 100 different pairs, there are 2" in out
    assert "1 could not be scored:" in err
    assert "gone.jpg: there is no such file" in err
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(rows.read_text(encoding="utf-8").splitlines()) == 4
    assert Path(store).exists()


def test_json_is_the_whole_evaluation(tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    labels = table(tmp_path / "pairs.csv", ROWS)
    code, out, _ = call(capsys, "evaluate", labels, "--json", "-q", "--store", store)
    found = json.loads(out)
    assert code == 0
    assert [each["name"] for each in found["contestants"]] == ["auto"]
    assert found["contestants"][0]["measures"]["auc"]["value"] == 1.0


def test_a_retrieval_set(tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(SHIRT, "shirt"), (CROPPED, "shirt"), (CARTON, "carton")]
    labels = table(tmp_path / "set.csv", rows, ("picture", "product"))
    code, out, err = call(capsys, "evaluate", labels, "--rerank", "2", "--size", "128", "--store", store)
    assert code == 0
    assert "candidates: embedding 128 px" in out
    assert "mAP" in out
    assert "3 query pictures against 3 pictures" in err


def test_presets_of_ones_own(tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    presets = tmp_path / "mine.toml"
    presets.write_text("[preset.shoes]\nweights = { phash = 1.0 }\n")
    labels = table(tmp_path / "pairs.csv", ROWS)
    code, out, _ = call(capsys, "evaluate", labels, "--preset-file", str(presets), "-p", "shoes", "--no-store", "-q")
    assert code == 0
    assert out.splitlines()[0].split() == ["shoes"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--report", "report.pdf"], "use .html"),
        (["--out", "rows.txt"], "use .jsonl, .csv, .tsv"),
        (["--store", "x", "--no-store"], "contradict"),
        (["--label-column", "truth"], "no column 'truth'"),
        (["-p", "auto", "-p", "auto"], "'auto' takes part twice"),
        (["-m", "embedding:128"], "no NAME=VALUE"),
        (["-p", "nosuch"], "no preset called"),
        (["--preset-file", "mine.toml"], "goes with --preset"),
    ],
)
def test_what_makes_no_sense_is_said_before_any_work(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = table(tmp_path / "pairs.csv", [("gone.jpg", "lost.jpg", "same"), ("gone.jpg", "never.jpg", "different")])
    monkeypatch.setenv("LOOKALIKE_STORE", str(tmp_path / "store.sqlite3"))
    code, out, err = call(capsys, "evaluate", labels, *arguments)
    assert code == UsageError.exit_code
    assert out == ""
    assert words in err
    assert len(err.splitlines()) == 1


def test_labels_are_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = table(tmp_path / "pairs.csv", ROWS)
    code, _, err = call(capsys, "evaluate", labels, "--out", labels)
    assert (code, "holds the labels" in err) == (UsageError.exit_code, True)


def test_all_bad_is_an_error_as_with_many_pairs(tmp_path: Path, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    labels = table(tmp_path / "pairs.csv", [("gone.jpg", "lost.jpg", "same"), ("gone.jpg", "x.jpg", "different")])
    code, out, err = call(capsys, "evaluate", labels, "-p", "fast", "--store", store)
    assert code == PictureError.exit_code
    assert "2 could not be scored" in err
    assert "nothing could be scored" in err
    assert out == ""


def test_the_command_line_starts_without_what_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    code = "import sys; from lookalike.cli import app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "cv2", "scipy", "lookalike.lab.evaluation"} & set(loaded)
