"""Files under checksums: rows of vectors, and structures with a manifest."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import OutputError
from lookalike.index import rows as rows_module
from lookalike.index import sealed as sealed_module
from lookalike.index.base import Space
from lookalike.index.rows import RowFile
from lookalike.index.sealed import MANIFEST, seal, sound

SPACES = [Space(5), Space(64, "hamming"), Space(72, "hamming")]


def some(space: Space, count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if space.metric == "hamming":
        return rng.integers(0, 256, (count, *space.row_shape), np.uint8)
    return space.rows(rng.standard_normal((count, space.dimension)))


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_rows_come_back(space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = some(space, 50)
    file = RowFile(tmp_path / "rows", space, "me", create=True)
    file.write(0, rows[:20])
    file.write(20, rows[20:])
    file.close()
    file = RowFile(tmp_path / "rows", space, "me")
    slots = np.array([49, 0, 20, 0])
    found, is_sound = file.read(slots)
    assert is_sound.all()
    assert np.array_equal(found, rows[slots])
    monkeypatch.setattr(rows_module, "BLOCK_BYTES", 7 * file.stride)
    blocks = list(file.blocks(3, 50))
    assert [first for first, _, _ in blocks] == list(range(3, 50, 7))
    assert np.array_equal(np.concatenate([each for _, each, _ in blocks]), rows[3:])
    assert all(each.all() for _, _, each in blocks)
    empty, none = file.read(np.empty(0, np.int64))
    assert (len(empty), len(none)) == (0, 0)
    file.close()


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_every_bit_of_a_row_counts(space: Space, tmp_path: Path) -> None:
    path, rows = tmp_path / "rows", some(space, 3)
    file = RowFile(path, space, "me", create=True)
    file.write(0, rows)
    content = path.read_bytes()
    begin = len(content) - 2 * file.stride
    for bit in range(8 * file.stride):
        broken = bytearray(content)
        broken[begin + bit // 8] ^= 1 << bit % 8
        path.write_bytes(broken)
        found, is_sound = file.read(np.arange(3))
        assert is_sound.tolist() == [True, False, True]
        assert not found[1].any()
        ((_, in_block, sound_in_block),) = file.blocks(0, 3)
        assert sound_in_block.tolist() == [True, False, True]
        assert np.array_equal(in_block, found)
    file.close()


def test_a_row_knows_its_place_and_its_owner(tmp_path: Path) -> None:
    space, path = Space(8), tmp_path / "rows"
    file = RowFile(path, space, "me", create=True)
    file.write(0, some(space, 4))
    content = path.read_bytes()
    head, width = len(content) - 4 * file.stride, file.stride
    first, second = content[head : head + width], content[head + width : head + 2 * width]
    path.write_bytes(content[:head] + second + first + content[head + 2 * width :])
    assert file.read(np.arange(4))[1].tolist() == [False, False, True, True]
    path.write_bytes(content)
    other = RowFile(path, space, "another")
    assert not other.read(np.arange(4))[1].any()
    assert other.is_of_another()
    assert not file.is_of_another()
    path.write_bytes(bytes(head) + content[head:])  # a head that is damaged says nothing
    assert not other.is_of_another()
    assert file.read(np.arange(4))[1].all()
    file.close()
    other.close()


def test_what_is_not_there_is_not_sound(tmp_path: Path) -> None:
    space = Space(8)
    file = RowFile(tmp_path / "rows", space, "me", create=True)
    assert not file.is_of_another()
    file.write(0, some(space, 4))
    file.write(9, some(space, 1))  # a hole in between
    assert file.read(np.array([3, 4, 8, 9, 10, 10**6]))[1].tolist() == [True, False, False, True, False, False]
    ((_, found, is_sound),) = file.blocks(0, 12)
    assert is_sound.tolist() == [True] * 4 + [False] * 5 + [True, False, False]
    assert not found[~is_sound].any()
    file.write(2, some(space, 2, seed=1), np.array([True, False]))  # kept as damaged
    assert file.read(np.arange(4))[1].tolist() == [True, True, True, False]
    file.close()
    with pytest.raises(FileNotFoundError):
        RowFile(tmp_path / "nowhere", space, "me")
    with pytest.raises(OutputError):
        RowFile(tmp_path, space, "me")


def test_threads_read_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space, faults = Space(8), []
    rows = some(space, 500)
    file = RowFile(tmp_path / "rows", space, "me", create=True)
    file.write(0, rows)
    monkeypatch.delattr(os, "pread", raising=False)  # as on Windows

    def look(seed: int) -> None:
        dice = np.random.default_rng(seed)
        for _ in range(50):
            slots = dice.integers(0, 500, 20)
            faults.append(not np.array_equal(file.read(slots)[0], rows[slots]))

    threads = [threading.Thread(target=look, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file.close()
    assert len(faults) == 200
    assert not any(faults)


def writer(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


def test_a_seal_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_module, "PIECE", 64)
    assert sound(tmp_path) == (None, "")
    made = seal(tmp_path, "thing", {"count": 3}, writer(bytes(range(256))))
    assert sound(tmp_path) == (made, "")
    assert (made.generation, made.file, made.about) == (1, "thing-1", {"count": 3})
    path, manifest = tmp_path / made.file, tmp_path / MANIFEST
    for place in (0, 63, 64, 200, 255):
        content = bytearray(range(256))
        content[place] ^= 1
        path.write_bytes(content)
        assert sound(tmp_path) == (None, "its file is not what was written")
    for length in (0, 64, 255, 257):
        path.write_bytes(bytes(range(256))[:length].ljust(min(length, 257), b"x"))
        assert sound(tmp_path) == (None, "its file is not as long as it was")
    path.write_bytes(bytes(range(256)))
    good = manifest.read_bytes()
    for place in range(len(good)):
        broken = bytearray(good)
        broken[place] ^= 2
        manifest.write_bytes(broken)
        found, why = sound(tmp_path)
        assert (found is None and why) or json.loads(broken) == json.loads(good)
    for text in (b"", b"{}", b"[]", b"7", b"null", b"\xff", b"[" * 100_000, good[:-9]):
        manifest.write_bytes(text)
        assert sound(tmp_path) == (None, "its manifest is damaged")
    manifest.write_bytes(good)
    path.unlink()
    assert sound(tmp_path)[0] is None
    assert sound(tmp_path)[1]


def test_a_seal_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    first = seal(tmp_path, "thing", {}, writer(b"first"))

    def full(path: Path) -> None:
        path.write_bytes(b"sec")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="cannot be written"):
        seal(tmp_path, "thing", {}, full)
    assert sound(tmp_path) == (first, "")
    assert sorted(file.name for file in tmp_path.iterdir()) == [MANIFEST, "thing-1"]
    (tmp_path / "thing-2").write_bytes(b"left behind by a run that was killed")
    second = seal(tmp_path, "thing", {}, writer(b"second"))
    assert sound(tmp_path) == (second, "")
    assert sorted(file.name for file in tmp_path.iterdir()) == [MANIFEST, second.file]
    (tmp_path / MANIFEST).write_bytes(b"broken")
    third = seal(tmp_path, "thing", {}, writer(b"third"))
    assert sound(tmp_path) == (third, "")


def test_a_look_during_the_next_seal_finds_one_of_both(tmp_path: Path) -> None:
    seal(tmp_path, "thing", {}, writer(bytes(2000)))
    results, done = [], threading.Event()

    def look() -> None:
        while not done.is_set():
            results.append(sound(tmp_path))

    thread = threading.Thread(target=look)
    thread.start()
    for number in range(60):
        seal(tmp_path, "thing", {}, writer(bytes(2000 + number)))
    done.set()
    thread.join()
    assert len(results) > 5
    assert [why for found, why in results if found is None] == []
