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
from collections.abc import Sequence
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

MAGIC = b"lookalike codes 2\n"

MOST_PROBES = 30_000
"""Buckets worth looking into for all within a radius; where it asks for more, every code is compared."""

MOST_FOR_NEAREST = 4_000
"""Likewise for the nearest, however far: radii are tried one after another, and each costs."""

PIECE_BITS = (8, 24)
"""Shortest and longest piece: a table has a bucket for each of its values."""

SCANNED = 2**18
"""Codes that are compared at a time where all are."""


class Probes(NamedTuple):
    """What is looked into for one radius, of all tables in one: a row for each bucket.

    Attributes:
        table: which piece.
        masks: how its value differs from the query's.
        places: where the table begins in ``starts``.
        rows: where its slots begin in ``slots``, all in one row.
    """

    table: npt.NDArray[np.int64]
    masks: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]


class Hashing:
    """Codes of slots 0, 1, 2 …, and a table for every piece of them.

    Attributes:
        choice: as for :class:`~lookalike.index.structures.Structure`.
        exact: what it proposes is what an exact search finds.
        codes: uint8, (n, bytes).
        pieces: where each piece begins, and how many bits it has.
        starts: uint32: for every piece and every value of it, where the codes of that value begin among those of the
            piece; one more for where the last of them end.
        slots: uint32, (pieces, n): the codes, sorted by the value of the piece.
    """

    exact = True

    def __init__(
        self,
        choice: Choice,
        space: Space,
        codes: Codes,
        pieces: Sequence[tuple[int, int]],
        starts: npt.NDArray[np.uint32],
        slots: npt.NDArray[np.uint32],
    ) -> None:
        self.choice, self.space, self.codes = choice, space, codes
        self.pieces, self.starts, self.slots = [(int(first), int(bits)) for first, bits in pieces], starts, slots
        self._words = _words(codes)
        self._sorted = slots.reshape(-1)
        self._planned: dict[int, Probes] = {}

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
        pieces = _pieces(space.dimension, count)
        starts, slots = [], np.empty((len(pieces), count), np.uint32)
        for number, (first, bits) in enumerate(pieces):
            keys = _keys(codes, first, bits)
            slots[number] = np.argsort(keys, kind="stable")
            counts = np.bincount(keys, minlength=1 << bits)
            starts.append(np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32))
        return cls(choice, space, codes, pieces, np.concatenate(starts), slots)

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
        count = len(self.pieces)
        for radius in range(count - 1, self.space.dimension, count):
            if self._probe_count(radius) > MOST_FOR_NEAREST:
                break
            slots, distances = self._probed(query, radius)
            if allowed is not None:
                kept = allowed[slots]
                slots, distances = slots[kept], distances[kept]
            if len(slots) >= k:
                return np.asarray(slots[np.lexsort((slots, distances))][:k], np.int64)
        if allowed is None:
            found = faiss().knn_hamming(query[None], self.codes, k)[1][0]
            return np.asarray(found, np.int64)
        slots = np.flatnonzero(allowed)
        distances = self._distances(query, slots)
        return np.asarray(slots[np.lexsort((slots, distances))][:k], np.int64)

    def within(self, query: Vector, radius: int) -> Slots:
        """Every slot whose code differs from ``query`` (uint8, (bytes,)) in at most ``radius`` bits, in order."""
        if self._probe_count(radius) <= MOST_PROBES:
            return np.sort(self._probed(query, radius)[0])
        found = [
            start + np.flatnonzero(self._distances(query, np.s_[start : start + SCANNED]) <= radius)
            for start in range(0, len(self), SCANNED)
        ]
        return np.concatenate(found) if found else np.empty(0, np.int64)

    def _probe_count(self, radius: int) -> int:
        return sum(_count(bits, near) for (_, bits), near in zip(self.pieces, self._radii(radius), strict=True))

    def _radii(self, radius: int) -> list[int]:
        """How far every piece is looked around; -1 where it need not be looked at."""
        whole, rest = divmod(radius, len(self.pieces))
        return [whole if number <= rest else whole - 1 for number in range(len(self.pieces))]

    def _plan(self, radius: int) -> Probes:
        if radius not in self._planned:
            masks, places, place = [], [], 0
            for (_, bits), near in zip(self.pieces, self._radii(radius), strict=True):
                masks.append(_masks(bits, near))
                places.append(place)
                place += (1 << bits) + 1
            lengths = [len(part) for part in masks]
            number = np.arange(len(masks))
            self._planned[radius] = Probes(
                np.repeat(number, lengths),
                np.concatenate(masks),
                np.repeat(np.array(places), lengths),
                np.repeat(number * len(self), lengths),
            )
        return self._planned[radius]

    def _probed(self, query: Vector, radius: int) -> tuple[Slots, npt.NDArray[np.int64]]:
        """Slots within the radius, each once and in no order, and their distances."""
        plan = self._plan(radius)
        code, bits = int.from_bytes(query.tobytes(), "big"), self.space.dimension
        own = np.array([code >> (bits - first - width) & ((1 << width) - 1) for first, width in self.pieces], np.int64)
        places = (own[plan.table] ^ plan.masks) + plan.places
        begin = self.starts[places].astype(np.int64)
        counts = self.starts[places + 1] - begin
        there = np.flatnonzero(counts)
        begin, counts = begin[there] + plan.rows[there], counts[there]
        before = np.cumsum(counts) - counts
        slots = self._sorted[np.repeat(begin - before, counts) + np.arange(int(counts.sum()))]
        distances = self._distances(query, slots)
        kept = np.flatnonzero(distances <= radius)
        slots, first = np.unique(slots[kept], return_index=True)
        return slots.astype(np.int64), distances[kept[first]]

    def _distances(self, query: Vector, slots: npt.NDArray[np.integer] | slice) -> npt.NDArray[np.int64]:
        differing = np.bitwise_count(self._words[slots] ^ _words(query[None])[0])
        total: npt.NDArray[np.int64] = differing[:, 0].astype(np.int64)
        for column in range(1, differing.shape[1]):  # a sum along so short an axis takes several times as long
            total += differing[:, column]
        return total

    def write(self, path: Path) -> None:
        """Write codes and tables to a file."""
        with path.open("wb") as file:
            file.write(MAGIC + json.dumps([len(self), self.space.dimension, self.pieces]).encode() + b"\n")
            for array in (self.codes, self.starts, self.slots):
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
            starts = _mapped(file, np.uint32, (sum((1 << width) + 1 for _, width in pieces),))
            slots = _mapped(file, np.uint32, (len(pieces), count))
        return cls(choice, space, codes, pieces, starts, slots)


