"""Pictures within a picture: rectangles that something ends at on all four sides, as a picture pasted into another has.

Seen from one pixel to the next, a border is a step, along all of its length and no further. The rectangles whose
weakest side is the most like that are the likeliest; what is in them has to tell whether they are pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from lookalike.types import Pixels

Boxes = npt.NDArray[np.float32]
"""float32, n×4: left, top, right and bottom, in shares of width and height."""

SIDE = 128
"""Longer side, in pixels, at which rectangles are looked for."""

LEAST_PIXELS = 24
"""Shorter side of a picture, in pixels, below which there is none in it."""

SHARES = (0.22, 0.8)
"""Least and greatest share of the width and of the height that an inset has."""

STRONG = 40.0
"""Step, in levels of a channel, that counts in full."""

LINE = 2
"""Pixels from a step at which there must be less of one, for it to be a line and not texture."""

FRAME = 0.15
"""What the picture's own frame counts as a side: an inset may lie in a corner."""

BEYOND, BEYOND_WEIGHT = 8, 0.3
"""Pixels beyond the ends of a side in which it should not go on, and what it takes off where it does."""

SIDES_TRIED = 6
"""Left and right sides that are tried for every top and bottom."""

TRIED = 16
"""Rectangles that are made exact."""

SAME = 0.7
"""Share of their union that two rectangles have in common from which they are one."""


class Steps(NamedTuple):
    """Running sums of how much of a border there is, down every column and along every row.

    Attributes:
        upright: float32, (H+1)×(W+1): sums from the top, of steps to the left of each column.
        level: float32, (W+1)×(H+1): likewise, the picture transposed.
    """

    upright: npt.NDArray[np.float32]
    level: npt.NDArray[np.float32]


def insets(pixels: Pixels, most: int = 2) -> Boxes:
    """The likeliest pictures within a picture (uint8, H×W×3), likeliest first; n×4, at most ``most``.

    >>> page = np.random.default_rng(0).integers(90, 110, (96, 128, 3), np.uint8)
    >>> page[20:60, 40:100] = np.random.default_rng(1).integers(150, 250, (40, 60, 3), np.uint8)
    >>> np.round(insets(page)[0] * [128, 96, 128, 96]).tolist()
    [40.0, 20.0, 100.0, 60.0]
    """
    scale = SIDE / max(pixels.shape[:2])
    if scale < 1:
        size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = pixels.shape[:2]
    if min(height, width) < LEAST_PIXELS:
        return np.zeros((0, 4), np.float32)
    upright, level = _steps(pixels), _steps(np.ascontiguousarray(pixels.transpose(1, 0, 2)))
    fine, coarse = Steps(_summed(upright), _summed(level)), Steps(_summed(_halved(upright)), _summed(_halved(level)))
    chosen = _apart(*_likeliest(coarse))
    exact = [_made_exact(fine, 2 * box) for box in chosen]
    exact.sort(key=lambda each: -each[0])
    found = np.array([box for _, box in exact[:most]], np.float32).reshape(-1, 4)
    return np.asarray(found / np.array([width, height, width, height]), np.float32)


def cut(pixels: Pixels, box: npt.NDArray[np.floating[Any]] | Sequence[float]) -> Pixels:
    """What is inside a box (left, top, right, bottom, in shares); a pixel at least."""
    height, width = pixels.shape[:2]
    left, top = min(width - 1, round(float(box[0]) * width)), min(height - 1, round(float(box[1]) * height))
    right, bottom = max(left + 1, round(float(box[2]) * width)), max(top + 1, round(float(box[3]) * height))
    return pixels[top:bottom, left:right]


def _steps(pixels: Pixels) -> npt.NDArray[np.float32]:
    """How much something new begins at the left of every column, pixel by pixel: H×(W+1), -1 to 1."""
    step = np.abs(np.diff(pixels.astype(np.float32), axis=1)).max(axis=2)
    beside = np.pad(step, ((0, 0), (LINE, LINE)), mode="edge")
    around = (beside[:, : -2 * LINE] + beside[:, 2 * LINE :]) / 2
    found = np.full((pixels.shape[0], pixels.shape[1] + 1), FRAME, np.float32)
    found[:, 1:-1] = (np.minimum(step, STRONG) - np.minimum(around, STRONG)) / STRONG
    return found


