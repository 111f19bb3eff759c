"""All pairs: candidates, a screen that opens no file, confirmation by the default rule.

Nothing grows with the square of the pictures: the matrix of all similarities exists in blocks only, and what is kept is
a list of neighbours a picture and the pairs found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from lookalike.collection import screen
from lookalike.collection.candidates import FEW, WIDTHS, Candidates, Spaces, candidates, every_pair, spaces
from lookalike.collection.confirm import Confirmation, one_thread_a_picture
from lookalike.collection.extract import Progress, keys
from lookalike.collection.neighbours import Ranked, Whitening
from lookalike.collection.packing import unpack
from lookalike.collection.screen import Evidence, Look
from lookalike.features.align import Matrix, inverted
from lookalike.features.cells import CHANNELS, GRID
from lookalike.scoring.pair import shared_method
from lookalike.types import Comparison, Failure

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.images.limits import Limits
    from lookalike.scoring.presets import Preset
    from lookalike.types import Mode, PictureFile

Pairs = npt.NDArray[np.int32]

PORTION = 512
"""Pairs compared at a time, after which it is seen how many came to nothing."""

BLOCK = 8192
"""Pairs screened at a time: their cells are in memory, and no others."""

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


class FeaturesLost(Exception):
    """Stored features turned out to be damaged, and were dropped by the store: they must be made anew."""


class Pairing:
    """Looks for copies among pictures whose features are in a store.

    Args:
        files: the pictures, each digest once.
        store: their features.
        preset: how to score.
        mode: how hard to look.
        limits: what a picture may cost.
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
        least: float,
        progress: Progress | None,
    ) -> None:
        self.files, self.store, self.mode, self.least, self.progress = files, store, mode, least, progress
        self.preset = _quick(preset) if mode == "quick" else preset
        self.keys = keys()
        self.confirmation = Confirmation(files, store, self.preset, limits)
        self.cells: Whitening | None = None
        self.seen: set[tuple[int, int]] = set()
        self.open: dict[tuple[int, int], float] = {}
        self.hints: dict[tuple[int, int], Matrix] = {}
        self.hues: npt.NDArray[np.float32] | None = None
        self.result = Paired()

    def run(
        self,
        rows: Sequence[int] | None = None,
        columns: Sequence[int] | None = None,
        known: Spaces | None = None,
    ) -> Paired:
        """Compare all with all, or only the pictures ``rows`` with the pictures ``columns``."""
        if len(self.files) <= FEW and rows is None:
            pairs = every_pair(len(self.files))
            vectors = self._vectors("embedding").astype(np.float32)
            self._settle(pairs, (vectors[pairs[:, 0]] * vectors[pairs[:, 1]]).sum(axis=1), None)
        elif len(self.files) > 1:
            embeddings, discs = self._vectors("embedding"), self._vectors("disc")
            self.result.spaces = known or spaces(embeddings, discs)
            shown, rings = self.result.spaces.shown(embeddings), self.result.spaces.rings(discs)
            del embeddings, discs
            self._tell("looking for candidates", 0)
            found = candidates(shown, rings, rows=rows, columns=columns)
            self._work_off(found)
            self._close()
        self._reflect()
        self.result.failures = list(self.confirmation.failures.values())
        return self.result

    def _stored(self, name: str, digests: Sequence[str]) -> dict[str, bytes]:
        found = self.store.features(self.keys[name], digests)
        if len(found) < len(set(digests)):
            raise FeaturesLost(f"{len(set(digests)) - len(found)} features are lost")
        return found

    def _tell(self, what: str, done: int, total: int = 0) -> None:
        if self.progress is not None:
            self.progress(what, done, total)

    def _vectors(self, name: str) -> npt.NDArray[np.float16]:
        digests = [file.digest for file in self.files]
        found = self._stored(name, digests)
        return np.frombuffer(b"".join(found[digest] for digest in digests), np.float16).reshape(len(digests), -1)

    def _work_off(self, found: Candidates) -> None:
        """First the likeliest, then more as long as there are copies among them."""
        width = WIDTHS[self.mode]
        harder = 4.0 if self.mode == "thorough" else 1.0
        found = Candidates(self._by_colour(found.shown), self._by_colour(found.rings))
        self._stage(found.rings, self._frames, width.rings, harder * IN_VAIN["rings"])
        test = self._frames if self.mode == "quick" else self._cells
        self._stage(found.shown, test, width.shown, harder * IN_VAIN["shown"])

    def _stage(
        self, ranked: Ranked, test: Callable[[Pairs], npt.NDArray[np.float32]], first: float, vain: float
    ) -> None:
        size = len(self.files)
        start, stop = 0, min(int(first * size), len(ranked.score))
        left = max(200, int(vain * size))
        while start < stop and left > 0:
            copies = 0
            for begin in range(start, stop, BLOCK):
                part = slice(begin, min(begin + BLOCK, stop))
                pairs = self._unseen(np.stack([ranked.first[part], ranked.second[part]], axis=1))
                self._tell("comparing", begin, stop)
                if len(pairs) and left > 0:
                    found, vainly = self._compared(pairs, test(pairs), left)
                    copies, left = copies + found, left - vainly
            rich = copies >= RICH * (stop - start)
            start, stop = stop, min(stop + size, len(ranked.score)) if rich else stop

    def _compared(self, pairs: Pairs, values: npt.NDArray[np.float32], most: int) -> tuple[int, int]:
        """Compare what the screen let through, in order, until ``most`` came to nothing.

        Returns:
            How many copies there were, and how many comparisons came to nothing.
        """
        order = np.flatnonzero(values > 0)
        copies = vain = 0
        for start in range(0, len(order), PORTION):
            if vain >= most:
                break
            part = order[start : start + PORTION]
            hints = {pair: self.hints[pair] for pair in map(tuple, pairs[part].tolist()) if pair in self.hints}
            found = self._settle(pairs[part], values[part], hints)
            copies, vain = copies + found, vain + len(part) - found
        self.hints = {}
        return copies, vain

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
            pairs = np.array(missing[:most], np.int32)
            self._settle(pairs, np.ones(len(pairs), np.float32), None)

    def _unseen(self, pairs: Pairs) -> Pairs:
        fresh = [pair for pair in map(tuple, pairs.tolist()) if pair not in self.seen]
        self.result.looked_at["candidates"] += len(fresh)
        return np.array(fresh, np.int32).reshape(-1, 2)

    def _by_colour(self, ranked: Ranked) -> Ranked:
        """The pairs in another order: those in other colours are no copies, and come last."""
        if self.least < NEAR:
            return ranked
        if self.hues is None:
            self.hues = self._all_hues()
        score = ranked.score.copy()
        for start in range(0, len(score), 65536):
            part = slice(start, start + 65536)
            alike = screen.colour_likeness(self.hues[ranked.first[part]], self.hues[ranked.second[part]])
            score[part] += COLOUR * (alike - 1)
        order = np.argsort(-score, kind="stable")
        return Ranked(ranked.first[order], ranked.second[order], score[order])

    def _all_hues(self) -> npt.NDArray[np.float32]:
        made, parts = shared_method("tint", {}), []
        for start in range(0, len(self.files), BLOCK):
            digests = [file.digest for file in self.files[start : start + BLOCK]]
            stored = self._stored("tint", digests)
            parts.append(screen.hues([unpack(made, stored[digest]) for digest in digests]))
        return np.concatenate(parts)

    # the screen: above 0 what is worth a comparison

    def _frames(self, pairs: Pairs) -> npt.NDArray[np.float32]:
        used = np.unique(pairs)
        looks = self._looks(used)
        small = screen.tiny([looks[int(index)] for index in used])
        rows = np.searchsorted(used, pairs)
        parts = [
            screen.frames_agree(small[part[:, 0]], small[part[:, 1]])
            for part in np.array_split(rows, max(1, len(rows) // 256))
        ]
        values = np.concatenate([part.agree for part in parts])
        values[values < screen.FRAMES] = 0
        turns = np.concatenate([part.orientation for part in parts])
        planes = np.concatenate([part.inside for part in parts]).astype(int)

        def agree(number: int) -> bool:
            a, b = (looks[int(index)][planes[number]] for index in pairs[number])
            return screen.frame_seen(a, b, int(turns[number])) >= screen.LEAST_SEEN

        return self._kept(values, agree)

    def _cells(self, pairs: Pairs) -> npt.NDArray[np.float32]:
        used = np.unique(pairs)
        stored = self._stored("cells", [self.files[int(index)].digest for index in used])
        grids = [
            np.frombuffer(stored[self.files[int(index)].digest], np.uint8).reshape(GRID * GRID, CHANNELS)
            for index in used
        ]
        if self.cells is None:
            self.cells = screen.cell_space(grids)
        spread = np.concatenate(
            [screen.spread_cells(self.cells, grids[start : start + 512]) for start in range(0, len(grids), 512)]
        )
        rows = np.searchsorted(used, pairs)
        parts = np.array_split(rows, max(1, len(rows) // 256))
        with one_thread_a_picture(), ThreadPoolExecutor(os.cpu_count() or 2) as threads:
            said = [
                each
                for found in threads.map(lambda part: screen.evidence(spread[part[:, 0]], spread[part[:, 1]]), parts)
                for each in found
            ]
        values = np.array([each.strength for each in said], np.float32)
        values[values < screen.LEAST_EVIDENCE] = 0
        return self._seen(pairs, values, said)

    def _seen(self, pairs: Pairs, values: npt.NDArray[np.float32], said: list[Evidence]) -> npt.NDArray[np.float32]:
        """The values of those pairs whose thumbnails agree where the cells lay them; 0 for the others."""
        left = np.flatnonzero(values)
        if not len(left):
            return values
        looks = self._looks(np.unique(pairs[left]))

        def agree(number: int) -> bool:
            a, b = (looks[int(index)][1] for index in pairs[number])
            laid = said[number].laid
            return laid is not None and screen.seen(a, b, laid) >= screen.LEAST_SEEN

        kept = self._kept(values, agree)
        for number in np.flatnonzero(kept):
            self.hints[int(pairs[number, 0]), int(pairs[number, 1])] = _in_shares(said[number].laid)
        return kept

    def _kept(self, values: npt.NDArray[np.float32], agree: Callable[[int], bool]) -> npt.NDArray[np.float32]:
        """The values that ``agree`` lets through, asked for those over 0; 0 for the others."""
        left = np.flatnonzero(values)
        with one_thread_a_picture(), ThreadPoolExecutor(os.cpu_count() or 2) as threads:
            values[left] *= np.fromiter(threads.map(agree, left.tolist()), np.bool_, len(left))
        return values

    def _looks(self, indices: npt.NDArray[np.integer[Any]]) -> dict[int, Look]:
        made = shared_method("look", {})
        stored = self._stored("look", [self.files[int(index)].digest for index in indices])
        return {int(index): unpack(made, stored[self.files[int(index)].digest]) for index in indices}

    # confirmation

    def _settle(
        self, pairs: Pairs, likely: npt.NDArray[np.float32], hints: dict[tuple[int, int], Matrix] | None
    ) -> int:
        """Compare at sight; what stays open is kept for later. How many copies there were."""
        if not len(pairs):
            return 0
        self.result.looked_at["compared"] += len(pairs)
        found = self.confirmation.compare(pairs, at_once=True, hints=hints)
        for pair, value, comparison in zip(pairs.tolist(), likely.tolist(), found, strict=True):
            if comparison is not None:
                self.result.comparisons.append(comparison)
                self.seen.add((pair[0], pair[1]))
            else:
                self.open[pair[0], pair[1]] = max(value, self.open.get((pair[0], pair[1]), 0.0))
        return sum(comparison is not None and comparison.score >= NEAR for comparison in found)

    def _reflect(self) -> None:
        """Compare in full the likeliest of those left open."""
        least, share = REFLECTED[self.mode]
        most = max(least, int(share * len(self.files))) if least else 0
        if len(self.files) <= FEW and least:
            most = len(self.open)
        if self.least < NEAR:
            most = max(most, 4 * len(self.files))
        left = (pair for pair in self.open if pair not in self.seen)
        unsure = self.confirmation.unsure
        chosen = sorted(left, key=lambda pair: (-unsure.get(pair, 0.0), -self.open[pair], pair))[:most]
        if chosen:
            self._tell("comparing with keypoints", 0, len(chosen))
            pairs = np.array(chosen, np.int32)
            self.result.comparisons += [
                found for found in self.confirmation.compare(pairs, at_once=False) if found is not None
            ]


def _in_shares(laid: Matrix | None) -> Matrix:
    """Cells of the second → cells of the first, as shares of the contents."""
    assert laid is not None
    grow = np.array([[1 / GRID, 0, 0.5 / GRID], [0, 1 / GRID, 0.5 / GRID], [0, 0, 1]])
    return np.asarray(grow @ laid @ inverted(grow), np.float64)


def _quick(preset: Preset) -> Preset:
    """The preset without what needs the files themselves: whole frames only, by their stored thumbnails."""
    if preset.rule != "auto":
        return preset
    return preset.changed(thresholds={"fine": -2, "fine_doubt": -2, "registered": 2, "registered_doubt": 2})
