"""Many pairs: a table of pairs in, a table of scores out, in order, failures kept as rows."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from lookalike.errors import OutputError, SourceNotFound, SourceUnreadable, UsageError
from lookalike.optional import need
from lookalike.types import Comparison, PairFailure

READABLE = (".csv", ".tsv", ".jsonl", ".parquet")
WRITABLE = (".csv", ".tsv", ".jsonl", ".parquet")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a pairs file: the two sources, and the line's other columns."""

    a: str
    b: str
    rest: Mapping[str, Any]


def read_pairs(path: str | Path) -> list[Row]:
    """The pairs in a CSV, TSV, JSONL or Parquet file.

    Columns called ``a`` and ``b`` name the pictures; without them a CSV or TSV is read as having no header, its first
    two columns being the pictures. Every other column is kept for the output. A relative path counts from the current
    folder, or from the file's own where nothing lies there.

    Raises:
        SourceNotFound, SourceUnreadable: the file is not there, or is no such table.
        UsageError: another suffix, or rows without two pictures.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in READABLE:
        raise UsageError(f"pairs cannot be read from {file.name!r}", remedy=f"use one of {', '.join(READABLE)}")
    try:
        rows = _READERS[suffix](file)
    except FileNotFoundError as error:
        raise SourceNotFound("there is no such file", source=str(path), remedy="check the path") from error
    except (OSError, ValueError) as error:
        raise SourceUnreadable(f"not a table of pairs: {error}", source=str(path)) from error
    made = []
    for number, row in enumerate(rows, 1):
        if not row.get("a") or not row.get("b"):
            raise UsageError(f"{file.name}, row {number}: two pictures are needed, in the columns a and b")
        rest = {key: value for key, value in row.items() if key not in ("a", "b") and key is not None}
        made.append(Row(_beside(str(row["a"]), file), _beside(str(row["b"]), file), rest))
    return made


def _beside(source: str, file: Path) -> str:
    if "://" in source or os.path.isabs(source) or os.path.exists(source):
        return source
    near = file.parent / source
    return str(near) if near.exists() else source


def _read_separated(file: Path, delimiter: str) -> list[dict[str, Any]]:
    with file.open(newline="", encoding="utf-8-sig") as stream:
        lines = [line for line in csv.reader(stream, delimiter=delimiter) if line]
    if not lines:
        return []
    if {"a", "b"} <= set(lines[0]):
        return [dict(zip(lines[0], line, strict=False)) for line in lines[1:]]
    names = ["a", "b", *(f"column{number}" for number in range(3, 1 + max(map(len, lines))))]
    return [dict(zip(names, line, strict=False)) for line in lines]


def _read_jsonl(file: Path) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("every line must be an object")
    return rows


def _read_parquet(file: Path) -> list[dict[str, Any]]:
    if not file.exists():
        raise FileNotFoundError(file)
    rows: list[dict[str, Any]] = need("pyarrow.parquet", extra="parquet").read_table(file).to_pylist()
    return rows


_READERS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    ".csv": lambda file: _read_separated(file, ","),
    ".tsv": lambda file: _read_separated(file, "\t"),
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}

COLUMNS = ("a", "b", "score", "verdict", "reasons", "preset", "model", "flip", "rotation", "inliers", "overlap")
TAIL = ("error", "error_reason")


def flat(result: Comparison | PairFailure, rest: Mapping[str, Any], parts: Sequence[str]) -> dict[str, Any]:
    """A result as one row of a table: :data:`COLUMNS`, a column ``part_NAME`` for each of ``parts``, the error."""
    row: dict[str, Any] = {**rest, "a": result.a, "b": result.b}
    if isinstance(result, PairFailure):
        return {**row, "error": result.failure.kind, "error_reason": result.failure.reason}
    transform = result.transform
    row.update(
        score=result.score,
        verdict=result.verdict,
        reasons="; ".join(result.reasons),
        preset=result.preset,
        model=result.model,
    )
    if transform is not None:
        row.update(
            flip=transform.flip,
            rotation=transform.rotation,
            inliers=transform.inliers,
            overlap=transform.overlap,
        )
    row.update({f"part_{name}": result.parts.get(name) for name in parts})
    return row


class Writer(Protocol):
    """Takes results one by one."""

    def write(self, result: Comparison | PairFailure, rest: Mapping[str, Any]) -> None:
        """Append one result."""


@contextmanager
def scores_file(path: str | Path, extra: Sequence[str], parts: Sequence[str]) -> Iterator[Writer]:
    """A table of scores being written; it appears under its name when the block ends, also when Ctrl-C ends it.

    Args:
        path: ends in .csv, .tsv, .jsonl or .parquet.
        extra: names of the columns taken over from the pairs file.
        parts: names of the parts that get a column; JSONL keeps whatever there is.

    Raises:
        UsageError: another suffix.
        OutputError: the file cannot be written.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    check_writable(file)
    names = [*COLUMNS, *(f"part_{name}" for name in parts), *TAIL]
    names = [*(name for name in extra if name not in names), *names]
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise OutputError(f"cannot write {file}: {error.strerror}", remedy="check folder and permissions") from error
    whole = False
    try:
        with os.fdopen(handle, "wb") as raw:
            writer = _WRITERS[suffix](raw, names, parts)
            try:
                yield writer
            finally:
                writer.close()
                whole = True
    except OSError as error:
        whole = False
        raise OutputError(f"cannot write {file}: {error.strerror}", remedy="free some space") from error
    finally:
        if whole:
            os.replace(temporary, file)
        Path(temporary).unlink(missing_ok=True)


