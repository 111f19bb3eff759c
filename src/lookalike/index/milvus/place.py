"""One index in a Milvus: its head, the collection of its items, and what can be read of those by id or in order."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from lookalike.errors import IndexDamaged, IndexMismatch, IndexNotFound, OutputError, UsageError, printable
from lookalike.index.base import Space
from lookalike.index.conditions import as_json
from lookalike.index.milvus import layout
from lookalike.index.milvus.filter import one_of
from lookalike.index.milvus.link import BUILDING, Address, Link, pymilvus

BATCH = 1000
"""Items in one message at most."""

LOAD = 32 * 2**20
"""Bytes in one message, about; servers take 64 MB."""

TOP = 16_384
"""Rows of one answer at most: what a Milvus gives."""

STRONG: Mapping[str, Any] = {"consistency_level": "Strong"}
"""Reads see what any client was told is written."""

HEAD = ["id", "lookalike_head", "nothing"]

Row = Mapping[str, Any]


class Place:
    """An index at its address.

    Args:
        address: where it lies.
        token: ``user:password`` or a key; None takes it from the environment.
        making: whether it need not be there.

    Attributes:
        head: what is written of it, as plain values; see :meth:`settle`.
        space: what its vectors are.
        plan: how they are kept and searched.

    Raises:
        IndexNotFound: a file of Milvus Lite that is not there.
        IndexUnreachable, IndexLocked: as :class:`~lookalike.index.milvus.link.Link`.
    """

    head: dict[str, Any]
    space: Space
    plan: layout.Plan

    def __init__(self, address: Address, token: str | None, *, making: bool = False) -> None:
        self.address = address
        self.name = printable(str(address))
        if address.file is not None and not making and not address.file.exists():
            raise IndexNotFound(f"{self.name}: there is no such file", remedy="check the address")
        self.link = Link(address, token)

    def close(self) -> None:
        """Let go of it; a second time does nothing."""
        self.link.close()

    def beside(self, collection: str) -> Place:
        """Another index of the same server, over the same connection; its head can be read and written."""
        other = Place.__new__(Place)
        other.address, other.link = replace(self.address, collection=collection), self.link
        other.name = printable(str(other.address))
        return other

    # The head

    def settle(self, *, any_format: bool = False) -> None:
        """Read what the index is, and hold its collection against that.

        Raises:
            IndexNotFound: there is none.
            IndexMismatch: the collection is none of ours.
            IndexDamaged: its fields or its index are not what is written of them, or it is of another version.
        """
        head = self.read()
        try:
            written, later = head["format"], head["format"] > layout.FORMAT
            if written != layout.FORMAT and (later or not any_format):
                raise IndexDamaged(
                    f"{self.name}: is of version {written}, and this is version {layout.FORMAT}",
                    remedy="update lookalike" if later else "bring it up to date with migrate",
                )
            self.space, self.plan, self.head = Space(**head["space"]), layout.Plan(**head["plan"]), head
            self._check_items()
        except (TypeError, KeyError, UsageError) as error:
            raise IndexDamaged(f"{self.name}: what is written of it is broken: {error!r}") from error

    def read(self) -> dict[str, Any]:
        """The head as it is now."""
        if not self.link("has_collection", self.address.collection):
            raise IndexNotFound(f"{self.name}: there is no such collection", remedy="check the address")
        self.require_ours()
        rows = self._head_rows()
        if not rows:
            raise IndexDamaged(f"{self.name}: its making never ended", remedy="create it again")
        try:
            head = json.loads(rows[0]["lookalike_head"])
        except ValueError as error:
            raise IndexDamaged(f"{self.name}: what is written of it is broken: {error}") from error
        if not isinstance(head, dict):
            raise IndexDamaged(f"{self.name}: what is written of it is broken")
        return head

    def write(self, head: Mapping[str, Any]) -> None:
        """Write the head anew, which is one step: readers see the old or the new one."""
        try:
            text = as_json(head)
        except (TypeError, ValueError) as error:
            raise UsageError(f"what is to be noted is no JSON: {error}") from error
        layout.checked_text(text, "what is to be noted")
        row = {"id": "head", "lookalike_head": text, "nothing": [1.0, 0.0]}
        self.link("upsert", self.address.collection, [row])

    def require_ours(self) -> None:
        """That the collection of the address is a head of ours.

        Raises:
            IndexMismatch: it is not.
        """
        if not self._ours():
            raise IndexMismatch(f"{self.name}: this collection was made by something else", remedy="name another")

    def _ours(self) -> bool:
        described = self.link("describe_collection", self.address.collection)
        return [field["name"] for field in described["fields"]] == HEAD

    def _head_rows(self) -> list[Row]:
        name = self.address.collection
        self.link("load_collection", name, timeout=BUILDING)
        return list(self.link("query", name, filter=one_of(["head"]), output_fields=HEAD[1:2], **STRONG))

    def _check_items(self) -> None:
        if not self.link("has_collection", self.items):
            raise IndexDamaged(f"{self.name}: its items are gone", remedy="build it anew")
        described = self.link("describe_collection", self.items)
        fields = {field["name"]: field for field in described["fields"]}
        index = self.link("describe_index", self.items, "vector") or {}
        dimension = fields.get("vector", {}).get("params", {}).get("dim")
        wanted = layout.FIELDS, self.space.dimension, self.plan.index, self.plan.metric
        there = list(fields), int(dimension or 0), index.get("index_type"), index.get("metric_type")
        if there != wanted:
            raise IndexDamaged(
                f"{self.name}: its collection is {printable(str(there))}, and was made as {printable(str(wanted))}",
                remedy="build it anew",
            )
        self.link("load_collection", self.items, timeout=BUILDING)

    # Making

    def make(self, space: Space, kind: str, about: Mapping[str, Any]) -> None:
        """A new, empty index; what was left of a making that ended half-way is taken over.

        Raises:
            OutputError: there is a collection of that name already.
            UsageError: no such kind.
        """
        name, self.space = self.address.collection, space
        self.plan = layout.plan(space, kind, lite=self.link.lite)
        if not self.link("has_collection", name):
            self._make(name, layout.head_schema(), HEAD[2], "FLAT", "COSINE", {})
        elif not self._ours() or self._head_rows():
            raise OutputError(f"{self.name}: there is something already", remedy="name another place")
        replaced = self.address.replaced
        number = 0 if replaced is None else int(self.beside(replaced).read()["number"]) + 1
        items = self.make_items(number, self.plan)
        head = {"format": layout.FORMAT, "space": space.to_dict(), "about": dict(about), "asked": kind}
        self.write({**head, "plan": self.plan.to_dict(), "items": items, "number": number})

    def make_items(self, number: int, chosen: layout.Plan) -> str:
        """An empty collection for items, and its name; one of that number that nothing refers to gives way."""
        name = f"{self.address.replaced or self.address.collection}_items_{number}"
        if self.link("has_collection", name):  # of a making that ended half-way
            self.link("drop_collection", name)
        schema = layout.item_schema(self.space, chosen)
        self._make(name, schema, "vector", chosen.index, chosen.metric, chosen.parameters)
        return name

    def _make(self, name: str, schema: Any, field: str, index: str, metric: str, parameters: Mapping[str, int]) -> None:
        indexes = pymilvus.MilvusClient.prepare_index_params()
        indexes.add_index(field, index_type=index, metric_type=metric, params=dict(parameters))
        if field == "vector" and not self.link.lite:
            indexes.add_index("added", index_type="STL_SORT")
        self.link("create_collection", name, schema=schema, consistency_level="Strong")
        self.link("create_index", name, indexes, timeout=BUILDING, sync=False)  # loading waits for it
        self.link("load_collection", name, timeout=BUILDING)

    # Reading

    @property
    def items(self) -> str:
        """Name of the collection that has the items."""
        return str(self.head["items"])

    @property
    def row_bytes(self) -> int:
        """Of one item in a message: its vector, and what the rest usually takes."""
        return self.space.dimension * 4 + 1024

    @property
    def batch(self) -> int:
        """Items in one message."""
        return max(1, min(BATCH, LOAD // self.row_bytes))

    def ask(self, method: str, **options: Any) -> Any:
        """Something of the items, wherever they are now: a rebuild elsewhere may have moved them."""
        try:
            return self.link(method, collection_name=self.items, **options)
        except IndexNotFound:
            before, space = self.items, self.space
            self.settle()
            if self.items == before:
                raise
            if self.space != space:
                raise IndexMismatch(
                    f"{self.name}: was replaced by an index of other vectors", remedy="open it again"
                ) from None
            return self.link(method, collection_name=self.items, **options)

    def by_id(self, ids: Iterable[str], fields: list[str]) -> dict[str, Row]:
        """Id → row, of those that are there, in the order asked for."""
        asked, there = [each for each in dict.fromkeys(ids) if layout.is_id(each)], {}
        for start in range(0, len(asked), self.batch):
            part = one_of(asked[start : start + self.batch])
            there.update({row["id"]: row for row in self.ask("query", filter=part, output_fields=fields, **STRONG)})
        return {each: there[each] for each in asked if each in there}

    def count(self, text: str = "") -> int:
        """How many items an expression lets through."""
        return int(self.ask("query", filter=text, output_fields=["count(*)"], **STRONG)[0]["count(*)"])

    def in_order(self, text: str, fields: list[str]) -> Iterator[Row]:
        """Rows in the order of adding: spans of it, halved until what lies in one fits a message.

        pymilvus has an iterator, which goes by id and would have to be given ids with a quote in them.
        """
        size = max(1, min(TOP, LOAD // (self.row_bytes if "vector" in fields else 1024)))
        now = time.time_ns() // 1000
        spans = [(0, now - 1), (now, 2**62)]
        while spans:
            first, last = spans.pop(0)
            part = f"added >= {first} and added <= {last}" + (f" and {text}" if text else "")
            count = self.count(part)
            if count > size and first < last:
                middle = (first + last) // 2
                spans[:0] = [(first, middle), (middle + 1, last)]
            elif count:
                rows = self.ask("query", filter=part, limit=TOP, output_fields=fields, **STRONG)
                yield from sorted(rows, key=lambda row: (row["added"], row["id"]))
