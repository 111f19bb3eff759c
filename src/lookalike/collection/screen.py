"""Candidates → those worth a comparison, told from stored features alone: no file is opened.

Two tests, each for its kind of copy. Do the same things stand side by side? Every cell of one picture is matched with
its likest in the other, and the matches must agree on one shift, size and turn. Or do whole frames agree at 24 pixels,
in one of the eight flips and turns?
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.collection.neighbours import Vectors, Whitening, whitening
from lookalike.features.cells import GRID, Grid
from lookalike.features.dihedral import TRANSFORMS, apply
from lookalike.features.embedding import unit

Pairs = npt.NDArray[np.int32]
Look = npt.NDArray[np.uint8]

AXES = 64
"""Numbers a cell keeps once whitened."""

LEAST_ALIKE = 0.45
"""Mean cosine of every cell with its likest, below which nothing is matched: 99 % of copies are over it."""

LEAST_COSINE = 0.35
"""Cosine from which two cells are a match that may agree with others."""

SURE_COSINE = 0.5
"""Cosine from which two cells that are each other's likest count by themselves."""

WITHIN = 0.9
"""Cells by which a match may miss the place that the others agree on."""

LEAST_EVIDENCE = 20.0
"""Sum of the cosines of matches that agree and of mutual ones: copies have 43 and more, but for crops to a quarter,
which begin at 20; nine of ten candidates that are no copies stay below."""

LARGEST = 2.5
"""Greatest change of size that is believed."""

TINY = 24
"""Side of the thumbnails on which whole frames are compared."""

FRAMES = 0.75
"""Correlation of such thumbnails from which whole frames may agree: copies reach 0.85."""

FLAT = 5.0
"""Standard deviation, in grey levels, below which thumbnails agree by chance: nearly blank pictures."""

_PLACES = np.stack(np.meshgrid(np.arange(GRID), np.arange(GRID)), axis=-1).reshape(-1, 2).astype(np.float32)


def cell_space(grids: Sequence[Grid]) -> Whitening:
    """What spreads the cells of a collection, fitted on a sample of its grids."""
    step = max(1, len(grids) // 2000)
    return whitening(np.concatenate(grids[::step]), AXES, floor=0.02)


def spread_cells(space: Whitening, grids: Sequence[Grid]) -> Vectors:
    """Grids whitened, every cell of length 1: float32, N×64×64."""
    stacked = np.stack(grids)
    return unit_rows((stacked.astype(np.float32) - space.mean) @ space.matrix)


def unit_rows(values: npt.NDArray[np.floating]) -> Vectors:
    """The last axis at length 1."""
    flat = values.reshape(-1, values.shape[-1])
    return unit(flat).reshape(values.shape)


def evidence(first: Vectors, second: Vectors) -> npt.NDArray[np.float32]:
    """How much the cells of two pictures speak for one lying on the other, pair by pair.

    Args:
        first, second: float32, N×64×64, of :func:`spread_cells`.

    Returns:
        float32, N: 0 to about 128, see :data:`LEAST_EVIDENCE`.
    """
    alike = first @ second.transpose(0, 2, 1)
    forth, back = alike.max(axis=2), alike.max(axis=1)
    found = np.zeros(len(first), np.float32)
    for number in np.flatnonzero(np.maximum(forth.mean(axis=1), back.mean(axis=1)) >= LEAST_ALIKE):
        matrix = alike[number]
        mutual = (matrix == forth[number][:, None]) & (matrix == back[number]) & (matrix > SURE_COSINE)
        agreeing = max(_agreement(matrix), _agreement(matrix.T))
        found[number] = agreeing + float(matrix[mutual].sum())
    return found


def _agreement(alike: Vectors) -> float:
    """Sum of the cosines of those matches that agree on one shift, size and turn."""
    likest = alike.argmax(axis=1)
    cosines = alike[np.arange(len(alike)), likest]
    good = cosines > LEAST_COSINE
    if int(good.sum()) < 5:
        return 0.0
    laid, agree = cv2.estimateAffinePartial2D(
        _PLACES[good],
        _PLACES[likest[good]],
        method=cv2.RANSAC,
        ransacReprojThreshold=WITHIN,
        maxIters=200,
        confidence=0.95,
        refineIters=0,
    )
    if laid is None or agree is None:
        return 0.0
    growth = float(np.sqrt(abs(np.linalg.det(laid[:, :2]))))
    return float(cosines[good] @ agree.ravel()) if 1 / LARGEST < growth < LARGEST else 0.0


def tiny(looks: Sequence[Look]) -> Vectors:
    """Looks at 24 pixels, mean off, of length 1: float32, N×2×24×24; zero where there is next to no texture."""
    step = looks[0].shape[-1] // TINY
    stacked = np.stack(looks).reshape(len(looks), 2, TINY, step, TINY, step)
    small = stacked.mean(axis=(3, 5), dtype=np.float32)
    small -= small.mean(axis=(2, 3), keepdims=True)
    length = np.sqrt((small * small).sum(axis=(2, 3), keepdims=True))
    return np.asarray(np.where(length > FLAT * TINY, small / np.maximum(length, 1e-6), 0), np.float32)


def frames_agree(first: Vectors, second: Vectors) -> npt.NDArray[np.float32]:
    """Best correlation of pairs of :func:`tiny` thumbnails over eight flips and turns, margins or not; float32, N.

    >>> photo = np.random.default_rng(0).integers(0, 255, (1, 24, 24), np.uint8).repeat(4, 1).repeat(4, 2).repeat(2, 0)
    >>> turned = np.rot90(photo, axes=(1, 2))
    >>> bool(frames_agree(tiny([photo]), tiny([turned]))[0] > 0.99)
    True
    """
    best = np.full(len(first), -1, np.float32)
    laid = first.reshape(len(first), 2, -1)
    places = np.arange(TINY * TINY).reshape(TINY, TINY)
    for index in range(len(TRANSFORMS)):
        turned = second.reshape(len(second), 2, -1)[:, :, apply(places, index).ravel()]
        np.maximum(best, (laid * turned).sum(axis=2).max(axis=1), out=best)
    return best