def check_writable(file: Path) -> None:
    """Raise before any work where ``file`` has another suffix or its folder is not there."""
    if file.suffix.lower() not in WRITABLE:
        raise UsageError(f"scores cannot be written to {file.name!r}", remedy=f"use one of {', '.join(WRITABLE)}")
    if not file.parent.is_dir():
        raise OutputError(f"there is no folder {str(file.parent)!r}", remedy="make it first")
    if file.suffix.lower() == ".parquet":
        need("pyarrow.parquet", extra="parquet")


class _Separated:
    delimiter = ","

    def __init__(self, raw: IO[bytes], names: Sequence[str], parts: Sequence[str]) -> None:
        self.parts = parts
        self.text = io.TextIOWrapper(raw, encoding="utf-8", newline="", write_through=True)
        self.table = csv.DictWriter(self.text, names, delimiter=self.delimiter, lineterminator="\n")
        self.table.writeheader()

    def write(self, result: Comparison | PairFailure, rest: Mapping[str, Any]) -> None:
        self.table.writerow(flat(result, rest, self.parts))

    def close(self) -> None:
        self.text.flush()
        self.text.detach()


class _TabSeparated(_Separated):
    delimiter = "\t"


class _Lines:
    def __init__(self, raw: IO[bytes], names: Sequence[str], parts: Sequence[str]) -> None:
        self.raw = raw

    def write(self, result: Comparison | PairFailure, rest: Mapping[str, Any]) -> None:
        self.raw.write(json.dumps({**rest, **result.to_dict()}).encode() + b"\n")

    def close(self) -> None:
        self.raw.flush()


class _Parquet:
    def __init__(self, raw: IO[bytes], names: Sequence[str], parts: Sequence[str]) -> None:
        self.raw, self.names, self.parts = raw, names, parts
        self.rows: list[dict[str, Any]] = []

    def write(self, result: Comparison | PairFailure, rest: Mapping[str, Any]) -> None:
        row = flat(result, rest, self.parts)
        self.rows.append({name: row.get(name) for name in self.names})

    def close(self) -> None:
        arrow, parquet = need("pyarrow", extra="parquet"), need("pyarrow.parquet", extra="parquet")
        columns: dict[str, Iterable[Any]] = {name: [row[name] for row in self.rows] for name in self.names}
        parquet.write_table(arrow.table(columns), self.raw)


_WRITERS: dict[str, Callable[[IO[bytes], Sequence[str], Sequence[str]], Any]] = {
    ".csv": _Separated,
    ".tsv": _TabSeparated,
    ".jsonl": _Lines,
    ".parquet": _Parquet,
}
