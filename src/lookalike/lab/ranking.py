"""How many of the same and of the different pairs lie over each threshold: what every curve is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Weights over each threshold; pairs of one score go over it together.

    Attributes:
        thresholds: (T,), the distinct scores, highest first.
        hits: (…, T), weight of the positives whose score is the threshold or more.
        false: (…, T), weight of the negatives, likewise.
    """

    thresholds: Floats
    hits: Floats
    false: Floats

    @property
    def positives(self) -> Floats:
        """(…,), weight of all positives."""
        return self.hits[..., -1]

    @property
    def negatives(self) -> Floats:
        """(…,), weight of all negatives."""
        return self.false[..., -1]

    @property
    def recall(self) -> Floats:
        """(…, T), share of the positives at or over each threshold: the true-positive rate."""
        return ratio(self.hits, self.positives[..., None])

    @property
    def fall_out(self) -> Floats:
        """(…, T), share of the negatives at or over each threshold: the false-positive rate."""
        return ratio(self.false, self.negatives[..., None])

    @property
    def precision(self) -> Floats:
        """(…, T), share of positives among what is at or over each threshold; nan where that is nothing."""
        return ratio(self.hits, self.hits + self.false)


def ranking(scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Ranking:
    """Count over every threshold.

    Args:
        scores: (N,), the higher the more alike; finite.
        labels: (N,), true for positives.
        weights: (N,) or (rounds, N), 0 or more; every round makes a row of its own. None counts every pair once.

    Raises:
        UsageError: nothing to rank, lengths that differ, or a score that is no number.

    >>> ranking([0.9, 0.4, 0.9], [True, False, False]).false
    array([1., 2.])
    """
    values, truth = checked(scores, labels)
    weighed = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    if weighed.shape[-1:] != values.shape:
        raise UsageError(f"there are {len(values)} scores and {weighed.shape[-1]} weights")
    order = np.argsort(-values, kind="stable")
    values, truth, weighed = values[order], truth[order], weighed[..., order]
    last = np.append(np.flatnonzero(np.diff(values)), len(values) - 1)  # of every run of equal scores
    hits = np.cumsum(weighed * truth, axis=-1)[..., last]
    false = np.cumsum(weighed * ~truth, axis=-1)[..., last]
    return Ranking(values[last], hits, false)


def checked(scores: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Floats, Labels]:
    """Scores and labels as arrays of one length; :class:`~lookalike.errors.UsageError` where they are not."""
    values, truth = np.asarray(scores, np.float64), np.asarray(labels).astype(bool)
    if values.ndim != 1 or values.shape != truth.shape or not len(values):
        raise UsageError(f"scores and labels must be lists of one length, not {values.shape} and {truth.shape}")
    if not np.isfinite(values).all():
        raise UsageError("a score is no number", remedy="leave out the pairs that failed")
    return values, truth


def ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    """``part / whole``; nan where the whole is nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / whole, np.nan)
