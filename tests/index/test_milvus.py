"""An index in a Milvus: what the contract does not ask, against Milvus Lite."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from milvus_items import COSINE, HAMMING, content, reference, some

from lookalike.errors import (
    DuplicateId,
    IndexDamaged,
    IndexLocked,
    IndexMismatch,
    IndexNotFound,
    OutputError,
    UsageError,
)
from lookalike.index.base import Space
from lookalike.index.conditions import SIGNS, Condition, read_condition
from lookalike.index.items import Filter, Item
from lookalike.index.milvus import MilvusIndex
from lookalike.index.milvus import index as milvus
from lookalike.index.milvus import layout as milvus_layout
from lookalike.index.milvus import place as milvus_place
from lookalike.index.milvus.link import Link, parse_address

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no Milvus Lite for Windows")
pytest.importorskip("pymilvus")
pytest.importorskip("milvus_lite")


@pytest.fixture(params=[COSINE, HAMMING], ids=["cosine", "hamming"])
def space(request: pytest.FixtureRequest) -> Space:
    return request.param


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"milvus://{tmp_path}/milvus.db/shop"


# Filters

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8) | st.sampled_from(
    ["a", "b", '"', "'", "\\", '\\"', "\n", "\r\t", "\\n", "红 👗", "%_", "{a}", "true", '") or true or ("', "\u2028"]
)
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1) | TEXTS
VALUES = (
    SCALARS
    | st.sampled_from(["2026-01-31", "2025-12-31", "2026", "1", "true", "null"])
    | st.sampled_from([1.0, -0.0, 0.1, 1e300, 2.0**60])
    | st.lists(SCALARS, max_size=2)
)
DATA = st.dictionaries(st.sampled_from(["a", "b", "a.b", 'a"', "a/b", "红"]) | TEXTS, VALUES, max_size=3)
TAGS = st.lists(TEXTS, max_size=3, unique=True).map(tuple)


def _is_condition(text: str) -> bool:
    try:
        return bool(read_condition(text))
    except UsageError:
        return False


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[tuple[tuple[str, ...], dict[str, Any]]], Filter]:
    """A few items' tags and data, and a filter that is likely to let some of them through."""
    items = draw(st.lists(st.tuples(TAGS, DATA), min_size=1, max_size=4))
    tags, data = draw(st.sampled_from(items))
    near = st.sampled_from(tags) | TEXTS if tags else TEXTS
    few = st.lists(near, max_size=2).map(tuple)
    wanted = draw(st.sampled_from([{}, data, dict(list(data.items())[:1])]) | DATA)
    names, signs = st.sampled_from([*data, "a"]), st.sampled_from(SIGNS)
    written = st.builds("{}{}{}".format, names, signs, VALUES.map(json.dumps) | st.sampled_from(["2026", "1", "a"]))
    conditions = st.builds(Condition, names, signs, VALUES) | written.filter(_is_condition).map(read_condition)
    return items, Filter(draw(few), draw(few), draw(few), wanted, tuple(draw(st.lists(conditions, max_size=2))))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusIndex]:
    with MilvusIndex.create(f"milvus://{tmp_path_factory.mktemp('m')}/milvus.db/shop", COSINE) as index:
        yield index


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(cases())
@example(([((), {"a": True}), ((), {"a": 1}), ((), {"a": 1.0}), ((), {"a": "1"})], Filter(data={"a": 1})))
@example(([((), {"a": True}), ((), {"a": 1})], Filter(data={"a": True})))
@example(([((), {"a": None}), ((), {})], Filter(data={"a": None})))
@example(([(("a\\",), {}), (('a"',), {}), (("a",), {})], Filter(none=('a"',), some=("a\\", "a"))))
def test_a_filter_lets_through_what_passes(
    shared: MilvusIndex, case: tuple[list[tuple[tuple[str, ...], dict[str, Any]]], Filter]
) -> None:
    given_items, only = case
    shared.remove([item.id for item in shared.items()])
    row = np.ones(8)
    items = [Item(f"{n}", row, "", tags, data) for n, (tags, data) in enumerate(given_items)]
    shared.add(items)
    passing = [item.id for item in items if only.passes(item.tags, item.data)]
    assert [hit.id for hit in shared.search(row, 10, only=only)[0]] == passing
    assert shared.count(only) == len(passing)
    known = reference(COSINE, items)
    assert shared.tags(only) == known.tags(only)
    assert content(shared) == content(known)


