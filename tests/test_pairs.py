"""Many pairs: what goes in = what comes out + failures, in order, in every format."""

from __future__ import annotations

import csv
import datetime
import errno
import json
import os
import shutil
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
        ("p.csv", "a,b\n" + "x" * 140_000 + ",y.jpg\n", SourceUnreadable),
        ("p.jsonl", "[" * 100_000, SourceUnreadable),
        ("p.csv", "", UsageError),
        ("p.csv", "a,b\n", UsageError),
        ("p.jsonl", "\n", UsageError),
        ("p.csv", "a,second\nx.jpg,y.jpg\n", UsageError),
        ("p.tsv", "first\tb\nx.jpg\ty.jpg\n", UsageError),
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


FAILED = PairFailure("x", "y", Failure("x", "SourceNotFound", "x: gone"))


def write_and_raise(out: Path, error: BaseException) -> None:
    with scores_file(out, [], []) as writer:
        writer.write(FAILED, {})
        raise error


def test_an_interrupted_run_keeps_what_is_done(tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"

    with pytest.raises(KeyboardInterrupt):
        write_and_raise(out, KeyboardInterrupt())
    assert "SourceNotFound" in out.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_messages_about_tables_say_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has a column 'a' and none called 'b'"):
        read_pairs(write_csv(tmp_path / "p.csv", [["id", "a", "c"], ["1", "x.jpg", "y.jpg"]]))
    with pytest.raises(UsageError, match=r"no pairs in p\.csv"):
        read_pairs(write_csv(tmp_path / "p.csv", []))
    # without a header, a third column may well hold an "a"
    [row] = read_pairs(write_csv(tmp_path / "p.csv", [["x.jpg", "y.jpg", "a"]]))
    assert (row.a, row.b, dict(row.rest)) == ("x.jpg", "y.jpg", {"column3": "a"})


def test_names_longer_than_any_path_are_read(tmp_path: Path) -> None:
    [row] = read_pairs(write_csv(tmp_path / "p.csv", [["x" * 10_000, "y.jpg"]]))
    assert row.a == "x" * 10_000


def test_json_lines_may_begin_with_a_mark_and_hold_line_separators(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    row = json.dumps({"a": "x.jpg", "b": "y\u2028.jpg", "t": "\x85"}, ensure_ascii=False)
    file.write_bytes(f"{row}\r\n\n{row}".encode("utf-8-sig"))
    assert [(row.a, row.b, row.rest["t"]) for row in read_pairs(file)] == [("x.jpg", "y\u2028.jpg", "\x85")] * 2


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_any_other_end_leaves_the_old_file_alone(tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"scores{suffix}"
    out.write_text("precious")
    for error in (ValueError("x"), SystemExit(1), BrokenPipeError(32, "Broken pipe"), UsageError("no such method")):
        with pytest.raises(type(error)) as caught:
            write_and_raise(out, error)
        assert caught.value is error  # an OSError of the block is none of the file's
        assert out.read_text() == "precious"
        assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_a_mistyped_request_leaves_the_old_file_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs, out = write_csv(tmp_path / "p.csv", [[SHIRT, SHIRT]]), tmp_path / "scores.csv"
    out.write_text("precious")
    assert call(capsys, "compare", "--pairs", str(pairs), "--out", str(out), "--method", "nope")[0] == 2
    assert out.read_text() == "precious"


def test_a_closed_generator_keeps_what_is_done(tmp_path: Path) -> None:
    def steps() -> Iterator[None]:
        with scores_file(tmp_path / "scores.csv", [], []) as writer:
            writer.write(FAILED, {})
            yield

    running = steps()
    next(running)
    running.close()  # type: ignore[attr-defined]
    assert "SourceNotFound" in (tmp_path / "scores.csv").read_text(encoding="utf-8")


def test_a_full_disk_is_an_error_of_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("lookalike.scores.flat", full)
    with pytest.raises(OutputError, match="free some space"), scores_file(tmp_path / "s.csv", [], []) as writer:
        writer.write(FAILED, {})
    assert list(tmp_path.iterdir()) == []


def test_a_failed_replace_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: object, target: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OutputError, match="Permission denied"), scores_file(tmp_path / "s.csv", [], []) as writer:
        writer.write(FAILED, {})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.csv").mkdir()
    pairs = write_csv(tmp_path / "p.csv", [[SHIRT, SHIRT]])
    code, _, err = call(capsys, "compare", "--pairs", str(pairs), "--out", str(tmp_path / "d.csv"))
    assert code == OutputError.exit_code
    assert "is a folder" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.csv", "p.csv"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        with scores_file(tmp_path / "s.csv", [], []):
            pass
    finally:
        os.umask(old)
    assert (tmp_path / "s.csv").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_scores_fed_back_in_leave_no_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
    pairs = write_csv(tmp_path / "p.csv", [["a", "b", "part_number"], [SHIRT, str(tmp_path / "x.jpg"), "N-1"]])
    shutil.copy(SHIRT, tmp_path / "x.jpg")
    assert call(capsys, "compare", "--pairs", str(pairs), "--out", str(first), "--method", "phash")[0] == 0
    (tmp_path / "x.jpg").unlink()
    code, _, err = call(capsys, "compare", "--pairs", str(first), "--out", str(second), "--method", "ssim")
    assert code == 3
    assert "not taken over" in err
    [row] = read_pairs(second)
    said = {name: value for name, value in row.rest.items() if value}
    assert said.pop("part_number") == "N-1"
    assert set(said) <= {"error", "error_reason"}
    assert "SourceNotFound" in str(said["error"])


def test_parquet_keeps_its_types_whatever_the_rows(tmp_path: Path) -> None:
    with scores_file(tmp_path / "s.parquet", ["mixed", "huge", "empty", "day", "list"], ["phash"]) as writer:
        day = datetime.date(2020, 1, 1)
        writer.write(FAILED, {"mixed": 1, "huge": 2**70, "empty": {}, "day": day, "list": [1]})
        writer.write(FAILED, {"mixed": "x", "huge": None, "empty": {}, "day": None, "list": []})
    table = pq.read_table(tmp_path / "s.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    assert types["score"] == types["part_phash"] == types["overlap"] == "double"
    assert types["verdict"] == types["error"] == types["a"] == "string"
    assert (types["flip"], types["rotation"], types["inliers"]) == ("bool", "int64", "int64")
    rows = table.to_pylist()
    assert [row["mixed"] for row in rows] == ["1", "x"]
    assert [row["huge"] for row in rows] == [str(2**70), None]
    assert [row["empty"] for row in rows] == ["{}", "{}"]
    assert [row["day"] for row in rows] == [day, None]
    assert [row["list"] for row in rows] == [[1], []]


def test_what_json_does_not_have_becomes_text(tmp_path: Path) -> None:
    with scores_file(tmp_path / "s.jsonl", ["day", "weight"], []) as writer:
        writer.write(FAILED, {"day": datetime.date(2020, 1, 1), "weight": float("nan")})
    row = json.loads((tmp_path / "s.jsonl").read_text(), parse_constant=pytest.fail)
    assert (row["day"], row["weight"]) == ("2020-01-01", None)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_half_a_character_does_not_end_the_run(tmp_path: Path, suffix: str) -> None:
    with scores_file(tmp_path / f"s{suffix}", ["t"], []) as writer:
        writer.write(PairFailure("\ud800.jpg", "y", Failure("y", "X", "z")), {"t": "\udcff"})
    assert len(read_pairs(tmp_path / f"s{suffix}")) == 1


def test_csv_names_with_line_ends_survive(tmp_path: Path) -> None:
    with scores_file(tmp_path / "s.csv", [], []) as writer:
        writer.write(PairFailure("x\ry", "x\r\ny\n", Failure("x", "X", "y")), {})
    assert [(row.a, row.b) for row in read_pairs(tmp_path / "s.csv")] == [("x\ry", "x\r\ny\n")]
    assert (tmp_path / "s.csv").read_bytes().splitlines(keepends=True)[0].endswith(b"error_reason\n")


@pytest.mark.parametrize("tail", [[], ["--json"], ["--quiet"], ["--out", "s.csv"]])
def test_all_pairs_failing_is_an_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tail: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "p.csv", [["no1.jpg", "no2.jpg"]])
    assert call(capsys, "compare", "--pairs", "p.csv", *tail)[0] == 3


def test_quiet_prints_a_number_for_every_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = write_csv(tmp_path / "p.csv", [[SHIRT, SHIRT], [SHIRT, "gone.jpg"], [SHIRT, SHIRT]])
    code, out, err = call(capsys, "compare", "--pairs", str(pairs), "--quiet", "--method", "phash")
    assert code == 0
    assert out == "1.0000\nnan\n1.0000\n"
    assert err.startswith("error: gone.jpg")
    assert err.count("\n") == 1


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_csv_names_survive(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("pairs")
    file = write_csv(folder / "p.csv", [["a", "b"], *(list(pair) for pair in pairs)])
    with scores_file(folder / "s.csv", [], []) as writer:
        for row in read_pairs(file):
            writer.write(PairFailure(row.a, row.b, Failure(row.a, "X", "y")), row.rest)
    assert [(row.a, row.b) for row in read_pairs(folder / "s.csv")] == [(row.a, row.b) for row in read_pairs(file)]


def test_a_row_without_a_picture_is_a_pair_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = write_csv(
        tmp_path / "p.csv", [["a", "b", "id"], [SHIRT, SHIRT, "1"], [SHIRT, "", "2"], [SHIRT, SHIRT, "3"]]
    )
    out = tmp_path / "s.jsonl"
    code, _, err = call(capsys, "compare", "--pairs", str(pairs), "--out", str(out))
    assert code == 0
    assert "1 failed" in err
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert ["error" in row for row in rows] == [False, True, False]


@pytest.mark.parametrize(
    "head", ["a,b", "image1,image2", "Image 1,Image 2", "left,right", "picture_a,picture_b", "URL1,URL2"]
)
def test_columns_of_pictures_by_their_usual_names(tmp_path: Path, head: str) -> None:
    file = tmp_path / "p.csv"
    file.write_text(f"note,{head},label\n1,x.jpg,y.jpg,same\n")
    [row] = read_pairs(file)
    assert (row.a, row.b, row.rest) == ("x.jpg", "y.jpg", {"note": "1", "label": "same"})


def test_columns_of_no_known_name_are_not_taken_for_pictures(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("shoe,other shoe,label\nx.jpg,y.jpg,same\n")
    with pytest.raises(UsageError, match="none of them is known to name pictures; call the columns"):
        read_pairs(file)


def test_what_spreadsheets_add_is_no_row(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("\ufeffsep=;\na;b;label\nx.jpg;y.jpg;same\n;;\n\n z.jpg;y.jpg;different\n;;\n")
    rows = read_pairs(file)
    assert [(row.a.strip(), row.line) for row in rows] == [("x.jpg", 3), ("z.jpg", 6)]
    file.write_text("a\tb\tlabel\nx.jpg\ty.jpg\tsame\n")
    assert [(row.b, row.rest) for row in read_pairs(file)] == [("y.jpg", {"label": "same"})]
    file.write_bytes("a,b\nGrün.jpg,y.jpg\n".encode("latin-1"))
    with pytest.raises(SourceUnreadable, match="save it as CSV UTF-8"):
        read_pairs(file)


def test_a_csv_of_a_european_spreadsheet(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("a;b;label\nx,1.jpg;y.jpg;0,5\n", encoding="utf-8-sig")
    [row] = read_pairs(file)
    assert (row.a, row.b, dict(row.rest)) == ("x,1.jpg", "y.jpg", {"label": "0,5"})


def test_a_part_does_not_replace_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    out.write_text("whole", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        write_and_raise(out, KeyboardInterrupt())
    assert out.read_text(encoding="utf-8") == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_a_table_of_pairs_keeps_its_features(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs, store = write_csv(tmp_path / "p.csv", [[SHIRT, CROPPED]]), tmp_path / "s.db"
    first = call(capsys, "compare", "--pairs", str(pairs), "--store", str(store))
    assert store.stat().st_size > 0
    assert call(capsys, "compare", "--pairs", str(pairs), "--store", str(store)) == first
    assert call(capsys, "compare", SHIRT, CROPPED, "--no-store")[0] == 2
