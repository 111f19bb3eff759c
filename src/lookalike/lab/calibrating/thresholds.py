"""What a threshold is asked to do, how many labelled pairs it takes to say so, and where it then lies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.lab.ranking import Floats, Labels, Ranking, ranking, ratio

LEAST = 20
"""Pairs of each label without which nothing is fitted: a curve of two numbers wants ten of the rarer kind for each
(Peduzzi et al., "A simulation study of the number of events per variable in logistic regression analysis", 1996)."""

_ROUNDING = 1e-9

TITLES = {"tpr": "true-positive rate", "fpr": "false-positive rate", "precision": "precision"}


@dataclass(frozen=True, slots=True)
class Target:
    """What the threshold for "same product" is asked to do.

    Attributes:
        kind: ``tpr``, find this share of the same pairs (and take as few others as that allows); ``fpr``, take at most
            this share of the different pairs for the same (and find as many as that allows); ``precision``, let at
            least this share of what is called the same be the same (and find as many as that allows).
        value: the share, over 0 and below 1.

    Raises:
        UsageError: the share is out of range.
    """

    kind: Literal["tpr", "fpr", "precision"] = "tpr"
    value: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.value < 1:
            raise UsageError(f"a {TITLES[self.kind]} to aim at lies between 0 and 1, not at {self.value:g}")

    def __str__(self) -> str:
        return f"{TITLES[self.kind]} {self.value:g}"

    @property
    def needed(self) -> tuple[int, int]:
        """How many same and how many different pairs it takes at least.

        A share of 1 in n cannot be told from none by fewer than n pairs: to leave out 5 % of the same there must be 20
        of them, to let 1 % of the different pass there must be 100. What is called the same is about as much as there
        is of the same, so that a precision of 0.99 wants 100 of those too.

        >>> Target("tpr", 0.95).needed, Target("fpr", 0.01).needed
        ((20, 20), (20, 100))
        """
        rare = self.value if self.kind == "fpr" else 1 - self.value
        count = max(LEAST, math.ceil(1 / rare - _ROUNDING))
        return (LEAST, count) if self.kind == "fpr" else (count, LEAST)

    def require(self, same: int, different: int, what: str = "labelled", why: str = "") -> None:
        """Raise :class:`~lookalike.errors.UsageError`, with the numbers wanted, where there are too few pairs.

        Args:
            same, different: how many there are.
            what: what they are.
            why: what became of others, in words.

        >>> Target().require(23, 4)
        Traceback (most recent call last):
        ...
        lookalike.errors.UsageError: 23 pairs are labelled same and 4 different, too few for a true-positive rate 0.95;
        at least 20 of each are needed: 16 more of different
        """
        least_same, least_different = self.needed
        missing = [(max(0, least_same - same), "same"), (max(0, least_different - different), "different")]
        short = " and ".join(f"{count} more of {label}" for count, label in missing if count)
        if short:
            least = f"{least_same} of each" if least_same == least_different else ""
            least = least or f"{least_same} of same and {least_different} of different"
            left = f" ({why})" if why else ""
            raise UsageError(
                f"{same} pairs are {what} same and {different} different{left}, too few for a {self}",
                remedy=f"at least {least} are needed: {short}",
            )


def pick(found: Ranking, target: Target) -> Floats:
    """The threshold that does what is asked, (…,); nan where none does.

    Of all scores it lies halfway between the lowest that has to be over it and the next one below.
    """
    reached: npt.NDArray[np.bool_]
    if target.kind == "tpr":
        reached = found.recall >= target.value - _ROUNDING
        at = reached.argmax(axis=-1)
    else:
        if target.kind == "fpr":
            reached = (found.fall_out <= target.value + _ROUNDING) & (found.hits > 0)
        else:
            reached = np.nan_to_num(found.precision) >= target.value - _ROUNDING
        at = reached.shape[-1] - 1 - reached[..., ::-1].argmax(axis=-1)
    below = np.append(found.thresholds[1:], found.thresholds[-1])
    between = (found.thresholds + below) / 2
    between = np.where(between > below, between, found.thresholds)
    return np.where(reached.any(axis=-1), between[at], np.nan)


def threshold_for(scores: Floats, labels: Labels, target: Target) -> float:
    """The threshold for all pairs, each counted once.

    Raises:
        UsageError: no threshold does it.

    >>> threshold_for(np.array([0.9, 0.8, 0.4, 0.2]), np.array([True, True, False, False]), Target())
    0.6...
    """
    counted = ranking(scores, labels)
    found = float(pick(counted, target))
    if math.isnan(found):
        best = np.nanmax(counted.precision)
        more = f": the best precision is {best:.2f}" if target.kind == "precision" else ": some of those score highest"
        what = "these pairs" if target.kind == "precision" else "the different pairs"
        raise UsageError(f"no threshold gives a {target} on {what}{more}", remedy="aim lower, or use another preset")
    return found


def rates(called: Labels, labels: Labels, weights: Floats) -> dict[str, Floats]:
    """What comes of calling some pairs the same: ``tpr``, ``fpr``, ``precision`` and ``f1``, each (…,).

    Args:
        called: (N,), the pairs that are called the same.
        labels: (N,), those that are.
        weights: (…, N), how often each counts.
    """
    hits, false = weights @ (called & labels), weights @ (called & ~labels)
    same, different = weights @ labels.astype(float), weights @ (~labels).astype(float)
    return {
        "tpr": ratio(hits, same),
        "fpr": ratio(false, different),
        "precision": ratio(hits, hits + false),
        "f1": ratio(2 * hits, hits + false + same),
    }
