"""An index in the place of another: the old one until the new one is whole, and never half of either."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from synthetic import photo

from lookalike.catalogue import places
from lookalike.catalogue.catalogue import Index
from lookalike.catalogue.replacing import delete
from lookalike.errors import IndexLocked, IndexMismatch, IndexNotFound, LookalikeError, PictureError, UsageError
from lookalike.index import lock

OLDER, NEWER = 5, 3


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("LOOKALIKE_INDEXES", str(home / "indexes"))
    monkeypatch.setenv("LOOKALIKE_STORE", str(home / "store.sqlite3"))
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.1)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders ``older`` and ``newer``, and ``bad`` with nothing that can be read."""
    root = tmp_path_factory.mktemp("pictures")
    for name, first, count in (("older", 0, OLDER), ("newer", 10, NEWER)):
        (root / name).mkdir()
        for seed in range(first, first + count):
            Image.fromarray(photo(seed, 120, 100)).save(root / name / f"{seed}.png")
    (root / "bad").mkdir()
    (root / "bad" / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    return root


@pytest.fixture
def shop(pictures: Path) -> Path:
    """The folder of an index of the older ones."""
    with Index.build(pictures / "older", place="shop", workers=1):
        pass
    return places.folder_of("shop")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.name != "writer.lock" and file.is_file()}


def known(index: Index) -> int:
    """Of how many items the index has what comparing needs."""
    return len(index.kept.pictures([item.data["$picture"]["sha256"] for item in index.items()]))


def interrupted(stage: str, done: int, total: int) -> None:
    raise KeyboardInterrupt


def test_it_takes_its_place_when_it_is_whole(shop: Path, pictures: Path) -> None:
    (shop / "notes.txt").write_text("mine")
    looked = []

    def look(stage: str, done: int, total: int) -> None:
        with Index.open("shop") as other:  # who comes meanwhile finds the old one
            looked.append(len(other))

    with Index.build(pictures / "newer", place="shop", replace=True, workers=1, progress=look) as index:
        assert set(looked) == {OLDER}
        assert index.filled is not None
        assert (len(index), index.filled.added) == (NEWER, NEWER)
        assert index.info().place == str(shop)
        assert index.add(pictures / "older" / "0.png", workers=1).added == 1
    for again in range(2):  # the second time there is one to take the place of that is none of the first kind
        with Index.open("shop") as index:
            assert len(index) == (NEWER + 1, OLDER)[again]
            name = ("newer/10.png", "older/1.png")[again]
            assert index.search(pictures / name, top=1)[0].score == 1.0
            assert known(index) == len(index)
        Index.build(pictures / "older", place="shop", replace=True, workers=1).close()
        assert sum(1 for _ in shop.glob("generation-*")) == 1
        assert not list(shop.glob("*.sqlite3*"))
    assert (shop / "notes.txt").read_text() == "mine"
    assert places.names() == ["shop"]


@pytest.mark.skipif(os.name == "nt", reason="what is open cannot be removed")
def test_a_reader_goes_on_with_what_took_its_place(shop: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.parent)
    query = pictures / "newer" / "10.png"
    with Index.open("shop") as reader, Index.open(Path("shop")) as other:
        before = reader.search(query, top=1)[0]
        assert before.score is not None
        assert before.score < 0.9
        Index.build(pictures / "newer", place="shop", replace=True, workers=1).close()
        monkeypatch.chdir(pictures)  # by the folder that it was opened in, wherever we are
        for index in (reader, other):
            assert index.search(query, top=1)[0].score == 1.0
            assert len(index) == NEWER
        Index.build(pictures / "older", place="shop", method="phash", replace=True, workers=1).close()
        assert reader.search(query, top=3, rerank=0)[0].similarity < 1  # by the new one's way of describing
        assert (len(reader), reader.recipe.method) == (OLDER, "phash")
        delete("shop")
        for ask in (reader.info, lambda: len(reader), lambda: reader.search(query)):
            with pytest.raises(IndexNotFound):
                ask()
        with Index.build(pictures / "newer", place="shop", workers=1):
            assert reader.search(query, top=1)[0].score == 1.0


@pytest.mark.parametrize(
    ("sources", "wrong", "error"),
    [
        ("nowhere", {}, LookalikeError),
        ("bad", {}, PictureError),
        ("newer", {"table": "none.csv"}, LookalikeError),
        ("newer", {"kind": "quick"}, UsageError),
        ("newer", {"components": 5000}, UsageError),
        ("newer", {"method": "nothing"}, UsageError),
        ("newer", {"progress": interrupted}, KeyboardInterrupt),
    ],
    ids=str,
)
def test_what_fails_leaves_the_old_one_as_it_was(
    shop: Path, pictures: Path, sources: str, wrong: dict[str, Any], error: type[BaseException]
) -> None:
    before = contents(shop)
    with pytest.raises(error):
        Index.build(pictures / sources, place="shop", replace=True, workers=1, **wrong)
    assert contents(shop) == before


