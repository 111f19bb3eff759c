"""Do whole frames agree? Told from stored thumbnails, in all eight flips and turns: no file is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.collection.guesses import FrameGuess
from lookalike.features.dihedral import TRANSFORMS, apply
from lookalike.features.look import equal_shares, equally_sharp, local_correlation

Pairs = npt.NDArray[np.int32]
Look = npt.NDArray[np.uint8]
Tiny = npt.NDArray[np.float32]

TINY = 24
"""Side of the thumbnails on which whole frames are compared."""

LEAST_AGREE = 0.75
"""Correlation of such thumbnails from which whole frames may agree: copies reach 0.85."""

FLAT = 5.0
"""Standard deviation, in grey levels, below which thumbnails agree by chance: nearly blank pictures."""

LEAST_SEEN = 0.68
"""Local correlation of stored thumbnails (96 pixels) from which the pictures themselves are compared; from 0.76 on the
rule may call them copies."""

LEAST_SHARES = (0.16, 0.45)
"""Shares of equal windows and of equal pixels from which one may be the other with something laid over it: 99 of 100
pictures under lines of text reach it, of other pictures that show the like 1 of 200."""


def tiny(looks: Sequence[Look]) -> Tiny:
    """Looks at 24 pixels, mean off, of length 1: float32, N×2×24×24; zero where there is next to no texture."""
    small = np.empty((len(looks), 2, TINY, TINY), np.float32)
    for number, look in enumerate(looks):
        for plane in (0, 1):
            if plane and look.strides[0] == 0:  # no margins: both are one
                small[number, 1] = small[number, 0]
            else:
                small[number, plane] = cv2.resize(look[plane], (TINY, TINY), interpolation=cv2.INTER_AREA)
    small -= small.mean(axis=(2, 3), keepdims=True)
    length = np.sqrt(np.einsum("nkij,nkij->nk", small, small))[:, :, None, None]
    small /= np.maximum(length, 1e-6)
    small *= length > FLAT * TINY
    return small


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


def frames_agree(small: Tiny, pairs: npt.NDArray[np.integer]) -> Laid:
    """Whole frames in the best of eight flips and turns, with margins or without.

    Args:
        small: of :func:`tiny`.
        pairs: N×2, rows of it.

    >>> photo = np.random.default_rng(0).integers(0, 255, (24, 24), np.uint8).repeat(4, 0).repeat(4, 1)
    >>> laid = frames_agree(tiny([np.stack([photo, photo]), np.stack([np.rot90(photo)] * 2)]), np.array([[0, 1]]))
    >>> bool(laid.agree[0] > 0.99), TRANSFORMS[laid.orientation[0]]
    (True, (False, 90))
    """
    places = np.arange(TINY * TINY).reshape(TINY, TINY)
    flat = small.reshape(len(small), 2, -1)
    values = np.empty((len(pairs), len(TRANSFORMS), 2), np.float32)
    for start in range(0, len(pairs), 256):  # what fits the cache
        part = slice(start, start + 256)
        still, other = flat[pairs[part, 0]], flat[pairs[part, 1]]
        for index in range(len(TRANSFORMS)):
            values[part, index] = np.einsum("nkp,nkp->nk", still, other[:, :, apply(places, index).ravel()])
    flat_values = values.reshape(len(pairs), -1)
    best = flat_values.argmax(axis=1)
    return Laid(flat_values[np.arange(len(pairs)), best], best // 2, best % 2 > 0)


def worth_a_look(first: Look, second: Look, guess: FrameGuess) -> bool:
    """Whether two stored thumbnails (uint8, 2×n×n each), laid down as was guessed, may be of one picture."""
    plane = int(guess.inside)
    a, b = first[plane], np.ascontiguousarray(apply(second[plane], guess.orientation))
    if local_correlation(*equally_sharp(_soft(a, 1.0), _soft(b, 1.0)), 11) >= LEAST_SEEN:
        return True
    return may_be_covered(a, b)


def may_be_covered(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> bool:
    """Whether one of two aligned thumbnails (uint8, n×n) may be the other with something laid over it."""
    windows, pixels = equal_shares(*equally_sharp(_soft(a, 0.6), _soft(b, 0.6)), LEAST_SHARES[0])
    return windows >= LEAST_SHARES[0] and pixels >= LEAST_SHARES[1]


def _soft(values: npt.NDArray[np.uint8], sigma: float) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(values.astype(np.float32), (0, 0), sigma), np.float32)