# What is there


def test_opening_again_finds_everything(space: Space, address: str) -> None:
    items = some(space, 100)
    with MilvusIndex.create(address, space, about={"photos": ["a", 1]}) as index:
        index.add(items)
        index.remove([items[5].id])
        index.note(more=None)
        with pytest.raises(UsageError, match="65535"):
            index.note(long="x" * 70_000)
    with MilvusIndex.open(address) as index:
        assert index.space == space
        assert index.about == {"photos": ["a", 1], "more": None}
        assert content(index) == content(reference(space, items[:5] + items[6:]))
        index.space.require(space)
        with pytest.raises(IndexMismatch, match="model 2"):
            index.space.require(Space(space.dimension, space.metric, "model 2"))
        for change in (lambda: index.add(items[:1]), lambda: index.remove(["a"]), lambda: index.note(a=1)):
            with pytest.raises(IndexLocked, match="reading only"):
                change()
    with pytest.raises(UsageError, match="closed"):
        index.search(items[0].vector)
    with MilvusIndex.open(address, writing=True) as index:
        with pytest.raises(DuplicateId):
            index.add(items[:1])
        assert index.add([items[5]]) == 1
        assert content(index)[-1][0] == items[5].id


def test_what_was_added_is_there_though_the_process_ends(address: str) -> None:
    code = f"""
import os, numpy
from lookalike.index.base import Space
from lookalike.index.items import Item
from lookalike.index.milvus import MilvusIndex
index = MilvusIndex.create({address!r}, Space(8, "cosine", "model 1"))
index.add(Item(str(number), numpy.ones(8)) for number in range(1500))
index.remove(["7"])
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120).returncode == 9
    with MilvusIndex.open(address) as index:
        assert [item.id for item in index.items()] == [str(number) for number in range(1500) if number != 7]


def test_a_file_that_another_process_has_open_is_told(address: str) -> None:
    code = f"""
from lookalike.errors import IndexLocked
from lookalike.index.milvus import MilvusIndex
try:
    MilvusIndex.open({address!r})
    print("open")
except IndexLocked:
    print("locked")
