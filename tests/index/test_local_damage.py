"""Whatever befalls the files of an index, it tells the truth, or says what is missing, or refuses; it never crashes.

The damages are done in a process of their own: what kills that process is a failure like any other.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from planted_index import FLOATS, SPACES, Truth, examined, items, make, structures_over_few

from lookalike.errors import IndexDamaged, OutputError
from lookalike.index import local
from lookalike.index.local import LocalIndex
from lookalike.index.structures import Structure

ROLLED_BACK = ("items.sqlite3 of an older generation",)
"""What leaves a sound index behind, as it was earlier."""

RANDOM_EACH = int(os.environ.get("LOOKALIKE_DAMAGES", "6"))
"""Damages at random places of every file, of each sort."""

Damage = Callable[[Path], object]


def damages(folder: Path, other: Path, older: Path, torn: Path, dice: random.Random) -> Iterator[tuple[str, Damage]]:
    """Names, and what to do to a copy of ``folder``."""
    for name in ("items.sqlite3", "vectors-0.bin", "structure-2", "manifest.json"):
        size = (folder / name).stat().st_size
        yield f"{name} deleted", lambda at, name=name: (at / name).unlink()
        yield f"{name} empty", lambda at, name=name: (at / name).write_bytes(b"")
        for garbage in (b"garbage", dice.randbytes(size), bytes(size)):
            yield f"{name} is {garbage[:7]!r}", lambda at, name=name, garbage=garbage: (at / name).write_bytes(garbage)
        for cut in (1, 7, 100, size // 2, size - 1, *(dice.randrange(size) for _ in range(RANDOM_EACH // 2))):
            yield f"{name} cut at {cut}", lambda at, name=name, cut=cut: _cut(at / name, cut)
        for _ in range(RANDOM_EACH):
            place, length = dice.randrange(size), dice.choice((1, 8, 64, 600, 4096))
            yield (
                f"{name} zero at {place} for {length}",
                lambda at, name=name, place=place, length=length: _put(at / name, place, bytes(length)),
            )
        for _ in range(2 * RANDOM_EACH):
            place, bit = dice.randrange(size), dice.randrange(8)
            yield (
                f"{name} bit {bit} at {place}",
                lambda at, name=name, place=place, bit=bit: _flip(at / name, place, bit),
            )
        for source, what in ((other, "another index"), (older, "an older generation")):
            yield (
                f"{name} of {what}",
                lambda at, name=name, source=source: shutil.copyfile(_like(source, name), at / name),
            )
        yield f"{name} longer", lambda at, name=name: _put(at / name, (at / name).stat().st_size, bytes(500))
    for place in _places(folder / "items.sqlite3", b"item 555"):  # in the table, and in what ids are looked up by
        yield f"items.sqlite3 other id at {place}", lambda at, place=place: _flip(at / "items.sqlite3", place + 7, 1)
    for source in (other, older):
        yield (
            f"structure and manifest of {source.name}",
            lambda at, source=source: [shutil.copy(source / file.name, at) for file in _structure(source)],
        )
    yield "manifest of a later version", lambda at: _rewrite(at / "manifest.json", format=2)
    yield "manifest with less pieces", lambda at: _rewrite(at / "manifest.json", sha256=[])
    yield "manifest that points elsewhere", lambda at: _rewrite(at / "manifest.json", file="../other/structure-2")
    yield "manifest that lies of the count", lambda at: _about(at / "manifest.json", count=10**9)
    yield "manifest of no index", lambda at: _rewrite(at / "manifest.json", about={})
    yield "ledger of a later version", lambda at: _later(at / "items.sqlite3")
    yield "structure is a folder", lambda at: ((at / "structure-2").unlink(), (at / "structure-2").mkdir())
    yield "log of another index", lambda at: shutil.copyfile(torn / "items.sqlite3-wal", at / "items.sqlite3-wal")
    yield "log is garbage", lambda at: (at / "items.sqlite3-wal").write_bytes(dice.randbytes(5000))


def _structure(folder: Path) -> list[Path]:
    return [*folder.glob("structure-*"), folder / "manifest.json"]


def _like(folder: Path, name: str) -> Path:
    """The file of another folder that does what this one does here, whatever its generation."""
    return next(folder.glob(f"{name.split('-')[0]}*" if "-" in name else name))


def _places(path: Path, text: bytes) -> list[int]:
    places = [found.start() for found in re.finditer(re.escape(text), path.read_bytes())]
    assert len(places) >= 2
    return places


def _later(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        body = json.dumps({**json.loads(connection.execute("SELECT body FROM head").fetchone()[0]), "format": 2})
        connection.execute("UPDATE head SET body = ?, mark = ?", (body, zlib.crc32(body.encode())))


def _cut(path: Path, length: int) -> None:
    with path.open("r+b") as file:
        file.truncate(length)


def _put(path: Path, place: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


def _flip(path: Path, place: int, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def _rewrite(path: Path, **changes: object) -> None:
    """A manifest that says something else, and is sealed."""
    body = {**json.loads(path.read_text()), **changes}
    body.pop("seal")
    body["seal"] = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(body))


def _about(path: Path, **changes: object) -> None:
    _rewrite(path, about={**json.loads(path.read_text())["about"], **changes})


def main(place: Path, kind: str) -> None:
    """Do all damages to an index of this kind, and print what came of each."""
    own, other, older, torn = (place / name for name in ("own", "other", "older", "torn"))
    make(own, kind, older=older)
    make(other, kind, seed=1)
    shutil.copytree(other, torn)
    space, dice = SPACES[kind], random.Random(f"{kind} {RANDOM_EACH}")
    truth, before = Truth(own, space), Truth(older, space)
    with LocalIndex(torn, writing=True) as index:  # its log is there as long as it is open
        index.remove(["item 3"])
        for number, (name, damage) in enumerate(damages(own, other, older, torn, dice)):
            truths = [truth, before] if name in ROLLED_BACK else [truth]
            for writing in (False, True) if number % 3 == 0 or not name[-1].isdigit() else (False,):
                at = place / "damaged"
                shutil.copytree(own, at)
                damage(at)
                with structures_over_few():
                    came = examined(at, truths, writing=writing)
                    if writing and not came.startswith("FAULT"):
                        came = examined(at, truths, writing=False) if came != "refused" else came
                shutil.rmtree(at)
                print(json.dumps([name, writing, came]), flush=True)


@pytest.mark.parametrize("kind", SPACES)
def test_a_damage_is_mended_or_told(kind: str, tmp_path: Path) -> None:
    command = [sys.executable, str(Path(__file__).resolve()), str(tmp_path), kind]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # quicker for so few vectors
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, env=environment)
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (results[-1:], done.stderr[-2000:])
    assert [result for result in results if result[2].startswith("FAULT")] == []
    assert len({name for name, _, _ in results}) >= 130
    counted = Counter(came for _, _, came in results)
    print(kind, len(results), dict(counted))
    assert min(counted[came] for came in ("right", "noticed", "refused")) > 15  # all three ways were gone


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of a hundred items in one structure."""
    for name, value in {"WORTH": 20, "LOOSE": 0.01, "EMPTY_SHARE": 0.2, "BATCH": 16}.items():
        monkeypatch.setattr(local, name, value)
    with LocalIndex.create(tmp_path / "index", FLOATS) as index:
        index.add(items(FLOATS, 0, 100, 0))
        index.save()
    return tmp_path / "index"


