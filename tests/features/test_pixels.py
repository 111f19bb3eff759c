from __future__ import annotations

import io
import math

import numpy as np
import pytest
from PIL import Image, ImageOps
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity
from synthetic import blend, noise, photo

from lookalike import load
from lookalike.features.base import method
from lookalike.features.pixels import mse, psnr

BLACK, WHITE = np.zeros((80, 80, 3), np.uint8), np.full((80, 80, 3), 255, np.uint8)


def similarity(name: str, a: np.ndarray, b: np.ndarray, **arguments: object) -> float:
    made = method(name, **arguments)
    return made.compare(*made.extract([load(a), load(b)]))


def test_errors_are_scikit_images_and_do_not_wrap() -> None:
    a, b = noise(1, 50, 40), noise(2, 50, 40)
    assert mse(a, b) == pytest.approx(mean_squared_error(a, b))
    assert psnr(a, b) == pytest.approx(peak_signal_noise_ratio(a, b))
    assert mse(BLACK, WHITE) == 255**2
    assert psnr(a, a) == math.inf


def test_mse_is_linear_in_grey_levels() -> None:
    assert similarity("mse", BLACK, WHITE) == 0.0
    assert similarity("mse", BLACK, BLACK + 51) == pytest.approx(0.8)


def test_psnr_is_decibels_over_those_of_one_level() -> None:
    assert similarity("psnr", BLACK, WHITE) == 0.0
    nearly = similarity("psnr", BLACK, BLACK + 8)
    assert nearly == pytest.approx(psnr(BLACK, BLACK + 8) / 48.13, abs=0.01)
    assert similarity("psnr", BLACK, BLACK + 1) < 1.0


def test_colour_counts_for_errors() -> None:
    red, green = BLACK.copy(), BLACK.copy()
    red[..., 0], green[..., 1] = 200, 102  # about the same grey
    assert similarity("mse", red, green) < 0.6


def test_ssim_is_the_published_formula() -> None:
    """Grey by Pillow, each contained in 512×512 with bicubic, cut to the common top-left size, scikit-image's SSIM."""
    for shape_a, shape_b in (((300, 200), (280, 200)), ((200, 300), (700, 600)), ((512, 512), (90, 90))):
        a, b = photo(1, *shape_a), photo(1, *shape_b)
        grey = [np.asarray(ImageOps.contain(Image.fromarray(x).convert("L"), (512, 512))) for x in (a, b)]
        height, width = (min(sizes) for sizes in zip(*(x.shape for x in grey), strict=True))
        expected = structural_similarity(*(x[:height, :width] for x in grey), data_range=255)
        assert similarity("ssim", a, b) == pytest.approx(max(0.0, expected), abs=1e-4)


def test_ssim_of_a_negative_is_zero() -> None:
    pixels = noise(1, 512, 512)
    assert similarity("ssim", pixels, 255 - pixels) == 0.0


def test_full_depth_sees_what_eight_bits_do_not() -> None:
    base = np.minimum(photo(1, 512, 512)[..., 0], 254).astype(np.uint16) * 257
    grain = base + noise(2, 512, 512)[..., 0] // 2
    assert similarity("ssim", base, grain) == 1.0
    assert 0.9 < similarity("ssim", base, grain, full_depth=True) < 1.0


def test_full_depth_takes_eight_bit_pictures_too() -> None:
    a = photo(1, 100, 80)
    b = blend(a, noise(2, 100, 80), 4, 5)
    assert similarity("ssim", a, b, full_depth=True) == pytest.approx(similarity("ssim", a, b), abs=5e-3)
    deep = method("ssim", full_depth=True)
    eight, sixteen = deep.extract([load(a[..., 0]), load(a[..., 0].astype(np.uint16) * 257)])
    assert deep.compare(eight, sixteen) == pytest.approx(1.0)


def test_a_recompressed_photo_stays_near() -> None:
    pixels = photo(3, 600, 400)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=60)
    for name, least in {"mse": 0.95, "psnr": 0.6, "ssim": 0.85, "msssim": 0.95}.items():
        made = method(name)
        assert made.compare(*made.extract([load(pixels), load(file.getvalue())])) > least, name
