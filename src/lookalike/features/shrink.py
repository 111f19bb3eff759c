"""The small picture that geometry works with, and the part of it inside its margins: made once, used by several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from lookalike.features.base import WORKING_SIDE
from lookalike.images.trim import WHOLE, Box, content_box, cut_out

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

SIDE = 320
"""Longer side, in pixels, at which pictures are aligned and looked at."""


def small(picture: Picture) -> Pixels:
    """The picture with :data:`SIDE` pixels on the longer side; uint8, h×w×3."""
    return picture.kept("small", SIDE, lambda: shrunk(picture.decoded(WORKING_SIDE).pixels))


def small_content(picture: Picture) -> Pixels:
    """What is inside the picture's margins, likewise; the same object as :func:`small` where it has none."""
    box = content(picture)
    if box == WHOLE:
        return small(picture)
    return picture.kept("small content", SIDE, lambda: shrunk(cut_out(picture.decoded(WORKING_SIDE).pixels, box)))


def content(picture: Picture) -> Box:
    """Where the picture is, inside its margins."""
    return picture.kept("content", WORKING_SIDE, lambda: content_box(picture.decoded(WORKING_SIDE).pixels))


def shrunk(pixels: Pixels, side: int = SIDE) -> Pixels:
    """``pixels`` with ``side`` pixels on the longer side, averaged down or enlarged smoothly; uint8, h×w×3."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == (width, height):
        return pixels
    if scale >= 1:
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    # Exact halves have a path of their own in OpenCV, far faster.
    while min(width, height) > 1 and max(width, height) >= 2 * side:
        width, height = width // 2, height // 2
        pixels = np.asarray(
            cv2.resize(pixels[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA), np.uint8
        )
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def square(pixels: Pixels, side: int) -> Pixels:
    """``pixels`` squeezed to ``side`` × ``side``, averaged down or enlarged evenly; uint8, any number of channels."""
    smaller = min(pixels.shape[:2]) > side
    return np.asarray(
        cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR), np.uint8
    )
