"""Principal components: fewer numbers that keep most of the variance, and whitening, which makes all count alike."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.lab.training.projection import Projection, centred

FLOOR = 0.01
"""Whitening divides by the square root of variance + this share of the first: what hardly varies is mostly noise."""


class PCA:
    """Principal component analysis.

    Learned things end in ``_``, as in scikit-learn, which gives the same numbers but for signs.

    Args:
        dimension: components to keep.
        whiten: divide each by the square root of its variance (with :data:`FLOOR`).

    Attributes:
        mean_: (D,).
        components_: dimension×D, rows of length 1, the one with most variance first.
        variance_: (dimension,), along each component.
        kept_: share of all variance that the components keep, in [0, 1].

    >>> points = np.random.default_rng(0).normal(size=(200, 8)) * [9, 5, 1, 1, 1, 1, 1, 1]
    >>> PCA(2).fit(points).projection_.dimension
    2
    """

    mean_: npt.NDArray[np.float64]
    components_: npt.NDArray[np.float64]
    variance_: npt.NDArray[np.float64]
    kept_: float

    def __init__(self, dimension: int, *, whiten: bool = False) -> None:
        self.dimension = dimension
        self.whiten = whiten

    def fit(self, vectors: npt.NDArray[Any]) -> Self:
        """Learn from vectors, float N×D.

        Raises:
            UsageError: more components than the vectors have numbers, or than there are vectors, less one.
        """
        rows = np.array(vectors, np.float64)
        most = min(len(rows) - 1, rows.shape[1])
        if not 1 <= self.dimension <= most:
            raise UsageError(
                f"{len(rows)} vectors of {rows.shape[1]} numbers have at most {most} principal components, "
                f"not {self.dimension}",
                remedy=f"ask for a dimension of at most {most}, or give more pictures",
            )
        self.mean_ = rows.mean(axis=0)
        rows -= self.mean_
        values, vectors_ = np.linalg.eigh(rows.T @ rows / (len(rows) - 1))
        values = np.maximum(values[::-1], 0.0)
        directions = vectors_[:, ::-1].T[: self.dimension]
        # The sign of a component is arbitrary; that of its largest number is made +, so that two machines agree.
        largest = np.abs(directions).argmax(axis=1)
        signs = np.sign(directions[np.arange(len(directions)), largest])
        self.components_ = directions * signs[:, None]
        self.variance_ = values[: self.dimension]
        total = float(values.sum())
        self.kept_ = float(self.variance_.sum()) / total if total > 0 else 1.0
        return self

    @property
    def projection_(self) -> Projection:
        """The map to the components, whitened where that is asked."""
        matrix = self.components_.T
        if self.whiten:
            matrix = matrix / np.sqrt(self.variance_ + FLOOR * self.variance_[0] + 1e-12)
        return centred(matrix, self.mean_)