def _halved(steps: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The same at half the size: the stronger of two columns, the mean of two rows."""
    height, width = steps.shape[0] // 2, (steps.shape[1] + 1) // 2
    padded = np.full((height, 2 * width), -1, np.float32)
    padded[:, : steps.shape[1]] = steps[: 2 * height].reshape(height, 2, -1).mean(axis=1)
    return np.asarray(padded.reshape(height, width, 2).max(axis=2))


def _summed(steps: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.vstack([np.zeros((1, steps.shape[1]), np.float32), steps.cumsum(axis=0)])


Numbers = npt.NDArray[np.integer]


def _side(sums: npt.NDArray[np.float32], start: Numbers, stop: Numbers, at: Numbers) -> npt.NDArray[np.float32]:
    """How much of a border there is from ``start`` to ``stop`` at the left of column ``at``, and not beyond."""
    last, beyond = sums.shape[0] - 1, BEYOND * (sums.shape[0] - 1) // SIDE + 1
    inside = sums[stop, at] - sums[start, at]
    before, after = np.maximum(start - beyond, 0), np.minimum(stop + beyond, last)
    outside = sums[start, at] - sums[before, at] + sums[after, at] - sums[stop, at]
    found = inside / np.maximum(stop - start, 1) - BEYOND_WEIGHT * outside / (2 * beyond)
    return np.where((at == 0) | (at == sums.shape[1] - 1), np.float32(FRAME), found)


def _scores(steps: Steps, boxes: Numbers) -> npt.NDArray[np.float32]:
    """How much of a rectangle each is (n×4): the mean of its sides and the weakest of them."""
    left, top, right, bottom = boxes.T
    sides = np.stack(
        [
            _side(steps.upright, top, bottom, left),
            _side(steps.upright, top, bottom, right),
            _side(steps.level, left, right, top),
            _side(steps.level, left, right, bottom),
        ]
    )
    return np.asarray(sides.mean(axis=0) + sides.min(axis=0))


def _likeliest(steps: Steps, keep: int = 600) -> tuple[Numbers, npt.NDArray[np.float32]]:
    """Rectangles (n×4) and their scores, likeliest first: for each top and bottom those with the strongest sides."""
    height, width = steps.upright.shape[0] - 1, steps.level.shape[0] - 1
    least, most = (max(2, round(share * height)) for share in SHARES)
    tops, heights = np.meshgrid(np.arange(height), np.arange(least, most + 1), indexing="ij")
    fits = tops + heights <= height
    top, bottom = tops[fits], (tops + heights)[fits]
    sides = _side(steps.upright, top[:, None], bottom[:, None], np.arange(steps.upright.shape[1])[None])
    tried = min(SIDES_TRIED, sides.shape[1])
    columns = np.sort(np.argpartition(sides, -tried, axis=1)[:, -tried:], axis=1)
    one, other = np.triu_indices(tried, 1)
    left, right = columns[:, one].ravel(), columns[:, other].ravel()
    wide = (right - left >= SHARES[0] * width) & (right - left <= SHARES[1] * width)
    boxes = np.stack([left, np.repeat(top, len(one)), right, np.repeat(bottom, len(one))], axis=1)[wide]
    scores = _scores(steps, boxes)
    order = np.argsort(-scores, kind="stable")[:keep]
    return boxes[order], scores[order]


def _apart(boxes: Numbers, scores: npt.NDArray[np.float32]) -> list[Numbers]:
    """Those that are no near repetition of a likelier one."""
    chosen: list[Numbers] = []
    while len(boxes) and len(chosen) < TRIED:
        chosen.append(boxes[0])
        across = np.minimum(boxes[:, 2], boxes[0, 2]) - np.maximum(boxes[:, 0], boxes[0, 0])
        down = np.minimum(boxes[:, 3], boxes[0, 3]) - np.maximum(boxes[:, 1], boxes[0, 1])
        common = np.maximum(across, 0) * np.maximum(down, 0)
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        boxes = boxes[common < SAME * (areas + areas[0] - common)]
    return chosen


_AROUND = np.stack(np.meshgrid(*[np.arange(3)] * 4, indexing="ij"), axis=-1).reshape(-1, 4)


def _made_exact(steps: Steps, box: Numbers) -> tuple[float, Numbers]:
    """The best of the rectangles within two pixels, and its score: a column of the coarse steps is two of the fine."""
    height, width = steps.upright.shape[0] - 1, steps.level.shape[0] - 1
    boxes = np.minimum(box + _AROUND, [width, height, width, height])
    scores = _scores(steps, boxes)
    best = int(scores.argmax())
    return float(scores[best]), boxes[best]
