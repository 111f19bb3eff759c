"""Uniform margins: where the product stands inside its picture."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.types import Decoded, Picture

if TYPE_CHECKING:
    from lookalike.types import Pixels

Scalar = TypeVar("Scalar", bound=np.generic)

TOLERANCE = 14
"""Grey levels a margin may stray from its colour in any channel: JPEG at quality 10 rings by about as much."""

STRAY = 0.004
"""Share of a row or column that may stray further: single specks of dust or ringing."""

LEAST = 0.02
"""Smallest share of either side that must remain; below it the picture counts as blank and is left whole."""


class Box(NamedTuple):
    """A rectangle in shares of width and height, 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float


WHOLE = Box(0.0, 0.0, 1.0, 1.0)


def content_box(pixels: Pixels) -> Box:
    """The rectangle that remains once uniform rows and columns are taken off all four sides.

    Every side has its own colour (the median of its outermost row or column), so that letterbox bars and a white
    page come off alike. A blank picture is left whole.

    Args:
        pixels: uint8, H×W×3.

    >>> page = np.full((100, 200, 3), 255, np.uint8)
    >>> page[40:60, 50:150] = np.arange(100, dtype=np.uint8)[None, :, None]
    >>> content_box(page)
    Box(left=0.25, top=0.4, right=0.75, bottom=0.6)
    """
    height, width = pixels.shape[:2]
    edges = _Edges(pixels)
    for _ in range(4):  # a page inside a frame inside a letterbox: each comes off in its turn
        before = edges.inner
        if not (edges.strip(axis=0) and edges.strip(axis=1)) or edges.inner == before:
            break
    top, left, bottom, right = edges.inner
    if bottom - top < max(2, LEAST * height) or right - left < max(2, LEAST * width):
        return WHOLE
    return Box(left / width, top / height, right / width, bottom / height)


class _Edges:
    """What remains of a picture while its margins come off; ``inner`` is (top, left, bottom, right) in pixels."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels = pixels
        self.inner = (0, 0, *pixels.shape[:2])
        self._near: dict[bytes, npt.NDArray[np.uint8]] = {}

    def strip(self, axis: int) -> bool:
        """Take the margins off top and bottom (axis 0) or left and right (axis 1); False where nothing would remain."""
        first, last = self._margin(axis, 0), self._margin(axis, -1)
        inner = list(self.inner)
        if first + last >= inner[2 + axis] - inner[axis]:
            return False
        inner[axis] += first
        inner[2 + axis] -= last
        self.inner = (inner[0], inner[1], inner[2], inner[3])
        return True

    def _margin(self, axis: int, end: int) -> int:
        """How many lines from one end (0 = first, -1 = last) have the colour of the outermost."""
        top, left, bottom, right = self.inner
        outermost: npt.NDArray[np.uint8] = np.asarray(self.pixels[top:bottom, left:right].take(end, axis=axis))
        if len(outermost) * STRAY < 1 and (outermost.max(axis=0) - outermost.min(axis=0)).max() > 2 * TOLERANCE:
            return 0  # a short line without room for strays: settled at a tenth of the cost
        colour = np.median(outermost, axis=0).astype(np.int16)
        # Most pictures have no margin: a look at one line settles those.
        if (np.abs(outermost - colour).max(axis=1) > TOLERANCE).mean() > STRAY:
            return 0
        near = self._near_to(colour)[top:bottom, left:right]
        strays = 1 - cv2.reduce(near, 1 - axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel() / (255 * near.shape[1 - axis])
        busy = np.flatnonzero((strays if end == 0 else strays[::-1]) > STRAY)
        count = int(busy[0]) if len(busy) else len(strays)
        return 0 if self._drifts(axis, end, count, colour) else count

    def _drifts(self, axis: int, end: int, count: int, colour: npt.NDArray[np.int16]) -> bool:
        """Whether whole lines wander off from the margin's colour little by little: a sky or a backdrop, no margin."""
        top, left, bottom, right = self.inner
        at = max(0, count - 3)  # a line or two before the end are blurred
        line = self.pixels[top:bottom, left:right].take(at if end == 0 else -1 - at, axis=axis)
        return bool(np.abs(np.median(line, axis=0) - colour).max() > TOLERANCE / 2)

    def _near_to(self, colour: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
        key = colour.tobytes()
        if key not in self._near:
            low, high = (tuple(map(float, colour + step)) for step in (-TOLERANCE, TOLERANCE))
            self._near[key] = np.asarray(cv2.inRange(self.pixels, low, high), np.uint8)
        return self._near[key]


def trimmed(picture: Picture) -> Picture:
    """The picture without its uniform margins; the same object where there are none.

    The box is found on the reduced picture, so that it costs no full decode.

    >>> from lookalike import load
    >>> page = np.full((100, 200, 3), 255, np.uint8)
    >>> page[40:60, 50:150] = np.arange(100, dtype=np.uint8)[None, :, None]
    >>> trimmed(load(page)).pixels.shape
    (20, 100, 3)
    """
    box = content_box(picture.decoded(500).pixels)
    return picture if box == WHOLE else cut(picture, box)


def cut(picture: Picture, box: Box) -> Picture:
    """The part of ``picture`` inside ``box``; its ``decoded(side)`` keeps ``side`` pixels on its own longer side."""
    width, height = picture.original_size
    rows, columns = _inside(box, width, height)
    inside = (columns.stop - columns.start, rows.stop - rows.start)
    share = max(inside) / max(width, height)

    def decode(side: int) -> Decoded:
        whole = picture.decoded(math.ceil(side / share))
        return Decoded(
            cut_out(whole.pixels, box),
            None if whole.mask is None else cut_out(whole.mask, box),
            None if whole.grey16 is None else cut_out(whole.grey16, box),
        )

    return Picture(
        source=picture.source,
        format=picture.format,
        digest=hashlib.sha256(f"{picture.digest} {rows} {columns}".encode()).hexdigest(),
        original_size=inside,
        decode=decode,
    )


def _inside(box: Box, width: int, height: int) -> tuple[slice, slice]:
    """The rows and columns of a picture of that size that lie in ``box``; at least one of each."""
    top, left = min(round(box.top * height), height - 1), min(round(box.left * width), width - 1)
    rows = slice(top, max(round(box.bottom * height), top + 1))
    columns = slice(left, max(round(box.right * width), left + 1))
    return rows, columns


def cut_out(array: npt.NDArray[Scalar], box: Box) -> npt.NDArray[Scalar]:
    """The part of an H×W or H×W×C ``array`` inside ``box``: a contiguous, read-only copy of at least one pixel."""
    part = np.ascontiguousarray(array[_inside(box, array.shape[1], array.shape[0])])
    part.setflags(write=False)
    return part
