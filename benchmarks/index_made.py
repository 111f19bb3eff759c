"""Vectors and codes as a catalogue of millions would have them: mixtures around the embeddings of real pictures.

A vector is the embedding of a real picture, reduced to its principal components, with noise along each of them that is
half as wide as the real embeddings spread there: so the made ones crowd where real ones do. Queries are drawn the same
way, by themselves. Codes are the signs of random projections of such vectors (M. Charikar, "Similarity estimation
techniques from rounding algorithms", 2002), a twentieth of them with a few bits turned over: the near-duplicates.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from data import SETS, folder_or_leave, read

from lookalike.features.embedding import Embedding
from lookalike.images.load import load

SPREAD = 0.5
BLOCK = 50_000


def real_embeddings(work: Path) -> np.ndarray:
    """float32, (pictures, 1280), length 1: of every real picture there is; made once."""
    file = work / "embeddings.npy"
    if not file.exists():
        root, embedding, rows = folder_or_leave(), Embedding(), []
        pictures = [picture.path for name in SETS for picture in read(root, name)]
        for start in range(0, len(pictures), 64):
            rows += embedding.extract([load(path) for path in pictures[start : start + 64]])
        np.save(file, np.stack(rows))
    return np.load(file)


class Mixture:
    """Vectors of ``dimension`` numbers around real ones.

    Args:
        real: the real embeddings, (n, d).
        dimension: principal components that are kept; as many as the embeddings have where 0.
    """

    def __init__(self, real: np.ndarray, dimension: int) -> None:
        if dimension and dimension < real.shape[1]:
            centre = real.mean(axis=0)
            _, _, axes = np.linalg.svd(real - centre, full_matrices=False)
            self.real = real @ axes[:dimension].T
        else:
            self.real = real
        self.spread = SPREAD * self.real.std(axis=0)
        self.dimension = self.real.shape[1]

    def draw(self, count: int, seed: int) -> np.ndarray:
        """float32, (count, dimension), length 1."""
        rng = np.random.default_rng([seed, count])
        around = self.real[rng.integers(0, len(self.real), count)]
        rows = around + self.spread * rng.standard_normal(around.shape, dtype=np.float32)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def blocks(self, count: int) -> Iterator[np.ndarray]:
        """``count`` vectors, :data:`BLOCK` at a time, the same ones every time."""
        for number, start in enumerate(range(0, count, BLOCK)):
            yield self.draw(min(BLOCK, count - start), 1000 + number)


class Codes:
    """Codes of ``bits`` bits: signs of random projections of a mixture."""

    def __init__(self, mixture: Mixture, bits: int = 256) -> None:
        self.mixture = mixture
        self.planes = np.random.default_rng(5).standard_normal((mixture.dimension, bits)).astype(np.float32)

    def of(self, rows: np.ndarray) -> np.ndarray:
        """uint8, (n, bits / 8)."""
        return np.packbits((rows - self.mixture.real.mean(axis=0)) @ self.planes > 0, axis=1)

    def blocks(self, count: int) -> Iterator[np.ndarray]:
        """``count`` codes, a block at a time."""
        for rows in self.mixture.blocks(count):
            yield self.of(rows)

    def near(self, codes: np.ndarray, bits: int, seed: int) -> np.ndarray:
        """Each code with ``bits`` of its bits turned over."""
        rng = np.random.default_rng(seed)
        told = np.unpackbits(codes, axis=1)
        for row in told:
            row[rng.choice(told.shape[1], bits, replace=False)] ^= 1
        return np.packbits(told, axis=1)
