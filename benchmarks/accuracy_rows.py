"""Reading raw rows back, and writing them as Markdown."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
WIDTH = 120

Row = Mapping[str, Any]


class Read:
    """Rows of every benchmark, read once.

    Args:
        folder: where the ``.jsonl`` files are.
    """

    def __init__(self, folder: Path = RESULTS) -> None:
        self._folder = folder
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def all(self, name: str) -> list[dict[str, Any]]:
        """Rows of ``NAME.jsonl`` with the line about the run first; none where there is no such file."""
        if name not in self._rows:
            path = self._folder / f"{name}.jsonl"
            lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
            self._rows[name] = [json.loads(line) for line in lines]
        return self._rows[name]

    def run(self, name: str) -> dict[str, Any]:
        """What is known of the run: machine, packages, day, settings."""
        return self.all(name)[0]

    def rows(self, benchmark: str, /, **asked: Any) -> list[dict[str, Any]]:
        """The rows that have these values."""
        return [row for row in self.all(benchmark)[1:] if all(row.get(key) == value for key, value in asked.items())]

    def row(self, benchmark: str, /, **asked: Any) -> dict[str, Any]:
        """The first of them.

        Raises:
            LookupError: there is none.
        """
        found = self.rows(benchmark, **asked)
        if not found:
            raise LookupError(f"{benchmark}.jsonl has no row with {asked}: run the benchmark anew")
        return found[0]


def day(text: str) -> str:
    """A day as people write it: 22 November 2026."""
    found = date.fromisoformat(text)
    return f"{found.day} {found:%B %Y}"


def percent(share: float, digits: int = 1) -> str:
    """A share in per cent; 100 only where nothing is missing.

    >>> percent(0.9996), percent(1.0), percent(0.5)
    ('99.9 %', '100 %', '50 %')
    """
    unit = 10**digits
    value = 100 * share
    shown = round(value, digits)
    if shown in (0.0, 100.0) and shown != value:  # not all is all, and not nothing is nothing
        shown = 100 - 1 / unit if shown else 1 / unit
    return f"{shown:.{digits}f}".removesuffix("." + digits * "0") + " %"


def number(value: float, digits: int = 3) -> str:
    """A figure with so many decimals."""
    return f"{value:.{digits}f}"


def within(measure: Mapping[str, float], digits: int = 3) -> str:
    """A measured value and its 95 % interval."""
    return f"{measure['value']:.{digits}f} ({measure['low']:.{digits - 1}f}-{measure['high']:.{digits - 1}f})"


def met(reached: bool) -> str:
    """Whether a figure was reached."""
    return "reached" if reached else "**missed**"


def said(text: str) -> list[str]:
    """A paragraph, folded, with an empty line after it."""
    return [*textwrap.wrap(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False), ""]


def point(text: str) -> list[str]:
    """An item of a list, folded."""
    return textwrap.wrap(
        " ".join(text.split()),
        WIDTH,
        initial_indent="- ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table, with an empty line after it."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(str(cell) for cell in row)} |" for row in rows]
    return [*lines, ""]


def folded(summary: str, lines: Sequence[str]) -> list[str]:
    """Lines that a reader opens."""
    return ["<details>", f"<summary>{summary}</summary>", "", *lines, "</details>", ""]
