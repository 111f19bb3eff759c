"""One object in two photos, by points: what must be counted and what must not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import Array, noise, pasted, photo

from lookalike import load
from lookalike.features.objects import HALF_FULL, POINTS, SIDE, ObjectPoints, Objects

OBJECTS = Objects()
CARTON = photo(1, 150, 200)
SHELVES = [photo(seed, 480, 400) for seed in (21, 33)]


def described(pixels: Array) -> ObjectPoints:
    (seen,) = OBJECTS.extract([load(np.ascontiguousarray(pixels))])
    return seen


def agreeing(a: Array, b: Array) -> float:
    return OBJECTS.raw(described(a), described(b))


def turned(pixels: Array, degrees: float, scale: float) -> Array:
    """Seen from a little aside, on nothing; the corners are what a shelf would be."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    made = cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(made, np.uint8)


def test_one_object_in_two_places_agrees_and_two_do_not() -> None:
    here = pasted(SHELVES[0], CARTON, 40, 60)
    for there in (CARTON, turned(CARTON, 12, 0.9), turned(CARTON, -6, 1.2), (CARTON * 0.75).astype(np.uint8)):
        assert agreeing(here, pasted(SHELVES[1], there, 260, 150)) > 2 * HALF_FULL
    other = photo(2, 150, 200)
    assert agreeing(here, pasted(SHELVES[1], other, 260, 150)) < HALF_FULL / 2
    assert agreeing(*SHELVES) < HALF_FULL / 2


def test_what_stands_six_times_on_a_shelf_is_still_seen() -> None:
    """No transform explains them all; points that look the same for certain need none."""
    row = SHELVES[1]
    for left in (0, 160, 320):
        for top in (0, 200):
            row = pasted(row, CARTON, left, top)
    here = pasted(SHELVES[0], CARTON, 40, 60)
    assert agreeing(here, row) > 0.8 * agreeing(here, pasted(SHELVES[1], CARTON, 260, 150))


def test_another_flavour_counts_for_less() -> None:
    """The same print in other colours: the network sees brightness alone, and finds the same points."""
    flavour = CARTON[..., [2, 0, 1]]
    here, same, other = (
        described(pasted(shelf, carton, 40, 60))
        for shelf, carton in ((SHELVES[0], CARTON), (SHELVES[1], CARTON), (SHELVES[1], flavour))
    )
    assert OBJECTS.raw(here, other) < 0.5 * OBJECTS.raw(here, same)


def test_all_in_other_colours_is_not_the_same() -> None:
    """Points and descriptors are equal to the last bit, for the mean of the channels is."""
    first, second = described(CARTON), described(CARTON[..., ::-1])
    np.testing.assert_array_equal(first.descriptors, second.descriptors)
    assert OBJECTS.raw(first, second) < 0.5 * len(first.points)


def test_other_light_is_forgiven() -> None:
    here = described(pasted(SHELVES[0], CARTON, 40, 60))
    plain = OBJECTS.raw(here, described(pasted(SHELVES[1], CARTON, 260, 150)))
    for light in ((0.8, 0.8, 0.8), (1.1, 1.0, 0.9)):
        lit = np.clip(pasted(SHELVES[1], CARTON, 260, 150) * light, 0, 255).astype(np.uint8)
        assert OBJECTS.raw(here, described(lit)) > 0.6 * plain


def test_a_mirrored_object_is_another_object() -> None:
    """Print does not read backwards: few points agree, and never all of them. Copies are tried mirrored elsewhere."""
    here = pasted(SHELVES[0], CARTON, 40, 60)
    there = pasted(SHELVES[1], CARTON, 260, 150)
    mirrored = pasted(SHELVES[1], CARTON[:, ::-1], 260, 150)
    assert agreeing(here, mirrored) < 0.3 * agreeing(here, there)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_changes_not_a_bit(seed: int) -> None:
    a = described(pasted(SHELVES[0], photo(seed, 120, 160), 30 + 9 * seed, 60))
    b = described(pasted(SHELVES[1], turned(photo(seed, 120, 160), 5, 1.1), 200, 80))
    assert OBJECTS.raw(a, b) == OBJECTS.raw(b, a) > 0
    assert OBJECTS.compare(a, b) == OBJECTS.compare(b, a)


def test_flat_pictures_have_no_points_and_are_like_nothing_but_themselves() -> None:
    black, white = (described(np.full((40, 60, 3), level, np.uint8)) for level in (0, 255))
    assert len(black.points) == len(white.points) == 0
    assert OBJECTS.raw(black, white) == OBJECTS.compare(black, white) == 0
    assert OBJECTS.raw(black, described(CARTON)) == 0
    assert OBJECTS.compare(black, black) == 1


def test_a_picture_in_another_file_is_still_itself() -> None:
    first, second = (OBJECTS.describe(CARTON, digest) for digest in ("a", "b"))
    assert OBJECTS.compare(first, second) == 1
    assert OBJECTS.raw(first, second) == POINTS


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 2), (31, 7), (641, 9)])
def test_any_size_is_described(size: tuple[int, int]) -> None:
    seen = described(noise(3, *size))
    count = len(seen.points)
    assert count <= POINTS
    assert (seen.points.shape, seen.descriptors.shape, seen.colours.shape) == ((count, 2), (count, 64), (count, 3))
    assert (seen.points.dtype, seen.descriptors.dtype, seen.colours.dtype) == (np.float32, np.float16, np.float16)
    assert np.all((seen.points >= 0) & (seen.points <= SIDE))
    assert np.isfinite(seen.descriptors).all()
    assert OBJECTS.raw(seen, described(CARTON)) >= 0


def made_up(seed: int, count: int) -> ObjectPoints:
    """Points as no network finds them."""
    random = np.random.default_rng(seed)
    descriptors = random.normal(size=(count, 64)) + 4 * random.normal(size=64)  # all somewhat alike
    descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
    places = random.choice([0, 320, 640], (count, 2)) if seed % 2 else random.random((count, 2)) * SIDE
    colours = random.normal(0, 60, (count, 3))
    return ObjectPoints(
        places.astype(np.float32), descriptors.astype(np.float16), colours.astype(np.float16), str(seed)
    )


@settings(max_examples=40)
@given(st.integers(0, 999), st.integers(0, 999), st.integers(0, 60), st.integers(0, 60))
def test_any_points_are_counted_between_none_and_all(seed: int, other: int, count: int, counted: int) -> None:
    """Few, many, all in one place: the count never exceeds the points, and does not depend on the order."""
    a, b = made_up(seed, count), made_up(other + 1000, counted)
    shared = ObjectPoints(
        b.points, np.resize(a.descriptors, (counted, 64)) if count else b.descriptors, b.colours, b.digest
    )
    for second in (b, shared):
        raw = OBJECTS.raw(a, second)
        assert 0 <= raw <= min(count, counted)
        assert raw == OBJECTS.raw(second, a)


def test_the_similarity_rises_with_the_count() -> None:
    values = [OBJECTS.mapped(raw) for raw in (0.0, 1.0, HALF_FULL, 100.0, POINTS)]
    assert values == sorted(values)
    assert (values[0], values[2], values[-1]) == (0.0, 0.5, 1.0)
