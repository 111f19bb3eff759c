"""Pictures of one's own: a folder for each product, or a table of paths and labels."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lookalike.errors import SourceNotFound, SourceUnreadable, UsageError, printable
from lookalike.images.scan import scan
from lookalike.lab.datasets.pictures import Collection, LabelledPicture, broken, collected

SPLITS = frozenset({"train", "training", "val", "valid", "validation", "dev", "test", "query", "queries", "gallery"})
"""Folders that name a split, not a product."""

COLUMNS: Mapping[str, Sequence[str]] = {
    "path": ("path", "image", "picture", "file", "filename", "image_path", "image_name", "img", "photo", "url"),
    "product": ("product", "product_id", "sku", "item", "item_id", "class_id", "label", "class", "fine_class"),
    "category": ("category", "super_class", "super_class_id", "coarse_class"),
    "split": ("split", "part", "partition", "set", "subset", "fold", "evaluation_status"),
    "view": ("view", "pose", "side", "edit"),
    "colour": ("colour", "color"),
}
"""What is known of a picture → what its column may be called, likeliest first, in small letters."""


def read_folders(root: Path) -> Collection:
    """A folder for each product: ``mug 12/a.jpg``; in one for each category, if there is one: ``mugs/mug 12/a.jpg``.

    Folders at the top that are called like splits (train, val, test …) are splits. Pictures that lie in no folder
    have no label and are left out, which is told.

    Raises:
        SourceNotFound: there is no such folder, or no picture in a folder of it.
    """
    found = scan(root)
    pictures, bare = [], 0
    for file in found.files:
        folders = os.path.relpath(os.path.dirname(file.path), root).split(os.sep)
        split = folders.pop(0) if folders[0].lower() in SPLITS else ""
        if folders in ([], ["."]):
            bare += 1
            continue
        category = folders[0] if len(folders) > 1 else ""
        pictures.append(LabelledPicture(file.path, "/".join(folders), category, split))
    made = collected("folders", root, pictures)
    notices = [f"pictures without a label, as they lie in no folder: {bare}"] if bare else []
    notices += [f"files and folders that could not be read: {len(found.skipped)}"] if found.skipped else []
    return replace(made, notices=(*made.notices, *notices))


def read_csv(path: Path, columns: Mapping[str, str] | None = None) -> Collection:
    """A table with a row for each picture: CSV, or TSV by its suffix.

    Args:
        path: of the table. Paths in it count from its folder; addresses stay as they are.
        columns: what is known, of :data:`COLUMNS` → what its column is called. What is not named is looked for by the
            names given there.

    Raises:
        SourceNotFound: there is no such table, or none of its pictures is there.
        SourceUnreadable: no table; a row is broken, and the message has its line.
        UsageError: a column is not there, or none has paths or products.
    """
    head, rows = _rows(path)
    at = _columns(path, head, columns or {})
    pictures = []
    for number, row in rows:
        if len(row) != len(head):
            raise broken(path, number, f"{len(row)} columns, not {len(head)} as in the first line")
        known = {what: row[place].strip() for what, place in at.items()}
        if not known["path"]:
            raise broken(path, number, f"no path in the column {head[at['path']]!r}")
        if "://" not in known["path"]:
            known["path"] = os.path.join(path.parent, known["path"])
        pictures.append(LabelledPicture(**known))
    made = collected("csv", path, pictures)
    used = ", ".join(f"{what}={printable(head[place])}" for what, place in at.items())
    return replace(made, notices=(*made.notices, f"columns: {used}"))


def _rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The names of the columns, and every other row with its line."""
    line = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, delimiter=_delimiter(path, file.readline()), strict=True)
            file.seek(0)
            rows = []
            for row in reader:
                line = reader.line_num
                if any(row):
                    rows.append((line, row))
    except FileNotFoundError as error:
        raise SourceNotFound("there is no such table", source=str(path), remedy="check the path") from error
    except csv.Error as error:
        raise broken(path, line + 1, str(error)) from error
    except (OSError, ValueError) as error:
        raise SourceUnreadable(f"not a table of pictures: {error}", source=str(path)) from error
    if len(rows) < 2:
        raise SourceUnreadable("a table of pictures has a header and a row for each", source=str(path))
    return [name.strip() for name in rows[0][1]], rows[1:]


def _delimiter(path: Path, first: str) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    return ";" if first.count(";") > first.count(",") else ","  # as spreadsheets write it in half of Europe


def _columns(path: Path, head: Sequence[str], named: Mapping[str, str]) -> dict[str, int]:
    """What is known → the number of its column."""
    shown = printable(", ".join(head))
    if unknown := sorted(set(named) - set(COLUMNS)):
        raise UsageError(f"nothing is known of {printable(unknown[0])!r}", remedy=f"use {', '.join(COLUMNS)}")
    found = {}
    lower = [name.lower().replace(" ", "_") for name in head]
    for what, names in COLUMNS.items():
        if what in named:
            if named[what] not in head:
                raise UsageError(
                    f"{printable(path.name)} has no column {printable(named[what])!r}", remedy=f"it has {shown}"
                )
            found[what] = head.index(named[what])
        elif there := [name for name in names if name in lower]:
            found[what] = lower.index(there[0])
    for what in ("path", "product"):
        if what not in found:
            remedy = f"name it with --columns {what}=NAME; the table has {shown}"
            raise UsageError(f"no column of {printable(path.name)} is known to hold the {what}", remedy=remedy)
    return found
