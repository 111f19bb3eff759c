"""Vectors of a collection → each one's nearest others, exactly, in blocks.

Vectors of like things crowd together: of 10,000 products on white, 200,000 pairs have a cosine over 0.85. Two steps
spread them: whitening on the collection itself, and taking off how dense a picture's neighbourhood is (CSLS: Conneau et
al. 2018, "Word Translation Without Parallel Data", section 2.3).
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

SAMPLE = 20_000
"""Vectors that whitening is fitted on; more change nothing that can be measured."""

DENSITY = 10
"""Neighbours whose mean similarity is the density of a neighbourhood."""

BLOCK = 1024
"""Rows compared at a time, at most, …"""

BLOCK_VALUES = 2**23
"""… and similarities of theirs."""

SPAN = 64
"""Columns, evenly spread, whose maximum is looked at first: the nearest k lie in the k spans with the greatest."""


class Whitening(NamedTuple):
    """What spreads the vectors of a collection: ``(x - mean) @ matrix``, then length 1."""

    mean: Vectors
    matrix: Vectors

    def __call__(self, vectors: npt.NDArray[np.floating]) -> Vectors:
        """Whitened rows (N×d, any float) of length 1, float32 N×k."""
        found = np.empty((len(vectors), self.matrix.shape[1]), np.float32)
        for start in range(0, len(vectors), 8192):  # a float32 copy of all would double the memory
            part = vectors[start : start + 8192].astype(np.float32) - self.mean
            found[start : start + 8192] = part @ self.matrix
        found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return found


def whitening(vectors: npt.NDArray[np.floating], dimensions: int, floor: float = 0.01) -> Whitening:
    """Fit the whitening of a collection: mean off, principal axes, divided by their spread.

    Args:
        vectors: N×d.
        dimensions: axes kept at most.
        floor: share of the greatest variance added to each, so that faint axes do not become noise.

    >>> rows = np.random.default_rng(0).normal(size=(500, 8)) * [4, 1, 1, 1, 1, 1, 1, 1]
    >>> spread = whitening(rows, 8)(rows).std(axis=0)
    >>> bool(spread.max() / spread.min() < 1.2)
    True
    """
    from scipy.linalg import eigh  # a fifth of a second, which runs that only add a picture need not spend

    step = max(1, len(vectors) // SAMPLE)
    sample = vectors[::step].astype(np.float32)
    mean = sample.mean(axis=0)
    sample -= mean
    covariance = sample.T @ sample / len(sample)
    size = len(covariance)
    kept = min(dimensions, size)
    variance, axes = eigh(covariance, subset_by_index=(size - kept, size - 1), overwrite_a=True, check_finite=False)
    variance = np.maximum(variance, 0)
    matrix = axes / np.sqrt(variance + max(floor * float(variance[-1]), 1e-12))
    return Whitening(mean, np.ascontiguousarray(matrix, np.float32))


class Neighbours(NamedTuple):
    """The nearest of every row.

    Attributes:
        indices: int32, N×k, of other rows; -1 where there are fewer.
        similarities: float32, N×k, likewise, nearest first; -1 where there are fewer.
    """

    indices: npt.NDArray[np.int32]
    similarities: Vectors


def nearest(rows: Vectors, columns: Vectors, k: int, *, same: bool, threads: int = 1) -> Neighbours:
    """The ``k`` columns nearest to every row, by dot product, exact.

    Args:
        rows, columns: float32, N×d and M×d, rows of length 1.
        k: how many.
        same: rows and columns are the same pictures; none is its own neighbour.
        threads: how many work on it, beside those of the linear algebra.
    """
    count = len(columns)
    k = min(k, count - 1 if same else count)
    indices = np.full((len(rows), max(k, 0)), -1, np.int32)
    similarities = np.full((len(rows), max(k, 0)), -1, np.float32)
    if k <= 0:
        return Neighbours(indices, similarities)
    width = -(-count // SPAN)
    size = max(1, min(BLOCK, len(rows), BLOCK_VALUES // (width * SPAN)))
    own = threading.local()  # a block each, for making one anew costs as much as filling it

    def search(start: int) -> None:
        if not hasattr(own, "block"):
            own.block = np.full((size, width * SPAN), -2, np.float32)
        stop = min(start + size, len(rows))
        found = _top(*_similarities(rows, columns, own.block, slice(start, stop), same), k)
        indices[start:stop], similarities[start:stop] = found

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(search, range(0, len(rows), size)))
    return Neighbours(indices, similarities)


def _similarities(rows: Vectors, columns: Vectors, block: Vectors, part: slice, same: bool) -> tuple[Vectors, Vectors]:
    """Those of some rows, written to ``block``, and the greatest of every width-th column."""
    width = block.shape[1] // SPAN
    count = len(columns)
    values = block[: part.stop - part.start]
    greatest = np.full((len(values), width), -2, np.float32)
    for left in range(0, count, width * _together(width)):
        right = min(left + width * _together(width), count)
        np.matmul(rows[part], columns[left:right].T, out=values[:, left:right])
        if same:
            own = np.arange(max(left, part.start), min(right, part.stop))
            values[own - part.start, own] = -2
        for first in range(left, right, width):  # while it is in the cache
            span = values[:, first : first + width]
            np.maximum(greatest[:, : span.shape[1]], span, out=greatest[:, : span.shape[1]])
    return values, greatest


def _together(width: int) -> int:
    """How many stretches of that width are multiplied at a time: enough for speed, few enough for the cache."""
    return max(1, min(SPAN, 2048 // width))


def _top(block: Vectors, greatest: Vectors, k: int) -> tuple[npt.NDArray[np.int32], Vectors]:
    """Columns and values of the ``k`` greatest of every row, greatest first.

    Args:
        block: N×(64·width).
        greatest: N×width, that of every width-th column.
        k: how many.
    """
    size, width = greatest.shape
    if width > 2 * k:  # look into those spans only whose maximum is among the k greatest
        spans = block.reshape(size, SPAN, width)
        chosen = np.argpartition(greatest, -k, axis=1)[:, -k:]
        values = spans[np.arange(size)[:, None], :, chosen].reshape(size, -1)
        inside = np.argpartition(values, -k, axis=1)[:, -k:]
        columns = np.take_along_axis(chosen, inside // SPAN, axis=1) + inside % SPAN * width
    else:
        columns = np.argpartition(block, -k, axis=1)[:, -k:]
    values = np.take_along_axis(block, columns, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1).astype(np.int32), np.take_along_axis(values, order, axis=1)


class Ranked(NamedTuple):
    """Pairs in the order of their likelihood.

    Attributes:
        first, second: int32, rows of the pair; for one collection first < second.
        score: float32, similarity with the density of both neighbourhoods taken off, greatest first.
    """

    first: npt.NDArray[np.int32]
    second: npt.NDArray[np.int32]
    score: Vectors


def ranked(found: Neighbours, density: Vectors, other_density: Vectors, *, same: bool) -> Ranked:
    """The neighbours found as pairs, likeliest first.

    Args:
        found: the neighbours of every row.
        density, other_density: float32, mean similarity of the nearest of every row and of every column.
        same: rows and columns are the same pictures: (i, j) and (j, i) are one pair.
    """
    rows = np.repeat(np.arange(len(found.indices), dtype=np.int64), found.indices.shape[1])
    columns = found.indices.ravel().astype(np.int64)
    score = 2 * found.similarities.ravel() - density[rows] - other_density[columns]
    there = columns >= 0
    rows, columns, score = rows[there], columns[there], score[there]
    if same:
        rows, columns = np.minimum(rows, columns), np.maximum(rows, columns)
    _, once = np.unique(rows * max(1, len(other_density)) + columns, return_index=True)
    rows, columns, score = rows[once], columns[once], score[once]
    best = np.lexsort((columns, rows, -score))
    return Ranked(rows[best].astype(np.int32), columns[best].astype(np.int32), score[best].astype(np.float32))


def density(found: Neighbours) -> Vectors:
    """Mean similarity of the nearest :data:`DENSITY` of every row."""
    if found.similarities.shape[1] == 0:
        return np.zeros(len(found.similarities), np.float32)
    return np.asarray(found.similarities[:, :DENSITY].mean(axis=1), np.float32)
