"""Pieces of evidence → how likely two pictures show the same product, or the same kind of thing → one score.

Two questions are asked, *same product?* and *same category?*. Each is answered by adding up what every piece of
evidence says for it, in log-odds: a broken line for each piece that never falls, so that more likeness never counts
against a pair, and that can be looked at. The score is the higher of what the two answers are worth.

The numbers are data, fitted to labelled pairs (:data:`SHIPPED` names the file, ``benchmarks/fusion_fit.py`` made it).
Evidence that was not computed is not guessed: there are lines for every set of pieces that occurs, fitted without the
missing ones.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np

from lookalike.errors import UsageError, printable

SHIPPED = Path(__file__).with_name("fusion.json")

Line = tuple[tuple[float, float], ...]
"""Knots (x, y) of a broken line, x rising, y not falling; level beyond its ends."""

QUESTIONS = ("product", "category")

MOST = 1e6
"""No evidence and no log-odds is as large; a file that says otherwise is damaged, and sums of it might overflow."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A question's answer as a sum over pieces of evidence.

    Attributes:
        base: log-odds where no piece says anything.
        lines: piece → the log-odds that its value adds.
    """

    base: float
    lines: Mapping[str, Line]

    def added(self, evidence: Mapping[str, float]) -> dict[str, float]:
        """Log-odds that every piece adds."""
        return {name: on_line(line, evidence[name]) for name, line in self.lines.items()}

    def log_odds(self, evidence: Mapping[str, float]) -> float:
        """The whole sum."""
        return self.base + math.fsum(self.added(evidence).values())


@dataclass(frozen=True, slots=True)
class Answer:
    """What the evidence says.

    Attributes:
        score: in [0, 0.90).
        probability: that both show the same product.
        added: piece of evidence → the log-odds it added to *same product*.
        base: log-odds of *same product* where no piece says anything.
    """

    score: float
    probability: float
    added: Mapping[str, float]
    base: float = 0.0


@dataclass(frozen=True, slots=True)
class Fusion:
    """A fitted way to weigh evidence.

    Attributes:
        sums: for every set of pieces that occurs, by question: ``"product"`` and ``"category"``.
        scores: question → log-odds → score.
        about: how it was made, as plain values; nothing computes with it.

    Raises:
        UsageError: a line that falls, a question without an answer, a score out of range.
    """

    sums: tuple[Mapping[str, Sum], ...]
    scores: Mapping[str, Line]
    about: Mapping[str, Any]

    def __post_init__(self) -> None:
        lines = [line for by_question in self.sums for each in by_question.values() for line in each.lines.values()]
        for line in [*lines, *self.scores.values()]:
            _check_line(line)
        for by_question in [*self.sums, self.scores]:
            if set(by_question) != set(QUESTIONS):
                asked = printable(", ".join(by_question)) or "nothing"
                raise UsageError(f"a fusion answers {' and '.join(QUESTIONS)}, not {asked}")
        if not self.sums or any(not 0 <= y < 0.9 for line in self.scores.values() for _, y in line):
            raise UsageError("the scores of a fusion lie from 0 to below 0.90")

    @property
    def fullest(self) -> Mapping[str, Sum]:
        """The sums that use most pieces."""
        return max(self.sums, key=lambda each: len(each["product"].lines))

    def answer(self, evidence: Mapping[str, float]) -> Answer:
        """Score and probability by the sums that use most of the pieces there are.

        Args:
            evidence: piece → value, the higher the more alike.

        Raises:
            UsageError: too little evidence for any of the sums.

        >>> fusion = shipped()
        >>> little, much = ({"embedding": x, "palette": x} for x in (0.2, 0.9))
        >>> fusion.answer(little).score < fusion.answer(much).score
        True
        """
        usable = [sums for sums in self.sums if all(set(each.lines) <= set(evidence) for each in sums.values())]
        if not usable:
            raise UsageError(f"no sum makes do with {', '.join(evidence) or 'no evidence'}")
        sums = max(usable, key=lambda each: len(each["product"].lines))
        score = max(on_line(self.scores[name], sums[name].log_odds(evidence)) for name in QUESTIONS)
        added = sums["product"].added(evidence)
        return Answer(score, sigmoid(sums["product"].log_odds(evidence)), added, sums["product"].base)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for ``json.dumps``."""
        return {
            "about": dict(self.about),
            "scores": {name: _plain(line) for name, line in self.scores.items()},
            "sums": [
                {
                    name: {"base": each.base, "lines": {piece: _plain(line) for piece, line in each.lines.items()}}
                    for name, each in sums.items()
                }
                for sums in self.sums
            ],
        }

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """What :meth:`to_dict` gave, once more a fusion.

        Raises:
            UsageError: it is none.
        """
        try:
            return cls(
                sums=tuple(
                    {
                        name: Sum(_number(each["base"]), {piece: _line(line) for piece, line in each["lines"].items()})
                        for name, each in sums.items()
                    }
                    for sums in values["sums"]
                ),
                scores={name: _line(line) for name, line in values["scores"].items()},
                about=dict(values["about"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise UsageError(f"this is no fusion: {type(error).__name__} {error}") from error


@cache
def shipped() -> Fusion:
    """The fusion of the default preset."""
    return Fusion.from_dict(json.loads(SHIPPED.read_text(encoding="utf-8")))


def on_line(line: Line, value: float) -> float:
    """The height of a broken line at ``value``.

    >>> on_line(((0.0, -1.0), (1.0, 3.0)), 0.5)
    1.0
    """
    return float(np.interp(value, [x for x, _ in line], [y for _, y in line]))


def sigmoid(log_odds: float) -> float:
    """1 / (1 + e^-x).

    >>> sigmoid(0.0)
    0.5
    """
    return 1 / (1 + math.exp(-log_odds)) if log_odds >= 0 else math.exp(log_odds) / (1 + math.exp(log_odds))


def _check_line(line: Line) -> None:
    if not line:
        raise UsageError("a line needs a knot")
    for (x, y), (following, above) in pairwise(line):
        if not x < following or y > above:
            raise UsageError(f"a line must rise: ({x:g}, {y:g}) to ({following:g}, {above:g})")


def _line(given: Sequence[Sequence[float]]) -> Line:
    return tuple((_number(x), _number(y)) for x, y in given)


def _number(given: Any) -> float:
    number = float(given)
    if isinstance(given, (bool, str)) or not abs(number) <= MOST:
        raise ValueError(f"{given!r} is no number, or too large")
    return number


def _plain(line: Line) -> list[list[float]]:
    return [[x, y] for x, y in line]
