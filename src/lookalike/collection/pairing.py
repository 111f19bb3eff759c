"""All pairs: candidates, a screen that opens no file, confirmation by the default rule.

Nothing grows with the square of the pictures: the matrix of all similarities exists in blocks only, and what is kept is
a list of neighbours a picture and the pairs found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.collection import screen
from lookalike.collection.candidates import FEW, WIDTHS, Candidates, Spaces, candidates, every_pair, spaces
from lookalike.collection.confirm import Confirmation, one_thread_a_picture
from lookalike.collection.extract import KEPT_AS, keys
from lookalike.collection.neighbours import Ranked, Vectors
from lookalike.collection.packing import unpack
from lookalike.collection.screen import Evidence, Look
from lookalike.features.cells import CHANNELS, GRID
from lookalike.scoring.pair import shared_method
from lookalike.types import Comparison, Failure

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.images.limits import Limits
    from lookalike.scoring.presets import Preset
    from lookalike.types import Mode, PictureFile

Pairs = npt.NDArray[np.int32]
Progress = Callable[[str, int, int], None]

BLOCK = 8192
"""Pairs screened at a time: their cells are in memory, and no others."""

RICH = 0.02
"""Share of copies among the last candidates from which the next ones are looked at too."""

REFLECTED: dict[Mode, tuple[int, float]] = {"quick": (0, 0), "default": (64, 0.02), "thorough": (256, 0.5)}
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
        self.cells: screen.Whitening | None = None
        self.seen: set[tuple[int, int]] = set()
        self.open: list[tuple[float, tuple[int, int]]] = []
        self.result = Paired()

    def run(
        self,
        rows: Sequence[int] | None = None,
        columns: Sequence[int] | None = None,
        known: Spaces | None = None,
    ) -> Paired:
        """Compare all with all, or only the pictures ``rows`` with the pictures ``columns``."""
        if len(self.files) <= FEW and rows is None:
            self._settle(every_pair(len(self.files)), np.ones(len(every_pair(len(self.files))), np.float32))
        elif len(self.files) > 1:
            embeddings, discs = self._vectors("embedding"), self._vectors("disc")
            self.result.spaces = known or spaces(embeddings, discs)
            shown, rings = self.result.spaces.shown(embeddings), self.result.spaces.rings(discs)
            del embeddings, discs
            self._tell("looking for candidates", 0)
            found = candidates(shown, rings, rows=rows, columns=columns)
            self._work_off(found, shown)
        self._reflect()
        self.result.failures = list(self.confirmation.failures.values())
        return self.result

    def _tell(self, what: str, done: int, total: int = 0) -> None:
        if self.progress is not None:
            self.progress(what, done, total)

    def _vectors(self, name: str) -> Vectors:
        digests = [file.digest for file in self.files]
        found = self.store.features(self.keys[name], digests)
        return np.frombuffer(b"".join(found[digest] for digest in digests), KEPT_AS).reshape(len(digests), -1)

    def _work_off(self, found: Candidates, shown: Vectors) -> None:
        """First the likeliest, then more as long as there are copies among them."""
        width = WIDTHS[self.mode]
        size = max(1, len(self.files))
        self._stage(found.rings, self._frames, int(width.rings * size), size)
        if self.mode != "quick":
            self._stage(found.shown, self._cells, int(width.shown * size), size)
        else:
            self._stage(found.shown, self._frames, int(width.shown * size), size)

    def _stage(self, ranked: Ranked, test: Callable[[Pairs], npt.NDArray[np.float32]], first: int, size: int) -> None:
        start, stop = 0, min(first, len(ranked.score))
        while start < stop:
            copies = 0
            for begin in range(start, stop, BLOCK):
                part = slice(begin, min(begin + BLOCK, stop))
                pairs = np.stack([ranked.first[part], ranked.second[part]], axis=1)
                pairs = self._unseen(pairs)
                self._tell("comparing", begin, stop)
                if len(pairs):
                    values = test(pairs)
                    good = values > 0
                    copies += self._settle(pairs[good], values[good])
            rich = copies >= RICH * (stop - start)
            start, stop = stop, min(stop + size, len(ranked.score)) if rich else stop

    def _unseen(self, pairs: Pairs) -> Pairs:
        fresh = [pair for pair in map(tuple, pairs.tolist()) if pair not in self.seen]
        self.seen.update(fresh)
        self.result.looked_at["candidates"] += len(fresh)
        return np.array(fresh, np.int32).reshape(-1, 2)

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
        stored = self.store.features(self.keys["cells"], [self.files[int(index)].digest for index in used])
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
        said = [
            each
            for part in np.array_split(rows, max(1, len(rows) // 256))
            for each in screen.evidence(spread[part[:, 0]], spread[part[:, 1]])
        ]
        values = np.array([each.strength for each in said], np.float32)
        values[values < screen.LEAST_EVIDENCE] = 0
        del spread, grids, stored
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

        return self._kept(values, agree)

    def _kept(self, values: npt.NDArray[np.float32], agree: Callable[[int], bool]) -> npt.NDArray[np.float32]:
        """The values that ``agree`` lets through, asked for those over 0; 0 for the others."""
        left = np.flatnonzero(values)
        with one_thread_a_picture(), ThreadPoolExecutor(os.cpu_count() or 2) as threads:
            values[left] *= np.fromiter(threads.map(agree, left.tolist()), np.bool_, len(left))
        return values

    def _looks(self, indices: npt.NDArray[np.integer[Any]]) -> dict[int, Look]:
        made = shared_method("look", {})
        stored = self.store.features(self.keys["look"], [self.files[int(index)].digest for index in indices])
        return {int(index): unpack(made, stored[self.files[int(index)].digest]) for index in indices}

    # confirmation

    def _settle(self, pairs: Pairs, likely: npt.NDArray[np.float32]) -> int:
        """Compare at sight; what stays open is kept for later. How many copies there were."""
        if not len(pairs):
            return 0
        self.result.looked_at["compared"] += len(pairs)
        found = self.confirmation.compare(pairs, at_once=True)
        for pair, value, comparison in zip(pairs.tolist(), likely.tolist(), found, strict=True):
            if comparison is not None:
                self.result.comparisons.append(comparison)
            else:
                self.open.append((-value, (pair[0], pair[1])))
        return sum(comparison is not None and comparison.score >= 0.9 for comparison in found)

    def _reflect(self) -> None:
        """Compare in full the likeliest of those left open."""
        least, share = REFLECTED[self.mode]
        most = max(least, int(share * len(self.files))) if least else 0
        if self.least < 0.9:
            most = max(most, 4 * len(self.files))
        chosen = [pair for _, pair in sorted(self.open)[:most]]
        if chosen:
            self._tell("comparing with keypoints", 0, len(chosen))
            pairs = np.array(chosen, np.int32)
            self.result.comparisons += [
                found for found in self.confirmation.compare(pairs, at_once=False) if found is not None
            ]


def _quick(preset: Preset) -> Preset:
    """The preset without what needs the files themselves: whole frames only, by their stored thumbnails."""
    if preset.rule != "auto":
        return preset
    return preset.changed(thresholds={"fine": -2, "fine_doubt": -2, "registered": 2, "registered_doubt": 2})
