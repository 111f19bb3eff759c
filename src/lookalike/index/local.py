"""An index on one machine: a folder with the items, their vectors, and a structure to search by.

``items.sqlite3`` and ``vectors-N.bin`` hold the truth, and what :meth:`LocalIndex.add` returned from is in them for
good. The structure is derived: it covers the items up to some slot, those that came after are compared one by one, and
where it is missing or damaged everything is, which is slower and no less right. One process may write at a time and any
number may read, also while it writes.
"""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import DuplicateId, IndexLocked, OutputError, UsageError, printable
from lookalike.files import cannot_write
from lookalike.index.base import EVERYTHING, IndexInfo, Space, VectorIndex, check_least, check_top
from lookalike.index.derived import NAME, built, opened
from lookalike.index.hashing import Hashing
from lookalike.index.held import Held
from lookalike.index.items import Filter, Hit, Item, Vector, checked_item, same_value
from lookalike.index.ledger import Entry, Ledger, damage
from lookalike.index.lock import WriterLock
from lookalike.index.rows import RowFile, Slots
from lookalike.index.structures import Choice, Structure, choose

LEDGER = "items.sqlite3"

BATCH = 4096
"""Items that are acknowledged at a time."""

FEW = 20_000
"""Items that pass a filter up to which they are compared one by one."""

LOOSE = 0.02
"""Share of items outside the structure from which saving takes them in."""

WORTH = 5_000
"""Items from which a structure is worth its file."""

EMPTY_SHARE = 0.3
"""Share of slots whose items are gone from which saving moves the others together."""

DEPTH, DEEPER = 40, 4
"""Candidates whose exact similarity is computed: so many, or so many for each answer."""


