"""Codes without training: principal components, turned so that signs say as much as they can."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.features.embedding import unit
from lookalike.lab.training.pca import PCA
from lookalike.lab.training.projection import Projection, centred

ROUNDS = 50


def turned_codes(vectors: npt.NDArray[Any], bits: int, seed: int = 0, behind: Projection | None = None) -> Projection:
    """Iterative quantisation: the turn after which principal components lie nearest to the corners of a cube.

    Gong and Lazebnik, "Iterative quantization: a Procrustean approach to learning binary codes" (CVPR 2011).

    Args:
        vectors: float N×D, more than ``bits`` of them; their length does not matter.
        bits: length of a code.
        seed: where the search for the turn begins.
        behind: a head whose vectors are turned, rather than the vectors themselves.
    """
    rows = (unit(vectors) if behind is None else behind.before(vectors)).astype(np.float64)
    pca = PCA(bits).fit(rows)
    flat = (rows - pca.mean_) @ pca.components_.T
    turn = np.linalg.qr(np.random.default_rng(seed).normal(size=(bits, bits)))[0]
    for _ in range(ROUNDS):
        corners = np.where(flat @ turn >= 0, 1.0, -1.0)
        left, _, right = np.linalg.svd(flat.T @ corners)
        turn = left @ right
    codes = centred(pca.components_.T @ turn, pca.mean_, bits=True)
    if behind is None:
        return codes
    return Projection(behind.matrix @ codes.matrix, behind.bias @ codes.matrix + codes.bias, bits=True)
