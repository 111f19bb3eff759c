"""Tables of pairs: CSV, TSV, JSONL or Parquet in, sources and the other columns out."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.errors import SourceNotFound, SourceUnreadable, UsageError, printable
from lookalike.optional import need

LINE = "\0line"
"""Where a row stands in its file: no table has a column of that name."""

READABLE = (".csv", ".tsv", ".jsonl", ".parquet")


NAMES = (
    ("a", "b"),
    *(tuple(f"{word}{space}{each}" for each in ("a", "b")) for word in ("image", "picture", "file") for space in " _"),
    *(tuple(f"{word}{space}{each}" for each in "12") for word in ("image", "img", "picture", "file", "path", "url")
      for space in ("", " ", "_")),
    *(("left", "right"), ("first", "second"), ("source", "target"), ("query", "candidate")),
)  # fmt: skip
"""What the columns of the two pictures are called, in any case."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a pairs file: the two sources, and the line's other columns.

    ``line`` is where it stands in the file, counted from 1; 0 where that says nothing.
    """

    a: str
    b: str
    rest: Mapping[str, Any]
    line: int = 0


def read_pairs(path: str | Path) -> list[Row]:
    """The pairs in a CSV, TSV, JSONL or Parquet file.

    Columns called ``a`` and ``b`` name the pictures, or a pair of :data:`NAMES`; without them a CSV or TSV is read as
    having no header, its first two columns being the pictures. Every other column is kept for the output. A relative
    path counts from the current folder, or from the file's own where nothing lies there.

    Raises:
        SourceNotFound, SourceUnreadable: the file is not there, or is no such table.
        UsageError: another suffix, no rows, no row with two pictures, or a header with only one of ``a`` and ``b``.
    """
    file = Path(path)
    rows = _rows(file, _READERS)
    made = []
    if not any(row.get("a") and row.get("b") for row in rows):
        raise UsageError(
            f"no row of {printable(file.name)} names two pictures", remedy="call the columns of the pictures a and b"
        )
    for row in rows:
        rest = {key: value for key, value in row.items() if key not in ("a", "b", LINE) and key is not None}
        # a row without one of its pictures is a pair that fails, not the end of the run
        a, b = (beside(str(row.get(name) or ""), file) for name in ("a", "b"))
        made.append(Row(a, b, rest, row.get(LINE, 0)))
    return made


def read_table(path: str | Path) -> list[dict[str, Any]]:
    """The rows of any table in the same formats, by the names in its header, which it must have.

    Raises:
        SourceNotFound, SourceUnreadable, UsageError: as :func:`read_pairs`.
    """
    rows = _rows(Path(path), {**_READERS, ".csv": _headed(","), ".tsv": _headed("\t")})
    return [{name: value for name, value in row.items() if name != LINE} for row in rows]


def _rows(file: Path, readers: Mapping[str, Callable[[Path], list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    suffix = file.suffix.lower()
    if suffix not in READABLE:
        raise UsageError(f"pairs cannot be read from {file.name!r}", remedy=f"use one of {', '.join(READABLE)}")
    try:
        rows = readers[suffix](file)
    except FileNotFoundError as error:
        raise SourceNotFound("there is no such file", source=str(file), remedy="check the path") from error
    except (OSError, ValueError, csv.Error, RecursionError) as error:  # RecursionError: JSON nested beyond reason
        if isinstance(error, UnicodeDecodeError):
            reason = "not a table of pairs: its letters are not UTF-8, as those that Excel writes often are"
            raise SourceUnreadable(reason, source=str(file), remedy="save it as CSV UTF-8") from error
        raise SourceUnreadable(f"not a table of pairs: {error}", source=str(file)) from error
    if not rows:
        raise UsageError(f"no pairs in {printable(file.name)}", remedy="give it a row for each pair")
    return rows


def beside(source: str, file: Path) -> str:
    """The source as it is, or, where nothing lies there, from the folder of ``file`` if it leads somewhere then."""
    if not source or "://" in source or os.path.isabs(source) or os.path.exists(source):
        return source
    near = os.path.join(file.parent, source)
    return near if os.path.exists(near) else source


def _lines(file: Path, delimiter: str) -> list[tuple[int, list[str]]]:
    """The lines that hold anything, with their numbers. A first line ``sep=;`` is Excel's word for the delimiter."""
    with file.open(newline="", encoding="utf-8-sig") as stream:
        start = 0
        first = stream.readline()
        if first.lower().startswith("sep=") and len(first.strip()) == 5:
            delimiter, start = first.strip()[4], 1
        else:
            stream.seek(0)
        reader = csv.reader(stream, delimiter=delimiter)
        lines = [(start + reader.line_num, line) for line in reader if any(cell.strip() for cell in line)]
    if lines and delimiter == "," and len(lines[0][1]) == 1:
        for other in ";\t":  # as spreadsheets write it in half of Europe, and where cells were copied
            if other in lines[0][1][0]:
                return _lines(file, other)
    return lines


