"""A tilted page is found on its ground and set upright; what stands upright, and products, are left alone."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from synthetic import garment, photo

from lookalike.features.look import local_correlation
from lookalike.images.tilt import tilted_frame, upright

WHITE, BLACK, CREAM = (255, 255, 255), (0, 0, 0), (244, 236, 220)


def tilted(picture: np.ndarray, degrees: float, ground: tuple[int, int, int]) -> np.ndarray:
    """``picture`` turned clockwise, on a page that holds it whole; as most editors do it."""
    image = Image.fromarray(picture).rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=ground)
    return np.asarray(image)


def jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def sides(frame: np.ndarray, page: np.ndarray) -> tuple[float, float, float]:
    """Width, height and clockwise degrees of a frame, in pixels of the page."""
    across, down = (np.diag([page.shape[1], page.shape[0], 1.0]) @ frame)[:2, :2].T
    return float(np.hypot(*across)), float(np.hypot(*down)), float(np.degrees(np.arctan2(across[1], across[0])))


@pytest.mark.parametrize("ground", [WHITE, BLACK, CREAM])
@pytest.mark.parametrize("degrees", [5, -5, 10, -12, 20, 30, -33, 40])
@pytest.mark.parametrize("size", [(300, 200), (180, 240), (100, 100)])
@pytest.mark.parametrize("quality", [95, 80])
def test_the_frame_is_found(quality: int, size: tuple[int, int], degrees: float, ground: tuple[int, int, int]) -> None:
    picture = photo(5, *size)
    picture = np.maximum(picture, 40) if ground == BLACK else np.minimum(picture, 190)
    page = jpeg(tilted(picture, degrees, ground), quality)
    frame = tilted_frame(page)
    assert frame is not None
    width, height, found = sides(frame, page)
    assert found == pytest.approx(degrees, abs=1)
    assert width == pytest.approx(size[0], rel=0.015, abs=2)
    assert height == pytest.approx(size[1], rel=0.015, abs=2)
    np.testing.assert_allclose(frame @ [0.5, 0.5, 1], [0.5, 0.5, 1], atol=0.01)


@pytest.mark.parametrize("degrees", [5, -20, 35])
def test_set_upright_it_is_the_picture(degrees: float) -> None:
    picture = np.minimum(photo(6, 400, 280), 215)
    page = tilted(picture, degrees, WHITE)
    frame = tilted_frame(page)
    assert frame is not None
    back = upright(page, frame)
    assert back.dtype == np.uint8
    assert back.shape[:2] == pytest.approx((280, 400), rel=0.015)
    ours, theirs = (
        cv2.resize(each, (200, 140), interpolation=cv2.INTER_AREA).mean(axis=2).astype(np.float32)
        for each in (back, picture)
    )
    assert local_correlation(ours, theirs) > 0.9


def test_a_large_picture_and_a_small_one_have_the_same_frame() -> None:
    large = tilted(np.minimum(photo(7, 900, 700), 215), 15, WHITE)
    small = cv2.resize(large, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA)
    first, second = tilted_frame(large), tilted_frame(np.asarray(small, np.uint8))
    assert first is not None
    assert second is not None
    np.testing.assert_allclose(first, second, atol=0.015)


@pytest.mark.parametrize("degrees", [0, 1, 90])
def test_upright_pictures_are_left_alone(degrees: float) -> None:
    picture = np.minimum(photo(8, 240, 180), 215)
    assert tilted_frame(picture) is None
    page = np.pad(tilted(picture, degrees, WHITE), ((20, 40), (30, 10), (0, 0)), constant_values=255)
    assert tilted_frame(page) is None


@pytest.mark.parametrize("cut", ["dress", "sweater"])
@pytest.mark.parametrize("degrees", [0, 10, -30])
def test_products_are_left_alone(cut: str, degrees: float) -> None:
    """Those whose outline is no rectangle; a tilted book on a table may be set upright."""
    assert tilted_frame(tilted(garment(cut, (40, 60, 120)), degrees, WHITE)) is None


def test_round_and_many_cornered_things_are_left_alone() -> None:
    page = np.full((200, 200, 3), 255, np.uint8)
    assert tilted_frame(cv2.circle(page.copy(), (100, 100), 90, (90, 20, 20), -1)) is None
    triangle = np.array([[100, 5], [195, 195], [5, 195]])
    assert tilted_frame(cv2.fillPoly(page.copy(), [triangle], (90, 20, 20))) is None
    specks = page.copy()
    specks[20, 100] = specks[100, 20] = specks[180, 100] = specks[100, 180] = 0  # a hull without anything in it
    frame = tilted_frame(specks)
    assert frame is None or abs(abs(sides(frame, specks)[2]) - 45) < 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (2, 2), (3, 400), (9, 9)])
@pytest.mark.parametrize("value", [0, 255])
def test_blank_and_tiny_pictures(shape: tuple[int, int], value: int) -> None:
    pixels = np.full((*shape, 3), value, np.uint8)
    assert tilted_frame(pixels) is None
    pixels[shape[0] // 2, shape[1] // 2] = 128
    assert tilted_frame(pixels) is None


def test_corners_of_different_colours_are_no_ground() -> None:
    page = tilted(np.minimum(photo(9, 200, 200), 215), 20, WHITE).copy()
    page[:3, :3] = 0
    assert tilted_frame(page) is None
