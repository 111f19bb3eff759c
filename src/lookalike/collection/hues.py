"""Which colours pictures have, to put those pairs first that have the same: a copy keeps its hues, or has none left."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.embedding import unit

Hues = npt.NDArray[np.float32]

BINS = 10
"""Bins along each of Lab's a and b."""

GREYISH = 10.0
"""Lab chroma that nine tenths of a picture without colour stay below."""

UNKNOWN = 0.9
"""What pictures without colour count for: copies that kept their colours are over 0.98, other pictures at 0.83."""


def hues(tints: Sequence[npt.NDArray[np.uint8]]) -> Hues:
    """Which colours the contents have: roots of a blurred histogram of Lab's a and b, of length 1; float32, N×100.

    White ground is left out. A picture with next to no colour has a row of zeros: a grey copy has lost its colours,
    so that nothing can be told by them.

    Args:
        tints: uint8, 2×32×32×3 each, of :class:`~lookalike.features.tint.Tint`.
    """
    found = np.zeros((len(tints), BINS * BINS), np.float32)
    for number, tint in enumerate(tints):
        lab = cv2.cvtColor(tint[1].astype(np.float32) / 255, cv2.COLOR_RGB2Lab).reshape(-1, 3)
        chroma = np.sqrt(lab[:, 1] ** 2 + lab[:, 2] ** 2)
        kept = lab[~((lab[:, 0] > 94) & (chroma < 6))]
        if len(kept) < 40 or np.count_nonzero(chroma > GREYISH) * 10 < len(chroma):
            continue
        places = np.clip((kept[:, 1:] + 100) * (BINS / 200), 0, BINS - 1).astype(np.int64)
        counts = np.bincount(places[:, 0] * BINS + places[:, 1], minlength=BINS * BINS).reshape(BINS, BINS)
        found[number] = np.sqrt(cv2.GaussianBlur(counts.astype(np.float32), (3, 3), 0.8)).ravel()
    return unit(found)


def colour_likeness(first: Hues, second: Hues) -> npt.NDArray[np.float32]:
    """Likeness of pairs of :func:`hues` (Bhattacharyya), 0 to 1; :data:`UNKNOWN` where one has no colour."""
    alike = np.einsum("ij,ij->i", first, second)
    return np.where(first.any(axis=1) & second.any(axis=1), alike, np.float32(UNKNOWN))
