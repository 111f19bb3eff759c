"""The tables of the store, as numbered steps. Steps are only ever appended: a store of any age can be brought up."""

from __future__ import annotations

import sqlite3

APPLICATION_ID = 0x4C4F4B41
"""``LOKA``, in the file's header: this database is a store and nobody else's."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE methods(id INTEGER PRIMARY KEY, key TEXT NOT NULL, checksum INTEGER NOT NULL)",
        # Rows come in the order of their paths, and are small: one tree instead of two.
        "CREATE TABLE files(path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
        " digest BLOB NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID",
        # format NULL: only features are known of that digest.
        "CREATE TABLE pictures(id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, format BLOB, width INTEGER,"
        " height INTEGER, failure_kind BLOB, failure_reason BLOB, checksum INTEGER NOT NULL, used INTEGER NOT NULL)",
        # id = method << 40 | picture: no second index, and one method's values lie side by side.
        "CREATE TABLE features(id INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, value BLOB NOT NULL)",
        "CREATE TABLE runs(id INTEGER PRIMARY KEY, key TEXT NOT NULL, digests BLOB NOT NULL, payload BLOB NOT NULL,"
        " checksum INTEGER NOT NULL)",
        "CREATE INDEX runs_by_key ON runs(key)",
        # A forgotten decision stays as such, with a number: whoever pieces a broken file together sees what came last.
        "CREATE TABLE decisions(a BLOB NOT NULL, b BLOB NOT NULL, verdict TEXT NOT NULL, ordinal INTEGER NOT NULL,"
        " checksum INTEGER NOT NULL, PRIMARY KEY(a, b)) WITHOUT ROWID",
        "CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID",
    ),
)
"""One tuple of statements for each version, from 1 on."""

LATEST = len(MIGRATIONS)


def version(connection: sqlite3.Connection) -> int:
    """The version of an open store; 0 for a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, target: int = LATEST) -> None:
    """Bring an open store up to version ``target``; every step is one transaction, so a kill leaves a whole version."""
    while version(connection) < target:
        connection.execute("BEGIN IMMEDIATE")
        try:
            current = version(connection)  # another process may have been faster
            if current < target:
                for statement in MIGRATIONS[current]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {current + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def schema(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Every object of the database: type, name, statement that made it."""
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY name").fetchall()
    return [(str(kind), str(name), str(sql)) for kind, name, sql in rows]


def expected_schema(target: int = LATEST) -> list[tuple[str, str, str]]:
    """What :func:`schema` gives for a sound store of version ``target``."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection, target)
        return schema(connection)
    finally:
        connection.close()
