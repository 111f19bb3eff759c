"""Which picture of a pair shows more than the other, and whether that is but a border."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.errors import LookalikeError
from lookalike.images.load import load
from lookalike.images.trim import WHOLE, Box, content_box
from lookalike.types import Comparison, PictureFile

Corners: TypeAlias = npt.NDArray[np.float32]

CROPPED = 0.93
"""Share of a picture below which another is a crop of it, as :class:`~lookalike.types.Transform` says it."""

_BORDERED = 0.98
"""The same for borders, of which less matters: they are told by their plain colour as well."""

_BLOCK = 8
"""Pixels of a JPEG block: the border may ring that far, and counts as content there."""


@dataclass(frozen=True, slots=True)
class View:
    """How a picture lies inside another.

    Attributes:
        outer: path of the picture that the other lies in.
        border: what is around the other there is only a border; else the other is a crop.
        share: share of the outer picture that the other covers, 0 to 1.
        finer: how many times the resolution of the outer picture the other has in what they share, along a side.
    """

    outer: str
    border: bool
    share: float
    finer: float


Views: TypeAlias = Mapping[frozenset[str], View]
"""By the two paths of a pair; pairs of which neither picture lies inside the other are absent."""


def views(pairs: Iterable[Comparison], pictures: Mapping[str, PictureFile]) -> Views:
    """The pairs of which one picture lies inside the other.

    Args:
        pairs: pairs of other pictures than ``pictures`` are passed over.
        pictures: by path. Those around others are decoded once more, at reduced size.
    """
    boxes: dict[str, Box] = {}
    found: dict[frozenset[str], View] = {}
    for pair in pairs:
        if pair.a in pictures and pair.b in pictures:
            a, b = pictures[pair.a], pictures[pair.b]
            view = _inside(pair, a, b, boxes) or _inside(pair.reversed(), b, a, boxes)
            if view is not None:
                found[frozenset((pair.a, pair.b))] = view
    return found


def _inside(pair: Comparison, outer: PictureFile, inner: PictureFile, boxes: dict[str, Box]) -> View | None:
    """How the second picture of a pair lies inside the first; None where it does not.

    The shares are measured on the homography: those of the transform leave the margins aside where these were left
    aside in the comparison.
    """
    if pair.transform is None or pair.transform.homography is None:
        return None
    matrix = np.array(pair.transform.homography).reshape(3, 3)
    corners = _corners(WHOLE, inner).astype(np.float64)
    laid = cv2.perspectiveTransform(corners[None], matrix)[0].astype(np.float32)
    frame = _corners(WHOLE, outer)
    area, shared = _area(laid), _shared(frame, laid)
    if area <= 0 or shared / area < CROPPED:
        return None
    share = shared / _area(frame)
    if share >= _BORDERED:
        return None
    if outer.path not in boxes:
        boxes[outer.path] = _box(outer)
    border = _is_border(boxes[outer.path], outer, laid)
    if share >= CROPPED and not border:
        return None
    return View(outer.path, border, share, float((inner.width * inner.height / area) ** 0.5))


def _is_border(box: Box, outer: PictureFile, laid: Corners) -> bool:
    """Whether what is inside the margins of the outer picture lies under the other one."""
    if box == WHOLE:
        return False
    (left, top), _, (right, bottom), _ = _corners(box, outer).tolist()
    left, top = left and left + _BLOCK, top and top + _BLOCK
    right -= _BLOCK * (box.right < 1)
    bottom -= _BLOCK * (box.bottom < 1)
    if right <= left or bottom <= top:
        return False
    content = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    return _shared(content, laid) >= CROPPED * _area(content)


def _box(picture: PictureFile) -> Box:
    try:
        return content_box(load(picture.path).decoded(500).pixels)
    except LookalikeError:  # it went away just now; whoever carries out a plan will say so
        return WHOLE


def _corners(box: Box, picture: PictureFile) -> Corners:
    """Corners of a box in pixels, clockwise from the top left; float32, 4×2."""
    left, top, right, bottom = box
    shares = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    return shares * np.array([picture.width, picture.height], np.float32)


def _area(corners: Corners) -> float:
    return float(cv2.contourArea(corners))


def _shared(one: Corners, other: Corners) -> float:
    """Area that two convex shapes share."""
    return float(cv2.intersectConvexConvex(cv2.convexHull(one), cv2.convexHull(other))[0])
