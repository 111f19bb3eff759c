"""The items of an index in SQLite: id, source, tags and data by slot; what it says is what the index holds.

Every row carries a checksum, and the head knows how many rows and tags there are and what their checksums add up to,
so that a damaged file is noticed on opening rather than in a wrong answer.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from lookalike.errors import DuplicateId, IndexDamaged, IndexNotFound, OutputError, printable
from lookalike.index.conditions import as_json
from lookalike.index.rows import Slots

FORMAT = 1
"""Version of the tables."""

APPLICATION_ID = 0x4C4B4958
"""What SQLite's head says of an index of ours: LKIX."""

_ASKED = 500
"""Values in one question; SQLite takes some thousands."""

_WRAP = 2**62

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

T = TypeVar("T")

_TABLES = """
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), body TEXT NOT NULL, mark INTEGER NOT NULL);
CREATE TABLE items (slot INTEGER PRIMARY KEY, id TEXT NOT NULL, source TEXT NOT NULL, tags TEXT NOT NULL,
                    data TEXT NOT NULL, mark INTEGER NOT NULL);
CREATE UNIQUE INDEX by_id ON items (id);
CREATE TABLE gone (slot INTEGER PRIMARY KEY);
CREATE TABLE tags (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, count INTEGER NOT NULL,
                   slots INTEGER NOT NULL);
CREATE TABLE tagged (tag INTEGER NOT NULL, slot INTEGER NOT NULL, PRIMARY KEY (tag, slot)) WITHOUT ROWID;
"""


class Entry(NamedTuple):
    """One row: what an item is beside its vector."""

    slot: int
    id: str
    source: str
    tags: tuple[str, ...]
    data: Mapping[str, Any]


