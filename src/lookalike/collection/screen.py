"""Candidates → those worth a comparison, told from stored features alone: no file is opened.

Two tests, each for its kind of copy. Do the same things stand side by side? Every cell of one picture is matched with
its likest in the other, and the matches must agree on one shift, size and turn. Or do whole frames agree at 24 pixels,
in one of the eight flips and turns?
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.collection.neighbours import Vectors, Whitening, whitening
from lookalike.features.align import Matrix, inverted, look_aligned
from lookalike.features.cells import GRID, Grid
from lookalike.features.dihedral import TRANSFORMS, apply
from lookalike.features.embedding import unit
from lookalike.features.look import equally_sharp, local_correlation
from lookalike.features.register import by_ecc

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

LEAST_EVIDENCE = 24.0
"""Sum of the cosines of matches that agree and of mutual ones: copies have 43 and more, but for crops to a quarter,
which begin at 20; nine of ten candidates that are no copies stay below."""

LARGEST = 2.5
"""Greatest change of size that is believed."""

SEEN = 48
"""Side of the thumbnails on which the place that cells agree on is looked at."""

LEAST_SEEN = 0.4
"""Local correlation there from which the pictures themselves are compared: copies reach 0.8."""

TINY = 24
"""Side of the thumbnails on which whole frames are compared."""

FRAMES = 0.75
"""Correlation of such thumbnails from which whole frames may agree: copies reach 0.85."""

FLAT = 5.0
"""Standard deviation, in grey levels, below which thumbnails agree by chance: nearly blank pictures."""

HUES = 10
"""Bins along each of Lab's a and b."""

GREYISH = 10.0
"""Lab chroma that nine tenths of a picture without colour stay below."""

UNKNOWN = 0.9
"""What pictures without colour count for: copies that kept their colours are over 0.98, other pictures at 0.83."""

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


class Evidence(NamedTuple):
    """What the cells of two pictures say.

    Attributes:
        strength: 0 to about 128, see :data:`LEAST_EVIDENCE`.
        laid: 3×3, cells of the second → cells of the first; None where nothing agrees.
    """

    strength: float
    laid: Matrix | None


def evidence(first: Vectors, second: Vectors) -> list[Evidence]:
    """How much speaks for one of two pictures lying on the other, pair by pair.

    Args:
        first, second: float32, N×64×64, of :func:`spread_cells`.
    """
    alike = first @ second.transpose(0, 2, 1)
    forth, back = alike.max(axis=2), alike.max(axis=1)
    found = [Evidence(0.0, None)] * len(first)
    for number in np.flatnonzero(np.maximum(forth.mean(axis=1), back.mean(axis=1)) >= LEAST_ALIKE):
        matrix = alike[number]
        mutual = (matrix == forth[number][:, None]) & (matrix == back[number]) & (matrix > SURE_COSINE)
        on_second, on_first = _agreement(matrix), _agreement(matrix.T)
        best = max(on_second, on_first, key=lambda each: each.strength)
        laid = best.laid
        if laid is not None and best is on_second:
            laid = inverted(laid)
        found[number] = Evidence(best.strength + float(matrix[mutual].sum()), laid)
    return found


def _agreement(alike: Vectors) -> Evidence:
    """Sum of the cosines of those matches that agree on one shift, size and turn; cells of rows → cells of columns."""
    likest = alike.argmax(axis=1)
    cosines = alike[np.arange(len(alike)), likest]
    good = cosines > LEAST_COSINE
    if int(good.sum()) < 5:
        return Evidence(0.0, None)
    laid, agree = cv2.estimateAffinePartial2D(
        _PLACES[good],
        _PLACES[likest[good]],
        method=cv2.RANSAC,
        ransacReprojThreshold=WITHIN,
        maxIters=200,
        confidence=0.95,
        refineIters=10,
    )
    if laid is None or agree is None:
        return Evidence(0.0, None)
    growth = float(np.sqrt(abs(np.linalg.det(laid[:, :2]))))
    if not 1 / LARGEST < growth < LARGEST:
        return Evidence(0.0, None)
    return Evidence(float(cosines[good] @ agree.ravel()), np.vstack([laid, [0, 0, 1]]))


def seen(first: Look, second: Look, laid: Matrix) -> float:
    """Local correlation (-1 to 1) of two squeezed contents (uint8, n×n) laid on each other, after one refinement.

    Args:
        first, second: the contents.
        laid: cells of the second → cells of the first.
    """
    a, b = (
        np.asarray(cv2.resize(look, (SEEN, SEEN), interpolation=cv2.INTER_AREA), np.uint8) for look in (first, second)
    )
    grow = _grown(SEEN / GRID)
    start = grow @ laid @ inverted(grow)
    found = by_ecc(a.astype(np.float32), b.astype(np.float32), start, steps=20, blur=5)
    return look_aligned(a, b, start if found is None else found)[0]


