"""What goes into a catalogue: one picture after another, of folders or of anything else."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lookalike.errors import UsageError
from lookalike.images.scan import Found, Scan, scan
from lookalike.index.items import each_of
from lookalike.types import Failure


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture for a catalogue.

    Attributes:
        source: path or URL.
        id: the caller's own name for it; None for one made of ``name``.
        tags: words it may be filtered by.
        data: anything else, as JSON knows it.
        found: the file as the scan saw it, where there was one.
        name: what it may be called where no other picture is called so.

    Raises:
        UsageError: a source that is no path and no URL, or data that is no table of names and values.

    >>> Entry("photos/17.jpg", 17, tags="dress")
    Entry(source='photos/17.jpg', id='17', tags=('dress',), data={}, found=None, name='')
    """

    source: str
    id: str | None = None
    tags: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    found: Found | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.source, (str, os.PathLike)):
            raise UsageError(
                f"an entry names its picture by a path or URL, not by {type(self.source).__name__}",
                remedy="write the picture to a file: searching opens it again",
            )
        if not isinstance(self.data, Mapping):
            raise UsageError("the data of an entry is a table of names and values", remedy='such as {"price": 39.9}')
        object.__setattr__(self, "source", os.fspath(self.source))
        object.__setattr__(self, "id", None if self.id is None else str(self.id))
        object.__setattr__(self, "tags", tuple(each_of(self.tags)))


def entry_of(given: Entry | str | os.PathLike[str]) -> Entry:
    """An entry, or one of a path or URL alone; its file is found from any folder."""
    entry = given if isinstance(given, Entry) else Entry(given)  # type: ignore[arg-type]
    return replace(entry, source=located(entry.source))


def located(source: str) -> str:
    """A path from the root, whatever folder we are in later; an address, and nothing, as they are."""
    return os.path.abspath(source) if source and "://" not in source else source


def seen(source: str) -> Found | None:
    """The file as it is now; None where there is none, or none of this machine."""
    if "://" in source:
        return None
    try:
        about = os.stat(source)
    except (OSError, ValueError):
        return None
    return Found(source, about.st_size, about.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table mean what; None for the usual names.

    Attributes:
        source, id: columns of the picture and of its id.
        tags: columns whose words become tags.
    """

    source: str | None = None
    id: str | None = None
    tags: tuple[str, ...] = ()


def of_folders(
    sources: Sequence[str | os.PathLike[str]],
    *,
    recursive: bool = True,
    hidden: bool = False,
    folder_tags: bool = False,
) -> tuple[list[Entry], tuple[Failure, ...]]:
    """An entry for every picture in folders, and what was left out.

    A picture is called by its path from the folder that was named, that folder's own name included, and keeps the id
    that it got first, however it is named later.

    Args:
        sources: folders, files and patterns, see :func:`lookalike.images.scan.scan`.
        recursive, hidden: as there.
        folder_tags: the folders between the one that was named and the picture become its tags.
    """
    named = [os.path.abspath(source) for source in sources if os.path.isdir(source)]
    found: Scan = scan(sources, recursive=recursive, hidden=hidden)
    entries = []
    for file in found.files:
        path = os.path.abspath(file.path)
        root = max((folder for folder in named if path.startswith(os.path.join(folder, ""))), key=len, default="")
        inside = os.path.relpath(path, root) if root else os.path.basename(path)
        below = Path(inside).parent.parts
        name = Path(os.path.basename(root), inside).as_posix() if root else inside
        there = Found(path, file.size, file.mtime_ns)
        entries.append(Entry(path, None, below if folder_tags else (), {}, there, name))
    return entries, found.skipped
