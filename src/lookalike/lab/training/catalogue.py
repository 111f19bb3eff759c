"""The pictures that training is about, and what each shows, where that is known."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from lookalike.errors import SourceNotFound, UsageError, printable
from lookalike.images.scan import scan
from lookalike.lab.datasets.own import COLUMNS
from lookalike.lab.datasets.read import read_dataset
from lookalike.pairs import beside, read_table

TABLES = (".csv", ".tsv", ".jsonl", ".parquet")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Pictures with their labels.

    Attributes:
        paths: files or addresses, each once, in their order.
        labels: what each shows; empty where that is not known.
        name: of the table or folder, for messages.
        notices: what a person should know, a line each.
    """

    paths: tuple[str, ...]
    labels: tuple[str, ...]
    name: str
    notices: tuple[str, ...] = ()

    @property
    def labelled(self) -> bool:
        """Whether any picture has a label."""
        return any(self.labels)

    def bare(self) -> Catalogue:
        """The same pictures, their labels forgotten."""
        return Catalogue(self.paths, ("",) * len(self.paths), self.name, self.notices)


def read_catalogue(
    source: str | os.PathLike[str], *, picture_column: str | None = None, label_column: str | None = None
) -> Catalogue:
    """A table with a row for each picture, or a folder: with one for each label in it, or with pictures alone.

    Args:
        source: CSV, TSV, JSONL or Parquet; or a folder in one of the layouts of :mod:`lookalike.lab.datasets.read`.
        picture_column, label_column: of a table; by default the first that is called like one, such as path, image
            or picture, and product, sku, label or class. A table without a column of labels has none.

    Raises:
        SourceNotFound, SourceUnreadable: it is not there, is no such table, or has no picture.
        UsageError: a column is missing, or columns are named for a folder.
    """
    path = Path(source)
    if path.suffix.lower() in TABLES:
        return _of_table(path, picture_column, label_column)
    if picture_column or label_column:
        raise UsageError(f"{printable(str(source))} is no table: it has no columns", remedy="leave them out")
    try:
        found = read_dataset(source)
    except SourceNotFound:
        files = scan(source).files
        if not files:
            raise
        return Catalogue(tuple(file.path for file in files), ("",) * len(files), path.name)
    labels = tuple(picture.product for picture in found.pictures)
    return Catalogue(tuple(picture.path for picture in found.pictures), labels, path.name, found.notices)


def _of_table(path: Path, picture_column: str | None, label_column: str | None) -> Catalogue:
    rows = read_table(path)
    names = [str(name) for name in rows[0]]
    picture = _column(path, names, picture_column, "path", "--picture-column")
    label = _column(path, names, label_column, "product", "--label-column")
    if picture is None:
        raise UsageError(
            f"no column of {printable(path.name)} is known to hold the pictures",
            remedy=f"name one with --picture-column: {printable(', '.join(names))}",
        )
    said: dict[str, str] = {}
    contradicted: set[str] = set()
    for number, row in enumerate(rows, 1):
        name = beside(str(row.get(picture) or "").strip(), path)
        shows = "" if label is None else str(row.get(label) if row.get(label) is not None else "").strip()
        if not name:
            raise UsageError(f"{printable(path.name)}, row {number} below the header names no picture")
        if said.setdefault(name, shows) != shows:
            contradicted.add(name)
    notices = []
    if contradicted:
        notices.append(f"{len(contradicted)} pictures have two labels and are left out")
    kept = {name: shows for name, shows in said.items() if name not in contradicted}
    return Catalogue(tuple(kept), tuple(kept.values()), path.name, tuple(notices))


def _column(path: Path, names: list[str], asked: str | None, what: str, option: str) -> str | None:
    """The column that was asked for, or the first that is called like one of its kind."""
    if asked is not None:
        if asked not in names:
            has = printable(", ".join(names))
            raise UsageError(
                f"{printable(path.name)} has no column {printable(asked)!r}", remedy=f"{option} is one of {has}"
            )
        return asked
    lower = {name.lower().replace(" ", "_"): name for name in reversed(names)}
    return next((lower[name] for name in COLUMNS[what] if name in lower), None)
