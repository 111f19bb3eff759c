"""Retrieval sets: pictures to look for, pictures to look among, and what belongs together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lookalike.errors import UsageError, printable
from lookalike.pairs import beside, read_table

PICTURE = ("picture", "path", "image", "file")
LABEL = ("label", "product", "class", "fine_class")
"""What the columns of a table of pictures are called, likeliest first, in small letters."""


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """Queries, a gallery, and what belongs to each query.

    Attributes:
        queries, gallery: sources; one that is both is never a candidate for itself.
        relevance: for each query, number in the gallery → grade over 0; what is not there does not belong.
        name: of the file, for messages.
    """

    queries: tuple[str, ...]
    gallery: tuple[str, ...]
    relevance: tuple[Mapping[int, float], ...]
    name: str = "the set"


def is_retrieval(path: str | os.PathLike[str]) -> bool:
    """Whether a table is a retrieval set: it has columns query and gallery, or one of pictures and not a and b."""
    columns = {str(name).lower() for name in read_table(Path(path))[0]}
    return {"query", "gallery"} <= columns or (bool(columns & set(PICTURE)) and not {"a", "b"} <= columns)


def read_retrieval(path: str | os.PathLike[str], label_column: str | None = None) -> RetrievalSet:
    """A table ``query, gallery, relevance``, or ``picture, label``, in which each picture queries all others.

    Relevance is a number, 0 for what does not belong, or left out, and then every row belongs. In the other form
    pictures of one label belong together; ``label_column`` names the column.

    Raises:
        SourceNotFound, SourceUnreadable: the file is not there, or is no such table.
        UsageError: columns or cells that are missing or make no sense, or nothing that belongs to anything.
    """
    file = Path(path)
    rows = read_table(file)
    columns = {str(name).lower(): name for name in rows[0]}
    if {"query", "gallery"} <= columns.keys():
        made = _listed(rows, columns, file)
    else:
        made = _by_label(rows, columns, label_column, file)
    if not any(made.relevance):
        raise UsageError(f"in {printable(file.name)} nothing belongs to any query", remedy="two of a label are needed")
    return made


def _listed(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], file: Path) -> RetrievalSet:
    queries: dict[str, int] = {}
    gallery: dict[str, int] = {}
    relevance: dict[int, dict[int, float]] = {}
    for number, row in enumerate(rows, 1):
        names = [beside(str(row.get(columns[name]) or ""), file) for name in ("query", "gallery")]
        if not all(names):
            raise UsageError(f"{printable(file.name)}, row {number} below the header names no query or no picture")
        query, candidate = queries.setdefault(names[0], len(queries)), gallery.setdefault(names[1], len(gallery))
        grade = _grade(row.get(columns["relevance"]), number, file) if "relevance" in columns else 1.0
        if grade > 0:
            relevance.setdefault(query, {})[candidate] = grade
    return RetrievalSet(
        tuple(queries), tuple(gallery), tuple(relevance.get(each, {}) for each in range(len(queries))), file.name
    )


def _grade(value: object, number: int, file: Path) -> float:
    words = {"true": 1.0, "false": 0.0, "same": 1.0, "different": 0.0, "yes": 1.0, "no": 0.0}
    try:
        grade = words.get(str(value).strip().lower())
        grade = float(str(value)) if grade is None else grade
    except ValueError:
        grade = -1.0
    if not 0 <= grade < float("inf"):
        raise UsageError(
            f"{printable(file.name)}, row {number} below the header has the relevance {printable(str(value), 40)!r}",
            remedy="write 0 for what does not belong, 1 or more for what does",
        )
    return grade


def _by_label(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], asked: str | None, file: Path
) -> RetrievalSet:
    picture = next((columns[name] for name in PICTURE if name in columns), None)
    label = asked if asked is not None else next((columns[name] for name in LABEL if name in columns), None)
    if picture is None or label is None or label not in columns.values():
        missing = "picture" if picture is None else "label" if asked is None else printable(asked)
        raise UsageError(
            f"{printable(file.name)} has no column called {missing}", remedy="--label-column names that of the labels"
        )
    labels: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        name, said = beside(str(row.get(picture) or ""), file), str(row.get(label) or "").strip()
        if not name or not said:
            what = "picture" if not name else "label"
            raise UsageError(f"{printable(file.name)}, row {number} below the header has no {what}")
        labels[name] = said
    members: dict[str, list[int]] = {}
    for number, said in enumerate(labels.values()):
        members.setdefault(said, []).append(number)
    relevance = tuple(
        {other: 1.0 for other in members[said] if other != number} for number, said in enumerate(labels.values())
    )
    return RetrievalSet(tuple(labels), tuple(labels), relevance, file.name)


def readable(table: RetrievalSet, bad: set[str]) -> RetrievalSet:
    """The set without these pictures."""
    kept = [number for number, name in enumerate(table.gallery) if name not in bad]
    now = {old: new for new, old in enumerate(kept)}
    rows = [
        (name, {now[each]: grade for each, grade in grades.items() if each in now})
        for name, grades in zip(table.queries, table.relevance, strict=True)
        if name not in bad
    ]
    return replace(
        table,
        queries=tuple(name for name, _ in rows),
        gallery=tuple(table.gallery[number] for number in kept),
        relevance=tuple(grades for _, grades in rows),
    )
