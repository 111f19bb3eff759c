"""What can still be read of a damaged store, row by row, each row by its checksum."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from itertools import islice
from typing import Any

from lookalike.collection.carving import carve_decisions
from lookalike.collection.findings import DECISION_COLUMNS
from lookalike.collection.rows import PICTURE_BITS, feature_checksum, fields_checksum, picture_checksum, text_of
from lookalike.collection.tables import PICTURE_MASK, read_methods, sound_file

FEATURE_BYTES = 2 * 2**30
"""Features of a file larger than this are computed again: that many are not copied while somebody waits."""

PICTURE_COLUMNS = "id, digest, format, width, height, failure_kind, failure_reason, checksum, used"


def salvage(damaged: str, into: sqlite3.Connection) -> str:
    """Copy what is sound in the file ``damaged`` into a new store; says in words what that was.

    Decisions of people come first: all else can be computed again. Runs and counters are not kept.
    """
    saved = {"decisions": 0, "pictures": 0, "features": 0}
    with suppress(sqlite3.Error, OSError):  # what was saved until then stays
        decisions = carve_decisions(damaged)
        saved["decisions"] = _keep(into, f"decisions({DECISION_COLUMNS})", 5, decisions)
        with closing(sqlite3.connect(damaged, isolation_level=None)) as source:
            source.text_factory = text_of
            _keep(into, "methods(id, key, checksum)", 3, _methods(source))
            saved["pictures"] = _keep(into, f"pictures({PICTURE_COLUMNS})", 9, _pictures(source))
            _keep(into, "files(path, size, mtime_ns, digest, checksum)", 5, _files(source))
            if os.path.getsize(damaged) <= FEATURE_BYTES:
                digests = dict(into.execute("SELECT id, digest FROM pictures"))
                features = _features(source, read_methods(into), digests)
                saved["features"] = _keep(into, "features(id, checksum, value)", 3, features)
    return ", ".join(f"{count} {what}" for what, count in saved.items() if count) or "nothing"


def _methods(source: sqlite3.Connection) -> Iterator[Any]:
    rows = _scan(source, "id, key, checksum FROM methods")
    return (row for row in rows if row[2] == fields_checksum(row[0], row[1]))


def _pictures(source: sqlite3.Connection) -> Iterator[Any]:
    for row in _scan(source, f"{PICTURE_COLUMNS} FROM pictures"):
        _, digest, *fields, checksum, used = row
        if type(digest) is bytes and type(used) is int and checksum == picture_checksum(digest, tuple(fields)):
            yield row


def _files(source: sqlite3.Connection) -> Iterator[Any]:
    return (row for row in _scan(source, "path, size, mtime_ns, digest, checksum FROM files") if sound_file(*row))


def _features(source: sqlite3.Connection, methods: dict[int, str], digests: dict[int, bytes]) -> Iterator[Any]:
    for row in _scan(source, "id, checksum, value FROM features"):
        number, checksum, value = row
        key, digest = methods.get(number >> PICTURE_BITS), digests.get(number & PICTURE_MASK)
        if key and digest and type(value) is bytes and checksum == feature_checksum(digest, key.encode(), value):
            yield row


def _scan(source: sqlite3.Connection, what: str) -> Iterator[Any]:
    """Rows from the front up to the first page that cannot be read, then from the back down to there."""
    last = None
    for direction in ("ASC", "DESC"):
        try:
            for row in source.execute(f"SELECT {what} ORDER BY 1 {direction}"):
                if direction == "ASC":
                    last = row[0]
                elif row[0] == last:
                    return
                yield row
        except sqlite3.Error:
            continue
        return


def _keep(into: sqlite3.Connection, target: str, columns: int, rows: Iterable[Any]) -> int:
    """Insert rows, some hundred to a transaction; gives how many there are now."""
    marks, pending = ",".join("?" * columns), iter(rows)
    while some := list(islice(pending, 500)):
        into.execute("BEGIN IMMEDIATE")
        try:
            into.executemany(f"INSERT OR IGNORE INTO {target} VALUES ({marks})", some)
            into.execute("COMMIT")
        except BaseException:
            if into.in_transaction:
                into.execute("ROLLBACK")
            raise
    return int(into.execute(f"SELECT count(*) FROM {target.partition('(')[0]}").fetchone()[0])
