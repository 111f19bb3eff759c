"""The store as a file among others: is it ours, is it still the one that was opened, and out of the way with it."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from lookalike.collection.migrations import APPLICATION_ID

KEPT_ASIDE = 2
"""Damaged files that stay; older ones are removed, or a bad disk would fill up with them."""


def identity(path: str) -> tuple[int, int] | None:
    """What tells a file from another of its name; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def is_foreign(path: str) -> bool:
    """Whether the file holds something, and no store: a picture named by mistake, another program's database."""
    head = _head(path)
    return bool(head) and head[68:72] != APPLICATION_ID.to_bytes(4, "big")


def head_is_broken(path: str) -> bool:
    """Whether the first bytes (https://www.sqlite.org/fileformat2.html#the_database_header) show a broken file.

    SQLite would take a stump for a new file, other versions of the format for one that may only be read, a file that
    lost its end for a full disk.
    """
    head = _head(path)
    if not head:
        return False
    if len(head) < 100 or head[:16] != b"SQLite format 3\0" or not {*head[18:20]} <= {1, 2}:
        return True
    counted = int.from_bytes(head[28:32], "big") * (int.from_bytes(head[16:18], "big") or 2**16)
    valid = head[24:28] == head[92:96]
    # While there is a log, the count in the file may be ahead of it.
    return valid and _size(path) < counted and _size(f"{path}-wal") == 0


def _head(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(100)
    except OSError:
        return b""  # SQLite finds the words for it


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def move_aside(path: str) -> str:
    """Rename the file and what SQLite keeps beside it."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = next(
        name
        for number in range(10**6)
        if not os.path.lexists(name := f"{path}.damaged-{stamp}{f'-{number}' * bool(number)}")
    )
    for suffix in ("-wal", "-journal", ""):  # the file last: without it, what is beside it means nothing
        with suppress(FileNotFoundError):
            os.replace(path + suffix, aside + suffix)
    with suppress(OSError):
        os.unlink(f"{path}-shm")
    _keep_few_aside(path)
    return aside


def _keep_few_aside(path: str) -> None:
    folder, name = os.path.split(path)
    with suppress(OSError):
        aside = [each for each in os.scandir(folder) if each.name.startswith(f"{name}.damaged-")]
        for each in sorted(aside, key=lambda each: each.stat().st_mtime_ns)[:-KEPT_ASIDE]:
            os.unlink(each)
