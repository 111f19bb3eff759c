"""Many pairs: what goes in = what comes out + failures, in order, in every format."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_cli import CROPPED, EXAMPLES, SHIRT, call

import lookalike
from lookalike.errors import OutputError, SourceNotFound, SourceUnreadable, UsageError
from lookalike.pairs import read_pairs
from lookalike.scores import scores_file
from lookalike.types import Failure, PairFailure

OTHER = str(EXAMPLES / "carton.jpg")
PAIRS = [(SHIRT, CROPPED), (SHIRT, "gone.jpg"), (SHIRT, OTHER), (SHIRT, SHIRT)]


def write_csv(file: Path, rows: list[list[str]]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    return file


def test_compare_many_keeps_order_and_failures() -> None:
    results = list(lookalike.compare_many(PAIRS))
    assert [(result.a, result.b) for result in results] == PAIRS
    assert isinstance(results[1], PairFailure)
    assert results[1].failure.kind == "SourceNotFound"
    singly = [lookalike.compare(a, b) for a, b in PAIRS if b != "gone.jpg"]
    assert [r.score for r in results if isinstance(r, lookalike.Comparison)] == [r.score for r in singly]


def test_compare_many_takes_pairs_as_it_needs_them() -> None:
    taken = 0

    def endless() -> Iterator[tuple[str, str]]:
        nonlocal taken
        while True:
            taken += 1
            yield SHIRT, SHIRT

    results = lookalike.compare_many(endless(), threads=2)
    next(results)
    assert taken < 20
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_keeps_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    pairs = write_csv(tmp_path / "pairs.csv", [["id", "a", "b"], *([str(i), a, b] for i, (a, b) in enumerate(PAIRS))])
    out = tmp_path / f"scores{suffix}"
    code, _, err = call(capsys, "compare", "--pairs", str(pairs), "--out", str(out))
    assert code == 0
    assert "4 pairs compared, 1 failed" in err
    if suffix == ".parquet":
        rows = pq.read_table(out).to_pylist()
    elif suffix == ".jsonl":
        rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    else:
        with out.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t" if suffix == ".tsv" else ","))
    assert [row["id"] for row in rows] == ["0", "1", "2", "3"]
    assert [(row["a"], row["b"]) for row in rows] == PAIRS
    assert float(rows[3]["score"]) == 1.0
    assert rows[1]["error"]
    assert not rows[1].get("score")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_every_input_format_gives_the_same_pairs(tmp_path: Path) -> None:
    rows = [{"a": "x.jpg", "b": 'ü,"y".png', "label": "1"}, {"a": "x.jpg", "b": "z z.png", "label": "0"}]
    write_csv(tmp_path / "p.csv", [["a", "b", "label"], *([row["a"], row["b"], row["label"]] for row in rows)])
    write_csv(tmp_path / "bare.csv", [[row["a"], row["b"]] for row in rows])
    (tmp_path / "p.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "p.parquet")
    expected = [(row["a"], row["b"]) for row in rows]
    for name in ("p.csv", "bare.csv", "p.jsonl", "p.parquet"):
        assert [(row.a, row.b) for row in read_pairs(tmp_path / name)] == expected, name
    assert [row.rest["label"] for row in read_pairs(tmp_path / "p.parquet")] == ["1", "0"]


def test_relative_paths_are_found_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "here.png").touch()
    write_csv(tmp_path / "sub" / "p.csv", [["here.png", "https://example.com/a.png"]])
    [row] = read_pairs(tmp_path / "sub" / "p.csv")
    assert row.a == str(tmp_path / "sub" / "here.png")
    assert row.b == "https://example.com/a.png"


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("p.txt", "a,b", UsageError),
        ("p.csv", "a,b\nx.jpg,\n", UsageError),
        ("p.csv", "x.jpg\n", UsageError),
        ("p.jsonl", "[1]\n", SourceUnreadable),
        ("p.jsonl", "{nonsense\n", SourceUnreadable),
        ("p.parquet", "no parquet", SourceUnreadable),
    ],
)
def test_a_bad_table_is_one_clear_error(tmp_path: Path, name: str, text: str, error: type[Exception]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(error):
        read_pairs(tmp_path / name)


def test_missing_tables_and_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for suffix in (".csv", ".jsonl", ".parquet"):
        with pytest.raises(SourceNotFound):
            read_pairs(tmp_path / f"none{suffix}")
    pairs = write_csv(tmp_path / "p.csv", [[SHIRT, SHIRT]])
    code, _, err = call(capsys, "compare", "--pairs", str(pairs), "--out", str(tmp_path / "no" / "s.csv"))
    assert code == OutputError.exit_code
    assert err.count("\n") == 1


def test_an_interrupted_run_keeps_what_is_done(tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    done = PairFailure("x", "y", Failure("x", "SourceNotFound", "x: gone"))

    def interrupted() -> None:
        with scores_file(out, [], []) as writer:
            writer.write(done, {})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "SourceNotFound" in out.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_csv_names_survive(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("pairs")
    file = write_csv(folder / "p.csv", [["a", "b"], *(list(pair) for pair in pairs)])
    with scores_file(folder / "s.csv", [], []) as writer:
        for row in read_pairs(file):
            writer.write(PairFailure(row.a, row.b, Failure(row.a, "X", "y")), row.rest)
    assert [(row.a, row.b) for row in read_pairs(folder / "s.csv")] == [(row.a, row.b) for row in read_pairs(file)]
