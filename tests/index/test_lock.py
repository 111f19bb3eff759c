"""One writer at a time, whatever has become of the file that says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lookalike.errors import IndexLocked, OutputError
from lookalike.index import lock
from lookalike.index.lock import WriterLock


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.1)


@pytest.mark.parametrize("content", [b"", b"x", os.urandom(100), os.urandom(20_000), b"SQLite format 3\0" + b"\0" * 84])
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
