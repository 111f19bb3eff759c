"""An index in the place of another: the old one until the new one is whole, and never half of either."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from synthetic import photo

from lookalike.catalogue import places
from lookalike.catalogue.catalogue import Index
from lookalike.catalogue.replacing import delete
from lookalike.errors import IndexLocked, IndexNotFound, LookalikeError, PictureError, UsageError
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


def interrupted(stage: str, done: int, total: int) -> None:
    raise KeyboardInterrupt


def test_it_takes_its_place_when_it_is_whole(shop: Path, pictures: Path) -> None:
    (shop / "notes.txt").write_text("mine")
    looked = []

    def look(stage: str, done: int, total: int) -> None:
        with Index.open("shop") as other:  # who comes meanwhile finds the old one
            looked.append(len(other))

    with Index.open("shop") as reader:
        index = Index.build(pictures / "newer", place="shop", method="phash", replace=True, workers=1, progress=look)
        with index:
            assert set(looked) == {OLDER}
            assert index.filled is not None
            assert (len(index), index.filled.added, index.recipe.method) == (NEWER, NEWER, "phash")
            assert index.add(pictures / "older" / "0.png", workers=1).added == 1
        if os.name != "nt":
            assert len(reader) == OLDER  # and who was there before goes on with it
            assert reader.search(pictures / "older" / "0.png", top=1, rerank=0)[0].similarity > 0.99
    with Index.open("shop") as index:
        assert len(index) == NEWER + 1
        assert index.search(pictures / "newer" / "10.png", top=1)[0].score == 1.0
    assert not {".new", ".old"} & {file.name for file in shop.iterdir()}
    assert (shop / "notes.txt").read_text() == "mine"


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


@pytest.mark.parametrize("moves", range(8))
def test_stopped_while_they_change_places_one_of_them_is_there(
    shop: Path, pictures: Path, moves: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As though the power went after so many of the files were moved."""
    left, move = [moves], os.replace

    def failing(source: Path, target: Path) -> None:
        if {".new", ".old"} & {*Path(source).parts, *Path(target).parts}:
            if not left[0]:
                raise SystemExit("power cut")
            left[0] -= 1
        move(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with suppress(SystemExit):
        Index.build(pictures / "newer", place="shop", replace=True, workers=1).close()
    monkeypatch.setattr(os, "replace", move)
    with Index.build(pictures / "bad", place="shop", workers=1) as index:  # the next that writes puts it right
        assert len(index) in (OLDER, NEWER)
        assert not index.info().notices
        for item in list(index.vectors.items()):
            assert index.vectors.search(item.vector, 1)[0][0].id == item.id
    delete("shop")
    assert not shop.exists()
    with pytest.raises(IndexNotFound):
        delete("shop")


def test_files_that_cannot_be_moved_are_moved_back(shop: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, move, tried = contents(shop), os.replace, []

    def failing(source: Path, target: Path) -> None:
        if ".new" in Path(source).parts and "vectors" in Path(source).name:
            tried.append(source)
            raise PermissionError(13, "in use")
        move(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(LookalikeError, match="in use"):
        Index.build(pictures / "newer", place="shop", replace=True, workers=1)
    assert tried
    assert contents(shop) == before


def test_a_damaged_index_can_be_replaced(shop: Path, pictures: Path) -> None:
    for broken in ("items.sqlite3", "vectors-0.bin"):
        (shop / broken).write_bytes(b"rubbish" * 100)
        with Index.build(pictures / "newer", place="shop", replace=True, workers=1) as index:
            assert len(index) == NEWER
