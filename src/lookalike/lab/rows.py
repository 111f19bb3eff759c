"""Every single score of an evaluation as a table, so that nothing has to be computed again to look closer."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.errors import UsageError, printable
from lookalike.files import appearing_whole, cannot_write, check_place
from lookalike.lab.evaluated import Evaluation
from lookalike.lab.retrieval.found import Found
from lookalike.types import Comparison

WRITABLE = (".jsonl", ".csv", ".tsv")

FIRST = 10
"""Candidates of a query that are kept."""


def check_rows(path: str | os.PathLike[str]) -> None:
    """Raise before any work where ``path`` cannot be written.

    Raises:
        UsageError: another suffix.
        OutputError: a folder of that name, or no folder to write in.
    """
    file = Path(path)
    if file.suffix.lower() not in WRITABLE:
        raise UsageError(f"rows cannot be written to {printable(file.name)!r}", remedy=f"use {', '.join(WRITABLE)}")
    check_place(file)


def write_rows(evaluation: Evaluation, path: str | os.PathLike[str]) -> Path:
    """Write a row for every pair or query: its label, and what every contestant said of it.

    In JSONL a row of a pair has ``a``, ``b``, ``label``, ``same`` and, under ``contestants``, for each name ``score``,
    ``verdict``, ``probability``, ``parts`` and ``details``, or ``error``. In CSV and TSV columns are called
    ``NAME score``, ``NAME verdict``, ``NAME probability`` and ``NAME error``.

    Raises:
        UsageError, OutputError: as :func:`check_rows`, or a disk that is full.
    """
    file = Path(path)
    check_rows(file)
    rows = _pairs(evaluation) if evaluation.kind == "pairs" else _queries(evaluation)
    with appearing_whole(file) as raw, cannot_write(file):
        if file.suffix.lower() == ".jsonl":
            for row in rows:
                raw.write(json.dumps(row).encode() + b"\n")
        else:
            flat = [_flat(row) for row in rows]
            names = list(dict.fromkeys(name for row in flat for name in row))
            text = io.StringIO(newline="")
            delimiter = "," if file.suffix.lower() == ".csv" else "\t"
            table = csv.DictWriter(text, names, delimiter=delimiter, lineterminator="\n")
            table.writeheader()
            table.writerows(flat)
            raw.write(text.getvalue().encode("utf-8", "backslashreplace"))
    return file


def _pairs(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    assert evaluation.table is not None
    for number, pair in enumerate(evaluation.table.pairs):
        said: dict[str, dict[str, Any]] = {}
        for scored in evaluation.scored:
            result = scored.results[number]
            if isinstance(result, Comparison):
                names = ("score", "verdict", "probability", "parts", "details")
                said[scored.name] = {name: getattr(result, name) for name in names}
                said[scored.name] |= {"parts": dict(result.parts), "details": dict(result.details)}
            else:
                said[scored.name] = {"error": str(result)}
        yield {"a": pair.a, "b": pair.b, "label": pair.label, "same": pair.same, "contestants": said}


def _queries(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    places = [{name: number for number, name in enumerate(found.wanted.queries)} for found in evaluation.found]
    assert evaluation.wanted is not None
    for query in evaluation.wanted.queries:
        said = {
            found.name: _said(found, where[query]) if query in where else {"error": "it cannot be read"}
            for found, where in zip(evaluation.found, places, strict=True)
        }
        yield {"query": query, "contestants": said}


def _said(found: Found, number: int) -> dict[str, Any]:
    grades, precision = found.ranked.grades[number], float(found.ranked.precisions[number])
    right = np.flatnonzero(grades > 0)
    return {
        "average_precision": precision if np.isfinite(precision) else None,
        "first_right": int(right[0]) + 1 if len(right) else None,
        "found": [
            {
                "picture": found.wanted.gallery[int(found.order.found[number][place])],
                "score": float(found.order.scores[number][place]),
                "relevance": float(grades[place]),
            }
            for place in range(min(FIRST, len(grades)))
        ],
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in row.items() if name != "contestants"}
    for contestant, said in row["contestants"].items():
        plain |= {f"{contestant} {name}": value for name, value in said.items() if not isinstance(value, (dict, list))}
    return plain
