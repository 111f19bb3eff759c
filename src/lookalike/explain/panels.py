"""The pictures of an explanation, as arrays: fitted, laid on each other, matched."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.explain.heat import difference, painted
from lookalike.explain.placement import in_pixels, moved

if TYPE_CHECKING:
    from lookalike.explain.evidence import Evidence
    from lookalike.types import Pixels

Size = tuple[int, int]
"""(width, height) in pixels."""

THINNEST = 24
"""Least pixels on the shorter side of what is drawn: a 1×500 picture is widened so that it can be seen."""

MOST_LINES = 72
"""Matches drawn at most; more would hide the pictures."""


class Laid(NamedTuple):
    """The second picture in the frame of the first.

    Attributes:
        pixels: uint8, H×W×3; black where the second does not reach.
        inside: bool, H×W, where it does.
        outline: float64 4×2, the corners of the second in pixels of the frame; may lie outside.
    """

    pixels: Pixels
    inside: npt.NDArray[np.bool_]
    outline: npt.NDArray[np.float64]


def fitted(size: Size, width: int, height: int) -> Size:
    """The largest size of the same proportions inside width × height, neither side under :data:`THINNEST`.

    >>> fitted((1000, 500), 540, 540), fitted((1, 500), 540, 540)
    ((540, 270), (24, 540))
    """
    scale = min(width / size[0], height / size[1])
    return max(THINNEST, round(size[0] * scale)), max(THINNEST, round(size[1] * scale))


def resized(pixels: Pixels, size: Size) -> Pixels:
    """``pixels`` at exactly ``size``: averaged down, enlarged smoothly, or in plain blocks where it is tiny."""
    height, width = pixels.shape[:2]
    if size == (width, height):
        return pixels
    if size[0] < width or size[1] < height:
        interpolation = cv2.INTER_AREA
    else:
        interpolation = cv2.INTER_NEAREST if max(width, height) <= 48 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=interpolation), np.uint8)


def laid(evidence: Evidence, size: Size) -> Laid:
    """The second picture laid on the first, which is drawn at ``size``; the evidence must have a placement."""
    assert evidence.placement is not None
    second = evidence.second
    matrix = in_pixels(evidence.placement, size, second.shape[1::-1])
    growth = math.sqrt(abs(float(np.linalg.det(matrix[:2, :2]))))
    if growth < 0.5:  # shrunk by more than half: averaged first, else it would sparkle
        share = max(growth, 0.02)
        second = resized(second, (max(1, round(second.shape[1] * share)), max(1, round(second.shape[0] * share))))
        matrix = in_pixels(evidence.placement, size, second.shape[1::-1])
    blocky = max(second.shape[:2]) <= 48
    pixels = cv2.warpPerspective(
        second,
        matrix,
        size,
        flags=cv2.INTER_NEAREST if blocky else cv2.INTER_LINEAR if growth < 1.5 else cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)
    outline = moved(evidence.placement, corners) * size
    inside = _polygon(outline, size)
    return Laid(np.where(inside[..., None], pixels, 0).astype(np.uint8), inside, outline)


def _polygon(outline: npt.NDArray[np.float64], size: Size) -> npt.NDArray[np.bool_]:
    # cv2.fillPoly wants small integers; the half-planes of a convex quadrilateral do without.
    x, y = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    sides = []
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        sides.append((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0))
    stacked = np.stack(sides)
    return np.asarray((stacked >= 0).all(axis=0) | (stacked <= 0).all(axis=0))  # mirrored ones turn the other way


def overlay(first: Pixels, second: Laid) -> Pixels:
    """The second over the first, which stays as a pale grey where the second does not reach."""
    grey = cv2.cvtColor(first, cv2.COLOR_RGB2GRAY)[..., None] * 0.28 + 182
    return np.where(second.inside[..., None], second.pixels, grey).astype(np.uint8)


def chequered(first: Pixels, second: Laid, squares: int = 8) -> Pixels:
    """Squares of the first and the second by turns, a fine grid between them: where they fit, no edge breaks."""
    height, width = first.shape[:2]
    side = max(4, round(max(height, width) / squares))
    rows, columns = np.arange(height)[:, None] // side, np.arange(width)[None] // side
    take = ((rows + columns) % 2 == 1) & second.inside
    mixed = np.where(take[..., None], second.pixels, first)
    lines = ((np.arange(height) % side == 0)[:, None] | (np.arange(width) % side == 0)[None]) & second.inside
    return np.where(lines[..., None], 0.55 * mixed + 0.45 * 255, mixed).astype(np.uint8)


def heat_map(evidence: Evidence, first: Pixels, second: Laid) -> Pixels:
    """What differs, over ``first`` (the first picture at the size wanted)."""
    assert evidence.placement is not None
    return painted(first, difference(evidence.first, evidence.second, evidence.placement), second.inside)


def chosen(matches: npt.NDArray[np.float32], most: int = MOST_LINES) -> npt.NDArray[np.float32]:
    """At most ``most`` of N×4 ``matches``, spread evenly over the first picture: each the farthest from those before.

    Sorted from top to bottom, so that neighbours are drawn in different colours.
    """
    points = matches[:, :2].astype(np.float64)
    if len(matches) > most:
        picked = [int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmin())]
        nearest = np.linalg.norm(points - points[picked[0]], axis=1)
        while len(picked) < most:
            picked.append(int(nearest.argmax()))
            nearest = np.minimum(nearest, np.linalg.norm(points - points[picked[-1]], axis=1))
        matches = matches[picked]
    return matches[np.lexsort((matches[:, 0], matches[:, 1]))]
