"""An index in a Milvus: a server or cluster that many processes share, or the one file of a Milvus Lite."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import DuplicateId, IndexDamaged, IndexLocked, IndexNotFound, LookalikeError, UsageError
from lookalike.index.base import EVERYTHING, IndexInfo, Space, VectorIndex, check_least, check_top
from lookalike.index.items import Filter, Hit, Item, Vector, checked_item, each_of
from lookalike.index.milvus import layout
from lookalike.index.milvus.filter import Expression, expression, one_of
from lookalike.index.milvus.link import Address, parse_address
from lookalike.index.milvus.place import LOAD, STRONG, TOP, Place, Row

DEPTH, DEEPER = 40, 4
"""Candidates whose exact similarity is computed: so many, or so many for each answer."""


class MilvusIndex(VectorIndex):
    """An index in a Milvus; see :meth:`create` for a new one.

    Any number of processes may read and add at a time; that two add one id at the same moment is not refused, and one
    of the two items is kept.

    Args:
        address: see :func:`~lookalike.index.milvus.link.parse_address`.
        token: ``user:password`` or a key; None takes it from ``LOOKALIKE_MILVUS_TOKEN``.
        writing: whether it may be changed.

    Raises:
        IndexNotFound: there is none.
        IndexUnreachable: the server does not answer, or refuses.
        IndexLocked: the file of a Milvus Lite is open in another process.
        IndexMismatch: the collection is none of ours.
        IndexDamaged: its fields or its index are not what is written of them, or it is of another version.
    """

    def __init__(self, address: str | Address, *, token: str | None = None, writing: bool = False) -> None:
        self._take(Place(_parsed(address), token), writing)

    def _take(self, place: Place, writing: bool, *, any_format: bool = False) -> None:
        self._place, self.writing = place, writing
        self._last, self._turn = 0, threading.Lock()
        try:
            place.settle(any_format=any_format)
        except BaseException:
            place.close()
            raise
        self.space = place.space

    @classmethod
    def open(cls, address: str | Address, *, token: str | None = None, writing: bool = False) -> MilvusIndex:
        """The index at an address, as the class itself."""
        return cls(address, token=token, writing=writing)

    @classmethod
    def create(
        cls,
        address: str | Address,
        space: Space,
        *,
        kind: str = "auto",
        about: Mapping[str, Any] | None = None,
        token: str | None = None,
    ) -> MilvusIndex:
        """A new, empty index, open for writing.

        Args:
            address: see :func:`~lookalike.index.milvus.link.parse_address`; a file of Milvus Lite is made.
            space: what the vectors are.
            kind: how it searches; ``"auto"`` chooses, see :func:`~lookalike.index.milvus.layout.plan`.
            about: anything the caller wants to find again in :attr:`about`.
            token: as in the class.

        Raises:
            OutputError: there is a collection of that name already.
            UsageError: no such kind.
        """
        place = Place(_parsed(address), token, making=True)
        try:
            place.make(space, kind, about or {})
        except BaseException:
            place.close()
            raise
        made = cls.__new__(cls)
        made._take(place, writing=True)
        return made

    @property
    def about(self) -> dict[str, Any]:
        """What was given to :meth:`create`, and :meth:`note` since."""
        return dict(self._place.read()["about"])

    def note(self, **values: Any) -> None:
        """Change what :attr:`about` says."""
        self._may_write()
        head = self._place.read()
        self._place.write({**head, "about": {**head["about"], **values}})

    # Writing

    def add(self, items: Iterable[Item], *, replace: bool = False) -> int:
        self._may_write()
        count, stream = 0, iter(items)
        while batch := [checked_item(item) for item in itertools.islice(stream, self._place.batch)]:
            self._add(batch, replace=replace)
            count += len(batch)
        return count

    def _add(self, batch: Sequence[Item], *, replace: bool) -> None:
        twice = next((name for name, times in Counter(item.id for item in batch).items() if times > 1), None)
        if twice is not None:
            raise DuplicateId.of(twice)
        vectors = [self.space.row(item.vector)[0] for item in batch]
        first, floats = self._numbers(len(batch)), self._place.plan.floats
        rows = [
            layout.row_of(item, vector, first + number, floats=floats)
            for number, (item, vector) in enumerate(zip(batch, vectors, strict=True))
        ]
        if not replace and (there := self._place.by_id([item.id for item in batch], ["id"])):
            raise DuplicateId.of(next(iter(there)))
        self._place.ask("upsert", data=rows)  # never insert: what is sent twice after an error is kept once

    def _numbers(self, count: int) -> int:
        """The first of so many numbers in the order of adding: microseconds, so that writers need no common counter."""
        with self._turn:
            first = max(self._last + 1, time.time_ns() // 1000)
            self._last = first + count - 1
        return first

    def remove(self, ids: Iterable[str]) -> int:
        self._may_write()
        count, stream = 0, each_of(ids)
        while batch := list(itertools.islice(stream, self._place.batch)):
            there = list(self._place.by_id(batch, ["id"]))
            if there:
                self._place.ask("delete", filter=one_of(there))
            count += len(there)
        return count

    def save(self) -> None:
        """Nothing is left to settle: Milvus builds its index by itself as items come."""

    def rebuild(self, kind: str | None = None, components: int | None = None) -> None:
        """Move the items to a new collection, of another kind where one is named, and drop the old one.

        Readers go on with the old one until all is over, and with the new one then. Nothing may be added or removed
        meanwhile; where that is seen, the old one stays.

        Raises:
            UsageError: no such kind, or components are asked for, which a Milvus does not reduce to.
            IndexDamaged: the copy has not as many items as there are; the old one stays.
        """
        self._may_write()
        if components:
            raise UsageError("a Milvus reduces no vectors to components", remedy="leave them out")
        place = self._place
        place.settle(any_format=True)
        head, old = place.head, place.items
        asked = head["asked"] if kind is None else kind
        chosen = layout.plan(self.space, asked, lite=place.link.lite)
        number, copied = head["number"] + 1, 0
        fresh = place.make_items(number, chosen)
        stream = place.in_order("", layout.FIELDS)
        while batch := list(itertools.islice(stream, place.batch)):
            items = [layout.item_of(row, self.space) for row in batch]
            rows = [
                layout.row_of(item, item.vector, row["added"], floats=chosen.floats)
                for item, row in zip(items, batch, strict=True)
            ]
            place.link("upsert", fresh, rows)
            copied += len(rows)
        if copied != place.count():
            raise IndexDamaged(f"{place.name}: items changed while they were copied", remedy="rebuild it once more")
        moved = {"format": layout.FORMAT, "asked": asked, "plan": chosen.to_dict(), "items": fresh, "number": number}
        place.write({**place.read(), **moved})
        place.settle()
        place.link("drop_collection", old)

    # Searching

    def search(self, queries: npt.ArrayLike, k: int = 10, *, only: Filter = EVERYTHING) -> list[list[Hit]]:
        k = min(check_top(k), TOP)
        return self._all_hits(self.space.rows(queries), k, 0.0, only)

    def within(
        self, queries: npt.ArrayLike, least: float, *, only: Filter = EVERYTHING, most: int = 1000
    ) -> list[list[Hit]]:
        least, most = check_least(least), min(check_top(most, "most"), TOP)
        return self._all_hits(self.space.rows(queries), most, least, only)

    def _all_hits(self, rows: Vector, k: int, least: float, only: Filter) -> list[list[Hit]]:
        """Of every query, deeper and deeper for those that may have more answers than were looked at."""
        asked = expression(only)
        hits: list[list[Hit]] = [[] for _ in rows]
        waiting = [] if asked.nothing else list(range(len(rows)))
        depth = min(TOP, max(DEPTH, DEEPER * (min(k, 64) if least > 0 else k)))
        short: list[int] = []
        while waiting:
            deeper: list[int] = []
            found = self._candidates(rows[waiting], depth, asked.text)
            for number, candidates in zip(waiting, found, strict=True):
                hits[number], done = self._ranked(rows[number], candidates, depth, k, least, asked, only)
                if not done:
                    (deeper if depth < TOP else short).append(number)
            waiting, depth = deeper, min(TOP, 4 * depth)
        if short and not asked.exact:  # few of many pass, which only we can tell
            for number, found_at_last in self._read_through(rows, short, k, least, asked, only):
                hits[number] = found_at_last
        return hits

    def _read_through(
        self, rows: Vector, waiting: Sequence[int], k: int, least: float, asked: Expression, only: Filter
    ) -> Iterator[tuple[int, list[Hit]]]:
        """The answers to some queries among all that passes, a batch of items after another."""
        best: dict[int, list[Hit]] = {number: [] for number in waiting}
        stream = self._place.in_order(asked.text, layout.FIELDS)
        while batch := list(itertools.islice(stream, self._place.batch)):
            for number in waiting:
                more, _ = self._ranked(rows[number], batch, len(batch), k, least, asked, only)
                best[number] = sorted([*best[number], *more], key=lambda hit: -hit.similarity)[:k]
        yield from best.items()

    def _ranked(
        self, row: Vector, found: list[Row], depth: int, k: int, least: float, asked: Expression, only: Filter
    ) -> tuple[list[Hit], bool]:
        """The answers among some candidates, and whether deeper ones can change nothing."""
        if not found:
            return [], True
        similar = self.space.similarities(row, np.stack([layout.vector_of(each, self.space) for each in found]))
        added = np.array([each["added"] for each in found], np.int64)
        order = [
            number
            for number in np.lexsort((added, -similar)).tolist()
            if similar[number] >= least
            and (asked.exact or only.passes(found[number]["tags"], layout.data_of(found[number])))
        ][:k]
        hits = [
            Hit(each["id"], float(similar[number]), each["source"], tuple(each["tags"]), layout.data_of(each))
            for number in order
            for each in (found[number],)
        ]
        worst = float(similar.min())
        # Among equals at the end of the candidates one that was added earlier may be missing.
        enough = len(order) == k and worst < similar[order[-1]]
        return hits, len(found) < depth or worst < least or enough

    def _candidates(self, rows: Vector, depth: int, text: str) -> Iterator[list[Row]]:
        """Rows of the items that Milvus holds for the nearest of every query."""
        plan = self._place.plan
        whole = depth * self._place.row_bytes <= LOAD  # else their ids only, and the rows in smaller messages
        fields = layout.FIELDS if whole else ["id"]
        data = [layout.kept(row, floats=plan.floats) for row in rows]
        size = max(1, LOAD // (depth * (self._place.row_bytes if whole else 64)))
        parameters = {"metric_type": plan.metric, "params": plan.searching(depth)}
        for start in range(0, len(data), size):
            answers = self._place.ask(
                "search",
                data=data[start : start + size],
                filter=text,
                limit=depth,
                output_fields=fields,
                search_params=parameters,
                anns_field="vector",
                **STRONG,
            )
            for answer in answers:
                if whole:
                    yield [hit["entity"] for hit in answer]
                else:
                    yield list(self._place.by_id([hit["id"] for hit in answer], layout.FIELDS).values())

    # Telling

    def get(self, ids: Sequence[str]) -> list[Item | None]:
        names = list(each_of(ids))
        there = self._place.by_id(names, layout.FIELDS)
        return [layout.item_of(there[each], self.space) if each in there else None for each in names]

    def items(self) -> Iterator[Item]:
        return (layout.item_of(row, self.space) for row in self._place.in_order("", layout.FIELDS))

    def count(self, only: Filter = EVERYTHING) -> int:
        asked = expression(only)
        if asked.nothing:
            return 0
        return self._place.count(asked.text) if asked.exact else sum(1 for _ in self._tags_of(only))

    def tags(self, only: Filter = EVERYTHING) -> dict[str, int]:
        counted = Counter(tag for tags in self._tags_of(only) for tag in tags)
        return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))

    def _tags_of(self, only: Filter) -> Iterator[Sequence[str]]:
        asked = expression(only)
        if not asked.nothing:
            fields = ["tags", "added"] if asked.exact else ["tags", "data", "added"]
            for row in self._place.in_order(asked.text, fields):
                if asked.exact or only.passes(row["tags"], layout.data_of(row)):
                    yield row["tags"]

    def info(self) -> IndexInfo:
        place, plan = self._place, self._place.plan
        file = place.address.file
        files = [] if file is None else [each for each in file.rglob("*") if each.is_file()]
        return IndexInfo(
            engine="milvus",
            kind=plan.kind,
            why=plan.why,
            count=place.count(),
            space=self.space,
            bytes=sum(each.stat().st_size for each in files),
            place=str(place.address),
            details={
                "server": place.link.version,
                "index": plan.index,
                "metric": plan.metric,
                "parameters": plan.parameters,
                "collection": place.items,
                "answers_at_most": TOP,
            },
        )

    def close(self) -> None:
        self._place.close()

    def _may_write(self) -> None:
        if not self.writing:
            raise IndexLocked(f"{self._place.name}: this index is open for reading only", remedy="open it for writing")


def migrate(address: str | Address, *, kind: str | None = None, token: str | None = None) -> None:
    """Bring an index of an earlier version up to date, or to another kind; see :meth:`MilvusIndex.rebuild`.

    Raises:
        IndexDamaged: it is of a later version, or cannot be read.
    """
    index = MilvusIndex.__new__(MilvusIndex)
    index._take(Place(_parsed(address), token), writing=True, any_format=True)
    with index:
        index.rebuild(kind)


def delete(address: str | Address, *, token: str | None = None) -> None:
    """Remove the index at an address: its collections, and nothing else that may lie there.

    Raises:
        IndexNotFound: there is none.
        IndexMismatch: the collection is none of ours.
    """
    place = Place(_parsed(address), token)
    name, link = place.address.collection, place.link
    try:
        if not link("has_collection", name):
            raise IndexNotFound(f"{place.name}: there is no such collection", remedy="check the address")
        place.require_ours()
        for each in link("list_collections"):
            number = each.removeprefix(f"{name}_items_")
            if each != number and number.isdecimal():
                link("drop_collection", each)
        _drop(place, place.address.fresh.collection)
        if place.address.replaced is not None:
            _drop_unused(place, place.address.replaced)
        link("drop_collection", name)  # last, so that what ends half-way can be deleted again
    finally:
        place.close()


def take_place(address: str | Address, *, token: str | None = None) -> None:
    """The index at the ``fresh`` of an address becomes the one at the address itself, at one stroke.

    What was there goes. A reader of the same model goes on with the new one, another is told to open it again.

    Raises:
        IndexNotFound: either is not there.
    """
    place = Place(_parsed(address), token)
    fresh = place.address.fresh.collection
    try:
        old, new = place.read(), place.beside(fresh).read()
        place.write(new)
        _drop(place, old["items"])
        _drop(place, fresh)
    finally:
        place.close()


def _drop_unused(place: Place, replaced: str) -> None:
    """The items of an index that was to take the place of another, where it has not taken it."""
    heads = []
    for collection in (place.address.collection, replaced):
        with suppress(LookalikeError):
            heads.append(place.beside(collection).read()["items"])
    if len(heads) == 2 and heads[0] != heads[1]:
        _drop(place, heads[0])


def _drop(place: Place, collection: str) -> None:
    if place.link("has_collection", collection):
        place.link("drop_collection", collection)


def _parsed(address: str | Address) -> Address:
    return parse_address(address) if isinstance(address, str) else address
