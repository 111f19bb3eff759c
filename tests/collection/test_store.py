"""The store: what goes in comes out, for every thread, process, clock and file name; what is not its own it lets be."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from stores import SIZES, digest, feature, found, row, stored

from lookalike.collection import migrations
from lookalike.collection.store import PictureRow, Store, Stored, default_path
from lookalike.errors import StoreError
from lookalike.images.scan import Found

ROOT = Path(__file__).resolve().parents[2]
OLD = 1_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "store.sqlite3"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [2e9]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def used(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as connection:
        return {bytes(each).hex(): when for each, when in connection.execute("SELECT digest, used FROM pictures")}


def test_what_is_added_is_found_after_reopening(path: Path) -> None:
    with Store(path) as store:
        store.add([stored(number) for number in range(30)])
    with Store(path) as store:
        digests = [digest(number) for number in range(31)]
        assert store.known([found(number) for number in range(31)]) == {
            found(number).path: digest(number) for number in range(30)
        }
        assert store.pictures(digests) == {digest(number): row(number) for number in range(30)}
        good = [number for number in range(30) if row(number).failure_kind is None]
        for key in SIZES:
            assert store.features(key, digests) == {digest(number): feature(number, key) for number in good}
            assert store.lacking([key], digests) == {digest(number) for number in range(31) if number not in good}
        assert store.features("small 2", digests) == {}
        assert store.notices == []


def test_a_changed_file_is_not_known(path: Path) -> None:
    file = found(1)
    with Store(path) as store:
        store.add([stored(1)])
        assert store.known([Found(file.path, file.size, file.mtime_ns + 1)]) == {}
        assert store.known([Found(file.path, file.size + 1, file.mtime_ns)]) == {}
        store.remember([(Found(file.path, 7, 8), digest(2))])
        assert store.known([Found(file.path, 7, 8), file]) == {file.path: digest(2)}


def test_twins_both_stay_and_a_renamed_file_costs_nothing(path: Path) -> None:
    twin = Found("/elsewhere/twin.jpg", 1, 2)
    with Store(path) as store:
        store.add([stored(1)])
        store.remember([(twin, digest(1))])
        assert store.known([twin, found(1)]) == {twin.path: digest(1), found(1).path: digest(1)}
        assert store.lacking(["small 1"], [digest(1)]) == set()


def test_relative_paths_are_told_apart_by_folder(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with Store(path) as store:
        monkeypatch.chdir(tmp_path / "a")
        store.remember([(Found("x/../1.jpg", 1, 1), digest(1)), (Found("./2.jpg", 1, 1), digest(2))])
        assert store.known([Found("1.jpg", 1, 1), Found("2.jpg", 1, 1)]) == {"1.jpg": digest(1), "2.jpg": digest(2)}
        absolute = str(tmp_path / "a" / "1.jpg")
        assert store.known([Found(absolute, 1, 1)]) == {absolute: digest(1)}
        monkeypatch.chdir(tmp_path / "b")
        assert store.known([Found("1.jpg", 1, 1)]) == {}
        assert store.known([Found("../a/1.jpg", 1, 1)]) == {"../a/1.jpg": digest(1)}


@pytest.mark.parametrize("spelled", ["same.jpg", "./same.jpg"])
def test_one_file_named_in_two_ways_is_known_by_both(path: Path, spelled: str) -> None:
    with Store(path) as store:
        store.remember([(Found("same.jpg", 1, 1), digest(1))])
        both = [Found("same.jpg", 1, 1), Found("./same.jpg", 1, 1), Found(os.path.abspath("same.jpg"), 1, 1)]
        assert store.known(both)[spelled] == digest(1)
        assert len(store.known(both)) == 3


@pytest.mark.parametrize("name", ["/p/\udcff\udc80.jpg", "/p/\ud83d.jpg", "/p/ü\n'\".jpg", "/p/" + "n" * 5000, "/"])
def test_any_file_name_is_kept_as_it_is(path: Path, name: str) -> None:
    with Store(path) as store:
        store.add([Stored(Found(name, 1, 1), digest(1), PictureRow("", 0, 0, "DecodeFailed", name))])
    with Store(path) as store:
        assert store.known([Found(name, 1, 1)]) == {name: digest(1)}
        assert store.pictures([digest(1)])[digest(1)].failure_reason == name


@pytest.mark.parametrize("mtime_ns", [-1, 0, 2**63 - 1, 2**63, 10**21])
def test_times_far_off_are_kept(path: Path, mtime_ns: int) -> None:
    with Store(path) as store:
        store.remember([(Found("/x", 1, mtime_ns), digest(1))])
        assert store.known([Found("/x", 1, mtime_ns)]) == {"/x": digest(1)}


def test_features_alone_make_no_picture_and_never_hide_one(path: Path) -> None:
    with Store(path) as store:
        store.add_features("small 1", [(digest(1), b"abc"), (digest(2), b"")])
        assert store.pictures([digest(1)]) == {}
        assert store.features("small 1", [digest(1), digest(2)]) == {digest(1): b"abc", digest(2): b""}
        store.add([Stored(None, digest(1), row(1))])
        store.add_features("small 1", [(digest(1), b"xyz")])
        assert store.pictures([digest(1)]) == {digest(1): row(1)}
        assert store.features("small 1", [digest(1)]) == {digest(1): b"xyz"}


def test_a_failure_gives_way_to_a_picture(path: Path) -> None:
    with Store(path) as store:
        store.add([Stored(None, digest(1), PictureRow("", 0, 0, "DecodeFailed", "no memory"))])
        store.add([Stored(None, digest(1), PictureRow("PNG", 3, 4))])
        assert store.pictures([digest(1)]) == {digest(1): PictureRow("PNG", 3, 4)}


def test_one_bad_row_keeps_the_whole_batch_out(path: Path) -> None:
    with Store(path) as store:
        with pytest.raises(TypeError):
            store.add([stored(1), Stored(None, digest(2), row(2), {"small 1": object()})])  # type: ignore[dict-item]
        assert store.pictures([digest(1), digest(2)]) == {}
        store.add([stored(1)])
        assert store.pictures([digest(1)]) == {digest(1): row(1)}


def test_runs_newest_first_and_twenty_of_a_key(path: Path) -> None:
    with Store(path) as store:
        for number in range(25):
            store.save_run("a", [digest(number), digest(0)], b"%d" % number)
        store.save_run("b", [], b"")
        store.save_run("a", [digest(20), digest(0)], b"again")
        payloads = [payload for _, payload in store.runs("a")]
        assert payloads == [b"again", *(b"%d" % number for number in (24, 23, 22, 21, *range(19, 4, -1)))]
        assert next(store.runs("a"))[0] == [digest(20), digest(0)]
        assert list(store.runs("b")) == [([], b"")]


def test_decisions_whatever_the_order(path: Path) -> None:
    low, high = sorted([digest(1), digest(2)])
    with Store(path) as store:
        store.decide(high, low, "different")
        store.decide(low, digest(3), "same")
    with Store(path) as store:
        assert store.decisions()[low, high] == "different"
        store.decide(low, high, "same")
        store.decide(digest(3), low, None)
        assert store.decisions() == {(low, high): "same"}


def test_default_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOKALIKE_STORE", raising=False)
    assert Path(default_path()).parts[-2:] == ("lookalike", "store.sqlite3") or os.name == "nt"
    monkeypatch.setenv("LOOKALIKE_STORE", "/somewhere/x.sqlite3")
    assert default_path() == "/somewhere/x.sqlite3"


def test_memory_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Store(":memory:") as store:
        store.add([stored(1)])
        assert store.known([found(1)])
    assert list(tmp_path.iterdir()) == []


# Time of use


def test_use_is_written_once_an_hour_and_not_by_reading(path: Path, clock: list[float]) -> None:
    with Store(path) as store:
        store.add([stored(1), stored(2)])
    clock[0] += 1800
    with Store(path) as store:
        store.features("small 1", [digest(1)])
    assert used(path) == {digest(1): 2e9, digest(2): 2e9}
    clock[0] += 3600
    with Store(path) as store:
        store.features("small 1", [digest(1)])
        assert used(path)[digest(1)] == 2e9
    assert used(path) == {digest(1): 2e9 + 5400, digest(2): 2e9}


def test_a_clock_that_jumps_back_is_followed(path: Path, clock: list[float]) -> None:
    with Store(path) as store:
        store.add([stored(1)])
        clock[0] = OLD
        store.add([stored(2)])
        assert set(store.features("small 1", [digest(1), digest(2)])) == {digest(1), digest(2)}
    assert used(path) == {digest(1): OLD, digest(2): OLD}


def test_over_its_limit_the_pictures_used_longest_ago_go(path: Path, clock: list[float]) -> None:
    with Store(path, limit=500_000) as store:
        for number in range(0, 200, 10):
            clock[0] += 10
            store.add([stored(each) for each in range(number, number + 10)])
        left = [number for number in range(200) if digest(number) in store.pictures([digest(number)])]
        assert left == list(range(left[0], 200))
        assert 20 < len(left) < 60
        assert os.path.getsize(path) + os.path.getsize(f"{path}-wal") < 1_200_000


def test_over_its_limit_what_was_only_read_stays(path: Path, clock: list[float]) -> None:
    with Store(path) as store:
        for number in range(60):
            clock[0] += 10
            store.add([stored(number)])
    clock[0] += 7200
    with Store(path, limit=os.path.getsize(path)) as store:
        assert store.features("large 1", [digest(0)])
        store.add([stored(number) for number in range(60, 70)])
        assert set(store.pictures([digest(0), digest(1), digest(69)])) == {digest(0), digest(69)}


def test_a_closed_store_says_so(path: Path) -> None:
    store = Store(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.add([stored(1)])
    with pytest.raises(StoreError, match="closed"):
        store.known([found(1)])


# Versions and what is not ours


def test_an_older_store_is_brought_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(path) as store:
        store.add([stored(1)])
        store.decide(digest(1), digest(2), "different")
    newer = (*migrations.MIGRATIONS, ("CREATE TABLE later(x)", "ALTER TABLE runs ADD COLUMN y"))
    monkeypatch.setattr(migrations, "MIGRATIONS", newer)
    monkeypatch.setattr("lookalike.collection.database.LATEST", len(newer))
    monkeypatch.setattr(migrations.migrate, "__defaults__", (len(newer),))
    monkeypatch.setattr(migrations.expected_schema, "__defaults__", (len(newer),))
    with Store(path) as store:
        assert store.features("small 1", [digest(1)]) == {digest(1): feature(1, "small 1")}
        assert len(store.decisions()) == 1
        assert store.notices == []
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(newer),)
        assert connection.execute("SELECT count(*) FROM later").fetchone() == (0,)


def test_the_first_version_never_changes() -> None:
    """A store of version 1 is in people's folders: change it by appending a step."""
    assert hashlib.sha256(repr(migrations.MIGRATIONS[0]).encode()).hexdigest()[:16] == "58ed93755d09e94d"


