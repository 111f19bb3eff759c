"""SSIM against scikit-image, to the 1e-4 that is promised; multi-scale SSIM's golden values are in tests/golden."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity
from synthetic import blend, noise, photo

from lookalike.features.ssim import msssim, ssim

NOISE = noise(1, 300, 200)[..., 0]
OTHER = noise(2, 300, 200)[..., 0]
PHOTO = photo(1, 300, 200)[..., 0]
CHECKERBOARD = (np.indices((200, 300)).sum(axis=0) % 2 * 255).astype(np.uint8)


def flat(value: int) -> np.ndarray:
    return np.full((200, 300), value, np.uint8)


PAIRS = {
    "photo, noise added": (PHOTO, blend(PHOTO, NOISE, 9, 10)),
    "noise": (NOISE, OTHER),
    "black and white noise": ((NOISE > 127).astype(np.uint8) * 255, (OTHER > 127).astype(np.uint8) * 255),
    "negative": (NOISE, 255 - NOISE),
    "checkerboard": (CHECKERBOARD, 255 - CHECKERBOARD),
    "checkerboard, grey": (CHECKERBOARD, flat(128)),
    "flat": (flat(255), flat(254)),
    "black, white": (flat(0), flat(255)),
    "faint grain on white": ((250 + (NOISE > 200)).astype(np.uint8), (250 + (OTHER > 100)).astype(np.uint8)),
    "faint grain on black": ((NOISE > 200).astype(np.uint8), (OTHER > 100).astype(np.uint8)),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_equals_scikit_image(pair: tuple[np.ndarray, np.ndarray]) -> None:
    assert ssim(*pair) == pytest.approx(structural_similarity(*pair, data_range=255), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(7, 150), st.integers(7, 150), st.integers(0, 99), st.integers(1, 255))
def test_equals_scikit_image_at_any_size_and_contrast(width: int, height: int, seed: int, contrast: int) -> None:
    a, b = (noise(s, width, height)[..., 0] % contrast for s in (seed, seed + 1))
    assert ssim(a, b) == pytest.approx(structural_similarity(a, b, data_range=255), abs=1e-4)


def test_sixteen_bits_at_full_depth() -> None:
    a = PHOTO.astype(np.uint16) * 200 + NOISE
    b = PHOTO.astype(np.uint16) * 200 + OTHER
    assert ssim(a, b, 65535) == pytest.approx(structural_similarity(a, b, data_range=65535), abs=1e-9)
    assert ssim(a, b, 65535) < 1.0, "what 8 bits would not show"


@pytest.mark.parametrize("function", [ssim, msssim])
@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 9), (6, 6), (10, 300)])
def test_small_pictures_have_a_value(function: type[ssim], shape: tuple[int, int]) -> None:
    a, b = (noise(seed, shape[1], shape[0])[..., 0] for seed in (1, 2))
    assert function(a, a) == 1.0
    assert -1.0 <= function(a, b) < 1.0
    assert function(a, b) == function(b, a)


def test_a_short_side_is_lengthened_by_its_last_row() -> None:
    a, b = (noise(seed, 40, 5)[..., 0] for seed in (1, 2))
    longer = [np.vstack([x, x[-1:], x[-1:]]) for x in (a, b)]
    assert ssim(a, b) == pytest.approx(structural_similarity(*longer, data_range=255), abs=1e-4)


def test_coarse_scales_forgive_what_fine_ones_see() -> None:
    assert msssim(PHOTO, blend(PHOTO, NOISE, 7, 10)) > ssim(PHOTO, blend(PHOTO, NOISE, 7, 10)) + 0.1


@pytest.mark.parametrize("function", [ssim, msssim])
def test_shapes_must_agree(function: type[ssim]) -> None:
    with pytest.raises(ValueError, match="one shape"):
        function(PHOTO, PHOTO[1:])