def broken_row(folder: Path, slot: int) -> None:
    path = folder / "vectors-0.bin"
    stride = (path.stat().st_size - 8) // 100
    _flip(path, 8 + slot * stride + 5, 3)


def test_a_damaged_vector_is_left_out_of_everything_and_named(small: Path) -> None:
    broken_row(small, 50)
    for writing in (False, True):
        with LocalIndex(small, writing=writing) as index:
            assert index.get(["item 50"]) == [None]
            (notice,) = index.notices
            assert "item 50" in notice
            assert len(list(index.items())) == 99
            assert "item 50" not in {hit.id for hit in index.search(items(FLOATS, 0, 51, 0)[50].vector, 100)[0]}
            assert len(index.notices) == 1


def test_a_damaged_vector_stays_one_where_items_are_moved_together(small: Path) -> None:
    broken_row(small, 50)
    with LocalIndex(small, writing=True) as index:
        index.remove([f"item {number}" for number in range(30)])
        index.save()
        assert (small / "vectors-1.bin").exists()
    for writing in (False, True):
        with LocalIndex(small, writing=writing) as index:
            found = {hit.id for hit in index.search(items(FLOATS, 0, 51, 0)[50].vector, 100)[0]}
            assert found == {f"item {number}" for number in range(30, 100) if number != 50}
            assert any("item 50" in notice for notice in index.notices)
    with LocalIndex(small, writing=True) as index:
        index.add(items(FLOATS, 0, 51, 0)[50:], replace=True)
        assert index.search(items(FLOATS, 0, 51, 0)[50].vector, 1)[0][0].id == "item 50"
    with LocalIndex(small) as index:
        assert len(list(index.items())) == 70
        assert index.notices == []


def test_moving_together_and_sealing_say_nothing_to_anybody(small: Path) -> None:
    with LocalIndex(small) as reader, LocalIndex(small, writing=True) as index:
        index.remove([f"item {number}" for number in range(30)])
        index.save()
        assert len(reader) == 70
        assert reader.search(items(FLOATS, 0, 51, 0)[50].vector, 1)[0][0].id == "item 50"
        assert index.notices == reader.notices == []


def test_another_item_removed_than_was_is_noticed_on_opening(small: Path) -> None:
    with LocalIndex(small, writing=True) as index:
        index.remove(["item 10"])
    with closing(sqlite3.connect(small / "items.sqlite3")) as connection, connection:
        assert connection.execute("UPDATE gone SET slot = 5 WHERE slot = 10").rowcount == 1
    with pytest.raises(IndexDamaged, match="items are missing"):
        LocalIndex(small)


def test_a_full_disk_while_saving_leaves_the_answers_right(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with LocalIndex(small, writing=True) as index:
        index.add(items(FLOATS, 100, 140, 0))
        with monkeypatch.context() as patched:
            patched.setattr(Structure, "write", full)
            with pytest.raises(OutputError, match="free some space"):
                index.save()
        hits = [hit.id for hit in index.search(items(FLOATS, 0, 131, 0)[130].vector, 140)[0]]
        assert hits[0] == "item 130"
        assert len(hits) == len(set(hits)) == 140
        index.add(items(FLOATS, 140, 150, 0))
        index.save()
    with LocalIndex(small) as index:
        assert len(index.search(items(FLOATS, 0, 131, 0)[130].vector, 150)[0]) == 150
        assert index.notices == []


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
