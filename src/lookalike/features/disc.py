"""The middle of a picture as rings: the same numbers whichever way the picture is turned or mirrored.

Around the middle, brightness is read along rings. Turning the picture shifts every ring, mirroring reverses it, and
neither changes the amplitudes of its Fourier series. One comparison thus stands for all flips, quarter turns and tilts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.base import WORKING_SIDE, Method

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

Rings = npt.NDArray[np.float32]

RADII = 9
"""Rings, evenly spaced from the middle to the nearer side."""

WAVES = 13
"""Amplitudes kept of every ring, from its mean on: the coarse structure."""

SAMPLES = 64
"""Places on a ring."""

SIDE = 64
"""Pixels on the shorter side of what the rings are read from."""

FAINT = 1e-3
"""Amplitude, in grey levels, that is no more than rounding: all that there is in a blank picture."""


class Disc(Method[Rings]):
    """Rings around the middle, alike in every flip, turn and tilt: quick to compare, blind to what is off the middle.

    The feature is float32, 9 rings × 13 amplitudes, their square roots, of length 1.

    >>> from lookalike import load
    >>> photo = np.random.default_rng(0).integers(0, 255, (8, 8), np.uint8).repeat(12, 0).repeat(12, 1)
    >>> a, b = Disc().extract([load(photo), load(np.ascontiguousarray(np.rot90(photo)[:, ::-1]))])
    >>> Disc().compare(a, b) > 0.99
    True
    """

    name = "disc"
    metric = "cosine"
    dtype = "float32"

    @property
    def shape(self) -> tuple[int, ...]:
        return (RADII * WAVES,)

    def extract(self, pictures: Sequence[Picture]) -> list[Rings]:
        return [_rings(picture.decoded(WORKING_SIDE).pixels) for picture in pictures]

    def compare(self, a: Rings, b: Rings) -> float:
        if np.array_equal(a, b):
            return 1.0
        return min(1.0, max(0.0, float(np.dot(a, b))))


def _rings(pixels: Pixels) -> Rings:
    grey = _middle(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)))
    height, width = grey.shape
    scale = SIDE / min(height, width)
    size = (max(SIDE, round(width * scale)), max(SIDE, round(height * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (small.shape[1] - SIDE) // 2, (small.shape[0] - SIDE) // 2
    square = cv2.GaussianBlur(small[top : top + SIDE, left : left + SIDE].astype(np.float32), (0, 0), 1.4)
    middle = (SIDE - 1) / 2
    polar = cv2.warpPolar(square, (RADII + 1, SAMPLES), (middle, middle), middle, cv2.WARP_POLAR_LINEAR)[:, 1:]
    waves = np.abs(np.fft.rfft(polar, axis=0))[:WAVES] / SAMPLES
    waves[0] = np.abs(polar.mean(axis=0) - polar.mean())
    waves[waves < FAINT] = 0
    roots = np.sqrt(waves.ravel()).astype(np.float32)
    return np.asarray(roots / max(float(np.linalg.norm(roots)), 1e-6), np.float32)


def _middle(grey: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The middle of a strip, four times as long as wide: enlarged as a whole it would fill the memory."""
    most = 4 * min(grey.shape)
    top, left = (max(0, (side - most) // 2) for side in grey.shape)
    return grey[top : top + most, left : left + most]
