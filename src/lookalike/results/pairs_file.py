"""The pairs that were found as a table: a file of lines, CSV, Parquet or JSON, or a data frame in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike import scores
from lookalike.files import appearing_whole, cannot_write
from lookalike.optional import need
from lookalike.types import Comparison, Grouping

if TYPE_CHECKING:
    import pandas
    import pyarrow

WRITABLE = (*scores.WRITABLE, ".json")

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""What a cell of a spreadsheet must not begin with: the program would compute it."""


def write_pairs(grouping: Grouping, path: str | Path) -> Path:
    """Write every pair of ``grouping``, the most alike first; the file appears whole or not at all.

    Args:
        grouping: what was found.
        path: its suffix chooses the format. ``.jsonl`` has a line for each pair, ``{"a": …, "b": …, "score": …,
            "verdict": …, "parts": {…}, "transform": {…}, …}``, all that :meth:`~lookalike.types.Comparison.to_dict`
            gives; ``.json`` is one array of the same lines. ``.csv``, ``.tsv`` and ``.parquet`` have a row for each
            pair and a column ``part_NAME`` for each method that ran.

    Raises:
        UsageError: another suffix.
        OutputError: the file cannot be written; an older one stays as it was.
        MissingExtra: Parquet, and pyarrow is not installed.
    """
    file = Path(path)
    check_pairs_file(file)
    if file.suffix.lower() == ".json":
        _write_array(grouping.pairs, file)
        return file
    with scores.scores_file(file, (), _parts(grouping.pairs), failures=False) as table:
        for pair in grouping.pairs:
            table.write(_no_formula(pair) if file.suffix.lower() in (".csv", ".tsv") else pair, {})
    return file


def check_pairs_file(path: str | Path) -> None:
    """Raise what :func:`write_pairs` would, before any work, where ``path`` cannot be written for certain."""
    scores.check_writable(Path(path), WRITABLE)


def to_arrow(grouping: Grouping) -> pyarrow.Table:
    """The pairs as an Arrow table: :data:`lookalike.scores.COLUMNS` and a column ``part_NAME`` for each method.

    The types do not depend on the rows. A name that is no Unicode, as Unix allows, has its odd bytes as ``\\udcXX``.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    parts = _parts(grouping.pairs)
    rows = [scores.flat(pair, {}, parts) for pair in grouping.pairs]
    return scores.arrow_table(rows, [*scores.COLUMNS, *(f"part_{name}" for name in parts)])


def to_pandas(grouping: Grouping) -> pandas.DataFrame:
    """The pairs as a data frame, its columns those of :func:`to_arrow`.

    Raises:
        MissingExtra: pandas or pyarrow is not installed.
    """
    need("pandas", extra="pandas")
    frame: pandas.DataFrame = to_arrow(grouping).to_pandas()
    return frame


def _parts(pairs: Iterable[Comparison]) -> list[str]:
    """Names of all methods that ran, in the order in which they first appear."""
    return list(dict.fromkeys(name for pair in pairs for name in pair.parts))


def _write_array(pairs: Iterable[Comparison], file: Path) -> None:
    with appearing_whole(file) as raw, cannot_write(file):
        before = b"[\n"
        for pair in pairs:
            raw.write(before + json.dumps(pair.to_dict()).encode())
            before = b",\n"
        raw.write((b"[" if before == b"[\n" else b"\n") + b"]\n")


def _no_formula(pair: Comparison) -> Comparison:
    """``pair`` with ``./`` before names that a spreadsheet would compute: they still name the same files."""
    a, b = (f"./{name}" if name.startswith(_FORMULA) else name for name in (pair.a, pair.b))
    return pair if (a, b) == (pair.a, pair.b) else replace(pair, a=a, b=b)
