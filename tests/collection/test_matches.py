"""Cells tell copies from other pictures, and how they lie."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from synthetic import photo

from lookalike import load
from lookalike.collection import matches
from lookalike.collection.guesses import PlaceGuess
from lookalike.features.base import method

Array = npt.NDArray[np.uint8]
SIZE = (256, 192)
PHOTOS = [photo(60 * number + 1, *SIZE) for number in range(40)]


def feature(name: str, pixels: Array) -> Array:
    (found,) = method(name).extract([load(np.ascontiguousarray(pixels))])
    return np.asarray(found)


@cache
def cell_space() -> matches.Whitening:
    return matches.cell_space(np.stack([feature("cells", pixels) for pixels in PHOTOS]))


def spread(*pictures: Array) -> npt.NDArray[np.int8]:
    return matches.spread_cells(cell_space(), np.stack([feature("cells", pixels) for pixels in pictures]))


def told(a: Array, b: Array) -> PlaceGuess | None:
    grids = spread(a, b)
    (guess,) = matches.place_guesses(grids, np.array([[0, 1]]))
    return guess


CROPS = {
    "whole": (0, 0, 1, 1),
    "80 %": (0.06, 0.05, 0.89, 0.89),
    "50 %": (0.15, 0.2, 0.71, 0.71),
    "to one side": (0.3, 0, 0.7, 1),
}
"""x, y, width, height in shares."""


@pytest.mark.parametrize("name", CROPS)
def test_cells_tell_a_crop_and_where_it_lies(name: str) -> None:
    x, y, width, height = CROPS[name]
    wanted = np.array([[width, 0, x], [0, height, y], [0, 0, 1]])  # shares of the crop → shares of the picture
    for pixels in PHOTOS[:6]:
        left, top = round(x * SIZE[0]), round(y * SIZE[1])
        cut = pixels[top : top + round(height * SIZE[1]), left : left + round(width * SIZE[0])]
        for swap in (False, True):
            a, b = (cut, pixels) if swap else (pixels, cut)
            guess = told(a, b)
            assert guess is not None
            exact = matches.worth_a_look(feature("look", a), feature("look", b), guess)
            assert exact is not None
            place = np.linalg.inv(exact.place) if swap else exact.place
            for corner in ((0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)):
                assert np.abs((place - wanted) @ corner).max() < 0.03


def halved(*pictures: Array) -> npt.NDArray[np.int8]:
    grids = [method("cells", side=64).extract([load(np.ascontiguousarray(pixels))])[0] for pixels in pictures]
    return matches.spread_cells(cell_space(), np.stack(grids))


@pytest.mark.parametrize("corner", [(0.0, 0.0), (0.25, 0.25), (0.5, 0.1), (0.37, 0.5)])
def test_a_part_half_as_large_is_found_where_it_lies(corner: tuple[float, float]) -> None:
    x, y = corner
    wanted = np.array([[0.5, 0, x], [0, 0.5, y], [0, 0, 1]])
    for pixels in PHOTOS[:6]:
        left, top = round(x * SIZE[0]), round(y * SIZE[1])
        part = pixels[top : top + SIZE[1] // 2, left : left + SIZE[0] // 2]
        (guess,) = matches.part_guesses(spread(pixels, part), halved(pixels, part), np.array([[0, 1]]))
        assert guess.second
        assert guess.strength > matches.LEAST_WITHIN
        for swap in (False, True):
            looks = [feature("look", each) for each in ((part, pixels) if swap else (pixels, part))]
            located = matches.located(*looks, guess._replace(second=not swap))
            assert located is not None
            place = np.linalg.inv(located.place) if swap else located.place
            for point in ((0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)):
                assert np.abs((place - wanted) @ point).max() < 0.09, "as near as refining it begins"


def test_cells_of_other_pictures_agree_on_nothing() -> None:
    passed = 0
    for number, a in enumerate(PHOTOS[:12]):
        for b in PHOTOS[number + 1 : 12]:
            guess = told(a, b)
            if guess is not None:
                passed += matches.worth_a_look(feature("look", a), feature("look", b), guess) is not None
    assert passed <= 1


def test_sure_cells_let_pass_what_is_partly_covered() -> None:
    blocks = np.random.default_rng(3).integers(0, 255, (48, 64, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    covered = blocks.copy()
    covered[60:100, 20:230] = 255
    looks = feature("look", blocks), feature("look", covered)
    assert matches.worth_a_look(*looks, PlaceGuess(np.eye(3), matches.COVERED)) is not None
    assert matches.worth_a_look(*looks, PlaceGuess(np.eye(3), matches.COVERED - 1)) is None


def test_evidence_does_not_depend_on_what_else_is_asked() -> None:
    grids = spread(*PHOTOS[:4])
    together = matches.place_guesses(grids, np.array([[0, 1], [1, 1], [2, 3]]))
    for number, (a, b) in enumerate(((0, 1), (1, 1), (2, 3))):
        (alone,) = matches.place_guesses(grids[[a, b]], np.array([[0, 1]]))
        beside = together[number]
        assert (alone is None) == (beside is None)
        if alone is not None and beside is not None:
            assert alone.strength == pytest.approx(beside.strength, abs=1e-3)
    assert together[1] is not None
    assert together[1].strength > 100, "a picture and itself"
    assert matches.place_guesses(grids, np.empty((0, 2), np.int64)) == []
