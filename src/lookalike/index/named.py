"""What the files of an index in a folder are called."""

from __future__ import annotations

LEDGER = "items.sqlite3"
"""The table of items."""

STRUCTURE = "structure"
"""The structures, before their generation."""

FILES = (f"{LEDGER}*", "vectors-*.bin", f"{STRUCTURE}-*", "manifest.json", "writer.lock")
"""All of them."""
