"""The statements for what runs found and what people decided, each inside the caller's transaction."""

from __future__ import annotations

import sqlite3
from typing import Any, Literal, cast

from lookalike.collection.rows import fields_checksum

Decision = Literal["different", "same"]
"""What a person can say about two pictures."""

FORGOTTEN = "forgotten"
"""The verdict of a decision that was taken back."""

DECISION_COLUMNS = "a, b, verdict, ordinal, checksum"
RUNS_KEPT = 20
DIGEST_BYTES = 32


def write_run(connection: sqlite3.Connection, key: str, digests: bytes, payload: bytes) -> None:
    """Keep a run in place of an earlier one over the same pictures; the oldest of the key go."""
    connection.execute("DELETE FROM runs WHERE key = ? AND digests = ?", (key, digests))
    connection.execute(
        "INSERT INTO runs(key, digests, payload, checksum) VALUES (?, ?, ?, ?)",
        (key, digests, payload, fields_checksum(key, digests, payload)),
    )
    connection.execute(
        "DELETE FROM runs WHERE key = ?1 AND id NOT IN (SELECT id FROM runs WHERE key = ?1 ORDER BY id DESC LIMIT ?2)",
        (key, RUNS_KEPT),
    )


def run_numbers(connection: sqlite3.Connection, key: str) -> list[int]:
    """The runs of a key, the newest first."""
    return [number for (number,) in connection.execute("SELECT id FROM runs WHERE key = ? ORDER BY id DESC", (key,))]


def read_run(connection: sqlite3.Connection, number: int, key: str) -> tuple[tuple[list[str], bytes] | None, list[int]]:
    """Digests and payload of a run, None where it went away meanwhile; and its number if it is damaged."""
    row = connection.execute("SELECT key, digests, payload, checksum FROM runs WHERE id = ?", (number,)).fetchone()
    if row is None or not sound_run(*row):
        return None, [] if row is None else [number]
    if row[0] != key:  # the number was given anew
        return None, []
    digests = [row[1][start : start + DIGEST_BYTES].hex() for start in range(0, len(row[1]), DIGEST_BYTES)]
    return (digests, row[2]), []


def sound_run(key: Any, digests: Any, payload: Any, checksum: Any) -> bool:
    """Whether the checksum of a runs row fits its other columns."""
    return bool(checksum == fields_checksum(key, digests, payload))


def write_decision(connection: sqlite3.Connection, a: bytes, b: bytes, verdict: Decision | None) -> None:
    """Keep or, for None, forget a decision about ``a < b``."""
    said = verdict or FORGOTTEN
    ordinal = connection.execute("SELECT coalesce(max(ordinal), 0) + 1 FROM decisions").fetchone()[0]
    connection.execute(
        "INSERT OR REPLACE INTO decisions(a, b, verdict, ordinal, checksum) VALUES (?, ?, ?, ?, ?)",
        (a, b, said, ordinal, fields_checksum(a, b, said, ordinal)),
    )


def read_decisions(
    connection: sqlite3.Connection,
) -> tuple[dict[tuple[bytes, bytes], Decision], list[tuple[Any, Any]]]:
    """Every decision by its pair; and the pairs of damaged rows."""
    found, damaged = {}, []
    for a, b, verdict, ordinal, checksum in connection.execute(f"SELECT {DECISION_COLUMNS} FROM decisions"):
        if not sound_decision(a, b, verdict, ordinal, checksum):
            damaged.append((a, b))
        elif verdict != FORGOTTEN:
            found[a, b] = cast(Decision, verdict)
    return found, damaged


def sound_decision(a: Any, b: Any, verdict: Any, ordinal: Any, checksum: Any) -> bool:
    """Whether the checksum of a decisions row fits its other columns."""
    return bool(checksum == fields_checksum(a, b, verdict, ordinal))
