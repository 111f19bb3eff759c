"""What each contestant finds in a retrieval set."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from lookalike.collection.kept import KeptFeatures
from lookalike.errors import PictureError, UsageError
from lookalike.features.base import Method, check_method
from lookalike.images.limits import Limits
from lookalike.lab.contest import Contestant, Progress
from lookalike.lab.retrieval.rank import Order, can_rank, graded, ranked_by, reranked, vectors
from lookalike.lab.retrieval.ranked import Ranked
from lookalike.lab.retrieval.sets import RetrievalSet, readable
from lookalike.scoring.pair import shared_method
from lookalike.types import Failure

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Found:
    """What one contestant found.

    Attributes:
        name: of the contestant.
        wanted: the set without what could not be read.
        order: the gallery for each query, the likeliest first.
        ranked: its grades, for the measures.
        seconds: that it took, with what was remembered of the pictures.
        failures: pictures and pairs that could not be used.
    """

    name: str
    wanted: RetrievalSet
    order: Order
    ranked: Ranked
    seconds: float
    failures: tuple[Failure, ...] = ()


def search(
    table: RetrievalSet,
    contestants: Sequence[Contestant],
    features: KeptFeatures,
    *,
    best: int = 100,
    size: int = 224,
    limits: Limits = _LIMITS,
    threads: int | None = None,
    progress: Progress | None = None,
) -> list[Found]:
    """Let every contestant rank the gallery for every query.

    A method with vectors ranks by them. A preset, and any other method, puts the ``best`` candidates in order that the
    built-in embedding finds at ``size`` pixels; what the embedding alone reaches then comes first, as ``candidates``.

    Raises:
        PictureError: none of the pictures can be read.
        UsageError: ``best`` is below 1, or a contestant that cannot be made.
    """
    if best < 1:
        raise UsageError(f"{best} candidates cannot be put in order", remedy="give 1 or more")
    rankers = {each.name: made for each in contestants if (made := _ranker(each)) is not None}
    done: list[Found] = []
    base: Found | None = None
    if len(rankers) < len(contestants):
        embedding = shared_method("embedding", {"size": size})
        base = _by_vectors(f"candidates: embedding {size} px", table, embedding, features, limits, progress)
        done.append(base)
    for each in contestants:
        if each.name in rankers:
            done.append(_by_vectors(each.name, table, rankers[each.name], features, limits, progress))
            continue
        assert base is not None
        started = time.perf_counter()
        order, failed = reranked(
            base.wanted, base.order, each, best, features, limits=limits, threads=threads, progress=progress
        )
        failures = (*base.failures, *(failure.failure for failure in failed))
        seconds = base.seconds + time.perf_counter() - started
        done.append(Found(each.name, base.wanted, order, graded(base.wanted, order), seconds, failures))
    return done


def _ranker(contestant: Contestant) -> Method[object] | None:
    """The method that ranks by itself, where the contestant is one."""
    if contestant.method is None or contestant.calibration is not None:
        return None
    check_method(contestant.method)
    made = shared_method(contestant.method, contestant.options.get(contestant.method, {}))
    return made if can_rank(made) else None


def _by_vectors(
    name: str,
    table: RetrievalSet,
    made: Method[object],
    features: KeptFeatures,
    limits: Limits,
    progress: Progress | None,
) -> Found:
    started = time.perf_counter()

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(f"{name}: describing pictures", done, total)

    directions, failures = vectors(table, made, features, limits=limits, progress=tell)
    wanted = readable(table, {name for name in (*table.queries, *table.gallery) if name not in directions})
    if not wanted.queries or not wanted.gallery:
        raise PictureError(
            f"no picture of it can be used: {failures[0].reason}", source=table.name, remedy="check its paths"
        )
    order = ranked_by(wanted, directions)
    return Found(name, wanted, order, graded(wanted, order), time.perf_counter() - started, tuple(failures))
