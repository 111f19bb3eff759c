"""Looking after a store: the figures are true, limits hold, people's decisions stay, and the export can be read."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import time
from pathlib import Path

import pytest
from stores import SIZES, digest, feature, found, row, stored

from lookalike.collection.store import Store
from lookalike.collection.upkeep import Kept, export, info, prune, verify
from lookalike.errors import OutputError
from lookalike.images.scan import Found

NOW = 2_000_000_000
DAY = 86400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [float(NOW)]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def there(store: Store, count: int = 60) -> list[int]:
    """Which pictures are there, without counting as a use of them."""
    digests = {bytes.fromhex(digest(number)): number for number in range(count)}
    rows = store.database.read(lambda connection: connection.execute("SELECT digest FROM pictures").fetchall())
    return sorted(digests[each] for (each,) in rows)


def test_info_counts_what_is_there(path: Path, clock: list[float]) -> None:
    with Store(path) as store:
        assert info(store).to_dict()["hit_rate"] is None
        store.add([stored(number) for number in range(20)])
        clock[0] += DAY
        store.add([stored(30)])
        store.add_features("late 1", [(digest(0), b"12345")])
        store.decide(digest(0), digest(1), "same")
        store.decide(digest(0), digest(2), "same")
        store.decide(digest(2), digest(0), None)
        store.save_run("run", [digest(0)], b"")
        store.count(3, 1)
    with Store(path) as store:
        store.count(0, 4)
        report = info(store)
    assert report.bytes == pytest.approx(path.stat().st_size, rel=0.5)
    assert (report.path, report.version, report.pictures, report.failures, report.files) == (str(path), 1, 21, 1, 21)
    assert report.features == {"late 1": Kept(1, 5), **{key: Kept(20, 20 * size) for key, size in SIZES.items()}}
    assert (report.runs, report.decisions) == (1, 1)
    assert (report.oldest, report.newest) == (NOW, NOW + DAY)
    assert (report.hits, report.misses, report.hit_rate) == (3, 5, 3 / 8)
    json.dumps(report.to_dict())


def test_prune_by_age_and_by_entries(path: Path, clock: list[float]) -> None:
    with Store(path) as store:
        for day in range(20):
            clock[0] = NOW + day * DAY
            store.add([stored(day), stored(day + 20)])
        clock[0] += 60
        store.features("small 1", [digest(0)])  # used last
        store.decide(digest(1), digest(2), "different")
        store.save_run("kept", [digest(0), digest(19)], b"")
        store.save_run("gone", [digest(0), digest(1)], b"")
        pruned = prune(store, days=7, now=NOW + 19 * DAY)
        assert pruned.pictures == 40 - 17
        assert there(store) == [0, *range(12, 20), *range(32, 40)]
        assert store.features("large 1", [digest(1)]) == {}
        assert store.known([found(1), found(12)]) == {found(12).path: digest(12)}
        assert len(list(store.runs("kept"))) == 1
        assert list(store.runs("gone")) == []
        assert len(store.decisions()) == 1
        assert prune(store, days=7, entries=5, now=NOW + 19 * DAY).pictures_left == 5
        assert there(store) == [0, 18, 19, 38, 39]
        assert prune(store, entries=0).pictures_left == 0
        assert len(store.decisions()) == 1
        assert verify(store).sound


def test_prune_by_bytes_gives_space_back(path: Path, clock: list[float]) -> None:
    with Store(path) as store:
        for number in range(60):
            clock[0] += 10
            store.add([stored(number)])
        before = prune(store).bytes_after
        assert before > 500_000
        pruned = prune(store, bytes=300_000)
        assert pruned.bytes_before == before
        assert pruned.bytes_after == path.stat().st_size <= 300_000
        left = there(store)
        assert len(left) == pruned.pictures_left == 60 - pruned.pictures > 10
        assert left == list(range(left[0], 60))
        assert prune(store, bytes=0).pictures_left == 0


def test_prune_without_limits_takes_nothing(path: Path) -> None:
    with Store(path) as store:
        store.add([stored(1)])
        assert prune(store).pictures == 0
        assert there(store) == [1]


def test_a_picture_from_the_future_ages_from_now_on(path: Path, clock: list[float]) -> None:
    with Store(path) as store:
        clock[0] = NOW + 1000 * DAY
        store.add([stored(1)])
        clock[0] = NOW
        assert prune(store, days=7).pictures == 0
        assert info(store).newest == NOW
        assert prune(store, days=7, now=NOW + 8 * DAY).pictures == 1


def test_vanished_files_are_forgotten_and_their_pictures_stay(path: Path, tmp_path: Path) -> None:
    here = tmp_path / "here\udcff.jpg"
    here.touch()
    with Store(path) as store:
        store.add([stored(1)])
        store.remember([(Found(str(here), 1, 1), digest(1))])
        assert prune(store).files == 0
        assert prune(store, vanished=True).files == 1
        assert store.known([found(1), Found(str(here), 1, 1)]) == {str(here): digest(1)}
        assert there(store) == [1]


def test_verify_finds_each_kind_of_damage_and_repairs(path: Path) -> None:
    with Store(path) as store:
        store.add([stored(number) for number in range(30)])
        store.save_run("run", [digest(0)], b"")
        store.decide(digest(0), digest(1), "same")
        assert verify(store).checked == {"pictures": 30, "features": 84, "files": 30, "runs": 1, "decisions": 1}
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE features SET value = x'00' WHERE (id & 1023) = 1")
        connection.execute("UPDATE pictures SET height = 7 WHERE id = 5")
        connection.execute("DELETE FROM pictures WHERE id = 6")  # its features belong to nothing now
        connection.execute("UPDATE files SET size = 7 WHERE size = 1009")
        connection.execute("UPDATE runs SET digests = x'00'")
        connection.execute("UPDATE decisions SET verdict = 'different'")
    connection.close()
    with Store(path) as store:
        report = verify(store)
        assert not report.sound
        assert report.problems == ()
        expected = {"pictures": 1, "features": 3 + 3 + 3, "files": 1, "runs": 1, "decisions": 1}
        assert report.damaged == expected
        assert len(there(store)) == 29
        assert json.dumps(report.to_dict())
        assert verify(store, repair=True).repaired
        assert verify(store).sound
        store.add([stored(number) for number in range(30)])
        assert len(there(store)) == 30


def test_verify_rebuilds_a_file_whose_trees_are_broken(path: Path) -> None:
    with Store(path) as store:
        store.add([stored(number) for number in range(30)])
        store.decide(digest(0), digest(1), "same")
    with sqlite3.connect(path) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name LIKE '%autoindex_pictures%'"
        ).fetchone()
    connection.close()
    content = bytearray(path.read_bytes())
    start = (page - 1) * 8192
    content[start + 8 : start + 10], content[start + 10 : start + 12] = (
        content[start + 10 : start + 12],
        content[start + 8 : start + 10],
    )  # two entries of an index in the wrong order
    path.write_bytes(content)
    with Store(path) as store:
        assert verify(store).problems
        assert verify(store, repair=True).repaired
        assert verify(store).sound
        assert there(store, 30) == list(range(30))
        assert len(store.features("large 1", [digest(number) for number in range(30)])) == 28
        assert len(store.decisions()) == 1


def test_the_export_holds_everything(path: Path, tmp_path: Path) -> None:
    name = "/p/\udcff\n.jpg"
    target = tmp_path / "export.jsonl"
    with Store(path) as store:
        store.add([stored(number) for number in range(700)])
        store.remember([(Found(name, 1, 1), digest(5))])
        store.decide(digest(1), digest(2), "different")
        assert export(store, target) == 700
    lines = [json.loads(line) for line in target.read_text(encoding="ascii").splitlines()]
    low, high = sorted([digest(1), digest(2)])
    assert lines.pop() == {"decision": "different", "a": low, "b": high}
    by_digest = {line["digest"]: line for line in lines}
    assert list(by_digest) == sorted(digest(number) for number in range(700))
    five = by_digest[digest(5)]
    assert five["paths"] == sorted([found(5).path, name])
    assert (five["format"], five["width"], five["failure_kind"]) == ("JPEG", row(5).width, None)
    assert {key: base64.b64decode(value) for key, value in five["features"].items()} == {
        key: feature(5, key) for key in SIZES
    }
    assert by_digest[digest(3)]["failure_reason"] == row(3).failure_reason


def test_an_export_that_cannot_be_written_is_a_line(path: Path, tmp_path: Path) -> None:
    with Store(path) as store:
        store.add([stored(1)])
        with pytest.raises(OutputError, match="cannot be written"):
            export(store, tmp_path / "nowhere" / "x")
        assert there(store) == [1]
    assert set(os.listdir(tmp_path)) == {"store", "store-lock"}
