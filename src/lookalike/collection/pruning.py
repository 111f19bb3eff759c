"""Pictures out of the store, those used longest ago first, and their space given back."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence

from lookalike.collection.database import Database
from lookalike.collection.findings import DIGEST_BYTES
from lookalike.collection.rows import chunks
from lookalike.collection.tables import delete_pictures

DEFAULT_LIMIT = 10 * 2**30
"""Bytes on disk over which pictures go by themselves."""

ROOM = 0.9
"""A store at its limit is brought to this share of it, so that not every write has to make room."""


def bytes_used(connection: sqlite3.Connection) -> int:
    """Bytes of the pages in use, those that wait in the write-ahead log included."""
    pages = (
        connection.execute("PRAGMA page_count").fetchone()[0]
        - connection.execute("PRAGMA freelist_count").fetchone()[0]
    )
    return int(pages * connection.execute("PRAGMA page_size").fetchone()[0])


def shrink(database: Database, target: int) -> int:
    """Take out pictures until ``target`` bytes are enough, and give the space back; gives how many went."""
    gone = 0

    def work(connection: sqlite3.Connection) -> int:
        used = bytes_used(connection)
        total = connection.execute("SELECT count(*) FROM pictures").fetchone()[0]
        if used <= target or total == 0:
            return 0
        # As many as would do if all were of one size; where that is too few, another round follows.
        return remove(connection, oldest(connection, max(1, math.ceil(total * (used - target) / used))))

    while some := database.write(work):
        gone += some
    give_back(database)
    return gone


def oldest(connection: sqlite3.Connection, count: int) -> list[int]:
    """Numbers of the ``count`` pictures used longest ago."""
    return [row[0] for row in connection.execute("SELECT id FROM pictures ORDER BY used, id LIMIT ?", (count,))]


def remove(connection: sqlite3.Connection, numbers: Sequence[int]) -> int:
    """Delete pictures with their features, files and the runs that tell of them; gives how many there were."""
    gone: set[bytes] = set()
    for marks, some in chunks(numbers):
        rows = connection.execute(f"SELECT digest FROM pictures WHERE id IN ({marks})", some)
        gone.update(digest for (digest,) in rows)
    delete_pictures(connection, numbers)
    if gone:
        connection.execute("DELETE FROM files WHERE digest NOT IN (SELECT digest FROM pictures)")
        told = [
            number
            for number, digests in connection.execute("SELECT id, digests FROM runs")
            if any(digests[start : start + DIGEST_BYTES] in gone for start in range(0, len(digests), DIGEST_BYTES))
        ]
        connection.executemany("DELETE FROM runs WHERE id = ?", [(number,) for number in told])
    return len(gone)


def give_back(database: Database) -> None:
    """Return free pages to the file system."""
    # A page for every step, and rows without columns: execute would stop after the first.
    database.plain(lambda connection: connection.executescript("PRAGMA incremental_vacuum").close())
    database.plain(lambda connection: connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
