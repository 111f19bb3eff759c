"""lookalike calibrate, and calibrations in compare, group and evaluate."""

from __future__ import annotations

import csv
import json
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "lab"))
from labels import table
from shop import pairs_file, rows
from test_cli import call

PRESET = """
[preset.colours]
about = "histograms"
weights = { bhattacharyya = 0.5, hsv = 0.5 }
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, ``pairs.csv`` and ``mine.toml``."""
    made = tmp_path_factory.mktemp("shop")
    pairs_file(made)
    (made / "mine.toml").write_text(PRESET)
    return made


@pytest.fixture(scope="module")
def calibration(shop: Path) -> Path:
    import lookalike

    return lookalike.calibrate(shop / "pairs.csv", method="bhattacharyya", store=False).save(shop / "own.json")


def own(shop: Path) -> list[str]:
    return [str(shop / "pairs.csv"), "--preset-file", str(shop / "mine.toml"), "--preset", "colours"]


def test_what_is_said_and_what_is_written(capsys: pytest.CaptureFixture[str], shop: Path, tmp_path: Path) -> None:
    out, page, store = (str(tmp_path / name) for name in ("c.json", "page.html", "s.db"))
    code, said, beside = call(
        capsys, "calibrate", *own(shop), "--out", out, "--report", page, "--store", store, "--target-tpr", "0.9"
    )
    assert code == 0, beside
    assert "84 same and 90 different pairs of 56 pictures, scored by colours" in said
    found = re.search(
        r"same product from (0\.\d{3}) on \((0\.\d{3}) to (0\.\d{3})\), for a true-positive rate 0.9", said
    )
    assert found
    document = json.loads(Path(out).read_text())
    assert float(found[1]) == pytest.approx(document["thresholds"]["same product"], abs=6e-4)
    assert re.search(r"finds \d+(\.\d)?\s% \(\d+ to \d+\) of the same pairs", said)
    assert "ECE" in said
    assert f"lookalike compare A B --calibration {out}" in beside
    html = Path(page).read_text()
    assert html.count('<svg class="chart"') == 4
    assert "The worst mistakes" in html
    assert "data:image/jpeg;base64," in html
    assert "<script" not in html
    assert "default-src 'none'" in html


def test_json(capsys: pytest.CaptureFixture[str], shop: Path) -> None:
    code, said, beside = call(capsys, "calibrate", *own(shop), "--json", "--no-store", "-q", "--kind", "platt")
    told = json.loads(said)
    assert (code, beside) == (0, "")
    assert told["data"]["same"] == 84
    assert told["probability"]["kind"] == "platt"
    assert told["out"] is None
    assert told["thresholds"]["same product"] > told["thresholds"]["same category"]


def test_without_out_it_says_so(capsys: pytest.CaptureFixture[str], shop: Path) -> None:
    assert "--out" in call(capsys, "calibrate", *own(shop), "--no-store")[2]


