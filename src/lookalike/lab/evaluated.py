"""What an evaluation found: for every contestant every measure with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from lookalike.lab.bootstrap import middle
from lookalike.lab.contest import Scored
from lookalike.lab.labelled import Labelled
from lookalike.lab.measures import MEASURES, Measure
from lookalike.lab.ranking import Floats
from lookalike.lab.retrieval.found import Found
from lookalike.lab.retrieval.ranked import RANKED
from lookalike.lab.retrieval.sets import RetrievalSet
from lookalike.verdicts import Verdict

DECISIVE = {"pairs": "auc", "retrieval": "map"}
"""The measure that tells who is best, by the kind of set: neither depends on a threshold."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A number, and the 95 % interval of it; nan where an interval cannot be told."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Result:
    """What one contestant reached.

    Attributes:
        name: of the contestant.
        measures: name of a measure → the number; what could not be told is not there.
        lacks: name of a measure → why it could not be told.
        used, failed: pairs (or queries) that went into it, and that could not be scored.
        milliseconds: of one pair of which nothing is remembered, the median; None where none was timed.
        seconds: that the whole run took, with what was remembered.
        confusion: label → verdict → how many pairs; None where labels are not verdicts.
        drawn: the decisive measure in every round of the bootstrap; rounds draw the same pictures for all contestants
            that scored the same pairs.
    """

    name: str
    measures: Mapping[str, Measured]
    lacks: Mapping[str, str]
    used: int
    failed: int
    milliseconds: float | None
    seconds: float
    confusion: Mapping[Verdict, Mapping[Verdict, int]] | None = None
    drawn: Floats | None = field(default=None, compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain values; None for an interval that cannot be told."""
        return {
            "name": self.name,
            "used": self.used,
            "failed": self.failed,
            "milliseconds": self.milliseconds,
            "seconds": self.seconds,
            "measures": {
                name: {"value": _plain(each.value), "low": _plain(each.low), "high": _plain(each.high)}
                for name, each in self.measures.items()
            },
            "lacks": dict(self.lacks),
            "confusion": None if self.confusion is None else {one: dict(row) for one, row in self.confusion.items()},
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good each contestant is on one set of labelled pictures.

    Attributes:
        kind: ``"pairs"`` or ``"retrieval"``.
        name: of the set.
        counts: how many pairs, same, different and pictures; or queries and gallery.
        results: one a contestant, in the order asked for.
        table: the labelled pairs; None for a retrieval set.
        scored: what each contestant said of them.
        wanted: the retrieval set; None for pairs.
        found: what each contestant found in it.
        notices: what a person should know.
    """

    kind: Literal["pairs", "retrieval"]
    name: str
    counts: Mapping[str, int]
    results: tuple[Result, ...]
    table: Labelled | None = None
    scored: tuple[Scored, ...] = ()
    wanted: RetrievalSet | None = None
    found: tuple[Found, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def measures(self) -> Mapping[str, Measure[Any]]:
        """The measures that this set asks for, in the order of the table."""
        every: Mapping[str, Measure[Any]] = MEASURES if self.kind == "pairs" else RANKED
        return {
            name: every[name]
            for name in every
            if any(name in each.measures or name in each.lacks for each in self.results)
        }

    @property
    def decisive(self) -> str:
        """The measure that tells who is best."""
        return DECISIVE[self.kind]

    def in_order(self) -> list[Result]:
        """The contestants of which the decisive measure could be told, the best first."""
        known = [each for each in self.results if self.decisive in each.measures]
        return sorted(known, key=lambda each: -each.measures[self.decisive].value)

    @property
    def lead(self) -> Measured | None:
        """By how much the best is ahead of the second; None where they cannot be compared round by round.

        The interval is of the difference, each round drawing the same pictures for both: two contestants may overlap
        and yet one be the better on nearly every draw.
        """
        first, second = (*self.in_order()[:2], None, None)[:2]
        if first is None or second is None or first.drawn is None or second.drawn is None:
            return None
        if first.used != second.used or first.failed != second.failed or first.drawn.shape != second.drawn.shape:
            return None
        value = first.measures[self.decisive].value - second.measures[self.decisive].value
        return Measured(value, *middle(first.drawn - second.drawn))

    @property
    def failures(self) -> dict[str, str]:
        """What could not be scored by one or more contestants → why."""
        told = {f"{each.a} {each.b}": str(each) for scored in self.scored for each in scored.failures}
        return told | {each.source: each.reason for found in self.found for each in found.failures}

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for ``json.dumps``; single scores are not in it, see :mod:`lookalike.lab.rows`."""
        return {
            "kind": self.kind,
            "name": self.name,
            **self.counts,
            "contestants": [each.to_dict() for each in self.results],
            "failures": [{"what": what, "reason": reason} for what, reason in self.failures.items()],
            "notices": list(self.notices),
        }


def _plain(value: float) -> float | None:
    return value if np.isfinite(value) else None
