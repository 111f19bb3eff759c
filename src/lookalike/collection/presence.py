"""Who has a store open: many may at once, but a damaged file is only set aside by whoever has it alone."""

from __future__ import annotations

import sqlite3
from contextlib import suppress


class Presence:
    """A share in the store at ``path``, held until closed or until the process ends, however it ends.

    The lock is SQLite's own, on an empty file beside the store, so it works wherever the store does. Where that file
    cannot be made (a folder that may only be read) there is no lock, and :meth:`alone` is False.
    """

    def __init__(self, path: str) -> None:
        self._connection: sqlite3.Connection | None = None
        self._path = path
        with suppress(sqlite3.Error):
            self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._share()

    def alone(self) -> bool:
        """Give up the share and take the whole; False, and a share again, if others keep theirs."""
        if self._connection is None:
            return False
        with suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK")
        try:
            self._connection.execute("PRAGMA busy_timeout = 1000")
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error:
            self.shared()
            return False
        return True

    def shared(self) -> None:
        """Back to a share."""
        with suppress(sqlite3.Error):
            if self._connection is not None:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                self._share()

    def close(self) -> None:
        """Let go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _share(self) -> None:
        assert self._connection is not None
        self._connection.execute("PRAGMA busy_timeout = 10000")
        self._connection.execute("BEGIN")
        self._connection.execute("SELECT count(*) FROM sqlite_master").fetchall()  # this takes the shared lock