"""
    with MilvusIndex.create(address, COSINE):
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
        assert (ended.stdout.strip(), ended.stderr) == ("locked", "")
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ended.stdout.strip() == "open"


def test_what_is_not_there_or_there_already(address: str) -> None:
    for missing in (lambda: MilvusIndex.open(address), lambda: milvus.delete(address), lambda: milvus.migrate(address)):
        with pytest.raises(IndexNotFound):
            missing()
    assert not parse_address(address).file.exists()  # type: ignore[union-attr]
    with MilvusIndex.create(address, COSINE) as index:
        index.add(some(COSINE, 3))
        with pytest.raises(OutputError, match="already"):
            MilvusIndex.create(address, COSINE)
        assert len(index) == 3
    with pytest.raises(IndexNotFound):
        MilvusIndex.open(address + "2")


def test_deleting_takes_its_collections_and_no_others(address: str) -> None:
    with MilvusIndex.create(address, COSINE), MilvusIndex.create(address + "_items", COSINE) as other:
        other.add(some(COSINE, 4))
        milvus.delete(address)
        assert len(other) == 4
        assert sorted(other._place.link("list_collections")) == ["shop_items", "shop_items_items_0"]
    MilvusIndex.create(address, HAMMING).close()


def foreign(address: str, name: str) -> None:
    link = Link(parse_address(address))
    link("create_collection", name, dimension=4)
    link.close()


def test_a_collection_of_somebody_else_is_refused_and_left(address: str) -> None:
    foreign(address, "shop")
    with pytest.raises(IndexMismatch, match="something else"):
        MilvusIndex.open(address)
    with pytest.raises(OutputError, match="already"):
        MilvusIndex.create(address, COSINE)
    with pytest.raises(IndexMismatch, match="something else"):
        milvus.delete(address)
    link = Link(parse_address(address))
    assert link("list_collections") == ["shop"]
    link.close()


def test_a_collection_that_is_not_what_is_written_is_refused(address: str) -> None:
    MilvusIndex.create(address, COSINE).close()
    link = Link(parse_address(address))
    link("drop_collection", "shop_items_0")
    with pytest.raises(IndexDamaged, match="gone"):
        MilvusIndex.open(address)
    link.close()
    foreign(address, "shop_items_0")
    with pytest.raises(IndexDamaged, match="was made as"):
        MilvusIndex.open(address)


@pytest.mark.parametrize("change", [{"space": {}}, {"format": "1"}, {"plan": {"kind": "flat"}}, {"space": None}])
def test_a_head_that_is_broken_is_told(address: str, change: dict[str, Any]) -> None:
    with MilvusIndex.create(address, COSINE) as index:
        index._place.write({**index._place.read(), **change})
    with pytest.raises(IndexDamaged, match="broken"):
        MilvusIndex.open(address)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"source": "x" * 70_000}, "the source"),
        ({"tags": ("x" * 70_000,)}, "a tag"),
        ({"tags": tuple(map(str, range(5000)))}, "5000 tags"),
        ({"data": {"a": "x" * 70_000}}, "the data"),
        ({"data": {"a": [2**64]}}, "64 bits"),
        ({"source": "\ud800"}, "no letter"),
    ],
)
def test_what_milvus_cannot_keep_is_refused(shared: MilvusIndex, changed: dict[str, Any], why: str) -> None:
    before = len(shared)
    with pytest.raises(UsageError, match=why):
        shared.add([Item("limits", np.ones(8), **changed)])
    assert len(shared) == before


def test_what_milvus_can_just_keep_is_kept(shared: MilvusIndex) -> None:
    item = Item("x" * 512, np.ones(8), "y" * 65_535, ("z" * 65_535, *map(str, range(4000))), {"a": -(2**63), "b": []})
    shared.add([item], replace=True)
    (back,) = shared.get([item.id])
    assert back is not None
    assert (back.source, back.tags, back.data) == (item.source, tuple(sorted(item.tags)), item.data)
    shared.remove([item.id])


# Searching


def test_small_messages_and_deep_looks_give_the_same(
    space: Space, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(milvus, "LOAD", 30_000)
    monkeypatch.setattr(milvus_place, "LOAD", 30_000)
    items = some(space, 400)
    known = reference(space, items)
    queries = np.stack([item.vector for item in some(space, 6, seed=1)])
    with MilvusIndex.create(address, space) as index:
        assert index._place.batch < 40
        index.add(items)
        assert content(index) == content(known)
        for only in (Filter(), Filter(every=("even",)), Filter(data={"n": 3}), Filter(data={"n": 3.0}, none=("even",))):
            for k in (1, 30, 400):
                ours, theirs = index.search(queries, k, only=only), known.search(queries, k, only=only)
                assert [[hit.id for hit in hits] for hits in ours] == [[hit.id for hit in hits] for hits in theirs]
            ours, theirs = index.within(queries, 0.5, only=only), known.within(queries, 0.5, only=only)
            assert [[hit.id for hit in hits] for hits in ours] == [[hit.id for hit in hits] for hits in theirs]
            assert index.tags(only) == known.tags(only)
            assert index.count(only) == known.count(only)


def test_of_many_equals_the_first_added_come_first(space: Space, address: str) -> None:
    row = some(space, 1)[0].vector
    names = [str(number) for number in np.random.default_rng(0).permutation(700)]
    with MilvusIndex.create(address, space) as index:
        index.add([Item(name, row) for name in names])
        assert [hit.id for hit in index.search(row, 5)[0]] == names[:5]
        assert [hit.id for hit in index.within(row, 0.9, most=7)[0]] == names[:7]


def test_equals_follow_the_clocks_of_their_writers(space: Space, address: str) -> None:
    row = some(space, 1)[0].vector
    with MilvusIndex.create(address, space) as index:
        index._last = 2**60  # as that of a writer whose clock runs ahead
        index.add([Item(name, row) for name in "abc"])
        index._last = 0
        index.add([Item(name, row) for name in "xyz"])
        assert [hit.id for hit in index.search(row, 6)[0]] == [item.id for item in index.items()] == list("xyzabc")


# Moving


def test_rebuilding_keeps_everything_and_readers_follow(space: Space, address: str) -> None:
    items = some(space, 120)
    kind = "hnsw" if space is COSINE else "flat"
    known = reference(space, items)
    with MilvusIndex.create(address, space, about={"a": 1}) as index, MilvusIndex.open(address) as reader:
        index.add(items)
        index.rebuild(kind)
        assert (index.info().kind, index.info().why) == (kind, "as asked for")
        assert content(index) == content(reader) == content(known)
        assert reader.info().kind == kind
        assert reader.search(items[7].vector, 1)[0][0].id == items[7].id
        assert index.about == {"a": 1}
        assert sorted(index._place.link("list_collections")) == ["shop", "shop_items_1"]
        for wrong in ({"kind": "hashing"}, {"components": 4}):
            with pytest.raises(UsageError):
                index.rebuild(**wrong)  # type: ignore[arg-type]
        index.add([Item("later", items[0].vector)])
        assert len(reader) == 121
    with MilvusIndex.open(address) as index:
        assert (index.info().kind, len(index)) == (kind, 121)


class Killed(BaseException):
    """As a signal would end it."""


def test_a_rebuild_that_ends_anywhere_loses_nothing(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    items = some(COSINE, 40)
    known = content(reference(COSINE, items))
    with MilvusIndex.create(address, COSINE) as index:
        index.add(items)
    ask, left = Link.__call__, 0

    def until(self: Link, *arguments: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        return ask(self, *arguments, **options)

    for step in itertools.count(1):
        with MilvusIndex.open(address, writing=True) as index:
            before, left = index.info().details["collection"], step
            monkeypatch.setattr(Link, "__call__", until)
            try:
                index.rebuild()
                break
            except Killed:
                pass
            finally:
                monkeypatch.setattr(Link, "__call__", ask)
        with MilvusIndex.open(address) as index:
            assert content(index) == known
            assert before  # the old one or the new one, and always whole
    assert step > 15
    with MilvusIndex.open(address) as index:
        assert content(index) == known
    milvus.delete(address)
    link = Link(parse_address(address))
    assert link("list_collections") == []
    link.close()


def test_a_making_that_ends_anywhere_can_be_done_again(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ask, left = Link.__call__, 0

    def until(self: Link, *arguments: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        return ask(self, *arguments, **options)

    monkeypatch.setattr(Link, "__call__", until)
    for step in itertools.count(1):
        left = step
        try:
            MilvusIndex.create(address, COSINE).close()
            break
        except Killed:
            continue
        except OutputError:  # all but the last look at it was done
            left = 0
            MilvusIndex.open(address).close()
            milvus.delete(address)
    assert step > 8


def test_an_older_format_is_migrated_and_a_later_one_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    items = some(HAMMING, 30)
    with MilvusIndex.create(address, HAMMING) as index:
        index.add(items)
    monkeypatch.setattr(milvus_layout, "FORMAT", 2)
    with pytest.raises(IndexDamaged, match="migrate"):
        MilvusIndex.open(address)
    milvus.migrate(address)
    with MilvusIndex.open(address) as index:
        assert content(index) == content(reference(HAMMING, items))
    monkeypatch.setattr(milvus_layout, "FORMAT", 1)
    for refused in (lambda: MilvusIndex.open(address), lambda: milvus.migrate(address)):
        with pytest.raises(IndexDamaged, match="update lookalike"):
            refused()


@pytest.mark.parametrize("k", [1, 3, 40])
def test_what_few_of_many_pass_is_found_beyond_what_one_search_gives(
    space: Space, address: str, k: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(milvus, "TOP", 60)
    items = [replace(item, data={"n": number}) for number, item in enumerate(some(space, 400))]
    with MilvusIndex.create(address, space) as index:
        index.add(items)
        known = reference(space, items)
        for only in (Filter(conditions=("n!=5", "n>=370")), Filter(data={"n": 399.0}), Filter(conditions=("x!=1",))):
            for query in (items[0].vector, items[399].vector):
                ours, theirs = index.search(query, k, only=only)[0], known.search(query, k, only=only)[0]
                assert [hit.similarity for hit in ours] == pytest.approx([hit.similarity for hit in theirs], abs=1e-4)
                assert (
                    index.within(query, 0.6, only=only, most=k)[0]
                    == ours[: len(known.within(query, 0.6, only=only, most=k)[0])]
                )
