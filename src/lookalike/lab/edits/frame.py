"""Edits that move things: sizes, crops, flips, turns, borders. What they uncover is left white."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

Change = Callable[[Image.Image, random.Random], Image.Image]
"""What an edit does to a picture (RGB); the generator decides every random choice."""

FLAT = 2.5
"""A picture whose neighbouring pixels differ by less than this many levels, seen at 32 px, shows nothing to go by."""


def is_flat(image: Image.Image) -> bool:
    """Whether it shows next to nothing: a piece of wall, of floor, of plain cloth.

    >>> is_flat(Image.new("RGB", (80, 60), "white")), is_flat(Image.effect_noise((80, 60), 90))
    (True, False)
    """
    small = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), np.float32)
    return float(np.abs(np.diff(small, axis=0)).mean() + np.abs(np.diff(small, axis=1)).mean()) < 2 * FLAT


def untouched(image: Image.Image, _: random.Random) -> Image.Image:
    """Nothing: what the file does to it is the edit."""
    return image


def scaled(image: Image.Image, scale: float, reducing_gap: float | None = None) -> Image.Image:
    """Both sides times ``scale``, a pixel at least."""
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=reducing_gap)


def resize(longest: int) -> Change:
    """Scale so that the longer side has this many pixels."""
    return lambda image, _: scaled(image, longest / max(image.size))


def rescale(share: float) -> Change:
    """Scale both sides by this."""
    return lambda image, _: scaled(image, share)


def squeeze(image: Image.Image, chance: random.Random) -> Image.Image:
    """10 to 25 % off the width or off the height: the proportions change."""
    left = 1 - chance.uniform(0.10, 0.25)
    across, down = chance.choice(((left, 1.0), (1.0, left)))
    size = (max(1, round(image.width * across)), max(1, round(image.height * down)))
    return image.resize(size, Image.Resampling.LANCZOS)


def crop(area: float) -> Change:
    """Keep this share of the area, the proportions as they were, anywhere in the picture."""

    def change(image: Image.Image, chance: random.Random) -> Image.Image:
        width, height = (max(1, round(side * math.sqrt(area))) for side in image.size)
        left, top = chance.randint(0, image.width - width), chance.randint(0, image.height - height)
        return image.crop((left, top, left + width, top + height))

    return change


def shift(image: Image.Image, chance: random.Random) -> Image.Image:
    """10 to 20 % of the width, of the height or of both moved out of the frame."""
    x, y = chance.choice(((1, 0), (0, 1), (1, 1)))
    right = round(x * chance.uniform(0.10, 0.20) * image.width) * chance.choice((-1, 1))
    down = round(y * chance.uniform(0.10, 0.20) * image.height) * chance.choice((-1, 1))
    frame = Image.new(image.mode, image.size, "white")
    frame.paste(image, (right, down))
    return frame


def flip(image: Image.Image, _: random.Random) -> Image.Image:
    """Left and right exchanged."""
    return ImageOps.mirror(image)


def vertical_flip(image: Image.Image, _: random.Random) -> Image.Image:
    """Top and bottom exchanged."""
    return ImageOps.flip(image)


def sideways(image: Image.Image, chance: random.Random) -> Image.Image:
    """90 degrees either way."""
    return image.transpose(chance.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270)))


def quarter_turn(image: Image.Image, chance: random.Random) -> Image.Image:
    """90, 180 or 270 degrees."""
    turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return image.transpose(chance.choice(turns))


def small_turn(image: Image.Image, chance: random.Random) -> Image.Image:
    """3 to 8 degrees either way; nothing is cut off."""
    degrees = chance.uniform(3, 8) * chance.choice((-1, 1))
    return _turned(image, degrees)


def turn(degrees: float) -> Change:
    """By so many degrees either way; nothing is cut off."""
    return lambda image, chance: _turned(image, degrees * chance.choice((-1, 1)))


def _turned(image: Image.Image, degrees: float) -> Image.Image:
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")


def white_border(image: Image.Image, chance: random.Random) -> Image.Image:
    """10 to 20 % of the shorter side, on all four sides."""
    return ImageOps.expand(image, round(chance.uniform(0.10, 0.20) * min(image.size)), "white")


def paste(image: Image.Image, chance: random.Random, host: Image.Image) -> Image.Image:
    """``image`` at 30 to 50 % of the width of ``host`` (less where it would be higher than 60 % of it), inside it."""
    scale = min(chance.uniform(0.3, 0.5) * host.width / image.width, 0.6 * host.height / image.height)
    small = scaled(image, scale, reducing_gap=3.0)
    left, top = chance.randint(0, host.width - small.width), chance.randint(0, host.height - small.height)
    joined = host.copy()
    joined.paste(small, (left, top))
    return joined
