"""The small picture that geometry works with, and the part of it inside its margins: made once, used by several."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.base import WORKING_SIDE
from lookalike.images.tilt import tilted_frame, upright
from lookalike.images.trim import WHOLE, content_box, cut_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from lookalike.types import Picture, Pixels

T = TypeVar("T", bound=np.generic)

SIDE = 320
"""Longer side, in pixels, at which pictures are aligned and looked at."""


def small(picture: Picture) -> Pixels:
    """The picture with at most :data:`SIDE` pixels on the longer side; uint8, h×w×3."""
    return picture.kept("small", SIDE, lambda: _at_most(picture.decoded(WORKING_SIDE).pixels))


def small_content(picture: Picture) -> Pixels:
    """What is inside the picture's margins, set upright, likewise."""
    return picture.kept("small content", SIDE, lambda: _at_most(content(picture).pixels))


def twice(picture: Picture, make: Callable[[Pixels], npt.NDArray[T]]) -> tuple[npt.NDArray[T], npt.NDArray[T]]:
    """``make`` of the small picture, and of its content; once where the picture has no margins."""
    whole = make(small(picture))
    return whole, whole if has_no_margins(picture) else make(small_content(picture))


def has_no_margins(picture: Picture) -> bool:
    """Whether the content of the picture is all of it."""
    return content(picture).pixels is picture.decoded(WORKING_SIDE).pixels


PLACE = "place of content"


class Content(NamedTuple):
    """What is inside the margins of a picture.

    Attributes:
        pixels: uint8, h×w×3, at the working size.
        place: float64, 3×3, shares of the content (0 to 1) → shares of the picture.
    """

    pixels: Pixels
    place: npt.NDArray[np.float64]


def content(picture: Picture) -> Content:
    """What is inside the margins, set upright where it stands askew on a plain ground."""
    return picture.kept("content", WORKING_SIDE, lambda: _content(picture.decoded(WORKING_SIDE).pixels))


def place_of(picture: Picture) -> npt.NDArray[np.float64]:
    """Where the content lies in the picture: 3×3, shares of the content → shares of the picture."""
    return picture.kept(PLACE, 0, lambda: content(picture).place)


def set_place(picture: Picture, place: npt.NDArray[np.float64]) -> None:
    """Tell where the content lies, where that is known: the picture need not be decoded for it."""
    picture.kept(PLACE, 0, lambda: place)


def _content(pixels: Pixels) -> Content:
    box = content_box(pixels)
    place = np.array([[box.right - box.left, 0, box.left], [0, box.bottom - box.top, box.top], [0, 0, 1.0]])
    inside = pixels if box == WHOLE else cut_out(pixels, box)
    frame = tilted_frame(inside)
    return Content(inside, place) if frame is None else Content(upright(inside, frame), place @ frame)


def _at_most(pixels: Pixels) -> Pixels:
    return pixels if max(pixels.shape[:2]) <= SIDE else shrunk(pixels)


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
