"""Damaged files: nothing crashes, nothing wrong comes out, and what is computed again is kept again.

A few files of each kind of damage here; ``LOOKALIKE_DAMAGES=500`` makes it so many of each.
"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from stores import SIZES, digest, feature, found, row, stored

from lookalike.collection import aside
from lookalike.collection.migrations import LATEST
from lookalike.collection.store import Store
from lookalike.collection.upkeep import export, info, prune, verify
from lookalike.errors import StoreError

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = int(os.environ.get("LOOKALIKE_DAMAGES", "4"))
COUNT = 60
PAGE = 8192

DIGESTS = [digest(number) for number in range(COUNT)]
DECIDED = {tuple(sorted((digest(number), digest(number + 1)))): "different" for number in range(0, COUNT, 7)}


def fill(store: Store) -> None:
    for start in range(0, COUNT, 10):
        store.add([stored(number) for number in range(start, start + 10)])
    for a, b in DECIDED:
        store.decide(a, b, "different")
    store.save_run("run", DIGESTS, b"payload")
    store.count(3, 4)


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store, and the files of one in use whose log holds a part of it."""
    folder = tmp_path_factory.mktemp("intact")
    with Store(folder / "closed") as store:
        fill(store)
    with Store(folder / "first") as store:
        store.add([stored(number) for number in range(COUNT // 2)])
        store.database.plain(lambda connection: connection.execute("PRAGMA wal_checkpoint").fetchall())
        fill(store)
        for suffix in ("", "-wal", "-shm"):
            shutil.copy(folder / f"first{suffix}", folder / f"open{suffix}")
    assert (folder / "open-wal").stat().st_size > 100_000
    return folder


Damage = Callable[[bytearray, random.Random], None]


def flip_bits(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 1, 5, 50))):
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)


def flip_bits_of_the_head(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 3))):
        content[dice.randrange(min(100, len(content)))] ^= 1 << dice.randrange(8)


def flip_bits_of_tree_pages(content: bytearray, dice: random.Random) -> None:
    pages = [page for page in range(PAGE, len(content), PAGE) if content[page] in (2, 5, 10, 13)]
    for _ in range(dice.choice((1, 5))):
        content[dice.choice(pages or [0]) + dice.randrange(min(200, len(content)))] ^= 1 << dice.randrange(8)


def cut(content: bytearray, dice: random.Random) -> None:
    del content[dice.randrange(len(content)) :]


def zero_a_page(content: bytearray, dice: random.Random) -> None:
    start = dice.randrange(0, len(content), PAGE)
    content[start : start + PAGE] = bytes(len(content[start : start + PAGE]))


def garble_a_piece(content: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(content))
    length = min(dice.choice((4, 100, 5000, 50_000)), len(content) - start)
    content[start : start + length] = dice.randbytes(length)


