"""Where one picture lies on the other, against how it was cut out of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import garment, photo

from lookalike.features.register import View, register, rescaled

SIZE = (320, 240)
PHOTOS = [photo(40 * number + 3, *SIZE) for number in range(12)]


def piece(pixels: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What ``matrix`` (pixels of the piece → pixels of the picture) cuts out, (width, height) ``size``; white outside."""
    flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    grow = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    soft = cv2.GaussianBlur(pixels, (0, 0), 0.4 * grow) if grow > 1.2 else pixels
    return np.asarray(
        cv2.warpAffine(soft, matrix[:2], size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=(255,) * 3)
    )


def off(found: np.ndarray, wanted: np.ndarray, size: tuple[int, int]) -> float:
    """Greatest distance, in pixels of the picture, between where two matrices lay the corners of the piece."""
    corners = np.array([[0, 0, 1], [size[0], 0, 1], [0, size[1], 1], [size[0], size[1], 1]], float).T
    return float(np.hypot(*((found @ corners) - (wanted @ corners))[:2]).max())


def similarity(scale: float, degrees: float, x: float, y: float, size: tuple[int, int]) -> np.ndarray:
    """Pixels of a piece of (width, height) ``size`` → picture: the middle of the piece lies at (x, y)."""
    turn = scale * np.array([[np.cos(r := np.radians(degrees)), -np.sin(r)], [np.sin(r), np.cos(r)]])
    middle = np.array([size[0] / 2 - 0.5, size[1] / 2 - 0.5])
    return np.vstack([np.hstack([turn, (np.array([x, y]) - turn @ middle)[:, None]]), [0, 0, 1]])


def check(pixels: np.ndarray, matrix: np.ndarray, size: tuple[int, int], least: float = 0.75) -> None:
    cut = piece(pixels, matrix, size)
    found = register(View.of(pixels), View.of(cut))
    assert found is not None
    assert off(found.matrix, matrix, size) < 1.5
    assert found.correlation > least
    back = register(View.of(cut), View.of(pixels))
    assert back is not None
    assert off(np.linalg.inv(back.matrix), matrix, size) < 1.5
    assert (back.overlap, back.overlap_other) == pytest.approx((found.overlap_other, found.overlap), abs=0.02)


@given(
    st.sampled_from(range(len(PHOTOS))), st.floats(0.55, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from([1, 0.6])
)
@settings(max_examples=25)
def test_crops(number: int, share: float, right: float, down: float, small: float) -> None:
    size = (round(SIZE[0] * share * small), round(SIZE[1] * share * small))
    grown = share * SIZE[0] / size[0]
    x = SIZE[0] * (share / 2 + right * (1 - share)) - 0.5
    y = SIZE[1] * (share / 2 + down * (1 - share)) - 0.5
    check(PHOTOS[number], similarity(grown, 0, x, y, size), size)


@given(st.sampled_from(range(len(PHOTOS))), st.floats(-0.15, 0.15), st.floats(-0.15, 0.15))
@settings(max_examples=12)
def test_shifts(number: int, across: float, down: float) -> None:
    x, y = SIZE[0] * (0.5 + across) - 0.5, SIZE[1] * (0.5 + down) - 0.5
    check(PHOTOS[number], similarity(1, 0, x, y, SIZE), SIZE)


@given(st.sampled_from(range(len(PHOTOS))), st.floats(-12, 12), st.floats(0.75, 1))
@settings(max_examples=12)
def test_tilts(number: int, degrees: float, scale: float) -> None:
    x, y = SIZE[0] / 2 - 0.5, SIZE[1] / 2 - 0.5
    check(PHOTOS[number], similarity(scale, degrees, x, y, SIZE), SIZE)


def test_overlaps_are_those_of_the_crop() -> None:
    found = register(View.of(PHOTOS[0]), View.of(np.ascontiguousarray(PHOTOS[0][60:180, 80:240])))
    assert found is not None
    assert found.overlap == pytest.approx(0.25, abs=0.01)
    assert found.overlap_other == pytest.approx(1, abs=0.02)


def test_other_pictures_do_not_lie_on_each_other() -> None:
    views = [View.of(pixels) for pixels in PHOTOS]
    views += [View.of(garment(cut, (180, 40, 60))) for cut in ("dress", "trousers", "sweater")]
    for index, a in enumerate(views):
        for b in views[:index]:
            found = register(a, b)
            assert found is None or found.correlation < 0.6


def test_a_mirrored_picture_is_for_the_caller_to_turn() -> None:
    mirrored = np.ascontiguousarray(PHOTOS[2][:, ::-1])
    found = register(View.of(PHOTOS[2]), View.of(mirrored))
    assert found is None or found.correlation < 0.6


def test_blank_and_tiny_pictures_lie_nowhere() -> None:
    white = View.of(np.full((90, 70, 3), 255, np.uint8))
    for other in (white, View.of(PHOTOS[0]), View.of(np.zeros((1, 1, 3), np.uint8)), View.of(photo(1, 300, 2))):
        assert register(white, other) is None
        assert register(other, white) is None


def test_grey_and_colour_are_the_same_to_it() -> None:
    grey = np.asarray(cv2.cvtColor(PHOTOS[1], cv2.COLOR_RGB2GRAY))
    cut = np.ascontiguousarray(PHOTOS[1][20:200, 30:270])
    coloured, plain = register(View.of(PHOTOS[1]), View.of(cut)), register(View.of(grey), View.of(cut))
    assert coloured is not None
    assert plain is not None
    np.testing.assert_allclose(coloured.matrix, plain.matrix, atol=1e-9)


def test_rescaled_maps_the_same_places() -> None:
    """The outer corners of a picture stay its outer corners at any size."""
    a, b, to_a, to_b = (np.zeros(shape) for shape in ((24, 32), (18, 20), (240, 320), (90, 100)))
    matrix = np.array([[1.2, 0.1, 3], [-0.1, 0.9, 2], [0, 0, 1]])
    large = rescaled(matrix, a, b, to_a, to_b)
    half = np.array([0.5, 0.5, 0])
    for share in ((0, 0), (1, 0), (0.3, 0.8)):
        at_b = np.array([share[0] * 20, share[1] * 18, 1]) - half
        at_large_b = np.array([share[0] * 100, share[1] * 90, 1]) - half
        np.testing.assert_allclose(large @ at_large_b + half, ((matrix @ at_b) + half) * [10, 10, 1])
