"""SQLite's errors: which of them mean a damaged file, and the others in one line that says what to do."""

from __future__ import annotations

import os
import shutil
import sqlite3

from lookalike.collection.migrations import expected_schema, schema
from lookalike.errors import StoreError, printable

ELSEWHERE = "name another place with --store or in LOOKALIKE_STORE"

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_TOOBIG}
_PERMISSION = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SUSPICIOUS = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_SCHEMA}


class Damaged(sqlite3.DatabaseError):
    """The file can be read by SQLite and is no sound store all the same."""


def code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 where there is none."""
    return int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process was in the way."""
    return code(error) in _BUSY


def forbids_writing(error: sqlite3.Error) -> bool:
    """Whether the file might still be read: what lies beside it cannot be made."""
    return code(error) in _PERMISSION | {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def is_damage(error: sqlite3.Error, connection: sqlite3.Connection | None, path: str) -> bool:
    """Whether the file is broken, rather than the disk full or the statement wrong."""
    if isinstance(error, Damaged) or code(error) in _DAMAGE:
        return True
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHORT_READ:
        return True
    if code(error) == sqlite3.SQLITE_FULL:
        # Also said when numbers of rows or pages run out, as they do once one of them is garbled.
        if connection is None or _is_full(path):
            return False
    elif code(error) not in _SUSPICIOUS:
        return False
    if connection is None:  # while opening: the statements are fixed, so the tables are not what they should be
        return True
    try:
        if schema(connection) != expected_schema():
            return True
        return bool(connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",))
    except sqlite3.Error as second:
        return code(second) in _DAMAGE | _SUSPICIOUS


def as_store_error(error: sqlite3.Error, path: str) -> StoreError:
    """``error`` in our words."""
    name, primary = printable(path), code(error)
    if isinstance(error, Damaged) or primary in _DAMAGE:
        return StoreError(f"{name}: the store is damaged ({error})", remedy=f"delete it, or {ELSEWHERE}")
    if primary in _BUSY:
        return StoreError(f"{name}: another process is writing and does not finish", remedy="try again when it has")
    if primary == sqlite3.SQLITE_FULL or (primary == sqlite3.SQLITE_IOERR and _is_full(path)):
        return StoreError(f"{name}: the disk is full", remedy=f"free some space, or {ELSEWHERE}")
    if primary in _PERMISSION:
        why = "is a directory" if os.path.isdir(path) else f"cannot be opened for writing ({error})"
        return StoreError(f"{name}: {why}", remedy=ELSEWHERE)
    if primary == sqlite3.SQLITE_IOERR:
        return StoreError(f"{name}: the disk fails to read or write ({error})", remedy=ELSEWHERE)
    return StoreError(f"{name}: the store cannot be used ({error})", remedy=ELSEWHERE)


def _is_full(path: str) -> bool:
    try:
        return shutil.disk_usage(os.path.dirname(path) or ".").free < 2**20
    except OSError:
        return False
