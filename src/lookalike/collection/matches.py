"""Do the same things stand side by side in two pictures? Told from their cells and thumbnails: no file is opened.

Every cell of one picture is matched with its likest in the other, and the matches must agree on one shift, size and
turn; laid on each other that way, the thumbnails must agree too.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.collection import frames
from lookalike.collection.guesses import PartGuess, PlaceGuess
from lookalike.collection.neighbours import Vectors, Whitening, whitening
from lookalike.features.align import Matrix, inverted, look_aligned
from lookalike.features.cells import CHANNELS, GRID
from lookalike.features.embedding import unit
from lookalike.features.register import by_ecc

Look = npt.NDArray[np.uint8]
Grids = npt.NDArray[np.uint8]
Spread = npt.NDArray[np.int8]

AXES = 64
"""Numbers a cell keeps once whitened."""

LEAST_ALIKE = 0.44
"""Mean cosine of every cell with its likest, below which nothing is matched: 99 % of copies are over it."""

LEAST_SURE = 5.0
"""Sum of the cosines of those cells that are each other's likest, likewise."""

LEAST_COSINE = 0.35
"""Cosine from which two cells are a match that may agree with others."""

SURE_COSINE = 0.5
"""Cosine from which two cells that are each other's likest count by themselves."""

WITHIN = 0.9
"""Cells by which a match may miss the place that the others agree on."""

LEAST_EVIDENCE = 24.0
"""Sum of the cosines of matches that agree and of mutual ones: copies have 40 and more, but for crops to a quarter,
which begin at 20; nine of ten candidates that are no copies stay below."""

LARGEST = 2.5
"""Greatest change of size that is believed."""

COARSE, FINE = 48, 96
"""Sides of the thumbnails on which the place that cells agree on is looked at, first and once more."""

LEAST_SEEN = (0.68, 0.75)
"""Local correlation on either, after refinement, from which the pictures themselves are compared: all but one of 634
copies reach it, of others that pass the cells a seventh; from 0.76 on the rule may call them copies."""

LEAST_WITHIN = 0.55
"""Mean cosine of a part's cells with their likest: all of 117 crops to a quarter reach it, of other pictures that have
windows alike a third."""

SCALES = (0.50, 0.56, 0.63, 0.70)
"""Sizes of a part that are tried; cells tell within a third."""

LEAST_LOCATED = 0.7
"""Correlation of a part with the likeliest place, from which that is made exact: 97 of 100 crops reach it, of others
that have its cells half."""

COVERED = 50.0
"""Evidence from which one may be the other with something laid over it: then the frames are looked at as well."""

_PLACES = np.stack(np.meshgrid(np.arange(GRID), np.arange(GRID)), axis=-1).reshape(-1, 2).astype(np.float32)


