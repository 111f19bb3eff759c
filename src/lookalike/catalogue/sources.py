"""What the caller named: folders, a table, entries; all of it as entries, and what is known of it beforehand."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lookalike.catalogue.entries import Columns, Entry, entry_of, of_folders
from lookalike.catalogue.tables import of_table
from lookalike.types import Failure


@dataclass(frozen=True, slots=True)
class Named:
    """What was named.

    Attributes:
        words: the same as the caller called it.
        entries: one after another; a table is open, and read later.
        total: how many there are, where that is known; else 0.
        skipped: what was left out.
        folders: those that were named; absolute.
        notices: what a person should know of it.
    """

    words: str
    entries: Iterable[Entry]
    total: int
    skipped: Sequence[Failure]
    folders: Sequence[str]
    notices: Sequence[str]


def all_named(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    table: str | os.PathLike[str] | None,
    entries: Iterable[Entry | str | os.PathLike[str]] | None,
    columns: Columns,
    folder_tags: bool,
    recursive: bool,
    hidden: bool,
) -> Named:
    """All that :meth:`lookalike.Index.build` and ``add`` take, see there; what is no table is told at once."""
    sources = [sources] if isinstance(sources, (str, os.PathLike)) else list(sources)
    found, skipped = of_folders(sources, recursive=recursive, hidden=hidden, folder_tags=folder_tags)
    streams: list[Iterable[Entry]] = [found]
    notices: list[str] = []
    if table is not None:
        rows = of_table(table, columns, notices)
        streams += [[next(rows)], rows]
    if entries is not None:
        streams.append(map(entry_of, entries))
    total = len(found) if table is None and entries is None else 0
    folders = [os.path.abspath(source) for source in sources if os.path.isdir(source)]
    words = ", ".join(os.fspath(each) for each in (sources if table is None else [*sources, table]))
    return Named(words, itertools.chain.from_iterable(streams), total, skipped, folders, notices)
