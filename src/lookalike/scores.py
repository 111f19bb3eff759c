"""Scores of many pairs as a table: CSV, TSV, JSONL or Parquet, in order, failures kept as rows."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from lookalike.errors import OutputError, UsageError
from lookalike.optional import need
from lookalike.types import Comparison, PairFailure

WRITABLE = (".csv", ".tsv", ".jsonl", ".parquet")

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
