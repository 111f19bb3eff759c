"""All pairs: candidates, a screen that opens no file, confirmation by the default rule.

Nothing grows with the square of the pictures: the matrix of all similarities exists in blocks only, and what is kept is
a list of neighbours a picture and the pairs found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from lookalike.collection.candidates import FEW, WIDTHS, Spaces, candidates, every_pair, space_of_rings, space_of_shown
from lookalike.collection.confirm import Confirmation
from lookalike.collection.guesses import Guess, PlaceGuess
from lookalike.collection.hues import colour_likeness
from lookalike.collection.judge import Judgement
from lookalike.collection.neighbours import Ranked, Whitening
from lookalike.collection.screens import Screened, Screens
from lookalike.collection.shelf import Shelf
from lookalike.types import Comparison, Failure

if TYPE_CHECKING:
    from lookalike.collection.crew import Crew
    from lookalike.collection.extract import Progress
    from lookalike.collection.store import Store
    from lookalike.images.limits import Limits
    from lookalike.scoring.presets import Preset
    from lookalike.types import Mode, PictureFile

Pairs = npt.NDArray[np.int32]
Fit: TypeAlias = Callable[[npt.NDArray[np.float16]], Whitening]

BLOCK = 8192
"""Candidates screened at a time."""

NEAR = 0.9
"""Score from which only copies matter, and pictures in other colours do not."""

COLOUR = 2.0
"""What likeness of colours weighs against likeness of what is shown, where only copies matter. With it, of the crops to
a half in a catalogue 64 % are among the first two candidates a picture, without it 32 %."""

RICH = 0.2
"""Share of copies among the last candidates from which the next ones are looked at too."""

IN_VAIN = {"rings": 0.15, "shown": 0.45}
"""Comparisons a picture that may come to nothing, in either list: a catalogue has no end of pictures much alike, and
the likeliest are compared first."""

LOOK = 0.2
"""What a look at two thumbnails costs, of a comparison."""

CLOSED = 0.2
"""Pairs a picture that are compared because both are copies of a third."""

LARGEST_FAMILY = 400
"""Pictures hanging together up to which every two of them are compared."""

REFLECTED: dict[Mode, tuple[int, float]] = {"quick": (0, 0), "default": (64, 0.01), "thorough": (256, 0.5)}
"""Pairs that the look left open and that are compared in full, with keypoints: at least, and per picture."""


@dataclass(slots=True)
class Paired:
    """What a run over all pairs found.

    Attributes:
        comparisons: those scored, whatever their score.
        failures: pictures that could not be compared after all.
        spaces: what spread the vectors; None for a handful of pictures.
        looked_at: pairs proposed, and of those compared.
    """

    comparisons: list[Comparison] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    spaces: Spaces | None = None
    looked_at: dict[str, int] = field(default_factory=lambda: {"candidates": 0, "compared": 0})


class Pairing:
    """Looks for copies among pictures whose features are in a store.

    Args:
        files: the pictures, each digest once.
        store: their features.
        preset: how to score.
        mode: how hard to look.
        limits: what a picture may cost.
        crew: who works on pictures.
        least: score that matters; below 0.90 alike pictures that are no copies are compared too.
        progress: told now and then how far it has come.
    """

    def __init__(
        self,
        files: Sequence[PictureFile],
        store: Store,
        preset: Preset,
        mode: Mode,
        limits: Limits,
        crew: Crew,
        least: float,
        progress: Progress | None,
    ) -> None:
        self.files, self.mode, self.least, self.progress = files, mode, least, progress
        self.preset = _quick(preset) if mode == "quick" else preset
        self.shelf = Shelf(files, store)
        self.screens = Screens(self.shelf, crew)
        self.confirmation = Confirmation(files, store, self.preset, limits, crew)
        self.seen: set[tuple[int, int]] = set()
        self.open: dict[tuple[int, int], tuple[float, Guess | None]] = {}  # how sure the look was, and at what
        self.result = Paired()

    def run(
        self,
        rows: Sequence[int] | None = None,
        columns: Sequence[int] | None = None,
        known: Spaces | None = None,
    ) -> Paired:
        """Compare all with all, or only the pictures ``rows`` with the pictures ``columns``."""
        few = every_pair(len(self.files), rows, columns)
        if few is not None:
            self._settle(Screened(few))
        elif len(self.files) > 1:
            self._tell("looking for candidates", 0)
            self._work_off(rows, columns, known)
            self._close()
        self._reflect()
        self.result.failures = list(self.confirmation.failures.values())
        return self.result

    def _tell(self, what: str, done: int, total: int = 0) -> None:
        if self.progress is not None:
            self.progress(what, done, total)

    def _work_off(self, rows: Sequence[int] | None, columns: Sequence[int] | None, known: Spaces | None) -> None:
        """First whole frames, which are quickly told; meanwhile it is worked out what else may be alike."""
        width = WIDTHS[self.mode]
        harder = 4.0 if self.mode == "thorough" else 1.0

        def listed(name: str, fit: Fit, space: Whitening | None) -> tuple[Ranked, Whitening]:
            vectors = self.shelf.vectors(name)
            space = space or fit(vectors)
            return self._by_colour(candidates(space(vectors), rows, columns)), space

        with ThreadPoolExecutor(1) as meanwhile:
            rings, ring_space = listed("disc", space_of_rings, known.rings if known else None)
            shown = (
                meanwhile.submit(listed, "embedding", space_of_shown, known.shown if known else None)
                if width.shown
                else None
            )
            self._stage(rings, self.screens.frames, width.rings, harder * IN_VAIN["rings"])
            if shown is None:
                self.result.spaces = Spaces(None, ring_space)
            else:
                likely, space = shown.result()
                self.result.spaces = Spaces(space, ring_space)
                self._stage(likely, self.screens.cells, width.shown, harder * IN_VAIN["shown"])

    def _stage(self, ranked: Ranked, screen: Callable[[Pairs], Screened], first: float, vain: float) -> None:
        size = len(self.files)
        start, stop = 0, min(int(first * size), len(ranked.score))
        left = max(200.0, vain * size)
        while start < stop and left > 0:
            copies = 0
            for begin in range(start, stop, BLOCK):
                part = slice(begin, min(begin + BLOCK, stop))
                pairs = self._unseen(np.stack([ranked.first[part], ranked.second[part]], axis=1))
                self._tell("comparing", begin, stop)
                if len(pairs) and left > 0:
                    found, vainly = self._settle(screen(pairs), left)
                    copies, left = copies + found, left - vainly
            rich = copies >= RICH * (stop - start)
            start, stop = stop, min(stop + size, len(ranked.score)) if rich else stop

    def _close(self) -> None:
        """Compare what hangs together by copies and was no candidate: families outgrow lists of neighbours."""
        place = {file.path: number for number, file in enumerate(self.files)}
        copies = [pair for pair in self.result.comparisons if pair.score >= NEAR]
        kin = csr_array(
            (np.ones(len(copies)), ([place[pair.a] for pair in copies], [place[pair.b] for pair in copies])),
            shape=(len(self.files), len(self.files)),
        )
        _, family = connected_components(kin, directed=False)
        members = np.argsort(family, kind="stable")
        missing: list[tuple[int, int]] = []
        most = max(2000, int(CLOSED * len(self.files)))
        for same in np.split(members, np.flatnonzero(np.diff(family[members])) + 1):
            if 2 < len(same) <= LARGEST_FAMILY:
                same.sort()
                missing += [pair for pair in combinations(same.tolist(), 2) if pair not in self.seen]
            if len(missing) > most:
                break
        if missing:
            self._settle(Screened(np.array(missing[:most], np.int32)))

    def _unseen(self, pairs: Pairs) -> Pairs:
        fresh = [pair for pair in map(tuple, pairs.tolist()) if pair not in self.seen]
        self.result.looked_at["candidates"] += len(fresh)
        return np.array(fresh, np.int32).reshape(-1, 2)

    def _by_colour(self, ranked: Ranked) -> Ranked:
        """The pairs in another order: those in other colours are no copies, and come last."""
        if self.least < NEAR:
            return ranked
        used = np.unique(np.concatenate([ranked.first, ranked.second]))
        hues = self.screens.hues(used)
        first, second = np.searchsorted(used, ranked.first), np.searchsorted(used, ranked.second)
        score = ranked.score.copy()
        for start in range(0, len(score), 65536):
            part = slice(start, start + 65536)
            alike = colour_likeness(hues[first[part]], hues[second[part]])
            score[part] += COLOUR * (alike - 1)
        order = np.argsort(-score, kind="stable")
        return Ranked(ranked.first[order], ranked.second[order], score[order])

    def _settle(self, screened: Screened, most: float = float("inf")) -> tuple[int, float]:
        """Compare at sight, until ``most`` came to nothing; what stays open is kept for later.

        Returns:
            How many copies there were, and how many comparisons came to nothing.
        """
        copies, vain = 0, 0.0
        for pair, judgement in self.confirmation.judged(screened.pairs, screened.guesses, at_once=True):
            self.result.looked_at["compared"] += judgement.compared
            found = judgement.comparison
            if found is not None:
                self.result.comparisons.append(found)
                self.seen.add(pair)
            elif self._is_open(judgement) and judgement.certainty >= self.open.get(pair, (0.0, None))[0]:
                self.open[pair] = (judgement.certainty, judgement.guess)
            if found is not None and found.score >= NEAR:
                copies += 1
            else:
                vain += 1.0 if judgement.compared else LOOK
            if vain >= most:
                break
        return copies, vain

    def _is_open(self, judgement: Judgement) -> bool:
        """Whether more may come of it; where it is known how they lie, only the colours differ."""
        if self.least < NEAR:
            return True  # things alike, and not only copies
        return judgement.compared and judgement.certainty < 1

    def _reflect(self) -> None:
        """Compare in full the likeliest of those left open."""
        least, share = REFLECTED[self.mode]
        most = max(least, int(share * len(self.files))) if least else 0
        if len(self.files) <= FEW and least:
            most = len(self.open)
        if self.least < NEAR:
            most = max(most, 4 * len(self.files))
        left = (pair for pair in self.open if pair not in self.seen)
        chosen = sorted(left, key=lambda pair: (-self.open[pair][0], pair))[:most]
        if chosen:
            self._tell("comparing with keypoints", 0, len(chosen))
            guesses = [guess if isinstance(guess := self.open[pair][1], PlaceGuess) else None for pair in chosen]
            judged = self.confirmation.judged(np.array(chosen, np.int32), guesses, at_once=False)
            self.result.comparisons += [each.comparison for _, each in judged if each.comparison is not None]


def _quick(preset: Preset) -> Preset:
    """The preset without what needs the files themselves: whole frames only, by their stored thumbnails."""
    if preset.rule != "auto":
        return preset
    return preset.changed(thresholds={"fine": -2, "fine_doubt": -2, "registered": 2, "registered_doubt": 2})
