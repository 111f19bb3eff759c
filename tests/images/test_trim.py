"""Uniform margins come off, whatever their colour, and nothing else does."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from synthetic import garment, noise, photo

from lookalike.images.load import load
from lookalike.images.trim import WHOLE, Box, content_box, cut, cut_out, trimmed

WHITE = (255, 255, 255)


def padded(picture: np.ndarray, colour: tuple[int, ...], left: int, top: int, right: int, bottom: int) -> np.ndarray:
    height, width = picture.shape[:2]
    page = np.empty((height + top + bottom, width + left + right, 3), np.uint8)
    page[:] = colour
    page[top : top + height, left : left + width] = picture
    return page


def content_part(pixels: np.ndarray) -> np.ndarray:
    return cut_out(pixels, content_box(pixels))


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def in_pixels(box: Box, page: np.ndarray) -> np.ndarray:
    height, width = page.shape[:2]
    return np.array([box.left * width, box.top * height, box.right * width, box.bottom * height])


@pytest.mark.parametrize("colour", [WHITE, (0, 0, 0), (248, 246, 240), (200, 30, 60)])
def test_a_margin_of_any_colour_comes_off(colour: tuple[int, ...]) -> None:
    page = padded(photo(1, 200, 150), colour, 30, 20, 50, 90)
    np.testing.assert_allclose(in_pixels(content_box(page), page), [30, 20, 230, 170], atol=2)


def test_letterbox_bars_and_frames() -> None:
    inside = photo(2, 300, 160)
    np.testing.assert_array_equal(content_part(padded(inside, (0, 0, 0), 0, 40, 0, 40)), inside)
    page = padded(padded(padded(inside, WHITE, 20, 20, 20, 20), (90, 20, 20), 9, 9, 9, 9), (0, 0, 0), 0, 40, 0, 40)
    np.testing.assert_array_equal(content_part(page), inside)


def test_sides_of_different_colours() -> None:
    page = padded(padded(photo(3, 120, 120), WHITE, 25, 0, 0, 0), (0, 0, 0), 0, 0, 35, 10)
    np.testing.assert_allclose(in_pixels(content_box(page), page), [25, 0, 145, 120], atol=1)


def test_a_garment_on_white() -> None:
    page = garment("sweater", (120, 40, 40))
    rows, columns = np.nonzero((page < 240).any(axis=2))
    want = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    np.testing.assert_allclose(in_pixels(content_box(page), page), want, atol=1)


@pytest.mark.parametrize("quality", [10, 30, 90])
def test_compression_noise_does_not_hold_a_margin(quality: int) -> None:
    page = jpeg(padded(photo(4, 240, 240), WHITE, 80, 80, 80, 80), quality)
    np.testing.assert_allclose(in_pixels(content_box(page), page), [80, 80, 320, 320], atol=10)  # a block of 8, and 2


def test_specks_of_dust_do_not_hold_a_margin() -> None:
    page = padded(photo(5, 300, 300), WHITE, 100, 100, 100, 100)
    page[::10, 7] = 0  # one pixel in a row, and no column of them
    page[7, ::251] = 0
    box = in_pixels(content_box(page), page)
    np.testing.assert_allclose(box[[1, 3]], [100, 400], atol=1)


@pytest.mark.parametrize(
    "pixels",
    [
        photo(6, 120, 90),
        noise(1, 50, 40),
        np.full((40, 50, 3), 255, np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        noise(2, 1, 1),
        noise(2, 1, 200),
        noise(2, 200, 1),
        np.repeat(np.array([[[255, 255, 255]], [[0, 0, 0]]], np.uint8), 30, axis=0).repeat(40, axis=1),
        np.linspace(0, 255, 200).astype(np.uint8)[:, None, None].repeat(100, 1).repeat(3, 2),
        np.linspace(200, 255, 300).astype(np.uint8)[None, :, None].repeat(100, 0).repeat(3, 2),
    ],
    ids=["photo", "noise", "blank", "1×1", "1×1 noise", "1 wide", "1 high", "halves", "sky", "slow sky"],
)
def test_what_has_no_margin_stays_whole(pixels: np.ndarray) -> None:
    assert content_box(pixels) == WHOLE
    picture = load(pixels)
    assert trimmed(picture) is picture


def test_a_speck_on_a_blank_page_is_no_content() -> None:
    page = np.full((400, 400, 3), 255, np.uint8)
    page[200:204, 200:204] = 0
    assert content_box(page) == WHOLE


def test_a_plain_swatch_is_what_it_is_with_or_without_margin() -> None:
    swatch = np.full((60, 60, 3), (180, 20, 40), np.uint8)
    np.testing.assert_array_equal(content_part(padded(swatch, WHITE, 40, 40, 40, 40)), swatch)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1000),
    size=st.tuples(st.integers(60, 200), st.integers(60, 200)),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
    margin=st.tuples(*[st.integers(0, 120)] * 4),
)
def test_padding_and_trimming_gives_the_picture_back(
    seed: int, size: tuple[int, int], colour: tuple[int, ...], margin: tuple[int, ...]
) -> None:
    inside = noise(seed, *size)
    left, top, right, bottom = margin
    page = padded(inside, colour, left, top, right, bottom)
    box = in_pixels(content_box(page), page)
    want = np.array([left, top, left + size[0], top + size[1]])
    assert (np.abs(box - want) <= 0.01 * max(page.shape)).all()


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    levels=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_pixels_give_a_box_that_makes_sense(size: tuple[int, int], levels: int, seed: int) -> None:
    pixels = (np.random.default_rng(seed).integers(0, levels, (*size, 3)) * 80).astype(np.uint8)
    box = content_box(pixels)
    assert 0 <= box.left < box.right <= 1
    assert 0 <= box.top < box.bottom <= 1
    assert content_part(pixels).size > 0


class TestPictures:
    page = padded(photo(7, 800, 600), WHITE, 200, 100, 300, 150)

    def test_a_trimmed_picture_is_a_picture(self) -> None:
        buffer = io.BytesIO()
        Image.fromarray(self.page).save(buffer, "JPEG", quality=95)
        whole = load(buffer.getvalue())
        part = trimmed(whole)
        width, height = part.original_size
        assert abs(width - 800) <= 8
        assert abs(height - 600) <= 8
        for side in (0, 50, 100, 300, 400, 500, 790, 2000):
            decoded = part.decoded(side)
            longer = max(decoded.pixels.shape)
            assert longer >= min(side or width, width) - 1
            assert longer <= max(2.2 * side, 0.2 * width) or side == 0 or longer == width
            assert not decoded.pixels.flags.writeable
            assert abs(decoded.pixels.shape[1] / decoded.pixels.shape[0] - width / height) < 0.05
        assert part.pixels.shape == (height, width, 3)
        assert part.digest != whole.digest
        assert (part.source, part.format) == (whole.source, whole.format)

    def test_trimming_twice_changes_nothing_much(self) -> None:
        once = trimmed(load(self.page))
        again = trimmed(once)
        assert abs(once.original_size[0] - again.original_size[0]) <= 8
        assert abs(once.original_size[1] - again.original_size[1]) <= 6

    def test_mask_and_depth_are_cut_alike(self) -> None:
        alpha = np.zeros((100, 120), np.uint8)
        alpha[30:80, 20:90] = 255
        part = trimmed(load(np.dstack([noise(1, 120, 100), alpha])))
        assert part.original_size == (70, 50)
        assert part.mask is not None
        assert (part.mask == 255).all()
        grey = np.full((100, 120), 65535, np.uint16)
        grey[30:80, 20:90] = noise(2, 70, 50)[..., 0].astype(np.uint16) * 250
        deep = trimmed(load(grey)).decoded().grey16
        assert deep is not None
        np.testing.assert_array_equal(deep, grey[30:80, 20:90])
        assert not deep.flags.writeable

    @settings(max_examples=60, deadline=None)
    @given(
        size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
        edges=st.tuples(*[st.floats(0, 1)] * 4),
        side=st.integers(0, 80),
    )
    def test_sizes_of_a_cut_always_agree(
        self, size: tuple[int, int], edges: tuple[float, float, float, float], side: int
    ) -> None:
        left, right = sorted(edges[:2])
        top, bottom = sorted(edges[2:])
        part = cut(load(noise(1, *size)), Box(left, top, right, bottom))
        width, height = part.original_size
        assert width >= 1
        assert height >= 1
        assert part.decoded(side).pixels.shape == (height, width, 3)


@pytest.mark.parametrize("folder", ["magento", "shop-demo"])
def test_catalogue_pictures(data: Path, folder: str) -> None:
    paths = sorted(path for path in (data / folder).rglob("*") if path.suffix in {".jpg", ".webp", ".png"})[:40:4]
    assert paths
    for path in paths:
        pixels = load(path).decoded(512).pixels
        part = content_part(pixels)
        page = padded(part, WHITE, 40, 90, 60, 10)
        again = content_part(page)
        assert abs(again.shape[0] - part.shape[0]) <= 0.01 * max(page.shape) + 2
        assert abs(again.shape[1] - part.shape[1]) <= 0.01 * max(page.shape) + 2
