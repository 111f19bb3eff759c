from __future__ import annotations

import io

import numpy as np
from PIL import Image, PngImagePlugin
from synthetic import noise, photo

from lookalike import load
from lookalike.features.base import method

PIXELS = photo(1, 60, 40)


def similarity(a: object, b: object) -> float:
    exact = method("exact")
    return exact.compare(*exact.extract([load(a), load(b)]))  # type: ignore[arg-type]


def png(pixels: np.ndarray, comment: str = "") -> bytes:
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", comment)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", pnginfo=about)
    return file.getvalue()


def test_same_bytes() -> None:
    assert similarity(png(PIXELS), png(PIXELS)) == 1.0


def test_same_pixels_in_other_bytes() -> None:
    assert png(PIXELS, "one") != png(PIXELS, "another")
    assert similarity(png(PIXELS, "one"), png(PIXELS, "another")) == 1.0
    assert similarity(png(PIXELS), PIXELS) == 1.0


def test_one_level_in_one_channel_of_one_pixel_tells() -> None:
    changed = PIXELS.copy()
    changed[7, 9, 2] ^= 1
    assert similarity(png(PIXELS), png(changed)) == 0.0


def test_same_bytes_in_another_shape_are_not_the_same_picture() -> None:
    assert similarity(np.zeros((10, 20, 3), np.uint8), np.zeros((20, 10, 3), np.uint8)) == 0.0


def test_a_cutout_equals_itself_on_white() -> None:
    alpha = np.full((40, 60), 255, np.uint8)
    alpha[:10] = 0
    cutout = Image.fromarray(np.dstack([PIXELS, alpha]))
    on_white = PIXELS.copy()
    on_white[:10] = 255
    assert similarity(cutout, on_white) == 1.0


def test_sixteen_bits_count() -> None:
    deep = noise(1, 30, 20)[..., 0].astype(np.uint16) * 256 + 7
    assert similarity(deep, deep + 1) == 0.0
    assert similarity(deep, deep.copy()) == 1.0