def test_it_waits_for_nobody_who_is_writing(shop: Path, pictures: Path) -> None:
    with Index.open("shop", writing=True), pytest.raises(IndexLocked):
        Index.build(pictures / "newer", place="shop", replace=True, workers=1)


def counted(monkeypatch: pytest.MonkeyPatch, stop_after: int) -> list[int]:
    """Let the work end, as though the power went, at one of the steps that change something on the disk."""
    done = [0]

    def stopping(real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **named: Any) -> Any:
            if done[0] >= stop_after:
                raise SystemExit("power cut")
            done[0] += 1
            return real(*given, **named)

        return step

    for where, name in ((os, "replace"), (os, "unlink"), (os, "rmdir"), (Path, "unlink"), (Path, "rmdir")):
        monkeypatch.setattr(where, name, stopping(getattr(where, name)))
    monkeypatch.setattr(shutil, "rmtree", stopping(shutil.rmtree))
    return done


@pytest.mark.parametrize("work", ["first", "second", "delete"])
def test_stopped_at_any_step_there_is_one_or_the_other(
    shop: Path, pictures: Path, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stop_after in itertools.count():
        delete("shop")
        Index.build(pictures / "older", place="shop", workers=1).close()
        if work == "second":
            Index.build(pictures / "older", place="shop", replace=True, workers=1).close()
        with monkeypatch.context() as patched:
            done = counted(patched, stop_after)
            try:
                if work == "delete":
                    delete("shop")
                else:
                    Index.build(pictures / "newer", place="shop", replace=True, workers=1).close()
                finished = True
            except SystemExit:
                finished = False
        if work != "delete" or places.there("shop"):
            with Index.open("shop") as index:
                assert len(index) in (OLDER, NEWER)
                name = "older/0.png" if len(index) == OLDER else "newer/10.png"
                assert index.search(pictures / name, top=1)[0].score == 1.0
                assert known(index) == len(index)
            Index.build(pictures / "newer", place="shop", replace=True, workers=1).close()
            assert sum(1 for _ in shop.glob("generation-*")) == 1
            assert not list(shop.glob("*.sqlite3*"))
        else:
            Index.build(pictures / "newer", place="shop", workers=1).close()
        with Index.open("shop") as index:
            assert len(index) == NEWER
        if finished:
            assert done[0] == stop_after
            assert stop_after > 3
            return


def test_readers_that_come_while_it_is_replaced_find_one_or_the_other(shop: Path, pictures: Path) -> None:
    found: list[object] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            try:
                with Index.open("shop", store=False) as index:
                    found.append(len(index))
                    found.append(len(index.search(pictures / "older" / "0.png", top=9, rerank=0)))
            except (LookalikeError, OSError) as error:
                found.append(error)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for turn in range(12):
            source = pictures / ("newer", "older")[turn % 2]
            Index.build(source, place="shop", replace=True, workers=1, store=False).close()
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert set(found) == {OLDER, NEWER}


def test_several_that_replace_it_at_a_time_take_turns(shop: Path, pictures: Path) -> None:
    errors: list[BaseException] = []

    def replace() -> None:
        for _ in range(4):
            try:
                Index.build(pictures / "newer", place="shop", replace=True, workers=1, store=False).close()
            except (LookalikeError, OSError) as error:
                errors.append(error)

    threads = [threading.Thread(target=replace) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {type(error) for error in errors} <= {IndexLocked}
    with Index.open("shop") as index:
        assert (len(index), known(index)) == (NEWER, NEWER)
    assert sum(1 for _ in shop.glob("generation-*")) == 1


def test_what_is_left_of_one_that_was_begun_is_in_nobodys_way(pictures: Path) -> None:
    folder = places.folder_of("shop")
    for left in ("vectors-0.bin", "features.sqlite3", "writer.lock", "current", "generation-0123456789abcdef/x"):
        (folder / left).parent.mkdir(parents=True)
        (folder / left).write_bytes(b"x")
        with pytest.raises(IndexNotFound):
            Index.open("shop")
        Index.build(pictures / "newer", place="shop", workers=1).close()
        assert places.names() == ["shop"]
        delete("shop")
        (folder / left).parent.mkdir(parents=True)
        (folder / left).write_bytes(b"x")
        delete("shop")
        assert not folder.exists()


def test_where_the_pointer_is_lost_the_index_is_found(shop: Path, pictures: Path) -> None:
    Index.build(pictures / "newer", place="shop", replace=True, workers=1).close()
    for content in (b"", b"\0" * 27, b"\xff", b"generation-0000000000000000", None):
        (shop / "current").unlink(missing_ok=True)
        if content is not None:
            (shop / "current").write_bytes(content)
        with Index.open("shop") as index:
            assert len(index) == NEWER


def test_the_folder_that_we_are_in(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for replace in (False, True, True):
        with Index.build(pictures / "newer", place=".", replace=replace, workers=1) as index:
            assert len(index) == NEWER
            assert known(index) == NEWER
    with Index.build(pictures / "newer", place=Path("relative"), workers=1):
        assert (tmp_path / "here" / "relative" / "features.sqlite3").exists()
    assert places.names() == []


def test_a_damaged_index_can_be_replaced(shop: Path, pictures: Path) -> None:
    for broken in ("items.sqlite3", "vectors-0.bin"):
        (shop / broken).write_bytes(b"rubbish" * 100)
        with Index.build(pictures / "newer", place="shop", replace=True, workers=1) as index:
            assert len(index) == NEWER


@pytest.fixture
def address(tmp_path: Path) -> str:
    pytest.importorskip("pymilvus")
    pytest.importorskip("milvus_lite")
    return f"milvus://{tmp_path}/milvus.db/shop"


def collections(address: str) -> set[str]:
    from lookalike.index.milvus import MilvusIndex

    with MilvusIndex.open(address) as index:
        return set(index._place.link("list_collections"))


def test_so_it_is_on_a_milvus(address: str, pictures: Path) -> None:
    Index.build(pictures / "older", place=address, workers=1).close()
    with Index.open(address) as reader:
        with Index.build(pictures / "newer", place=address, replace=True, workers=1) as index:
            assert index.filled is not None
            assert (len(index), index.filled.added) == (NEWER, NEWER)
        assert reader.search(pictures / "newer" / "10.png", top=1)[0].score == 1.0
        assert len(collections(address)) == 2
        for sources, wrong in (("bad", {}), ("newer", {"kind": "quick"}), ("newer", {"progress": interrupted})):
            with pytest.raises((LookalikeError, KeyboardInterrupt)):
                Index.build(pictures / sources, place=address, replace=True, workers=1, **wrong)
            assert len(collections(address)) == 2
            assert len(reader) == NEWER
        Index.build(pictures / "older", place=address, method="phash", replace=True, workers=1).close()
        with pytest.raises(IndexMismatch, match="open it again"):
            reader.search(pictures / "newer" / "10.png")
    delete(address)
    with pytest.raises(IndexNotFound):
        Index.open(address)
    Index.build(pictures / "newer", place=address, replace=True, workers=1).close()  # where there is none
    assert collections(address) == {"shop", "shop_items_0"}


def test_stopped_while_it_takes_its_place_on_a_milvus(
    address: str, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lookalike.index import milvus
    from lookalike.index.milvus.link import Link

    Index.build(pictures / "older", place=address, workers=1).close()
    ask, take_place = Link.__call__, milvus.take_place
    for stop_after in itertools.count():
        left = [stop_after]

        def stopping(self: Link, method: str, *given: Any, left: list[int] = left, **named: Any) -> Any:
            if method in ("upsert", "drop_collection", "insert", "delete"):
                if not left[0]:
                    raise SystemExit("power cut")
                left[0] -= 1
            return ask(self, method, *given, **named)

        def taking(*given: Any, stopping: Any = stopping, **named: Any) -> None:
            monkeypatch.setattr(Link, "__call__", stopping)
            take_place(*given, **named)

        monkeypatch.setattr(milvus, "take_place", taking)
        try:
            Index.build(pictures / "newer", place=address, replace=True, workers=1).close()
            finished = True
        except SystemExit:
            finished = False
        monkeypatch.setattr(Link, "__call__", ask)
        monkeypatch.setattr(milvus, "take_place", take_place)
        with Index.open(address) as index:
            assert len(index) == (NEWER if stop_after else OLDER)
            assert len(list(index.items())) == len(index)
        Index.build(pictures / "older", place=address, replace=True, workers=1).close()
        assert len(collections(address)) <= 3  # of what was dropped by nobody one may be left, until its number comes
        if finished:
            assert stop_after == 3
            return
