"""Colours as the eye tells them apart, those in the middle first: what must count, and what must not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from synthetic import Array, garment, noise, photo

from lookalike import load
from lookalike.features.palette import BINS, Palette

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PHOTOS = ("carton.jpg", "carton-shelf.jpg", "shirt.jpg", "shirt-other.jpg")
RED, GREEN, BLUE = (200, 40, 40), (40, 150, 60), (40, 60, 180)
PALETTE = Palette()


def similarity(a: Array, b: Array) -> float:
    return PALETTE.compare(*PALETTE.extract([load(a), load(b)]))


def test_the_middle_counts_more_than_what_is_around_it() -> None:
    """Of a thing that covers half of the area, and a ground that covers the other half."""
    rows = np.indices((200, 200))[0] // 10 % 2 == 0  # stripes, so that nothing is taken for a margin
    inside = np.zeros((200, 200), bool)
    inside[29:171, 29:171] = True

    def seen(thing: tuple[int, int, int], ground: tuple[int, int, int]) -> Array:
        pixels = np.where(rows[..., None], np.array(ground), np.array(ground) // 2).astype(np.uint8)
        pixels[inside] = thing
        return pixels

    base = seen(RED, BLUE)
    assert similarity(base, seen(RED, GREEN)) > 0.7 > 0.4 > similarity(base, seen(GREEN, BLUE))


def test_margins_do_not_count() -> None:
    product = garment("sweater", RED)
    page = np.full((600, 500, 3), 255, np.uint8)
    page[200:440, 130:370] = product
    assert similarity(product, page) > 0.97


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("light", [0.85, 1.15, (1.05, 1.0, 0.95)])
def test_a_little_more_or_less_light_is_forgiven(name: str, light: float | tuple[float, ...]) -> None:
    pixels = np.asarray(Image.open(EXAMPLES / name).convert("RGB"))
    lit = np.clip(pixels * np.asarray(light), 0, 255).astype(np.uint8)
    assert similarity(pixels, lit) > 0.83


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("channels", [[1, 0, 2], [2, 0, 1], [2, 1, 0]])
def test_another_flavours_colours_count_against_it(name: str, channels: list[int]) -> None:
    """One carton in two colours, the same print on both: far less alike than in other light."""
    pixels = np.asarray(Image.open(EXAMPLES / name).convert("RGB"))
    assert similarity(pixels, np.ascontiguousarray(pixels[..., channels])) < 0.65


def test_black_white_and_grey_are_three_colours() -> None:
    black, grey, white = (np.full((50, 50, 3), level, np.uint8) for level in (0, 128, 255))
    for a, b in ((black, grey), (grey, white), (black, white)):
        assert similarity(a, b) < 0.01


def test_flips_and_half_turns_change_nothing() -> None:
    pixels = photo(2, 160, 160)
    for changed in (pixels[::-1], pixels[:, ::-1], pixels[::-1, ::-1], pixels.swapaxes(0, 1)):
        assert similarity(pixels, np.ascontiguousarray(changed)) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 2), (96, 96), (97, 95)])
def test_any_size_gives_shares_that_add_up(size: tuple[int, int]) -> None:
    (feature,) = PALETTE.extract([load(noise(4, *size))])
    assert feature.shape == BINS == PALETTE.shape
    assert (feature**2).sum() == pytest.approx(1, abs=1e-5)


@given(st.tuples(*[st.integers(0, 255)] * 3), st.tuples(*[st.integers(0, 255)] * 3))
def test_flat_pictures_are_as_alike_as_their_colours(a: tuple[int, int, int], b: tuple[int, int, int]) -> None:
    """Of every colour there is: each shares itself among eight bins at most, and a step of one level changes little."""
    x, y = (np.full((8, 8, 3), colour, np.uint8) for colour in (a, b))
    next_to = np.full((8, 8, 3), [level + 1 if level < 255 else 254 for level in a], np.uint8)
    assert np.count_nonzero(PALETTE.extract([load(x)])[0]) <= 8
    assert similarity(x, next_to) > 0.9
    assert similarity(x, y) == similarity(y, x)
