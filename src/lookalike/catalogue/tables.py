"""Rows of a table → entries of a catalogue."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from lookalike.catalogue.cells import Cells
from lookalike.catalogue.entries import Columns, Entry, located, seen
from lookalike.errors import SourceNotFound, SourceUnreadable, UsageError, printable
from lookalike.index.conditions import as_plain
from lookalike.optional import need
from lookalike.pairs import READABLE, beside

SOURCES = ("source", "image", "picture", "file", "path", "url", "image_url", "image_link", "img", "photo", "filename")
"""What the column of the picture is called, in any case, the first of them that is there."""

IDS = ("id", "sku", "key", "item_id", "product_id", "asin")
"""What the column of the id is called."""

TAGS = ("tags", "tag", "keywords", "labels", "label", "categories", "category")
"""What the column of the tags is called."""


def of_table(
    path: str | os.PathLike[str],
    columns: Columns = Columns(),  # noqa: B008 - frozen
    notices: list[str] | None = None,
) -> Iterator[Entry]:
    """An entry for every row of a CSV, TSV, JSONL or Parquet file, read as they are asked for.

    Tags stand in one cell, parted by ``|``, else ``;``, else ``,``, or as a JSON list. Columns that mean nothing else
    become the entry's data. A relative path counts from the current folder, or from the table's own. A CSV is read
    through once before, to tell columns of numbers from columns of codes.

    Args:
        path: the file.
        columns: which of its columns mean what.
        notices: what a person should know of the table is added here.

    Raises:
        SourceNotFound, SourceUnreadable: the file is not there, or is no such table.
        UsageError: another suffix, or no column of pictures.
    """
    file = Path(path)
    if file.suffix.lower() not in READABLE:
        raise UsageError(f"entries cannot be read from {file.name!r}", remedy=f"use one of {', '.join(READABLE)}")
    if not file.is_file():
        raise SourceNotFound("there is no such file", source=str(file), remedy="check the path")
    try:
        suffix = file.suffix.lower()
        rows = _ROWS[suffix](file)
        first = next(rows, None)
        if first is None:
            raise UsageError(f"no rows in {printable(file.name)}", remedy="give it a row for each picture")
        reading = _Reading(file, columns, list(first))
        if suffix in _MARKS:
            cells = Cells(_separated(file), comma=_head(file)[0] == ";")
            reading.cell = cells.value
            if notices is not None:
                notices += cells.notices(name for name in first if reading.is_data(name))
        yield reading.entry(first)
        for row in rows:
            yield reading.entry(row)
    except (OSError, ValueError, csv.Error, RecursionError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise SourceUnreadable(
                "its letters are not UTF-8", source=str(file), remedy="save it anew as CSV in UTF-8"
            ) from error
        raise SourceUnreadable(f"not a table of pictures: {error}", source=str(file)) from error


class _Reading:
    """Rows of one table → entries."""

    def __init__(self, file: Path, columns: Columns, names: Sequence[str]) -> None:
        self.file = file
        self.source = _column(file, names, columns.source, SOURCES)
        self.id = _column(file, names, columns.id, IDS, needed=columns.id is not None)
        if self.source is None:
            raise UsageError(
                f"{printable(file.name)} has the columns {printable(', '.join(names))}, and none of them is known to "
                "name pictures",
                remedy="say which with --column source=NAME",
            )
        usual = [name for name in names if name.strip().lower() in TAGS] if not columns.tags else []
        self.cell: Callable[[str, Any], Any] = lambda _, cell: _plain(cell)
        self.tags = [*filter(None, (_column(file, names, name, ()) for name in columns.tags)), *usual]

    def is_data(self, name: str | None) -> bool:
        """Whether a column is one of those that mean nothing else."""
        return name is not None and name not in (self.source, self.id, *self.tags)

    def entry(self, row: Mapping[str, Any]) -> Entry:
        assert self.source is not None
        source = located(beside(str(row.get(self.source) or "").strip(), self.file))
        given = row.get(self.id) if self.id is not None else None
        plain = {
            str(name): self.cell(name, value)
            for name, value in row.items()
            if self.is_data(name) and value not in (None, "")
        }
        tags = dict.fromkeys(tag for name in self.tags for tag in tags_of(row.get(name)))
        name = None if given in (None, "") else str(given).strip()
        return Entry(source, name, tuple(tags), plain, seen(source))


def _plain(value: Any) -> Any:
    """A cell as JSON knows it: days as their text, what is no number as nothing."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, Decimal):
        return as_plain(value) if value.is_finite() else None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def tags_of(cell: Any) -> list[str]:
    """The words of one cell.

    >>> tags_of("dress, red"), tags_of('["long dress"]'), tags_of(["a", "b"]), tags_of(None)
    (['dress', 'red'], ['long dress'], ['a', 'b'], [])
    """
    if cell is None:
        return []
    if isinstance(cell, str) and cell.lstrip().startswith("["):
        try:
            cell = json.loads(cell)
        except ValueError:
            cell = cell.strip().strip("[]")
    if isinstance(cell, str):
        for mark in "|;,":
            if mark in cell:
                cell = cell.split(mark)
                break
    parts: Iterable[Any] = cell if isinstance(cell, (list, tuple)) else [cell]
    return [text for part in parts if part is not None and (text := str(part).strip())]


def _column(
    file: Path, names: Sequence[str], asked: str | None, usual: Sequence[str], *, needed: bool = True
) -> str | None:
    if asked is not None:
        if asked not in names:
            raise UsageError(
                f"{printable(file.name)} has no column {printable(asked, 60)!r}",
                remedy=f"it has {printable(', '.join(map(str, names)))}",
            )
        return asked
    plain = {str(name).strip().lower(): name for name in names if name is not None}
    return next((plain[name] for name in usual if name in plain), None)


_MARKS = {".csv": ",", ".tsv": "\t"}
"""What parts the columns, where the head has it."""


def _head(file: Path) -> tuple[str, list[str], int]:
    """What parts the columns, their names, and how many lines say so."""
    with file.open(newline="", encoding="utf-8-sig") as stream:
        mark, head, lines = _MARKS[file.suffix.lower()], stream.readline(), 1
        if head.lower().startswith("sep=") and len(head.strip()) == 5:  # Excel's word for it
            mark, head, lines = head.strip()[4], stream.readline(), 2
        elif mark not in head:
            mark = next((other for other in ";\t," if other in head), mark)
    return mark, next(csv.reader([head], delimiter=mark), []), lines


def _separated(file: Path) -> Iterator[dict[str, Any]]:
    mark, names, lines = _head(file)
    with file.open(newline="", encoding="utf-8-sig") as stream:
        for _ in range(lines):
            stream.readline()
        for row in csv.DictReader(stream, names, delimiter=mark, restkey=None):
            if any(row.get(name) for name in names):
                yield row


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8-sig", newline="\n") as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError(f"line {number} is no object")
                yield row


def _parquet(file: Path) -> Iterator[dict[str, Any]]:
    arrow, parquet = need("pyarrow", extra="parquet"), need("pyarrow.parquet", extra="parquet")
    try:
        for batch in parquet.ParquetFile(file).iter_batches(batch_size=4096):
            yield from batch.to_pylist()
    except arrow.ArrowException as error:
        raise ValueError(str(error)) from error


_ROWS: dict[str, Any] = {".csv": _separated, ".tsv": _separated, ".jsonl": _lines, ".parquet": _parquet}
