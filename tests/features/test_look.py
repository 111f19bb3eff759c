"""Looking: local correlation, and the best turn of a whole frame."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import structural_similarity
from synthetic import photo

from lookalike import load
from lookalike.features.dihedral import TRANSFORMS, apply, inverse
from lookalike.features.look import Look, equally_sharp, levels_agree, local_correlation

GREY = photo(21, 160, 160).mean(axis=2).astype(np.float32)


def test_local_correlation_is_blind_to_contrast_and_brightness_but_not_to_structure() -> None:
    assert local_correlation(GREY, GREY) == pytest.approx(1.0)
    assert local_correlation(GREY, GREY * 0.8 + 30) > 0.9
    other = photo(22, 160, 160).mean(axis=2).astype(np.float32)
    assert abs(local_correlation(GREY, other)) < 0.3


def test_local_correlation_orders_noise_as_ssim_does() -> None:
    """SSIM's structure term is the same quantity in other windows."""
    noise = np.random.default_rng(0).normal(0, 1, GREY.shape)
    noisy = [np.clip(GREY + level * noise, 0, 255).astype(np.float32) for level in (4, 12, 30, 60)]
    ours = [local_correlation(GREY, each) for each in noisy]
    theirs = [structural_similarity(GREY, each, data_range=255) for each in noisy]
    assert ours == sorted(ours, reverse=True)
    assert theirs == sorted(theirs, reverse=True)


@pytest.mark.parametrize("index", range(len(TRANSFORMS)))
@pytest.mark.parametrize("kind", ["photo", "sparks"])
def test_the_turn_is_found_even_where_there_is_little_texture(index: int, kind: str) -> None:
    pixels = photo(23, 300, 240)
    if kind == "sparks":
        pixels = np.zeros((300, 300, 3), np.uint8)
        for x, y in ((40, 50), (90, 220), (200, 70)):
            pixels[y : y + 4, x : x + 4] = 255
    turned = np.ascontiguousarray(apply(pixels, inverse(index)))
    look = Look()
    a, b = look.extract([load(pixels), load(turned)])
    found = look.best(a, b)
    assert found.correlation > 0.95
    assert found.orientation == index


def test_a_blurred_copy_is_looked_at_equally_sharp() -> None:
    import cv2

    fine = GREY + np.random.default_rng(1).normal(0, 20, GREY.shape).astype(np.float32)
    blurred = np.asarray(cv2.GaussianBlur(fine, (0, 0), 3), np.float32)
    a, b = equally_sharp(fine, blurred)
    assert local_correlation(fine, blurred) < 0.8
    assert local_correlation(a, b) > 0.9
    assert b is blurred
    second, first = equally_sharp(blurred, fine)
    np.testing.assert_array_equal(first, a)
    np.testing.assert_array_equal(second, b)


def hem(cloth: int, ground: int, edge: int, grain: int) -> np.ndarray:
    """A garment's corner on the floor: two plain areas and one edge, with a little grain; 96×96, float32."""
    chance = np.random.default_rng(grain)
    pixels = np.full((96, 96), float(ground))
    pixels[:70, :edge] = cloth
    return np.asarray(pixels + chance.normal(0, 1.5, pixels.shape), np.float32)


WHOLE = np.ones((96, 96), np.bool_)


@pytest.mark.parametrize(
    ("other", "copy"), [((200, 60), True), ((235, 60), False), ((120, 60), False), ((200, 20), False)]
)
def test_where_there_is_little_texture_the_levels_must_bear_it_out(other: tuple[int, int], copy: bool) -> None:
    """Local correlation sees one edge in one place, in two hems as in a copy."""
    a, b = hem(200, 60, 50, 1), hem(*other, 50, 2)
    assert local_correlation(a, b) > 0.9
    assert (levels_agree(a, b, WHOLE) > 1) == copy


@pytest.mark.parametrize(("contrast", "brightness"), [(1.0, 0.0), (0.7, 60.0), (1.0, -25.0), (1.3, -20.0)])
def test_textured_copies_keep_their_levels_but_for_contrast_and_brightness(contrast: float, brightness: float) -> None:
    a = photo(11, 96, 96)[..., 1].astype(np.float32)
    b = np.clip(a * contrast + brightness, 0, 255)
    assert levels_agree(a, b, WHOLE) > 1
    assert levels_agree(a, photo(77, 96, 96)[..., 1].astype(np.float32), WHOLE) < 0.6
    inside = np.zeros((96, 96), np.bool_)
    assert levels_agree(a, b, inside) == 0
    inside[20:60, 20:60] = True
    b[~inside] = 0
    assert levels_agree(a, b, inside) > 1