def swap_pages(content: bytearray, dice: random.Random) -> None:
    a, b = (dice.randrange(0, len(content) // PAGE) * PAGE for _ in range(2))
    content[a : a + PAGE], content[b : b + PAGE] = content[b : b + PAGE], content[a : a + PAGE]


def copy_a_page_over_another(content: bytearray, dice: random.Random) -> None:
    a, b = (dice.randrange(0, len(content) // PAGE) * PAGE for _ in range(2))
    content[a : a + PAGE] = content[b : b + PAGE]


def append_garbage(content: bytearray, dice: random.Random) -> None:
    content += dice.randbytes(dice.choice((1, 5000, 100_000)))


def replace_all(content: bytearray, dice: random.Random) -> None:
    content[:] = dice.randbytes(dice.choice((1, 1000, 30_000)))


DAMAGES: list[Damage] = [
    flip_bits,
    flip_bits_of_the_head,
    flip_bits_of_tree_pages,
    cut,
    zero_a_page,
    garble_a_piece,
    swap_pages,
    copy_a_page_over_another,
    append_garbage,
    replace_all,
]


def assert_nothing_wrong(store: Store) -> int:
    """Everything that comes out is as it went in; gives how much is missing."""
    missing = 0
    for key in SIZES:
        expected = {digest(each): feature(each, key) for each in range(COUNT) if key in stored(each).features}
        features = store.features(key, DIGESTS)
        assert features.items() <= expected.items()
        missing += len(expected) - len(features)
    for found_here, expected_here in (
        (store.pictures(DIGESTS), {digest(each): row(each) for each in range(COUNT)}),
        (
            store.known([found(each) for each in range(COUNT)]),
            {found(each).path: digest(each) for each in range(COUNT)},
        ),
        (store.decisions(), DECIDED),
        (dict.fromkeys(payload for _, payload in store.runs("run")), {b"payload": None}),
    ):
        assert found_here.items() <= expected_here.items()
        missing += len(expected_here) - len(found_here)
    assert all(digests == DIGESTS for digests, _ in store.runs("run"))
    return missing


def looks_newer(content: bytearray, file: str) -> bool:
    """The head tells a version after ours: refused and left alone, be it by damage or by an update."""
    sound = content[:16] == b"SQLite format 3\0" and len(content) >= 100 and {*content[18:20]} <= {1, 2}
    return file == "closed" and sound and int.from_bytes(content[60:64], "big", signed=True) > LATEST


def survives(path: Path) -> None:
    """What comes out is right, what is put in again is kept, and a repair makes the file sound."""
    with Store(path) as store:
        print("lost", assert_nothing_wrong(store), "told", len(store.notices))
        info(store)
        fill(store)
        assert_nothing_wrong(store)
    with Store(path) as store:
        report = verify(store, repair=True)
        assert verify(store).sound, report
        fill(store)
        assert assert_nothing_wrong(store) == 0
        export(store, path.with_name("export.jsonl"))
        prune(store, entries=10)
        assert verify(store).sound


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("file", ["closed", "open", "open-wal", "open-shm"])
def test_damage_is_noticed_and_mended(intact: Path, tmp_path: Path, damage: Damage, file: str) -> None:
    for seed in range(ROUNDS):
        dice = random.Random(f"{damage.__name__} {file} {seed}")
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = folder / "store"
        for each in intact.glob(f"{file.partition('-')[0]}*"):
            shutil.copy(each, folder / each.name.replace(file.partition("-")[0], "store"))
        (folder / "store-lock").touch()
        target = folder / file.replace(file.partition("-")[0], "store")
        content = bytearray(target.read_bytes())
        damage(content, dice)
        target.write_bytes(content)
        if looks_newer(content, file):
            with pytest.raises(StoreError, match="of version"):
                Store(path)
            assert target.read_bytes() == content
        else:
            survives(path)
        shutil.rmtree(folder)


def test_a_damaged_row_is_dropped_and_said_so(intact: Path, tmp_path: Path) -> None:
    path = shutil.copy(intact / "closed", tmp_path / "store")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE features SET value = zeroblob(40) WHERE id = (SELECT min(id) FROM features)")
        connection.execute("UPDATE pictures SET width = width + 1 WHERE digest = ?", (bytes.fromhex(digest(30)),))
        connection.execute("UPDATE files SET digest = ? WHERE path = ?", (bytes(32), found(31).path.encode()))
        connection.execute("UPDATE runs SET payload = x'00'")
        connection.execute("UPDATE decisions SET verdict = 'same' WHERE ordinal = 1")
    connection.close()
    with Store(path) as store:
        assert set(DIGESTS) - set(store.pictures(DIGESTS)) == {digest(30)}
        assert len(store.features("small 1", DIGESTS)) == sum(bool(stored(each).features) for each in range(COUNT)) - 2
        assert len(store.known([found(each) for each in range(COUNT)])) == COUNT - 1
        assert list(store.runs("run")) == []
        assert len(store.decisions()) == len(DECIDED) - 1
        assert store.notices == [
            "damaged rows of the store were dropped and count as missing:"
            " 1 of decisions, 1 of features, 1 of files, 1 of pictures, 1 of runs"
        ]
        assert verify(store).sound


def test_values_that_changed_places_are_noticed(intact: Path, tmp_path: Path) -> None:
    """Each is sound by itself, so a checksum over the value alone would not do."""
    path = shutil.copy(intact / "closed", tmp_path / "store")
    with sqlite3.connect(path) as connection:
        (first, a, x), (second, b, y) = connection.execute("SELECT * FROM features ORDER BY id LIMIT 2").fetchall()
        connection.execute("UPDATE features SET checksum = ?, value = ? WHERE id = ?", (b, y, first))
        connection.execute("UPDATE features SET checksum = ?, value = ? WHERE id = ?", (a, x, second))
    connection.close()
    with Store(path) as store:
        features = store.features("small 1", DIGESTS)
        assert digest(0) not in features
        assert digest(1) not in features


def test_decisions_outlive_a_file_that_cannot_be_read(intact: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(intact / "closed", tmp_path / "store"))
    low, high = sorted(next(iter(DECIDED)))
    with Store(path) as store:
        store.decide(low, high, None)
    content = bytearray(path.read_bytes())
    content[:PAGE] = bytes(PAGE)  # the page that says where the tables are
    path.write_bytes(content)
    with Store(path) as store:
        assert store.decisions() == {pair: said for pair, said in DECIDED.items() if pair != (low, high)}
        assert f"{len(DECIDED)} decisions" in store.notices[0]
        assert "set aside as store.damaged-" in store.notices[0]
        store.decide(low, high, "same")
    with Store(path) as store:
        assert store.decisions()[low, high] == "same"
        assert store.notices == []


def test_only_a_few_damaged_files_are_kept(intact: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(intact / "closed", tmp_path / "store"))
    for number in range(5):
        with Store(path) as store:
            store.add([stored(number)])
        path.write_bytes(b"garbage")
    with Store(path):
        pass
    assert len(list(tmp_path.glob("store.damaged-*"))) == aside.KEPT_ASIDE


def test_a_damaged_file_that_is_open_elsewhere_stays(intact: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(intact / "closed", tmp_path / "store"))
    content = bytearray(path.read_bytes())
    with Store(path) as other:
        assert other.pictures(DIGESTS[:1])
        content[100:] = bytes(len(content) - 100)
        path.write_bytes(content)
        with Store(path) as store:
            assert "while it is open elsewhere" in store.notices[0]
            store.add([stored(1)])
            assert store.pictures([digest(1)])
        assert path.read_bytes() == content
    with Store(path) as store:
        assert "begun anew" in store.notices[0]


OPENER = """
import sys
from lookalike.collection.store import Store
sys.path.insert(0, sys.argv[2])
from stores import *
sys.stdin.readline()
with Store(sys.argv[1]) as store:
    store.add([stored(number) for number in range(10)])
    print(*store.notices)
"""


def test_of_many_that_find_the_damage_one_sets_it_aside(intact: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(intact / "closed", tmp_path / "store"))
    path.with_name("store-lock").touch()
    path.write_bytes(b"garbage" * 5000)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", OPENER, str(path), str(ROOT / "tests" / "collection")]
    pipe = subprocess.PIPE
    running = [subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe) for _ in range(4)]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    output = [process.communicate() for process in running]
    assert [errors for _, errors in output] == [b""] * 4
    assert sum(b"set aside as" in said for said, _ in output) == 1
    assert len(list(tmp_path.glob("store.damaged-*"))) == 1
    with Store(path) as store:
        assert len(store.pictures(DIGESTS[:10])) == 10
        assert verify(store).sound


def test_a_store_deleted_while_open_is_no_crash(tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        store.add([stored(1)])
        for each in tmp_path.iterdir():
            each.unlink()
        store.add([stored(2)])
        assert store.pictures([digest(2)])
    with Store(tmp_path / "store") as store:
        store.add([stored(3)])


# A full disk

FULL = """
import sys
sys.path.insert(0, sys.argv[2])
from stores import *
from lookalike.collection.migrations import LATEST
from lookalike.collection.store import Store
from lookalike.errors import StoreError
added = 0
try:
    with Store(sys.argv[1]) as store:
        try:
            for number in range(0, 4000, 8):
                store.add([stored(each) for each in range(number, number + 8)])
                added = number + 8
        except StoreError as error:
            print(error)
            left = [each for each in range(added) if not store.pictures([digest(each)])]
            same = store.features("large 1", [digest(each) for each in range(added)])
            print(added, left, all(value == feature(each, "large 1") for each in range(added)
                                   for value in [same.get(digest(each), feature(each, "large 1"))]), len(same))
except StoreError as error:
    print(error)
    print(0, [], True, 0)
"""


@pytest.mark.skipif(os.name == "nt", reason="a limit on the size of files")
@pytest.mark.parametrize("size", [1, 5_000, 9_000, 20_000, 70_000, 100_000, 300_000, 1_000_000, 2_000_000, 4_000_000])
def test_a_disk_without_room_is_one_line_and_what_was_kept_stays(tmp_path: Path, size: int) -> None:
    path = tmp_path / "store"
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", limit + FULL, str(path), str(ROOT / "tests" / "collection")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    message, state = done.stdout.splitlines()
    assert "--store" in message
    added, *rest = state.split()
    assert rest[:2] == ["[]", "True"]
    with Store(path) as store:
        assert store.notices == []
        assert len(store.pictures([digest(each) for each in range(int(added))])) == int(added)
        assert verify(store).sound
        store.add([stored(each) for each in range(int(added) + 8)])
        assert len(store.known([found(each) for each in range(int(added) + 8)])) == int(added) + 8
