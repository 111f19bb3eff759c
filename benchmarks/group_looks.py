"""What an object of a catalogue is given to become another product: a colour, a texture, a pose.

A colour is laid on by brightness, so that a black jacket becomes as red as a white one. A texture is a bold pattern in
a second colour, large enough to be seen at 128 px. A pose is a place, a size, a slight turn, a stretch and a bend.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from group_shots import Pixels

Mask = npt.NDArray[np.floating[Any]]

OWN = "own"
"""The colour that the object has."""

PLAIN = "plain"
"""No texture."""

_STRENGTH = 0.75
"""How much of a new colour covers the old one; the rest shows through, as print and skin do."""


def palette(count: int) -> list[str]:
    """Colours as far from each other as can be, by name ("#c82d28"): 80 are over 20 apart in CIELAB, 36 over 30.

    Each is the one of a grid that is furthest from all before it; very dark and very bright ones are left out, since
    shading would make them alike.
    """
    grid = np.stack(np.meshgrid(*[np.arange(0, 256, 15)] * 3), axis=-1).reshape(-1, 3)
    lab = _lab(grid[None])[0]
    middling = (lab[:, 0] > 22) & (lab[:, 0] < 88)
    grid, lab = grid[middling], lab[middling]
    chosen = [0]
    nearest = np.linalg.norm(lab - lab[0], axis=1)
    while len(chosen) < count:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(lab - lab[chosen[-1]], axis=1))
    return ["#{:02x}{:02x}{:02x}".format(*rgb) for rgb in grid[chosen].tolist()]


@cache
def distance(a: str, b: str) -> float:
    """Distance of two colours of :func:`palette` in CIELAB; infinite to :data:`OWN`."""
    if OWN in {a, b}:
        return math.inf
    first, second = _lab(np.array([[_rgb(a), _rgb(b)]]))[0]
    return float(np.linalg.norm(first - second))


def _rgb(name: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(name.removeprefix("#")))


def _lab(rgb: npt.NDArray[np.integer[Any]]) -> Mask:
    return np.asarray(cv2.cvtColor((rgb / 255).astype(np.float32), cv2.COLOR_RGB2LAB), np.float32)


_SECOND = ((250, 250, 250), (25, 25, 30), (240, 200, 60), (30, 60, 150), (190, 30, 40), (40, 120, 60))


def coloured(pixels: Pixels, alpha: Pixels, colour: str) -> Pixels:
    """The object in another colour, its shading kept.

    Args:
        pixels: uint8, H×W×3.
        alpha: uint8, H×W.
        colour: of :func:`palette`, or :data:`OWN`.
    """
    if colour == OWN:
        return pixels
    dyed = np.array(_rgb(colour), np.float32) * (0.4 + 0.8 * _shading(pixels, alpha))[..., None]
    return _clipped((1 - _STRENGTH) * pixels + _STRENGTH * dyed)


def textured(pixels: Pixels, alpha: Pixels, texture: str, chance: random.Random) -> Pixels:
    """The object with a pattern of :data:`TEXTURES` in a second colour, shaded as it is; or left :data:`PLAIN`."""
    if texture == PLAIN:
        return pixels
    pattern = TEXTURES[texture]
    height, width = alpha.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / max(height, width)
    mean = pixels[alpha > 128].mean(axis=0)
    # The second colour must be told from the first.
    second = max(chance.sample(_SECOND, 3), key=lambda rgb: float(np.abs(np.array(rgb) - mean).sum()))
    printed = np.array(second, np.float32) * (0.6 + 0.5 * _shading(pixels, alpha))[..., None]
    share = 0.9 * pattern(x, y, chance)[..., None]
    return _clipped(pixels * (1 - share) + printed * share)


def posed(pixels: Pixels, alpha: Pixels, frame: tuple[int, int], freedom: float, chance: random.Random) -> Pixels:
    """The object on white: turned, stretched, bent and moved as much as ``freedom`` allows.

    Args:
        frame: width and height of the picture, in pixels.
        freedom: 0 fills 95 % of the frame and moves nothing; 1 goes down to 75 % and up to 8°, 5 % of stretch, 2 % of
            bend, and to the edges of the frame.
    """
    height, width = alpha.shape
    scale = (0.95 - freedom * chance.uniform(0, 0.2)) * min(frame[0] / width, frame[1] / height)
    across, down = (scale * (1 + freedom * chance.uniform(-0.05, 0.05)) for _ in range(2))
    angle = math.radians(freedom * chance.uniform(-8, 8))
    free = (freedom * max(0.0, frame[0] - across * width) / 2, freedom * max(0.0, frame[1] - down * height) / 2)
    centre = (frame[0] / 2 + chance.uniform(-1, 1) * free[0], frame[1] / 2 + chance.uniform(-1, 1) * free[1])
    y, x = np.mgrid[0 : frame[1], 0 : frame[0]].astype(np.float32)
    x, y = x - np.float32(centre[0]), y - np.float32(centre[1])
    turned_x = (math.cos(angle) * x + math.sin(angle) * y) / across + width / 2
    turned_y = (math.cos(angle) * y - math.sin(angle) * x) / down + height / 2
    bend = freedom * chance.uniform(0.005, 0.02) * max(width, height)
    turned_x += bend * np.sin(turned_y * (2 * math.pi * chance.uniform(0.5, 1.2) / height) + chance.uniform(0, 6))
    turned_y += bend * np.sin(turned_x * (2 * math.pi * chance.uniform(0.5, 1.2) / width) + chance.uniform(0, 6))
    maps = (turned_x.astype(np.float32), turned_y.astype(np.float32))
    moved = cv2.remap(pixels, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.remap(alpha, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    solid = (share.astype(np.float32) / 255)[..., None]
    return _clipped(moved * solid + 255 * (1 - solid))


def _shading(pixels: Pixels, alpha: Pixels) -> Mask:
    """Brightness stretched over the object, 0 to 1."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    dark, bright = np.percentile(grey[alpha > 128], (3, 97))
    shading: Mask = np.clip((grey - dark) / max(40.0, bright - dark), 0, 1)
    return shading


