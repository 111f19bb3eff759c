"""One SQLite file that heals itself: opened, locked, its errors told in a line, set aside when it is damaged."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from lookalike.collection import faults, salvage
from lookalike.collection.aside import head_is_broken, identity, is_foreign, move_aside
from lookalike.collection.migrations import APPLICATION_ID, LATEST, expected_schema, migrate, schema, version
from lookalike.collection.presence import Presence
from lookalike.collection.rows import text_of
from lookalike.errors import StoreError, printable

T = TypeVar("T")

MEMORY = ":memory:"
TEMPORARY = ""
"""SQLite's name for a file of its own that ends with the connection: where nothing can be kept, memory stays free."""

BUSY_SECONDS = 60
"""How long a writer waits for another process."""

_PAGE = 8192
_CHECKPOINT_BYTES = 16 * 2**20


class Database:
    """A connection that all threads share, one at a time.

    Attributes:
        path: absolute path of the file, or ``":memory:"``.
        notices: what a person should know, a line each.
    """

    def __init__(self, path: str) -> None:
        self.path = path if path == MEMORY else os.path.abspath(path)
        self.notices: list[str] = []
        self._lock = threading.RLock()
        self._presence: Presence | None = None
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._refusal: StoreError | None = None
        self._closed = False
        if self.path != MEMORY:
            self._prepare()
        try:
            self._guarded(lambda connection: None)
        except BaseException:
            self.close()
            raise

    @property
    def read_only(self) -> bool:
        """Whether it may be read and not written: the folder or the file are protected, or the disk is full."""
        return self._refusal is not None

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """``work`` in one consistent view of the store.

        Raises:
            StoreError: it cannot be read. A damaged file is no error: ``work`` runs again in the one begun anew.
        """
        return self._guarded(lambda connection: _transaction(connection, "BEGIN", work))

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """``work`` in one transaction: all of it is kept, or nothing where an exception comes out.

        Raises:
            StoreError: a full disk, no permission, another process that writes for longer than a minute.
        """
        if self._refusal is not None:
            raise self._refusal
        return self._guarded(lambda connection: _transaction(connection, "BEGIN IMMEDIATE", work))

    def plain(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """``work`` outside of a transaction, for the statements that need that."""
        return self._guarded(work)

    def inspect(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """``work`` as it is: what SQLite raises in it comes out, and nothing is set aside."""
        with self._lock:
            self.plain(lambda connection: None)
            assert self._connection is not None
            self._connection.execute("BEGIN")
            try:
                return work(self._connection)
            finally:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")

    def set_aside(self, why: str) -> None:
        """Begin the file anew, with what can be salvaged of it."""
        with self._lock:
            self._begin_anew(why)

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        with self._lock:
            self._closed = True
            if self._connection is not None:
                with suppress(sqlite3.Error):
                    self._connection.close()
                self._connection = None
            if self._presence is not None:
                self._presence.close()
                self._presence = None

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work``; once more in a new file where this one turns out damaged."""
        with self._lock:
            if self._closed:
                raise StoreError(f"{printable(self.path)}: the store is closed")
            for last in (False, True):
                try:
                    if self._connection is None:
                        self._connection = self._open()
                    return work(self._connection)
                except sqlite3.Error as error:
                    if last or self.read_only or not faults.is_damage(error, self._connection, self.path):
                        raise faults.as_store_error(error, self.path) from error
                    self._begin_anew(str(error))
            raise AssertionError

    def _prepare(self) -> None:
        """The folder, and a lock beside the file. Nothing that is not a store is ever touched."""
        folder = os.path.dirname(self.path)
        if "\0" in self.path:
            raise StoreError(f"{printable(self.path)}: a NUL in the name of the store", remedy=faults.ELSEWHERE)
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"{printable(folder)}: the folder of the store cannot be made ({error.strerror or error})",
                remedy=faults.ELSEWHERE,
            ) from error
        lock = f"{self.path}-lock"
        if not os.path.exists(lock) and is_foreign(self.path):
            raise StoreError(
                f"{printable(self.path)}: is no store of lookalike, and is left as it is", remedy=faults.ELSEWHERE
            )
        self._presence = Presence(lock)

    def _open(self) -> sqlite3.Connection:
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._connected()
            except sqlite3.OperationalError as error:
                if faults.forbids_writing(error) and os.path.isfile(self.path):
                    return self._connected_for_reading(error)
                # Turning a new file to WAL does not wait for others that do the same.
                if not faults.is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            self._identity = identity(self.path)
            if head_is_broken(self.path):
                raise faults.Damaged("its head is broken")
            here = self._checked_version(connection)
            _set_up(connection, here)
            self._identity = identity(self.path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connected_for_reading(self, cause: sqlite3.Error) -> sqlite3.Connection:
        """As a last resort; the cause comes out where that is not possible either."""
        log = f"{self.path}-wal"
        # Beside a log that holds something the file alone is not the whole; without one nobody is writing.
        alone = not os.path.exists(log) or os.path.getsize(log) == 0
        address = f"{Path(self.path).as_uri()}?mode=ro{'&immutable=1' * alone}"
        try:
            connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
            try:
                if self._checked_version(connection) != LATEST or schema(connection) != expected_schema():
                    raise cause
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error:
            raise cause from None
        self._refusal = faults.as_store_error(cause, self.path)
        self.notices.append(f"{self._refusal.reason}; it is read, and nothing new is kept")
        return connection

    def _checked_version(self, connection: sqlite3.Connection) -> int:
        connection.text_factory = text_of
        here = version(connection)
        if here < 0:
            raise faults.Damaged("its version is no version")
        if here > LATEST:
            raise StoreError(
                f"{printable(self.path)}: the store is of version {here}, and this lookalike knows {LATEST} at most",
                remedy="update lookalike, or name another store with --store",
            )
        return here

    def _begin_anew(self, why: str) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
        name = printable(self.path)
        if self._presence is None or not self._presence.alone():
            self.notices.append(
                f"{name}: the store is damaged ({why}) and cannot be set aside while it is open elsewhere or the disk"
                " is full; nothing is kept this time"
            )
            self.path = TEMPORARY
            return
        try:
            if self._identity is not None and self._identity == identity(self.path):  # else another was faster
                aside = move_aside(self.path)
                self._connection = self._open()
                saved = salvage.salvage(aside, self._connection)
                self.notices.append(
                    f"{name}: the store was damaged ({why}); set aside as {printable(os.path.basename(aside))}"
                    f" and begun anew with {saved}"
                )
        except OSError as error:
            raise StoreError(
                f"{name}: the store is damaged ({why}) and cannot be set aside ({error.strerror or error})",
                remedy="move it away, or name another store with --store",
            ) from error
        finally:
            self._presence.shared()


def _set_up(connection: sqlite3.Connection, here: int) -> None:
    if here == 0:
        connection.execute(f"PRAGMA page_size = {_PAGE}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = OFF")
    connection.execute("PRAGMA cell_size_check = ON")  # a broken page is noticed sooner
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cache_size = -16000")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_BYTES // _PAGE}")
    connection.execute(f"PRAGMA journal_size_limit = {2 * _CHECKPOINT_BYTES}")
    migrate(connection)
    if schema(connection) != expected_schema():
        raise faults.Damaged("its tables are not those of a store")


def _transaction(connection: sqlite3.Connection, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute(begin)
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise
    return result