def _headed(delimiter: str) -> Callable[[Path], list[dict[str, Any]]]:
    def read(file: Path) -> list[dict[str, Any]]:
        (_, head), *lines = _lines(file, delimiter) or [(0, [])]
        return [_row(head, number, line) for number, line in lines]

    return read


def _row(names: Sequence[str], number: int, line: Sequence[str]) -> dict[str, Any]:
    return {**dict(zip(names, line, strict=False)), LINE: number}


def _read_separated(file: Path, delimiter: str) -> list[dict[str, Any]]:
    lines = _lines(file, delimiter)
    if not lines:
        return []
    head = _with_names(lines[0][1])
    named = {"a", "b"} & set(head)
    if len(named) == 1 and not any("." in cell or "/" in cell for cell in head[:2]):  # else these are two pictures
        missing = "b" if "a" in named else "a"
        raise UsageError(
            f"{printable(file.name)} has a column {named.pop()!r} and none called {missing!r}",
            remedy="call the columns of the pictures a and b",
        )
    if len(named) == 2:
        return [_row(head, number, line) for number, line in lines[1:]]
    if len(lines) > 1 and not _like_files(head) and all(_like_files(line) for _, line in lines[1:]):
        raise UsageError(
            f"{printable(file.name)} has the columns {printable(', '.join(head))}, and none of them is known to name "
            "pictures",
            remedy="call the columns of the pictures a and b",
        )
    names = ["a", "b", *(f"column{number}" for number in range(3, 1 + max(len(line) for _, line in lines)))]
    return [_row(names, number, line) for number, line in lines]


def _like_files(line: Sequence[str]) -> bool:
    """Whether the first two cells may name files or addresses."""
    return len(line) > 1 and all("." in cell or "/" in cell or "\\" in cell for cell in line[:2])


def _with_names(head: Sequence[str]) -> list[str]:
    """The header with the columns of the pictures called ``a`` and ``b``, if two of :data:`NAMES` are among them."""
    if {"a", "b"} <= set(head):
        return list(head)
    plain = [cell.strip().lower() for cell in head]
    for a, b in NAMES:
        if plain.count(a) == plain.count(b) == 1:
            called = {plain.index(a): "a", plain.index(b): "b"}
            return [called.get(number, cell) for number, cell in enumerate(head)]
    return list(head)


def _read_jsonl(file: Path) -> list[dict[str, Any]]:
    with file.open(encoding="utf-8-sig", newline="\n") as stream:  # only \n ends a line: U+2028 may stand in a string
        rows = [(number, json.loads(line)) for number, line in enumerate(stream, 1) if line.strip()]
    if not all(isinstance(row, dict) for _, row in rows):
        raise ValueError("every line must be an object")
    return [{**row, LINE: number} for number, row in rows]


def _read_parquet(file: Path) -> list[dict[str, Any]]:
    arrow, parquet = need("pyarrow", extra="parquet"), need("pyarrow.parquet", extra="parquet")
    if not file.exists():
        raise FileNotFoundError(file)
    try:
        # no partitioning: a folder called a=1 would otherwise become a column
        rows: list[dict[str, Any]] = parquet.read_table(file, partitioning=None).to_pylist()
    except arrow.ArrowException as error:  # not all of them are ValueErrors
        raise ValueError(str(error)) from error
    return rows


_READERS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    ".csv": lambda file: _read_separated(file, ","),
    ".tsv": lambda file: _read_separated(file, "\t"),
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
