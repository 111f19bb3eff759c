"""Records that turn round and come back from JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import photo

from lookalike import Comparison, compare
from lookalike.features.dihedral import TRANSFORMS, apply, inverse
from lookalike.types import Transform
from lookalike.verdicts import Verdict

PHOTO = photo(31, 320, 240)


@st.composite
def transforms(draw: st.DrawFn) -> Transform:
    """Any way in which one picture may lie on another, its matrix not far from one that a camera makes."""
    turn = np.radians(draw(st.sampled_from([0, 90, 180, 270])) + draw(st.floats(-30, 30)))
    grow = draw(st.floats(0.3, 3))
    matrix = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]) * [grow, grow, 1]
    matrix[:2, 2] = draw(st.floats(-300, 300)), draw(st.floats(-300, 300))
    matrix[2, :2] = draw(st.floats(-1e-4, 1e-4)), draw(st.floats(-1e-4, 1e-4))
    flip = draw(st.booleans())
    if flip:
        matrix = matrix @ np.diag([-1.0, 1, 1])
    homography = tuple(matrix.ravel().tolist()) if draw(st.booleans()) else None
    share = st.one_of(st.none(), st.floats(0, 1))
    rotation = draw(st.sampled_from([0, 90, 180, 270]))
    return Transform(flip, rotation, homography, draw(st.integers(0, 99)), draw(share), draw(share), draw(share))


@given(transforms())
@settings(max_examples=80)
def test_turned_round_twice_it_is_as_before(transform: Transform) -> None:
    again = transform.reversed().reversed()
    assert (again.flip, again.rotation, again.inliers) == (transform.flip, transform.rotation, transform.inliers)
    assert (again.overlap, again.overlap_other) == (transform.overlap, transform.overlap_other)
    assert again.correlation == transform.correlation
    if transform.homography is None:
        assert again.homography is None
    else:
        assert again.homography == pytest.approx(transform.homography, abs=1e-6, rel=1e-6)


@given(transforms(), st.floats(0, 300), st.floats(0, 300))
@settings(max_examples=80)
def test_turned_round_its_matrix_takes_points_back(transform: Transform, x: float, y: float) -> None:
    if transform.homography is None:
        return
    there = np.reshape(transform.homography, (3, 3)) @ [x, y, 1]
    back = np.reshape(transform.reversed().homography, (3, 3)) @ (there / there[2])
    np.testing.assert_allclose(back[:2] / back[2], [x, y], atol=1e-6)


@pytest.mark.parametrize("index", range(len(TRANSFORMS)))
def test_turned_round_it_is_what_the_exchanged_pictures_give(index: int) -> None:
    """Flips and turns, each with a crop off its middle, so that the matrix says something."""
    other = np.ascontiguousarray(apply(PHOTO, inverse(index))[10:220, 30:230])
    forth, back = compare(PHOTO, other), compare(other, PHOTO)
    assert forth.transform is not None
    assert back.transform is not None
    turned = forth.reversed()
    assert turned.transform is not None
    assert (turned.a, turned.b, turned.score) == (back.a, back.b, back.score)
    assert (turned.transform.flip, turned.transform.rotation) == (back.transform.flip, back.transform.rotation)
    assert turned.transform.tilt == pytest.approx(back.transform.tilt, abs=1e-6)
    assert turned.transform.overlap == pytest.approx(back.transform.overlap)
    corners = np.array([[0, 0, 1], [320, 0, 1], [0, 240, 1]], float).T
    ours, theirs = (np.reshape(each.homography, (3, 3)) @ corners for each in (turned.transform, back.transform))
    np.testing.assert_allclose(ours[:2] / ours[2], theirs[:2] / theirs[2], atol=1e-3)


@pytest.mark.parametrize(
    ("score", "verdict", "likely", "reasons", "said"),
    [
        (0.86, "same product", 0.973, ("in other colours",), "(97 % likely the same product; in other colours)"),
        (0.86, "same product", 0.999, (), "(over 99 % likely the same product)"),
        (0.70, "same category", 0.41, ("no alignment found",), "(41 % likely the same product; no alignment found)"),
        (0.30, "different", 0.02, (), "(2 % likely the same product)"),
        (0.30, "different", 0.0099, (), ""),
        (0.30, "different", None, ("by fast alone",), "(by fast alone)"),
        (0.97, "near-duplicate", 0.99, ("mirrored",), "(mirrored)"),
        (1.0, "identical", 1.0, ("the same file",), "(the same file)"),
    ],
)
def test_p_is_said_where_it_helps(
    score: float, verdict: Verdict, likely: float | None, reasons: tuple[str, ...], said: str
) -> None:
    """Not of copies, and not where there is next to no chance; it is in the record all the same."""
    found = Comparison("a", "b", score, verdict, {}, None, reasons, probability=likely)
    assert str(found) == f"{score:.2f}  {verdict}   {said}".rstrip()
    assert found.to_dict()["probability"] == likely


OTHERS = {
    "same": PHOTO,
    "flip": np.ascontiguousarray(PHOTO[:, ::-1]),
    "crop": np.ascontiguousarray(PHOTO[10:200, 20:260]),
    "none": photo(9, 200, 200),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_comparison_comes_back_from_json(name: str) -> None:
    found = compare(PHOTO, OTHERS[name])
    assert (found.transform is None) == (name in {"same", "none"})
    again = Comparison.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found
    assert str(again) == str(found)
    assert str(again.transform) == str(found.transform)
    assert again.reversed() == found.reversed()


def test_a_comparison_of_another_make_is_no_comparison() -> None:
    values = compare(PHOTO, PHOTO).to_dict()
    del values["score"]
    with pytest.raises((TypeError, KeyError)):
        Comparison.from_dict(values)
