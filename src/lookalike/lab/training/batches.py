"""Which pictures are looked at together: as many of every product, and products that are hard to tell apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]

PRODUCTS = 32
"""Products in a batch."""

EACH = 4
"""Pictures of each, or all that there are."""

KIN = 3
"""In a batch of hard ones: products that stand beside each one drawn, those nearest to it."""

POOL = 4000
"""Products among which the nearest are looked for at a time."""


class Balanced:
    """Batches that show every product equally often, however many pictures it has.

    Every second batch is of products that look alike, once :meth:`look` was told how they look: negatives that are
    far away teach nothing.

    Args:
        labels: (N,), the number of each picture's product, 0 or more.
        members: numbers of the pictures to draw from; products with a single one among them teach nothing and are
            left out.
        products, each: how many in a batch.
        seed: batch ``step`` is the same for one seed, whatever was drawn before it.
    """

    def __init__(
        self, labels: Numbers, members: Numbers, *, products: int = PRODUCTS, each: int = EACH, seed: int = 0
    ) -> None:
        groups = [members[labels[members] == label] for label in np.unique(labels[members])]
        self.groups: Sequence[Numbers] = [group for group in groups if len(group) > 1]
        self.products, self.each, self.seed = min(products, len(self.groups)), each, seed
        self._pool: Numbers | None = None
        self._nearest: Numbers = np.empty((0, KIN), np.int64)
        self._looks = 0

    def means(self, vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Mean vector of each product's pictures, (products, D)."""
        return np.stack([vectors[group].mean(axis=0) for group in self.groups])

    def look(self, means: npt.NDArray[np.floating]) -> None:
        """Learn which products look alike now, by one vector of length 1 for each."""
        self._looks += 1
        self._pool = np.random.default_rng([self.seed, 1, self._looks]).permutation(len(self.groups))[:POOL]
        alike = means[self._pool] @ means[self._pool].T
        np.fill_diagonal(alike, -np.inf)
        kin = min(KIN, len(self._pool) - 1)
        self._nearest = self._pool[np.argsort(-alike, axis=1, kind="stable")[:, :kin]]

    def batch(self, step: int) -> Numbers:
        """Numbers of the pictures of batch ``step``."""
        random = np.random.default_rng([self.seed, 0, step])
        chosen = random.permutation(len(self.groups))[: self.products]
        if self._pool is not None and step % 2:
            first = random.permutation(len(self._pool))
            families = np.column_stack([self._pool[first], self._nearest[first]]).ravel()
            chosen = families[np.sort(np.unique(families, return_index=True)[1])][: self.products]
        parts = [random.permutation(self.groups[product])[: self.each] for product in chosen]
        return np.concatenate(parts)


class Shuffled:
    """Batches of any pictures, where nothing is known about products.

    Args:
        members: numbers of the pictures to draw from.
        size: pictures in a batch.
        seed: batch ``step`` is the same for one seed.
    """

    def __init__(self, members: Numbers, *, size: int = 256, seed: int = 0) -> None:
        self.members, self.size, self.seed = members, min(size, len(members)), seed

    def batch(self, step: int) -> Numbers:
        """Numbers of the pictures of batch ``step``, each once."""
        return np.random.default_rng([self.seed, step]).permutation(self.members)[: self.size]
