"""What is told from stored features alone: copies pass, other pictures do not, and it is told how they lie."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from synthetic import photo

from lookalike import load
from lookalike.collection import screen
from lookalike.features.base import method
from lookalike.features.dihedral import TRANSFORMS, apply, inverse

Array = npt.NDArray[np.uint8]
SIZE = (256, 192)
PHOTOS = [photo(60 * number + 1, *SIZE) for number in range(40)]


def feature(name: str, pixels: Array) -> Array:
    (found,) = method(name).extract([load(np.ascontiguousarray(pixels))])
    return np.asarray(found)


@cache
def cell_space() -> screen.Whitening:
    return screen.cell_space([feature("cells", pixels) for pixels in PHOTOS])


def spread(*pictures: Array) -> npt.NDArray[np.float32]:
    return screen.spread_cells(cell_space(), [feature("cells", pixels) for pixels in pictures])


def content(pixels: Array) -> Array:
    return np.asarray(feature("look", pixels)[1])


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
    for pixels in PHOTOS[:6]:
        left, top = round(x * SIZE[0]), round(y * SIZE[1])
        cut = pixels[top : top + round(height * SIZE[1]), left : left + round(width * SIZE[0])]
        for swap in (False, True):
            two = (cut, pixels) if swap else (pixels, cut)
            grids = spread(*two)
            ((strength, laid),) = screen.evidence(grids[:1], grids[1:])
            assert strength >= screen.LEAST_EVIDENCE
            assert laid is not None
            # cells count from their middle: the middle of the crop lies at the middle of what it was cut from
            middle = np.array([(x + width / 2) * 8 - 0.5, (y + height / 2) * 8 - 0.5, 1])
            at = np.linalg.inv(laid) @ middle if swap else laid @ [3.5, 3.5, 1]
            wanted = np.array([3.5, 3.5]) if swap else middle[:2]
            # contents are squeezed to squares: a crop of another shape is no longer of one size across and down
            assert np.hypot(*(at[:2] - wanted)) < (1.2 if abs(width - height) < 0.1 else 2.8), "in cells"
            assert screen.seen(content(two[0]), content(two[1]), laid) >= screen.LEAST_SEEN


def test_cells_of_other_pictures_agree_on_nothing() -> None:
    grids = spread(*PHOTOS[:12])
    first, second = np.triu_indices(12, 1)
    passed = 0
    for a, b, (strength, laid) in zip(first, second, screen.evidence(grids[first], grids[second]), strict=True):
        if strength >= screen.LEAST_EVIDENCE and laid is not None:
            passed += screen.seen(content(PHOTOS[a]), content(PHOTOS[b]), laid) >= screen.LEAST_SEEN
    assert passed <= 1


def test_evidence_does_not_depend_on_what_else_is_asked() -> None:
    grids = spread(*PHOTOS[:4])
    together = screen.evidence(grids[[0, 1, 2]], grids[[1, 1, 3]])
    for number, (a, b) in enumerate(((0, 1), (1, 1), (2, 3))):
        assert screen.evidence(grids[[a]], grids[[b]])[0].strength == pytest.approx(together[number].strength, abs=1e-3)
    assert together[1].strength > 100, "a picture and itself"
    assert screen.evidence(grids[:0], grids[:0]) == []


@pytest.mark.parametrize("index", range(len(TRANSFORMS)))
def test_frames_agree_in_their_flip_or_turn(index: int) -> None:
    turned = [np.ascontiguousarray(apply(pixels, inverse(index))) for pixels in PHOTOS[:10]]
    looks = [feature("look", pixels) for pixels in (*PHOTOS[:10], *turned)]
    small = screen.tiny(looks)
    laid = screen.frames_agree(small[:10], small[10:])
    assert laid.agree.min() > 0.97
    assert set(laid.orientation.tolist()) == {index}
    for a, b in zip(looks[:10], looks[10:], strict=True):
        assert screen.frame_seen(a[0], b[0], index) > 0.9


def test_frames_of_other_pictures_do_not_agree() -> None:
    small = screen.tiny([feature("look", pixels) for pixels in PHOTOS])
    first, second = np.triu_indices(len(PHOTOS), 1)
    agree = screen.frames_agree(small[first], small[second]).agree
    assert (agree >= screen.FRAMES).mean() < 0.01


def test_frames_agree_without_their_margins() -> None:
    inside = np.minimum(PHOTOS[3], 200)
    page = np.pad(inside, ((30, 60), (50, 10), (0, 0)), constant_values=255)
    small = screen.tiny([feature("look", inside), feature("look", page)])
    laid = screen.frames_agree(small[:1], small[1:])
    assert laid.agree[0] > 0.97
    assert laid.inside[0]
    assert laid.orientation[0] == 0


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_pictures_agree_with_nothing(level: int) -> None:
    chance = np.random.default_rng(level)
    blank = np.clip(level + chance.normal(0, 2, (90, 90, 3)), 0, 255).astype(np.uint8)
    small = screen.tiny([feature("look", each) for each in (blank, np.roll(blank, 9, axis=0), PHOTOS[0])])
    assert not small[:2].any()
    assert screen.frames_agree(small[[0, 0]], small[[1, 2]]).agree.max() < screen.FRAMES


def test_copies_keep_their_hues_and_greys_have_none() -> None:
    pixels = PHOTOS[5]
    grey = np.repeat(pixels[..., 1:2], 3, axis=2)
    copies = [pixels[20:150, 30:220], pixels[:, ::-1], pixels // 4 * 3 + 30, pixels[::3, ::3]]
    found = screen.hues([feature("tint", each) for each in (pixels, *copies, grey)])
    first = np.repeat(found[:1], len(copies), axis=0)
    assert screen.colour_likeness(first, found[1:-1]).min() > 0.9
    assert not found[-1].any()
    assert screen.colour_likeness(found[:1], found[-1:]) == pytest.approx(screen.UNKNOWN)


def test_other_hues_are_told() -> None:
    red, blue = np.full((60, 60, 3), 20, np.uint8), np.full((60, 60, 3), 20, np.uint8)
    red[..., 0] = blue[..., 2] = 200
    red[::7], blue[::7] = 90, 90
    found = screen.hues([feature("tint", red), feature("tint", blue)])
    assert screen.colour_likeness(found[:1], found[1:])[0] < 0.3
    assert screen.colour_likeness(found[:1], found[:1])[0] == pytest.approx(1)
