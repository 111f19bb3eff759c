"""How an index lies in a Milvus: its two collections, their fields, and the index over the vectors.

The collection of the address holds one row, the head: what the index is, and the name of the collection that has the
items. Moving to another kind or format fills a new collection and then changes that name, so that a reader sees the
one or the other, and what ends half-way leaves the old one in place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lookalike.errors import UsageError, printable
from lookalike.index.base import Space
from lookalike.index.conditions import as_json
from lookalike.index.items import MOST_ID, Item, Vector
from lookalike.optional import later

pymilvus = later("pymilvus", extra="milvus")

FORMAT = 1

MOST_TEXT = 65_535
"""Bytes of a VARCHAR, and of a JSON value, at most."""

MOST_TAGS = 4096
"""Of one item: what a Milvus array holds."""

LISTS = 1024
"""Clusters of the IVF kinds."""

FIELDS = ["id", "vector", "source", "tags", "data", "added"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How vectors are kept and searched.

    Attributes:
        kind: our name of it.
        why: in words, why that one.
        floats: whether they are kept as float32: bits then as 1 and -1, whose cosine orders them as their distance.
        index: Milvus' name of the index.
        parameters: to build it with.
    """

    kind: str
    why: str
    floats: bool
    index: str
    parameters: dict[str, int]

    @property
    def metric(self) -> str:
        """Milvus' name of the measure."""
        return "COSINE" if self.floats else "HAMMING"

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain values."""
        return asdict(self)

    def searching(self, depth: int) -> dict[str, int]:
        """Parameters of a search for so many candidates."""
        if self.index == "HNSW":
            return {"ef": max(128, depth)}
        if "IVF" in self.index:
            return {"nprobe": LISTS if depth > LISTS else 64}
        return {}


def plan(space: Space, kind: str, *, lite: bool) -> Plan:
    """What suits this server, or what was asked for.

    Raises:
        UsageError: no such kind for these vectors, or not in Milvus Lite.
    """
    bits = space.metric == "hamming"
    kinds: tuple[str, ...] = (
        ("flat",) if bits and lite else ("flat", "ivf") if bits else ("flat", "int8", "hnsw", "ivfpq")
    )
    kinds = tuple(each for each in kinds if not (lite and each == "ivfpq"))
    if kind not in ("auto", *kinds):
        raise UsageError(
            f"{printable(kind, 40)!r} is no kind of {'Milvus Lite' if lite else 'Milvus'} index for {space.metric}",
            remedy=f"choose one of auto, {', '.join(kinds)}",
        )
    why = "as asked for"
    if kind == "auto":
        kind = "flat" if lite or bits else "hnsw"
        why = "Milvus Lite is for few items, and comparing all is exact" if lite else ""
        why = why or ("all bits are compared, which is quick and exact" if bits else "quick at millions of items")
    floats = lite or not bits
    lists: dict[str, int] = {"nlist": LISTS}
    index, parameters = {
        "flat": ("FLAT" if floats else "BIN_FLAT", {}),
        "ivf": ("BIN_IVF_FLAT", lists),
        "int8": ("IVF_SQ8", lists),
        "hnsw": ("HNSW", {"M": 32, "efConstruction": 80}),
        "ivfpq": ("IVF_PQ", {**lists, "m": _parts(space.dimension), "nbits": 8}),
    }[kind]
    return Plan(kind, why, floats, index, parameters)


def _parts(dimension: int) -> int:
    """Codes of a product quantiser: the dimension must be a multiple of their number."""
    return next((parts for parts in range(min(64, dimension), 0, -1) if dimension % parts == 0), 1)


def head_schema() -> Any:
    """Fields of the head; a collection without a vector is not possible."""
    kinds, schema = pymilvus.DataType, pymilvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", kinds.VARCHAR, is_primary=True, max_length=64)
    schema.add_field("lookalike_head", kinds.VARCHAR, max_length=MOST_TEXT)
    schema.add_field("nothing", kinds.FLOAT_VECTOR, dim=2)
    return schema


def item_schema(space: Space, chosen: Plan) -> Any:
    """Fields of the items."""
    kinds, schema = pymilvus.DataType, pymilvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", kinds.VARCHAR, is_primary=True, max_length=MOST_ID)
    schema.add_field("vector", kinds.FLOAT_VECTOR if chosen.floats else kinds.BINARY_VECTOR, dim=space.dimension)
    schema.add_field("source", kinds.VARCHAR, max_length=MOST_TEXT)
    schema.add_field("tags", kinds.ARRAY, element_type=kinds.VARCHAR, max_capacity=MOST_TAGS, max_length=MOST_TEXT)
    schema.add_field("data", kinds.JSON)
    schema.add_field("added", kinds.INT64)
    return schema


def row_of(item: Item, vector: Vector, added: int, *, floats: bool) -> dict[str, Any]:
    """A checked item as a row.

    Args:
        item: from :func:`~lookalike.index.items.checked_item`.
        vector: as the space keeps it.
        added: its place in the order of adding.
        floats: whether vectors are kept as float32.

    Raises:
        UsageError: a text too long for Milvus or not UTF-8, too many tags, or a number over 64 bits.
    """
    named = printable(item.id, 60)
    checked_text(item.source, f"the source of item {named!r}")
    for tag in item.tags:
        checked_text(tag, f"a tag of item {named!r}")
    if len(item.tags) > MOST_TAGS:
        raise UsageError(f"item {named!r} has {len(item.tags)} tags", remedy=f"Milvus takes {MOST_TAGS} at most")
    checked_text(as_json(item.data), f"the data of item {named!r}")
    if not _small(item.data):
        raise UsageError(f"the data of item {named!r} holds a whole number over 64 bits", remedy="write it as a text")
    values = (item.id, kept(vector, floats=floats), item.source, list(item.tags), dict(item.data), added)
    return dict(zip(FIELDS, values, strict=True))


def kept(vector: Vector, *, floats: bool) -> Any:
    """One vector of a space as Milvus takes it: numbers, or packed bits."""
    if not floats:
        return vector.tobytes()
    numbers = np.unpackbits(vector).astype(np.float32) * 2 - 1 if vector.dtype == np.uint8 else vector
    return numbers.astype(np.float32).tolist()


def vector_of(row: Mapping[str, Any], space: Space) -> Vector:
    """The vector of a row as the space keeps it."""
    given = row["vector"]
    if len(given) == 1 and isinstance(given[0], (bytes, bytearray)):  # as a search gives bits back
        given = given[0]
    if isinstance(given, (bytes, bytearray)):
        return np.frombuffer(given, np.uint8)
    numbers = np.asarray(given, np.float32)
    return np.packbits(numbers > 0) if space.metric == "hamming" else numbers.astype(np.float16)


def item_of(row: Mapping[str, Any], space: Space) -> Item:
    """The item of a row."""
    return Item(row["id"], vector_of(row, space), row["source"], tuple(row["tags"]), data_of(row))


def data_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a row."""
    data = row["data"]
    return dict(json.loads(data) if isinstance(data, (str, bytes)) else data)


def checked_text(text: str, what: str) -> None:
    """Refuse what no VARCHAR keeps.

    Raises:
        UsageError: not UTF-8, or longer than :data:`MOST_TEXT`.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise UsageError(f"{what} holds what is no letter", remedy="Milvus keeps UTF-8 only") from error
    if size > MOST_TEXT:
        raise UsageError(f"{what} has {size} bytes", remedy=f"Milvus takes {MOST_TEXT} at most")


def is_id(text: str) -> bool:
    """Whether an item can have this id; Milvus need not be asked for another."""
    try:
        return 0 < len(text.encode()) <= MOST_ID
    except UnicodeEncodeError:
        return False


def _small(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_small, value.values()))
    if isinstance(value, list):
        return all(map(_small, value))
    return not isinstance(value, int) or -(2**63) <= value < 2**63
