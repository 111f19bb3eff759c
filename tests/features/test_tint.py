"""Colours that changed by one rule everywhere are a copy's; those of one thing only are another product's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from synthetic import garment, photo

from lookalike.features.align import Alignment
from lookalike.features.shrink import square
from lookalike.features.tint import Tint, aligned_change, changed_at

SIZE = (128, 96)


def thumbnails(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 32×32 colours of a picture, and its grey at 96 pixels on the longer side."""
    height, width = pixels.shape[:2]
    scale = 96 / max(height, width)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return square(pixels, Tint.SIDE), cv2.resize(grey, (round(width * scale), round(height * scale)))


def told(a: np.ndarray, b: np.ndarray, place: np.ndarray) -> tuple[float, float]:
    """The change as told from the pictures themselves, and from thumbnails alone; ``place``: pixels of b → a."""
    (tint_a, grey_a), (tint_b, grey_b) = thumbnails(a), thumbnails(b)
    grow_a, grow_b = (
        np.array([[s[1], 0, s[1] / 2 - 0.5], [0, s[0], s[0] / 2 - 0.5], [0, 0, 1]])
        for s in ((p.shape[0] / g.shape[0], p.shape[1] / g.shape[1]) for p, g in ((a, grey_a), (b, grey_b)))
    )
    small = np.linalg.inv(grow_a) @ place @ grow_b
    back = changed_at((tint_b, tint_a), (grey_b, grey_a), np.linalg.inv(small))
    forth = changed_at((tint_a, tint_b), (grey_a, grey_b), small)
    assert forth == pytest.approx(back, abs=0.05), "whichever is the first"
    return aligned_change(a, b, Alignment(place, None, 1.0, 1.0, 1.0)), forth


@pytest.mark.parametrize("share", [1.0, 0.8, 0.5])
def test_a_crop_keeps_its_colours(share: float) -> None:
    for seed in range(5):
        pixels = photo(50 * seed + 2, *SIZE)
        width, height = round(SIZE[0] * share), round(SIZE[1] * share)
        left, top = (SIZE[0] - width) // 2, (SIZE[1] - height) // 3
        cut = np.ascontiguousarray(pixels[top : top + height, left : left + width])
        place = np.array([[1.0, 0, left], [0, 1, top], [0, 0, 1]])
        for change in told(pixels, cut, place):
            assert change < 3.5
        grey = np.repeat(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
        for change in told(pixels, np.ascontiguousarray(grey), place):
            assert change < 5.5


def test_a_garment_in_another_colour_is_another_product() -> None:
    red, blue = garment("sweater", (200, 40, 40), 128), garment("sweater", (40, 60, 180), 128)
    for change in told(red, blue, np.eye(3)):
        assert change > 8
