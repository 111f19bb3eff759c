"""The vectors of an index as they are searched: those that no structure covers in memory, the others in the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.index.rows import RowFile, Slots

if TYPE_CHECKING:
    from lookalike.index.base import Space
    from lookalike.index.items import Vector

MOST_BYTES = 2**28
"""Rows without any structure, as they lie in the file, that are held in memory; beyond it they are read every time."""


class Held:
    """Rows 0 to ``end`` of a file, of which a structure covers those before ``first``.

    Args:
        path: the file.
        space: what the vectors are.
        owner: whose they are, see :class:`~lookalike.index.rows.RowFile`.

    Attributes:
        first, end: the loose rows, which searches compare one by one.
        bad: slots whose rows are not what was written; nothing that is read of them means anything.
    """

    def __init__(self, path: Path, space: Space, owner: str) -> None:
        self.space = space
        self.file = RowFile(path, space, owner)
        self.first = self.end = 0
        self.bad: set[int] = set()
        # to widen half precision takes ten times as long as to compare
        self._dtype = np.dtype(np.uint8 if space.metric == "hamming" else np.float32)
        self._start = 0
        self._loose = self._nothing()

    def settle(self, first: int, end: int) -> None:
        """Say which rows are loose; they are read when they are needed."""
        if not self._start <= first <= self._start + len(self._loose):
            self._start, self._loose = first, self._nothing()
        else:
            self._loose = self._loose[first - self._start :].copy()
            self._start = first
        self.first, self.end = first, end

    def hold(self) -> npt.NDArray[np.int64]:
        """The loose slots, their rows in memory from now on, if they are not too many."""
        have = self._start + len(self._loose)
        if have < self.end and (self.first or self.end * self.file.width <= MOST_BYTES):
            fresh = [rows.astype(self._dtype, copy=False) for _, rows in self._checked(have, self.end)]
            self._loose = np.concatenate([self._loose, *fresh])
        return np.arange(self.first, self.end)

    def of(self, slots: Slots) -> Vector:
        """The rows of these slots; look at :attr:`bad` after."""
        made = np.empty((len(slots), *self.space.row_shape), self._dtype)
        loose = (slots >= self._start) & (slots < self._start + len(self._loose))
        made[loose] = self._loose[slots[loose] - self._start]
        made[~loose], sound = self.file.read(slots[~loose])
        self.bad.update(slots[~loose][~sound].tolist())
        return made

    def blocks(self, first: int = 0) -> Iterator[tuple[int, Vector]]:
        """All rows from a slot on, as ``(slot, rows)``, a block at a time; damaged ones are zero."""
        if self._start <= first and self._start + len(self._loose) >= self.end:
            yield first, self._loose[first - self._start :]
            return
        yield from self._checked(first, self.end)

    def _checked(self, first: int, end: int) -> Iterator[tuple[int, Vector]]:
        for start, rows, sound in self.file.blocks(first, end):
            self.bad.update((np.flatnonzero(~sound) + start).tolist())
            yield start, rows

    def _nothing(self) -> Vector:
        return np.empty((0, *self.space.row_shape), self._dtype)

    def among(self, slots: Slots) -> npt.NDArray[np.bool_]:
        """Which of these are sound, as far as they were looked at."""
        return ~np.isin(slots, list(self.bad)) if self.bad else np.ones(len(slots), bool)

    def close(self) -> None:
        """Close the file."""
        self.file.close()
