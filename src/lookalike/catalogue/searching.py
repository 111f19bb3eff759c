"""One search: what is asked for, candidates by their vectors, the pictures compared, the order."""

from __future__ import annotations

import difflib
import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from lookalike.catalogue.answers import Answer, Answers
from lookalike.catalogue.filling import ABOUT
from lookalike.catalogue.query import Query, about, directed, opened, vectors_of
from lookalike.catalogue.ranking import COPIES, Comparing, at_a_glance, order_of, ordered, uncompared
from lookalike.errors import UsageError, printable
from lookalike.images.load import load
from lookalike.index.items import Filter, Hit, Item

if TYPE_CHECKING:
    from lookalike.api import Way
    from lookalike.catalogue.catalogue import Index, Progress
    from lookalike.types import Failure, Picture

RERANKED, MOST_RERANKED = 20, 200
"""Candidates whose pictures are compared, at least, and where nobody asks for more."""

BY_FORMULA = 5
"""How many times as many are compared by presets that are formulas: each takes a fraction of the time."""

FOLDED = 3
"""How many times as many answers are looked at where near-duplicates go under others."""

SAMPLE = 500
"""Items that are looked at to tell what their data has."""

NEAR = 0.95
"""Similarity of two vectors from which their pictures may be copies: a cosine of 0.90."""


