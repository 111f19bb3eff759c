"""Decisions found in the bytes of a store whose tables cannot be read any more.

Each decision is one short record in SQLite's format (https://www.sqlite.org/fileformat2.html#record_format): a header
of type numbers, then the values. Records never leave their page, so they are found by the look of their header, and
believed by their checksum.
"""

from __future__ import annotations

import mmap
import os
import re
from typing import Any

from lookalike.collection.findings import sound_decision

_INTEGER = rb"[\x01-\x06\x08\x09]"
_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Type number of an integer → its size; 8 and 9 stand for the values 0 and 1 and have none."""

_RECORD = re.compile(
    rb"\x06\x4c\x4c[\x15\x1f](" + _INTEGER + rb")(" + _INTEGER + rb")(.{32})(.{32})(same|different|forgotten)",
    re.DOTALL,
)
"""Header of six bytes: two blobs of 32 bytes, a text of four or nine, two integers."""


def carve_decisions(path: str) -> list[tuple[Any, ...]]:
    """Every sound decision in the file and its write-ahead log, the latest of each pair, as rows of the table."""
    latest: dict[tuple[bytes, bytes], tuple[Any, ...]] = {}
    for name in (path, f"{path}-wal"):
        if not os.path.exists(name) or os.path.getsize(name) == 0:
            continue
        with open(name, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            for match in _RECORD.finditer(content):
                tail = content[match.end() : match.end() + 16]
                ordinal, used = _integer(match[1][0], tail)
                checksum, _ = _integer(match[2][0], tail[used:])
                row = (match[3], match[4], match[5].decode(), ordinal, checksum)
                pair = row[:2]
                if sound_decision(*row) and (pair not in latest or latest[pair][3] < ordinal):
                    latest[pair] = row
    return list(latest.values())


def _integer(kind: int, content: bytes) -> tuple[int, int]:
    """The value at the front of ``content`` and how many bytes it takes."""
    if kind >= 8:
        return kind - 8, 0
    size = _BYTES[kind]
    return int.from_bytes(content[:size], "big", signed=True), size