def _clipped(values: npt.NDArray[np.floating[Any]]) -> Pixels:
    pixels: Pixels = np.clip(values + 0.5, 0, 255).astype(np.uint8)
    return pixels


Pattern = Callable[[Mask, Mask, random.Random], Mask]
"""Coordinates in shares of the longer side → share of the second colour, 0 to 1."""


def _wave(phase: Mask) -> Mask:
    """Bands with soft edges, one a unit of ``phase``."""
    bands: Mask = np.clip(0.5 + 3 * np.sin(2 * np.pi * phase), 0, 1)
    return bands


def _stripes(degrees: float) -> Pattern:
    def pattern(x: Mask, y: Mask, chance: random.Random) -> Mask:
        angle = math.radians(degrees)
        return _wave((math.cos(angle) * x + math.sin(angle) * y) * chance.uniform(6, 10) + chance.random())

    return pattern


def _checks(x: Mask, y: Mask, chance: random.Random) -> Mask:
    count = chance.uniform(5, 8)
    checks: Mask = np.abs(_wave(count * x + chance.random()) - _wave(count * y + chance.random()))
    return checks


def _tartan(x: Mask, y: Mask, chance: random.Random) -> Mask:
    count = chance.uniform(5, 8)
    return (_wave(count * x + chance.random()) + _wave(count * y + chance.random())) / 2


def _dots(x: Mask, y: Mask, chance: random.Random) -> Mask:
    count = chance.uniform(6, 9)
    across, down = np.cos(2 * np.pi * (count * x + chance.random())), np.cos(2 * np.pi * (count * y + chance.random()))
    dots: Mask = np.clip(3 * (across + down) - 1.5, 0, 1)
    return dots


def _zigzag(x: Mask, y: Mask, chance: random.Random) -> Mask:
    count = chance.uniform(5, 8)
    return _wave(count * y + 0.8 * np.abs((count * x) % 1 - 0.5) * 2)


def _blots(x: Mask, y: Mask, chance: random.Random) -> Mask:
    """Camouflage."""
    noise = np.random.default_rng(chance.getrandbits(32)).normal(size=x.shape).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 0.035 * max(x.shape))
    blots: Mask = np.clip(0.5 + 4 * smooth / smooth.std(), 0, 1)
    return blots


TEXTURES: dict[str, Pattern] = {
    "upright stripes": _stripes(0),
    "level stripes": _stripes(90),
    "slanting stripes": _stripes(45),
    "checks": _checks,
    "tartan": _tartan,
    "dots": _dots,
    "zigzag": _zigzag,
    "blots": _blots,
}
"""By name."""
