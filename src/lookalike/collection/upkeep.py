"""Looking after a store: what is in it, what may go, whether it is sound, and all of it as a file for others."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lookalike.collection import findings, tables
from lookalike.collection.checking import VerifyReport, verify
from lookalike.collection.migrations import version
from lookalike.collection.pruning import bytes_used, give_back, oldest, remove, shrink
from lookalike.collection.rows import PICTURE_BITS, text_of
from lookalike.collection.store import Store
from lookalike.files import appearing_whole, cannot_write

__all__ = ["Kept", "Pruned", "StoreInfo", "VerifyReport", "export", "info", "paths_of", "prune", "verify"]

DAY = 86400


@dataclass(frozen=True, slots=True)
class Kept:
    """The features of one method: how many, and how many bytes."""

    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class StoreInfo:
    """What is in a store.

    Attributes:
        path: the file, or ``":memory:"``.
        version: of its tables.
        bytes: on disk, the write-ahead log included.
        pictures: how many different ones; ``failures`` of them cannot be used.
        files: paths that are remembered.
        features: method key → what is kept of it.
        runs: results of earlier runs.
        decisions: what people decided about pairs.
        oldest, newest: when the picture used longest ago and the one used last were used, seconds since 1970; None
            for an empty store.
        hits, misses: pictures found here and pictures that had to be computed, since the store was begun.
    """

    path: str
    version: int
    bytes: int
    pictures: int
    failures: int
    files: int
    features: dict[str, Kept]
    runs: int
    decisions: int
    oldest: int | None
    newest: int | None
    hits: int
    misses: int

    @property
    def hit_rate(self) -> float | None:
        """Share of pictures that were found here, in [0, 1]; None where none was asked for."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for ``json.dumps``."""
        return {**asdict(self), "hit_rate": self.hit_rate}


@dataclass(frozen=True, slots=True)
class Pruned:
    """What :func:`prune` took out.

    Attributes:
        pictures: how many, each with its features and files.
        files: remembered paths that went without their picture.
        pictures_left: how many are there still.
        bytes_before, bytes_after: on disk.
    """

    pictures: int
    files: int
    pictures_left: int
    bytes_before: int
    bytes_after: int


def info(store: Store) -> StoreInfo:
    """What is in ``store``.

    Raises:
        StoreError: it cannot be read.
    """

    def one(connection: sqlite3.Connection, what: str) -> Any:
        return connection.execute(f"SELECT {what}").fetchone()[0]

    def work(connection: sqlite3.Connection) -> StoreInfo:
        features = connection.execute(
            "SELECT key, count(*), sum(length(value)) FROM features"
            f" JOIN methods ON methods.id = features.id >> {PICTURE_BITS} GROUP BY key ORDER BY key"
        )
        written = {name: tables.read_counter(connection, name) for name in ("hits", "misses")}
        hits, misses = store.uncounted
        return StoreInfo(
            path=store.path,
            version=version(connection),
            bytes=_bytes_on_disk(store, connection),
            pictures=one(connection, "count(*) FROM pictures"),
            failures=one(connection, "count(*) FROM pictures WHERE failure_kind IS NOT NULL"),
            files=one(connection, "count(*) FROM files"),
            features={key: Kept(count, size) for key, count, size in features},
            runs=one(connection, "count(*) FROM runs"),
            decisions=len(findings.read_decisions(connection)[0]),
            oldest=one(connection, "min(used) FROM pictures"),
            newest=one(connection, "max(used) FROM pictures"),
            hits=written["hits"] + hits,
            misses=written["misses"] + misses,
        )

    return store.database.read(work)


