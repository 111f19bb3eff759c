"""Scores → probabilities: three curves that are fitted to labelled scores and never fall.

All are used alike: ``Platt().fit(scores, labels).predict(scores)``. What was learned ends in an underscore. No curve is
fitted to 0 and 1 themselves, for no finite sample bears out certainty: of n pairs that are all the same product, the
next one is too with probability (n + 1) / (n + 2), as J. Platt has it for the targets of his fit ("Probabilistic
outputs for support vector machines and comparisons to regularized likelihood methods", 1999).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.scoring.logistic import Array, fit_logistic, sigmoid
from lookalike.scoring.preset_rules import numbers

EDGE = 0.001
"""How near to 0 and 1 a score still makes a difference to :class:`Beta`, whose curve is infinitely steep there."""


class Calibrator(ABC):
    """One curve from scores to probabilities."""

    kind: ClassVar[str]

    def fit(self, scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Self:
        """Learn the curve; the order of the rows makes no difference, to the last bit.

        Args:
            scores: (N,), each in [0, 1].
            labels: (N,), 1 or true for what P is the probability of, 0 or false for the rest; both must occur.
            weights: (N,), over 0: how much each row counts; 1 by default.

        Raises:
            UsageError: arrays of other shapes or values.
        """
        x, y = np.asarray(scores, np.float64), np.asarray(labels, np.float64)
        w = np.ones(x.shape) if weights is None else np.asarray(weights, np.float64)
        if x.ndim != 1 or not x.shape == y.shape == w.shape:
            raise UsageError("scores, labels and weights must be rows of the same length")
        if not (np.all((x >= 0) & (x <= 1)) and np.all((y == 0) | (y == 1)) and np.all((w > 0) & np.isfinite(w))):
            raise UsageError("scores must be from 0 to 1, labels 0 or 1, weights over 0")
        if len(set(y.tolist())) < 2:
            raise UsageError("labels must be of both kinds")
        order = np.lexsort((w, y, x))
        self._fit(x[order], y[order], w[order])
        return self

    def predict(self, scores: npt.ArrayLike) -> Array:
        """Probabilities, float64 of the shape of ``scores``, never falling as scores rise."""
        return self._predict(np.asarray(scores, np.float64))

    @abstractmethod
    def _fit(self, x: Array, y: Array, w: Array) -> None: ...

    @abstractmethod
    def _predict(self, x: Array) -> Array: ...

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """What was learned as plain values, its ``kind`` among them; every digit survives JSON."""

    @classmethod
    @abstractmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What :meth:`to_dict` gave, once more a fitted curve.

        Raises:
            UsageError: it is no curve of this kind.
        """


def _certainties(y: Array, w: Array) -> tuple[float, float]:
    """The lowest and the highest probability that a sample bears out, see the text of the module."""
    same, different = float(w @ y), float(w @ (1 - y))
    return 1 / (different + 2), (same + 1) / (same + 2)


def _targets(y: Array, w: Array) -> Array:
    low, high = _certainties(y, w)
    return np.where(y == 1, high, low)


class Platt(Calibrator):
    """A logistic curve: P = 1 / (1 + exp(-(a·score + b))), a ≥ 0; Platt 1999, with the targets given there.

    >>> curve = Platt().fit([0.1, 0.2, 0.6, 0.7, 0.8, 0.9], [0, 0, 0, 1, 1, 1])
    >>> curve.predict([0.2, 0.65, 0.9]).round(2)
    array([0.19, 0.58, 0.79])
    """

    kind = "platt"
    a_: float
    b_: float

    def _fit(self, x: Array, y: Array, w: Array) -> None:
        line = fit_logistic(x[:, None], _targets(y, w), w)
        (self.a_,), self.b_ = line.slopes, line.intercept

    def _predict(self, x: Array) -> Array:
        return sigmoid(self.a_ * x + self.b_)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "a": self.a_, "b": self.b_}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        made = cls()
        made.a_, made.b_ = _learned(values, cls.kind, "a", "b")
        return made