def test_a_newer_store_is_refused_and_left_as_it_is(path: Path) -> None:
    with Store(path) as store:
        store.add([stored(1)])
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {migrations.LATEST + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"version 2.* update lookalike"):
        Store(path)
    assert path.read_bytes() == before


def test_what_is_no_store_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(b"\xff\xd8\xff" + bytes(500))
    database = tmp_path / "contacts.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE contacts(name)")
    connection.close()
    for file in (picture, database):
        before = file.read_bytes()
        with pytest.raises(StoreError, match="is no store of lookalike, and is left as it is; name another"):
            Store(file)
        assert file.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["contacts.db", "picture.jpg"]


@pytest.mark.parametrize("place", ["folder", "file/store.sqlite3", "nul\0.sqlite3"])
def test_impossible_places_are_a_line(tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="--store") as caught:
        Store(tmp_path / place)
    assert "\n" not in str(caught.value)


def test_strange_but_possible_places(tmp_path: Path) -> None:
    for name in ("file:x?mode=ro", "ü 'quoted\" %20.db", "\udcff.db", "empty.db"):
        (tmp_path / "empty.db").touch()
        with Store(tmp_path / name) as store:
            store.add([stored(1)])
        with Store(tmp_path / name) as store:
            assert store.known([found(1)])


