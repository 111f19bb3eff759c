from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn
from synthetic import noise

from lookalike.features.dihedral import TRANSFORMS, apply, apply_to_dct, compose, inverse

ALL = range(len(TRANSFORMS))
PIXELS = noise(1, 7, 5)


@pytest.mark.parametrize("index", ALL)
def test_apply_mirrors_first_and_then_turns_clockwise(index: int) -> None:
    mirrored, degrees = TRANSFORMS[index]
    image = Image.fromarray(PIXELS)
    if mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image = image.rotate(-degrees, expand=True)  # Pillow turns anticlockwise
    np.testing.assert_array_equal(apply(PIXELS, index), np.asarray(image))


def test_the_eight_transforms_differ() -> None:
    square = PIXELS[:, :5]
    assert len({apply(square, index).tobytes() for index in ALL}) == 8


@pytest.mark.parametrize("index", ALL)
def test_inverse_undoes(index: int) -> None:
    np.testing.assert_array_equal(apply(apply(PIXELS, index), inverse(index)), PIXELS)


@pytest.mark.parametrize("first", ALL)
@pytest.mark.parametrize("second", ALL)
def test_compose_equals_one_after_the_other(first: int, second: int) -> None:
    np.testing.assert_array_equal(apply(PIXELS, compose(first, second)), apply(apply(PIXELS, first), second))


@pytest.mark.parametrize("index", ALL)
@pytest.mark.parametrize("lowest", [0, 1])
def test_coefficients_of_a_turned_picture_need_no_new_transform(index: int, lowest: int) -> None:
    square = noise(2, 16, 16)[..., 0].astype(float)
    part = np.s_[lowest : lowest + 8, lowest : lowest + 8]
    expected = dctn(apply(square, index))[part]
    np.testing.assert_allclose(apply_to_dct(dctn(square)[part], index, lowest=lowest), expected, atol=1e-8)
