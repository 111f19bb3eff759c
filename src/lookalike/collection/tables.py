"""The statements that read and write files, pictures and features, each inside the caller's transaction.

What is read is checked row by row; damaged rows are handed back apart, by the column that finds them again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from lookalike.collection.faults import Damaged
from lookalike.collection.rows import (
    PICTURE_BITS,
    PictureRow,
    chunks,
    feature_checksum,
    fields_checksum,
    file_checksum,
    lossless,
    picture_checksum,
    text_of,
)

PICTURE_MASK = (1 << PICTURE_BITS) - 1

PictureFields = tuple[bytes | None, int | None, int | None, bytes | None, bytes | None]
"""format, width, height, failure_kind, failure_reason as their columns hold them."""

UNKNOWN: PictureFields = (None, None, None, None, None)
"""Fields of a picture of which only features are known."""


class KnownPicture(NamedTuple):
    """A sound row of the pictures table."""

    number: int
    used: Any
    fields: PictureFields


def fields_of(row: PictureRow) -> PictureFields:
    """A picture's columns."""
    kind = None if row.failure_kind is None else lossless(row.failure_kind)
    reason = None if row.failure_reason is None else lossless(row.failure_reason)
    return lossless(row.format), row.width, row.height, kind, reason


def picture_of(fields: PictureFields) -> PictureRow:
    """The record of a picture's columns; they must not be ``UNKNOWN``."""
    form, width, height, kind, reason = fields
    return PictureRow(
        text_of(form or b""),
        width or 0,
        height or 0,
        None if kind is None else text_of(kind),
        None if reason is None else text_of(reason),
    )


def read_files(
    connection: sqlite3.Connection, paths: Sequence[bytes]
) -> tuple[dict[bytes, tuple[int, int, bytes]], list[Any]]:
    """Path → size, mtime_ns and digest; and the paths of damaged rows."""
    found, damaged = {}, []
    for marks, some in chunks(paths):
        rows = connection.execute(
            f"SELECT path, size, mtime_ns, digest, checksum FROM files WHERE path IN ({marks})", some
        )
        for path, size, mtime_ns, digest, checksum in rows:
            if sound_file(path, size, mtime_ns, digest, checksum):
                found[path] = (size, mtime_ns, digest)
            else:
                damaged.append(path)
    return found, damaged


def sound_file(path: Any, size: Any, mtime_ns: Any, digest: Any, checksum: Any) -> bool:
    """Whether the checksum of a files row fits its other columns."""
    try:
        return bool(checksum == file_checksum(path, size, mtime_ns, digest))
    except TypeError:
        return False


def write_files(connection: sqlite3.Connection, rows: Iterable[tuple[bytes, int, int, bytes]]) -> None:
    """Keep path, size, mtime_ns and digest of files."""
    connection.executemany(
        "INSERT OR REPLACE INTO files(path, size, mtime_ns, digest, checksum) VALUES (?, ?, ?, ?, ?)",
        [(*row, file_checksum(*row)) for row in rows],
    )


def read_pictures(
    connection: sqlite3.Connection, digests: Iterable[bytes]
) -> tuple[dict[bytes, KnownPicture], list[int]]:
    """Digest → what is known of that picture; and the numbers of damaged rows."""
    found, damaged = {}, []
    for marks, some in chunks(list(digests)):
        rows = connection.execute(
            "SELECT id, used, digest, format, width, height, failure_kind, failure_reason, checksum"
            f" FROM pictures WHERE digest IN ({marks})",
            some,
        )
        for number, used, digest, form, width, height, kind, reason, checksum in rows:
            fields = (form, width, height, kind, reason)
            if checksum == picture_checksum(digest, fields):
                found[digest] = KnownPicture(number, used, fields)
            else:
                damaged.append(number)
    return found, damaged


def write_pictures(connection: sqlite3.Connection, pictures: Mapping[bytes, PictureFields]) -> dict[bytes, int]:
    """Keep what is known of pictures, and give their numbers. ``UNKNOWN`` never replaces what is known."""
    now = int(time.time())
    connection.executemany(
        "INSERT INTO pictures(digest, format, width, height, failure_kind, failure_reason, checksum, used)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(digest) DO UPDATE SET format = excluded.format,"
        " width = excluded.width, height = excluded.height, failure_kind = excluded.failure_kind,"
        " failure_reason = excluded.failure_reason, checksum = excluded.checksum, used = excluded.used"
        " WHERE excluded.format IS NOT NULL AND excluded.checksum <> checksum",
        [(digest, *fields, picture_checksum(digest, fields), now) for digest, fields in pictures.items()],
    )
    numbers: dict[bytes, int] = {}
    for marks, some in chunks(list(pictures)):
        numbers.update(connection.execute(f"SELECT digest, id FROM pictures WHERE digest IN ({marks})", some))
    if not all(0 < number <= PICTURE_MASK for number in numbers.values()):
        raise Damaged("the numbers of pictures are broken")
    return numbers


