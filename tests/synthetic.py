"""Pictures made in code, by whole numbers only: the same bytes on every machine and with every NumPy."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.uint8]


def noise(seed: int, width: int, height: int) -> Array:
    """uint8, height×width×3: every byte a hash of its place and the seed."""
    y, x, channel = np.indices((height, width, 3)).astype(np.uint64)
    value = x * np.uint64(0x9E3779B1) + y * np.uint64(0x85EBCA77) + channel * np.uint64(0xC2B2AE3D)
    value += np.uint64(seed * 0x27D4EB2F + 0x165667B1)
    for shift in (15, 13, 16):
        value ^= value >> np.uint64(shift)
        value *= np.uint64(0x2C1B3C6D)
    return (value >> np.uint64(24)).astype(np.uint8)


def photo(seed: int, width: int, height: int) -> Array:
    """uint8, height×width×3: smooth shapes of many sizes and a little grain, about as rough as a photo."""
    total = np.zeros((height, width, 3), np.int64)
    for octave, weight in ((128, 16), (64, 12), (32, 6), (16, 3), (8, 2), (4, 1)):
        coarse = noise(seed + octave, width // octave + 3, height // octave + 3).astype(np.int64)
        fine = _enlarged(_enlarged(coarse, octave).swapaxes(0, 1), octave).swapaxes(0, 1)
        total += weight * fine[:height, :width]
    return np.clip((total // 40 - 128) * 2 + 128, 0, 255).astype(np.uint8)


def _enlarged(coarse: npt.NDArray[np.int64], factor: int) -> npt.NDArray[np.int64]:
    """Linear interpolation along the first axis in whole numbers."""
    step = np.arange(factor).reshape(1, -1, *[1] * (coarse.ndim - 1))
    between = coarse[:-1, None] * (factor - step) + coarse[1:, None] * step
    return (between // factor).reshape(-1, *coarse.shape[1:])


def garment(cut: str, colour: tuple[int, int, int], size: int = 240) -> Array:
    """uint8, size×size×3: a plain garment of one colour on white, with a darker outline of its seams.

    ``cut`` is ``"dress"``, ``"trousers"`` or ``"sweater"``.
    """
    y, x = np.indices((size, size)) * 240 // size
    centre = np.abs(x - 120)
    if cut == "dress":
        inside = (y > 30) & (y < 215) & (centre < 20 + (y - 30) * 55 // 185)
        seam = np.abs(y - 95) < 2
    elif cut == "trousers":
        inside = (y > 20) & (y < 225) & (centre < 48) & ((y < 85) | (centre > 8))
        seam = (np.abs(y - 32) < 2) | (np.abs(centre - 28) < 1)
    else:
        inside = ((y > 50) & (y < 185) & (centre < 50)) | ((y > 50) & (y < 105) & (centre < 105))
        seam = (np.abs(centre - 50) < 2) | (np.abs(y - 175) < 2)
    picture = np.full((size, size, 3), 255, np.uint8)
    shade = (200 + np.abs((x * 5 + y * 3) % 112 - 56))[..., None]  # soft folds
    cloth = np.array(colour) * shade // 255
    picture[inside] = cloth[inside]
    picture[inside & seam] = (cloth * 6 // 10)[inside & seam]
    return picture


def blend(a: Array, b: Array, share: int, of: int) -> Array:
    """``share`` parts of ``of`` from ``a``, the rest from ``b``."""
    return ((a.astype(int) * share + b.astype(int) * (of - share)) // of).astype(np.uint8)


def pasted(host: Array, part: Array, left: int, top: int) -> Array:
    """``host`` with ``part`` on it, at full size."""
    made = host.copy()
    made[top : top + part.shape[0], left : left + part.shape[1]] = part
    return made


@cache
def picture(name: str) -> Array:
    """The pictures that the golden values are about, by name."""
    made = {
        "photo": lambda: photo(1, 512, 512),
        "mixed": lambda: blend(photo(1, 512, 512), photo(2, 512, 512), 3, 4),
        "other": lambda: photo(3, 512, 512),
        "wide": lambda: photo(4, 500, 300),
        "small": lambda: photo(5, 256, 256),
        "small-mixed": lambda: blend(photo(5, 256, 256), photo(6, 256, 256), 7, 8),
        "dress-red": lambda: garment("dress", (200, 40, 40), 192),
        "dress-blue": lambda: garment("dress", (40, 60, 180), 192),
        "trousers-red": lambda: garment("trousers", (200, 40, 40), 192),
        "photo-192": lambda: photo(7, 192, 192),
        "pasted": lambda: pasted(photo(3, 512, 512), photo(1, 512, 512)[100:228, 200:328], 40, 200),
        "pasted-bluer": lambda: pasted(photo(3, 512, 512), photo(1, 512, 512)[100:228, 200:328, ::-1], 40, 200),
    }[name]()
    made.flags.writeable = False
    return made
