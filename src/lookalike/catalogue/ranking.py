"""Candidates → answers: the pictures themselves are compared, tags weighed in, near-duplicates put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lookalike.catalogue.answers import Answer
from lookalike.catalogue.query import AWAY
from lookalike.errors import LookalikeError
from lookalike.index.items import Hit, jaccard
from lookalike.scoring.pair import Pair
from lookalike.threads import in_order
from lookalike.types import Comparison, Failure
from lookalike.verdicts import Verdict, verdict_of

if TYPE_CHECKING:
    from lookalike.api import Way
    from lookalike.catalogue.pictures import Pictures
    from lookalike.catalogue.query import Query
    from lookalike.collection.kept import KeptFeatures
    from lookalike.types import Picture

COPIES = 0.90
"""Score from which one answer is folded under another."""

MAYBE_COPIES = 0.95
"""Similarity of vectors, of 1 for the same, from which two answers are compared to see whether they are copies."""

TAG_WEIGHT = 0.3
"""How much of the order tags make where they are asked for and no weight is given."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Comparing:
    """What comparing takes.

    Attributes:
        way: by which preset, or calibration.
        features: where features are kept.
        pictures: of the items.
        pool: threads that share the work.
    """

    way: Way
    features: KeptFeatures
    pictures: Pictures
    pool: ThreadPoolExecutor

    def compared(
        self, queries: Sequence[Picture], unlike: Sequence[Picture], query: Query, hits: Sequence[Hit], tell: Progress
    ) -> tuple[list[Answer], list[Failure]]:
        """An answer for every hit, in their order, and the pictures that could not be compared."""
        answers, failures = [], []

        def one(hit: Hit) -> tuple[Answer, Failure | None]:
            return self._one(queries, unlike, query, hit)

        for number, (answer, failure) in enumerate(in_order(self.pool, one, hits, 4 * (os.cpu_count() or 2))):
            answers.append(answer)
            if failure is not None:
                failures.append(failure)
            tell("comparing", number + 1, len(hits))
        return answers, failures

    def _one(
        self, queries: Sequence[Picture], unlike: Sequence[Picture], query: Query, hit: Hit
    ) -> tuple[Answer, Failure | None]:
        plain = uncompared(hit, query)
        try:
            picture = self.pictures.of(hit)
            found = [self.pair(each, picture) for each in queries]
            away = [self.pair(each, picture).score for each in unlike]
        except LookalikeError as error:
            return plain, Failure.of(error)
        best = max(found, key=lambda each: each.score)
        scores = [each.score for each in found]
        score = best.score if query.combine == "best" else sum(scores) / len(scores)
        answer = replace(
            plain, score=score, verdict=best.verdict if len(found) == 1 else _verdict(score), reasons=best.reasons,
            comparison=best, unlike=sum(away) / len(away) if away else None,
        )  # fmt: skip
        return answer, None

    def pair(self, a: Picture, b: Picture) -> Comparison:
        """The two compared, as :func:`lookalike.compare` does."""
        return self.way.score(Pair(a, b, self.way.options, self.features, side_by_side=False))

    def folded(self, answers: Sequence[Answer], near: Callable[[Answer, Answer], bool]) -> list[Answer]:
        """Every answer that is a copy of a better one put under that.

        Args:
            answers: in their order.
            near: whether two may be copies, by their vectors.
        """
        heads: list[Answer] = []
        for answer in answers:
            for number, head in enumerate(heads):
                if near(head, answer) and self._copies(head, answer):
                    heads[number] = replace(head, folded=(*head.folded, answer))
                    break
            else:
                heads.append(answer)
        return heads

    def _copies(self, a: Answer, b: Answer) -> bool:
        try:
            pair = (self.pictures.of(_hit(a)), self.pictures.of(_hit(b)))
            return self.pair(*pair).score >= COPIES
        except LookalikeError:
            return False


def uncompared(hit: Hit, query: Query) -> Answer:
    """The hit as an answer, by its vector alone."""
    tags = jaccard(query.tags, hit.tags) if query.tags else None
    return Answer(hit.id, hit.source, hit.similarity, tags=hit.tags, data=hit.data, tag_similarity=tags)


def ordered(answers: Sequence[Answer], query: Query, by_vectors: bool) -> list[Answer]:
    """The answers in their order: by score and tags; those that could not be compared after the others."""
    weight = 0.0 if not query.tags else TAG_WEIGHT if query.tag_weight is None else query.tag_weight

    def value(answer: Answer) -> tuple[bool, float, float]:
        own = answer.similarity if answer.score is None else answer.score
        tags = answer.tag_similarity or 0.0
        late = answer.score is None and not by_vectors
        return (late, AWAY * (answer.unlike or 0.0) - ((1 - weight) * own + weight * tags), -answer.similarity)

    return sorted(answers, key=value)


def _hit(answer: Answer) -> Hit:
    return Hit(answer.id, answer.similarity, answer.source, answer.tags, answer.data)


def _verdict(score: float) -> Verdict:
    return verdict_of(min(score, 0.999999))  # several pictures cannot all be this one
