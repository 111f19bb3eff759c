from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from PIL import Image
from synthetic import garment, noise, photo

from lookalike import load
from lookalike.features.base import method

A, B = photo(1, 200, 150), photo(2, 90, 300)


def counts(pixels: np.ndarray) -> np.ndarray:
    """Raw counts, the way OpenCV's own tutorial makes them."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    return cv2.calcHist([hsv], [0, 1], None, [180, 256], [0, 180, 0, 256])


def similarity(name: str, a: np.ndarray, b: np.ndarray) -> float:
    made = method(name)
    return made.compare(*made.extract([load(a), load(b)]))


def test_correlation_is_opencvs_on_raw_counts() -> None:
    expected = cv2.compareHist(counts(A), counts(B), cv2.HISTCMP_CORREL)
    assert similarity("hsv", A, B) == pytest.approx(expected, abs=1e-5)


def test_bhattacharyya_is_opencvs_on_raw_counts() -> None:
    expected = 1 - cv2.compareHist(counts(A), counts(B), cv2.HISTCMP_BHATTACHARYYA)
    assert similarity("bhattacharyya", A, B) == pytest.approx(expected, abs=1e-5)


def test_uncorrelated_colours_are_zero_not_negative() -> None:
    reds = np.dstack([np.full((64, 64), 255), *[noise(1, 64, 64)[..., 0] // 8] * 2]).astype(np.uint8)
    blues = reds[..., ::-1].copy()
    assert cv2.compareHist(counts(reds), counts(blues), cv2.HISTCMP_CORREL) < 0
    assert similarity("hsv", reds, blues) == 0.0


@pytest.mark.parametrize("name", ["hsv", "bhattacharyya", "grey"])
def test_flat_pictures_have_finite_similarities(name: str) -> None:
    black, white = np.zeros((9, 9, 3), np.uint8), np.full((5, 7, 3), 255, np.uint8)
    red = np.zeros((9, 9, 3), np.uint8)
    red[..., 0] = 200
    for a in (black, white, red):
        for b in (black, white, red):
            assert math.isfinite(similarity(name, a, b))
    assert similarity(name, red, red[:3, :3].copy()) == pytest.approx(1.0)
    assert similarity(name, red, white) < 0.01


def test_grey_cosine_by_hand() -> None:
    half = np.zeros((2, 2), np.uint8)
    half[0] = 255
    assert similarity("grey", half, np.zeros((2, 2), np.uint8)) == pytest.approx(math.sqrt(0.5))


def test_size_does_not_matter() -> None:
    doubled = A.repeat(2, axis=0).repeat(2, axis=1)
    for name in ("hsv", "bhattacharyya", "grey"):
        assert similarity(name, A, doubled) == pytest.approx(1.0, abs=1e-5)


def test_transparent_pixels_count_as_white() -> None:
    pixels = garment("dress", (200, 40, 40))
    alpha = np.where((pixels == 255).all(axis=2), 0, 255).astype(np.uint8)
    cutout = Image.fromarray(np.dstack([pixels, alpha]))
    made = method("hsv")
    assert made.compare(*made.extract([load(pixels), load(cutout)])) == pytest.approx(1.0)
