"""A hash in the best of its eight turns, against hashing the turned pictures themselves."""

from __future__ import annotations

import imagehash
import numpy as np
import pytest
from PIL import Image
from synthetic import photo

import lookalike
from lookalike.errors import UsageError
from lookalike.features.dihedral import TRANSFORMS, apply

PICTURE = photo(11, 300, 200)


@pytest.mark.parametrize("index", range(len(TRANSFORMS)))
@pytest.mark.parametrize("name", ["ahash", "dhash", "phash", "phash16", "pdq"])
def test_every_turn_is_recognised(index: int, name: str) -> None:
    turned = np.ascontiguousarray(apply(PICTURE, index))
    found = lookalike.compare(PICTURE, turned, method="turns", options={"turns": {"hash": name}})
    assert found.score > 0.9
    if index:
        assert lookalike.compare(PICTURE, turned, method=name).score < found.score


def test_the_best_of_imagehash_over_all_turns() -> None:
    other = photo(12, 300, 200)
    hashes = [imagehash.phash(Image.fromarray(np.ascontiguousarray(apply(other, index)))) for index in range(8)]
    expected = max(1 - (imagehash.phash(Image.fromarray(PICTURE)) - each) / 64 for each in hashes)
    assert lookalike.compare(PICTURE, other, method="turns").score == pytest.approx(expected, abs=3 / 64)


def test_a_hash_that_cannot_be_turned_is_refused() -> None:
    with pytest.raises(UsageError, match="'whash' cannot be turned"):
        lookalike.compare(PICTURE, PICTURE, method="turns", options={"turns": {"hash": "whash"}})
