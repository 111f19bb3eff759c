"""Looking at aligned pictures: local correlation, which flat agreement and silhouettes do not fool.

Two aligned grey pictures are compared window by window: zero-mean normalised correlation in every window that has
texture, then the mean. A brighter, greyer or recompressed copy stays near 1; two products photographed from one
template, whose outlines agree and whose insides do not, stay well below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.base import Method
from lookalike.features.dihedral import TRANSFORMS, apply
from lookalike.features.shrink import small, small_content, square

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

Grey = npt.NDArray[np.float32]

TEXTURE = 36.0
"""Least variance (grey levels squared) that makes a window worth looking at: 6 grey levels, above JPEG's own noise."""

_STEADY = 20.0  # added to each variance: keeps a faint window from counting like a strong one


def local_correlation(a: Grey, b: Grey, window: int = 15, mask: npt.NDArray[np.bool_] | None = None) -> float:
    """Mean correlation of ``a`` and ``b`` over the windows in which either has texture.

    Args:
        a, b: float32, H×W, grey levels 0..255, aligned.
        window: side of the windows in pixels, odd.
        mask: H×W, where to look (the overlap); None looks everywhere.

    Returns:
        -1 to 1; 1.0 for two pictures without any texture where their levels agree within 12 levels, else 0.0.

    >>> ramp = np.tile(np.arange(0, 256, 4, dtype=np.float32), (64, 1))
    >>> round(local_correlation(ramp, ramp / 2), 2), round(local_correlation(ramp, 255 - ramp), 2)
    (0.99, -1.0)
    """
    mean_a, mean_b = _box(a, window), _box(b, window)
    var_a = _box(a * a, window) - mean_a * mean_a
    var_b = _box(b * b, window) - mean_b * mean_b
    together = _box(a * b, window) - mean_a * mean_b
    textured = np.maximum(var_a, var_b) > TEXTURE
    if mask is not None:
        textured &= mask
    if int(textured.sum()) < max(8, textured.size // 400):
        where = np.ones_like(textured) if mask is None else mask
        return 1.0 if where.any() and float(np.abs(a - b)[where].mean()) < 12 else 0.0
    scale = np.sqrt((np.maximum(var_a, 0) + _STEADY) * (np.maximum(var_b, 0) + _STEADY))
    return float((together / scale)[textured].mean())


def _box(values: Grey, window: int) -> Grey:
    return np.asarray(cv2.boxFilter(values, cv2.CV_32F, (window, window), borderType=cv2.BORDER_REFLECT), np.float32)


class Frame(NamedTuple):
    """How well one whole frame matches the other.

    Attributes:
        correlation: mean local correlation, -1 to 1.
        orientation: index into :data:`~lookalike.features.dihedral.TRANSFORMS`; applied to the second picture it
            gives the first.
        trimmed: whether the pictures were compared without their margins.
    """

    correlation: float
    orientation: int
    trimmed: bool


class Look(Method[npt.NDArray[np.uint8]]):
    """Whole frame against whole frame, in the best of the eight flips and quarter turns, with margins or without.

    The feature is uint8, 2×96×96: the picture squeezed to a square, and its content (margins taken off) likewise.

    >>> from lookalike import load
    >>> picture = np.random.default_rng(0).integers(0, 255, (12, 9), np.uint8).repeat(20, 0).repeat(20, 1)
    >>> look = Look()
    >>> a, b = look.extract([load(picture), load(np.ascontiguousarray(np.rot90(picture)[:, ::-1]))])
    >>> look.compare(a, b) > 0.95
    True
    """

    name = "look"
    metric = None
    dtype = "uint8"
    SIDE = 96
    WINDOW = 11

    @property
    def shape(self) -> tuple[int, ...]:
        return (2, self.SIDE, self.SIDE)

    def extract(self, pictures: Sequence[Picture]) -> list[npt.NDArray[np.uint8]]:
        return [
            np.stack([self._square(part) for part in (small(picture), small_content(picture))]) for picture in pictures
        ]

    def compare(self, a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
        if np.array_equal(a, b):
            return 1.0
        return min(1.0, max(0.0, self.best(a, b).correlation))

    def best(self, a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> Frame:
        """The flip or turn of ``b``, with margins or without, that agrees best with ``a``."""
        candidates = []
        for trimmed in (False, True):
            if trimmed and np.array_equal(a[0], a[1]) and np.array_equal(b[0], b[1]):
                break
            first = _soft(a[int(trimmed)])
            second = _soft(b[int(trimmed)])
            for index in _promising(first, second):
                turned = np.ascontiguousarray(apply(second, index))
                candidates.append(Frame(local_correlation(first, turned, self.WINDOW), index, trimmed))
        return max(candidates, key=lambda frame: (round(frame.correlation, 6), -frame.orientation, not frame.trimmed))

    def _square(self, pixels: Pixels) -> npt.NDArray[np.uint8]:
        return square(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8), self.SIDE)


def _soft(square: npt.NDArray[np.uint8]) -> Grey:
    return np.asarray(cv2.GaussianBlur(square.astype(np.float32), (0, 0), 1.0), np.float32)


def _promising(a: Grey, b: Grey, keep: int = 3) -> list[int]:
    """The orientations worth a look: no turn, and those whose 24×24 thumbnails correlate best."""
    small_a, small_b = (_standard(cv2.resize(x, (24, 24), interpolation=cv2.INTER_AREA)) for x in (a, b))
    ranked = sorted(range(len(TRANSFORMS)), key=lambda i: -float((small_a * apply(small_b, i)).sum()))
    return [0, *(index for index in ranked[:keep] if index)]


def _standard(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    centred = values - values.mean()
    return np.asarray(centred / (np.linalg.norm(centred) + 1e-6))
