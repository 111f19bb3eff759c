from __future__ import annotations

import imagehash
import numpy as np
import pytest
from PIL import Image
from synthetic import garment, photo

from lookalike import load
from lookalike.errors import UsageError
from lookalike.features.base import method


@pytest.mark.parametrize("pixels", [photo(1, 200, 150), garment("dress", (30, 120, 60))], ids=["photo", "garment"])
def test_colorhash_is_imagehash(pixels: np.ndarray) -> None:
    (feature,) = method("colorhash", binbits=4).extract([load(pixels)])
    np.testing.assert_array_equal(feature, imagehash.colorhash(Image.fromarray(pixels), binbits=4).hash.ravel())


def test_crophash_matches_a_crop_better_than_another_picture() -> None:
    whole = photo(1, 600, 400)
    made = method("crophash")
    a, crop, other = made.extract([load(whole), load(whole[:, 90:].copy()), load(photo(2, 600, 400))])
    assert made.compare(a, crop) > made.compare(a, other) + 0.2


def test_crophash_scores_by_hand() -> None:
    made = method("crophash")
    zeros, ones = np.zeros(64, bool), np.ones(64, bool)
    near = zeros.copy()
    near[:8] = True
    both = np.stack([zeros, ones])
    assert made.compare(both, zeros[None]) == 1.0  # all regions of the second are in the first
    assert made.compare(both, near[None]) == pytest.approx(1 - 8 / 64)
    assert made.compare(zeros[None], ones[None]) == 0.0
    assert made.compare(both, np.stack([near, np.arange(64) % 2 == 0])) == pytest.approx((1 - 8 / 64) / 2)


@pytest.mark.parametrize(("name", "argument"), [("whash", {"hash_size": 7}), ("colorhash", {"binbits": 0})])
def test_arguments_out_of_range(name: str, argument: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(argument))):
        method(name, **argument)