class Searching:
    """One search under way, and how long each stage took."""

    def __init__(self, index: Index, way: Way, progress: Progress | None) -> None:
        self.index, self.way = index, way
        self.tell = progress or (lambda what, done, total: None)
        self.seconds: dict[str, float] = {}
        self.comparing = Comparing(way, at_a_glance(way), index.features, index.pictures, index._pool)

    def run(self, query: Query, *, facets: bool = False) -> Answers:
        """The answers to a query."""
        index = self.index
        with self._stage("query"):
            like, unlike = opened(query, index.limits), [load(each, limits=index.limits) for each in query.unlike]
            named, shunned = self._items(query.ids), self._items(query.unlike_ids)
            if query.ids and not query.tags and query.tag_weight:
                query = _with_tags(query, named)
            vectors = self._vectors(query, like, unlike, named, shunned)
        depth = self._depth(query)
        with self._stage("candidates"):
            hits = self._candidates(
                vectors, query, max(depth, query.top * FOLDED if query.fold else query.top), {item.id for item in named}
            )
        pictures = [*like, *self._pictures(named)]
        answers, failures = self._answers(query, pictures, [*unlike, *self._pictures(shunned)], hits, depth)
        with self._stage("ordering"):
            answers = [
                each
                for each in ordered(answers, query, depth == 0, self.way.preset.name)
                if _value(each) >= query.least
            ]
            if query.fold:
                answers = self.comparing.folded(answers[: max(query.top * FOLDED, 30)], self._near(answers))
            counted = index.vectors.tags(query.only) if facets else {}
            passing = index.vectors.count(query.only)
        return Answers(
            answers=tuple(answers[: query.top]),
            query=about(query),
            index=index.place,
            preset=None if depth == 0 else self.way.preset.name,
            order=order_of(query, depth == 0, self.way.preset.name),
            count=passing,
            seconds=self.seconds,
            failures=tuple(failures),
            facets=counted,
            notices=(*index.vectors.info().notices, *index.kept.notices) if passing else self._nothing(query.only),
        )

    def _nothing(self, only: Filter) -> tuple[str, ...]:
        """Why there is no answer: which tags or names of data there are not, and what is called nearly so."""
        vectors = self.index.vectors
        if not vectors.count():
            return ("the index is empty",)
        tags = vectors.tags()
        asked = [tag for tag in (*only.every, *only.some) if tag not in tags]
        why = [f"there is no tag {_near(tag, list(tags))}" for tag in asked[:3]]
        if only.of_data:
            some = [item.data for item in itertools.islice(vectors.items(), SAMPLE)]
            names = dict.fromkeys(name for data in some for name in data if name != ABOUT)
            for condition in only.of_data[:3]:
                there = [data[condition.name] for data in some if condition.name in data]
                if not there:
                    why.append(f"no item has {_near(condition.name, list(names))}")
                elif not any(type(value) in _KINDS.get(type(condition.value), ()) for value in there):
                    why.append(
                        f"{printable(condition.name, 60)} is {_kind(there[0])} there, such as"
                        f" {printable(json.dumps(there[0], ensure_ascii=False), 40)}, and not"
                        f" {_kind(condition.value)}"
                    )
        return (f"nothing in the index passes the filter{': ' if why else ''}{'; '.join(why)}",)

    def _depth(self, query: Query) -> int:
        """Candidates to compare; none where words are all there is: they have no picture."""
        if not (query.like or query.ids):
            return 0
        if query.rerank is not None:
            return query.rerank if query.rerank == 0 else max(query.rerank, query.top)
        least = RERANKED if self.way.preset.rule == "auto" else RERANKED * BY_FORMULA
        return max(query.top, min(max(least, 2 * query.top), MOST_RERANKED))

    def _items(self, ids: Sequence[str]) -> list[Item]:
        found = self.index.vectors.get(ids)
        for name, item in zip(ids, found, strict=True):
            if item is None:
                raise UsageError(
                    f"there is no item {printable(name, 60)!r} in the index", remedy="the answers of a search have ids"
                )
        return [item for item in found if item is not None]

    def _pictures(self, items: Sequence[Item]) -> list[Picture]:
        return [self.index.pictures.of(item) for item in items]

    def _vectors(
        self,
        query: Query,
        like: Sequence[Picture],
        unlike: Sequence[Picture],
        named: Sequence[Item],
        shunned: Sequence[Item],
    ) -> npt.NDArray[Any]:
        recipe, features = self.index.recipe, self.index.features
        wanted = [*vectors_of(recipe, like, features), *(item.vector for item in named)]
        if query.text:
            wanted.append(recipe.text_vector(query.text))
        away = [*vectors_of(recipe, unlike, features), *(item.vector for item in shunned)]
        return directed(recipe, wanted, away, query.combine)

    def _candidates(self, vectors: npt.NDArray[Any], query: Query, depth: int, themselves: set[str]) -> list[Hit]:
        """The nearest of each vector, and where tags are asked for, of those that have one of them, too."""
        asked = [query.only]
        if query.tags and query.tag_weight != 0 and not query.only.some:
            asked.append(replace(query.only, some=query.tags))
        best: dict[str, Hit] = {}
        for only in asked:
            for hits in self.index.vectors.search(vectors, depth + len(themselves), only=only):
                for hit in hits:
                    if hit.id not in themselves and (hit.id not in best or hit.similarity > best[hit.id].similarity):
                        best[hit.id] = hit
        found = sorted(best.values(), key=lambda hit: -hit.similarity)
        return found if len(asked) > 1 else found[:depth]

    def _answers(
        self, query: Query, like: Sequence[Picture], unlike: Sequence[Picture], hits: Sequence[Hit], depth: int
    ) -> tuple[list[Answer], list[Failure]]:
        if depth == 0:
            return [uncompared(hit, query) for hit in hits], []
        with self._stage("comparing"):
            return self.comparing.compared(like, unlike, query, hits, self.tell)

    def _near(self, answers: Sequence[Answer]) -> Any:
        """Whether two answers may be copies: both are copies of the query, or their vectors are nearly one."""
        items = {item.id: item for item in self.index.vectors.get([each.id for each in answers]) if item is not None}
        space = self.index.recipe.space

        def near(a: Answer, b: Answer) -> bool:
            if min(a.score or 0.0, b.score or 0.0) >= COPIES:
                return True
            ours, theirs = items.get(a.id), items.get(b.id)
            if ours is None or theirs is None:
                return False
            return float(space.similarities(ours.vector, theirs.vector[None])[0]) >= NEAR

        return near

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.tell(_STAGES[name], 0, 0)
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = time.perf_counter() - began


_KINDS: Mapping[type, tuple[type, ...]] = {str: (str,), int: (int, float), float: (int, float), bool: (bool,)}


def _kind(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, bool):
        return "true or false"
    kinds = ((str, "a text"), ((int, float), "a number"), (list, "a list"), (Mapping, "a table"))
    return next((words for kind, words in kinds if isinstance(value, kind)), "nothing")


def _near(name: str, known: Sequence[str]) -> str:
    """A name that is not there, and what may have been meant."""
    by_letters = {other.casefold(): other for other in known}
    near = difflib.get_close_matches(name.casefold(), by_letters, n=1)
    meant = f" (did you mean {printable(repr(by_letters[near[0]]), 60)}?)" if near else ""
    return f"{printable(repr(name), 60)}{meant}"


_STAGES: Mapping[str, str] = {
    "query": "describing the query",
    "candidates": "looking for candidates",
    "comparing": "comparing",
    "ordering": "putting in order",
}


def _value(answer: Answer) -> float:
    return answer.similarity if answer.score is None else answer.score


def _with_tags(query: Query, items: Sequence[Item]) -> Query:
    """The query with the tags of the items it names."""
    from dataclasses import replace

    return replace(query, tags=tuple(dict.fromkeys(tag for item in items for tag in item.tags)))