def _mapped(file: BinaryIO, dtype: type[np.generic], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """The next array of the file."""
    start = file.tell() + -file.tell() % 64
    if not math.prod(shape):
        return np.empty(shape, dtype)
    array = np.memmap(file.name, dtype, "r", start, shape)
    file.seek(start + array.nbytes)
    return np.asarray(array)  # a memmap itself is slower at every turn


def _pieces(bits: int, count: int) -> list[tuple[int, int]]:
    """Where pieces begin and how long they are: about as many values as there are codes.

    Rather half a bit more than that: of ten million codes of 256 bits, eleven pieces instead of twelve are looked into
    at 3,119 buckets instead of 2,221, but at half as many codes, which is what takes the time (1.2 ms instead of 2.5).
    """
    low, high = PIECE_BITS
    wide = min(high, max(low, math.log2(max(2, count)) + 0.5))
    pieces = math.ceil(bits / wide)
    edges = [round(number * bits / pieces) for number in range(pieces + 1)]
    return [(first, end - first) for first, end in itertools.pairwise(edges)]


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


def _words(codes: Codes) -> npt.NDArray[np.uint64]:
    """Codes as numbers of eight bytes, for counting bits."""
    width = codes.shape[1]
    if width % 8:
        codes = np.pad(codes, ((0, 0), (0, -width % 8)))
    return np.ascontiguousarray(codes).view(np.uint64)
