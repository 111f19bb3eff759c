"""Entries → vectors in an index: read here, described by the crew, written here, in bounded memory.

What is there already and has not changed is passed over, so that the same command again goes on where it was stopped.
A bad picture becomes a failure and never ends the run.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lookalike.catalogue.entries import Entry, seen
from lookalike.catalogue.naming import Names
from lookalike.catalogue.recipe import Described, Job, Recipe, describe
from lookalike.collection.crew import Crew, Lost
from lookalike.collection.rows import PictureRow, Stored
from lookalike.errors import (
    DecodeFailed,
    DuplicateId,
    LookalikeError,
    PictureError,
    SourceUnreadable,
    UsageError,
    printable,
)
from lookalike.images.load import is_url, read_source
from lookalike.images.scan import Found
from lookalike.index.items import Item, checked_item
from lookalike.threads import in_order
from lookalike.types import Failure

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.images.limits import Limits
    from lookalike.index.base import VectorIndex

Progress = Callable[[str, int, int], None]

ABOUT = "$picture"
"""The entry of an item's data that is ours: what its picture was when it was read."""

TOGETHER = 512
"""Entries that are looked up at a time."""

BATCH = 16
"""Pictures that are described at a time."""

MUCH = 100
"""Entries from which processes are worth their start."""

READERS = 16
"""Threads that read: most of them wait for a server."""

WRITTEN = 1024
"""Items that are written at a time, and kept whatever happens after."""


