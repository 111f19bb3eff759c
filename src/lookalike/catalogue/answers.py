"""What a search found, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lookalike.errors import printable
from lookalike.types import Comparison, Failure
from lookalike.verdicts import Verdict, format_score


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        id, source, tags, data: those of the item.
        similarity: of the vectors, in [0, 1].
        score: how alike the pictures are, in [0, 1], where they were compared; None where not.
        verdict: what the score means.
        reasons: in words; empty where pictures were not compared.
        closely: whether the score is the one that ``compare`` gives; else it was told at a glance, by what is kept.
        tag_similarity: share of tags in common, 0 to 1; None where none were asked for.
        unlike: how alike it is to what answers should be unlike, in [0, 1]; None where nothing was named or compared.
        comparison: everything that comparing found; of several query pictures the best.
        folded: near-duplicates of this answer that went under it.
    """

    id: str
    source: str
    similarity: float
    score: float | None = None
    verdict: Verdict | None = None
    reasons: tuple[str, ...] = ()
    closely: bool = False
    tags: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    tag_similarity: float | None = None
    unlike: float | None = None
    comparison: Comparison | None = None
    folded: tuple[Answer, ...] = ()

    def __str__(self) -> str:
        value = f"{self.similarity:.3f}" if self.score is None else format_score(self.score)
        words = ", ".join(word for word in (self.verdict, *self.reasons) if word)
        return f"{value}  {printable(self.id, 80)}{f'  {words}' if words else ''}"

    @property
    def asides(self) -> tuple[str, ...]:
        """What else its place is by, in words: ``tags 0.67``, ``unlike 0.10``."""
        told = (("tags", self.tag_similarity), ("unlike", self.unlike))
        return tuple(f"{name} {value:.2f}" for name, value in told if value is not None)

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain values, ready for ``json.dumps``."""
        return {
            "id": self.id,
            "source": self.source,
            "score": self.score,
            "verdict": self.verdict,
            "similarity": self.similarity,
            "reasons": list(self.reasons),
            "closely": self.closely,
            "tags": list(self.tags),
            "tag_similarity": self.tag_similarity,
            "unlike": self.unlike,
            "data": dict(self.data),
            "transform": self._transform(),
            "folded": [other.to_dict() for other in self.folded],
        }

    def _transform(self) -> dict[str, Any] | None:
        found = None if self.comparison is None else self.comparison.transform
        return None if found is None else found.to_dict()


@dataclass(frozen=True, slots=True)
class Answers:
    """What one search found.

    Attributes:
        answers: the best first.
        query: what was asked for, in plain values.
        index: where.
        preset: by which preset pictures were compared; None where they were not.
        order: what the order is by, such as ``"score"`` or ``"0.7 score + 0.3 tags"``.
        count: items in the index that pass the filter.
        seconds: how long each stage took.
        failures: candidates whose pictures could not be compared; they stay among the answers, by their vectors.
        facets: tag → how many of the items that pass have it, where that was asked for.
        notices: what a person should know.
    """

    answers: tuple[Answer, ...]
    query: Mapping[str, Any]
    index: str
    preset: str | None
    order: str
    count: int
    seconds: Mapping[str, float] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    facets: Mapping[str, int] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    def __iter__(self) -> Any:
        return iter(self.answers)

    @property
    def aside(self) -> str:
        """What the order is by, to be put at the end of a sentence; empty where it is by one thing alone."""
        return "" if self.order in ("score", "similarity") else f", ordered by {self.order}"

    def __len__(self) -> int:
        return len(self.answers)

    def __getitem__(self, number: int) -> Answer:
        return self.answers[number]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for ``json.dumps``."""
        return {
            "index": self.index,
            "query": dict(self.query),
            "preset": self.preset,
            "order": self.order,
            "count": self.count,
            "answers": [answer.to_dict() for answer in self.answers],
            "facets": dict(self.facets),
            "failures": [{"source": f.source, "kind": f.kind, "reason": f.reason} for f in self.failures],
            "notices": list(self.notices),
            "seconds": dict(self.seconds),
        }