def read_methods(connection: sqlite3.Connection) -> dict[int, str]:
    """Number → key of every method. They are few; all features hang on them, so one that is damaged is no small thing.

    Raises:
        Damaged: a row's checksum does not fit.
    """
    methods = {}
    for number, key, checksum in connection.execute("SELECT id, key, checksum FROM methods"):
        if checksum != fields_checksum(number, key):
            raise Damaged("the list of methods is broken")
        methods[number] = key
    return methods


def method_base(connection: sqlite3.Connection, key: str, *, make: bool = False) -> int | None:
    """What is added to the number of a picture to find this method's feature of it; None for an unknown method."""
    methods = read_methods(connection)
    for number, each in methods.items():
        if each == key:
            return number << PICTURE_BITS
    if not make:
        return None
    number = max(methods, default=0) + 1
    values = (number, key, fields_checksum(number, key))
    connection.execute("INSERT INTO methods(id, key, checksum) VALUES (?, ?, ?)", values)
    return number << PICTURE_BITS


def read_features(
    connection: sqlite3.Connection, key: str, digests: Mapping[int, bytes]
) -> tuple[dict[bytes, bytes], list[int]]:
    """Features of the pictures with these numbers, by digest; and the row ids of damaged ones."""
    found, damaged, base, name = {}, [], method_base(connection, key), key.encode()
    if base is None:
        return {}, []
    for marks, ids in chunks([base | number for number in sorted(digests)]):  # in the order they lie on the disk
        for row, checksum, value in connection.execute(
            f"SELECT id, checksum, value FROM features WHERE id IN ({marks})", ids
        ):
            digest = digests.get(row & PICTURE_MASK)
            if digest and type(value) is bytes and checksum == feature_checksum(digest, name, value):
                found[digest] = value
            else:
                damaged.append(row)
    return found, damaged


def present_features(connection: sqlite3.Connection, key: str, numbers: Collection[int]) -> set[int]:
    """Those of these pictures' numbers that have a feature of this method; the values are not read."""
    base = method_base(connection, key)
    if base is None:
        return set()
    present: set[int] = set()
    for marks, ids in chunks([base | number for number in sorted(numbers)]):
        rows = connection.execute(f"SELECT id FROM features WHERE id IN ({marks})", ids)
        present.update(row & PICTURE_MASK for (row,) in rows)
    return present


def write_features(connection: sqlite3.Connection, key: str, values: Iterable[tuple[int, bytes, bytes]]) -> None:
    """Keep one method's features: number of the picture, digest, value."""
    base, name = method_base(connection, key, make=True), key.encode()
    assert base is not None
    connection.executemany(
        "INSERT OR REPLACE INTO features(id, checksum, value) VALUES (?, ?, ?)",
        [(base | number, feature_checksum(digest, name, value), value) for number, digest, value in values],
    )


_DROP = {
    "files": "DELETE FROM files WHERE path = ?",
    "features": "DELETE FROM features WHERE id = ?",
    "runs": "DELETE FROM runs WHERE id = ?",
    "decisions": "DELETE FROM decisions WHERE a = ? AND b = ?",
}


def drop(connection: sqlite3.Connection, table: str, damaged: Sequence[Any]) -> None:
    """Delete damaged rows by what the reading functions gave for them; a picture goes with its features."""
    if table == "pictures":
        delete_pictures(connection, damaged)
    else:
        values = [value if isinstance(value, tuple) else (value,) for value in damaged]
        connection.executemany(_DROP[table], values)


def delete_pictures(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Delete pictures with their features."""
    methods = read_methods(connection)
    for marks, some in chunks(numbers):
        for method in methods:
            ids = [method << PICTURE_BITS | number for number in some]
            connection.execute(f"DELETE FROM features WHERE id IN ({marks})", ids)
        connection.execute(f"DELETE FROM pictures WHERE id IN ({marks})", some)


def add_counters(connection: sqlite3.Connection, amounts: Mapping[str, int]) -> None:
    """Add to counters that last; a damaged one begins again at nought."""
    for name, amount in amounts.items():
        if amount:
            total = read_counter(connection, name) + amount
            connection.execute(
                "INSERT OR REPLACE INTO counters(name, value, checksum) VALUES (?, ?, ?)",
                (name, total, fields_checksum(name, total)),
            )


def read_counter(connection: sqlite3.Connection, name: str) -> int:
    """A counter that lasts; 0 for one that is new or damaged."""
    row = connection.execute("SELECT value, checksum FROM counters WHERE name = ?", (name,)).fetchone()
    return row[0] if row is not None and row[1] == fields_checksum(name, row[0]) else 0