AS_NOBODY = """
import os, sys
from lookalike.collection.store import Store, StoreError
sys.path.insert(0, sys.argv[2])
from stores import *
os.setgid(65534); os.setuid(65534)  # after the imports: others may not be let into the place of Python
try:
    with Store(sys.argv[1]) as store:
        print(len(store.features("small 1", [digest(1)])), store.notices)
        store.add([stored(2)])
except StoreError as error:
    print(error)
"""


def as_nobody(path: Path) -> str:
    """What somebody without any right gets to see."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", AS_NOBODY, str(path), str(ROOT / "tests" / "collection")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Unlike pytest's, a folder that others may enter."""
    folder = Path("/tmp") / f"lookalike-{os.getpid()}"
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_store_that_may_only_be_read_is_read(open_folder: Path) -> None:
    with Store(open_folder / "s") as store:
        store.add([stored(1)])
    before = sorted(os.listdir(open_folder))
    first, second = as_nobody(open_folder / "s").splitlines()
    assert first.startswith("1 [")
    assert "it is read, and nothing new is kept" in first
    assert "cannot be opened for writing" in second
    assert "--store" in second
    assert sorted(os.listdir(open_folder)) == before


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_folder_that_cannot_be_made_is_a_line(open_folder: Path) -> None:
    assert "--store" in as_nobody(open_folder / "deeper" / "s")
    assert "--store" in as_nobody(open_folder / "s")


# Many at once


