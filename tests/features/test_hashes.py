"""The hashes against ImageHash, and the eight ways to lay a picture down against hashing it laid down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from synthetic import garment, noise, photo

from lookalike import load
from lookalike.errors import UsageError
from lookalike.features.base import method
from lookalike.features.bits import DihedralHash
from lookalike.features.dihedral import TRANSFORMS, apply, inverse

Hash = Callable[[Image.Image], imagehash.ImageHash]
REFERENCE: dict[str, Hash] = {
    "ahash": imagehash.average_hash,
    "dhash": imagehash.dhash,
    "phash": imagehash.phash,
    "phash16": lambda image: imagehash.phash(image, hash_size=16),
    "whash": imagehash.whash,
}
OWN = [name for name in REFERENCE if name != "whash"]

LARGEST_DIFFERENCE = {"ahash": 1, "dhash": 2, "phash": 2, "phash16": 8, "pdq": 24}
"""Bits by which ``dihedral`` may differ from the hash of the turned picture. Thumbnails are rounded in another order;
PDQ's box filter reaches one pixel further to one side where its width is even, in the published code too."""


def check(name: str, pixels: np.ndarray) -> None:
    (feature,) = method(name).extract([load(pixels)])
    np.testing.assert_array_equal(feature, REFERENCE[name](Image.fromarray(pixels)).hash.ravel())


@pytest.mark.parametrize("name", REFERENCE)
@settings(max_examples=40, deadline=None)
@given(width=st.integers(1, 140), height=st.integers(1, 140), seed=st.integers(0, 999), smooth=st.booleans())
def test_equals_imagehash(name: str, width: int, height: int, seed: int, smooth: bool) -> None:
    check(name, (photo if smooth else noise)(seed, width, height))


@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((50, 70, 3), np.uint8),
        np.full((70, 50, 3), 255, np.uint8),
        np.full((64, 64, 3), 77, np.uint8),
        garment("trousers", (20, 20, 20)),
        np.maximum(photo(1, 200, 200), photo(1, 200, 200)[:, ::-1]),  # mirror image of itself
        np.maximum(noise(1, 64, 64), noise(1, 64, 64).swapaxes(0, 1)),
        np.repeat(np.tile(np.arange(256, dtype=np.uint8), (256, 1))[..., None], 3, axis=2),  # a ramp
        np.repeat((np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2),
        photo(2, 1000, 1000),
    ],
    ids=["black", "white", "flat", "garment", "mirror", "transpose", "ramp", "checkerboard", "megapixel"],
)
def test_equals_imagehash_where_rounding_decides(name: str, pixels: np.ndarray) -> None:
    check(name, pixels)


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("hash_size", [2, 5, 11])
def test_equals_imagehash_at_other_sizes(name: str, hash_size: int) -> None:
    functions: dict[str, Any] = {"ahash": imagehash.average_hash, "dhash": imagehash.dhash}
    pixels = photo(3, 160, 120)
    (feature,) = method(name, hash_size=hash_size).extract([load(pixels)])
    expected = functions.get(name, imagehash.phash)(Image.fromarray(pixels), hash_size=hash_size)
    np.testing.assert_array_equal(feature, expected.hash.ravel())


def test_similarity_is_the_share_of_equal_bits() -> None:
    a = np.zeros(64, bool)
    b = a.copy()
    b[[1, 5, 63]] = True
    assert method("phash").compare(a, b) == pytest.approx(1 - 3 / 64)


@pytest.mark.parametrize("size", [0, 1, 65])
def test_hash_size_out_of_range(size: int) -> None:
    with pytest.raises(UsageError, match=f"hash_size is {size}"):
        method("phash", hash_size=size)


@pytest.mark.parametrize("name", [*OWN, "pdq"])
@pytest.mark.parametrize(
    "pixels", [photo(4, 400, 300), photo(5, 512, 512), photo(6, 301, 467)], ids=["4:3", "1:1", "odd"]
)
def test_dihedral_hashes_are_those_of_the_turned_picture(name: str, pixels: np.ndarray) -> None:
    made = method(name)
    assert isinstance(made, DihedralHash)
    turned = made.extract([load(np.ascontiguousarray(apply(pixels, index))) for index in range(8)])
    hashes = made.dihedral(load(pixels))
    np.testing.assert_array_equal(hashes[0], turned[0])
    assert np.count_nonzero(hashes != np.stack(turned), axis=1).max() <= LARGEST_DIFFERENCE[name]


@pytest.mark.parametrize("name", [*OWN, "pdq"])
@pytest.mark.parametrize("index", range(8))
def test_a_turned_copy_is_found_and_the_turn_named(name: str, index: int) -> None:
    made = method(name)
    assert isinstance(made, DihedralHash)
    pixels = photo(7, 320, 240)
    (original,) = made.extract([load(pixels)])
    copy = made.dihedral(load(np.ascontiguousarray(apply(pixels, index))))
    similarity, found = made.compare_dihedral(original, copy)
    assert similarity >= 0.9
    assert TRANSFORMS[found] == TRANSFORMS[inverse(index)]