@dataclass(slots=True)
class Filled:
    """What became of some entries.

    Attributes:
        added, updated, unchanged: how many.
        failures: the others, and why: entries in = added + updated + unchanged + failures.
        pruned: items that went, for nothing that was named is called so.
        gone: items whose file was in a folder that was named, and is there no more.
        named: all that was named, as the caller called it.
        notices: what a person should know of it.
        ids: what was named, failures too.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    failures: list[Failure] = field(default_factory=list)
    pruned: int = 0
    gone: int = 0
    named: str = ""
    notices: tuple[str, ...] = ()
    ids: set[str] = field(default_factory=set, repr=False)

    def nothing(self, remedy: str = "") -> PictureError:
        """The error of an index that these entries left empty."""
        bad = len(self.failures)
        reason = f"nothing here could be read ({bad} failed)" if bad else "there is no picture here"
        remedy = remedy or ("see what failed" if bad else "name a folder with pictures in it")
        return PictureError(reason, source=self.named, remedy=remedy)


def fill(
    index: VectorIndex,
    recipe: Recipe,
    store: Store,
    entries: Iterable[Entry],
    *,
    limits: Limits,
    crew: Crew,
    total: int = 0,
    update: bool = False,
    progress: Progress | None = None,
) -> Filled:
    """Put entries into an index.

    Args:
        index: open for writing.
        recipe: how they are described.
        store: where features go that comparing will ask for.
        entries: what to add, taken as they are needed; those that are there already are compared with what is there.
        limits: what a picture may cost.
        crew: who computes.
        total: how many there are, where that is known.
        update: read the pictures of entries that are there again, also where nothing seems to have changed.
        progress: told how far it has come.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was written until then stays.
    """
    return _Filling(index, recipe, store, limits, crew, total, update, progress).run(entries)


class _Read(NamedTuple):
    entry: Entry
    content: bytes
    digest: str
    old: Item | None


class _Filling:
    def __init__(
        self,
        index: VectorIndex,
        recipe: Recipe,
        store: Store,
        limits: Limits,
        crew: Crew,
        total: int,
        update: bool,
        progress: Progress | None,
    ) -> None:
        self.index, self.recipe, self.store, self.limits, self.crew = index, recipe, store, limits, crew
        self.total, self.update, self.progress = total, update, progress
        self.result = Filled()
        self.under_way: deque[list[_Read]] = deque()
        self.waiting: list[Item] = []
        self.fresh: list[Stored] = []
        self.ids = self.result.ids
        self.names = Names(index)

    def run(self, entries: Iterable[Entry]) -> Filled:
        stream = iter(entries)
        first = list(itertools.islice(stream, MUCH))
        pieces = self._jobs(itertools.chain(first, stream))
        try:
            for described in self.crew.do_or_lose(describe, pieces, much=len(first) == MUCH):
                batch = self.under_way.popleft()
                self._keep(batch, self._one_by_one(batch) if isinstance(described, Lost) else described)
        finally:
            self._write()
        return self.result

    # before: entries → jobs of pictures that are to be described

    def _jobs(self, entries: Iterator[Entry]) -> Iterator[Job]:
        batch: list[_Read] = []
        with ThreadPoolExecutor(READERS, thread_name_prefix="lookalike-reading") as pool:
            for read in in_order(pool, self._read, self._wanted(entries), 2 * READERS):
                if isinstance(read, Failure):
                    self._fail(read)
                    continue
                batch.append(read)
                if len(batch) == BATCH:
                    yield self._job(batch)
                    batch = []
        if batch:
            yield self._job(batch)

    def _wanted(self, entries: Iterator[Entry]) -> Iterator[tuple[Entry, Item | None]]:
        """Entries whose picture has to be read, with what is there under their id."""
        while part := list(itertools.islice(entries, TOGETHER)):
            named = [self.names.named(entry) for entry in part]
            olds = self.index.get([entry.id or "" for entry in named])
            for entry, old in zip(named, olds, strict=True):
                failure = self._unfit(entry)
                self.ids.add(str(entry.id))
                if failure is not None:
                    self._fail(failure)
                elif old is None or self.update or self._changed(entry, old):
                    yield entry, old
                else:
                    self._settle_unread(entry, old)

    def _unfit(self, entry: Entry) -> Failure | None:
        """Why no item can be made of an entry, whatever its picture."""
        if entry.id in self.ids:
            error: LookalikeError = DuplicateId(f"the id {printable(str(entry.id), 60)!r} came before")
        else:
            try:
                checked_item(Item(str(entry.id), np.empty(0), entry.source, entry.tags, entry.data))
                return None
            except UsageError as found:
                error = found
        return Failure(entry.source, error.kind, f"{printable(entry.source)}: {error}")

    def _changed(self, entry: Entry, old: Item) -> bool:
        """Whether the picture may be another than the one that was read."""
        if old.source != entry.source:
            return True
        now = entry.found or seen(entry.source)
        if now is None:
            return "://" not in entry.source  # a file that is gone: reading it says so
        then = old.data.get(ABOUT, {})
        return (then.get("bytes"), then.get("mtime_ns")) != (now.size, now.mtime_ns)

    def _settle_unread(self, entry: Entry, old: Item) -> None:
        data = {**entry.data, ABOUT: old.data.get(ABOUT, {})}
        if (tuple(sorted(set(entry.tags))), data) == (old.tags, dict(old.data)):
            self.result.unchanged += 1
        else:
            self.waiting.append(Item(old.id, old.vector, old.source, entry.tags, data))
            self.result.updated += 1
        self._count()

    def _read(self, wanted: tuple[Entry, Item | None]) -> _Read | Failure:
        entry, old = wanted
        try:
            if not entry.source:
                raise SourceUnreadable("the row names no picture", source=f"item {entry.id}")
            content = read_source(entry.source, self.limits)
        except LookalikeError as error:
            return Failure.of(error)
        if entry.found is None and not is_url(entry.source):
            about = os.stat(entry.source)
            entry = replace(entry, found=Found(entry.source, about.st_size, about.st_mtime_ns))
        return _Read(entry, content, hashlib.sha256(content).hexdigest(), old)

    def _job(self, batch: list[_Read]) -> Job:
        self.under_way.append([read._replace(content=b"") for read in batch])
        return Job(
            [read.entry.source for read in batch],
            [read.content for read in batch],
            self.recipe.method,
            dict(self.recipe.options),
            self.limits,
            [is_url(read.entry.source) for read in batch],
        )

    # after: descriptions → items

    def _one_by_one(self, batch: list[_Read]) -> list[Described | PictureError]:
        """The same again, a picture at a time: one of them took down the process."""
        done: list[Described | PictureError] = []
        for read in batch:
            try:
                content = read_source(read.entry.source, self.limits)
                job = self._job([read._replace(content=content)])
                self.under_way.pop()
                (result,) = self.crew.do_or_lose(describe, [job], much=True)
                done += [_crashed(read)] if isinstance(result, Lost) else result
            except PictureError as error:
                done.append(error)
        return done

    def _keep(self, batch: list[_Read], described: Sequence[Described | PictureError]) -> None:
        for read, found in zip(batch, described, strict=True):
            if isinstance(found, PictureError):
                self._fail(Failure.of(found))
                continue
            data = {**read.entry.data, ABOUT: self._about(read, found)}
            self.waiting.append(Item(str(read.entry.id), found.vector, read.entry.source, read.entry.tags, data))
            row = PictureRow(found.format, found.width, found.height)
            self.fresh.append(Stored(read.entry.found, found.digest, row, found.features))
            if read.old is None:
                self.result.added += 1
            else:
                self.result.updated += 1
            self._count()
        if len(self.waiting) >= WRITTEN:
            self._write()

    def _about(self, read: _Read, found: Described) -> dict[str, Any]:
        about = {"sha256": found.digest, "format": found.format, "width": found.width, "height": found.height}
        if read.entry.found is not None:
            about |= {"bytes": read.entry.found.size, "mtime_ns": read.entry.found.mtime_ns}
        return about

    def _write(self) -> None:
        waiting, self.waiting = self.waiting, []
        fresh, self.fresh = self.fresh, []
        self.store.add(fresh)
        if waiting:
            self.index.add(waiting, replace=True)

    def _fail(self, failure: Failure) -> None:
        self.result.failures.append(failure)
        self._count()

    def _count(self) -> None:
        result = self.result
        done = result.added + result.updated + result.unchanged + len(result.failures)
        if self.progress is not None:
            self.progress("indexing", done, self.total)


def _crashed(read: _Read) -> PictureError:
    return DecodeFailed(
        "decoding it ended the process that did it", source=read.entry.source, remedy="it may be made to; leave it out"
    )
