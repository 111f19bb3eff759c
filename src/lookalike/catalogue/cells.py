"""What the cells of a CSV mean, where all is text: columns of numbers, and columns of codes that only look so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lookalike.errors import printable

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,8})(\.\d{0,12})?|-?\.\d{1,12}")

_WITH_COMMA = re.compile(r"-?(\d{1,9}|\d{1,3}(\.\d{3})+),\d{1,9}")
"""39,90 and 1.299,00, as they are written where ``;`` parts the columns."""

_CODE = re.compile(r"[+-]?0\d+|\+\d+|-?\d{10,}")
"""What looks like a number and counts nothing: 007, a telephone, an EAN. A column that has one has no numbers."""


@dataclass(slots=True)
class _Column:
    numbers: int = 0
    texts: int = 0
    codes: int = 0
    odd: str = ""


class Cells:
    """The columns of one table.

    Args:
        rows: all of its rows, read once.
        comma: whether ``39,90`` is a number.

    >>> cells = Cells([{"nr": "007", "price": "39.90"}, {"nr": "17", "price": "on request"}])
    >>> cells.value("nr", "17"), cells.value("price", "39.90"), cells.value("price", "on request")
    ('17', 39.9, 'on request')
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]], *, comma: bool = False) -> None:
        self._comma = comma
        self._columns: dict[str, _Column] = {}
        for row in rows:
            for name, cell in row.items():
                if isinstance(cell, str) and cell:
                    self._count(self._columns.setdefault(name, _Column()), cell.strip())

    def _count(self, column: _Column, cell: str) -> None:
        if self._read(cell) is not None:
            column.numbers += 1
        else:
            column.texts += 1
            column.codes += bool(_CODE.fullmatch(cell))
            column.odd = column.odd or cell

    def value(self, name: str, cell: Any) -> Any:
        """A cell of that column: a number in a column that has no codes, else its text."""
        column = self._columns.get(name)
        if not isinstance(cell, str) or column is None or column.codes:
            return cell
        found = self._read(cell.strip())
        return cell if found is None else found

    def notices(self, names: Iterable[str]) -> list[str]:
        """What is odd about these columns: cells that are no numbers, where most are."""
        told = []
        for name in names:
            column = self._columns.get(name)
            if column is not None and not column.codes and column.numbers > column.texts > 0:
                told.append(
                    f"column {printable(name, 40)}: {column.texts:,} of {column.texts + column.numbers:,} cells are no"
                    f" numbers, such as {printable(repr(column.odd), 40)}"
                )
        return told

    def _read(self, cell: str) -> int | float | None:
        if self._comma and _WITH_COMMA.fullmatch(cell):
            return float(cell.replace(".", "").replace(",", "."))
        if _NUMBER.fullmatch(cell):
            return float(cell) if "." in cell else int(cell)
        return None