class Ledger:
    """The table of items of the index in one folder.

    Args:
        path: the SQLite file.
        writing: whether it may be changed; one process at a time does, which is for the caller to see to.

    Attributes:
        head: ``next`` (the slot of the next item), ``count``, ``epoch``, ``space`` …: plain values.

    Raises:
        IndexNotFound: no such file.
        IndexDamaged: it is no index of ours, no longer sound, or of a later version.
    """

    def __init__(self, path: Path, *, writing: bool) -> None:
        self.path, self.writing = path, writing
        if not path.is_file():
            raise IndexNotFound(f"{printable(str(path.parent))}: there is no index", remedy="check the name or path")
        self._connection = self._connect()
        self._version: int | None = None
        self._ids_checked = False
        self.head: dict[str, Any] = {}
        self._names: dict[str, tuple[int, int, int]] = {}
        try:
            with self.snapshot():
                self.refresh()
                self._check()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(cls, path: Path, head: Mapping[str, Any]) -> None:
        """Begin a new file."""
        with _Translated(path):
            connection = sqlite3.connect(path, isolation_level=None)
            try:
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute("PRAGMA journal_mode = WAL").fetchall()
                connection.execute("BEGIN IMMEDIATE")
                for statement in _TABLES.split(";\n"):
                    connection.execute(statement)
                body = {**head, "format": FORMAT, "next": 0, "count": 0, "marks": 0, "ids": 0, "names": 0}
                _write_head(connection, body)
                connection.execute("COMMIT")
            finally:
                connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read inside is of one moment, however much another process writes meanwhile."""
        if self.writing or self._connection.in_transaction:
            yield
            return
        with _Translated(self.path):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):
                self._connection.execute("COMMIT")

    def refresh(self) -> bool:
        """Look whether somebody else wrote since the last time; True where so."""
        with _Translated(self.path):
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return False
            self._read_head()
            self._version = version
        return True

    # Reading

    def gone(self) -> Slots:
        """Slots of items that were removed, in order."""
        with _Translated(self.path):
            found = self._connection.execute("SELECT slot FROM gone ORDER BY slot").fetchall()
        return np.array([slot for (slot,) in found], np.int64)

    def entries(self, slots: Sequence[int]) -> dict[int, Entry]:
        """Slot → entry; those that are not there are left out.

        Raises:
            IndexDamaged: a row is not what was written.
        """
        made: dict[int, Entry] = {}
        with _Translated(self.path):
            for start in range(0, len(slots), _ASKED):
                part = slots[start : start + _ASKED]
                query = f"SELECT * FROM items WHERE slot IN ({','.join('?' * len(part))})"
                rows = self._connection.execute(query, list(map(int, part))).fetchall()
                made |= {entry.slot: entry for entry in self._entries(rows)}
        return made

    def by_id(self, ids: Sequence[str]) -> dict[str, Entry]:
        """Id → entry; those that are not there are left out."""
        made: dict[str, Entry] = {}
        with _Translated(self.path):
            for start in range(0, len(ids), _ASKED):
                part = ids[start : start + _ASKED]
                query = f"SELECT * FROM items WHERE id IN ({','.join('?' * len(part))})"
                rows = self._connection.execute(query, list(part)).fetchall()
                made |= {entry.id: entry for entry in self._entries(rows)}
        if not self._ids_checked and made.keys() != set(ids):
            self._check_ids()
        return made

    def everything(self) -> Iterator[Entry]:
        """Every entry, in the order of slots, a few at a time."""
        last = -1
        while found := self.following(last, 4096):
            yield from found
            last = found[-1].slot

    def following(self, slot: int, most: int) -> list[Entry]:
        """The entries after a slot, in the order of slots."""
        with _Translated(self.path):
            query = "SELECT * FROM items WHERE slot > ? ORDER BY slot LIMIT ?"
            return self._entries(self._connection.execute(query, (slot, most)).fetchall())

    def ends(self) -> Slots:
        """The first slot that is taken, and the last."""
        with _Translated(self.path):
            first, last = (
                self._connection.execute(f"SELECT slot FROM items NOT INDEXED ORDER BY slot {way} LIMIT 1").fetchall()
                for way in ("ASC", "DESC")
            )
        return np.array([slot for (slot,) in first + last], np.int64)

    def tagged(self, tag: str) -> Slots:
        """Slots of the items that have a tag, in order."""
        if tag not in self._names:
            return np.empty(0, np.int64)
        number, count, total = self._names[tag]
        with _Translated(self.path):
            found = self._connection.execute(
                "SELECT slot FROM tagged WHERE tag = ? ORDER BY slot", (number,)
            ).fetchall()
        slots = np.array([slot for (slot,) in found], np.int64)
        if len(slots) != count or int(slots.sum()) % _WRAP != total:
            raise self._damage(f"the table of the tag {printable(tag, 60)!r} is not what was written")
        return slots

    def tags(self) -> dict[str, int]:
        """Tag → how many items have it, the commonest first."""
        counted = sorted(((-count, name) for name, (_, count, _) in self._names.items() if count))
        return {name: -count for count, name in counted}

    # Writing

    def add(self, entries: Sequence[Entry], replaced: Sequence[Entry]) -> None:
        """Keep new entries in the slots that follow, in one transaction; ``replaced`` ones go."""

        def work(connection: sqlite3.Connection, head: dict[str, Any]) -> None:
            self._drop(connection, head, replaced)
            rows = [_row(entry) for entry in entries]
            connection.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)", rows)
            head["next"] += len(entries)
            head["count"] += len(entries)
            head["marks"] = (head["marks"] + sum(row[-1] for row in rows)) % _WRAP
            head["ids"] = (head["ids"] + _ids(entries)) % _WRAP
            self._tag(connection, head, entries, 1)

        self._write(work)

    def remove(self, entries: Sequence[Entry]) -> None:
        """Let entries go, in one transaction; their slots stay empty."""
        self._write(lambda connection, head: self._drop(connection, head, entries))

    def renumber(self, epoch: int, changes: Mapping[str, Any]) -> None:
        """Give every item the next free slot from 0 on, in their order: the rows lie so in a new file of vectors."""

        def work(connection: sqlite3.Connection, head: dict[str, Any]) -> None:
            old = [slot for (slot,) in connection.execute("SELECT slot FROM items ORDER BY slot")]
            new = {slot: number for number, slot in enumerate(old)}
            entries = list(self.everything())
            for table in ("items", "gone", "tagged", "tags"):
                connection.execute(f"DELETE FROM {table}")
            head.update(names=0, epoch=epoch, **changes)
            moved = [entry._replace(slot=new[entry.slot]) for entry in entries]
            rows = [_row(entry) for entry in moved]
            connection.executemany("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)", rows)
            head.update(next=len(rows), count=len(rows), marks=sum(row[-1] for row in rows) % _WRAP)
            head["ids"] = _ids(moved) % _WRAP
            self._names = {}
            self._tag(connection, head, moved, 1)

        self._write(work)

    def change(self, **values: Any) -> None:
        """Change what the head says."""
        self._write(lambda _, head: head.update(values))

    def settle(self) -> None:
        """Move what SQLite's log holds into the file, as far as no reader is in the way."""
        with _Translated(self.path):
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Close the file."""
        with suppress(sqlite3.Error):
            self._connection.close()

    # Inside

    def _connect(self) -> sqlite3.Connection:
        with _Translated(self.path):
            if self.writing:
                connection = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
                connection.execute("PRAGMA synchronous = FULL")  # what was acknowledged outlives a power cut
                connection.execute("PRAGMA cache_size = -64000")
            else:
                connection = self._connect_for_reading()
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            return connection

    def _connect_for_reading(self) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(address, uri=True, timeout=10, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:  # a medium that may only be read: no room for SQLite's own files
            connection.close()
            log = self.path.with_name(f"{self.path.name}-wal")
            if log.exists() and log.stat().st_size:  # which would be passed over, and the latest items with it
                raise OutputError(
                    f"{printable(str(self.path.parent))}: the last writer was cut off, and nothing may be written here"
                    f" ({error})",
                    remedy="open the index once where it may be written",
                ) from error
            connection = sqlite3.connect(f"{address}&immutable=1", uri=True, check_same_thread=False)
        return connection

    def _read_head(self) -> None:
        row = self._connection.execute("SELECT body, mark FROM head").fetchone()
        if row is None or zlib.crc32(str(row[0]).encode()) != row[1]:
            raise self._damage("its head is not what was written")
        head = json.loads(row[0])
        if head["format"] > FORMAT:
            raise IndexDamaged(
                f"{printable(str(self.path.parent))}: the index is of version {head['format']}, and this lookalike"
                f" knows {FORMAT}",
                remedy="update lookalike",
            )
        self.head = head
        names = self._connection.execute("SELECT name, number, count, slots FROM tags").fetchall()
        self._names = {name: (number, count, slots) for name, number, count, slots in names}
        if sum(_mark(*row) for row in names) % _WRAP != head["names"]:
            raise self._damage("its tags are not what was written")

    def _check(self) -> None:
        """Whether all is there that the head knows of."""
        with _Translated(self.path):
            (application,) = self._connection.execute("PRAGMA application_id").fetchone()
            count, marks, here = self._connection.execute(
                "SELECT count(*), coalesce(sum(mark), 0), coalesce(sum(slot), 0) FROM items"
            ).fetchone()
            gone, away = self._connection.execute("SELECT count(*), coalesce(sum(slot), 0) FROM gone").fetchone()
        head = self.head
        if application != APPLICATION_ID or (count, marks % _WRAP) != (head["count"], head["marks"]):
            raise self._damage(f"its table of {head['count']} items is not what was written")
        if gone + count != head["next"] or here + away != head["next"] * (head["next"] - 1) // 2:
            raise self._damage("items are missing")

    def _check_ids(self) -> None:
        """Whether what ids are looked up by is sound; asked once, when one is not found, for it reads all of them."""
        with _Translated(self.path):
            found = self._connection.execute("SELECT id, slot FROM items INDEXED BY by_id ORDER BY id")
            total = sum(_mark(*row) for row in found)
        if total % _WRAP != self.head["ids"]:
            raise self._damage("its table of ids is not what was written")
        self._ids_checked = True

    def _entries(self, rows: Sequence[tuple[Any, ...]]) -> list[Entry]:
        for *texts, mark in rows:
            if _mark(*texts) != mark:
                raise self._damage(f"item {printable(str(texts[1]), 60)!r} is not what was written")
        # one call for all: with one for each, reading everything takes nearly twice as long
        tags, data = (json.loads(f"[{','.join(row[column] for row in rows)}]") for column in (3, 4))
        return [
            Entry(row[0], row[1], row[2], tuple(own), other) for row, own, other in zip(rows, tags, data, strict=True)
        ]

    def _damage(self, why: str) -> IndexDamaged:
        return damage(self.path, why)

    def _write(self, work: Callable[[sqlite3.Connection, dict[str, Any]], None]) -> None:
        connection = self._connection
        with _Translated(self.path):
            connection.execute("BEGIN IMMEDIATE")
            names = dict(self._names)
            try:
                head = dict(self.head)
                work(connection, head)
                _write_head(connection, head)
                connection.execute("COMMIT")
            except BaseException:
                self._names = names
                if connection.in_transaction:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")
                raise
            self.head = head
            (self._version,) = connection.execute("PRAGMA data_version").fetchone()

    def _drop(self, connection: sqlite3.Connection, head: dict[str, Any], entries: Sequence[Entry]) -> None:
        slots = [(entry.slot,) for entry in entries]
        connection.executemany("DELETE FROM items WHERE slot = ?", slots)
        connection.executemany("INSERT INTO gone VALUES (?)", slots)
        head["count"] -= len(entries)
        head["marks"] = (head["marks"] - sum(_row(entry)[-1] for entry in entries)) % _WRAP
        head["ids"] = (head["ids"] - _ids(entries)) % _WRAP
        self._tag(connection, head, entries, -1)

    def _tag(self, connection: sqlite3.Connection, head: dict[str, Any], entries: Sequence[Entry], sign: int) -> None:
        """Add the entries' tags to the tables, or take them out."""
        slots: dict[str, list[int]] = {}
        for entry in entries:
            for tag in entry.tags:
                slots.setdefault(tag, []).append(entry.slot)
        for tag, having in slots.items():
            before = self._names.get(tag)
            number = before[0] if before else 1 + max((row[0] for row in self._names.values()), default=0)
            count, total = before[1:] if before else (0, 0)
            after = (number, count + sign * len(having), (total + sign * sum(having)) % _WRAP)
            pairs = [(number, slot) for slot in having]
            if sign > 0:
                connection.executemany("INSERT INTO tagged VALUES (?, ?)", pairs)
            else:
                connection.executemany("DELETE FROM tagged WHERE tag = ? AND slot = ?", pairs)
            connection.execute("INSERT OR REPLACE INTO tags VALUES (?, ?, ?, ?)", (number, tag, *after[1:]))
            old = _mark(tag, *before) if before else 0
            head["names"] = (head["names"] + _mark(tag, *after) - old) % _WRAP
            self._names[tag] = after