def prune(
    store: Store,
    *,
    days: float | None = None,
    entries: int | None = None,
    bytes: int | None = None,
    vanished: bool = False,
    now: float | None = None,
) -> Pruned:
    """Take pictures out, those used longest ago first, until every limit holds, and give their space back.

    A picture goes with its features, its files and the runs that tell of it. Decisions of people stay.

    Args:
        store: the store.
        days: a picture last used longer ago than this goes.
        entries: at most so many pictures stay.
        bytes: at most so many bytes stay in use.
        vanished: also forget paths where there is no file any more; their pictures stay.
        now: seconds since 1970; None for the clock's.

    Raises:
        StoreError: the store cannot be written.
    """
    store.flush()
    here = int(time.time() if now is None else now)

    def work(connection: sqlite3.Connection) -> tuple[int, int]:
        # A clock that was ahead once would make pictures young for ever.
        connection.execute("UPDATE pictures SET used = ? WHERE used > ?", (here, here))
        numbers: list[int] = []
        if days is not None:
            old = connection.execute("SELECT id FROM pictures WHERE used < ?", (here - days * DAY,))
            numbers = [number for (number,) in old]
        gone = remove(connection, numbers)
        if entries is not None:
            left = connection.execute("SELECT count(*) FROM pictures").fetchone()[0]
            gone += remove(connection, oldest(connection, max(0, left - entries)))
        return gone, _forget_vanished(connection) if vanished else 0

    before = store.database.read(lambda connection: _bytes_on_disk(store, connection))
    gone, files = store.database.write(work)
    if bytes is not None:
        gone += shrink(store.database, bytes)
    give_back(store.database)
    after, left = store.database.read(
        lambda connection: (
            _bytes_on_disk(store, connection),
            connection.execute("SELECT count(*) FROM pictures").fetchone()[0],
        )
    )
    return Pruned(gone, files, left, before, after)


def export(store: Store, path: str | os.PathLike[str]) -> int:
    """Write everything but runs to a JSON Lines file; gives the number of pictures.

    A line for every picture: ``digest``, ``format``, ``width``, ``height``, ``failure_kind``, ``failure_reason``,
    ``used`` (seconds since 1970), ``paths`` and ``features``, an object of method key → base64. Then a line for every
    decision: ``{"decision": "different", "a": digest, "b": digest}``. Damaged rows are left out.

    Raises:
        StoreError: the store cannot be read.
        OutputError: the file cannot be written.
    """
    target = Path(path)

    def work(connection: sqlite3.Connection) -> int:
        count = 0
        with appearing_whole(target) as file, cannot_write(target):
            for line in _lines(connection):
                file.write(json.dumps(line).encode() + b"\n")
                count += "digest" in line
        return count

    return store.database.read(work)


def paths_of(store: Store) -> dict[str, list[str]]:
    """Where every picture lay when it was read last: digest → absolute paths, in order.

    Raises:
        StoreError: the store cannot be read.
    """
    return {digest.hex(): paths for digest, paths in store.database.read(_paths).items()}


def _paths(connection: sqlite3.Connection) -> dict[bytes, list[str]]:
    paths: dict[bytes, list[str]] = {}
    for row in connection.execute("SELECT path, size, mtime_ns, digest, checksum FROM files ORDER BY path"):
        if tables.sound_file(*row):
            paths.setdefault(row[3], []).append(text_of(row[0]))
    return paths


def _lines(connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
    methods = sorted(tables.read_methods(connection).values())
    digests = [digest for (digest,) in connection.execute("SELECT digest FROM pictures ORDER BY digest")]
    paths = _paths(connection)
    for start in range(0, len(digests), 500):
        known, _ = tables.read_pictures(connection, digests[start : start + 500])
        numbers = {row.number: digest for digest, row in known.items()}
        features = {key: tables.read_features(connection, key, numbers)[0] for key in methods}
        for digest, row in sorted(known.items()):
            yield {
                "digest": digest.hex(),
                **asdict(tables.picture_of(row.fields)),
                "used": row.used,
                "paths": paths.get(digest, []),
                "features": {
                    key: base64.b64encode(values[digest]).decode()
                    for key, values in features.items()
                    if digest in values
                },
            }
    for (a, b), verdict in sorted(findings.read_decisions(connection)[0].items()):
        yield {"decision": verdict, "a": a.hex(), "b": b.hex()}


def _forget_vanished(connection: sqlite3.Connection) -> int:
    gone = [(path,) for (path,) in connection.execute("SELECT path FROM files") if not os.path.lexists(text_of(path))]
    connection.executemany("DELETE FROM files WHERE path = ?", gone)
    return len(gone)


def _bytes_on_disk(store: Store, connection: sqlite3.Connection) -> int:
    names = [store.path + suffix for suffix in ("", "-wal")]
    return sum(os.path.getsize(name) for name in names if os.path.exists(name)) or bytes_used(connection)
