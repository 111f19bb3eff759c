"""What the store gives back is what was put in, to the last bit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from synthetic import garment, photo

from lookalike import load
from lookalike.collection.packing import (
    pack,
    pack_insets,
    pack_place,
    pack_points,
    unpack,
    unpack_insets,
    unpack_place,
    unpack_points,
)
from lookalike.features.base import method
from lookalike.features.shrink import shrunk, small

PICTURES = {
    "photo": photo(1, 400, 260),
    "small": photo(2, 60, 80),
    "on white": garment("dress", (30, 90, 160)),
    "blank": np.full((50, 70, 3), 255, np.uint8),
    "one pixel": np.array([[[9, 8, 7]]], np.uint8),
}


@pytest.mark.parametrize("name", ["look", "tint", "disc", "cells", "embedding"])
@pytest.mark.parametrize("label", PICTURES)
def test_arrays(name: str, label: str) -> None:
    made = method(name)
    (feature,) = made.extract([load(PICTURES[label])])
    back = unpack(made, pack(feature))
    assert back.dtype == feature.dtype
    np.testing.assert_array_equal(back, feature)
    assert not back.flags.writeable


@pytest.mark.parametrize("count", [0, 1, 3])
def test_insets(count: int) -> None:
    chance = np.random.default_rng(count)
    boxes = chance.random((count, 4)).astype(np.float32)
    grids = chance.integers(0, 255, (count, 16, 80), np.uint8)
    back = unpack_insets(pack_insets(boxes, grids))
    np.testing.assert_array_equal(back[0], boxes)
    np.testing.assert_array_equal(back[1], grids)


def test_what_has_no_margins_takes_half_the_room() -> None:
    (whole,) = method("look").extract([load(PICTURES["photo"])])
    (apart,) = method("look").extract([load(PICTURES["on white"])])
    assert not np.array_equal(apart[0], apart[1])
    assert 2 * len(pack(whole)) == len(pack(apart)) == apart.nbytes


def test_halves_of_the_precision() -> None:
    made = method("disc")
    (feature,) = made.extract([load(PICTURES["photo"])])
    content = pack(feature.astype("float16"))
    back = unpack(made, content, "float16")
    assert back.shape == made.shape
    np.testing.assert_array_equal(back, feature.astype("float16"))


@pytest.mark.parametrize("label", PICTURES)
def test_points(label: str) -> None:
    picture = load(PICTURES[label])
    (feature,) = method("xfeat").extract([picture])
    back = unpack_points(pack_points(feature), shrunk(small(picture)), picture.digest)
    for name in ("points", "descriptors", "small"):
        ours, theirs = getattr(back, name), getattr(feature, name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs, err_msg=name)
    assert back.digest == feature.digest
    assert label in {"blank", "one pixel"} or len(back.points) > 20


@given(arrays(np.float64, (2, 3), elements=st.floats(-1e9, 1e9)))
def test_the_place_of_a_content(rows: npt.NDArray[np.float64]) -> None:
    place = np.vstack([rows, [0, 0, 1]])
    np.testing.assert_array_equal(unpack_place(pack_place(place)), place)
