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
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import DuplicateId, IndexLocked, OutputError, UsageError, printable
from lookalike.files import cannot_write
from lookalike.index.base import EVERYTHING, IndexInfo, Space, VectorIndex, check_least, check_top
from lookalike.index.derived import built, opened
from lookalike.index.held import Held
from lookalike.index.items import Filter, Hit, Item, Vector, checked_item, each_of
from lookalike.index.ledger import Entry, Ledger, damage
from lookalike.index.lock import WriterLock
from lookalike.index.named import LEDGER
from lookalike.index.passing import Passing
from lookalike.index.rows import RowFile, Slots
from lookalike.index.state import State
from lookalike.index.structures import Choice, choose

BATCH = 4096
"""Items that are acknowledged at a time."""

LOOSE = 0.02
"""Share of items outside the structure from which saving takes them in."""

WORTH = 5_000
"""Items from which a structure is worth its file."""

EMPTY_SHARE = 0.3
"""Share of slots whose items are gone from which saving moves the others together."""


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
        self._opened: State | None = None
        self._epoch = -1
        self._told: set[int] = set()
        self._turn = threading.RLock()
        try:
            self._ledger = Ledger(self.folder / LEDGER, writing=self.writing)
            self._filters = Passing(self._ledger)
            self.space = self._space()
            with self._looking(again=True):
                self._state.held.of(self._ledger.ends())  # a file that is cut short is noticed now
                self._tell_bad()
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
        RowFile(path / "vectors-0.bin", space, _owner(head), create=True).close()
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
            with self._turn:
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
        rows = self.space.stacked([item.vector for item in batch])
        state, first = self._state, self._ledger.head["next"]
        state.held.file.write(
            first, rows
        )  # beyond what the head knows of, until the transaction that follows is through
        entries = [
            Entry(first + number, item.id, item.source, item.tags, item.data) for number, item in enumerate(batch)
        ]
        self._ledger.add(entries, list(there.values()))
        state.let_go([entry.slot for entry in there.values()])
        state.held.settle(state.covered, first + len(rows))

    def remove(self, ids: Iterable[str]) -> int:
        self._may_write()
        count, stream = 0, each_of(ids)
        while batch := list(itertools.islice(stream, BATCH)):
            with self._turn:
                entries = list(self._ledger.by_id(list(dict.fromkeys(batch))).values())
                self._ledger.remove(entries)
                self._state.let_go([entry.slot for entry in entries])
            count += len(entries)
        return count

    def save(self) -> None:
        """Bring the structure up to date where that is worth it, and move items together where many are gone."""
        if not self.writing:
            return
        with self._turn:
            gone, end = len(self._state.gone), self._state.held.end
            if gone > EMPTY_SHARE * end and gone > BATCH:
                self._move_together()
            choice, state, end = self._choice(), self._state, self._state.held.end
            same = state.structure is not None and state.structure.choice == choice
            if end >= WORTH and not (same and end - state.covered <= LOOSE * end):
                self._build(choice)
            self._ledger.settle()

    def rebuild(self, kind: str | None = None, components: int | None = None) -> None:
        """Make the structure anew from the vectors, of another kind where one is named.

        Raises:
            UsageError: no such kind.
        """
        self._may_write()
        with self._turn:
            head = self._ledger.head
            kind = head["kind"] if kind is None else kind
            components = head["components"] if components is None else components
            choice = choose(self.space, len(self), kind, components)
            if (kind, components) != (head["kind"], head["components"]):
                self._ledger.change(kind=kind, components=components)
            self._state.structure = None
            self._build(choice)

    # Searching

    def search(self, queries: npt.ArrayLike, k: int = 10, *, only: Filter = EVERYTHING) -> list[list[Hit]]:
        k = check_top(k)
        rows = self.space.rows(queries)
        with self._looking():
            return [self._hits(*found) for found in self._state.nearest(rows, k, self._passing(only))]

    def within(
        self, queries: npt.ArrayLike, least: float, *, only: Filter = EVERYTHING, most: int = 1000
    ) -> list[list[Hit]]:
        least, most = check_least(least), check_top(most, "most")
        rows = self.space.rows(queries)
        with self._looking():
            passing = self._passing(only)
            return [self._hits(*self._state.reaching(row, least, most, passing)) for row in rows]

    def _hits(self, slots: Slots, similar: Vector) -> list[Hit]:
        self._tell_bad()
        entries = self._ledger.entries(slots.tolist())
        if len(entries) < len(slots):
            raise damage(self._ledger.path, f"the items of {len(slots) - len(entries)} vectors are missing")
        return [
            Hit(entry.id, float(value), entry.source, entry.tags, entry.data)
            for value, entry in zip(similar, (entries[slot] for slot in slots.tolist()), strict=True)
        ]

    def _passing(self, only: Filter) -> Slots | None:
        return self._filters.slots(only, self._state.gone)

    # Telling

    def get(self, ids: Sequence[str]) -> list[Item | None]:
        names = list(each_of(ids))
        with self._looking():
            sound = self._sound(list(self._ledger.by_id(list(dict.fromkeys(names))).values()))
        there = {item.id: item for item in sound}
        return [there.get(each) for each in names]

    def items(self) -> Iterator[Item]:
        last, epoch = -1, self._epoch
        batch: list[Entry] = []
        while True:
            with self._looking():
                if epoch != self._epoch and batch:  # moved together since: where we are by the last that is there
                    there = self._ledger.by_id([entry.id for entry in batch])
                    if not there:
                        raise IndexLocked(
                            f"{printable(str(self.folder))}: what was read was removed meanwhile",
                            remedy="read it again",
                        )
                    last = max(entry.slot for entry in there.values())
                epoch = self._epoch
                batch = self._ledger.following(last, BATCH)
                made = self._sound(batch)
            if not batch:
                return
            last = batch[-1].slot
            yield from made

    def sources(self) -> Iterator[tuple[str, str]]:
        with self._looking():
            return iter([(entry.id, entry.source) for entry in self._ledger.everything()])

    def _sound(self, entries: Sequence[Entry]) -> list[Item]:
        """The items of these entries, without those whose vectors are damaged."""
        slots = np.array([entry.slot for entry in entries], np.int64)
        rows = self._state.held.of(slots)
        self._tell_bad()
        found = zip(entries, rows, self._state.held.among(slots), strict=True)
        return [Item(entry.id, row, entry.source, entry.tags, entry.data) for entry, row, sound in found if sound]

    def count(self, only: Filter = EVERYTHING) -> int:
        with self._looking():
            passing = self._passing(only)
            return int(self._ledger.head["count"]) if passing is None else len(passing)

    def tags(self, only: Filter = EVERYTHING) -> dict[str, int]:
        with self._looking():
            passing = self._passing(only)
            if passing is None:
                return self._ledger.tags()
            counted = {
                tag: len(np.intersect1d(self._ledger.tagged(tag), passing, assume_unique=True))
                for tag in self._ledger.tags()
            }
        return dict(sorted(((t, n) for t, n in counted.items() if n), key=lambda pair: (-pair[1], pair[0])))

    def info(self) -> IndexInfo:
        with self._looking():
            return self._info()

    def _info(self) -> IndexInfo:
        state = self._state
        choice = self._choice() if state.structure is None else state.structure.choice
        return IndexInfo(
            engine="local",
            kind=choice.kind,
            why=choice.why,
            count=int(self._ledger.head["count"]),
            space=self.space,
            bytes=sum(
                file.stat().st_size
                for file in self.folder.iterdir()
                if file.is_file() and not file.name.endswith(("-wal", "-shm"))
            ),
            place=str(self.folder),
            notices=tuple(self.notices),
            details={
                "components": choice.components,
                "in_structure": state.covered,
                "slots_of_removed": len(state.gone),
                "damaged": len(state.held.bad),
            },
        )

    def close(self) -> None:
        if self._opened is not None:
            self._opened.held.close()
            self._opened = None
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

    @contextmanager
    def _looking(self, *, again: bool = False) -> Iterator[None]:
        """One state of the index, the newest, however much another process writes meanwhile; threads take turns."""
        with self._turn:
            self._may_read()
            for attempts_left in (3, 2, 1, 0):
                with self._ledger.snapshot():
                    try:
                        changed = not self.writing and self._ledger.refresh()
                        if again or changed:
                            self._settle()
                    except FileNotFoundError as error:  # moved together between our two looks, or lost
                        if not attempts_left:
                            raise damage(self._ledger.path, "its vectors are missing") from error
                        again = True
                        continue
                    yield
                    return

    def _may_read(self) -> None:
        if self._epoch >= 0 and self._opened is None:
            raise UsageError(f"{printable(str(self.folder))}: this index is closed", remedy="open it again")

    @property
    def _state(self) -> State:
        self._may_read()
        assert self._opened is not None
        return self._opened

    def _settle(self) -> None:
        """Take in what the ledger says: the file of vectors, the structure, what is gone."""
        head = self._ledger.head
        if self._epoch != head["epoch"]:
            held = Held(self.folder / os.path.basename(head["vectors"]), self.space, _owner(head))
            if self._opened is not None:
                self._opened.held.close()
            self._opened, self._epoch, self._told = State(self.space, held), head["epoch"], set()
            if held.file.is_of_another():
                raise damage(self._ledger.path, "its items and its vectors are of two indexes")
        state, end = self._state, int(head["next"])
        state.gone = self._ledger.gone()
        if state.structure is None or (not self.writing and end - state.covered > max(BATCH, LOOSE * end)):
            found, why = opened(self.folder, self.space, head, growing=self.writing)
            state.structure = found or state.structure
            if why and state.structure is None:
                self._mend(why)
        state.held.settle(state.covered, end)
        self._tell_bad()

    def _mend(self, why: str) -> None:
        done = "it is made anew" if self.writing else "everything is compared instead, which is slower"
        notice = f"the structure of this index is not what was written: {why}; {done}"
        if notice not in self.notices:
            self.notices.append(notice)
        if self.writing:
            self._state.held.settle(0, int(self._ledger.head["next"]))
            self._build(self._choice())

    def _choice(self) -> Choice:
        head = self._ledger.head
        return choose(self.space, int(head["count"]), head["kind"], head["components"])

    def _build(self, choice: Choice) -> None:
        state = self._state
        if state.held.end < 2:  # nothing that a quantiser could be fitted to
            return
        try:
            state.structure = built(choice, self.folder, self.space, self._ledger.head, state.held, state.structure)
        finally:  # one that could not be written may have grown all the same
            state.held.settle(state.covered, state.held.end)
            self._tell_bad()

    def _tell_bad(self) -> None:
        """Vectors that are not what was written are left out of all answers, and it is said."""
        fresh = self._state.held.bad - self._told
        if not fresh:
            return
        self._told |= fresh
        entries = self._ledger.entries(sorted(fresh)[:1000]).values()  # of one that was removed, nobody need know
        if entries:
            named = ", ".join(printable(entry.id, 40) for entry in list(entries)[:5])
            self.notices.append(
                f"the vectors of these items are damaged, and they are left out of the answers: {named}"
                f"{f' and {len(entries) - 5} more' if len(entries) > 5 else ''}; build or add again mends them"
            )

    def _move_together(self) -> None:
        """Write the rows that are left to a new file, without gaps."""
        epoch = self._epoch + 1
        name = f"vectors-{epoch}.bin"
        owner = _owner({**self._ledger.head, "epoch": epoch})
        fresh, first = RowFile(self.folder / name, self.space, owner, create=True), 0
        for start, rows in self._state.held.blocks():
            slots = np.arange(start, start + len(rows))
            kept = ~np.isin(slots, self._state.gone)
            if kept.any():
                fresh.write(first, rows[kept], self._state.held.among(slots[kept]))  # what is damaged stays so
            first += int(kept.sum())
        fresh.close()
        self._ledger.renumber(epoch, {"vectors": name})
        for stale in self.folder.glob("vectors-*.bin"):
            if stale.name != name:
                with suppress(OSError):
                    stale.unlink()
        self._settle()


def _owner(head: Mapping[str, Any]) -> str:
    """Whose vectors a file holds: those of this index since it was last moved together."""
    return f"{head['uid']} {head['epoch']}"
