"""One process writes and others read: they see what was acknowledged, and never fail for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from lookalike.errors import IndexLocked, OutputError
from lookalike.index import local
from lookalike.index.base import Space
from lookalike.index.items import Filter, Item
from lookalike.index.local import LocalIndex

SPACE = Space(16)
EVEN = Filter(every=("even",))

WRITERS_HASTE = {"WORTH": 50, "LOOSE": 0.05, "EMPTY_SHARE": 0.1, "BATCH": 16}
"""A structure and a moving together every few steps."""


def item(number: int) -> Item:
    vector = np.random.default_rng(number).standard_normal(SPACE.dimension)
    return Item(f"{number}", vector, tags=("even",) if number % 2 == 0 else (), data={"number": number})


def write(folder: Path, rounds: int) -> None:
    """Every round adds ten items and removes three of them, and says so; saves now and then."""
    for name, value in WRITERS_HASTE.items():
        setattr(local, name, value)
    with LocalIndex(folder, writing=True) as index:
        for start in range(0, 10 * rounds, 10):
            index.add([item(number) for number in range(start, start + 10)])
            index.remove([f"{start}", f"{start + 3}", f"{start + 7}"])
            if start % 70 == 0:
                index.save()
            os.write(1, b"%d\n" % (start + 10))


def read(folder: Path) -> None:
    """Look at every number that comes in whether all up to it is seen, and beyond that at whatever is there."""
    with LocalIndex(folder) as index:
        for line in sys.stdin:
            fault = _fault(index, int(line))
            print(json.dumps([fault, index.notices, index._ledger.head["epoch"]]), flush=True)


def _fault(index: LocalIndex, end: int) -> str:
    live = [number for number in range(end) if number % 10 not in (0, 3, 7)]
    if len(index) < len(live) or index.count(EVEN) < sum(number % 2 == 0 for number in live):
        return f"{len(index)} items of {len(live)}"
    sample = live[:: max(1, len(live) // 7)] + live[-3:]
    for number, there in zip(sample, index.get([f"{number}" for number in sample]), strict=True):
        if there is None or there.data["number"] != number:
            return f"{number} is not there"
        if not np.array_equal(there.vector, SPACE.row(item(number).vector)[0]):
            return f"{number} has another's vector"
    queries = np.stack([item(number).vector for number in sample or [0]])
    for only in ({}, {"only": EVEN}):
        for number, hits in zip(sample or [0], index.search(queries, 3, **only), strict=True):
            if (
                sample
                and (not only or number % 2 == 0)
                and (not hits or hits[0].id != f"{number}" or hits[0].similarity < 0.99)
            ):
                return f"{number} does not find itself: {hits[:1]}"
            if any(hit.id != f"{hit.data['number']}" or int(hit.id) % 2 > (not only) for hit in hits):
                return f"{number} finds what it should not"
    seen = [each.data["number"] for each in index.items()]
    if not set(live) <= set(seen) or len(set(seen)) != len(seen):
        return "items are missing, or there twice"
    return "" if set(index.tags()) <= {"even"} else "strange tags"


def command(what: str, *arguments: object) -> list[str]:
    return [sys.executable, str(Path(__file__).resolve()), what, *map(str, arguments)]


def test_readers_see_what_was_acknowledged_and_never_fail(tmp_path: Path) -> None:
    folder, rounds = tmp_path / "index", 200
    LocalIndex.create(folder, SPACE).close()
    latest, results = [0], [[], []]
    readers = [
        subprocess.Popen(command("read", folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in results
    ]
    writer = subprocess.Popen(command("write", folder, rounds), stdout=subprocess.PIPE, text=True)

    def ask(reader: subprocess.Popen, answers: list) -> None:
        last = False
        while not last:
            last = latest[0] == 10 * rounds or writer.poll() is not None
            reader.stdin.write(f"{latest[0]}\n")
            reader.stdin.flush()
            answers.append(json.loads(reader.stdout.readline() or '["it ended", [], 0]'))

    asking = [threading.Thread(target=ask, args=pair) for pair in zip(readers, results, strict=True)]
    for thread in asking:
        thread.start()
    for line in writer.stdout:
        latest[0] = int(line)
    assert writer.wait() == 0
    for thread, reader in zip(asking, readers, strict=True):
        thread.join()
        reader.stdin.close()
        assert reader.wait() == 0
        reader.stdout.close()
    writer.stdout.close()
    for answers in results:
        assert [answer for answer in answers if answer[:2] != ["", []]] == []
        assert len({epoch for _, _, epoch in answers}) >= 3  # it was moved together while they read
        assert len(answers) >= 5
    with LocalIndex(folder) as index:
        assert _fault(index, 10 * rounds) == ""
        assert len(index) == 7 * rounds
        assert index.info().details["in_structure"] > 0


def test_a_second_writer_is_told_soon(tmp_path: Path) -> None:
    with LocalIndex.create(tmp_path / "index", SPACE) as index:
        began = time.monotonic()
        second = subprocess.run(command("write", tmp_path / "index", 1), capture_output=True, text=True)
        with pytest.raises(IndexLocked, match="another process is writing to this index"):
            LocalIndex(tmp_path / "index", writing=True)
        assert 2 <= time.monotonic() - began < 8  # both waited for a while, and one had to start
        assert second.returncode != 0
        assert "IndexLocked" in second.stderr.splitlines()[-1]
        index.add([item(1)])
    with LocalIndex(tmp_path / "index", writing=True) as index:
        assert len(index) == 1


def test_a_reader_may_not_write(tmp_path: Path) -> None:
    LocalIndex.create(tmp_path / "index", SPACE).close()
    with LocalIndex(tmp_path / "index") as index:
        for change in (
            lambda: index.add([item(1)]),
            lambda: index.remove(["1"]),
            index.rebuild,
            lambda: index.note(a=1),
        ):
            with pytest.raises(IndexLocked, match="for reading only"):
                change()
        index.save()


def test_threads_share_one_reader(tmp_path: Path) -> None:
    faults: list[str] = []
    with LocalIndex.create(tmp_path / "index", SPACE) as writer, LocalIndex(tmp_path / "index") as reader:

        def look() -> None:
            while not done.is_set():
                faults.extend(filter(None, [_fault(reader, shown[0])]))

        shown, done = [0], threading.Event()
        threads = [threading.Thread(target=look) for _ in range(3)]
        for thread in threads:
            thread.start()
        for start in range(0, 300, 10):
            writer.add([item(number) for number in range(start, start + 10)])
            shown[0] = start + 10
        done.set()
        for thread in threads:
            thread.join()
    assert faults == []


def test_what_is_read_to_the_end_outlives_a_moving_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in WRITERS_HASTE.items():
        monkeypatch.setattr(local, name, value)
    with LocalIndex.create(tmp_path / "index", SPACE) as writer, LocalIndex(tmp_path / "index") as reader:
        writer.add([item(number) for number in range(100)])
        stream = reader.items()
        seen = [next(stream).id for _ in range(16)]
        writer.remove([f"{number}" for number in (*range(12), *range(60, 80))])
        writer.save()
        assert writer._ledger.head["epoch"] == 1
        seen += [each.id for each in stream]
        assert seen == [f"{number}" for number in (*range(60), *range(80, 100))]
        assert reader.notices == writer.notices == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_only_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with LocalIndex.create(folder, SPACE) as index:
        index.add([item(number) for number in range(30)])
    shutil.copytree(folder, tmp_path / "torn")
    with LocalIndex(tmp_path / "torn", writing=True) as index:
        index.add([item(40)])
        shutil.copy(tmp_path / "torn" / "items.sqlite3-wal", folder / "log")
    try:
        folder.chmod(0o555)
        with LocalIndex(folder) as index:
            assert [hit.id for hit in index.search(item(7).vector, 1)[0]] == ["7"]
        with pytest.raises(OutputError):
            LocalIndex(folder, writing=True)
        folder.chmod(0o755)
        (folder / "log").rename(folder / "items.sqlite3-wal")  # a writer was cut off
        (folder / "items.sqlite3-shm").unlink(missing_ok=True)
        folder.chmod(0o555)
        with pytest.raises(OutputError, match="cut off"):
            LocalIndex(folder)
    finally:
        folder.chmod(0o755)


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        read(Path(sys.argv[2]))