def _grown(step: float) -> Matrix:
    """Pixels → pixels of a picture ``step`` times as large, both counted from the middle of the first."""
    return np.array([[step, 0, step / 2 - 0.5], [0, step, step / 2 - 0.5], [0, 0, 1]])


def tiny(looks: Sequence[Look]) -> Vectors:
    """Looks at 24 pixels, mean off, of length 1: float32, N×2×24×24; zero where there is next to no texture."""
    step = looks[0].shape[-1] // TINY
    stacked = np.stack(looks).reshape(len(looks), 2, TINY, step, TINY, step)
    small = stacked.mean(axis=(3, 5), dtype=np.float32)
    small -= small.mean(axis=(2, 3), keepdims=True)
    length = np.sqrt((small * small).sum(axis=(2, 3), keepdims=True))
    return np.asarray(np.where(length > FLAT * TINY, small / np.maximum(length, 1e-6), 0), np.float32)


def hues(tints: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
    """Which colours the contents have: roots of a blurred histogram of Lab's a and b, of length 1; float32, N×100.

    White ground is left out. A picture with next to no colour has a row of zeros: a grey copy has lost its colours,
    so that nothing can be told by them.

    Args:
        tints: uint8, 2×32×32×3 each, of :class:`~lookalike.features.tint.Tint`.
    """
    found = np.zeros((len(tints), HUES * HUES), np.float32)
    for number, tint in enumerate(tints):
        lab = cv2.cvtColor(tint[1].astype(np.float32) / 255, cv2.COLOR_RGB2Lab).reshape(-1, 3)
        chroma = np.hypot(lab[:, 1], lab[:, 2])
        kept = lab[~((lab[:, 0] > 94) & (chroma < 6))]
        if len(kept) < 40 or float(np.percentile(chroma, 90)) < GREYISH:
            continue
        counts, _, _ = np.histogram2d(kept[:, 1], kept[:, 2], HUES, [[-100, 100], [-100, 100]])
        found[number] = np.sqrt(cv2.GaussianBlur(counts.astype(np.float32), (3, 3), 0.8)).ravel()
    return unit(found)


def colour_likeness(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Likeness of pairs of :func:`hues` (Bhattacharyya), 0 to 1; :data:`UNKNOWN` where one has no colour."""
    alike = (first * second).sum(axis=1)
    return np.where(first.any(axis=1) & second.any(axis=1), alike, np.float32(UNKNOWN))


class Laid(NamedTuple):
    """How well whole frames agree, and how they lie.

    Attributes:
        agree: float32, N, correlation of the :func:`tiny` thumbnails.
        orientation: int, N, index into TRANSFORMS, applied to the second.
        inside: bool, N, whether they were compared without their margins.
    """

    agree: npt.NDArray[np.float32]
    orientation: npt.NDArray[np.int64]
    inside: npt.NDArray[np.bool_]


def frames_agree(first: Vectors, second: Vectors) -> Laid:
    """Whole frames in the best of eight flips and turns, with margins or without; N×2×24×24 of :func:`tiny` each.

    >>> photo = np.random.default_rng(0).integers(0, 255, (1, 24, 24), np.uint8).repeat(4, 1).repeat(4, 2).repeat(2, 0)
    >>> turned = np.rot90(photo, axes=(1, 2))
    >>> laid = frames_agree(tiny([photo]), tiny([turned]))
    >>> bool(laid.agree[0] > 0.99), TRANSFORMS[laid.orientation[0]]
    (True, (False, 90))
    """
    places = np.arange(TINY * TINY).reshape(TINY, TINY)
    still, other = first.reshape(len(first), 2, -1), second.reshape(len(second), 2, -1)
    values = np.stack(
        [(still * other[:, :, apply(places, index).ravel()]).sum(axis=2) for index in range(len(TRANSFORMS))], axis=1
    ).reshape(len(first), -1)
    best = values.argmax(axis=1)
    return Laid(values[np.arange(len(first)), best], best // 2, best % 2 > 0)


def frame_seen(first: Look, second: Look, orientation: int) -> float:
    """Local correlation (-1 to 1) of two squeezed greys (uint8, n×n), the second laid down as ``orientation`` says."""
    a, b = (
        cv2.GaussianBlur(cv2.resize(look, (SEEN, SEEN), interpolation=cv2.INTER_AREA).astype(np.float32), (0, 0), 0.8)
        for look in (first, second)
    )
    turned = np.ascontiguousarray(apply(np.asarray(b, np.float32), orientation))
    return local_correlation(*equally_sharp(np.asarray(a, np.float32), turned), 9)
