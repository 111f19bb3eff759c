"""What goes into a catalogue: pictures of folders, and rows of tables, one after another."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from lookalike.errors import SourceNotFound, SourceUnreadable, UsageError, printable
from lookalike.images.scan import Found, Scan, scan
from lookalike.index.conditions import as_plain
from lookalike.index.items import each_of
from lookalike.optional import need
from lookalike.pairs import READABLE, beside
from lookalike.types import Failure

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,8})(\.\d{1,9})?")

SOURCES = ("source", "image", "picture", "file", "path", "url", "image_url", "image_link", "img", "photo", "filename")
"""What the column of the picture is called, in any case, the first of them that is there."""

IDS = ("id", "sku", "key", "item_id", "product_id", "asin")
"""What the column of the id is called."""

TAGS = ("tags", "tag", "keywords", "labels", "label", "categories", "category")
"""What the column of the tags is called."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture for a catalogue.

    Attributes:
        source: path or URL.
        id: the caller's own name for it; None for one made of ``name``.
        tags: words it may be filtered by.
        data: anything else, as JSON knows it.
        found: the file as the scan saw it, where there was one.
        name: what it may be called where no other picture is called so.

    Raises:
        UsageError: a source that is no path and no URL, or data that is no table of names and values.

    >>> Entry("photos/17.jpg", 17, tags="dress")
    Entry(source='photos/17.jpg', id='17', tags=('dress',), data={}, found=None, name='')
    """

    source: str
    id: str | None = None
    tags: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    found: Found | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.source, (str, os.PathLike)):
            raise UsageError(
                f"an entry names its picture by a path or URL, not by {type(self.source).__name__}",
                remedy="write the picture to a file: searching opens it again",
            )
        if not isinstance(self.data, Mapping):
            raise UsageError("the data of an entry is a table of names and values", remedy='such as {"price": 39.9}')
        object.__setattr__(self, "source", os.fspath(self.source))
        object.__setattr__(self, "id", None if self.id is None else str(self.id))
        object.__setattr__(self, "tags", tuple(each_of(self.tags)))


def entry_of(given: Entry | str | os.PathLike[str]) -> Entry:
    """An entry as it is, or one of a path or URL alone."""
    return given if isinstance(given, Entry) else Entry(given)  # type: ignore[arg-type]


def seen(source: str) -> Found | None:
    """The file as it is now; None where there is none, or none of this machine."""
    if "://" in source:
        return None
    try:
        about = os.stat(source)
    except (OSError, ValueError):
        return None
    return Found(source, about.st_size, about.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table mean what; None for the usual names.

    Attributes:
        source, id: columns of the picture and of its id.
        tags: columns whose words become tags.
    """

    source: str | None = None
    id: str | None = None
    tags: tuple[str, ...] = ()


def of_folders(
    sources: Sequence[str | os.PathLike[str]],
    *,
    recursive: bool = True,
    hidden: bool = False,
    folder_tags: bool = False,
) -> tuple[list[Entry], tuple[Failure, ...]]:
    """An entry for every picture in folders, and what was left out.

    A picture is called by its path from the folder that was named, that folder's own name included, and keeps the id
    that it got first, however it is named later.

    Args:
        sources: folders, files and patterns, see :func:`lookalike.images.scan.scan`.
        recursive, hidden: as there.
        folder_tags: the folders between the one that was named and the picture become its tags.
    """
    named = [os.path.abspath(source) for source in sources if os.path.isdir(source)]
    found: Scan = scan(sources, recursive=recursive, hidden=hidden)
    entries = []
    for file in found.files:
        path = os.path.abspath(file.path)
        root = max((folder for folder in named if path.startswith(os.path.join(folder, ""))), key=len, default="")
        inside = os.path.relpath(path, root) if root else os.path.basename(path)
        below = Path(inside).parent.parts
        name = Path(os.path.basename(root), inside).as_posix() if root else inside
        there = Found(path, file.size, file.mtime_ns)
        entries.append(Entry(path, None, below if folder_tags else (), {}, there, name))
    return entries, found.skipped


def of_table(path: str | os.PathLike[str], columns: Columns = Columns()) -> Iterator[Entry]:
    """An entry for every row of a CSV, TSV, JSONL or Parquet file, read as they are asked for.

    Tags stand in one cell, parted by ``,``, ``;`` or ``|``, or as a JSON list. Columns that mean nothing else become
    the entry's data. A relative path counts from the current folder, or from the table's own.

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
        rows = _ROWS[file.suffix.lower()](file)
        first = next(rows, None)
        if first is None:
            raise UsageError(f"no rows in {printable(file.name)}", remedy="give it a row for each picture")
        reading = _Reading(file, columns, list(first))
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
        # in these two everything is text
        self.cell = _number if file.suffix.lower() in (".csv", ".tsv") else _plain
        self.tags = [*filter(None, (_column(file, names, name, ()) for name in columns.tags)), *usual]

    def entry(self, row: Mapping[str, Any]) -> Entry:
        assert self.source is not None
        source = beside(str(row.get(self.source) or "").strip(), self.file)
        given = row.get(self.id) if self.id is not None else None
        plain = {
            str(name): self.cell(value)
            for name, value in row.items()
            if name is not None and name not in (self.source, self.id, *self.tags) and value not in (None, "")
        }
        tags = dict.fromkeys(tag for name in self.tags for tag in tags_of(row.get(name)))
        name = None if given in (None, "") else str(given).strip()
        if "://" not in source and source:
            source = os.path.abspath(source)
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


def _number(cell: Any) -> Any:
    """A cell that is a number and nothing else as that number: ``39.90``, and not ``007``, a telephone or an EAN."""
    return (
        cell if not isinstance(cell, str) or not _NUMBER.fullmatch(cell) else float(cell) if "." in cell else int(cell)
    )


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


def _separated(delimiter: str) -> Any:
    def rows(file: Path) -> Iterator[dict[str, Any]]:
        with file.open(newline="", encoding="utf-8-sig") as stream:
            mark, head = delimiter, stream.readline()
            if head.lower().startswith("sep=") and len(head.strip()) == 5:  # Excel's word for it
                mark, head = head.strip()[4], stream.readline()
            elif mark not in head:
                mark = next((other for other in ";\t," if other in head), mark)
            names = next(csv.reader([head], delimiter=mark), [])
            for row in csv.DictReader(stream, names, delimiter=mark, restkey=None):
                if any(row.get(name) for name in names):
                    yield row

    return rows


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


_ROWS: dict[str, Any] = {".csv": _separated(","), ".tsv": _separated("\t"), ".jsonl": _lines, ".parquet": _parquet}
