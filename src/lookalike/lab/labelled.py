"""Tables of labelled pairs: two pictures, and what a person says of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lookalike.errors import UsageError, printable
from lookalike.pairs import Row, read_pairs
from lookalike.scores import OURS
from lookalike.verdicts import BANDS, Verdict

VERDICTS: tuple[Verdict, ...] = tuple(verdict for _, verdict in BANDS)
"""The five, the most alike first."""

SAME = frozenset({"same", "1", "1.0", "true", "t", "yes", "y", "match", "positive", "duplicate"})
DIFFERENT = frozenset({"different", "0", "0.0", "false", "f", "no", "n", "no match", "negative", "distinct"})
DIFFERENT |= {"not same", "non match", "nonmatch", "no duplicate", "-1"}
"""What else people write, once in small letters and with spaces for ``_`` and ``-``."""

COLUMNS: tuple[str, ...] = (
    "label",
    "same",
    "match",
    "is same",
    "is match",
    "is duplicate",
    "duplicate",
    "same product",
    "truth",
)
COLUMNS += ("ground truth", "expected", "target", "class", "y", "verdict", "column3")
"""What a column of labels is called, likeliest first, in small letters; ``column3`` where the table has no header."""

NAMED = 5
"""Unclear labels that a message names."""

HOW = "write same or different, or one of the five verdicts"


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two pictures, and what they have to do with each other.

    Attributes:
        a, b: the sources.
        label: as it was written.
        same: they show the same product: one of the first three verdicts.
        category: they show the same category: one of the first four; None where ``different`` may mean either.
        verdict: the label as a verdict; None where it only says same or different.
        line: where it stands in its file, counted from 1; 0 where that says nothing.
    """

    a: str
    b: str
    label: str
    same: bool
    category: bool | None = None
    verdict: Verdict | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A table of labelled pairs.

    Attributes:
        pairs: in the table's order.
        five: the labels are the five verdicts, not just same and different.
        name: of the file, for messages.
    """

    pairs: tuple[LabelledPair, ...]
    five: bool = False
    name: str = "the pairs"

    def require_both(self) -> None:
        """Raise :class:`~lookalike.errors.UsageError` where all pairs are the same product, or none is."""
        same = sum(pair.same for pair in self.pairs)
        if same in (0, len(self.pairs)):
            all_are, missing = ("different", "same") if same == 0 else ("the same product", "different")
            raise UsageError(
                f"every pair of {printable(self.name)} is labelled {all_are}",
                remedy=f"add pairs labelled {missing}: without them nothing can be told apart",
            )


def read_labelled(path: str | os.PathLike[str], label_column: str | None = None) -> Labelled:
    """The labelled pairs of a CSV, TSV, JSONL or Parquet file, see :func:`lookalike.pairs.read_pairs`.

    A label is same or different (or 1 and 0, true and false, yes and no, match and no match, positive and negative),
    or one of the five verdicts, in any case, with ``_`` or ``-`` for spaces. The column of labels is ``label_column``,
    or the first of :data:`COLUMNS` that the table has; ``verdict`` only where there is no ``score`` beside it, for
    then it is what an earlier run found.

    Raises:
        SourceNotFound, SourceUnreadable: the file is not there, or is no such table.
        UsageError: no column of labels, or a label that is missing or says nothing; the message has the row.
    """
    file = Path(path)
    rows = read_pairs(file)
    return labelled(rows, _column(rows, label_column, file.name), name=file.name)


def labelled(rows: Sequence[Row], column: str, *, name: str = "the pairs") -> Labelled:
    """Rows of a table with their labels understood; ``column`` is where those stand.

    Raises:
        UsageError: a label is missing or says nothing.

    >>> labelled([Row("a.jpg", "b.jpg", {"label": "Near-Duplicate"})], "label").pairs[0].same
    True
    """
    words = [_plain(row.rest.get(column)) for row in rows]
    five = any(word in _VERDICTS and word not in DIFFERENT for word in words)
    unclear = [number for number, word in enumerate(words) if word not in _VERDICTS and word not in SAME | DIFFERENT]
    if unclear:
        raise UsageError(_unclear(rows, unclear, column, name), remedy=HOW)
    pairs = [_pair(row, word, str(row.rest.get(column)), five) for row, word in zip(rows, words, strict=True)]
    return Labelled(tuple(pairs), five, name)


_VERDICTS: dict[str, Verdict] = {verdict.replace("-", " "): verdict for verdict in VERDICTS}


def _pair(row: Row, word: str, label: str, five: bool) -> LabelledPair:
    verdict = _VERDICTS.get(word) if five else None
    if verdict is None:
        same = word in SAME
        return LabelledPair(row.a, row.b, label, same, True if same else None, line=row.line)
    rank = VERDICTS.index(verdict)
    return LabelledPair(row.a, row.b, label, rank < 3, rank < 4, verdict, row.line)


def _plain(value: Any) -> str:
    """As written, in small letters and with single spaces; empty where there is nothing."""
    text = "" if value is None or value != value else str(value).strip().lower()  # NaN is unlike itself
    return text if text in DIFFERENT else " ".join(re.split(r"[\s_-]+", text))


def _unclear(rows: Sequence[Row], numbers: Sequence[int], column: str, name: str) -> str:
    """What is wrong with these labels, the first of them with their places."""
    told = []
    for number in numbers[:NAMED]:
        row, value = rows[number], rows[number].rest.get(column)
        where = f"line {row.line}" if row.line else f"pair {number + 1}"
        what = f"the label {printable(str(value), 40)!r}" if _plain(value) else "no label"
        told.append(f"{where} ({printable(row.a, 60)}, {printable(row.b, 60)}) has {what}")
    more = f"; and {len(numbers) - NAMED} more" if len(numbers) > NAMED else ""
    return f"{printable(name)}, {'; '.join(told)}{more}"


def _column(rows: Sequence[Row], asked: str | None, name: str) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row.rest))
    if asked is not None:
        if asked not in columns:
            raise UsageError(f"{printable(name)} has no column {printable(asked)!r}", remedy=_offer(columns))
        return asked
    known = {_plain(column): column for column in reversed(columns)}
    for wanted in COLUMNS:
        if wanted in known and not (wanted == "verdict" and "score" in known):
            return known[wanted]
    raise UsageError(f"{printable(name)} has no column of labels", remedy=f"call it label, or {_offer(columns)}")


def _offer(columns: Iterable[str]) -> str:
    own = [column for column in columns if column not in OURS]
    return f"name one with --label-column: {printable(', '.join(own))}" if own else "add a column called label"
