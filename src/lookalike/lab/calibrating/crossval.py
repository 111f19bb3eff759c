"""Pairs that a fit never saw, nor their pictures: how well it does on new ones.

Pairs cannot simply be dealt into folds: two pairs that share a picture know of each other. So pictures are dealt, in
clumps that belong together, and a pair is judged by what was fitted to pairs that have no picture in either of its two
folds. Of five folds a pair within one is judged by the other four, a pair across two by the other three; every pair is
judged once, none is thrown away for lying across. As same and different pairs lie across folds unequally often, the
pairs fitted to are weighed so that there is as much of each as in all of them: P depends on that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.lab.bootstrap import Numbers
from lookalike.lab.ranking import Floats, Labels

FOLDS = 5

LEAST_FIT = 5
"""Pairs of each label to fit to without which a split is left out."""

Fit: TypeAlias = Callable[[npt.NDArray[np.intp], Floats], Callable[[npt.NDArray[np.intp]], Floats]]
"""Numbers of the pairs to fit to and their weights → a function of the numbers of other pairs."""


@dataclass(frozen=True, slots=True)
class Folds:
    """Which fold each picture of each pair is in.

    Attributes:
        first, second: (N,), fold of the pairs' pictures.
        count: how many folds.
        by: what was dealt, in words.
    """

    first: Numbers
    second: Numbers
    count: int
    by: str

    def splits(self) -> Iterator[tuple[Labels, Labels]]:
        """Masks (N,) of the pairs to fit to and of those to judge, for every fold and every two of them."""
        for i in range(self.count):
            for j in range(i, self.count):
                inside = [np.isin(fold, (i, j)) for fold in (self.first, self.second)]
                judged = (np.minimum(self.first, self.second) == i) & (np.maximum(self.first, self.second) == j)
                yield ~inside[0] & ~inside[1], judged


def deal(first: Numbers, second: Numbers, labels: Labels, count: int = FOLDS, seed: int = 0) -> Folds:
    """Deal the pictures into folds, so that each has about as many pairs.

    What stays together: all that hangs together by pairs; where that is too much for one fold, all that hangs together
    by pairs of the same product, which is a product; where even that is, pictures are dealt one by one.

    Args:
        first, second: (N,), number of the pairs' pictures.
        labels: (N,), true for the same product.
        count: how many folds.
        seed: another one deals in another way.
    """
    pictures = 1 + int(max(first.max(), second.max()))
    load = np.bincount(np.concatenate([first, second]), minlength=pictures)
    clump, by = _together(first, second, labels, load, count)
    heavy = np.bincount(clump, load)
    order = np.random.default_rng(seed).permutation(len(heavy))
    fold = np.zeros(len(heavy), np.int64)
    filled = np.zeros(count)
    for number in order[np.argsort(-heavy[order], kind="stable")]:
        fold[number] = filled.argmin()
        filled[fold[number]] += heavy[number]
    return Folds(fold[clump[first]], fold[clump[second]], count, by)


def _together(
    first: Numbers, second: Numbers, labels: Labels, load: npt.NDArray[np.intp], count: int
) -> tuple[Numbers, str]:
    """What each picture is dealt with, and that in words."""
    every = np.ones(len(labels), bool)
    for by, tie, most in (("what hangs together by pairs", every, 1 / count), ("product", labels, 0.4)):
        clump = clumps(first[tie], second[tie], len(load))
        if np.bincount(clump, load).max() <= most * load.sum():
            return clump, by
    return np.arange(len(load)), "picture"


def clumps(first: Numbers, second: Numbers, pictures: int) -> Numbers:
    """(pictures,), number of what each picture hangs together with by these pairs."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    joined = csr_array((np.ones(len(first)), (first, second)), shape=(pictures, pictures))
    return np.asarray(connected_components(joined, directed=False)[1], np.int64)


def held_out(folds: Folds, labels: Labels, fit: Fit) -> Floats:
    """What ``fit`` says of each pair without having seen its pictures, (N,); nan where too few were left to fit to."""
    said = np.full(len(labels), np.nan)
    share = float(labels.mean())
    for train, judged in folds.splits():
        same, different = (labels & train).sum(), (~labels & train).sum()
        if min(same, different) < LEAST_FIT or not judged.any():
            continue
        weights = np.where(labels, share / same, (1 - share) / different) * (same + different)
        chosen = np.flatnonzero(train)
        said[judged] = fit(chosen, weights[chosen])(np.flatnonzero(judged))
    return said
