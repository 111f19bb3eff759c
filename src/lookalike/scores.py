"""Scores of many pairs as a table: CSV, TSV, JSONL or Parquet, in order, failures kept as rows."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from lookalike.errors import OutputError, UsageError, printable
from lookalike.features.base import REGISTRY
from lookalike.files import appearing_whole, cannot_write
from lookalike.optional import need
from lookalike.scoring.presets import PRESETS
from lookalike.scoring.terms import SPECIAL
from lookalike.types import Comparison, PairFailure

WRITABLE = (".csv", ".tsv", ".jsonl", ".parquet")

COLUMNS = (
    *("a", "b", "score", "verdict", "probability", "reasons", "preset", "model"),
    *("flip", "rotation", "inliers", "overlap"),
)
TAIL = ("error", "error_reason")

OURS = frozenset(
    [*COLUMNS, *TAIL, "parts", "transform", "details", *(f"part_{name}" for name in (*SPECIAL, *REGISTRY, *PRESETS))]
)
"""Names a result may use, in any format. Columns called so in a pairs file are not taken over: of a pair that fails
they would tell what an older run found."""


def taken_over(rest: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a pairs file that go into the scores: all but :data:`OURS`.

    >>> taken_over({"label": "1", "score": "0.97", "part_number": "X-1", "part_ssim": "0.9"})
    {'label': '1', 'part_number': 'X-1'}
    """
    return {name: value for name, value in rest.items() if name not in OURS}


def flat(result: Comparison | PairFailure, rest: Mapping[str, Any], parts: Sequence[str]) -> dict[str, Any]:
    """A result as one row of a table: :data:`COLUMNS`, a column ``part_NAME`` for each of ``parts``, the error."""
    row: dict[str, Any] = {**taken_over(rest), "a": result.a, "b": result.b}
    if isinstance(result, PairFailure):
        return {**row, "error": result.failure.kind, "error_reason": result.failure.reason}
    transform = result.transform
    row.update(
        score=result.score,
        verdict=result.verdict,
        probability=result.probability,
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


class Writer:
    """Takes results one by one, for a table that :func:`scores_file` opened."""

    def __init__(self, file: Path, table: Any) -> None:
        self.file, self.table = file, table

    def write(self, result: Comparison | PairFailure, rest: Mapping[str, Any]) -> None:
        """Append one result, and of ``rest`` what :func:`taken_over` leaves.

        Raises:
            OutputError: the file cannot be written, as on a full disk.
        """
        with cannot_write(self.file):
            self.table.write(result, rest)


@contextmanager
def scores_file(
    path: str | Path, extra: Sequence[str], parts: Sequence[str], *, failures: bool = True
) -> Iterator[Writer]:
    """A table of scores being written; it appears under its name when the block ends.

    So it does when Ctrl-C or the closing of a generator ends the block, with what was written until then, unless there
    is an older file of that name: a part does not replace a whole. Any other exception leaves nothing behind.

    Args:
        path: ends in .csv, .tsv, .jsonl or .parquet.
        extra: names of the columns taken over from the pairs file; those in :data:`OURS` are not.
        parts: names of the parts that get a column; JSONL keeps whatever there is.
        failures: there may be failures, which need the columns :data:`TAIL`.

    Raises:
        UsageError: another suffix.
        OutputError: the file cannot be written.
    """
    file = Path(path)
    check_writable(file)
    names = [*COLUMNS, *(f"part_{name}" for name in parts), *(TAIL if failures else ())]
    names = [*(name for name in extra if name not in OURS), *names]
    stopped: BaseException | None = None
    with appearing_whole(file) as raw:
        with cannot_write(file):
            table = _WRITERS[file.suffix.lower()](raw, names, parts)
        try:
            yield Writer(file, table)
        except (KeyboardInterrupt, GeneratorExit) as error:
            if file.exists():
                raise
            stopped = error
        with cannot_write(file):
            table.close()
    if stopped is not None:
        raise stopped


def check_writable(file: Path, suffixes: Sequence[str] = WRITABLE) -> None:
    """Raise before any work where ``file`` has another suffix, is a folder, or its folder is not there."""
    if file.suffix.lower() not in suffixes:
        raise UsageError(
            f"scores cannot be written to {printable(file.name)!r}", remedy=f"use one of {', '.join(suffixes)}"
        )
    if not file.parent.is_dir():
        raise OutputError(f"there is no folder {printable(str(file.parent))!r}", remedy="make it first")
    if file.is_dir():
        raise OutputError(f"{printable(str(file))} is a folder", remedy="name a file")
    if file.suffix.lower() == ".parquet":
        need("pyarrow.parquet", extra="parquet")


class _Separated:
    delimiter = ","

    def __init__(self, raw: IO[bytes], names: Sequence[str], parts: Sequence[str]) -> None:
        self.parts = parts
        self.text = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)
        self.table = csv.DictWriter(_PlainEnds(self.text), names, delimiter=self.delimiter, lineterminator="\r\n")
        self.table.writeheader()

    def write(self, result: Comparison | PairFailure, rest: Mapping[str, Any]) -> None:
        self.table.writerow(flat(result, rest, self.parts))

    def close(self) -> None:
        self.text.flush()
        self.text.detach()


