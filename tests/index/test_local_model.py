"""Whatever is done to an index, in whatever order, it answers as the reference does to which the same was done."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lookalike.errors import UsageError
from lookalike.index import local, passing, state
from lookalike.index.base import Space, VectorIndex
from lookalike.index.exact import ExactIndex
from lookalike.index.items import Filter, Hit, Item
from lookalike.index.local import LocalIndex

FLOATS, BITS = Space(12), Space(64, "hamming")
SPACES = {"flat": FLOATS, "int8": FLOATS, "hnsw": FLOATS, "auto": FLOATS, "hashing": BITS, "binary": BITS}
OTHER_KINDS = {"cosine": ("auto", "flat", "int8", "hnsw"), "hamming": ("auto", "flat", "hashing")}

FILTERS = (
    {},
    {"only": Filter(every=("a",))},
    {"only": Filter(some=("a", "b"), none=("c",))},
    {"only": Filter(data={"left": 1})},
    {"only": Filter(none=("a",), data={"left": 0})},
)

HASTE = {"WORTH": 8, "LOOSE": 0.1, "EMPTY_SHARE": 0.2, "BATCH": 5}

numbers = st.integers(0, 40)
tags = st.lists(st.sampled_from("abc"), max_size=3)
seeds = st.integers(0, 25)


def vector(space: Space, seed: int) -> np.ndarray:
    """Few seeds, so that some items are equal."""
    rng = np.random.default_rng(seed)
    if space.metric == "hamming":
        return rng.integers(0, 256, 8, np.uint8) & np.uint8(255 if seed % 2 else 17)
    return rng.standard_normal(space.dimension)


class IndexMachine(RuleBasedStateMachine):
    """An index in a folder, a reader of it that stays open, and the reference."""

    @initialize(kind=st.sampled_from(sorted(SPACES)))
    def begin(self, kind: str) -> None:
        self.haste = ExitStack()
        for patched in (
            patch.multiple(local, **HASTE),
            patch.object(state, "FEW", 6),
            patch.object(passing, "FEW", 6),
        ):
            self.haste.enter_context(patched)
        self.place = Path(tempfile.mkdtemp())
        self.space = SPACES[kind]
        self.reference = ExactIndex(self.space)
        self.index = LocalIndex.create(
            self.place / "index", self.space, kind={"binary": "flat"}.get(kind, kind), about={"made": "here"}
        )
        self.reader = LocalIndex(self.place / "index")

    def item(self, number: int, seed: int, words: list[str]) -> Item:
        return Item(f"item {number}", vector(self.space, seed), f"{seed}.jpg", tuple(words), {"left": number % 2})

    @rule(given=st.lists(st.tuples(numbers, seeds, tags), max_size=14, unique_by=lambda row: row[0]))
    def add(self, given: list[tuple[int, int, list[str]]]) -> None:
        items = [self.item(*row) for row in given if self.reference.get([f"item {row[0]}"])[0] is None]
        assert self.index.add(iter(items)) == self.reference.add(items)

    @rule(given=st.lists(st.tuples(numbers, seeds, tags), min_size=1, max_size=9, unique_by=lambda row: row[0]))
    def replace(self, given: list[tuple[int, int, list[str]]]) -> None:
        items = [self.item(*row) for row in given]
        assert self.index.add(items, replace=True) == self.reference.add(items, replace=True)

    @rule(gone=st.lists(numbers, max_size=12))
    def remove(self, gone: list[int]) -> None:
        names = [f"item {number}" for number in gone]
        assert self.index.remove(names) == self.reference.remove(names)

    @rule()
    def save(self) -> None:
        self.index.save()

    @rule(which=st.integers(0, 3))
    def rebuild(self, which: int) -> None:
        kinds = OTHER_KINDS[self.space.metric]
        self.index.rebuild(None if which == 3 else kinds[which % len(kinds)])

    @rule()
    def pack(self) -> None:
        with patch.multiple(local, EMPTY_SHARE=-1.0, BATCH=-1):
            self.index.save()
        assert self.index.info().details["slots_of_removed"] == 0

    @rule()
    def reopen(self) -> None:
        self.index.close()
        self.index = LocalIndex(self.place / "index", writing=True)

    @rule()
    def another_reader(self) -> None:
        self.reader.close()
        self.reader = LocalIndex(self.place / "index")

    @rule(seed=seeds, k=st.integers(1, 50), only=st.sampled_from(FILTERS))
    def search(self, seed: int, k: int, only: dict) -> None:
        query = vector(self.space, seed)
        truth = self.reference.search(query, 1000, **only)[0]
        for index in (self.index, self.reader):
            check(index.search(query, k, **only)[0], truth, min(k, len(truth)), self.space)

    @rule(seed=seeds, least=st.sampled_from((0.0, 0.31, 0.52, 0.71, 0.93)), only=st.sampled_from(FILTERS))
    def within(self, seed: int, least: float, only: dict) -> None:
        query = vector(self.space, seed)
        truth = [hit for hit in self.reference.search(query, 1000, **only)[0] if hit.similarity >= least]
        for index in (self.index, self.reader):
            check(index.within(query, least, **only)[0], truth, len(truth), self.space)

    @precondition(lambda self: hasattr(self, "index"))
    @invariant()
    def the_same_items(self) -> None:
        wanted = [plain(item) for item in self.reference.items()]
        for index in (self.index, self.reader):
            assert [plain(item) for item in index.items()] == wanted
            assert len(index) == len(wanted)
            for only in FILTERS:
                assert index.count(**only) == self.reference.count(**only)
                assert index.tags(**only) == self.reference.tags(**only)
            assert index.notices == []
            assert index.about == {"made": "here"}
        names = [f"item {number}" for number in (0, 7, 40)]
        wanted = [item and plain(item) for item in self.reference.get(names)]
        assert [item and plain(item) for item in self.reader.get(names)] == wanted

    def teardown(self) -> None:
        if hasattr(self, "index"):
            self.index.close()
            self.reader.close()
            shutil.rmtree(self.place)
            self.haste.close()


def plain(item: Item) -> tuple:
    row = item.vector if item.vector.dtype == np.uint8 else item.vector.astype(np.float32)
    return item.id, row.tobytes(), item.source, item.tags, tuple(item.data.items())


def check(found: list[Hit], truth: list[Hit], count: int, space: Space) -> None:
    """The first ``count`` of the truth; those that are equally near, but for rounding, in any order."""
    right = {hit.id: hit for hit in truth}
    assert len(found) == count
    assert len({hit.id for hit in found}) == count
    for hit in found:
        wanted = right[hit.id]
        assert abs(hit.similarity - wanted.similarity) < 1e-6
        assert (hit.source, hit.tags, hit.data) == (wanted.source, wanted.tags, wanted.data)
    assert np.allclose([hit.similarity for hit in found], [hit.similarity for hit in truth[:count]], atol=1e-6)
    if space.metric == "hamming":
        assert [hit.id for hit in found] == [hit.id for hit in truth[:count]]


TestIndexMachine = IndexMachine.TestCase
TestIndexMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize("make", [lambda _: ExactIndex(FLOATS), lambda path: LocalIndex.create(path, FLOATS)])
def test_what_would_put_an_index_out_of_step_is_refused(make: Callable[[Path], VectorIndex], tmp_path: Path) -> None:
    row = vector(FLOATS, 1)
    refused = [
        {"vector": np.stack([row, vector(FLOATS, 2)])},
        {"vector": np.empty((0, 12))},
        {"source": "\udcff.jpg"},
        {"source": Path("a.jpg")},
        {"tags": ("\udcff",)},
        {"tags": (1, "a")},
        {"tags": (["a"],)},
        {"data": {"name": "\udcff"}},
    ]
    with make(tmp_path / "index") as index:
        for changes in refused:
            with pytest.raises(UsageError):
                index.add([Item("first", row), Item(**{"id": "odd", "vector": row, **changes})])
            index.remove(["first"])
        index.add([Item("up", row), Item("down", -row)])
        assert [hit.id for hit in index.search(-row, 2)[0]] == ["down", "up"]


@pytest.mark.parametrize("kind", ["flat", "int8", "hnsw", "ivfpq"])
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_structure_over_next_to_nothing(kind: str, count: int, tmp_path: Path) -> None:
    with LocalIndex.create(tmp_path / "index", FLOATS, kind=kind) as index:
        index.add([Item(f"{number}", vector(FLOATS, number)) for number in range(count)])
        index.rebuild()
        assert {hit.id for hit in index.search(vector(FLOATS, 0), 5)[0]} == {f"{number}" for number in range(count)}
