"""Edits that change levels and leave everything where it is: grey, colours, brightness, sharpness, noise."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from lookalike.lab.edits.frame import Change


def grey(image: Image.Image, _: random.Random) -> Image.Image:
    """Brightness alone."""
    return image.convert("L")


_BROWN = (
    *(0.393, 0.769, 0.189, 0),
    *(0.349, 0.686, 0.168, 0),
    *(0.272, 0.534, 0.131, 0),
)
"""Red, green and blue of a sepia print of red, green and blue: the matrix that most programs use."""


def sepia(image: Image.Image, _: random.Random) -> Image.Image:
    """The brown of an old print."""
    return image.convert("RGB", _BROWN)


def few_colours(image: Image.Image, _: random.Random) -> Image.Image:
    """64 colours, dithered: what a GIF can hold."""
    return image.quantize(palette=image.quantize(64), dither=Image.Dither.FLOYDSTEINBERG)


def brightness(factor: float) -> Change:
    """Every level times ``factor``."""
    return lambda image, _: ImageEnhance.Brightness(image).enhance(factor)


def gamma(image: Image.Image, chance: random.Random) -> Image.Image:
    """Middle levels lifted or lowered by an exponent of 0.55 to 0.75 or its inverse; black and white stay."""
    exponent = chance.uniform(0.55, 0.75) ** chance.choice((-1, 1))
    levels = [round(255 * (level / 255) ** exponent) for level in range(256)]
    return image.point(levels * len(image.getbands()))


def cast(image: Image.Image, chance: random.Random) -> Image.Image:
    """Every channel by its own factor, 0.8 to 1.2: a wrong white balance."""
    return _image(np.asarray(image) * np.array([chance.uniform(0.8, 1.2) for _ in range(3)]))


def blur(share: float) -> Change:
    """Gaussian; sigma is a share of the longer side."""
    return lambda image, _: image.filter(ImageFilter.GaussianBlur(share * max(image.size)))


def some_blur(image: Image.Image, chance: random.Random) -> Image.Image:
    """Gaussian; sigma 1 to 2 % of the longer side."""
    return blur(chance.uniform(0.01, 0.02))(image, chance)


def sharpen(image: Image.Image, chance: random.Random) -> Image.Image:
    """Unsharp mask: 150 to 250 % of what a blur by 0.4 % of the longer side takes away."""
    percent = round(chance.uniform(150, 250))
    return image.filter(ImageFilter.UnsharpMask(max(1.0, 0.004 * max(image.size)), percent, threshold=0))


def noise(image: Image.Image, chance: random.Random) -> Image.Image:
    """Gaussian, standard deviation 10 to 20 levels, every pixel and channel by itself."""
    deviation = chance.uniform(10, 20)
    grain = np.random.default_rng(chance.getrandbits(64)).standard_normal((image.height, image.width, 3))
    return _image(np.asarray(image) + deviation * grain)


def _image(values: np.ndarray) -> Image.Image:
    """An RGB picture of levels that may lie between or beyond 0 and 255."""
    return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8))