class _PlainEnds:
    """Ends lines in \\n although csv was told \\r\\n: only then does it quote a lone \\r inside a field."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text = text

    def write(self, line: str) -> int:
        return self.text.write(line.removesuffix("\r\n") + "\n")


class _TabSeparated(_Separated):
    delimiter = "\t"


class _Lines:
    def __init__(self, raw: IO[bytes], names: Sequence[str], parts: Sequence[str]) -> None:
        self.raw = raw

    def write(self, result: Comparison | PairFailure, rest: Mapping[str, Any]) -> None:
        kept = {name: None if _no_number(value) else value for name, value in taken_over(rest).items()}
        # dates and such, which Parquet has and JSON has not, become text
        self.raw.write(json.dumps({**kept, **result.to_dict()}, default=str).encode() + b"\n")

    def close(self) -> None:
        self.raw.flush()


def _no_number(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


class _Parquet:
    def __init__(self, raw: IO[bytes], names: Sequence[str], parts: Sequence[str]) -> None:
        self.raw, self.names, self.parts = raw, names, parts
        self.rows: list[dict[str, Any]] = []

    def write(self, result: Comparison | PairFailure, rest: Mapping[str, Any]) -> None:
        self.rows.append(flat(result, rest, self.parts))

    def close(self) -> None:
        parquet = need("pyarrow.parquet", extra="parquet")
        parquet.write_table(arrow_table(self.rows, self.names), self.raw)


def arrow_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Any:
    """Rows that :func:`flat` made as a ``pyarrow.Table`` with the columns ``names``."""
    arrow = need("pyarrow", extra="parquet")
    return arrow.table({name: _column(name, [row.get(name) for row in rows]) for name in names})


_TYPES = {"score": "float64", "probability": "float64", "overlap": "float64"}
_TYPES |= {"rotation": "int64", "inliers": "int64", "flip": "bool"}


def _column(name: str, values: list[Any]) -> Any:
    """An Arrow array: ours of a type that never depends on the rows, others of their own or, where mixed, as text."""
    arrow = need("pyarrow", extra="parquet")
    if name in OURS:
        kind = _TYPES.get(name, "float64" if name.startswith("part_") else "string")
        return arrow.array(map(_text, values) if kind == "string" else values, arrow.type_for_alias(kind))
    try:
        array = arrow.array(values)
        if arrow.types.is_nested(array.type):  # some are no Parquet, such as objects without a key
            need("pyarrow.parquet", extra="parquet").write_table(arrow.table({name: array}), arrow.BufferOutputStream())
    except (arrow.ArrowException, ValueError, TypeError, OverflowError):
        array = arrow.array(map(_text, values), arrow.string())
    return array


def _text(value: object) -> str | None:
    if value is None:
        return None
    text = json.dumps(value, default=str) if isinstance(value, (dict, list)) else str(value)
    return text.encode("utf-8", "backslashreplace").decode()


_WRITERS: dict[str, Callable[[IO[bytes], Sequence[str], Sequence[str]], Any]] = {
    ".csv": _Separated,
    ".tsv": _TabSeparated,
    ".jsonl": _Lines,
    ".parquet": _Parquet,
}
