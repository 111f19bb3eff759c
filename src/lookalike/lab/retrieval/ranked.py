"""How well a ranking finds what belongs to a query: functions of the grades in ranked order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from lookalike.lab.measures import Measure
from lookalike.lab.ranking import Floats, ratio

Grades = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Ranked:
    """For each query what was found, the likeliest first.

    Attributes:
        grades: a query's array: how relevant what stands at each place is; 0 for not at all.
        scores: likewise, what it was ranked by; the same scale for all queries.
        ideals: likewise, all grades over 0 that there are for the query, the highest first; more than in ``grades``
            where the ranking stops early.
    """

    grades: Sequence[Grades]
    scores: Sequence[Grades]
    ideals: Sequence[Grades]

    @cached_property
    def precisions(self) -> Floats:
        """(queries,), average precision of each; nan for one to which nothing belongs."""
        return np.array(
            [precision_of(grades, len(ideal)) for grades, ideal in zip(self.grades, self.ideals, strict=True)]
        )

    def hits(self, k: int) -> Floats:
        """(queries,), 1 where something that belongs is among the first ``k``; nan where nothing belongs."""
        return np.array(
            [
                float((grades[:k] > 0).any()) if len(ideal) else np.nan
                for grades, ideal in zip(self.grades, self.ideals, strict=True)
            ]
        )

    def gains(self, k: int) -> Floats:
        """(queries,), discounted gain of the first ``k`` against the best there could be; nan where nothing belongs."""
        return np.array([gain_of(grades, ideal, k) for grades, ideal in zip(self.grades, self.ideals, strict=True)])

    @cached_property
    def pooled(self) -> Pooled:
        """All queries' candidates in one list."""
        return _pooled(self)


def precision_of(grades: npt.NDArray[Any], total: int) -> float:
    """Average precision of one query: precision at the place of everything that belongs, over ``total`` of those.

    >>> precision_of(np.array([1, 0, 1]), 2)
    0.8333333333333333
    """
    places = np.flatnonzero(np.asarray(grades) > 0) + 1
    return float((np.arange(1, len(places) + 1) / places).sum() / total) if total else float("nan")


def gain_of(grades: npt.NDArray[Any], ideal: npt.NDArray[Any], k: int) -> float:
    """nDCG: Σ grade / log₂(place + 1) over the first ``k``, divided by what the best order would have.

    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (ACM TOIS 20(4), 2002).
    """
    discount = 1 / np.log2(np.arange(2, k + 2))
    found, best = (float(each[:k] @ discount[: len(each[:k])]) for each in (np.asarray(grades), np.asarray(ideal)))
    return found / best if best > 0 else float("nan")


def mean_average_precision(ranked: Ranked, weights: npt.ArrayLike | None = None) -> Floats:
    """mAP: average precision, averaged over the queries to which something belongs."""
    return _mean(ranked.precisions, weights)


def recall_at_k(ranked: Ranked, k: int, weights: npt.ArrayLike | None = None) -> Floats:
    """Share of queries that have something that belongs among the first ``k`` (as retrieval papers use the word)."""
    return _mean(ranked.hits(k), weights)


def ndcg(ranked: Ranked, k: int = 10, weights: npt.ArrayLike | None = None) -> Floats:
    """nDCG of the first ``k``, averaged over queries, see :func:`gain_of`."""
    return _mean(ranked.gains(k), weights)


def micro_ap(ranked: Ranked, weights: npt.ArrayLike | None = None) -> Floats:
    """µAP: average precision over the candidates of all queries in one list, by score; ties count together.

    So scores must mean the same for every query, and queries to which nothing belongs count by their false finds.
    Perronnin, Liu and Renders (CVPR 2009); the measure of Douze et al., "The 2021 image similarity dataset and
    challenge" (arXiv:2106.09672).

    Args:
        ranked: the rankings.
        weights: (queries,) or (rounds, queries).
    """
    pool = ranked.pooled
    weighed = np.ones(len(ranked.grades)) if weights is None else np.asarray(weights, np.float64)
    hits = np.asarray(pool.relevant @ weighed.T).T  # (…, steps): a step ends where a score with something true ends
    everything = np.cumsum(np.asarray(pool.candidates @ weighed.T).T, axis=-1)
    precision = np.nan_to_num(ratio(np.cumsum(hits, axis=-1), everything))
    return ratio((hits * precision).sum(axis=-1), weighed @ pool.totals)


@dataclass(frozen=True, slots=True)
class Pooled:
    """Candidates of all queries by score, in steps: each ends with a score that something relevant has.

    Attributes:
        relevant, candidates: (steps, queries), how many of each query's fall into each step; sparse.
        totals: (queries,), how much belongs to each query.
    """

    relevant: Any
    candidates: Any
    totals: Floats


def _pooled(ranked: Ranked) -> Pooled:
    count = len(ranked.grades)
    query = np.repeat(np.arange(count), [len(grades) for grades in ranked.grades])
    true = np.concatenate([*ranked.grades, np.empty(0, np.float32)]) > 0
    scores = np.concatenate([*ranked.scores, np.empty(0, np.float32)])
    order = np.argsort(-scores, kind="stable")
    query, true, scores = query[order], true[order], scores[order]
    level = np.cumsum(np.append(0, np.diff(scores) != 0)) if len(scores) else np.empty(0, np.int64)
    steps = np.unique(level[true])  # what lies between two of them belongs to the later
    step = np.searchsorted(steps, level)
    reached = step < len(steps)
    shape = (len(steps), count)

    def counted(which: npt.NDArray[np.bool_]) -> Any:
        ones = np.ones(int(which.sum()))
        return scipy.sparse.csr_array((ones, (step[which], query[which])), shape=shape)

    totals = np.array([len(ideal) for ideal in ranked.ideals], np.float64)
    return Pooled(counted(reached & true), counted(reached), totals)


def _mean(values: Floats, weights: npt.ArrayLike | None) -> Floats:
    good = np.isfinite(values)
    weighed = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    return ratio(weighed[..., good] @ values[good], weighed[..., good].sum(axis=-1))


@dataclass(frozen=True, slots=True)
class Weighed:
    """Rankings, and how often each query counts: (queries,) or (rounds, queries); None for once each."""

    ranked: Ranked
    weights: Floats | None = None


def _measure(title: str, about: str, value: Callable[[Ranked, Floats | None], Floats]) -> Measure[Weighed]:
    return Measure(title, about, lambda given: value(given.ranked, given.weights))


def _recall(k: int) -> Measure[Weighed]:
    about = f"Share of queries with something that belongs among the first {k}."
    return _measure(f"recall@{k}", about, lambda ranked, weights: recall_at_k(ranked, k, weights))


RANKED: dict[str, Measure[Weighed]] = {
    "map": _measure("mAP", "Average precision of a query's ranking, averaged over queries.", mean_average_precision),
    "micro_ap": _measure("µAP", "Average precision of all queries' candidates in one list, by score.", micro_ap),
    **{f"recall_at_{k}": _recall(k) for k in (1, 5, 10)},
    "ndcg_at_10": _measure(
        "nDCG@10",
        "Gain of the first ten places against the best there could be.",
        lambda ranked, weights: ndcg(ranked, 10, weights),
    ),
}
"""Every measure of rankings by the name it has in JSON, in the order of the table."""
