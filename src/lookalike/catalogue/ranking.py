"""Candidates → answers: the pictures themselves are compared, tags weighed in, near-duplicates put together."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
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

AT_A_GLANCE = {"hopeless": 2.0, "registered_doubt": 1.0}
"""Thresholds of the default preset that nothing reaches: nothing is aligned, by pixels or by keypoints."""

CLOSELY, MOST_CLOSELY = 3, 10
"""How many candidates are compared closely at least, the first by their vectors, and at most at a time. Of 266 searches
with edited pictures among garments, groceries and a catalogue, three to ten have the same best answer as twenty in 99
of 100; of parts that were also recoloured, the glance alone knows too little."""

MAYBE_KIN = 0.65
"""Score at a glance from which a candidate may show the same product, or more."""

TAG_WEIGHT = 0.3
"""How much of the order tags make where they are asked for and no weight is given."""

SHARE = {"style": 0.1}
"""How much of the order the score of a preset makes where the similarity of vectors makes the rest; all of it by the
others. Of the recoloured shots of a product the score of ``style`` alone has 82 and 53 % among the first six in two
catalogues, vectors alone 92 and 99 %, and this mix 93 and 98 %; in one it was not chosen by, 40, 99 and 98 %."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The pictures of a query, opened."""

    like: Sequence[Picture]
    unlike: Sequence[Picture]
    query: Query


@dataclass(frozen=True, slots=True)
class Comparing:
    """What comparing takes.

    Attributes:
        way: by which preset, or calibration.
        glance: the same with nothing aligned; ``way`` itself where that has no such thing.
        features: where features are kept.
        pictures: of the items.
        pool: threads that share the work.
    """

    way: Way
    glance: Way
    features: KeptFeatures
    pictures: Pictures
    pool: ThreadPoolExecutor

    def compared(
        self, queries: Sequence[Picture], unlike: Sequence[Picture], query: Query, hits: Sequence[Hit], tell: Progress
    ) -> tuple[list[Answer], list[Failure]]:
        """An answer for every hit, and the pictures that could not be compared.

        What the default preset computes first, from what is kept, tells how alike two pictures are nearly as well as
        all of it; so every candidate gets that, and those that may be more get the rest.
        """
        failures: dict[str, Failure] = {}
        asked = _Asked(queries, unlike, query)
        answers = {hit.id: uncompared(hit, query) for hit in hits}
        staged = self.glance is not self.way and not query.thorough
        chosen: Sequence[Hit] = hits
        if staged:
            for number, hit in enumerate(hits):
                answers[hit.id] = self._tried(asked, hit, answers[hit.id], failures, closely=False)
                tell("comparing", number + 1, len(hits))
            chosen = self._likely(hits, answers, failures)
        answers = self._closely(asked, chosen, answers, failures, tell)
        if staged and max((_score(answer) for answer in answers.values()), default=0.0) < MAYBE_KIN:
            rest = [hit for hit in hits if not answers[hit.id].closely and hit.id not in failures][:MOST_CLOSELY]
            answers = self._closely(asked, rest, answers, failures, tell)  # nothing yet: it may be a part, or hidden
        unlike_each_other = {(failure.source, failure.kind): failure for failure in failures.values()}
        return list(answers.values()), list(unlike_each_other.values())

    def _likely(
        self, hits: Sequence[Hit], answers: Mapping[str, Answer], failures: Mapping[str, Failure]
    ) -> Sequence[Hit]:
        """The candidates worth a close look: the first by their vectors, the first at a glance, and maybe kin."""
        by_glance = sorted(hits, key=lambda hit: -_score(answers[hit.id]))
        kin = [hit for hit in by_glance if _score(answers[hit.id]) >= MAYBE_KIN]
        first = dict.fromkeys(hit.id for hit in (*by_glance[:2], *hits[:CLOSELY], *kin))
        by_id = {hit.id: hit for hit in hits}
        return [by_id[name] for name in first if name not in failures][:MOST_CLOSELY]

    def _closely(
        self,
        asked: _Asked,
        chosen: Sequence[Hit],
        answers: Mapping[str, Answer],
        failures: dict[str, Failure],
        tell: Progress,
    ) -> dict[str, Answer]:
        """The answers, the chosen ones compared as closely as can be."""
        done = dict(answers)

        def one(hit: Hit) -> tuple[str, Answer]:
            return hit.id, self._tried(asked, hit, answers[hit.id], failures, closely=True)

        ahead = 2 * (os.cpu_count() or 2)
        for number, (name, answer) in enumerate(in_order(self.pool, one, chosen, ahead)):
            done[name] = answer
            tell("comparing closely", number + 1, len(chosen))
        return done

    def _tried(self, asked: _Asked, hit: Hit, before: Answer, failures: dict[str, Failure], *, closely: bool) -> Answer:
        """The answer with its score, or as it was before where the picture cannot be had."""
        try:
            picture = self.pictures.of(hit)
            found = [self.pair(each, picture, closely=closely) for each in asked.like]
            away = [self.pair(each, picture, closely=closely).score for each in asked.unlike]
        except LookalikeError as error:
            failures[hit.id] = Failure.of(error)
            return before
        best = max(found, key=lambda each: each.score)
        score = best.score if asked.query.combine == "best" else sum(each.score for each in found) / len(found)
        return replace(
            before,
            score=score,
            verdict=best.verdict if len(found) == 1 or asked.query.combine == "best" else _verdict(score),
            reasons=best.reasons if len(found) == 1 or asked.query.combine == "best" else (),
            closely=closely,
            comparison=best,
            unlike=sum(away) / len(away) if away else None,
        )

    def pair(self, a: Picture, b: Picture, *, closely: bool = True) -> Comparison:
        """The two compared, as :func:`lookalike.compare` does; else by what is kept of them, without a close look."""
        if closely:
            return self.way.score(Pair(a, b, self.way.options, self.features, side_by_side=False))
        pair = Pair(a, b, self.way.options, self.features, side_by_side=False, search=False, closely=False)
        return self.glance.score(pair)

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


