from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from lookalike.explain.evidence import Evidence
from lookalike.explain.heat import difference, legend, painted
from lookalike.explain.panels import MOST_LINES, chequered, chosen, fitted, laid, overlay, resized

Pixels = npt.NDArray[np.uint8]


def evidence_of(first: Pixels, second: Pixels, placement: npt.NDArray[np.float64]) -> Evidence:
    sizes = [(x.shape[1], x.shape[0]) for x in (first, second)]
    return Evidence(first, second, sizes[0], sizes[1], placement, np.empty((0, 4), np.float32))


def test_heat_is_where_the_patch_is(scene: Pixels) -> None:
    edited = scene.copy()
    edited[160:240, 320:420] = (250, 240, 20)
    heat = difference(scene, edited, np.eye(3))
    assert heat.shape == (240, 320)
    assert heat.min() >= 0
    assert heat.max() <= 1
    assert heat[85:115, 165:205].mean() > 0.5
    far = np.ones(heat.shape, np.bool_)
    far[60:140, 140:230] = False
    assert heat[far].max() < 0.05


def test_edits_that_change_nothing_seen_stay_cool(scene: Pixels) -> None:
    jpeg = cv2.imdecode(cv2.imencode(".jpg", scene, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_COLOR)
    half = cv2.resize(scene, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    assert difference(scene, np.asarray(jpeg, np.uint8), np.eye(3)).mean() < 0.03
    assert difference(scene, np.asarray(half, np.uint8), np.eye(3)).mean() < 0.03  # only softer, which is no difference


def test_recoloured_parts_are_hot_although_their_texture_agrees(scene: Pixels) -> None:
    recoloured = scene.copy()
    recoloured[:, :320] = recoloured[:, :320, ::-1]
    heat = difference(scene, recoloured, np.eye(3))
    assert heat[:, :150].mean() > 0.25
    assert heat[:, 170:].max() < 0.05


def test_nothing_outside_the_overlap_is_hot(scene: Pixels) -> None:
    placement = np.array([[0.5, 0, 0.25], [0, 0.5, 0.25], [0, 0, 1]])  # the negative, on the middle half
    evidence = evidence_of(scene, 255 - scene, placement)
    second = laid(evidence, (640, 480))
    assert second.inside.mean() == pytest.approx(0.25, abs=0.01)
    shown = painted(scene, difference(scene, 255 - scene, placement), second.inside)
    spread = shown.max(axis=2).astype(int) - shown.min(axis=2)
    assert spread[~second.inside].max() == 0  # grey
    assert np.median(spread[second.inside]) > 40


@pytest.mark.parametrize("shape", [(1, 500, 3), (500, 1, 3), (4, 4, 3), (1, 1, 3)])
def test_heat_of_odd_shapes_is_finite(shape: tuple[int, ...]) -> None:
    a, b = np.random.default_rng(1).integers(0, 256, (2, *shape), np.uint8)
    heat = difference(a, b, np.eye(3))
    assert np.isfinite(heat).all()
    assert difference(a, a, np.eye(3)).max() < 0.1  # both are enlarged, by two functions of OpenCV


def test_legend_runs_from_grey_to_bright() -> None:
    scale = legend(100, 8)
    assert scale.shape == (8, 100, 3)
    assert np.ptp(scale[0, 0].astype(int)) <= 1
    assert scale[0, -1].sum() > scale[0, 50].sum()


def test_chequered_takes_both_inside_and_the_first_outside(scene: Pixels) -> None:
    placement = np.array([[0.5, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    green = np.zeros_like(scene)
    green[..., 1] = 255
    second = laid(evidence_of(scene, green, placement), (640, 480))
    mixed = chequered(scene, second)
    assert np.array_equal(mixed[:, 321:], scene[:, 321:])
    assert 0.3 < (mixed[:, :320] == (0, 255, 0)).all(axis=2).mean() < 0.6
    over = overlay(scene, second)
    assert (over[:, :319] == (0, 255, 0)).all()
    assert np.ptp(over[:, 321:].astype(int), axis=2).max() == 0


def test_a_far_larger_second_is_averaged_not_sampled() -> None:
    fine = np.zeros((1024, 1024, 3), np.uint8)
    fine[:, ::2] = 255  # stripes of one pixel: sampling would give black or white, averaging gives grey
    second = laid(evidence_of(np.zeros((64, 64, 3), np.uint8), fine, np.eye(3)), (64, 64))
    assert abs(int(second.pixels.mean()) - 127) < 3
    assert second.pixels.std() < 5


def test_sizes_keep_proportions_but_thin_ones_stay_visible() -> None:
    assert fitted((4000, 3000), 540, 540) == (540, 405)
    assert fitted((1, 500), 540, 540) == (24, 540)
    assert fitted((30_000, 1), 540, 540) == (540, 24)
    assert resized(np.zeros((4, 4, 3), np.uint8), (200, 200)).shape == (200, 200, 3)


def test_tiny_pictures_are_drawn_in_blocks() -> None:
    tiny = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8)
    assert np.array_equal(resized(tiny, (80, 80))[::20, ::20], tiny)


def test_few_matches_are_all_drawn_and_many_are_spread() -> None:
    random = np.random.default_rng(3)
    few = random.random((10, 4)).astype(np.float32)
    assert sorted(map(tuple, chosen(few).tolist())) == sorted(map(tuple, few.tolist()))
    crowd = np.column_stack([random.normal(0.2, 0.02, (500, 2)), random.random((500, 2))])
    alone = np.column_stack([random.random((40, 2)) * 0.5 + 0.5, random.random((40, 2))])
    drawn = chosen(np.vstack([crowd, alone]).astype(np.float32))
    assert len(drawn) == MOST_LINES
    assert (drawn[:, 0] >= 0.5).sum() >= 35  # the crowd does not push out the rest
    assert (np.diff(drawn[:, 1]) >= 0).all()
