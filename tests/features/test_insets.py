"""Pictures within a picture are found by their four sides."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import photo

from lookalike.features.insets import LEAST_PIXELS, cut, insets

Array = npt.NDArray[np.uint8]


def pasted(host: Array, part: Array, left: int, top: int) -> Array:
    joined = host.copy()
    joined[top : top + part.shape[0], left : left + part.shape[1]] = part
    return joined


def common(box: npt.NDArray[np.float32], other: npt.NDArray[np.float64]) -> float:
    """Share of their union that two boxes have in common."""
    across = min(box[2], other[2]) - max(box[0], other[0])
    down = min(box[3], other[3]) - max(box[1], other[1])
    both = max(0.0, float(across)) * max(0.0, float(down))
    return both / (sum(float((each[2] - each[0]) * (each[3] - each[1])) for each in (box, other)) - both)


@pytest.mark.parametrize(("left", "top"), [(30, 20), (0, 0), (68, 52), (0, 31)])
@pytest.mark.parametrize("scale", [1, 3])
def test_it_is_found_wherever_it_lies_at_any_size(left: int, top: int, scale: int) -> None:
    found = 0
    for seed in range(8):
        page = pasted(photo(seed, 128, 96), photo(900 + 7 * seed, 60, 44), left, top)
        wanted = np.array([left / 128, top / 96, (left + 60) / 128, (top + 44) / 96])
        boxes = insets(np.ascontiguousarray(page.repeat(scale, 0).repeat(scale, 1)))
        found += any(common(box, wanted) > 0.8 for box in boxes)
    assert found >= 6


def test_likeliest_come_first_and_no_more_than_asked() -> None:
    page = pasted(photo(1, 128, 128), photo(2, 50, 50), 10, 60)
    many = insets(page, 6)
    assert len(many) > 2
    np.testing.assert_array_equal(insets(page, 2), many[:2])
    assert insets(page, 1).shape == (1, 4)


@given(st.integers(1, 140), st.integers(1, 140), st.integers(0, 5), st.booleans())
@settings(max_examples=60, deadline=None)
def test_boxes_are_inside_whatever_the_picture(width: int, height: int, seed: int, flat: bool) -> None:
    page = np.full((height, width, 3), 40 * seed, np.uint8) if flat else photo(seed, width, height)
    boxes = insets(page)
    assert boxes.dtype == np.float32
    assert boxes.shape[1:] == (4,)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    assert (boxes[:, 2:] <= 1).all()
    if min(width, height) < LEAST_PIXELS:
        assert len(boxes) == 0
    for box in boxes:
        assert min(cut(page, box).shape[:2]) >= 1


def test_cut_gives_a_pixel_at_least() -> None:
    page = photo(3, 40, 30)
    assert cut(page, (0.5, 0.5, 0.5, 0.5)).shape == (1, 1, 3)
    assert cut(page, (1, 1, 1, 1)).shape == (1, 1, 3)
    np.testing.assert_array_equal(cut(page, (0, 0, 1, 1)), page)
