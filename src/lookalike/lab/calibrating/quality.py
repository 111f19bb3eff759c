"""Which curve from scores to probabilities, and how far it is to be believed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.lab import metrics
from lookalike.lab.calibrating.crossval import Folds, held_out
from lookalike.lab.ranking import Floats, Labels
from lookalike.scoring.calibrators import KINDS, Calibrator

AUTO = "auto"

MANY, MANY_EACH = 300, 100
"""Pairs in all, and of each label, from which ``auto`` also tries the isotonic curve. It is said to want 1,000
(Niculescu-Mizil and Caruana, ICML 2005); but whether it learned the pairs by heart is seen on those held out."""

TIE = 0.002
"""Log loss by which a curve must be better than a simpler one; less is luck."""

ROUNDS = 4
"""Times that the pictures are dealt, for how they fall into folds makes more of a difference than the curves do."""

DRAWS = 200
"""Rounds in which labels are drawn from the probabilities themselves."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How good probabilities are on pairs whose pictures were not fitted to.

    Each figure is the mean over the times that the pictures were dealt into folds.

    Attributes:
        probabilities: (rounds, N), nan for pairs that could not be judged so.
        log_loss: mean of -log P(what is so); 0 is perfect, 0.69 is a coin.
        brier: mean squared difference between probability and truth; 0.25 is a coin.
        ece: expected calibration error, ten bins.
        ece_by_chance: what it would be on so many pairs if every probability were right.
    """

    probabilities: Floats
    log_loss: float
    brier: float
    ece: float
    ece_by_chance: float

    def to_dict(self) -> dict[str, float]:
        """The figures alone, rounded."""
        return {name: round(getattr(self, name), 4) for name in ("log_loss", "brier", "ece", "ece_by_chance")}


def judge(kind: str, scores: Floats, labels: Labels, dealt: Sequence[Folds]) -> Quality:
    """Probabilities of each pair by a curve fitted to other pictures, and how good they are.

    Raises:
        UsageError: most pairs could not be judged, for too few pictures are left when theirs are taken out.
    """

    def fit(chosen: npt.NDArray[np.intp], weights: Floats) -> Predict:
        return Predict(KINDS[kind]().fit(scores[chosen], labels[chosen], weights), scores)

    return measured(np.stack([held_out(folds, labels, fit) for folds in dealt]), labels)


@dataclass(frozen=True, slots=True)
class Predict:
    """A fitted curve, asked by the numbers of pairs."""

    curve: Calibrator
    scores: Floats

    def __call__(self, numbers: npt.NDArray[np.intp]) -> Floats:
        return self.curve.predict(self.scores[numbers])


def measured(probabilities: Floats, labels: Labels) -> Quality:
    """How good ``probabilities`` (rounds, N) are, those that are nan left out.

    Raises:
        UsageError: more than half of them are nan.
    """
    told = np.isfinite(probabilities)
    if 2 * told.sum() < told.size or not told.any(axis=1).all():
        raise UsageError(
            "these pairs hang on too few pictures to judge a fit by others",
            remedy="label pairs of more pictures, no picture in more than a few",
        )
    random = np.random.default_rng(0)
    rows = []
    for said, truth in ((row[known], labels[known]) for row, known in zip(probabilities, told, strict=True)):
        drawn = [metrics.ece(said, random.random(len(said)) < said) for _ in range(DRAWS // len(told))]
        rows.append([losses(said, truth).mean(), metrics.brier(said, truth), metrics.ece(said, truth), np.mean(drawn)])
    return Quality(probabilities, *np.mean(rows, axis=0).tolist())


def losses(probabilities: Floats, labels: Labels) -> Floats:
    """-log P of what is so, of the shape of both."""
    return np.asarray(-np.log(np.clip(np.where(labels, probabilities, 1 - probabilities), 1e-15, 1)), np.float64)


def surely_better(new: Quality, old: Quality, labels: Labels) -> bool:
    """Whether ``new`` has the lower log loss by more than one standard error of the difference over the pairs."""
    told = (np.isfinite(new.probabilities) & np.isfinite(old.probabilities)).all(axis=0)
    truth = np.broadcast_to(labels[told], (len(new.probabilities), int(told.sum())))
    gain = (losses(old.probabilities[:, told], truth) - losses(new.probabilities[:, told], truth)).mean(axis=0)
    return len(gain) > 1 and float(gain.mean()) > float(gain.std(ddof=1)) / math.sqrt(len(gain))


def choose(kind: str, scores: Floats, labels: Labels, dealt: Sequence[Folds]) -> tuple[str, Mapping[str, Quality]]:
    """The kind of curve, and the quality of every kind that was tried, the simplest first.

    ``auto`` takes the one with the lowest log loss on pictures not fitted to, and of those that are as good (less than
    :data:`TIE` apart) the simplest.

    Raises:
        UsageError: there is no such kind, or the pairs hang on too few pictures.
    """
    check_kind(kind)
    enough = len(labels) >= MANY and min(labels.sum(), (~labels).sum()) >= MANY_EACH
    tried = [each for each in KINDS if each != "isotonic" or enough] if kind == AUTO else [kind]
    found = {each: judge(each, scores, labels, dealt) for each in tried}
    least = min(quality.log_loss for quality in found.values())
    return next(each for each in tried if found[each].log_loss < least + TIE), found


def check_kind(kind: str) -> None:
    """Raise :class:`~lookalike.errors.UsageError` where there is no such kind of curve."""
    if kind not in (AUTO, *KINDS):
        raise UsageError(f"there is no curve of the kind {kind!r}", remedy=f"one of: {', '.join((AUTO, *KINDS))}")
