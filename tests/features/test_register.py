"""Where one picture lies on the other, against how it was cut out of it."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
from synthetic import garment, photo

from lookalike.features.register import View, register, rescaled

SIZE = (320, 240)
PHOTOS = [photo(40 * number + 3, *SIZE) for number in range(12)]


def piece(pixels: np.ndarray, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What ``matrix`` (piece → picture, in pixels) cuts out, (width, height) ``size``; white outside."""
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


def errors(matrices: list[np.ndarray], size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """How far off every piece is laid, by the picture and by the piece; every one must be found, and agree."""
    forth, back = [], []
    for pixels, matrix in zip(itertools.cycle(PHOTOS), matrices, strict=False):
        cut = piece(pixels, matrix, size)
        found, again = register(View.of(pixels), View.of(cut)), register(View.of(cut), View.of(pixels))
        assert found is not None
        assert again is not None
        assert min(found.correlation, again.correlation) > 0.65
        forth.append(off(found.matrix, matrix, size))
        back.append(off(np.linalg.inv(again.matrix), matrix, size))
    return np.array(forth), np.array(back)


@pytest.mark.parametrize("small", [1.0, 0.6])
@pytest.mark.parametrize("share", [0.5, 0.56, 0.7, 0.8, 0.93])
def test_crops(share: float, small: float) -> None:
    size = (round(SIZE[0] * share * small), round(SIZE[1] * share * small))
    grown = share * SIZE[0] / size[0]
    free = np.array(SIZE) * (1 - share)
    corners = np.random.default_rng(1).random((6, 2)) * free + np.array(SIZE) * share / 2 - 0.5
    forth, back = errors([similarity(grown, 0, x, y, size) for x, y in corners], size)
    assert forth.max() < 1.5
    assert np.median(back) < 1.0
    assert back.max() < 3.0


def test_shifts() -> None:
    """What came in from outside is blank, and pulls the refinement by a pixel or two of its 96."""
    middles = np.random.default_rng(2).uniform(0.36, 0.64, (16, 2)) * SIZE - 0.5
    forth, back = errors([similarity(1, 0, x, y, SIZE) for x, y in middles], SIZE)
    assert np.median(forth) < 4
    assert max(forth.max(), back.max()) < 12


def test_tilts() -> None:
    chance = np.random.default_rng(3)
    turns = [
        similarity(scale, degrees, SIZE[0] / 2 - 0.5, SIZE[1] / 2 - 0.5, SIZE)
        for scale, degrees in zip(chance.uniform(0.75, 1, 16), chance.uniform(-12, 12, 16), strict=True)
    ]
    forth, back = errors(turns, SIZE)
    assert np.percentile(forth, 75) < 1.5
    assert max(forth.max(), back.max()) < 6


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
