"""Every page and every row of a store, read and checked; and what is broken taken out where that is wanted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from lookalike.collection import findings, tables
from lookalike.collection.rows import PICTURE_BITS, feature_checksum, picture_checksum
from lookalike.collection.salvage import PICTURE_COLUMNS
from lookalike.collection.store import Store


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What :func:`verify` found.

    Attributes:
        checked: table → rows that were read.
        damaged: table → rows whose checksum does not fit, or that belong to nothing; tables without such are left out.
        problems: what SQLite says about the file itself, a line each.
        repaired: what was found was taken out, and the file is sound now.
    """

    checked: dict[str, int]
    damaged: dict[str, int]
    problems: tuple[str, ...]
    repaired: bool = False

    @property
    def sound(self) -> bool:
        """Nothing was wrong."""
        return not self.damaged and not self.problems

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for ``json.dumps``."""
        return {**asdict(self), "problems": list(self.problems), "sound": self.sound}


def verify(store: Store, *, repair: bool = False) -> VerifyReport:
    """Check every page and every checksum; with ``repair`` drop what is damaged, or begin the file anew with the rest.

    Raises:
        StoreError: the store cannot be read, or not be written for a repair.
    """
    report, bad = store.database.inspect(_check)
    if report.sound or not repair:
        return report

    def drop(connection: sqlite3.Connection) -> None:
        for table, rows in bad.items():
            tables.drop(connection, table, rows)

    if report.problems:  # the trees themselves: only a new file is sound again
        store.database.set_aside(report.problems[0])
    else:
        store.database.write(drop)
    return VerifyReport(report.checked, report.damaged, report.problems, repaired=True)


def _check(connection: sqlite3.Connection) -> tuple[VerifyReport, dict[str, list[Any]]]:
    problems = _problems(connection)
    checked: dict[str, int] = {}
    bad: dict[str, list[Any]] = {}
    for table, rows in _tables(connection):
        checked[table] = 0
        try:
            for key, sound in rows:
                checked[table] += 1
                if not sound:
                    bad.setdefault(table, []).append(key)
        except sqlite3.Error as error:
            problems.append(f"{table}: {error}")
    damaged = {table: len(rows) for table, rows in bad.items()}
    return VerifyReport(checked, damaged, tuple(dict.fromkeys(problems))), bad


def _problems(connection: sqlite3.Connection) -> list[str]:
    try:
        lines = [str(line) for (line,) in connection.execute("PRAGMA integrity_check(20)")]
    except sqlite3.Error as error:
        return [str(error)]
    return [" ".join(line.split()) for line in lines if line != "ok"]


def _tables(connection: sqlite3.Connection) -> Iterator[tuple[str, Iterator[tuple[Any, bool]]]]:
    """Every table with what finds each of its rows again, and whether the row is sound."""
    digests: dict[int, bytes] = {}
    yield "pictures", _pictures(connection, digests)
    yield "features", _features(connection, digests)
    files = connection.execute("SELECT path, size, mtime_ns, digest, checksum FROM files")
    yield "files", ((row[0], tables.sound_file(*row)) for row in files)
    runs = connection.execute("SELECT id, key, digests, payload, checksum FROM runs")
    yield "runs", ((row[0], findings.sound_run(*row[1:])) for row in runs)
    decisions = connection.execute(f"SELECT {findings.DECISION_COLUMNS} FROM decisions")
    yield "decisions", ((row[:2], findings.sound_decision(*row)) for row in decisions)


def _pictures(connection: sqlite3.Connection, digests: dict[int, bytes]) -> Iterator[tuple[Any, bool]]:
    for number, digest, *fields, checksum, _ in connection.execute(f"SELECT {PICTURE_COLUMNS} FROM pictures"):
        sound = type(digest) is bytes and checksum == picture_checksum(digest, tuple(fields))
        if sound:
            digests[number] = digest
        yield number, sound


def _features(connection: sqlite3.Connection, digests: dict[int, bytes]) -> Iterator[tuple[Any, bool]]:
    methods = tables.read_methods(connection)
    for number, checksum, value in connection.execute("SELECT id, checksum, value FROM features"):
        key, digest = methods.get(number >> PICTURE_BITS), digests.get(number & tables.PICTURE_MASK)
        sound = key is not None and digest is not None and type(value) is bytes
        yield number, sound and checksum == feature_checksum(digest or b"", (key or "").encode(), value)
