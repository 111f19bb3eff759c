"""Candidates → those worth a look, likeliest first, told from stored features: no file is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.collection import frames, matches
from lookalike.collection.guesses import FrameGuess, Guess
from lookalike.features.cells import GRID

if TYPE_CHECKING:
    from lookalike.collection.neighbours import Whitening
    from lookalike.collection.shelf import Shelf

Pairs = npt.NDArray[np.int32]

AT_ONCE = 4096
"""Pictures whose features are read at a time."""

KEPT = 32_768
"""Pictures whose cells stay comparable; of one go there are half as many at most."""

PIECE = 256
"""Pairs whose cells are matched at a time: what fits the cache."""


class Screened(NamedTuple):
    """Pairs that passed, likeliest first, and how they may lie; None where nobody has looked at them yet."""

    pairs: Pairs
    guesses: Sequence[Guess] | None = None


class Screens:
    """The tests of candidates, with what they need of the pictures on ``shelf``."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._space: Whitening | None = None
        self.forget()

    def forget(self) -> None:
        """Let go of the cells that were made comparable."""
        size = min(len(self.shelf.files), KEPT)
        self._cells = np.empty((size, GRID * GRID, matches.AXES), np.int8)
        self._halved = np.empty((size, GRID * GRID // 4, matches.AXES), np.int8)
        self._row = np.full(len(self.shelf.files), -1, np.int32)  # of those two, of each picture that is there
        self._filled = 0

    def frames(self, pairs: Pairs) -> Screened:
        """Those whose whole frames agree at 24 pixels, in some flip or turn."""
        used = np.unique(pairs)
        small = np.concatenate([frames.tiny(self.shelf.unpacked("look", part)) for part in _parts(used)])
        laid = frames.frames_agree(small, np.searchsorted(used, pairs))
        order = np.argsort(-laid.agree, kind="stable")
        left = order[laid.agree[order] >= frames.LEAST_AGREE]
        guesses = [FrameGuess(int(laid.orientation[number]), bool(laid.inside[number])) for number in left]
        return Screened(pairs[left], guesses)

    def cells(self, pairs: Pairs) -> Screened:
        """Those in which the same things stand side by side."""
        rows = self._rows(pairs)
        parts = [rows[start : start + PIECE] for start in range(0, len(rows), PIECE)]
        found = [guess for part in parts for guess in matches.place_guesses(self._cells, part)]
        passed = [(guess, pair) for guess, pair in zip(found, pairs.tolist(), strict=True) if guess is not None]
        passed.sort(key=lambda each: (-each[0].strength, *each[1]))
        return Screened(np.array([pair for _, pair in passed], np.int32).reshape(-1, 2), [guess for guess, _ in passed])

    def parts(self, pairs: Pairs) -> Screened:
        """Those of which one has all that the other shows, at half the size."""
        rows = self._rows(pairs)
        parts = [rows[start : start + PIECE] for start in range(0, len(rows), PIECE)]
        guesses = [guess for part in parts for guess in matches.part_guesses(self._cells, self._halved, part)]
        strength = np.array([guess.strength for guess in guesses])
        order = np.argsort(-strength, kind="stable")
        left = order[strength[order] >= matches.LEAST_WITHIN]
        return Screened(pairs[left], [guesses[number] for number in left])

    def _rows(self, pairs: Pairs) -> Pairs:
        """The rows of these pictures' cells, which are made comparable where they are not yet there."""
        used = np.unique(pairs)
        fresh = used[self._row[used] < 0]
        if self._filled + len(fresh) > len(self._cells):  # of very many pictures the earlier ones go
            self._row[:], self._filled, fresh = -1, 0, used
        for part in _parts(fresh):
            grids = self.shelf.grids("cells", part)
            if self._space is None:
                self._space = matches.cell_space(grids)
            rows = slice(self._filled, self._filled + len(part))
            self._cells[rows] = matches.spread_cells(self._space, grids)
            self._halved[rows] = matches.spread_cells(self._space, self.shelf.grids("halved", part))
            self._row[part] = np.arange(rows.start, rows.stop)
            self._filled = rows.stop
        return self._row[pairs]


def _parts(indices: npt.NDArray[np.integer]) -> list[npt.NDArray[np.integer]]:
    return [indices[start : start + AT_ONCE] for start in range(0, len(indices), AT_ONCE)]
