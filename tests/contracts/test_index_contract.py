"""One suite over every index; ExactIndex is the reference that the others are held to."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import DuplicateId, IndexMismatch, UsageError
from lookalike.index import local
from lookalike.index.base import Space, VectorIndex
from lookalike.index.conditions import Condition
from lookalike.index.exact import ExactIndex
from lookalike.index.items import Filter, Item
from lookalike.index.local import LocalIndex

COSINE, HAMMING = Space(32, "cosine", "model 1"), Space(64, "hamming", "hash 1")

Make = Callable[[Space, Path], VectorIndex]

ENGINES: dict[str, Make] = {
    "exact": lambda space, path: ExactIndex(space, path / "index.zip"),
    "local": lambda space, path: LocalIndex.create(path / "local", space),
}
for _kind in ("flat", "int8", "hnsw", "ivfpq"):
    ENGINES[_kind] = lambda space, path, kind=_kind: LocalIndex.create(
        path / "local", space, kind=kind if space.metric == "cosine" else "hashing" if kind == "hnsw" else "flat"
    )
ENGINES["components"] = lambda space, path: LocalIndex.create(
    path / "local", space, components=24 if space.metric == "cosine" else 0
)

if importlib.util.find_spec("milvus_lite") and importlib.util.find_spec("pymilvus"):
    from lookalike.index.milvus import MilvusIndex

    ENGINES["milvus"] = lambda space, path: MilvusIndex.create(f"milvus://{path}/milvus.db/shop", space)


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[COSINE, HAMMING], ids=["cosine", "hamming"])
def space(request: pytest.FixtureRequest) -> Space:
    return request.param


@pytest.fixture
def index(engine: str, space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VectorIndex]:
    if engine not in ("exact", "local", "milvus"):  # a structure even over a few
        monkeypatch.setattr(local, "WORTH", 1)
    made = ENGINES[engine](space, tmp_path)
    yield made
    made.close()


def vectors(space: Space, count: int, seed: int = 0) -> np.ndarray:
    """Vectors in families, as pictures of products are."""
    rng = np.random.default_rng(seed)
    family = rng.integers(0, 40, count)
    if space.metric == "hamming":
        codes = rng.integers(0, 2, (40, space.dimension))[family] ^ (rng.random((count, space.dimension)) < 0.08)
        return np.packbits(codes.astype(np.uint8), axis=1)
    centres = rng.standard_normal((40, space.dimension))
    return (centres[family] + 0.4 * rng.standard_normal((count, space.dimension))).astype(np.float32)


def items(space: Space, count: int, seed: int = 0) -> list[Item]:
    rows = vectors(space, count, seed)
    return [
        Item(
            f"item {number}",
            row,
            f"photos/{number}.jpg",
            tuple(tag for tag, every in (("even", 2), ("third", 3), ("rare", 97)) if number % every == 0),
            {"price": number % 5, "name": f"No. {number}"},
        )
        for number, row in enumerate(rows)
    ]


def filled(index: VectorIndex, space: Space, count: int = 300) -> ExactIndex:
    """Put the same items into ``index`` and into a reference, the last of them after it settled."""
    reference = ExactIndex(space)
    given = items(space, count)
    assert index.add(iter(given[:-5])) == count - 5
    index.save()
    assert index.add(iter(given[-5:])) == 5
    reference.add(given)
    return reference


def ids(hits: list) -> list[str]:
    return [hit.id for hit in hits]


def test_an_empty_index_answers_with_nothing(index: VectorIndex, space: Space) -> None:
    query = vectors(space, 2)
    assert index.search(query, 5) == [[], []]
    assert index.within(query, 0.5) == [[], []]
    assert len(index) == index.count() == 0
    assert list(index.items()) == []
    assert index.tags() == {}
    assert index.get(["nobody"]) == [None]
    assert index.remove(["nobody"]) == 0
    index.save()


def test_answers_are_those_of_the_reference(index: VectorIndex, space: Space, engine: str) -> None:
    reference = filled(index, space)
    queries = vectors(space, 20, seed=1)
    found, wanted = index.search(queries, 10), reference.search(queries, 10)
    if engine in ("ivfpq", "components"):  # which guess by less than the vector: nearly all, and all of it is right
        shared = [len(set(ids(ours)) & set(ids(theirs))) / 10 for ours, theirs in zip(found, wanted, strict=True)]
        assert np.mean(shared) >= 0.9
    else:
        assert [ids(hits) for hits in found] == [ids(hits) for hits in wanted]
    for query, ours in zip(queries, found, strict=True):
        right = {hit.id: hit for hit in reference.search(query, 300)[0]}
        for hit in ours:
            assert hit.similarity == pytest.approx(right[hit.id].similarity, abs=2e-3)
            assert (hit.source, hit.tags, hit.data) == (right[hit.id].source, right[hit.id].tags, right[hit.id].data)


def test_one_query_and_many_give_the_same(index: VectorIndex, space: Space) -> None:
    filled(index, space)
    queries = vectors(space, 40, seed=2)
    alone = [index.search(query, 7)[0] for query in queries]
    assert [ids(hits) for hits in index.search(queries, 7)] == [ids(hits) for hits in alone]


def test_an_item_finds_itself_first_and_is_given_back(index: VectorIndex, space: Space) -> None:
    filled(index, space, 50)
    item = items(space, 50)[17]
    (hit, *_) = index.search(item.vector, 3)[0]
    assert hit.id == "item 17"
    assert hit.similarity == pytest.approx(1, abs=1e-3)
    (back,) = index.get(["item 17"])
    assert back is not None
    assert (back.source, back.tags, back.data) == (item.source, tuple(sorted(item.tags)), item.data)
    np.testing.assert_allclose(
        back.vector.astype(float), space.rows(item.vector)[0].astype(float), atol=1e-3 if space is COSINE else 0
    )


def test_equals_come_in_the_order_of_adding(index: VectorIndex, space: Space) -> None:
    row = vectors(space, 1)[0]
    index.add([Item(name, row) for name in "gfabc"])
    assert ids(index.search(row, 5)[0]) == list("gfabc")


@pytest.mark.parametrize(
    "only",
    [
        Filter(every=("even",)),
        Filter(every=("even", "third")),
        Filter(some=("third", "rare")),
        Filter(none=("even",)),
        Filter(data={"price": 3}),
        Filter(every=("even",), none=("third",), data={"price": 4}),
        Filter(every=("nowhere",)),
        Filter(data={"name": "No. 7"}),
        Filter(data={"price": "3"}),
        Filter(conditions=(Condition("price", "<", 2),)),
        Filter(every=("even",), conditions=(Condition("price", ">=", 1.5), Condition("price", "<=", 3.0))),
        Filter(conditions=(Condition("price", "!=", 2), Condition("name", ">", "No. 5"))),
        Filter(conditions=(Condition("weight", "!=", 2),)),
        Filter(conditions=(Condition("weight", "<", 2),)),
    ],
    ids=str,
)
def test_filters_are_those_of_the_reference(index: VectorIndex, space: Space, only: Filter) -> None:
    reference = filled(index, space)
    queries = vectors(space, 3, seed=3)
    assert [ids(hits) for hits in index.search(queries, 8, only=only)] == [
        ids(hits) for hits in reference.search(queries, 8, only=only)
    ]
    assert index.count(only) == reference.count(only)
    assert index.tags(only) == reference.tags(only)


def test_within_finds_all_that_are_so_near(index: VectorIndex, space: Space) -> None:
    reference = filled(index, space)
    queries = vectors(space, 5, seed=4)
    for least in (0.99, 0.8, 0.6):
        ours, theirs = index.within(queries, least), reference.within(queries, least)
        for a, b in zip(ours, theirs, strict=True):
            clear = [hit.id for hit in b if hit.similarity > least + 2e-3]
            assert set(clear) <= set(ids(a))
            assert all(hit.similarity >= least - 2e-3 for hit in a)
            assert [hit.similarity for hit in a] == sorted((hit.similarity for hit in a), reverse=True)
    assert [len(hits) for hits in index.within(queries, 0.0, most=7)] == [7] * 5


def test_what_is_removed_is_gone(index: VectorIndex, space: Space) -> None:
    filled(index, space, 60)
    query = items(space, 60)[4].vector
    assert index.remove(["item 4", "item 5", "nobody", "item 4"]) == 2
    assert len(index) == 58
    assert "item 4" not in ids(index.search(query, 60)[0])
    assert len(index.search(query, 60)[0]) == 58
    assert index.get(["item 4"]) == [None]
    assert index.tags()["even"] == 29
    index.add([items(space, 60)[4]])
    assert ids(index.search(query, 1)[0]) == ["item 4"]


def test_an_id_twice_is_refused_unless_it_is_to_be_replaced(index: VectorIndex, space: Space) -> None:
    filled(index, space, 20)
    other = vectors(space, 1, seed=9)[0]
    with pytest.raises(DuplicateId, match="item 3"):
        index.add([Item("item 3", other)])
    with pytest.raises(DuplicateId, match="fresh"):
        index.add([Item("fresh", other), Item("fresh", other)])
    index.remove(["fresh"])
    assert len(index) == 20
    assert index.add([Item("item 3", other, tags=("new",))], replace=True) == 1
    assert len(index) == 20
    (back,) = index.get(["item 3"])
    assert back is not None
    assert back.tags == ("new",)
    assert ids(index.search(other, 1)[0]) == ["item 3"]
    assert "third" not in back.tags
    assert index.count(Filter(every=("third",))) == 6


def test_what_is_no_vector_of_this_index_is_refused(index: VectorIndex, space: Space) -> None:
    good = vectors(space, 1)[0]
    short = good[:-1]
    for bad, kind in ((short, IndexMismatch), ("words", (UsageError, IndexMismatch))):
        with pytest.raises(kind):
            index.search(bad, 1)
        with pytest.raises(kind):
            index.add([Item("a", bad)])  # type: ignore[arg-type]
    if space.metric == "cosine":
        for value in (np.nan, np.inf):
            broken = good.copy()
            broken[3] = value
            with pytest.raises(UsageError, match="NaN or infinity"):
                index.search(broken, 1)
            with pytest.raises(UsageError, match="NaN or infinity"):
                index.add([Item("a", broken)])
        with pytest.raises(UsageError, match="zero"):
            index.add([Item("a", 0 * good)])
    assert len(index) == 0


def test_numbers_out_of_range_are_refused_or_bounded(index: VectorIndex, space: Space) -> None:
    filled(index, space, 30)
    query = vectors(space, 1)
    for k in (0, -1):
        with pytest.raises(UsageError, match="1 or more"):
            index.search(query, k)
    assert len(index.search(query, 1_000_000_000)[0]) == 30
    for least in (-0.1, 1.1, float("nan")):
        with pytest.raises(UsageError, match="between 0 and 1"):
            index.within(query, least)


@pytest.mark.parametrize("name", ["", "x" * 600, "a\0b"])
def test_bad_ids_are_refused(index: VectorIndex, space: Space, name: str) -> None:
    with pytest.raises(UsageError, match="id"):
        index.add([Item(name, vectors(space, 1)[0])])


@pytest.mark.parametrize("text", ['O\'Hara "x" \\ %_', "红色连衣裙 👗", "a\nb", "price == 3 or true", "[]{}"])
def test_any_text_is_a_tag_an_id_and_data(index: VectorIndex, space: Space, text: str) -> None:
    row = vectors(space, 2)
    index.add([Item(text, row[0], text, (text,), {text: text}), Item("other", row[1], "", ("plain",))])
    for only in (Filter(every=(text,)), Filter(some=(text,)), Filter(none=("plain",)), Filter(data={text: text})):
        (hits,) = index.search(row[0], 5, only=only)
        assert [(hit.id, hit.source, hit.tags, hit.data) for hit in hits] == [(text, text, (text,), {text: text})]
    assert index.remove([text]) == 1


def test_info_tells_what_it_is(index: VectorIndex, space: Space) -> None:
    filled(index, space, 40)
    index.save()
    info = index.info()
    assert (info.count, info.space) == (40, space)
    assert info.kind
    assert info.why
    assert info.to_dict()["count"] == 40


def test_items_come_back_in_the_order_of_adding(index: VectorIndex, space: Space) -> None:
    filled(index, space, 25)
    assert [item.id for item in index.items()] == [f"item {number}" for number in range(25)]
