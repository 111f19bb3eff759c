"""The geometric evidence of the default preset: is one picture a copy of the other, whole or in part, and how laid?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.align import Alignment, Keypoints, Matrix, inverted, look_aligned
from lookalike.features.dihedral import TRANSFORMS, apply, inverse
from lookalike.features.look import Look, equal_shares, equally_sharp
from lookalike.features.register import View, levels_at, likeliest, rescaled, settled
from lookalike.features.shrink import place_of, small, small_content
from lookalike.features.tint import Tint, aligned_change, changed_at
from lookalike.features.xfeat import XFeat
from lookalike.types import Transform

if TYPE_CHECKING:
    from lookalike.scoring.pair import Pair
    from lookalike.types import Picture, Pixels


Size: TypeAlias = tuple[int, int]

MOST_TRIES = 2
"""Places that are refined and looked at; what is not among the likeliest two is rarely the right one."""


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """One way to lay the second picture on the first.

    Attributes:
        orientation: index into TRANSFORMS, applied to the second picture before anything else.
        correlation: how well they agree where they overlap, -1 to 1.
        tint: how unevenly their colours differ there, in units of Lab.
        overlap, overlap_other: shares of first and second that lie on each other.
        alignment: the alignment of the oriented second picture; None for whole frames.
        frames: (width, height) of the first picture and of the oriented second one, in whose pixels it is told.
        matched: for keypoints, whose points were matched: the first picture's, and the oriented second's.
        margins: whole frames were compared without their margins.
        levels: how equal the levels are where they overlap, of what copies reach; 1 for whole frames, which need none.
    """

    orientation: int
    correlation: float
    tint: float
    overlap: float = 1.0
    overlap_other: float = 1.0
    alignment: Alignment | None = None
    frames: tuple[Size, Size] = ((1, 1), (1, 1))
    matched: tuple[Keypoints, Keypoints] | None = None
    margins: bool = False
    levels: float = 1.0

    @property
    def inliers(self) -> int:
        """Matching points; 0 for whole frames, which need none."""
        return 0 if self.alignment is None else self.alignment.inliers


def whole_frame(pair: Pair, least: float = -1.0) -> Geometry:
    """The best flip or turn of one whole frame onto the other, with margins or without.

    Args:
        pair: the pictures.
        least: correlation from which the colours are compared as well.
    """
    look, tint = pair.method("look"), pair.method("tint")
    assert isinstance(look, Look)
    assert isinstance(tint, Tint)
    frame = look.best(*pair.features("look"))
    pair.similarities["look"] = min(1.0, max(0.0, frame.correlation))
    if frame.correlation < least:
        return Geometry(frame.orientation, frame.correlation, 0.0, margins=frame.trimmed)
    change = tint.in_frame(*pair.features("tint"), frame, look.agreement(*pair.features("look"), frame))
    pair.details["tint_change"] = change
    return Geometry(frame.orientation, frame.correlation, change, margins=frame.trimmed)


def fine_correlation(pair: Pair, frame: Geometry) -> float:
    """Local correlation of two whole frames at 320 pixels, which sees what the small thumbnails cannot."""
    seen = small_content if frame.margins else small
    small_a, small_b = seen(pair.first), np.ascontiguousarray(apply(seen(pair.second), frame.orientation))
    stretch = np.diag([small_a.shape[1] / small_b.shape[1], small_a.shape[0] / small_b.shape[0], 1.0])
    return look_aligned(small_a, small_b, stretch)[0]


def equal_parts(pair: Pair, frame: Geometry) -> tuple[float, float]:
    """:func:`~lookalike.features.look.equal_shares` of two whole frames, laid on each other as ``frame`` says."""
    if is_small(pair):
        looks = pair.features("look")
        a, b = (look[int(frame.margins)] for look in looks)
    else:
        seen = small_content if frame.margins else small
        a, b = (np.asarray(cv2.cvtColor(seen(each), cv2.COLOR_RGB2GRAY)) for each in (pair.first, pair.second))
    return _equal_parts(_soft(a), _soft(np.ascontiguousarray(apply(b, frame.orientation))))


def _equal_parts(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> tuple[float, float]:
    if a.size < b.size:
        b = _resized(b, a.shape)
    elif b.size < a.size or a.shape != b.shape:
        a = _resized(a, b.shape)
    return equal_shares(*equally_sharp(a, b))


def _soft(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 0.8), np.float32)


def _resized(grey: npt.NDArray[np.float32], shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.resize(grey, shape[::-1], interpolation=cv2.INTER_AREA), np.float32)


def by_registration(
    pair: Pair, orientations: tuple[int, ...], enough: float, least: float = -1.0, hint: Matrix | None = None
) -> Geometry | None:
    """The best way to lay the second picture on the first by their pixels, in any of ``orientations``.

    Args:
        orientations: indices into TRANSFORMS, the likeliest first.
        enough: correlation at which nothing further is tried.
        least: correlation from which the colours are compared as well.
        hint: 3×3, how the second may lie on the first, in shares of either; None: as if what is inside the margins of
            both were the same.
    """
    tiny = is_small(pair)
    looks = pair.features("look")
    first = _view(pair.first, looks[0] if tiny else None)
    views = {0: _view(pair.second, looks[1] if tiny else None)}
    tries: list[tuple[float, int, Matrix]] = []  # how likely, orientation, second → first in pixels of fine
    start = _content_on_content(pair, first, views[0], hint)
    if start is not None:
        tries.append((1.0, 0, rescaled(start, first.pixels, views[0].pixels, first.fine, views[0].fine)))
    for index in orientations:
        if index not in views:
            views[index] = View.of(np.ascontiguousarray(apply(views[0].pixels, index)))
        place = likeliest(first, views[index])
        if place is not None:
            matrix = rescaled(place.matrix, first.coarse, views[index].coarse, first.fine, views[index].fine)
            tries.append((place.ncc, index, matrix))
    best: Geometry | None = None
    for _, index, matrix in sorted(tries, key=lambda each: -each[0])[:MOST_TRIES]:
        found = settled(first, views[index], matrix)
        if found is not None and (best is None or found.correlation > best.correlation):
            alignment = Alignment(found.matrix, None, found.overlap, found.overlap_other, found.correlation)
            frames = (_size(first.pixels), _size(views[index].pixels))
            best = Geometry(
                index,
                found.correlation,
                0.0,
                found.overlap,
                found.overlap_other,
                alignment,
                frames,
                levels=found.levels,
            )
            if found.correlation >= enough:
                break
    if best is None or best.alignment is None:
        return None
    found_at = best.alignment.homography
    assert found_at is not None
    if best.correlation < least:
        pair.details.update(registered_correlation=best.correlation, registered_levels=best.levels)
        return best
    if tiny:
        tint_a, tint_b = pair.features("tint")
        turned = np.ascontiguousarray(apply(tint_b[0], best.orientation))
        greys = (first.pixels, views[best.orientation].pixels)
        change = changed_at((tint_a[0], turned), greys, found_at)
    else:
        change = aligned_change(first.pixels, views[best.orientation].pixels, best.alignment)
    pair.details.update(registered_correlation=best.correlation, registered_levels=best.levels, tint_change=change)
    return replace(best, tint=change)


def _content_on_content(pair: Pair, first: View, second: View, hint: Matrix | None) -> Matrix | None:
    """Second → first, in pixels: as the hint says, or if what is inside the margins of both is the same.

    None where there is no hint and neither has margins.
    """
    if hint is None:
        place_a, place_b = place_of(pair.first), place_of(pair.second)
        if np.array_equal(place_a, np.eye(3)) and np.array_equal(place_b, np.eye(3)):
            return None
        hint = place_a @ inverted(place_b)
    size_a, size_b = (np.diag([*_size(view.pixels), 1.0]) for view in (first, second))
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return np.asarray(inverted(half) @ size_a @ hint @ inverted(size_b) @ half, np.float64)


SMALL = Look.SIDE * 3 // 2
"""Longer side, in pixels, up to which the thumbnails show all that there is to see: of 1,068 pairs of 128 pixels that
agreed, a closer look differed by 0.03 at most in 98 of 100."""


def is_small(pair: Pair) -> bool:
    """Whether both pictures are so small that their thumbnails will do, and neither need be decoded."""
    return max(pair.first.original_size + pair.second.original_size) <= SMALL


def _view(picture: Picture, look: npt.NDArray[np.uint8] | None) -> View:
    """The picture, or its thumbnail in its own shape, as registration sees it."""
    if look is None:
        return picture.kept("view", 0, lambda: View.of(small(picture)))
    width, height = picture.original_size
    scale = Look.SIDE / max(width, height)
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    return picture.kept(
        "view of look",
        0,
        lambda: View.of(np.asarray(cv2.resize(look[0], size, interpolation=cv2.INTER_AREA), np.uint8)),
    )


def _size(pixels: Pixels) -> Size:
    return pixels.shape[1], pixels.shape[0]


def by_keypoints(pair: Pair, orientations: tuple[int, ...], enough: int, *, inside: bool = False) -> Geometry | None:
    """The best alignment by XFeat points, the second picture tried in each of ``orientations`` until one agrees.

    Args:
        orientations: indices into TRANSFORMS, the likeliest first.
        enough: inliers at which nothing further is tried.
        inside: also try whether either lies small in the other.
    """
    xfeat = pair.method("xfeat")
    assert isinstance(xfeat, XFeat)
    a, b = pair.features("xfeat")
    best = Alignment()
    best_index = 0
    matched = (a, b)

    def consider(index: int, x: Keypoints, y: Keypoints) -> None:
        nonlocal best, best_index, matched
        found = xfeat.align(x, y)
        if found.homography is not None and (best.homography is None or found.similarity > best.similarity):
            best, best_index, matched = found, index, (x, y)

    for index in orientations:
        turned = b if index == 0 else xfeat.describe(np.ascontiguousarray(apply(b.small, index)), b.digest)
        consider(index, a, turned)
        if best.inliers >= enough and best.similarity > 0.5:
            break
    if inside and best.inliers < enough:  # either picture at half its size, for one that lies small in the other
        consider(0, xfeat.describe(a.small, a.digest, 0.5), b)
        consider(0, a, xfeat.describe(b.small, b.digest, 0.5))
    if best.homography is None:
        pair.similarities["xfeat"] = 0.0
        return None
    pair.similarities["xfeat"] = best.similarity
    change = aligned_change(matched[0].small, matched[1].small, best)
    one, other = (View.of(each.small) for each in matched)
    levels = levels_at(one.fine, other.fine, rescaled(best.homography, one.pixels, other.pixels, one.fine, other.fine))
    pair.details.update(
        inliers=best.inliers,
        aligned_correlation=best.correlation,
        part_correlation=best.part_correlation,
        aligned_levels=levels,
        tint_change=change,
    )
    frames = (_size(matched[0].small), _size(matched[1].small))
    pair.aligned = Geometry(
        best_index,
        best.correlation,
        change,
        best.overlap,
        best.overlap_other,
        best,
        frames,
        matched,
        levels=levels,
    )
    return pair.aligned


def transform_of(pair: Pair, found: Geometry) -> Transform:
    """The geometry as the record callers get: second onto first in the caller's order and original pixels."""
    flip, rotation = TRANSFORMS[inverse(found.orientation)]
    homography = _in_original_pixels(pair, found)
    overlap, overlap_other = found.overlap, found.overlap_other
    if pair.swapped:
        flip, rotation = TRANSFORMS[found.orientation]
        homography = inverted(homography)
        overlap, overlap_other = overlap_other, overlap
    homography = homography / homography[2, 2]
    return Transform(
        flip=flip,
        rotation=rotation,
        homography=tuple(float(value) for value in homography.ravel()),
        inliers=found.inliers,
        overlap=overlap,
        overlap_other=overlap_other,
        correlation=found.correlation,
    )


