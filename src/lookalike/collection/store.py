"""What was computed of pictures, kept in one SQLite file, so that nothing is computed twice.

A feature belongs to the bytes of a picture (their sha256), never to a path: a renamed or copied file costs nothing
new, and twins both stay. Paths live in a table of their own with size and time, so that a file that did not change
need not even be read.

Every row carries a checksum. A row that fails it counts as missing, is dropped and is told in ``notices``; a file that
is broken as a whole is set aside and begun anew. What :meth:`Store.add` returned from is kept, whenever the process is
killed after that.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from lookalike.collection import findings, tables
from lookalike.collection.database import MEMORY, Database
from lookalike.collection.findings import Decision
from lookalike.collection.places import default_path, stored_paths
from lookalike.collection.pruning import DEFAULT_LIMIT, ROOM, bytes_used, shrink
from lookalike.collection.rows import PictureRow, Stored, signed64
from lookalike.errors import StoreError

if TYPE_CHECKING:
    from lookalike.images.scan import Found

T = TypeVar("T")

__all__ = ["Decision", "PictureRow", "Store", "Stored", "default_path", "opened"]

TOUCH_SECONDS = 3600
"""A picture's time of last use is only written where it moves by more than this, so that reading stays reading."""


class Store:
    """Features, pictures, files, runs and decisions; a context manager.

    Any thread may call any method. Several processes may have one store open: they read while one writes, and writers
    wait for each other. Digests are sha256 of a picture's encoded bytes in 64 hexadecimal digits; method keys are any
    text that names a method, its version and its parameters.

    Args:
        path: the SQLite file, made with its folder where there is none; None for :func:`default_path`; ``":memory:"``
            for a store that ends with the object.
        limit: bytes on disk over which the pictures used longest ago go; None for no limit.

    Attributes:
        path: absolute path of the file, or ``":memory:"``.
        hits, misses: what :meth:`count` was told since the store was opened.

    Raises:
        StoreError: no permission, a full disk, a store of a newer version, a file that is no store. Every method can
            raise it; what was kept before stays.

    >>> with Store(":memory:") as store:
    ...     store.add([Stored(None, "ab" * 32, PictureRow("JPEG", 128, 96), {"phash 1": b"12345678"})])
    ...     print(store.features("phash 1", ["ab" * 32, "cd" * 32])["ab" * 32])
    b'12345678'
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, *, limit: int | None = DEFAULT_LIMIT) -> None:
        named = default_path() if path is None else os.fspath(path)
        self.path = named if named == MEMORY else os.path.abspath(named)
        self.limit = limit
        self.hits = 0
        self.misses = 0
        self.database = Database(self.path)
        self._dropped: Counter[str] = Counter()
        self._uses: dict[int, int] = {}
        self._written = (0, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def notices(self) -> list[str]:
        """What a person should know, a line each: a damaged file set aside, damaged rows dropped."""
        lines = list(self.database.notices)
        if self._dropped:
            what = ", ".join(f"{count} of {table}" for table, count in sorted(self._dropped.items()))
            lines.append(f"damaged rows of the store were dropped and count as missing: {what}")
        return lines

    def close(self) -> None:
        """Write down what was used, and close; a second time does nothing."""
        with suppress(StoreError):  # statistics are no reason to fail
            self.flush()
        self.database.close()

    # Files

    def known(self, files: Sequence[Found]) -> dict[str, str]:
        """Path → digest of every file whose size and time are as remembered; paths as given."""
        paths = stored_paths([file.path for file in files])
        rows, damaged = self.database.read(lambda connection: tables.read_files(connection, list(dict.fromkeys(paths))))
        self._drop("files", damaged)
        known = {}
        for path, file in zip(paths, files, strict=True):
            row = rows.get(path)
            if row is not None and row[0] == file.size and row[1] == signed64(file.mtime_ns):
                known[file.path] = row[2].hex()
        return known

    def remember(self, files: Sequence[tuple[Found, str]]) -> None:
        """Keep that these files have these digests."""
        if files:
            rows = _file_rows(files)
            self.database.write(lambda connection: tables.write_files(connection, rows))

    # Pictures

    def pictures(self, digests: Sequence[str]) -> dict[str, PictureRow]:
        """Digest → what is known of that picture; unknown ones are left out."""
        known = self._view(digests, lambda connection, known: (known, []))
        return {
            digest.hex(): tables.picture_of(row.fields) for digest, row in known.items() if row.fields[0] is not None
        }

    def add(self, rows: Sequence[Stored]) -> None:
        """Keep pictures with their features and files, in one transaction; what was there of the same is replaced.

        They are kept for good when this returns.
        """
        if not rows:
            return
        pictures = {_digest(row.digest): tables.fields_of(row.picture) for row in rows}
        features: dict[str, dict[bytes, bytes]] = {}
        for row in rows:
            for key, value in row.features.items():
                features.setdefault(key, {})[_digest(row.digest)] = value
        self._add(pictures, features, _file_rows([(row.found, row.digest) for row in rows if row.found is not None]))

    # Features

    def add_features(self, key: str, rows: Sequence[tuple[str, bytes]]) -> None:
        """Keep one method's features of pictures, digest and bytes; they are kept for good when this returns."""
        if rows:
            values = {_digest(digest): value for digest, value in rows}
            self._add(dict.fromkeys(values, tables.UNKNOWN), {key: values}, [])

    def features(self, key: str, digests: Sequence[str]) -> dict[str, bytes]:
        """Digest → bytes of one method's feature; missing ones are left out."""
        found = self._view(
            digests,
            lambda connection, known: tables.read_features(
                connection, key, {row.number: digest for digest, row in known.items()}
            ),
        )
        return {digest.hex(): value for digest, value in found.items()}

    def lacking(self, keys: Iterable[str], digests: Sequence[str]) -> set[str]:
        """Those of ``digests`` that have no feature of one or more of these methods."""

        def work(
            connection: sqlite3.Connection, known: Mapping[bytes, tables.KnownPicture]
        ) -> tuple[set[bytes], list[int]]:
            numbers = [row.number for row in known.values()]
            present = set(numbers)
            for key in keys:
                present &= tables.present_features(connection, key, numbers)
            return {digest for digest, row in known.items() if row.number in present}, []

        complete = self._view(digests, work)
        return {digest for digest in digests if _digest(digest) not in complete}

    # Runs and decisions

    def save_run(self, key: str, digests: Sequence[str], payload: bytes) -> None:
        """Keep what a run over these pictures found; ``key`` stands for its settings. The newest 20 of a key stay."""
        joined = b"".join(map(_digest, digests))
        self.database.write(lambda connection: findings.write_run(connection, key, joined, payload))

    def runs(self, key: str) -> Iterator[tuple[list[str], bytes]]:
        """Digests and payload of the runs of a key, the newest first; each is read when it is asked for."""
        for number in self.database.read(lambda connection: findings.run_numbers(connection, key)):
            run, damaged = self.database.read(partial(findings.read_run, number=number, key=key))
            self._drop("runs", damaged)
            if run is not None:
                yield run

    def decide(self, a: str, b: str, verdict: Decision | None) -> None:
        """Keep what a person decided about two pictures, in whatever order they are named; None forgets it."""
        pair = sorted((_digest(a), _digest(b)))
        self.database.write(lambda connection: findings.write_decision(connection, pair[0], pair[1], verdict))

    def decisions(self) -> dict[tuple[str, str], Decision]:
        """Every decision, by the digests of its pair, the smaller first."""
        found, damaged = self.database.read(findings.read_decisions)
        self._drop("decisions", damaged)
        return {(a.hex(), b.hex()): verdict for (a, b), verdict in found.items()}

    # Statistics

    def count(self, hits: int, misses: int) -> None:
        """Add to the count of pictures that were found here, and of those that had to be computed."""
        self.hits += hits
        self.misses += misses

    def flush(self) -> None:
        """Write down when pictures were used, and the counts; happens by itself on close."""
        if (self._uses or self._written != (self.hits, self.misses)) and not self.database.read_only:
            self.database.write(self._write_statistics)

    @property
    def uncounted(self) -> tuple[int, int]:
        """Hits and misses that are not written down yet."""
        return self.hits - self._written[0], self.misses - self._written[1]

    # Inside

    def _add(
        self,
        pictures: Mapping[bytes, tables.PictureFields],
        features: Mapping[str, Mapping[bytes, bytes]],
        files: Sequence[tuple[bytes, int, int, bytes]],
    ) -> None:
        def work(connection: sqlite3.Connection) -> None:
            numbers = tables.write_pictures(connection, pictures)
            for key, values in features.items():
                rows = [(numbers[digest], digest, value) for digest, value in values.items()]
                tables.write_features(connection, key, rows)
            tables.write_files(connection, files)

        self.database.write(work)
        if self.limit is not None and self.database.read(bytes_used) > self.limit:
            self.flush()  # what was read in this run counts as used
            shrink(self.database, int(self.limit * ROOM))

    def _view(
        self,
        digests: Sequence[str],
        work: Callable[[sqlite3.Connection, dict[bytes, tables.KnownPicture]], tuple[T, list[int]]],
    ) -> T:
        """``work`` with the rows of these pictures; it gives its result and the row ids of damaged features."""
        asked = dict.fromkeys(map(_digest, digests))

        def reading(connection: sqlite3.Connection) -> tuple[T, dict[bytes, tables.KnownPicture], list[int], list[int]]:
            known, bad_pictures = tables.read_pictures(connection, asked)
            result, bad_features = work(connection, known)
            return result, known, bad_features, bad_pictures

        result, known, bad_features, bad_pictures = self.database.read(reading)
        self._drop("features", bad_features)
        self._drop("pictures", bad_pictures)
        now = int(time.time())
        for row in known.values():
            if type(row.used) is not int or abs(now - row.used) > TOUCH_SECONDS:
                self._uses[row.number] = now
        return result

    def _drop(self, table: str, damaged: Sequence[Any]) -> None:
        """Delete damaged rows, as far as the store may be written; they are told in any case."""
        if not damaged:
            return
        self._dropped[table] += len(damaged)
        with suppress(StoreError):
            self.database.write(lambda connection: tables.drop(connection, table, damaged))

    def _write_statistics(self, connection: sqlite3.Connection) -> None:
        uses, self._uses = self._uses, {}
        connection.executemany(
            "UPDATE pictures SET used = ? WHERE id = ?", [(now, number) for number, now in sorted(uses.items())]
        )
        hits, misses = self.uncounted
        tables.add_counters(connection, {"hits": hits, "misses": misses})
        self._written = (self.hits, self.misses)


def opened(named: str | os.PathLike[str] | Literal[False] | None) -> Store:
    """The store that a caller means.

    Args:
        named: its file; None for the user's own, in whose place one that ends with the run is taken where it cannot be
            used, with a notice; False for none that is kept.

    Raises:
        StoreError: the file that was named cannot be used.

    >>> opened(False).path
    ':memory:'
    """
    if named is False:
        return Store(MEMORY)
    try:
        return Store(named)
    except StoreError as error:
        if named is not None:
            raise
        store = Store(MEMORY)
        store.database.notices.append(f"nothing is kept for the next run: {error}")
        return store


def _digest(text: str) -> bytes:
    return bytes.fromhex(text)


def _file_rows(files: Sequence[tuple[Found, str]]) -> list[tuple[bytes, int, int, bytes]]:
    paths = stored_paths([file.path for file, _ in files])
    return [
        (path, file.size, signed64(file.mtime_ns), _digest(digest))
        for path, (file, digest) in zip(paths, files, strict=True)
    ]
