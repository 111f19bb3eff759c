"""Is the second picture laid on the first the right way round? The truth is known by construction."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from lookalike import load
from lookalike.explain.evidence import Evidence, gather
from lookalike.explain.panels import laid, resized
from lookalike.explain.placement import moved
from lookalike.features.dihedral import TRANSFORMS, apply, inverse
from lookalike.scoring.geometry import by_keypoints, transform_of
from lookalike.scoring.pair import Pair
from lookalike.scoring.presets import PRESETS
from lookalike.scoring.rules import by_method, decide
from lookalike.types import Comparison, Transform

Pixels = npt.NDArray[np.uint8]


def record(transform: Transform | None, preset: str = "auto", exact: bool = False) -> Comparison:
    return Comparison(
        a="a", b="b", score=0.95, verdict="near-duplicate", parts={"exact": 1.0} if exact else {}, transform=transform,
        preset=preset,
    )  # fmt: skip


def both_orders(a: Pixels, b: Pixels) -> tuple[Pair, Pair]:
    """(a, b) and (b, a): the pair keeps an order of its own, so one of them is swapped."""
    pairs = Pair(load(a), load(b)), Pair(load(b), load(a))
    assert {pair.swapped for pair in pairs} == {False, True}
    return pairs


def mismatch(evidence: Evidence) -> float:
    """Mean difference, in grey levels, of the first picture and the second laid on it, over the overlap."""
    size = evidence.size_first
    second = laid(evidence, size)
    assert second.inside.mean() > 0.2
    first = resized(evidence.first, size).astype(np.float32)
    soft = [cv2.GaussianBlur(x.astype(np.float32), (0, 0), 2.0) for x in (first, second.pixels)]
    well_inside = cv2.erode(second.inside.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    return float(np.abs(soft[0] - soft[1])[well_inside].mean())


CROP = (slice(60, 420), slice(90, 590))


@pytest.mark.parametrize("index", range(8))
def test_known_homography_is_drawn_the_right_way_round(scene: Pixels, index: int) -> None:
    """The record says how the crop lies; the truth is written down here, not found."""
    crop = np.ascontiguousarray(apply(scene[CROP], inverse(index)))  # TRANSFORMS[index] undoes it
    height, width = crop.shape[:2]
    flip, rotation = TRANSFORMS[index]
    to_upright = {
        0: [[1, 0, 0], [0, 1, 0]], 90: [[0, -1, height], [1, 0, 0]],
        180: [[-1, 0, width], [0, -1, height]], 270: [[0, 1, 0], [-1, 0, width]],
    }[rotation]  # fmt: skip
    mirror = np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1.0]]) if flip else np.eye(3)
    truth = np.array([[1, 0, 90], [0, 1, 60], [0, 0, 1.0]]) @ np.vstack([to_upright, [0, 0, 1.0]]) @ mirror

    pair, other = both_orders(scene, crop)
    there = gather(pair, record(Transform(*TRANSFORMS[inverse(index)], tuple(truth.ravel()), 50)))
    assert mismatch(there) < 0.5
    back = gather(other, record(Transform(flip, rotation, tuple(np.linalg.inv(truth).ravel()), 50)))
    assert mismatch(back) < 0.5
    for evidence in (there, back):
        assert len(evidence.matches) > 20
        misses = moved(evidence.placement, evidence.matches[:, 2:]) - evidence.matches[:, :2]
        assert np.abs(misses).max() < 0.03


@pytest.mark.parametrize("index", [0, 1, 4, 7])
def test_whole_frames_are_turned_back(scene: Pixels, index: int) -> None:
    turned = np.ascontiguousarray(apply(scene, inverse(index)))
    small = np.asarray(cv2.resize(turned, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    pair, other = both_orders(scene, small)
    for each, expected in ((pair, index), (other, inverse(index))):
        found = decide(each, PRESETS["auto"])
        assert found.transform is not None
        assert (found.transform.flip, found.transform.rotation) == TRANSFORMS[inverse(expected)]
        assert mismatch(gather(each, found)) < 3


def test_margins_are_left_aside_where_the_contents_agree(scene: Pixels) -> None:
    page = np.full((700, 800, 3), 255, np.uint8)
    page[100:580, 40:680] = scene
    for pair in both_orders(scene, page):
        evidence = gather(pair, decide(pair, PRESETS["auto"]))
        frame, framed = np.array([[0.0, 0], [1, 1]]), np.array([[40 / 800, 100 / 700], [680 / 800, 580 / 700]])
        wanted, given = (frame, framed) if evidence.size_first == (640, 480) else (framed, frame)
        assert evidence.placement is not None
        assert np.abs(moved(evidence.placement, given) - wanted).max() < 0.01


@pytest.mark.parametrize("index", [0, 3, 4, 5])
def test_what_keypoints_find_is_drawn_where_it_lies(scene: Pixels, index: int) -> None:
    crop = np.ascontiguousarray(apply(scene[CROP], inverse(index)))
    for pair in both_orders(scene, crop):
        turn = inverse(index) if np.array_equal(pair.first.pixels, crop) else index
        found = by_keypoints(pair, (turn,), 20)
        assert found is not None
        evidence = gather(pair, record(transform_of(pair, found)))
        assert mismatch(evidence) < 6
        assert len(evidence.matches) == found.inliers


def test_what_the_default_preset_finds_is_drawn_where_it_lies(scene: Pixels) -> None:
    for pair in both_orders(scene, np.ascontiguousarray(scene[80:400, 100:540])):
        comparison = decide(pair, PRESETS["auto"])
        evidence = gather(pair, comparison)
        assert not evidence.borrowed
        assert mismatch(evidence) < 6


def test_nothing_is_added_to_the_callers_pair(scene: Pixels) -> None:
    pair = Pair(load(scene), load(np.ascontiguousarray(scene[40:, 50:])))
    comparison = by_method(pair, "phash")
    before = dict(pair.similarities), dict(pair.details)
    evidence = gather(pair, comparison)
    assert (dict(pair.similarities), dict(pair.details)) == before
    assert evidence.borrowed  # a hash finds no alignment, so the default preset's is shown
    assert mismatch(evidence) < 8


def test_unrelated_pictures_have_no_placement(scene: Pixels, other_scene: Pixels) -> None:
    evidence = gather(Pair(load(scene), load(other_scene)), record(None))
    assert evidence.placement is None
    assert evidence.matches.shape == (0, 4)
    assert evidence.size_first == (640, 480)


def test_identical_pictures_lie_edge_on_edge(scene: Pixels) -> None:
    evidence = gather(Pair(load(scene), load(scene.copy())), record(None, exact=True))
    assert np.array_equal(evidence.placement, np.eye(3))
    assert mismatch(evidence) == 0
