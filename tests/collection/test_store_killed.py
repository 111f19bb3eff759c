"""Killed at any moment, the store keeps what it acknowledged, has nothing twice and goes on.

A few kills here; ``LOOKALIKE_KILLS=100`` makes it a hundred.
"""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from stores import SIZES, digest, feature, found, row, stored

from lookalike.collection.store import Store
from lookalike.collection.upkeep import verify

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("LOOKALIKE_KILLS", "6"))
BATCH = 8

WRITER = """
import os, sys
sys.path.insert(0, sys.argv[2])
from stores import *
from lookalike.collection.store import Store
from lookalike.collection.upkeep import prune
os.write(1, b"ready\\n")
with Store(sys.argv[1]) as store:
    start = int(sys.argv[3])
    while True:
        store.add([stored(number) for number in range(start, start + 8)])
        os.write(1, b"added %d\\n" % start)
        store.decide(digest(start), digest(start + 1), "different")
        os.write(1, b"decided %d\\n" % start)
        if start % 5 == 0:
            store.add_features("late 1", [(digest(number), b"late %d" % number) for number in range(start, start + 8)])
            os.write(1, b"late %d\\n" % start)
        if start % 7 == 0:
            prune(store, days=1)  # nothing is that old, but the file is vacuumed and the log written back
        start += 8
"""


def killed_while_writing(path: Path, start: int, seconds: float) -> list[tuple[str, int]]:
    """What a writer acknowledged, from number ``start`` on, until it was killed after that many seconds."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", WRITER, str(path), str(ROOT / "tests" / "collection"), str(start)]
    # without a buffer, in which lines after the first would be lost to communicate()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "bufsize": 0}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        time.sleep(seconds)
        process.kill()
        output, errors = process.communicate()
    assert errors == b""
    lines = [line.split() for line in output.splitlines(keepends=True) if line.endswith(b"\n")]
    return [(what.decode(), int(number)) for what, number in lines]


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    path, dice = tmp_path / "store.sqlite3", random.Random(5)
    start, added, decided, late = 0, 0, set(), {}
    for _ in range(KILLS):
        for what, number in killed_while_writing(path, start, dice.uniform(0, 0.12)):
            numbers = range(number, number + BATCH)
            if what == "added":
                added = max(added, number + BATCH)
            elif what == "decided":
                decided.add(tuple(sorted((digest(number), digest(number + 1)))))
            else:
                late.update({digest(each): b"late %d" % each for each in numbers})
        with Store(path) as store:
            numbers = range(added)
            assert store.notices == []
            assert store.known([found(each) for each in numbers]) == {
                found(each).path: digest(each) for each in numbers
            }
            assert store.pictures([digest(each) for each in numbers]) == {digest(each): row(each) for each in numbers}
            for key in SIZES:
                expected = {digest(each): feature(each, key) for each in numbers if key in stored(each).features}
                assert store.features(key, [digest(each) for each in numbers]) == expected
            assert late.items() <= store.features("late 1", list(late)).items()
            assert decided <= set(store.decisions())
            assert verify(store).sound
        with sqlite3.connect(path) as connection:
            count, different = connection.execute(
                "SELECT count(digest), count(DISTINCT digest) FROM pictures"
            ).fetchone()
        connection.close()
        assert count == different
        assert added <= count <= added + BATCH  # the batch that was being acknowledged may be there
        start = added
    assert added > 0
