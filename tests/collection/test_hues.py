"""Hues: a copy keeps them, and a grey copy has none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from synthetic import photo

from lookalike import load
from lookalike.collection.hues import UNKNOWN, colour_likeness, hues
from lookalike.features.base import method

Array = npt.NDArray[np.uint8]


def tint(pixels: Array) -> Array:
    (found,) = method("tint").extract([load(np.ascontiguousarray(pixels))])
    return np.asarray(found)


def test_copies_keep_their_hues_and_greys_have_none() -> None:
    pixels = photo(301, 256, 192)
    grey = np.repeat(pixels[..., 1:2], 3, axis=2)
    copies = [pixels[20:150, 30:220], pixels[:, ::-1], pixels // 4 * 3 + 30, pixels[::3, ::3]]
    found = hues([tint(each) for each in (pixels, *copies, grey)])
    first = np.repeat(found[:1], len(copies), axis=0)
    assert colour_likeness(first, found[1:-1]).min() > 0.9
    assert not found[-1].any()
    assert colour_likeness(found[:1], found[-1:]) == pytest.approx(UNKNOWN)


def test_other_hues_are_told() -> None:
    red, blue = np.full((60, 60, 3), 20, np.uint8), np.full((60, 60, 3), 20, np.uint8)
    red[..., 0] = blue[..., 2] = 200
    red[::7], blue[::7] = 90, 90
    found = hues([tint(red), tint(blue)])
    assert colour_likeness(found[:1], found[1:])[0] < 0.3
    assert colour_likeness(found[:1], found[:1])[0] == pytest.approx(1)