def damage(path: Path, why: str) -> IndexDamaged:
    """The error of an index that cannot be used as it is."""
    return IndexDamaged(
        f"{printable(str(path.parent))}: the index is damaged: {why}",
        remedy="build it anew, with --replace",
    )


def _row(entry: Entry) -> tuple[int, str, str, str, str, int]:
    """The entry as the table has it, its checksum last."""
    tags = _JSON.encode(entry.tags)
    texts = (entry.slot, entry.id, entry.source, tags, as_json(entry.data))
    return (*texts, _mark(*texts))


def _ids(entries: Iterable[Entry]) -> int:
    """What the checksums of ids and their slots add up to."""
    return sum(_mark(entry.id, entry.slot) for entry in entries)


def _mark(*values: object) -> int:
    return zlib.crc32("\x1f".join(map(str, values)).encode("utf-8", "surrogatepass"))


def _write_head(connection: sqlite3.Connection, head: Mapping[str, Any]) -> None:
    body = json.dumps(head, sort_keys=True)
    connection.execute("INSERT OR REPLACE INTO head VALUES (1, ?, ?)", (body, zlib.crc32(body.encode())))


class _Translated:
    """Tell an error of SQLite in the block as one of ours."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> None:
        if isinstance(error, sqlite3.IntegrityError) and "items.id" in str(error):
            raise DuplicateId(f"an id is in the index already ({error})") from error
        if isinstance(error, sqlite3.Error):
            code = int(getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF
            if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
                        sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY):  # fmt: skip
                raise OutputError(
                    f"{printable(str(self.path.parent))}: the index cannot be used ({error})",
                    remedy="free some space, or see that it may be written",
                ) from error
            raise damage(self.path, str(error)) from error
        if isinstance(error, (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError, ValueError)):
            raise damage(self.path, str(error)) from error
