"""Which colours pictures have, to put those pairs first that have the same: a copy keeps its hues, or has none left."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from lookalike.features.embedding import unit

Hues = npt.NDArray[np.float32]

BINS = 10
"""Bins along each of Lab's a and b."""

WHITE = 240
"""Lightness (0 to 255) over which what has no colour is white ground."""

SOFT = np.exp(-0.5 * (np.arange(-1, 2) / 0.8) ** 2)
SOFT /= SOFT.sum()

GREYISH = 10
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
    if not tints:
        return np.zeros((0, BINS * BINS), np.float32)
    inside = np.stack([tint[1] for tint in tints])
    side = inside.shape[2]
    lab = cv2.cvtColor(inside.reshape(-1, side, 3), cv2.COLOR_RGB2LAB).reshape(len(tints), -1, 3).astype(np.int32)
    across, down = lab[..., 1] - 128, lab[..., 2] - 128
    chroma = across * across + down * down
    kept = ~((lab[..., 0] > WHITE) & (chroma < 6**2))
    grey = (kept.sum(axis=1) < 40) | ((chroma > GREYISH**2).sum(axis=1) * 10 < kept.shape[1])
    kept[grey] = False
    place = (np.clip(across + 100, 0, 199) * BINS // 200) * BINS + np.clip(down + 100, 0, 199) * BINS // 200
    place += np.arange(len(tints))[:, None] * BINS * BINS
    counts = np.bincount(place[kept], minlength=len(tints) * BINS * BINS).reshape(-1, BINS, BINS).astype(np.float32)
    around = np.pad(counts, ((0, 0), (1, 1), (1, 1)), mode="reflect")
    counts = np.einsum("ikjab,a,b->ikj", sliding_window_view(around, (3, 3), axis=(1, 2)), SOFT, SOFT)
    return unit(np.sqrt(counts).reshape(len(tints), -1))


def colour_likeness(first: Hues, second: Hues) -> npt.NDArray[np.float32]:
    """Likeness of pairs of :func:`hues` (Bhattacharyya), 0 to 1; :data:`UNKNOWN` where one has no colour."""
    alike = np.einsum("ij,ij->i", first, second)
    return np.where(first.any(axis=1) & second.any(axis=1), alike, np.float32(UNKNOWN))