def test_threads_write_and_read_together(path: Path) -> None:
    errors: list[BaseException] = []

    def write(start: int) -> None:
        try:
            for number in range(start, start + 40, 4):
                store.add([stored(each) for each in range(number, number + 4)])
                assert set(store.pictures([digest(number)])) == {digest(number)}
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    with Store(path) as store:
        threads = [threading.Thread(target=write, args=(start,)) for start in (0, 40, 80, 120)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert len(store.pictures([digest(number) for number in range(160)])) == 160


WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from stores import *
from lookalike.collection.store import Store
start = int(sys.argv[3])
with Store(sys.argv[1]) as store:
    for number in range(start, start + 60, 3):
        store.add([stored(each) for each in range(number, number + 3)])
    assert not store.notices, store.notices
"""


def test_processes_that_begin_one_store_together_wait_for_each_other(path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", WRITER, str(path), str(ROOT / "tests" / "collection")]
    starts = (0, 0, 30, 60)
    running = [subprocess.Popen([*command, str(start)], env=environment, stderr=subprocess.PIPE) for start in starts]
    assert [process.communicate()[1] for process in running] == [b""] * len(starts)
    with Store(path) as store:
        everything = [digest(number) for number in range(120)]
        assert len(store.pictures(everything)) == 120
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM pictures").fetchone() == (120,)
        assert connection.execute("SELECT count(*) FROM features").fetchone() == (
            sum(len(stored(number).features) for number in range(120)),
        )


def test_readers_see_whole_batches_while_another_writes(path: Path) -> None:
    with Store(path) as writer, Store(path) as reader:
        writer.add([stored(1)])
        writer.database.write(lambda connection: _half_a_batch(reader))
        assert reader.pictures([digest(1)])


def _half_a_batch(reader: Store) -> None:
    assert set(reader.features("small 1", [digest(1), digest(2)])) == {digest(1)}


# A model


class StoreMachine(RuleBasedStateMachine):
    """The store against a dictionary, closed and opened now and then."""

    numbers = st.integers(0, 12)
    keys = st.sampled_from(["one", "two"])

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.store = Store(os.path.join(self.folder, "s"))
        self.files: dict[str, tuple[int, str]] = {}
        self.rows: dict[str, PictureRow] = {}
        self.features: dict[tuple[str, str], bytes] = {}
        self.decided: dict[tuple[str, str], str] = {}

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(batch=st.lists(st.tuples(numbers, keys, st.binary(max_size=30), st.integers(0, 2)), max_size=4))
    def add(self, batch: list[tuple[int, str, bytes, int]]) -> None:
        self.store.add(
            [
                Stored(Found(f"/{number}", 1, when), digest(number), PictureRow("PNG", number, when), {key: value})
                for number, key, value, when in batch
            ]
        )
        for number, key, value, when in batch:
            self.files[f"/{number}"] = (when, digest(number))
            self.rows[digest(number)] = PictureRow("PNG", number, when)
            self.features[key, digest(number)] = value

    @rule(key=keys, batch=st.lists(st.tuples(numbers, st.binary(max_size=10_000)), max_size=3))
    def add_features(self, key: str, batch: list[tuple[int, bytes]]) -> None:
        self.store.add_features(key, [(digest(number), value) for number, value in batch])
        self.features.update({(key, digest(number)): value for number, value in batch})

    @rule(a=numbers, b=numbers, verdict=st.sampled_from(["same", "different", None]))
    def decide(self, a: int, b: int, verdict: str | None) -> None:
        self.store.decide(digest(a), digest(b), verdict)  # type: ignore[arg-type]
        pair = min(digest(a), digest(b)), max(digest(a), digest(b))
        self.decided.pop(pair, None)
        if verdict:
            self.decided[pair] = verdict

    @rule(file=numbers, when=st.integers(0, 2), number=numbers)
    def remember(self, file: int, when: int, number: int) -> None:
        self.store.remember([(Found(f"/{file}", 1, when), digest(number))])
        self.files[f"/{file}"] = (when, digest(number))

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store(os.path.join(self.folder, "s"))

    @invariant()
    def equal(self) -> None:
        everything = [digest(number) for number in range(13)]
        assert self.store.pictures(everything) == self.rows
        assert self.store.decisions() == self.decided
        for key in ("one", "two"):
            mine = {each: value for (of, each), value in self.features.items() if of == key}
            assert self.store.features(key, everything) == mine
            assert self.store.lacking([key], everything) == {each for each in everything if each not in mine}
        for when in range(3):
            files = [Found(f"/{number}", 1, when) for number in range(13)]
            assert self.store.known(files) == {path: of for path, (at, of) in self.files.items() if at == when}
        assert self.store.notices == []


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=15, stateful_step_count=15, deadline=None)