class LocalIndex(VectorIndex):
    """The index in a folder.

    Args:
        folder: where it lies; see :meth:`create` for a new one.
        writing: whether it may be changed.

    Attributes:
        notices: what a person should know, such as a structure that was damaged and made anew.

    Raises:
        IndexNotFound: there is none.
        IndexLocked: it is to be written, and another process is writing.
        IndexDamaged: it cannot be used, nor mended from what is left.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with LocalIndex.create(place, Space(2)) as index:
    ...         added = index.add([Item("up", np.array([0, 1])), Item("right", np.array([1, 0]))])
    ...     with LocalIndex(place) as index:
    ...         print([hit.id for hit in index.search([0.0, 2.0], 2)[0]])
    ['up', 'right']
    """

    def __init__(self, folder: str | os.PathLike[str], *, writing: bool = False) -> None:
        self.folder = Path(folder)
        self._lock = WriterLock(self.folder) if writing and (self.folder / LEDGER).exists() else None
        self.writing = self._lock is not None
        self.notices: list[str] = []
        self._held: Held | None = None
        self._structure: Structure | Hashing | None = None
        self._gone: Slots = np.empty(0, np.int64)
        self._epoch = -1
        self._told: set[int] = set()
        try:
            self._ledger = Ledger(self.folder / LEDGER, writing=self.writing)
            self.space = self._space()
            self._settle()
        except BaseException:
            self.close()
            raise

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike[str],
        space: Space,
        *,
        kind: str = "auto",
        components: int = 0,
        about: dict[str, Any] | None = None,
    ) -> LocalIndex:
        """A new, empty index, open for writing.

        Args:
            folder: where it goes; made where it is not there, and must be empty where it is.
            space: what the vectors are.
            kind: how it searches; ``"auto"`` chooses by size, see :func:`~lookalike.index.structures.choose`.
            components: principal components to reduce vectors to before; 0 for none.
            about: anything the caller wants to find again in :attr:`about`.

        Raises:
            OutputError: the folder holds something, or cannot be made.
        """
        choose(space, 0, kind, components)
        path = Path(folder)
        with cannot_write(path):
            path.mkdir(parents=True, exist_ok=True)
            if any(path.iterdir()):
                raise OutputError(f"{printable(str(path))}: there is something already", remedy="name another place")
        head = {
            "uid": secrets.token_hex(8),
            "space": space.to_dict(),
            "kind": kind,
            "components": components,
            "epoch": 0,
            "vectors": "vectors-0.bin",
            "about": about or {},
        }
        RowFile(path / "vectors-0.bin", space, create=True).close()
        Ledger.create(path / LEDGER, head)
        return cls(path, writing=True)

    @property
    def about(self) -> dict[str, Any]:
        """What was given to :meth:`create`, and :meth:`note` since."""
        return dict(self._ledger.head["about"])

    def note(self, **values: Any) -> None:
        """Change what :attr:`about` says."""
        self._may_write()
        self._ledger.change(about={**self.about, **values})

    # Writing

    def add(self, items: Iterable[Item], *, replace: bool = False) -> int:
        self._may_write()
        count, stream = 0, iter(items)
        while batch := [checked_item(item) for item in itertools.islice(stream, BATCH)]:
            self._add(batch, replace=replace)
            count += len(batch)
        return count

    def _add(self, batch: Sequence[Item], *, replace: bool) -> None:
        twice = next((name for name, times in Counter(item.id for item in batch).items() if times > 1), None)
        if twice is not None:
            raise DuplicateId.of(twice)
        there = self._ledger.by_id([item.id for item in batch])
        if there and not replace:
            raise DuplicateId.of(next(iter(there)))
        rows = np.concatenate([self.space.rows(item.vector) for item in batch])
        held, first = self._rows, self._ledger.head["next"]
        held.file.write(first, rows)  # beyond what the head knows of, until the transaction that follows is through
        entries = [
            Entry(first + number, item.id, item.source, item.tags, item.data) for number, item in enumerate(batch)
        ]
        self._ledger.add(entries, list(there.values()))
        self._gone = np.union1d(self._gone, np.array([entry.slot for entry in there.values()], np.int64))
        held.settle(held.first, first + len(rows))

    def remove(self, ids: Iterable[str]) -> int:
        self._may_write()
        count, stream = 0, iter(ids)
        while batch := list(itertools.islice(stream, BATCH)):
            entries = list(self._ledger.by_id(list(dict.fromkeys(batch))).values())
            self._ledger.remove(entries)
            self._gone = np.union1d(self._gone, np.array([entry.slot for entry in entries], np.int64))
            count += len(entries)
        return count

    def save(self) -> None:
        """Bring the structure up to date where that is worth it, and move items together where many are gone."""
        if not self.writing:
            return
        if len(self._gone) > EMPTY_SHARE * self._rows.end and len(self._gone) > BATCH:
            self._move_together()
        choice, end = self._choice(), self._rows.end
        same = self._structure is not None and self._structure.choice == choice
        if end >= WORTH and not (same and end - self._covered <= LOOSE * end):
            self._build(choice)

    def rebuild(self, kind: str | None = None, components: int | None = None) -> None:
        """Make the structure anew from the vectors, of another kind where one is named.

        Raises:
            UsageError: no such kind.
        """
        self._may_write()
        head = self._ledger.head
        kind = head["kind"] if kind is None else kind
        components = head["components"] if components is None else components
        choice = choose(self.space, len(self), kind, components)
        if (kind, components) != (head["kind"], head["components"]):
            self._ledger.change(kind=kind, components=components)
        self._structure = None
        self._build(choice)

    # Searching

    def search(self, queries: npt.ArrayLike, k: int = 10, *, only: Filter = EVERYTHING) -> list[list[Hit]]:
        k = check_top(k)
        rows = self.space.rows(queries)
        self._look_again()
        return [self._hits(*found) for found in self._nearest(rows, k, self._passing(only))]

    def within(
        self, queries: npt.ArrayLike, least: float, *, only: Filter = EVERYTHING, most: int = 1000
    ) -> list[list[Hit]]:
        least, most = check_least(least), check_top(most, "most")
        rows = self.space.rows(queries)
        self._look_again()
        passing = self._passing(only)
        return [self._hits(*self._reaching(row, least, most, passing)) for row in rows]

    def _reaching(self, row: Vector, least: float, most: int, passing: Slots | None) -> tuple[Slots, Vector]:
        """Slots and similarities of all that reach ``least``: twice as many are asked for until one does not."""
        if isinstance(self._structure, Hashing) and passing is None:
            near = self._structure.within(row, int((1 - least) * self.space.dimension + 1e-6))
            return self._exactly(row, np.concatenate([near, self._rows.hold()]), most, least)
        k = 64
        while True:
            k = min(k, most)
            slots, similar = next(self._nearest(row[None], k, passing))
            if len(slots) < k or k == most or (len(similar) and similar[-1] < least):
                reached = similar >= least
                return slots[reached], similar[reached]
            k *= 4

    def _nearest(self, rows: Vector, k: int, passing: Slots | None) -> Iterator[tuple[Slots, Vector]]:
        """Slots and exact similarities of the nearest of every row, the nearest first."""
        if passing is not None and len(passing) <= FEW:
            yield from (self._exactly(row, passing, k) for row in rows)
            return
        if self._structure is None:
            yield from (self._among_all(row, k, passing) for row in rows)
            return
        covered = len(self._structure)
        allowed = None
        if passing is not None or len(self._gone):
            allowed = np.zeros(covered, bool)
            allowed[slice(None) if passing is None else passing[passing < covered]] = True
            allowed[self._gone[self._gone < covered]] = False
        depth = k + 8 if self._structure.exact else max(DEPTH, DEEPER * k)
        proposed = self._structure.propose(rows, depth, allowed)
        loose = self._rows.hold()
        if passing is not None:
            loose = np.intersect1d(loose, passing)
        for row, slots in zip(rows, proposed, strict=True):
            yield self._exactly(row, np.concatenate([slots[slots >= 0], loose]), k)

    def _among_all(self, row: Vector, k: int, passing: Slots | None) -> tuple[Slots, Vector]:
        """With no structure to search by: every row is compared."""
        slots, similar = [], []
        self._rows.hold()
        for first, rows in self._rows.blocks():
            own = np.arange(first, first + len(rows))
            kept = self._live(own) if passing is None else np.isin(own, passing) & self._live(own)
            slots.append(own[kept])
            similar.append(self.space.similarities(row, rows[kept]))
        self._tell_bad()
        if not slots:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        return _first(np.concatenate(slots), np.concatenate(similar), k)

    def _exactly(self, row: Vector, slots: Slots, k: int, least: float = 0.0) -> tuple[Slots, Vector]:
        """The nearest of these slots, by their rows."""
        slots = slots[self._live(slots)]
        rows = self._rows.of(slots)
        sound = self._rows.among(slots)
        self._tell_bad()
        slots, similar = slots[sound], self.space.similarities(row, rows[sound])
        reached = similar >= least
        return _first(slots[reached], similar[reached], k)

    def _hits(self, slots: Slots, similar: Vector) -> list[Hit]:
        entries = self._ledger.entries(slots.tolist())
        if len(entries) < len(slots):  # a writer removed some since we looked, or the file lost them
            self._look_again(again=True)
            lost = [slot for slot in slots[self._live(slots)].tolist() if slot not in entries]
            if lost:
                raise damage(self._ledger.path, f"the items of {len(lost)} vectors are missing")
        return [
            Hit(entry.id, float(value), entry.source, entry.tags, entry.data)
            for slot, value in zip(slots.tolist(), similar, strict=True)
            if (entry := entries.get(slot)) is not None
        ]

    def _passing(self, only: Filter) -> Slots | None:
        """The slots that pass, in order; None for all."""
        if not only:
            return None
        slots: Slots | None = None
        for tag in only.every:
            having = self._ledger.tagged(tag)
            slots = having if slots is None else np.intersect1d(slots, having, assume_unique=True)
        if only.some:
            having = np.unique(np.concatenate([self._ledger.tagged(tag) for tag in only.some]))
            slots = having if slots is None else np.intersect1d(slots, having, assume_unique=True)
        if slots is None:
            slots = np.setdiff1d(np.arange(self._rows.end), self._gone, assume_unique=True)
        for tag in only.none:
            slots = np.setdiff1d(slots, self._ledger.tagged(tag), assume_unique=True)
        if only.data:
            slots = np.intersect1d(slots, self._with_data(only, slots), assume_unique=True)
        return slots

    def _with_data(self, only: Filter, slots: Slots) -> Slots:
        few = len(slots) <= FEW
        entries = self._ledger.entries(slots.tolist()).values() if few else self._ledger.everything()
        wanted = only.data.items()
        passing = [
            entry.slot
            for entry in entries
            if all(name in entry.data and same_value(entry.data[name], value) for name, value in wanted)
        ]
        return np.array(sorted(passing), np.int64)

    # Telling

    def get(self, ids: Sequence[str]) -> list[Item | None]:
        self._look_again()
        entries = self._ledger.by_id(list(dict.fromkeys(ids)))
        slots = np.array([entry.slot for entry in entries.values()], np.int64)
        rows = dict(zip(entries, self._rows.of(slots), strict=True))
        return [_item(entries[each], rows[each]) if each in entries else None for each in ids]

    def items(self) -> Iterator[Item]:
        self._look_again()
        stream = self._ledger.everything()
        while batch := list(itertools.islice(stream, BATCH)):
            rows = self._rows.of(np.array([entry.slot for entry in batch], np.int64))
            bad = self._rows.bad
            self._tell_bad()
            yield from (_item(entry, row) for entry, row in zip(batch, rows, strict=True) if entry.slot not in bad)

    def count(self, only: Filter = EVERYTHING) -> int:
        self._look_again()
        passing = self._passing(only)
        return int(self._ledger.head["count"]) if passing is None else len(passing)

    def tags(self, only: Filter = EVERYTHING) -> dict[str, int]:
        self._look_again()
        passing = self._passing(only)
        if passing is None:
            return self._ledger.tags()
        counted = {
            tag: len(np.intersect1d(self._ledger.tagged(tag), passing, assume_unique=True))
            for tag in self._ledger.tags()
        }
        return dict(sorted(((t, n) for t, n in counted.items() if n), key=lambda pair: (-pair[1], pair[0])))

    def info(self) -> IndexInfo:
        self._look_again()
        choice = self._choice() if self._structure is None else self._structure.choice
        return IndexInfo(
            engine="local",
            kind=choice.kind,
            why=choice.why,
            count=int(self._ledger.head["count"]),
            space=self.space,
            bytes=sum(file.stat().st_size for file in self.folder.iterdir() if file.is_file()),
            place=str(self.folder),
            notices=tuple(self.notices),
            details={
                "components": choice.components,
                "in_structure": self._covered,
                "slots_of_removed": len(self._gone),
                "damaged": len(self._rows.bad),
            },
        )

    def close(self) -> None:
        self._structure = None
        if self._held is not None:
            self._held.close()
            self._held = None
        if hasattr(self, "_ledger"):
            self._ledger.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # Inside

    def _space(self) -> Space:
        try:
            return Space(**self._ledger.head["space"])
        except (TypeError, KeyError, UsageError) as error:
            raise damage(self._ledger.path, str(error)) from error

    def _may_write(self) -> None:
        if not self.writing:
            raise IndexLocked(
                f"{printable(str(self.folder))}: this index is open for reading only", remedy="open it for writing"
            )

    def _look_again(self, *, again: bool = False) -> None:
        """What another process wrote since the last time."""
        if not self.writing and (self._ledger.refresh() or again):
            self._settle()

    @property
    def _rows(self) -> Held:
        if self._held is None:
            raise UsageError(f"{printable(str(self.folder))}: this index is closed", remedy="open it again")
        return self._held

    @property
    def _covered(self) -> int:
        return 0 if self._structure is None else len(self._structure)

    def _settle(self) -> None:
        """Take in what the ledger says: the file of vectors, the structure, what is gone."""
        head = self._ledger.head
        self._gone = self._ledger.gone()
        if self._epoch != head["epoch"]:
            if self._held is not None:
                self._held.close()
            self._held = Held(self.folder / os.path.basename(head["vectors"]), self.space)
            self._epoch, self._structure = head["epoch"], None
        if self._structure is None:
            self._structure, why = opened(self.folder, self.space, head, growing=self.writing)
            if why:
                self._mend(why)
        self._rows.settle(self._covered, int(head["next"]))
        self._tell_bad()

    def _mend(self, why: str) -> None:
        done = "it is made anew" if self.writing else "everything is compared instead, which is slower"
        notice = f"the structure of this index is not what was written: {why}; {done}"
        if notice not in self.notices:
            self.notices.append(notice)
        if self.writing:
            self._rows.settle(0, int(self._ledger.head["next"]))
            self._build(self._choice())

    def _choice(self) -> Choice:
        head = self._ledger.head
        return choose(self.space, int(head["count"]), head["kind"], head["components"])

    def _build(self, choice: Choice) -> None:
        held = self._rows
        self._structure = built(choice, self.folder, self.space, self._ledger.head, held, self._structure)
        held.settle(len(self._structure), held.end)

    def _live(self, slots: Slots) -> npt.NDArray[np.bool_]:
        there = self._rows.among(slots)
        return there & ~np.isin(slots, self._gone) if len(self._gone) else there

    def _tell_bad(self) -> None:
        """Vectors that are not what was written are left out of all answers, and it is said."""
        fresh = self._rows.bad - self._told
        if not fresh:
            return
        self._told |= fresh
        entries = self._ledger.entries(sorted(fresh)[:1000]).values()  # of one that was removed, nobody need know
        if entries:
            named = ", ".join(printable(entry.id, 40) for entry in list(entries)[:5])
            self.notices.append(
                f"{len(entries)} vectors are damaged, and their items are left out of the answers: {named}"
                f"{' …' * (len(entries) > 5)}; add them again"
            )

    def _move_together(self) -> None:
        """Write the rows that are left to a new file, without gaps."""
        epoch = self._epoch + 1
        name = f"vectors-{epoch}.bin"
        fresh, first = RowFile(self.folder / name, self.space, create=True), 0
        for start, rows in self._rows.blocks():
            kept = rows[~np.isin(np.arange(start, start + len(rows)), self._gone)]
            if len(kept):
                fresh.write(first, kept)
            first += len(kept)
        fresh.close()
        self._ledger.renumber(epoch, {"vectors": name})
        for stale in self.folder.glob("vectors-*.bin"):
            if stale.name != name:
                with suppress(OSError):
                    stale.unlink()
        self._settle()


def _first(slots: Slots, similar: Vector, k: int) -> tuple[Slots, Vector]:
    """The ``k`` most similar, equals in the order of their slots."""
    order = np.lexsort((slots, -similar))[:k]
    return slots[order], similar[order]


def _item(entry: Entry, row: Vector) -> Item:
    return Item(entry.id, row, entry.source, entry.tags, entry.data)


def delete(folder: str | os.PathLike[str]) -> None:
    """Remove the index in a folder, and nothing else that may lie there.

    Raises:
        IndexNotFound: there is none.
        IndexLocked: another process is writing to it.
    """
    with LocalIndex(folder, writing=True) as index:
        path = index.folder
    for pattern in (f"{LEDGER}*", "vectors-*.bin", f"{NAME}-*", "manifest.json", "writer.lock"):
        for file in path.glob(pattern):
            file.unlink(missing_ok=True)
    if not any(path.iterdir()):
        shutil.rmtree(path, ignore_errors=True)
