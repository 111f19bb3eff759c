"""What pictures without an id are called: one file is one item, however it is named on the command line."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.images.load import is_url

if TYPE_CHECKING:
    from lookalike.catalogue.entries import Entry
    from lookalike.index.base import VectorIndex


class Names:
    """Ids for entries that have none.

    Args:
        index: where they go; asked for its sources when the first such entry comes.
    """

    def __init__(self, index: VectorIndex) -> None:
        self._index = index
        self._known: dict[str, str] | None = None
        self._taken: set[str] = set()

    def named(self, entry: Entry) -> Entry:
        """The entry with an id: its own, that of the same source where it is there, or one that nobody has."""
        if entry.id:
            return entry
        if self._known is None:
            self._known = {}
            for name, source in self._index.sources():
                self._known.setdefault(source, name)
                self._taken.add(name)
        found = self._known.get(entry.source)
        if found is None:
            found = self._free(entry)
            self._known[entry.source] = found
            self._taken.add(found)
        return replace(entry, id=found)

    def _free(self, entry: Entry) -> str:
        """What it is to be called; longer and longer ends of its path where others are called so."""
        if is_url(entry.source):
            ends = [os.path.basename(entry.source.rstrip("/"))]
        else:
            parts = Path(entry.source).parts
            short = entry.name or os.path.basename(entry.source)
            ends = [short, *("/".join(parts[-count:]) for count in range(len(Path(short).parts) + 1, len(parts)))]
        return next((end for end in ends if end and end not in self._taken), entry.source)
