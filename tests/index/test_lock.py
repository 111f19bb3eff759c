"""One writer at a time, whatever has become of the file that says so."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from lookalike.errors import IndexLocked, OutputError
from lookalike.index import lock
from lookalike.index.lock import WriterLock


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.1)


def database(**changed: int) -> bytes:
    """A small file of SQLite, some bytes of its head changed."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE a (b)")
    made = bytearray(connection.serialize())
    for place, value in changed.items():
        made[int(place[1:])] = value
    return bytes(made)


RUBBISH = {
    "nothing": b"",
    "a letter": b"x",
    "noise": random.Random(1).randbytes(100),
    "much noise": random.Random(2).randbytes(20_000),
    "a head and nothing": b"SQLite format 3\0" + b"\0" * 84,
    "a table": database(),
    "a format to come": database(_18=3),
    "one that cannot be read": database(_19=3),
    "no page size": database(_16=7),
    "cut off": database(_18=2, _19=2)[:600],
}


@pytest.mark.parametrize("content", RUBBISH.values(), ids=RUBBISH)
def test_whatever_the_file_holds_there_is_one_writer(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "writer.lock").write_bytes(content)
    first = WriterLock(tmp_path)
    for _ in range(2):
        with pytest.raises(IndexLocked, match="another process"):
            WriterLock(tmp_path)
    first.close()
    WriterLock(tmp_path).close()


def test_where_there_can_be_no_file_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "writer.lock").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        WriterLock(tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        WriterLock(tmp_path / "nowhere")