def test_compare_and_group_and_evaluate_take_it(
    capsys: pytest.CaptureFixture[str], shop: Path, calibration: Path, tmp_path: Path
) -> None:
    a, b, _ = rows(shop)[0]
    code, said, _ = call(capsys, "compare", a, b, "--calibration", str(calibration))
    assert code == 0
    whole = json.loads(call(capsys, "compare", a, b, "--calibration", str(calibration), "--json")[1])
    assert whole["probability"] > 0
    likely = r"((over )?\d+ % likely the same product; )" + ("?" if whole["score"] >= 0.9 else "")
    assert re.fullmatch(rf"0\.\d\d  [a-z -]+   \({likely}by bhattacharyya alone\)\n", said)
    scores = tmp_path / "scores.csv"
    code, *_ = call(
        capsys,
        "compare",
        "--pairs",
        str(shop / "pairs.csv"),
        "--calibration",
        str(calibration),
        "--out",
        str(scores),
        "-q",
    )
    with scores.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert code == 0
    assert (float(lines[0]["score"]), float(lines[0]["probability"])) == (whole["score"], whole["probability"])
    assert "part_bhattacharyya" in lines[0]
    code, *_ = call(
        capsys, "group", str(shop), "--calibration", str(calibration), "--no-store", "-q",
        "--workers", "1", "--json", str(tmp_path / "pairs.jsonl"),
    )  # fmt: skip
    assert code == 0
    scores = [json.loads(line)["score"] for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
    assert min(scores) < 0.9, "from the same product on, unless another threshold is named"
    for line in (tmp_path / "pairs.jsonl").read_text().splitlines():
        assert json.loads(line)["score"] >= 0.8
        assert json.loads(line)["probability"] is not None
    code, said, _ = call(
        capsys, "evaluate", str(shop / "pairs.csv"), "--calibration", str(calibration), "--no-store", "-q", "--json"
    )
    assert code == 0
    assert "ece" in said


@pytest.mark.parametrize(
    "options",
    [
        ["--preset", "fast"], ["--preset", "auto"], ["--method", "phash"], ["--weight", "phash=1"],
        ["--threshold", "enough=0.5"], ["--size", "128"], ["--trim"], ["--preset-file", "mine.toml"],
        ["--model", "x.onnx"],
    ],
)  # fmt: skip
def test_nothing_of_scoring_is_given_beside_it(
    capsys: pytest.CaptureFixture[str], calibration: Path, options: list[str]
) -> None:
    code, _, said = call(capsys, "compare", "a.png", "b.png", "--calibration", str(calibration), *options)
    assert code == 2
    assert options[0] in said
    assert "--calibration brings its own way" in said
    if options[0].startswith("--preset"):
        code, _, said = call(capsys, "group", ".", "--calibration", str(calibration), *options)
        assert code == 2
        assert options[0] in said


def test_too_few_pairs_are_refused_with_the_number_needed(
    capsys: pytest.CaptureFixture[str], shop: Path, tmp_path: Path
) -> None:
    made = rows(shop)
    few = table(tmp_path / "few.csv", [*made[:23], *made[-4:]])
    code, _, said = call(capsys, "calibrate", str(few))
    assert code == 2
    assert said == (
        "error: 23 pairs are labelled same and 4 different, too few for a true-positive rate 0.95; "
        "at least 20 of each are needed: 16 more of different\n"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out", "c.txt"], "use .json"),
        (["--report", "c.pdf"], "use .html or .htm"),
        (["--out", "nowhere/c.json"], "there is no folder"),
        (["--target-tpr", "0.9", "--target-fpr", "0.1"], "choose one"),
        (["--target-tpr", "95"], "between 0 and 1"),
        (["--kind", "spline"], "one of: auto, platt, beta, isotonic"),
        (["--method", "phash", "--preset", "fast"], "a single method has no preset"),
        (["--method", "phash", "--size", "128"], "which method 'phash' does not use"),
        (["--method", "phash", "--fit-weights"], "no weights to fit"),
        (["--store", "s.db", "--no-store"], "contradict"),
        (["--negatives", "nowhere"], "there is no such file"),
        (["--label-column", "opinion"], "has no column 'opinion'"),
        (["--preset", "fastt"], "did you mean 'fast'?"),
    ],
)
def test_what_makes_no_sense_is_one_line(
    capsys: pytest.CaptureFixture[str], shop: Path, options: list[str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop)
    code, said, beside = call(capsys, "calibrate", "pairs.csv", *options)
    assert code != 0
    assert said == ""
    assert words in beside
    assert beside.startswith("error: ")
    assert beside.count("\n") == 1


def test_the_table_is_not_written_over(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "pairs.json"
    file.write_text("{}")
    assert "is named twice" in call(capsys, "calibrate", str(file), "--out", str(file))[2]


def test_a_target_that_no_threshold_meets(capsys: pytest.CaptureFixture[str], shop: Path, tmp_path: Path) -> None:
    upside_down = [(a, b, "different" if label == "same" else "same") for a, b, label in rows(shop)]
    file = table(tmp_path / "odd.csv", upside_down)
    code, _, said = call(
        capsys, "calibrate", str(file), "--method", "bhattacharyya", "--target-precision", "0.9", "--no-store", "-q"
    )
    assert code == 2
    assert "no threshold gives a precision 0.9" in said
    assert "the best precision is 0." in said


def test_names_that_would_break_a_page_or_a_terminal(
    capsys: pytest.CaptureFixture[str], shop: Path, tmp_path: Path
) -> None:
    import shutil

    made = rows(shop)
    nasty = tmp_path / "a<b>&\x1b[31m\"'.png"
    try:
        shutil.copy(made[0][0], nasty)
    except OSError:
        pytest.skip("this file system has no such names")
    changed = [tuple(str(nasty) if cell == made[0][0] else cell for cell in row) for row in made]
    page = tmp_path / "page.html"
    code, said, beside = call(
        capsys, "calibrate", str(table(tmp_path / "pairs.csv", changed)), "--method", "bhattacharyya", "--no-store",
        "--report", str(page), "-q",
    )  # fmt: skip
    assert code == 0, beside
    assert "\x1b" not in said + beside + page.read_text()
    assert "a<b>" not in page.read_text()


def test_where_nothing_can_be_compared_the_first_reason_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    gone = [(f"gone{number}.jpg", f"away{number}.jpg", ("same", "different")[number % 2]) for number in range(60)]
    pairs = table(tmp_path / "gone.csv", gone)
    code, said, beside = call(capsys, "calibrate", str(pairs), "--method", "phash", "--no-store")
    assert (code, said) == (3, "")
    assert re.search(r"none of the 60 pairs could be compared; the first: \w+\.jpg: there is no such file", beside)
    code, said, beside = call(capsys, "evaluate", str(pairs), "--method", "phash", "--no-store")
    assert (code, said) == (3, ""), "no table of dashes"
    assert "nothing could be scored" in beside