class Beta(Calibrator):
    """Beta calibration: P = 1 / (1 + 1 / (exp(c) · s^a / (1 - s)^b)), a, b ≥ 0.

    M. Kull, T. Silva Filho, P. Flach, "Beta calibration: a well-founded and easily implemented improvement on logistic
    calibration for binary classifiers", AISTATS 2017. Unlike a logistic curve it can be bent the other way, and it can
    be the identity (a = b = 1, c = 0). Fitted to Platt's targets, so that it is finite where a score tells all.
    Scores nearer than :data:`EDGE` to 0 or 1 count as that.

    >>> curve = Beta().fit([0.1, 0.2, 0.6, 0.7, 0.8, 0.9], [0, 0, 0, 1, 1, 1])
    >>> curve.predict([0.2, 0.65, 0.9]).round(2)
    array([0.21, 0.5 , 0.88])
    """

    kind = "beta"
    a_: float
    b_: float
    c_: float

    def _fit(self, x: Array, y: Array, w: Array) -> None:
        line = fit_logistic(_logarithms(x), _targets(y, w), w)
        (self.a_, self.b_), self.c_ = line.slopes, line.intercept

    def _predict(self, x: Array) -> Array:
        upper, lower = _logarithms(x).T
        return sigmoid(self.a_ * upper + self.b_ * lower + self.c_).T

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "a": self.a_, "b": self.b_, "c": self.c_}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        made = cls()
        made.a_, made.b_, made.c_ = _learned(values, cls.kind, "a", "b", "c")
        return made


def _logarithms(x: Array) -> Array:
    """log(s) and -log(1 - s), along a new last axis; both rise with the score."""
    inside = np.clip(x, EDGE, 1 - EDGE)
    return np.stack([np.log(inside), -np.log1p(-inside)], axis=-1)


def _learned(values: Mapping[str, Any], kind: str, *names: str) -> list[float]:
    """The numbers called ``names``; all but the last must be 0 or more."""
    found = numbers(f"the numbers of {kind}", {name: values.get(name) for name in names})
    for name in names[:-1]:
        if found[name] < 0:
            raise UsageError(f"{name} of {kind} must be 0 or more, not {found[name]:g}")
    return list(found.values())


class Isotonic(Calibrator):
    """The best curve of all that never fall, straight between its corners (B. Zadrozny and C. Elkan, KDD 2002).

    It bends as the data want and so needs much of it. Kept within the certainty that the sample bears out, see the text
    of the module.

    >>> curve = Isotonic().fit([0.1, 0.2, 0.6, 0.7, 0.8, 0.9], [0, 1, 0, 1, 1, 1])
    >>> curve.predict([0.2, 0.65, 0.9]).round(2)
    array([0.5 , 0.67, 0.83])
    """

    kind = "isotonic"
    scores_: Array
    probabilities_: Array

    def _fit(self, x: Array, y: Array, w: Array) -> None:
        from scipy.optimize import isotonic_regression  # takes a while to import, and only fitting needs it

        corners, place = np.unique(x, return_inverse=True)
        heavy = np.bincount(place, w)
        level = isotonic_regression(np.bincount(place, w * y) / heavy, weights=heavy).x
        level = np.clip(level, *_certainties(y, w))
        bent = np.ones(len(level), bool)  # within a step only its ends are corners
        bent[1:-1] = (level[1:-1] != level[:-2]) | (level[1:-1] != level[2:])
        self.scores_, self.probabilities_ = corners[bent], level[bent]

    def _predict(self, x: Array) -> Array:
        after = np.minimum(np.searchsorted(self.scores_, x), len(self.scores_) - 1)
        between = np.interp(x, self.scores_, self.probabilities_)
        return np.minimum(between, self.probabilities_[after])  # a rounding must not lift it over the next corner

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "scores": self.scores_.tolist(),
            "probabilities": self.probabilities_.tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        made = cls()
        rows = [_row(values.get(name), name) for name in ("scores", "probabilities")]
        made.scores_, made.probabilities_ = rows
        if len(rows[0]) != len(rows[1]) or not len(rows[0]):
            raise UsageError("isotonic needs as many scores as probabilities")
        if np.any(np.diff(rows[0]) <= 0) or np.any(np.diff(rows[1]) < 0):
            raise UsageError("scores and probabilities of isotonic must rise")
        return made


def _row(given: object, name: str) -> Array:
    if not isinstance(given, list):
        raise UsageError(f"{name} of isotonic must be a list of numbers")
    found = np.array(list(numbers(f"{name} of isotonic", {str(at): each for at, each in enumerate(given)}).values()))
    if np.any((found < 0) | (found > 1)):
        raise UsageError(f"{name} of isotonic must be from 0 to 1")
    return found


KINDS: dict[str, type[Calibrator]] = {made.kind: made for made in (Platt, Beta, Isotonic)}
"""Every curve by name, the simplest first."""


def calibrator_from_dict(values: object) -> Calibrator:
    """The curve that ``to_dict`` of one of :data:`KINDS` gave.

    Raises:
        UsageError: it is none.
    """
    kind = values.get("kind") if isinstance(values, Mapping) else None
    if not isinstance(values, Mapping) or not isinstance(kind, str) or kind not in KINDS:
        raise UsageError(f"there is no curve of the kind {kind!r}", remedy=f"one of: {', '.join(KINDS)}")
    return KINDS[kind].from_dict(values)