def at_a_glance(way: Way) -> Way:
    """The way with nothing aligned; the same where only the whole of it has a meaning."""
    if way.preset.rule != "auto" or way.calibration is not None:
        return way
    return replace(way, preset=way.preset.changed(None, AT_A_GLANCE))


def uncompared(hit: Hit, query: Query) -> Answer:
    """The hit as an answer, by its vector alone."""
    tags = jaccard(query.tags, hit.tags) if query.tags else None
    return Answer(hit.id, hit.source, hit.similarity, tags=hit.tags, data=hit.data, tag_similarity=tags)


def _weight(query: Query) -> float:
    """How much of the order the tags make."""
    return 0.0 if not query.tags else TAG_WEIGHT if query.tag_weight is None else query.tag_weight


def order_of(query: Query, by_vectors: bool, preset: str = "auto") -> str:
    """What :func:`ordered` goes by, in words.

    >>> from lookalike.catalogue.query import Query
    >>> order_of(Query(like=("a.jpg",), unlike=("b.jpg",), tags=("red",)), by_vectors=False)
    '0.7 score + 0.3 tags - 0.5 unlike'
    """
    weight, share = _weight(query), SHARE.get(preset, 1.0)
    mixed = share < 1 and not by_vectors
    own = f"{1 - share:.3g} similarity + {share:.3g} score" if mixed else "similarity" if by_vectors else "score"
    terms = f"{1 - weight:.3g} {f'({own})' if mixed else own} + {weight:.3g} tags" if weight else own
    away = not by_vectors and (query.unlike or query.unlike_ids)  # vectors are led away from it beforehand
    return f"{terms} - {AWAY:g} unlike" if away else terms


def ordered(answers: Sequence[Answer], query: Query, by_vectors: bool, preset: str = "auto") -> list[Answer]:
    """The answers in their order: by score and tags; those that could not be compared after the others."""
    weight, share = _weight(query), SHARE.get(preset, 1.0)

    def value(answer: Answer) -> tuple[bool, float, float]:
        own = answer.similarity if answer.score is None else share * answer.score + (1 - share) * answer.similarity
        tags = answer.tag_similarity or 0.0
        late = answer.score is None and not by_vectors
        return (late, AWAY * (answer.unlike or 0.0) - ((1 - weight) * own + weight * tags), -answer.similarity)

    return sorted(answers, key=value)


def _hit(answer: Answer) -> Hit:
    return Hit(answer.id, answer.similarity, answer.source, answer.tags, answer.data)


def _score(answer: Answer) -> float:
    return 0.0 if answer.score is None else answer.score


def _verdict(score: float) -> Verdict:
    return verdict_of(min(score, 0.999999))  # several pictures cannot all be this one