def _in_original_pixels(pair: Pair, found: Geometry) -> Matrix:
    """Second picture → first, both in pixels of their original size."""
    size_a, size_b = pair.first.original_size, pair.second.original_size
    if found.alignment is None or found.alignment.homography is None:
        lay = orientation_matrix(found.orientation, (1, 1), (1, 1))
        inside_a, inside_b = (
            place_of(picture) if found.margins else np.eye(3) for picture in (pair.first, pair.second)
        )
        return np.diag([*size_a, 1.0]) @ inside_a @ lay @ inverted(np.diag([*size_b, 1.0]) @ inside_b)
    small_a, turned = found.frames
    small_b = turned[::-1] if TRANSFORMS[found.orientation][1] in (90, 270) else turned
    shrink_b = np.diag([small_b[0] / size_b[0], small_b[1] / size_b[1], 1.0])
    grow_a = np.diag([size_a[0] / small_a[0], size_a[1] / small_a[1], 1.0])
    # Points are counted from the middle of the first pixel; the record counts from its outer corner.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    aligned = half @ found.alignment.homography @ inverted(half)
    return grow_a @ aligned @ orientation_matrix(found.orientation, small_b, turned) @ shrink_b


def orientation_matrix(index: int, size: tuple[int, int], turned: tuple[int, int]) -> Matrix:
    """3×3: points of a (width, height) picture → the same points once it is laid down as ``TRANSFORMS[index]`` says.

    >>> (orientation_matrix(1, (4, 2), (2, 4)) @ [0, 0, 1]).tolist()  # turned clockwise, the corner goes to the right
    [2.0, 0.0, 1.0]
    """
    mirrored, degrees = TRANSFORMS[index]
    matrix = np.array([[-1.0, 0, size[0]], [0, 1, 0], [0, 0, 1]]) if mirrored else np.eye(3)
    turn = {
        0: np.eye(3),
        90: np.array([[0, -1.0, turned[0]], [1, 0, 0], [0, 0, 1]]),
        180: np.array([[-1.0, 0, turned[0]], [0, -1, turned[1]], [0, 0, 1]]),
        270: np.array([[0, 1.0, 0], [-1, 0, turned[1]], [0, 0, 1]]),
    }[degrees]
    return np.asarray(turn @ matrix, np.float64)
