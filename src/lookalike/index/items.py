"""What an index holds and what it answers: items, hits, and what a caller may ask of their tags and data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from lookalike.errors import UsageError, printable
from lookalike.index.conditions import Condition, as_json, read_condition

Vector = npt.NDArray[Any]
"""One vector: float32 of length 1, or bits packed into uint8; see :class:`lookalike.index.base.Space`."""

MOST_ID = 512
"""Bytes of an id at most: what Milvus takes, and more than any shop's number has."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of an index.

    Attributes:
        id: the caller's own name for it, unique in its index; 1 to 512 bytes of UTF-8.
        vector: float32 (dimension,), or bits packed into uint8 (dimension / 8,).
        source: where the picture lies; any text.
        tags: words it may be filtered by, each once.
        data: anything else, as JSON knows it.

    >>> import numpy as np
    >>> Item("17", np.ones(4, np.float32), tags=("dress", "red")).tags
    ('dress', 'red')
    """

    id: str
    vector: Vector
    source: str = ""
    tags: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer of an index.

    Attributes:
        id, source, tags, data: those of the item.
        similarity: in [0, 1], 1 for the same: (cosine + 1) / 2, or the share of bits that agree.
    """

    id: str
    similarity: float
    source: str = ""
    tags: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which items may be answers.

    Attributes:
        every: tags that all must be there.
        some: tags of which one must be there; nothing is asked where it is empty.
        none: tags of which none may be there.
        data: values that entries of the item's data must equal.
        conditions: what else is asked of the data, also as text: ``("price<40",)``.
        of_data: both, as conditions.

    Raises:
        UsageError: what is given is no such thing.

    >>> Filter(every=("dress",), none=("kids",)).passes(("dress", "red"), {})
    True
    >>> Filter(conditions=("price<40", Condition("sold", "!=", True))).passes((), {"price": 39.9})
    True
    """

    every: tuple[str, ...] = ()
    some: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()
    of_data: tuple[Condition, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("every", "some", "none"):
            object.__setattr__(self, name, tuple(each_of(getattr(self, name))))
        if not isinstance(self.data, Mapping):
            raise UsageError("the data of a filter is a table of names and values", remedy='such as {"colour": "red"}')
        given = self.conditions
        asked = (given,) if isinstance(given, (str, Condition)) else tuple(given)
        read = tuple(read_condition(each) if isinstance(each, str) else each for each in asked)
        if not all(isinstance(each, Condition) for each in read):
            raise UsageError("a condition is a Condition, or a text such as 'price<40'")
        object.__setattr__(self, "conditions", read)
        equal = (Condition(name, "=", value) for name, value in self.data.items())
        object.__setattr__(self, "of_data", (*equal, *read))

    def __bool__(self) -> bool:
        return bool(self.every or self.some or self.none or self.data or self.conditions)

    def passes(self, tags: Sequence[str], data: Mapping[str, Any]) -> bool:
        """Whether an item with these tags and this data may be an answer."""
        own = set(tags)
        return (
            own.issuperset(self.every)
            and (not self.some or not own.isdisjoint(self.some))
            and own.isdisjoint(self.none)
            and all(condition.holds(data) for condition in self.of_data)
        )


def checked_item(item: Item) -> Item:
    """``item``, its tags in order and each once.

    Raises:
        UsageError: an id that is empty or too long, a tag that is no text, data that is no JSON.
    """
    if not isinstance(item.id, str) or not item.id or len(item.id.encode("utf-8", "surrogatepass")) > MOST_ID:
        raise UsageError(f"{_named(item)} is no id", remedy=f"an id is a text of 1 to {MOST_ID} bytes")
    if "\0" in item.id or not _is_text(item.id):
        raise UsageError(f"{_named(item)} is no id: it holds what is no letter")
    if not all(isinstance(tag, str) and tag for tag in item.tags):
        raise UsageError(f"item {_named(item)}: a tag is a text that is not empty")
    tags = tuple(sorted(set(item.tags)))
    if not isinstance(item.source, str):
        raise UsageError(f"item {_named(item)}: its source is a text, not a {type(item.source).__name__}")
    try:
        told = as_json(item.data)
        data = json.loads(told)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"item {_named(item)}: its data is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise UsageError(f"item {_named(item)}: its data is no table of names and values")
    if not _is_text("".join((item.source, *tags, told))):
        raise UsageError(f"item {_named(item)}: its source, a tag or its data holds what is no letter")
    return Item(item.id, item.vector, item.source, tags, data)


def _named(item: Item) -> str:
    return repr(printable(str(item.id), 60))


def _is_text(text: str) -> bool:
    """Whether all of it can be written: half a surrogate pair, as in names that are no UTF-8, cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def each_of(words: object) -> Iterator[str]:
    """Ids or tags, one after another: one alone is one, and not its letters; numbers are taken as they are written.

    >>> list(each_of("17")), list(each_of([17, "18"]))
    (['17'], ['17', '18'])
    """
    return map(str, words if isinstance(words, Iterable) and not isinstance(words, str) else (words,))


def jaccard(a: Sequence[str], b: Sequence[str]) -> float:
    """Tags in both over tags in either, 0 to 1; 0 where neither has any (P. Jaccard, 1912).

    >>> jaccard(["dress", "red"], ["dress", "blue"])
    0.3333333333333333
    """
    ours, theirs = set(a), set(b)
    return len(ours & theirs) / len(ours | theirs) if ours or theirs else 0.0
