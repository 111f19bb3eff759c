"""Pairs as tables: what is written is what was found, and no name does anything in a spreadsheet."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest
from groupings import grouping, pair

from lookalike.errors import MissingExtra, OutputError, UsageError
from lookalike.pairs import read_pairs
from lookalike.results import pairs_file
from lookalike.results.pairs_file import check_pairs_file, to_arrow, to_pandas, write_pairs
from lookalike.types import Transform

MIRRORED = Transform(flip=True, rotation=90, inliers=44, overlap=0.5)
FOUND = grouping(
    [],
    [pair("x/a.jpg", "x/b.jpg", 0.97, MIRRORED, ["mirrored"]), pair("x/a.jpg", "x/ü, “c”;\n.jpg", 0.8123456789012345)],
)


def test_a_line_of_jsonl_is_the_comparison(tmp_path: Path) -> None:
    file = write_pairs(FOUND, tmp_path / "pairs.jsonl")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines == [json.loads(json.dumps(one.to_dict())) for one in FOUND.pairs]
    assert {"a", "b", "score", "verdict", "transform", "parts"} <= set(lines[0])


@pytest.mark.parametrize("found", [FOUND, grouping([], [])])
def test_json_is_one_array_with_a_line_for_each_pair(tmp_path: Path, found: object) -> None:
    file = write_pairs(found, tmp_path / "pairs.json")  # type: ignore[arg-type]
    text = file.read_text(encoding="utf-8")
    assert [row["score"] for row in json.loads(text)] == [one.score for one in found.pairs]  # type: ignore[attr-defined]
    assert text.endswith("]\n")
    assert len(text.splitlines()) in (1, len(json.loads(text)) + 2)


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_tables_can_be_read_again(tmp_path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    rows = read_pairs(write_pairs(FOUND, tmp_path / f"pairs{suffix}"))
    assert [(row.a, row.b, float(row.rest["score"])) for row in rows] == [(p.a, p.b, p.score) for p in FOUND.pairs]


def test_csv_has_a_column_for_each_method_and_none_for_errors(tmp_path: Path) -> None:
    with write_pairs(FOUND, tmp_path / "pairs.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0]["part_look"] == "0.9"
    assert rows[0]["flip"] == "True"
    assert rows[0]["rotation"] == "90"
    assert not any("error" in name for name in rows[0])


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_no_cell_is_a_formula(tmp_path: Path, suffix: str, start: str) -> None:
    name = f'{start}cmd|"x".jpg'
    file = write_pairs(grouping([], [pair(name, f"folder/{name}", 0.9)]), tmp_path / f"pairs{suffix}")
    (row,) = read_pairs(file)
    assert row.a == f"./{name}"  # still the same file
    assert os.path.normpath(row.a) == name
    assert row.b == f"folder/{name}"


def test_other_tables_keep_such_names(tmp_path: Path) -> None:
    (row,) = read_pairs(write_pairs(grouping([], [pair("=a.jpg", "b.jpg", 0.9)]), tmp_path / "pairs.jsonl"))
    assert row.a == "=a.jpg"


def test_names_that_are_no_unicode_come_through(tmp_path: Path) -> None:
    odd = os.fsdecode(b"\xff.jpg") if os.name == "posix" else "\udcff.jpg"
    for suffix in (".csv", ".jsonl", ".json"):
        write_pairs(grouping([], [pair(odd, "b.jpg", 0.9)]), tmp_path / f"pairs{suffix}")
    assert json.loads((tmp_path / "pairs.json").read_text())[0]["a"] == odd


def test_what_cannot_be_written_is_said_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.parquet, \.json"):
        check_pairs_file("pairs.xlsx")
    with pytest.raises(OutputError, match="no folder"):
        check_pairs_file(tmp_path / "nowhere" / "pairs.json")
    (tmp_path / "pairs.json").mkdir()
    with pytest.raises(OutputError, match="folder"):
        write_pairs(FOUND, tmp_path / "pairs.json")
    assert [entry.name for entry in tmp_path.iterdir()] == ["pairs.json"]


def test_arrow_types_do_not_depend_on_the_rows() -> None:
    pytest.importorskip("pyarrow")
    table = to_arrow(FOUND)
    assert table.num_rows == 2
    assert table.column("score").to_pylist() == [0.97, 0.8123456789012345]
    assert table.column("flip").to_pylist() == [True, None]
    types = {field.name: str(field.type) for field in table.schema}
    empty = {field.name: str(field.type) for field in to_arrow(grouping([], [])).schema}
    assert empty.items() <= types.items()
    assert types["part_look"] == "double"


def test_pandas_has_the_same_columns() -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("pandas")
    frame = to_pandas(FOUND)
    assert list(frame.columns) == to_arrow(FOUND).column_names
    assert frame["score"].tolist() == [0.97, 0.8123456789012345]


def test_without_pandas_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def need(module: str, *, extra: str) -> object:
        raise MissingExtra(f"this needs {module}", remedy=f'pip install "lookalike[{extra}]"')

    monkeypatch.setattr(pairs_file, "need", need)
    with pytest.raises(MissingExtra, match=r"lookalike\[pandas\]"):
        to_pandas(FOUND)
