"""What stands first when every picture asks for its like among all others; equal similarities count together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.lab.ranking import Floats

TOGETHER = 2**22
"""Similarities that are held at a time."""

AGAIN = 10
"""Neighbours by the full vectors that are looked for among those by the small ones."""


def precisions(vectors: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """For each picture the average precision of its ranking of all others, and whether the first is its like.

    Where several are equally alike, as codes often are, precision is taken where the last of them stands (as
    scikit-learn does), and the share of its like among the first ones stands for the first.

    Args:
        vectors: N×D, rows of length 1.
        labels: (N,); its like are those of the same number.

    Returns:
        Twice float64 (N,); nan for a picture that has no like.

    >>> corner = np.eye(3, dtype=np.float32)[[0, 0, 1]]
    >>> precisions(corner, np.array([5, 5, 5]))[0].tolist()
    [1.0, 1.0, 1.0]
    """
    precision, first = np.full((2, len(vectors)), np.nan)
    for start, alike in _blocks(vectors):
        rows = np.arange(start, start + len(alike))
        order = np.argsort(-alike, axis=1, kind="stable")[:, :-1]  # the last is the picture itself, at -inf
        ranked = np.take_along_axis(alike, order, axis=1)
        true = labels[order] == labels[rows, None]
        asked = true.any(axis=1)
        hits = np.cumsum(true, axis=1)
        end = _ends(ranked)
        reached = np.take_along_axis(hits, end, axis=1) / (end + 1)
        with np.errstate(invalid="ignore"):
            precision[rows] = np.where(asked, (reached * true).sum(axis=1) / hits[:, -1], np.nan)
        precision_of_first = reached[:, 0]
        first[rows] = np.where(asked, precision_of_first, np.nan)
    return precision, first


def agreement(full: npt.NDArray[np.float32], small: npt.NDArray[np.float32], among: int = AGAIN) -> Floats:
    """For each picture the share of its :data:`AGAIN` nearest by the full vectors that are among its nearest by others.

    Args:
        full, small: N×D and N×d, rows of length 1.
        among: how many nearest by ``small``; of those equally alike at the border, each counts by its chance.

    Returns:
        float64 (N,), in [0, 1].
    """
    nearest = min(AGAIN, len(full) - 1)
    among = min(among, len(full) - 1)
    found = np.empty(len(full))
    for (start, true), (_, alike) in zip(_blocks(full), _blocks(small), strict=True):
        wanted = np.argpartition(-true, nearest - 1, axis=1)[:, :nearest]
        border = -np.partition(-alike, among - 1, axis=1)[:, among - 1 : among]
        closer, level = alike > border, alike == border
        room = (among - closer.sum(axis=1, keepdims=True)) / level.sum(axis=1, keepdims=True)
        chance = closer + level * room
        found[start : start + len(true)] = np.take_along_axis(chance, wanted, axis=1).mean(axis=1)
    return found


def _blocks(vectors: npt.NDArray[np.float32]) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """Cosines of some rows with all, to 6 decimals (codes that differ in as many bits are equal); itself at -inf."""
    step = max(1, TOGETHER // len(vectors))
    for start in range(0, len(vectors), step):
        alike: npt.NDArray[Any] = np.round(vectors[start : start + step] @ vectors.T, 6)
        alike[np.arange(len(alike)), np.arange(start, start + len(alike))] = -np.inf
        yield start, alike


def _ends(ranked: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """For every place the last place that has the same similarity."""
    count = ranked.shape[1]
    last = np.where(ranked[:, :-1] != ranked[:, 1:], np.arange(count - 1), count - 1)
    last = np.column_stack([last, np.full(len(ranked), count - 1)])
    return np.asarray(np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1])
