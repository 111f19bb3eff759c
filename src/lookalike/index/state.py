"""One state of an index: its vectors, the structure over most of them, what is gone; and the search among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.index.hashing import Hashing

if TYPE_CHECKING:
    from lookalike.index.base import Space
    from lookalike.index.held import Held
    from lookalike.index.items import Vector
    from lookalike.index.rows import Slots
    from lookalike.index.structures import Structure

FEW = 20_000
"""Items that pass a filter up to which they are compared one by one."""


class State:
    """What a search sees.

    Attributes:
        held: the vectors.
        structure: proposes candidates among the first of them; None where there is none.
        gone: slots of items that were removed, in order.
    """

    def __init__(self, space: Space, held: Held) -> None:
        self.space, self.held = space, held
        self.structure: Structure | Hashing | None = None
        self.gone: Slots = np.empty(0, np.int64)

    @property
    def covered(self) -> int:
        """Slots before this are in the structure."""
        return 0 if self.structure is None else len(self.structure)

    def let_go(self, slots: Sequence[int]) -> None:
        """These are gone, too."""
        if slots:
            self.gone = np.union1d(self.gone, np.array(slots, np.int64))

    def nearest(self, rows: Vector, k: int, passing: Slots | None) -> Iterator[tuple[Slots, Vector]]:
        """Slots and exact similarities of the nearest of every row, the nearest first.

        Args:
            rows: queries, (n, …).
            k: how many of each.
            passing: slots that may be answers, in order; all where None.
        """
        if passing is not None and len(passing) <= FEW:
            yield from (self._exactly(row, passing, k) for row in rows)
            return
        if self.structure is None:
            yield from (self._among_all(row, k, passing) for row in rows)
            return
        covered = self.covered
        allowed = None
        if passing is not None or len(self.gone):
            allowed = np.zeros(covered, bool)
            allowed[slice(None) if passing is None else passing[passing < covered]] = True
            allowed[self.gone[self.gone < covered]] = False
        proposed = self.structure.propose(rows, self.structure.depth(k), allowed)
        loose = self.held.hold()
        if passing is not None:
            loose = np.intersect1d(loose, passing)
        for row, slots in zip(rows, proposed, strict=True):
            yield self._exactly(row, np.concatenate([slots[slots >= 0], loose]), k)

    def reaching(self, row: Vector, least: float, most: int, passing: Slots | None) -> tuple[Slots, Vector]:
        """Slots and similarities of all that reach ``least``: more are asked for until one does not."""
        if isinstance(self.structure, Hashing) and passing is None:
            near = self.structure.within(row, int((1 - least) * self.space.dimension + 1e-6))
            return self._exactly(row, np.concatenate([near, self.held.hold()]), most, least)
        k = 64
        while True:
            k = min(k, most)
            slots, similar = next(self.nearest(row[None], k, passing))
            if len(slots) < k or k == most or (len(similar) and similar[-1] < least):
                reached = similar >= least
                return slots[reached], similar[reached]
            k *= 4

    def _among_all(self, row: Vector, k: int, passing: Slots | None) -> tuple[Slots, Vector]:
        """With no structure to search by: every row is compared."""
        slots, similar = [], []
        self.held.hold()
        for first, rows in self.held.blocks():
            own = np.arange(first, first + len(rows))
            kept = self._live(own) if passing is None else np.isin(own, passing) & self._live(own)
            whole = bool(kept.all())  # then nothing need be copied
            slots.append(own if whole else own[kept])
            similar.append(self.space.similarities(row, rows if whole else rows[kept]))
        if not slots:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        return _first(np.concatenate(slots), np.concatenate(similar), k)

    def _exactly(self, row: Vector, slots: Slots, k: int, least: float = 0.0) -> tuple[Slots, Vector]:
        """The nearest of these slots, by their rows."""
        slots = slots[self._live(slots)]
        rows = self.held.of(slots)
        sound = self.held.among(slots)
        slots, similar = slots[sound], self.space.similarities(row, rows[sound])
        reached = similar >= least
        return _first(slots[reached], similar[reached], k)

    def _live(self, slots: Slots) -> npt.NDArray[np.bool_]:
        there = self.held.among(slots)
        return there & ~np.isin(slots, self.gone) if len(self.gone) else there


def _first(slots: Slots, similar: Vector, k: int) -> tuple[Slots, Vector]:
    """The ``k`` most similar, equals in the order of their slots."""
    if len(slots) > 4 * k + 1000:  # those beyond the k-th value need not be sorted
        least = np.partition(similar, len(similar) - k)[len(similar) - k]
        near = similar >= least
        slots, similar = slots[near], similar[near]
    order = np.lexsort((slots, -similar))[:k]
    return slots[order], similar[order]
