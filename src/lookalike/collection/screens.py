"""Candidates → those worth a look, likeliest first, told from stored features: no file is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.collection import frames, matches
from lookalike.collection.guesses import FrameGuess, Guess
from lookalike.collection.hues import BINS, Hues, hues
from lookalike.features.cells import GRID

if TYPE_CHECKING:
    from lookalike.collection.crew import Crew
    from lookalike.collection.neighbours import Whitening
    from lookalike.collection.shelf import Shelf

Pairs = npt.NDArray[np.int32]

AT_ONCE = 4096
"""Pictures whose features are read at a time."""

PIECE = 256
"""Pairs whose cells a hand of the crew matches at a time."""


MUCH = 4000
"""Pairs from which processes are worth their start."""


class Screened(NamedTuple):
    """Pairs that passed, likeliest first, and how they may lie; None where nobody has looked at them yet."""

    pairs: Pairs
    guesses: Sequence[Guess] | None = None


class Screens:
    """The tests of candidates, with what they need of the pictures on ``shelf``."""

    def __init__(self, shelf: Shelf, crew: Crew) -> None:
        self.shelf, self.crew = shelf, crew
        self._hues = np.zeros((len(shelf.files), BINS * BINS), np.float32)
        self._has_hues = np.zeros(len(shelf.files), np.bool_)
        self._space: Whitening | None = None
        self._spread = np.zeros((len(shelf.files), GRID * GRID, matches.AXES), np.int8)
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
        pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]  # so that a piece has few pictures
        pieces = (self._piece(part) for part in np.split(pairs, range(PIECE, len(pairs), PIECE)))
        matched = self.crew.do(matches.place_guesses, pieces, much=len(pairs) > MUCH)
        said = [guess for found in matched for guess in found]
        passed = [(guess, pair) for guess, pair in zip(said, pairs, strict=True) if guess is not None]
        passed.sort(key=lambda each: (-each[0].strength, *each[1]))
        return Screened(np.array([pair for _, pair in passed], np.int32).reshape(-1, 2), [guess for guess, _ in passed])

    def _piece(self, pairs: Pairs) -> matches.Cells:
        used = np.unique(pairs)
        return matches.Cells(self._spread[used], np.searchsorted(used, pairs))

    def hues(self, indices: npt.NDArray[np.int32]) -> Hues:
        """Which colours these pictures have, see :func:`~lookalike.collection.hues.hues`."""
        fresh = indices[~self._has_hues[indices]]
        for part in _parts(fresh):
            self._hues[part] = hues(self.shelf.unpacked("tint", part))
        self._has_hues[fresh] = True
        return self._hues[indices]

    def _spread_out(self, used: npt.NDArray[np.int32]) -> None:
        """Make the cells of these pictures comparable, where they are not yet."""
        for part in _parts(used[~self._is_spread[used]]):
            grids = self.shelf.unpacked("cells", part)
            if self._space is None:
                self._space = matches.cell_space(grids)
            self._spread[part] = matches.spread_cells(self._space, grids)
            self._is_spread[part] = True


def _parts(indices: npt.NDArray[np.integer]) -> list[npt.NDArray[np.integer]]:
    return [indices[start : start + AT_ONCE] for start in range(0, len(indices), AT_ONCE)]
