"""Lists of pairs that may be copies, each by another trait; what is laid beside each other comes from the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.collection import layout
from lookalike.collection.candidates import MANY, RINGS_FLOOR, SPACES, Spaces, candidates, inside, pasted
from lookalike.collection.guesses import InsetGuess
from lookalike.collection.hues import Hues, colour_likeness
from lookalike.collection.neighbours import Ranked, Vectors, Whitening, whitening

if TYPE_CHECKING:
    from lookalike.collection.search import Search
    from lookalike.collection.shelf import Shelf

Some: TypeAlias = Sequence[int] | None
Indices = npt.NDArray[np.integer[Any]]
Make: TypeAlias = Callable[[Indices], npt.NDArray[np.floating[Any]]]

BLOCK = 256
"""Pictures whose vectors are made at a time: what stays in the cache takes a third of the time."""

SAMPLED = 10_000
"""Pictures, evenly spread, that tell how to spread the vectors of all."""

COLOUR = 2.0
"""What likeness of colours weighs against likeness of what is shown, where only copies matter. With it, of the crops to
a half in a catalogue 64 % are among the first two candidates a picture, without it 32 %."""


class Lists:
    """Lists of candidates of one run.

    Args:
        shelf: the pictures' features.
        search: how neighbours are found.
        spaces: what spread the vectors of an earlier run; what this one fits is added.

    Attributes:
        boxes: for the pairs of the list ``insets``, where one may lie in the other.
    """

    def __init__(self, shelf: Shelf, search: Search, spaces: Spaces) -> None:
        self.shelf, self.search, self.spaces = shelf, search, spaces
        self.count = len(shelf.files)
        self.boxes: dict[tuple[int, int], InsetGuess] = {}
        self._hues: Hues | None = None

    def named(self, name: str, rows: Some, columns: Some) -> Ranked:
        """The list called ``name``, see :data:`~lookalike.collection.candidates.SPACES`, likeliest first."""
        make = {"windows": self._by_windows, "insets": self._by_insets}.get(name)
        if make is not None:
            return make(rows, columns)
        vectors: dict[str, Make] = {
            "rings": lambda part: self.shelf.vectors("disc", part),
            "whole": lambda part: layout.quarters(self.shelf.grids("patches", part)),
        }
        space = self._space(name, [vectors[name]], RINGS_FLOOR if name == "rings" else 0.01)
        return candidates(self._spread(space, vectors[name]), rows, columns, self.search)

    def by_colour(self, ranked: Ranked) -> Ranked:
        """The pairs in another order: those in other colours are no copies, and come last."""
        if self._hues is None:
            self._hues = self.shelf.vectors("hues").astype(np.float32)
        hues, first, second = self._hues, ranked.first, ranked.second
        score = ranked.score.copy()
        for start in range(0, len(score), 8192):  # what stays in the cache
            part = slice(start, start + 8192)
            alike = colour_likeness(hues[first[part]], hues[second[part]])
            score[part] += COLOUR * (alike - 1)
        order = np.argsort(-score, kind="stable")
        return Ranked(first[order], second[order], score[order])

    def _by_windows(self, rows: Some, columns: Some) -> Ranked:
        def windows(part: Indices) -> Vectors:
            return layout.windows(self.shelf.grids("patches", part))

        space = self._space("windows", [self._halved, windows], sampled=SAMPLED // 4)
        return inside(
            self._spread(space, self._halved), self._spread(space, windows, layout.WINDOWS), rows, columns, self.search
        )

    def _by_insets(self, rows: Some, columns: Some) -> Ranked:
        insets = self.shelf.insets()
        vectors = layout.quarters(insets.grids)
        space = self._space("insets", [self._halved, lambda _: vectors])
        halves = self._spread(space, self._halved)
        ranked, number = pasted(space(vectors), insets.owners, halves, rows, columns, self.search)
        self.boxes = {
            (int(a), int(b)): InsetGuess(bool(insets.owners[which] == a), *[tuple(insets.boxes[which].tolist())])
            for a, b, which in zip(ranked.first, ranked.second, number, strict=True)
        }
        return ranked

    def _halved(self, part: Indices) -> Vectors:
        return layout.quarters(self.shelf.grids("halved", part))

    def _space(self, name: str, made: Sequence[Make], floor: float = 0.01, sampled: int = SAMPLED) -> Whitening:
        """What spreads the vectors of that list; fitted on so many pictures where no earlier run has."""
        if name not in self.spaces:
            sample = np.arange(0, self.count, max(1, self.count // sampled))
            axes = SPACES[name] if self.count <= MANY else min(SPACES[name], 96)
            self.spaces[name] = whitening(np.concatenate([make(sample) for make in made]), axes, floor)
        return self.spaces[name]

    def _spread(self, space: Whitening, make: Make, each: int = 1) -> Vectors:
        """The vectors of all pictures, ``each`` so many, spread: float32; never all of them before that."""
        found = np.empty((each * self.count, space.matrix.shape[1]), np.float32)
        for start in range(0, self.count, BLOCK):
            stop = min(start + BLOCK, self.count)
            found[each * start : each * stop] = space(make(np.arange(start, stop)))
        return found
