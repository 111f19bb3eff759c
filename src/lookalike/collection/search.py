"""Nearest vectors: exactly while that can be waited for, and by a FAISS index beyond it, which says what it missed."""

from __future__ import annotations

import math

import numpy as np

from lookalike.collection.neighbours import Neighbours, Vectors, nearest

EXACT = 200_000**2
"""Similarities up to which all of them are computed: of 200,000 pictures, or of the windows of 66,000."""

CHECKED = 200
"""Rows whose true neighbours are searched as well, to tell the recall."""

PROBED = 24
"""Lists of the index that are searched for each row."""

TRAINED_ON = 40
"""Vectors for each list that the lists are made from."""


class Search:
    """Nearest columns of rows, by dot product of vectors of length 1.

    Args:
        threads: how many work on it.
        exact: similarities up to which all are computed.

    Attributes:
        recall: share of the true nearest that were found, by a sample of the rows; the least of all searches, 1 where
            all were exact.

    >>> rows = np.eye(4, dtype=np.float32)
    >>> search = Search()
    >>> search(rows[:2], rows, 1).indices.ravel().tolist(), search.recall
    ([0, 1], 1.0)
    """

    def __init__(self, threads: int = 1, exact: int = EXACT) -> None:
        self.threads, self.exact = threads, exact
        self.recall = 1.0

    def __call__(self, rows: Vectors, columns: Vectors, k: int, *, same: bool = False) -> Neighbours:
        """The ``k`` nearest columns of every row; see :func:`~lookalike.collection.neighbours.nearest`."""
        if len(rows) * len(columns) <= self.exact:
            return nearest(rows, columns, k, same=same, threads=self.threads)
        found = self._by_index(rows, columns, min(k, len(columns) - same), same)
        self.recall = min(self.recall, self._recall(rows, columns, found, same))
        return found

    def _by_index(self, rows: Vectors, columns: Vectors, k: int, same: bool) -> Neighbours:
        import faiss

        faiss.omp_set_num_threads(self.threads)
        lists = max(1, min(round(2 * math.sqrt(len(columns))), len(columns) // TRAINED_ON))
        quantizer = faiss.IndexFlatIP(columns.shape[1])
        index = faiss.IndexIVFScalarQuantizer(
            quantizer, columns.shape[1], lists, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        index.cp.seed = 0
        index.cp.max_points_per_centroid = TRAINED_ON
        step = max(1, len(columns) // (lists * TRAINED_ON))
        index.train(np.ascontiguousarray(columns[::step]))
        index.add(columns)
        index.nprobe = min(lists, PROBED)
        similarities, indices = index.search(rows, k + same)
        if same:
            similarities, indices = _without_oneself(similarities, indices)
        return Neighbours(indices.astype(np.int32), np.maximum(similarities, -1).astype(np.float32))

    def _recall(self, rows: Vectors, columns: Vectors, found: Neighbours, same: bool) -> float:
        sample = np.unique(np.linspace(0, len(rows) - 1, CHECKED).astype(int))
        k = found.indices.shape[1]
        true = nearest(rows[sample], columns, k + same, same=False, threads=self.threads).indices
        met = [len(set(ours) & set(theirs) - ({row} if same else set())) for row, ours, theirs in
               zip(sample.tolist(), found.indices[sample].tolist(), true.tolist(), strict=True)]  # fmt: skip
        return float(np.mean(met) / k)


def _without_oneself(similarities: Vectors, indices: np.ndarray) -> tuple[Vectors, np.ndarray]:
    """Rows without their own number, or without the last where that is not among them."""
    own = indices == np.arange(len(indices))[:, None]
    own[~own.any(axis=1), -1] = True
    kept = ~own
    shape = (len(indices), indices.shape[1] - 1)
    return similarities[kept].reshape(shape), indices[kept].reshape(shape)
