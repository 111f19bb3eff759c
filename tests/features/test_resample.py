"""The resampler against Pillow, which it promises to equal to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from synthetic import noise, photo

from lookalike.features.grey import contained, contained_size, luma
from lookalike.features.resample import Filter, multiply, resample

PILLOW = {"bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
side = st.integers(1, 90)


def by_pillow(grey: np.ndarray, size: tuple[int, int], kind: Filter) -> np.ndarray:
    return np.asarray(Image.fromarray(grey).resize(size, PILLOW[kind]))


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 400), st.integers(1, 400), side, side, st.sampled_from(["bicubic", "lanczos"]), st.integers(0, 99)
)
@example(1, 1, 4, 1, "bicubic", 0)  # results of 4×1 and 1×4 numbers look like scalars to OpenCV
@example(1, 1, 1, 4, "lanczos", 0)
@example(50, 60, 1, 4, "lanczos", 1)
@example(50, 60, 4, 1, "bicubic", 1)
@example(300, 1, 32, 32, "lanczos", 2)
def test_equals_pillow_on_noise(before: int, rows: int, width: int, height: int, kind: Filter, seed: int) -> None:
    grey = noise(seed, before, rows)[..., 0]
    np.testing.assert_array_equal(resample(grey, (width, height), kind), by_pillow(grey, (width, height), kind))


@pytest.mark.parametrize("kind", PILLOW)
@pytest.mark.parametrize(
    "grey",
    [
        np.zeros((300, 200), np.uint8),
        np.full((300, 200), 255, np.uint8),
        np.full((999, 777), 128, np.uint8),
        (np.indices((256, 256)).sum(axis=0) % 2 * 255).astype(np.uint8),  # nearly every sum in doubt
        np.tile(np.array([0, 255], np.uint8), (64, 512)),
        np.tile(np.array([0, 1], np.uint8), (64, 512)),
        (noise(1, 900, 1100)[..., 0] > 127).astype(np.uint8) * 255,
        noise(2, 1023, 1)[..., 0],
        noise(3, 2500, 40)[..., 0],  # windows long enough for float64
        photo(4, 1000, 1000)[..., 0],
    ],
    ids=lambda grey: f"{grey.shape[0]}x{grey.shape[1]}",
)
@pytest.mark.parametrize("size", [(8, 8), (9, 8), (32, 32), (64, 64), (128, 100), (512, 512)])
def test_equals_pillow_on_hard_cases(grey: np.ndarray, size: tuple[int, int], kind: Filter) -> None:
    np.testing.assert_array_equal(resample(grey, size, kind), by_pillow(grey, size, kind))


def test_pieces_of_a_product_make_the_whole() -> None:
    left = noise(1, 300, 1001)[..., 0].astype(np.float64)
    right = noise(2, 40, 300)[..., 0].astype(np.float64)
    np.testing.assert_array_equal(multiply(left, right), left @ right)  # whole numbers: exact in any order


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from([16, 256, 512]))
def test_contained_size_is_pillows(width: int, height: int, box: int) -> None:
    if min(width / height, height / width) * box < 0.6:
        assert min(contained_size(width, height, box)) == 1  # where Pillow may refuse
    else:
        assert contained_size(width, height, box) == ImageOps.contain(Image.new("1", (width, height)), (box, box)).size


def test_contained_picture_is_pillows() -> None:
    for width, height in ((700, 300), (30, 41), (512, 512), (512, 100), (1000, 1000)):
        grey = photo(5, width, height)[..., 1]
        expected = np.asarray(ImageOps.contain(Image.fromarray(grey), (512, 512)))
        np.testing.assert_array_equal(contained(grey, 512), expected)


def test_luma_is_pillows() -> None:
    pixels = noise(6, 256, 256)
    red, green, blue = (pixels[..., channel].astype(int) for channel in range(3))
    np.testing.assert_array_equal(luma(pixels), (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16)
