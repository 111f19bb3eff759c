"""Candidates → those worth a look, likeliest first, told from stored features: no file is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.collection import frames, matches
from lookalike.collection.guesses import FrameGuess, Guess, PartGuess
from lookalike.features.cells import GRID

if TYPE_CHECKING:
    from lookalike.collection.neighbours import Whitening
    from lookalike.collection.shelf import Shelf

Pairs = npt.NDArray[np.int32]

AT_ONCE = 4096
"""Pictures whose features are read at a time."""

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
        self._spread = np.zeros((len(shelf.files), GRID * GRID, matches.AXES), np.int8)
        self._halved = np.zeros((len(shelf.files), GRID * GRID // 4, matches.AXES), np.int8)
        self._is_spread = np.zeros(len(shelf.files), np.bool_)

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
        self._spread_out(np.unique(pairs))
        found = [
            guess
            for start in range(0, len(pairs), PIECE)
            for guess in matches.place_guesses(self._spread, pairs[start : start + PIECE])
        ]
        passed = [(guess, pair) for guess, pair in zip(found, pairs.tolist(), strict=True) if guess is not None]
        passed.sort(key=lambda each: (-each[0].strength, *each[1]))
        return Screened(np.array([pair for _, pair in passed], np.int32).reshape(-1, 2), [guess for guess, _ in passed])

    def parts(self, pairs: Pairs) -> Screened:
        """Those of which one has all that the other shows, at half the size."""
        self._spread_out(np.unique(pairs))
        guesses: list[PartGuess] = []
        for start in range(0, len(pairs), PIECE):
            guesses += matches.part_guesses(self._spread, self._halved, pairs[start : start + PIECE])
        strength = np.array([guess.strength for guess in guesses])
        order = np.argsort(-strength, kind="stable")
        left = order[strength[order] >= matches.LEAST_WITHIN]
        return Screened(pairs[left], [guesses[number] for number in left])

    def _spread_out(self, used: npt.NDArray[np.int32]) -> None:
        """Make the cells of these pictures comparable, where they are not yet."""
        for part in _parts(used[~self._is_spread[used]]):
            grids = self.shelf.grids("cells", part)
            if self._space is None:
                self._space = matches.cell_space(grids)
            self._spread[part] = matches.spread_cells(self._space, grids)
            self._halved[part] = matches.spread_cells(self._space, self.shelf.grids("halved", part))
            self._is_spread[part] = True


def _parts(indices: npt.NDArray[np.integer]) -> list[npt.NDArray[np.integer]]:
    return [indices[start : start + AT_ONCE] for start in range(0, len(indices), AT_ONCE)]
