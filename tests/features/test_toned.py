"""A print in one tone is a copy; a product in another colour, whose ground keeps its own, is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic import garment, photo

from lookalike.features.shrink import square
from lookalike.features.tint import Tint, colour_change
from lookalike.features.toned import is_toned

SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
"""The matrix of Microsoft's and Adobe's sepia filters."""


def sepia(pixels: np.ndarray) -> np.ndarray:
    return np.clip(pixels @ SEPIA.T, 0, 255).astype(np.uint8)


def blueprint(pixels: np.ndarray) -> np.ndarray:
    """Black becomes Prussian blue, white stays white, as in a cyanotype."""
    share = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None] / 255
    return ((1 - share) * (16, 36, 92) + share * 255).astype(np.uint8)


def change(a: np.ndarray, b: np.ndarray) -> float:
    return colour_change(square(a, Tint.SIDE), square(b, Tint.SIDE))


def lab(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(square(pixels, Tint.SIDE).astype(np.float32) / 255, cv2.COLOR_RGB2Lab).reshape(-1, 3)


@pytest.mark.parametrize("printed", [sepia, blueprint])
def test_a_print_in_one_tone_is_a_copy(printed: object) -> None:
    for seed in range(5):
        pixels = photo(seed, 128, 96)
        assert change(pixels, printed(pixels)) < 5.5  # type: ignore[operator]


def test_a_garment_in_another_colour_is_none() -> None:
    colours = [(200, 40, 40), (40, 60, 180), (120, 80, 40), (40, 120, 60)]
    shot = [garment("sweater", colour, 128) for colour in colours]
    for index, first in enumerate(shot):
        for second in shot[index + 1 :]:
            assert not is_toned(lab(first), lab(second))


def test_a_product_dyed_in_one_tone_is_none() -> None:
    """All of it changes as in a print, and the white page that it lies on does not."""
    inside = garment("sweater", (0, 0, 0), 128).max(axis=2) < 255
    printed = np.full((128, 128, 3), 255, np.uint8)
    printed[inside] = photo(7, 128, 128)[inside]
    dyed = np.where(inside[..., None], sepia(printed), printed)
    assert is_toned(lab(printed), lab(sepia(printed)))
    assert not is_toned(lab(printed), lab(dyed))


def test_two_prints_in_two_tones_are_told_by_their_colours() -> None:
    pixels = photo(3, 128, 96)
    assert not is_toned(lab(sepia(pixels)), lab(sepia(pixels)))


@given(st.integers(0, 2**32 - 1), st.integers(0, 100), st.booleans())
def test_it_does_not_matter_which_is_first(seed: int, count: int, toned: bool) -> None:
    chance = np.random.default_rng(seed)
    a, b = (chance.uniform((0, -60, -60), (100, 60, 60), (count, 3)).astype(np.float32) for _ in range(2))
    if toned:
        b[:, 1:] = 0.2 * b[:, :1]
    assert is_toned(a, b) == is_toned(b, a)
