"""Binary codes by multi-index hashing: all within some bits of a query are found, and few others are looked at.

M. Norouzi, A. Punjani, D. Fleet, "Fast search in Hamming space with multi-index hashing" (2012): codes that differ in
at most r bits, cut into m pieces, differ in at most ⌊r/m⌋ bits in one of the pieces at least. So each piece gets a
table, and codes are looked at only where a piece is that near. With r = m·a + b, a − 1 bits suffice for all but b + 1
of the pieces.
"""

from __future__ import annotations

import itertools
import json
import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.index.rows import Slots
from lookalike.index.structures import Blocks, Choice, faiss

if TYPE_CHECKING:
    from lookalike.index.base import Space
    from lookalike.index.items import Vector

Codes = npt.NDArray[np.uint8]
"""uint8, (n, bytes): codes, the first bit highest."""

MAGIC = b"lookalike codes 1\n"

MOST_PROBES = 30_000
"""Buckets worth looking into; where a radius asks for more, every code is compared."""

PIECE_BITS = (8, 24)
"""Shortest and longest piece: a table has a bucket for each of its values."""

SCANNED = 2**18
"""Codes that are compared at a time where all are."""


class Table(NamedTuple):
    """Codes sorted by one piece of them.

    Attributes:
        first, bits: where the piece begins, and how long it is.
        starts: uint32, (2^bits + 1,): where the codes of a value begin in ``slots``.
        slots: uint32, (n,).
    """

    first: int
    bits: int
    starts: npt.NDArray[np.uint32]
    slots: npt.NDArray[np.uint32]


