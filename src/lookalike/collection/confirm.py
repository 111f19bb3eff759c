"""Pairs worth a comparison → comparisons, by the same rule that compares two pictures alone."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from threading import Lock
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.collection.packing import pack, pack_points, unpack, unpack_points
from lookalike.collection.sources import picture_of
from lookalike.errors import PictureError
from lookalike.features.shrink import shrunk, small
from lookalike.scoring.auto import at_sight
from lookalike.scoring.pair import FeatureCache, Pair, shared_method
from lookalike.scoring.rules import decide, finish
from lookalike.types import Comparison, Failure

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.features.align import Matrix
    from lookalike.features.base import Method
    from lookalike.images.limits import Limits
    from lookalike.scoring.presets import Preset
    from lookalike.types import Picture, PictureFile

Pairs = npt.NDArray[np.int32]

OPEN = 64
"""Pictures kept decoded at a time, at most."""

OPEN_PIXELS = 64_000_000
"""Pixels that they may have in all, as they are stored."""

BLOCK = 4096
"""Pairs whose stored features are read at a time."""

READ_AHEAD = ("look", "tint")
"""Features that every comparison needs, read for a whole block at once."""


class StoredFeatures(FeatureCache):
    """Features from a store; what is not there is made, and kept if it is dear.

    Args:
        store: where they lie.
    """

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self._ahead: dict[tuple[str, str], bytes] = {}
        self._made: dict[str, list[tuple[str, bytes]]] = {}
        self._making = Lock()

    def read_ahead(self, digests: Sequence[str]) -> None:
        """Read what every comparison of these pictures needs."""
        self._ahead = {}
        for name in READ_AHEAD:
            key = shared_method(name, {}).key
            for digest, content in self.store.features(key, digests).items():
                self._ahead[digest, key] = content

    def make(self, made: Method[Any], picture: Picture) -> Any:
        if made.name == "xfeat":
            return self._points(made, picture)
        content = self._ahead.get((picture.digest, made.key))
        if content is not None:
            return unpack(made, content)
        if made.name != "embedding":
            return super().make(made, picture)
        found = self.store.features(made.key, [picture.digest])
        if found:
            return unpack(made, found[picture.digest])
        feature = super().make(made, picture)
        self._keep(made.key, picture.digest, pack(feature))
        return feature

    def _points(self, made: Method[Any], picture: Picture) -> Any:
        found = self.store.features(made.key, [picture.digest])
        if found:
            return unpack_points(found[picture.digest], shrunk(small(picture)), picture.digest)
        feature = super().make(made, picture)
        self._keep(made.key, picture.digest, pack_points(feature))
        return feature

    def _keep(self, key: str, digest: str, content: bytes) -> None:
        with self._making:
            self._made.setdefault(key, []).append((digest, content))

    def flush(self) -> None:
        """Write what was made."""
        with self._making:
            made, self._made = self._made, {}
        for key, rows in made.items():
            self.store.add_features(key, rows)


_splitting = Lock()
_inside = [0, 0]
"""How many are inside :func:`one_thread_a_picture`, and how many threads OpenCV had before the first."""


@contextmanager
def one_thread_a_picture() -> Iterator[None]:
    """Pairs are worked on side by side: for OpenCV to split its small pictures as well only costs time."""
    with _splitting:
        if not _inside[0]:
            _inside[1] = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _inside[0] += 1
    try:
        yield
    finally:
        with _splitting:
            _inside[0] -= 1
            if not _inside[0]:
                cv2.setNumThreads(_inside[1])


class Confirmation:
    """Compares pairs of a collection.

    Args:
        files: the pictures.
        store: their features.
        preset: how to score.
        limits: what a picture may cost.

    Attributes:
        failures: pictures that could not be compared, by their source.
        unsure: pairs in which something speaks for a copy and not enough: how sure the look was, 0 to 1.
    """

    def __init__(self, files: Sequence[PictureFile], store: Store, preset: Preset, limits: Limits) -> None:
        self.files, self.store, self.preset, self.limits = files, store, preset, limits
        self.features = StoredFeatures(store)
        self.failures: dict[str, Failure] = {}
        self.unsure: dict[tuple[int, int], float] = {}
        self._open: OrderedDict[int, Picture] = OrderedDict()
        self._opening = Lock()
        self._pixels = 0
        self.hints: Mapping[tuple[int, int], Matrix] | None = None

    def compare(
        self, pairs: Pairs, *, at_once: bool, hints: Mapping[tuple[int, int], Matrix] | None = None
    ) -> list[Comparison | None]:
        """Score every pair (N×2 indices of files).

        Args:
            pairs: which.
            at_once: only what can be told at sight, as copies can; None where it cannot.
            hints: how the content of the second probably lies on that of the first, see :class:`Pair`; of pairs that
                are not in it whole frames are compared and nothing is searched. None: everything is looked at.

        Returns:
            One comparison a pair, in order; None where it is not told, or a picture failed.
        """
        self.hints = hints
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        found: list[Comparison | None] = [None] * len(pairs)
        workers = ThreadPoolExecutor(os.cpu_count() or 2, thread_name_prefix="lookalike-pairs")
        with one_thread_a_picture(), workers as threads:
            for start in range(0, len(order), BLOCK):
                block = order[start : start + BLOCK]
                used = np.unique(pairs[block])
                self.features.read_ahead([self.files[int(index)].digest for index in used])
                runs = np.array_split(block, max(1, len(block) // 24))
                for run, results in zip(runs, threads.map(self._run, [pairs[run] for run in runs], repeat(at_once))):  # noqa: B905
                    for number, result in zip(run, results, strict=True):
                        found[number] = result
                self.features.flush()
        return found

    def _run(self, pairs: Pairs, at_once: bool) -> list[Comparison | None]:
        return [self._one(int(a), int(b), at_once) for a, b in pairs]

    def _one(self, a: int, b: int, at_once: bool) -> Comparison | None:
        try:
            pair = Pair(
                self._picture(a),
                self._picture(b),
                self.preset.options,
                self.features,
                side_by_side=False,
                hint=None if self.hints is None else self.hints.get((a, b)),
                search=self.hints is None or (a, b) in self.hints,
            )
            if not at_once or self.preset.rule != "auto":
                return decide(pair, self.preset)
            seen = at_sight(pair, self.preset.thresholds)
            if seen.outcome is not None:
                return finish(pair, seen.outcome, self.preset.name)
            if seen.certainty > 0:
                self.unsure[a, b] = seen.certainty
            return None
        except PictureError as error:
            failure = Failure.of(error)
            self.failures[failure.source] = failure
            return None

    def _size(self, index: int) -> int:
        return self.files[index].width * self.files[index].height

    def _picture(self, index: int) -> Picture:
        with self._opening:
            found = self._open.get(index)
            if found is None:
                found = self._open[index] = picture_of(self.files[index], self.limits)
                self._pixels += self._size(index)
                while len(self._open) > OPEN or (self._pixels > OPEN_PIXELS and len(self._open) > 2):
                    self._pixels -= self._size(self._open.popitem(last=False)[0])
            else:
                self._open.move_to_end(index)
            return found
