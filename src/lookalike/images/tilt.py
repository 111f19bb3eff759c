"""A picture that was turned a little and stands on a plain ground: where its frame is, and the picture set upright."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from lookalike.types import Pixels

GROUND = 16
"""Grey levels by which the ground may stray from the colour of the corners, in any channel."""

CLEAR = 0.2
"""Share of the content's usual distance from the ground below which something is no content."""

SEARCHED = 160
"""Longer side, in pixels, at which the frame is looked for."""

LEAST_AREA = 0.25
"""Share of the picture that the frame must fill; a turn by 45° leaves half."""

LEAST_FILL = 0.95
"""Share of the upright rectangle that its content's hull must fill: a frame does, the outline of a product does not."""

LEAST_TILT = 2.0
"""Degrees; less is no tilt."""

Frame = npt.NDArray[np.float64]
"""float64, 3×3: shares of the upright picture (0 to 1) → shares of the picture that holds it."""


def tilted_frame(pixels: Pixels) -> Frame | None:
    """The tilted rectangle that stands on a ground of one colour; None where there is none.

    Args:
        pixels: uint8, H×W×3.

    >>> page = np.full((120, 120, 3), 255, np.uint8)
    >>> page = cv2.fillPoly(page, [np.array([[40, 10], [110, 40], [80, 110], [10, 80]])], (90, 40, 20))
    >>> frame = tilted_frame(page)
    >>> (frame @ [0.5, 0.5, 1]).round(1).tolist()
    [0.5, 0.5, 1.0]
    """
    height, width = pixels.shape[:2]
    corners = pixels[:: height - 1 or 1, :: width - 1 or 1].reshape(-1, 3)
    if int(np.ptp(corners, axis=0).max()) > GROUND:  # settles nearly all pictures
        return None
    ground = np.median(corners, axis=0)
    scale = min(1.0, SEARCHED / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = pixels if scale == 1 else np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    content = _content(_distance(small, ground))
    points = _outermost(content)
    if not len(points):
        return None
    hull = cv2.convexHull(points)
    (x, y), (across, down), degrees = cv2.minAreaRect(hull)
    area = (across + 1) * (down + 1)
    fills = cv2.contourArea(hull) >= LEAST_FILL * across * down and min(across, down) > 8
    if not fills or area < LEAST_AREA * content.size:
        return None
    quarter = round(degrees / 90)
    if quarter % 2:
        across, down = down, across
    degrees -= 90 * quarter
    if abs(degrees) < LEAST_TILT:
        return None
    # the outermost pixels of the frame are half ground
    return _rectangle((x + 0.5, y + 0.5), (across - 1, down - 1), degrees, content.shape[::-1])


def _distance(pixels: Pixels, ground: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Grey levels between a picture and its ground, in the channel in which they differ most; H×W."""
    apart = cv2.absdiff(pixels, np.broadcast_to(ground.astype(np.uint8), pixels.shape).copy())
    return np.asarray(cv2.max(cv2.max(apart[..., 0], apart[..., 1]), apart[..., 2]), np.uint8)


def _outermost(content: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    """(x, y) of the first and the last pixel of every row that has any: their hull is that of all; N×2."""
    rows = np.flatnonzero(content.any(axis=1))
    first = content[rows].argmax(axis=1)
    last = content.shape[1] - 1 - content[rows, ::-1].argmax(axis=1)
    return np.stack([np.concatenate([first, last]), np.tile(rows, 2)], axis=1).astype(np.int32)


def _content(distance: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """1 where a picture is not its ground: H×W, from the grey levels between the two.

    JPEG rings around a frame, which would make it larger and crooked; what is much fainter than the frame, and specks,
    are not counted.
    """
    strays = distance > GROUND
    if strays.any():
        strays = distance > max(GROUND, CLEAR * float(np.median(distance[strays])))
    return np.asarray(cv2.morphologyEx(strays.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)


def _rectangle(centre: tuple[float, float], sides: tuple[float, float], degrees: float, size: tuple[int, ...]) -> Frame:
    """Shares of a rectangle turned clockwise by ``degrees`` → shares of a picture of (width, height) ``size``."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = np.array([[cosine, -sine, centre[0]], [sine, cosine, centre[1]], [0, 0, 1]])
    unit = np.array([[sides[0], 0, -sides[0] / 2], [0, sides[1], -sides[1] / 2], [0, 0, 1]])
    return np.asarray(np.diag([1 / size[0], 1 / size[1], 1.0]) @ turn @ unit, np.float64)


def upright(pixels: Pixels, frame: Frame) -> Pixels:
    """What ``frame`` holds of ``pixels`` (uint8, H×W×3), set upright at the same scale."""
    height, width = pixels.shape[:2]
    corners = np.diag([width, height, 1.0]) @ frame
    size = tuple(max(8, round(float(np.hypot(*corners[:2, axis])))) for axis in (0, 1))
    half = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])  # pixels count from their middle
    place = half @ corners @ np.diag([1 / size[0], 1 / size[1], 1.0]) @ np.linalg.inv(half)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(pixels, place[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)