def cell_space(grids: Grids) -> Whitening:
    """What spreads the cells of a collection, fitted on a sample of its grids (uint8, N×64×80)."""
    sample = grids[:: max(1, len(grids) // 2000)].reshape(-1, CHANNELS)
    return whitening(sample.astype(np.float32), AXES, floor=0.02)


def spread_cells(space: Whitening, grids: Grids) -> Spread:
    """Grids (uint8, N×k×80) whitened, every cell of length 127: int8, N×k×64."""
    found = np.empty((*grids.shape[:2], AXES), np.int8)
    for start in range(0, len(grids), 256):
        part = grids[start : start + 256].reshape(-1, CHANNELS).astype(np.float32)
        spread = unit((part - space.mean) @ space.matrix)
        found[start : start + 256] = np.rint(spread * 127).astype(np.int8).reshape(-1, *found.shape[1:])
    return found


def part_guesses(spread: Spread, halved: Spread, pairs: npt.NDArray[np.integer]) -> list[PartGuess]:
    """How much of what either shows is in the other at half the size, pair by pair; the better of both ways.

    Args:
        spread, halved: of :func:`spread_cells`, int8 N×64×64 and N×16×64.
        pairs: M×2, rows of them.
    """
    ways = []
    for part, host in ((1, 0), (0, 1)):
        alike = halved[pairs[:, part]].astype(np.float32) @ spread[pairs[:, host]].astype(np.float32).transpose(0, 2, 1)
        ways.append(alike.max(axis=2).mean(axis=1) / 127**2)
    return [PartGuess(bool(a >= b), float(max(a, b))) for a, b in zip(*ways, strict=True)]


def place_guesses(spread: Spread, pairs: npt.NDArray[np.integer]) -> list[PlaceGuess | None]:
    """How much speaks for one of two pictures lying on the other, pair by pair; None where next to nothing does.

    Args:
        spread: of :func:`spread_cells`, int8 N×64×64.
        pairs: M×2, rows of it.
    """
    used, place = np.unique(pairs, return_inverse=True)
    cells = spread[used].astype(np.float32) / 127
    first, second = place.reshape(pairs.shape).T
    alike = cells[first] @ cells[second].transpose(0, 2, 1)
    forth, back = alike.max(axis=2), alike.max(axis=1)
    mutual = (alike == forth[:, :, None]) & (alike == back[:, None, :]) & (alike > SURE_COSINE)
    sure = np.where(mutual, alike, 0).sum(axis=(1, 2))
    hopeful = (np.maximum(forth.mean(axis=1), back.mean(axis=1)) >= LEAST_ALIKE) & (sure >= LEAST_SURE)
    found: list[PlaceGuess | None] = [None] * len(alike)
    for number in np.flatnonzero(hopeful):
        on_first = _matched(back[number]) > _matched(forth[number])  # which way the matches are better
        matrix, cosines = (alike[number].T, back[number]) if on_first else (alike[number], forth[number])
        agreement, laid = _agreement(matrix.argmax(axis=1), cosines)
        strength = agreement + float(sure[number])
        if laid is not None and strength >= LEAST_EVIDENCE:
            found[number] = PlaceGuess(_in_shares(laid if on_first else inverted(laid)), strength)
    return found


def _matched(cosines: Vectors) -> float:
    return float(cosines[cosines > LEAST_COSINE].sum())


def _agreement(likest: npt.NDArray[np.integer], cosines: Vectors) -> tuple[float, Matrix | None]:
    """Sum of the cosines of those matches that agree on one shift, size and turn, and that: cells → their likest."""
    good = cosines > LEAST_COSINE
    if int(good.sum()) < 5:
        return 0.0, None
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
        return 0.0, None
    growth = math.hypot(laid[0, 0], laid[1, 0])
    if not 1 / LARGEST < growth < LARGEST:
        return 0.0, None
    return float(cosines[good] @ agree.ravel()), np.vstack([laid, [0, 0, 1]])


def _in_shares(laid: Matrix) -> Matrix:
    """Cells → cells, as shares of the contents."""
    return _shares(GRID) @ laid @ inverted(_shares(GRID))


def _shares(side: int) -> Matrix:
    """Pixels of a picture of that side, counted from the middle of the first → shares of it."""
    return np.array([[1 / side, 0, 0.5 / side], [0, 1 / side, 0.5 / side], [0, 0, 1]])


def located(first: Look, second: Look, guess: PartGuess) -> PlaceGuess | None:
    """Where one stored thumbnail (uint8, 2×n×n) lies in another, as a part of about half its size; None if nowhere."""
    host, part = (first[1], second[1]) if guess.second else (second[1], first[1])
    page = cv2.resize(host, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    best, place = LEAST_LOCATED, None
    for scale in SCALES:
        side = round(COARSE * scale)
        shrunk = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)
        seen = cv2.matchTemplate(page, shrunk, cv2.TM_CCOEFF_NORMED)
        _, value, _, (left, top) = cv2.minMaxLoc(seen)
        if value > best:
            size = side / COARSE
            best, place = value, np.array([[size, 0, left / COARSE], [0, size, top / COARSE], [0, 0, 1.0]])
    if place is None:
        return None
    return PlaceGuess(place if guess.second else inverted(place), 0.0)


def worth_a_look(first: Look, second: Look, guess: PlaceGuess) -> PlaceGuess | None:
    """The place made exact, where two stored thumbnails (uint8, 2×n×n each) agree there as copies may; else None."""
    a, b = first[1], second[1]
    small_a, small_b = (np.asarray(cv2.resize(x, (COARSE, COARSE), interpolation=cv2.INTER_AREA)) for x in (a, b))
    place, seen = _settled(small_a, small_b, guess.place, 12, 5)
    if seen >= LEAST_SEEN[0]:
        place, seen = _settled(a, b, place, 4, 3)
    if seen >= LEAST_SEEN[1] or (guess.strength >= COVERED and frames.may_be_covered(a, b)):
        return guess._replace(place=place)
    return None


def _settled(a: Look, b: Look, place: Matrix, steps: int, blur: int) -> tuple[Matrix, float]:
    """``place`` (in shares) refined on two squares (uint8, n×n), and how well they agree there, -1 to 1."""
    shares = _shares(len(a))
    start = inverted(shares) @ place @ shares
    found = by_ecc(a.astype(np.float32), b.astype(np.float32), start, steps, blur)
    laid = start if found is None else found
    return shares @ laid @ inverted(shares), look_aligned(a, b, laid)[0]
