"""One writer at a time, across processes; the lock is gone with the process that held it, however that ends."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from lookalike.errors import IndexLocked, OutputError, printable

WAIT_SECONDS = 2.0
"""How long a writer waits for another one to finish."""

_RUBBISH = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_READONLY)
"""What SQLite says of a file that is none of its own; the last also of a format that it only reads."""


class WriterLock:
    """The right to write to the index in a folder, held until closed.

    The lock is SQLite's own, on an empty file, so that it works wherever the index does.

    Attributes:
        folder: of the index.

    Raises:
        IndexLocked: another process has it.
        OutputError: nothing may be written there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, name = folder, printable(str(folder))
        file = folder / "writer.lock"
        try:
            self._connection = _locked(file)
        except (sqlite3.Error, OSError) as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                raise IndexLocked(
                    f"{name}: another process is writing to this index", remedy="try again when it has finished"
                ) from error
            raise OutputError(f"{name}: the index cannot be written ({error})", remedy="see that it may be") from error

    def close(self) -> None:
        """Let go."""
        with suppress(sqlite3.Error):
            self._connection.close()


def _locked(file: Path) -> sqlite3.Connection:
    try:
        return _connected(file)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _RUBBISH or not file.stat().st_size:
            raise
    os.truncate(file, 0)  # it has no content but what damage wrote; a lock that somebody holds stays
    return _connected(file)


def _connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except BaseException:
        connection.close()
        raise
    return connection
