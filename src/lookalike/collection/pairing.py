"""All pairs: candidates, a screen that opens no file, confirmation by the default rule.

Nothing grows with the square of the pictures: the matrix of all similarities exists in blocks only, and what is kept is
a list of neighbours a picture and the pairs found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lookalike.collection.candidates import (
    FEW,
    SPACES,
    WIDTHS,
    Spaces,
    every_pair,
)
from lookalike.collection.confirm import Confirmation
from lookalike.collection.describe import NEAR
from lookalike.collection.guesses import Guess, PlaceGuess
from lookalike.collection.judge import Judgement
from lookalike.collection.kindred import kindred
from lookalike.collection.lists import Lists, Some
from lookalike.collection.neighbours import Ranked
from lookalike.collection.screens import Screened, Screens
from lookalike.collection.search import Search
from lookalike.collection.shelf import Shelf
from lookalike.scoring.fusion import shipped
from lookalike.threads import in_order
from lookalike.types import Comparison, Failure

if TYPE_CHECKING:
    from lookalike.collection.crew import Crew
    from lookalike.collection.extract import Progress
    from lookalike.collection.store import Store
    from lookalike.images.limits import Limits
    from lookalike.scoring.presets import Preset
    from lookalike.types import Mode, PictureFile

Pairs = npt.NDArray[np.int32]

STEPS = (512, 8192)
"""Candidates that are looked at in one go: an eighth of the pictures, within these."""

RICH = 0.01
"""Share of copies among the last candidates from which the next ones are looked at too."""

IN_VAIN = {"rings": 0.15, "whole": 0.2, "windows": 0.2, "insets": 0.1}
"""Comparisons a picture that may come to nothing, in each list: a catalogue has no end of pictures much alike, and
the likeliest are compared first."""

LOOK = 0.2
"""What a look at two thumbnails costs, of a comparison."""

CLOSED = 0.2
"""Pairs a picture that are compared because both are copies of a third."""

LARGEST_FAMILY = 400
"""Pictures hanging together up to which every two of them are compared."""

STEP_IN_FULL = 512
"""Pairs that may show one product, compared in one go."""

PRODUCT = 0.8
"""Score from which the search for such pairs goes on, whatever higher one is asked for: a threshold that is raised only
leaves pairs out. Formulas give scores of their own, and theirs is the one that is asked for."""

FEWEST = 1024
"""Such pairs that are compared in any case."""

KIN = 4
"""Such pairs a picture that are compared in any case; more, up to four times as many unless one looks hard, for as long
as :data:`RICH` of the last ones were found."""

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
        search_recall: share of the nearest neighbours that were found; 1 where the search was exact.
    """

    comparisons: list[Comparison] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    spaces: Spaces | None = None
    looked_at: dict[str, int] = field(default_factory=lambda: {"candidates": 0, "compared": 0})
    search_recall: float = 1.0


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
        self.search = Search(crew.size)
        self.preset = _quick(preset) if mode == "quick" else preset
        self.shelf = Shelf(files, store)
        self.screens = Screens(self.shelf)
        self.confirmation = Confirmation(files, store, self.preset, limits, crew, closely=least < NEAR)
        self.seen: set[tuple[int, int]] = set()
        self.open: dict[tuple[int, int], tuple[float, Guess | None]] = {}  # how sure the look was, and at what
        self.result = Paired()

    def run(
        self,
        rows: Some = None,
        columns: Some = None,
        known: Spaces | None = None,
    ) -> Paired:
        """Compare all with all, or only the pictures ``rows`` with the pictures ``columns``."""
        few = every_pair(len(self.files), rows, columns)
        if few is not None:
            self._settle(Screened(few))
            self._work_off(["insets"], rows, columns, known)
            self.result.spaces = None  # for what a larger folder will need is not among them
        elif len(self.files) > 1:
            self._tell("looking for candidates", 0)
            self._work_off(list(SPACES), rows, columns, known)
            self._close()
            self.screens.forget()  # the networks that follow need the room
        self._reflect()
        if self._looks_for_kin():
            self._compare_kin(rows, columns)
        self.result.failures = list(self.confirmation.failures.values())
        self.result.search_recall = self.search.recall
        return self.result

    def _tell(self, what: str, done: int, total: int = 0) -> None:
        if self.progress is not None:
            self.progress(what, done, total)

    def _work_off(self, names: Sequence[str], rows: Some, columns: Some, known: Spaces | None) -> None:
        """First whole frames, which are quickly told; meanwhile it is worked out what else may be alike."""
        names = [name for name in names if self._asked(name)]
        if not names:
            return
        self.result.spaces = dict(known or {})
        lists = Lists(self.shelf, self.search, self.result.spaces)
        screens = {
            "rings": self.screens.frames,
            "windows": self.screens.parts,
            "insets": lambda pairs: Screened(pairs, [lists.boxes[pair] for pair in map(tuple, pairs.tolist())]),
        }
        harder = 4.0 if self.mode == "thorough" else 1.0
        # threads of the linear algebra spin while they wait, and everybody else's time is short
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(1) as meanwhile:
            made = [meanwhile.submit(lists.named, name, rows, columns) for name in names]
            for name, found in zip(names, made, strict=True):
                ranked = found.result()
                if name != "insets":  # what was pasted in is surrounded by colours of its own
                    ranked = lists.by_colour(ranked)
                first = getattr(WIDTHS[self.mode], name)
                self._stage(ranked, screens.get(name, self.screens.cells), first, harder * IN_VAIN[name])

    def _asked(self, name: str) -> bool:
        known = name != "insets" or self.preset.rule == "auto"  # no formula knows of insets
        return known and getattr(WIDTHS[self.mode], name) > 0

    def _stage(self, ranked: Ranked, screen: Callable[[Pairs], Screened], first: float, vain: float) -> None:
        """Work off a list: ``first`` candidates a picture, and on for as long as there are copies among them."""
        step = min(STEPS[1], max(STEPS[0], len(self.files) // 8))
        sure, stop = int(first * len(self.files)), len(ranked.score)
        left = max(200.0, vain * len(self.files))

        def screened(part: slice) -> tuple[int, Screened]:
            pairs = self._unseen(np.stack([ranked.first[part], ranked.second[part]], axis=1))
            return len(pairs), screen(pairs) if len(pairs) else Screened(pairs)

        parts = (slice(start, min(start + step, stop)) for start in range(0, stop, step))
        # the next ones are screened while these are compared
        with ThreadPoolExecutor(1) as ahead, closing(in_order(ahead, screened, parts, 2)) as screens:
            for start, (count, found) in zip(range(0, stop, step), screens, strict=True):
                self.result.looked_at["candidates"] += count
                self._tell("comparing", min(start, sure), sure)
                copies, vainly = self._settle(found, left)
                left -= vainly
                if left <= 0 or (start + step >= sure and copies < RICH * step):
                    return

    def _close(self) -> None:
        """Compare what hangs together by copies and was no candidate: families outgrow lists of neighbours."""
        copies = [pair for pair in self.result.comparisons if pair.score >= NEAR]
        if len(copies) < 2:
            return
        from scipy.sparse import csr_array  # both take a while to import, and where one picture is new nobody needs it
        from scipy.sparse.csgraph import connected_components

        place = {file.path: number for number, file in enumerate(self.files)}
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
        return np.array(fresh, np.int32).reshape(-1, 2)

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
        """Whether more may come of it; where it is known how they lie, only the colours differ: that is kin at most."""
        return judgement.compared and (judgement.certainty < 1 or self._looks_for_kin())

    def _reflect(self) -> None:
        """Compare in full the likeliest of those left open."""
        least, share = REFLECTED[self.mode]
        most = max(least, int(share * len(self.files))) if least else 0
        if len(self.files) <= FEW and least:
            most = len(self.open)
        left = (pair for pair, (certainty, _) in self.open.items() if pair not in self.seen and certainty < 1)
        chosen = sorted(left, key=lambda pair: (-self.open[pair][0], pair))[:most]
        if chosen:
            self._tell("comparing with keypoints", 0, len(chosen))
            guesses = [guess if isinstance(guess := self.open[pair][1], PlaceGuess) else None for pair in chosen]
            for pair, each in self.confirmation.judged(np.array(chosen, np.int32), guesses, at_once=False):
                # a guess looks at one place only, and what is no copy there may have more to show elsewhere
                if each.comparison is not None and not (each.comparison.score < NEAR and self._looks_for_kin()):
                    self.result.comparisons.append(each.comparison)
                    self.seen.add(pair)

    def _looks_for_kin(self) -> bool:
        return self.least < NEAR and self.mode != "quick"

    def _compare_kin(self, rows: Some, columns: Some) -> None:
        """Compare in full what may show one product, likeliest first, until hardly any does."""
        ranked = kindred(self.shelf, self.preset.fusion or shipped(), self.search, self.mode, rows, columns)
        likely = sorted((-certainty, pair) for pair, (certainty, _) in self.open.items() if certainty > 0)
        first = [pair for _, pair in likely if pair not in self.seen]
        listed = map(tuple, np.stack([ranked.first, ranked.second], axis=1).tolist())
        # what a look took for half a copy, or for one in other colours, is no matter of what it shows
        pairs = self._unseen(np.array(list(dict.fromkeys([*first, *listed])), np.int32).reshape(-1, 2))
        sure = min(len(pairs), max(FEWEST, KIN * len(self.files)))
        most = len(pairs) if self.mode == "thorough" else min(len(pairs), 4 * sure)
        enough = min(self.least, PRODUCT) if self.preset.rule == "auto" else self.least
        for start in range(0, most, STEP_IN_FULL):
            self._tell("comparing what is alike", min(start, sure), sure)
            part, found = pairs[start : start + STEP_IN_FULL], 0
            self.confirmation.make_ready(np.unique(part).tolist())
            for _, judgement in self.confirmation.judged(part, at_once=False):
                self.result.looked_at["compared"] += judgement.compared
                if judgement.comparison is not None:
                    self.result.comparisons.append(judgement.comparison)
                    found += judgement.comparison.score >= enough

            if start + STEP_IN_FULL >= sure and found < RICH * STEP_IN_FULL:
                return


def _quick(preset: Preset) -> Preset:
    """The preset without what needs the files themselves: whole frames only, by their stored thumbnails."""
    if preset.rule != "auto":
        return preset
    return preset.changed(thresholds={"fine": -2, "fine_doubt": -2, "registered": 2, "registered_doubt": 2})
