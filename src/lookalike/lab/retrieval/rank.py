"""A retrieval set ranked: by a method's vectors, and the best of those by a preset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.api import compare_many
from lookalike.collection.kept import KeptFeatures
from lookalike.features.base import Method
from lookalike.images.limits import Limits
from lookalike.lab.contest import Contestant, Progress
from lookalike.lab.retrieval.ranked import Grades, Ranked
from lookalike.lab.retrieval.sets import RetrievalSet
from lookalike.types import Comparison, Failure, PairFailure

Ints = npt.NDArray[np.int64]

BLOCK = 256
"""Queries compared with the gallery at a time."""

WHOLE = 20_000_000
"""Query-candidate pairs up to which rankings are kept to their end; of larger sets the first :data:`DEPTH`."""

DEPTH = 1000

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Order:
    """A ranking: for each query numbers in the gallery, the likeliest first, and what they were ranked by."""

    found: tuple[Ints, ...]
    scores: tuple[Grades, ...]


def can_rank(made: Method[Any]) -> bool:
    """Whether a method's features are vectors that can be ranked by at once."""
    return made.metric in ("cosine", "hamming", "correlation")


def vectors(
    table: RetrievalSet,
    made: Method[Any],
    features: KeptFeatures,
    *,
    limits: Limits = _LIMITS,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[dict[str, npt.NDArray[np.float32]], list[Failure]]:
    """Every picture of the set as a vector whose dot products are the method's similarities; and those that failed."""
    names = list(dict.fromkeys((*table.queries, *table.gallery)))
    failures, good = [], {}
    told = None if progress is None else lambda done: progress(done, len(names))
    for name, feature in zip(names, features.of_sources(made, names, limits, told), strict=True):
        if isinstance(feature, Failure):
            failures.append(feature)
        else:
            good[name] = _direction(feature, made)
    return good, failures


def _direction(feature: npt.NDArray[Any], made: Method[Any]) -> npt.NDArray[np.float32]:
    flat = np.asarray(feature).reshape(-1)
    if made.metric == "hamming":
        return np.asarray((2.0 * flat - 1) / np.sqrt(len(flat)), np.float32)
    flat = flat.astype(np.float32)
    if made.metric == "correlation":
        flat = flat - flat.mean()
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-12), np.float32)


def ranked_by(table: RetrievalSet, directions: Mapping[str, npt.NDArray[np.float32]]) -> Order:
    """The gallery ranked for every query by dot products; a picture is never a candidate for itself."""
    gallery = np.stack([directions[name] for name in table.gallery])
    place = {name: number for number, name in enumerate(table.gallery)}
    whole = len(table.queries) * len(table.gallery) <= WHOLE
    depth = len(table.gallery) if whole else min(DEPTH, len(table.gallery))
    found: list[Ints] = []
    scores: list[Grades] = []
    for start in range(0, len(table.queries), BLOCK):
        names = table.queries[start : start + BLOCK]
        similarities = np.stack([directions[name] for name in names]) @ gallery.T
        for name, row in zip(names, similarities, strict=True):
            itself = place.get(name)
            order = np.argsort(-row, kind="stable")
            order = (order if itself is None else order[order != itself])[:depth]
            found.append(order)
            scores.append(row[order])
    return Order(tuple(found), tuple(scores))


def reranked(
    table: RetrievalSet,
    order: Order,
    contestant: Contestant,
    best: int,
    features: KeptFeatures,
    *,
    limits: Limits = _LIMITS,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[Order, list[PairFailure]]:
    """The first ``best`` candidates of every query put in order by a contestant's score; the others stay behind them.

    What stays behind has the score cosine - 2, so that it is below whatever was scored. A pair that fails goes last
    among the first.
    """
    pairs = {
        tuple(sorted((query, table.gallery[number]))): None
        for query, found in zip(table.queries, order.found, strict=True)
        for number in found[:best]
    }
    results = compare_many(pairs, limits=limits, threads=threads, store=features, **contestant.request)
    scores: dict[tuple[str, ...], float] = {}
    failures: list[PairFailure] = []
    for done, (pair, result) in enumerate(zip(pairs, results, strict=True), 1):
        now = contestant.corrected(result)
        scores[pair] = now.score if isinstance(now, Comparison) else -0.5
        failures += [now] if isinstance(now, PairFailure) else []
        if progress is not None:
            progress(f"{contestant.name}: comparing pairs", done, len(pairs))
    rows = [
        _put_in_order(query, found, old, table, scores, best)
        for query, found, old in zip(table.queries, order.found, order.scores, strict=True)
    ]
    return Order(tuple(found for found, _ in rows), tuple(new for _, new in rows)), failures


def _put_in_order(
    query: str,
    found: Ints,
    old: Grades,
    table: RetrievalSet,
    scores: Mapping[tuple[str, ...], float],
    best: int,
) -> tuple[Ints, Grades]:
    names = [tuple(sorted((query, table.gallery[number]))) for number in found[:best]]
    first = np.array([scores[pair] for pair in names], np.float32)
    by_score = np.argsort(-first, kind="stable")
    return (
        np.concatenate([found[:best][by_score], found[best:]]),
        np.concatenate([first[by_score], old[best:] - np.float32(2)]),
    )


def graded(table: RetrievalSet, order: Order) -> Ranked:
    """The grades of a ranking, for the measures."""
    grades = [
        np.array([relevant.get(int(number), 0.0) for number in found], np.float32)
        for relevant, found in zip(table.relevance, order.found, strict=True)
    ]
    ideals = [np.sort(np.array(list(relevant.values()), np.float32))[::-1] for relevant in table.relevance]
    return Ranked(grades, order.scores, ideals)
