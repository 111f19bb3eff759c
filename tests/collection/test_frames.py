"""Thumbnails tell whole frames that agree, however they are turned, from those that do not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from synthetic import photo

from lookalike import load
from lookalike.collection import frames
from lookalike.collection.guesses import FrameGuess
from lookalike.features.base import method
from lookalike.features.dihedral import TRANSFORMS, apply, inverse

Array = npt.NDArray[np.uint8]
SIZE = (256, 192)
PHOTOS = [photo(60 * number + 1, *SIZE) for number in range(40)]


def feature(name: str, pixels: Array) -> Array:
    (found,) = method(name).extract([load(np.ascontiguousarray(pixels))])
    return np.asarray(found)


@pytest.mark.parametrize("index", range(len(TRANSFORMS)))
def test_frames_agree_in_their_flip_or_turn(index: int) -> None:
    turned = [np.ascontiguousarray(apply(pixels, inverse(index))) for pixels in PHOTOS[:10]]
    looks = [feature("look", pixels) for pixels in (*PHOTOS[:10], *turned)]
    small = frames.tiny(looks)
    laid = frames.frames_agree(small, np.stack([np.arange(10), np.arange(10, 20)], axis=1))
    assert laid.agree.min() > 0.97
    assert set(laid.orientation.tolist()) == {index}
    for a, b in zip(looks[:10], looks[10:], strict=True):
        assert frames.worth_a_look(a, b, FrameGuess(index, inside=False))
        assert not frames.worth_a_look(a, looks[0] if a is not looks[0] else looks[1], FrameGuess(index, inside=False))


def test_frames_of_other_pictures_do_not_agree() -> None:
    small = frames.tiny([feature("look", pixels) for pixels in PHOTOS])
    agree = frames.frames_agree(small, np.stack(np.triu_indices(len(PHOTOS), 1), axis=1)).agree
    assert (agree >= frames.LEAST_AGREE).mean() < 0.01


def test_frames_agree_without_their_margins() -> None:
    inside = np.minimum(PHOTOS[3], 200)
    page = np.pad(inside, ((30, 60), (50, 10), (0, 0)), constant_values=255)
    small = frames.tiny([feature("look", inside), feature("look", page)])
    laid = frames.frames_agree(small, np.array([[0, 1]]))
    assert laid.agree[0] > 0.97
    assert laid.inside[0]
    assert laid.orientation[0] == 0


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_pictures_agree_with_nothing(level: int) -> None:
    chance = np.random.default_rng(level)
    blank = np.clip(level + chance.normal(0, 2, (90, 90, 3)), 0, 255).astype(np.uint8)
    small = frames.tiny([feature("look", each) for each in (blank, np.roll(blank, 9, axis=0), PHOTOS[0])])
    assert not small[:2].any()
    assert frames.frames_agree(small, np.array([[0, 1], [0, 2]])).agree.max() < frames.LEAST_AGREE


def test_a_frame_with_something_laid_over_it_is_looked_at() -> None:
    blocks = np.random.default_rng(3).integers(0, 255, (2, 48, 64, 3), np.uint8).repeat(4, 1).repeat(4, 2)
    covered = blocks[0].copy()
    covered[60:100, 20:230] = 255
    looks = [feature("look", each) for each in (blocks[0], covered, blocks[1])]
    assert frames.worth_a_look(looks[0], looks[1], FrameGuess(0, inside=False))
    assert not frames.worth_a_look(looks[0], looks[2], FrameGuess(0, inside=False))