class Hashing:
    """Codes of slots 0, 1, 2 …, and a table for every piece of them.

    Attributes:
        choice: as for :class:`~lookalike.index.structures.Structure`.
        exact: what it proposes is what an exact search finds.
    """

    exact = True

    def __init__(self, choice: Choice, space: Space, codes: Codes, tables: list[Table]) -> None:
        self.choice, self.space, self.codes, self.tables = choice, space, codes, tables
        self._words = _words(codes)

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def build(cls, choice: Choice, space: Space, count: int, blocks: Blocks) -> Hashing:
        """Sort all codes by each of their pieces."""
        codes = np.empty((count, space.dimension // 8), np.uint8)
        at = 0
        for rows in blocks():
            codes[at : at + len(rows)] = rows
            at += len(rows)
        return cls(choice, space, codes, [_table(codes, *piece) for piece in _pieces(space.dimension, count)])

    def depth(self, k: int) -> int:
        """How many candidates are worth an exact similarity, for ``k`` answers: it is exact itself."""
        return k

    def propose(self, queries: Vector, k: int, allowed: npt.NDArray[np.bool_] | None = None) -> Slots:
        """The slots of the ``k`` nearest codes of every query, nearest first; -1 where there are fewer."""
        made = np.full((len(queries), min(k, len(self))), -1, np.int64)
        for number, query in enumerate(queries):
            slots = self._nearest(query, made.shape[1], allowed)
            made[number, : len(slots)] = slots
        return made

    def _nearest(self, query: Vector, k: int, allowed: npt.NDArray[np.bool_] | None) -> Slots:
        """Radii grow until enough codes are within; beyond what tables are good for, all are compared."""
        pieces = len(self.tables)
        for radius in range(pieces - 1, self.space.dimension, pieces):
            if self._probes(radius) > MOST_PROBES:
                break
            slots, distances = self._probed(query, radius)
            if allowed is not None:
                kept = allowed[slots]
                slots, distances = slots[kept], distances[kept]
            if len(slots) >= k:
                return slots[np.lexsort((slots, distances))][:k]
        if allowed is None:
            found = faiss().knn_hamming(query[None], self.codes, k)[1][0]
            return np.asarray(found, np.int64)
        slots = np.flatnonzero(allowed)
        distances = self._distances(query, slots)
        return np.asarray(slots[np.lexsort((slots, distances))][:k], np.int64)

    def within(self, query: Vector, radius: int) -> Slots:
        """Every slot whose code differs from ``query`` (uint8, (bytes,)) in at most ``radius`` bits, in order."""
        if self._probes(radius) <= MOST_PROBES:
            return np.sort(self._probed(query, radius)[0])
        found = [
            start + np.flatnonzero(self._distances(query, np.s_[start : start + SCANNED]) <= radius)
            for start in range(0, len(self), SCANNED)
        ]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def _probes(self, radius: int) -> int:
        return sum(_count(table.bits, near) for table, near in zip(self.tables, self._radii(radius), strict=True))

    def _radii(self, radius: int) -> list[int]:
        """How far every piece is looked around; -1 where it need not be looked at."""
        whole, rest = divmod(radius, len(self.tables))
        return [whole if number <= rest else whole - 1 for number in range(len(self.tables))]

    def _probed(self, query: Vector, radius: int) -> tuple[Slots, npt.NDArray[np.int64]]:
        """Slots within the radius, each once and in no order, and their distances."""
        candidates = []
        for table, near in zip(self.tables, self._radii(radius), strict=True):
            if near >= 0:
                key = _keys(query[None], table.first, table.bits)[0]
                candidates.append(_bucketed(table, key ^ _masks(table.bits, near)))
        slots = np.concatenate(candidates)
        distances = self._distances(query, slots)
        kept = distances <= radius
        slots, first = np.unique(slots[kept], return_index=True)
        return slots.astype(np.int64), distances[kept][first]

    def _distances(self, query: Vector, slots: npt.NDArray[np.integer] | slice) -> npt.NDArray[np.int64]:
        differing = self._words[slots] ^ _words(query[None])[0]
        return np.asarray(np.bitwise_count(differing).sum(axis=1), np.int64)

    def write(self, path: Path) -> None:
        """Write codes and tables to a file."""
        pieces = [(table.first, table.bits) for table in self.tables]
        with path.open("wb") as file:
            file.write(MAGIC + json.dumps([len(self), self.space.dimension, pieces]).encode() + b"\n")
            for array in (self.codes, *(part for table in self.tables for part in (table.starts, table.slots))):
                file.write(bytes(-file.tell() % 64))
                file.write(np.ascontiguousarray(array).data)

    @classmethod
    def load(cls, choice: Choice, space: Space, path: Path, *, growing: bool = False) -> Hashing:
        """What :meth:`write` wrote, mapped into memory; to grow it is built anew."""
        with path.open("rb") as file:
            if file.readline() != MAGIC:
                raise ValueError("no codes of ours")
            count, bits, pieces = json.loads(file.readline())
            codes = _mapped(file, np.uint8, (count, bits // 8))
            tables = [
                Table(first, width, _mapped(file, np.uint32, ((1 << width) + 1,)), _mapped(file, np.uint32, (count,)))
                for first, width in pieces
            ]
        return cls(choice, space, codes, tables)


def _mapped(file: BinaryIO, dtype: type[np.generic], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """The next array of the file."""
    start = file.tell() + -file.tell() % 64
    if not math.prod(shape):
        return np.empty(shape, dtype)
    array = np.memmap(file.name, dtype, "r", start, shape)
    file.seek(start + array.nbytes)
    return array


def _pieces(bits: int, count: int) -> list[tuple[int, int]]:
    """Where pieces begin and how long they are: about as many values as there are codes."""
    low, high = PIECE_BITS
    wide = min(high, max(low, int(math.log2(max(2, count)))))
    pieces = math.ceil(bits / wide)
    edges = [round(number * bits / pieces) for number in range(pieces + 1)]
    return [(first, end - first) for first, end in itertools.pairwise(edges)]


def _table(codes: Codes, first: int, bits: int) -> Table:
    keys = _keys(codes, first, bits)
    order = np.argsort(keys, kind="stable").astype(np.uint32)
    starts = np.zeros((1 << bits) + 1, np.uint32)
    np.cumsum(np.bincount(keys, minlength=1 << bits), out=starts[1:])
    return Table(first, bits, starts, order)


def _keys(codes: Codes, first: int, bits: int) -> npt.NDArray[np.int64]:
    """The bits from ``first`` on of every code, as numbers."""
    begin, end = first // 8, math.ceil((first + bits) / 8)
    value = np.zeros(len(codes), np.int64)
    for column in range(begin, end):
        value = value << 8 | codes[:, column]
    return value >> (8 * end - first - bits) & ((1 << bits) - 1)


@lru_cache(maxsize=256)
def _masks(bits: int, near: int) -> npt.NDArray[np.int64]:
    """Every number of that many bits in which at most ``near`` are set."""
    return np.array(
        [
            sum(1 << bit for bit in chosen)
            for count in range(near + 1)
            for chosen in itertools.combinations(range(bits), count)
        ],
        np.int64,
    )


def _count(bits: int, near: int) -> int:
    return sum(math.comb(bits, count) for count in range(near + 1))


def _bucketed(table: Table, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """The slots of all these values."""
    starts = table.starts[keys].astype(np.int64)
    counts = table.starts[keys + 1] - starts
    there = counts > 0
    starts, counts = starts[there], counts[there]
    before = np.cumsum(counts) - counts
    return table.slots[np.repeat(starts - before, counts) + np.arange(int(counts.sum()))]


def _words(codes: Codes) -> npt.NDArray[np.uint64]:
    """Codes as numbers of eight bytes, for counting bits."""
    width = codes.shape[1]
    if width % 8:
        codes = np.pad(codes, ((0, 0), (0, -width % 8)))
    return np.ascontiguousarray(codes).view(np.uint64)
