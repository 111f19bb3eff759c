"""XFeat (Potje et al. 2024): learned keypoints, far better than ORB where texture is weak. 64 numbers a point.

The network ships with the package (see :mod:`lookalike.features.models`); what it sees and gives is described there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features import models
from lookalike.features.align import Keypoints
from lookalike.features.keypoints import KeypointMethod
from lookalike.features.shrink import SIDE, shrunk, small

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

POINTS = 512
"""Points kept at most, the best by heat × reliability."""

LEAST_HEAT = 0.05
"""Least value of the heat map at a point, as in the original."""


class XFeat(KeypointMethod):
    """XFeat (Potje 2024): learned keypoints, strong on weak texture; aligned, then looked at.

    Args:
        points: points kept at most.

    >>> from lookalike import load
    >>> noise = np.random.default_rng(0).integers(0, 255, (16, 16), np.uint8).repeat(20, 0).repeat(20, 1)
    >>> [feature] = XFeat().extract([load(noise)])
    >>> feature.descriptors.shape[1], len(feature.points) > 20
    (64, True)
    """

    name = "xfeat"
    matching: ClassVar[Literal["ratio", "mutual"]] = "mutual"

    def __init__(self, points: int = POINTS) -> None:
        self.points = points

    @property
    def params(self) -> dict[str, Any]:
        return {"points": self.points, "side": SIDE, "model": models.spec("xfeat").sha256}

    def extract(self, pictures: Sequence[Picture]) -> list[Keypoints]:
        return [self.describe(small(picture), picture.digest) for picture in pictures]

    def describe(self, pixels: Pixels, digest: str, scale: float = 1.0) -> Keypoints:
        """The points of ``pixels`` (uint8, H×W×3) as seen at ``scale`` times 320 pixels: the network knows one size of
        things, and a picture that lies small in another must be seen small to be found there.
        """
        picture = shrunk(pixels)
        height, width = (max(32, round(side * scale / 32) * 32) for side in picture.shape[:2])
        smooth = cv2.INTER_LINEAR if scale == 1 else cv2.INTER_AREA
        seen = np.asarray(cv2.resize(picture, (width, height), interpolation=smooth), np.uint8)
        points, found = points_of(seen, self.points)
        to_small = np.array([picture.shape[1] / width, picture.shape[0] / height], np.float32)
        return Keypoints(points * to_small, found, picture, digest)


def points_of(pixels: Pixels, most: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The ``most`` best points of a uint8 H×W×3 picture, N×2 in its pixels, and their descriptors, N×64.

    The network takes sides that are multiples of 32; others are stretched a little.
    """
    height, width = (max(32, round(side / 32) * 32) for side in pixels.shape[:2])
    stretched = np.array([pixels.shape[1] / width, pixels.shape[0] / height], np.float32)
    if (height, width) != pixels.shape[:2]:
        pixels = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    grey = pixels.mean(axis=2, dtype=np.float32) / 255  # the plain mean is what the weights were trained on
    session = models.session(models.spec("xfeat"), threads=1)  # both pictures of a pair are worked on at a time
    descriptors, heat, reliability = session.run(["descriptors", "heatmap", "reliability"], {"grey": grey[None, None]})
    points = _peaks(heat[0, 0], reliability[0, 0], most)
    found = _sample(descriptors[0], points, (width, height))
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)
    return points * stretched, found


def _peaks(heat: npt.NDArray[np.float32], reliability: npt.NDArray[np.float32], most: int) -> npt.NDArray[np.float32]:
    """The strongest local maxima (5×5) of the heat map, weighted by reliability; (x, y), best first."""
    top = cv2.dilate(heat, np.ones((5, 5), np.uint8))
    y, x = np.nonzero((heat == top) & (heat > LEAST_HEAT))
    points = np.stack([x, y], axis=1).astype(np.float32)
    score = heat[y, x] * _sample(reliability[None], points, (heat.shape[1], heat.shape[0]))[:, 0]
    best = np.argsort(-score, kind="stable")[:most]
    return points[best]


def _sample(
    maps: npt.NDArray[np.float32], points: npt.NDArray[np.float32], size: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Bilinear values of C×h×w ``maps`` at ``points`` given in a frame of (width, height); N×C."""
    _, rows, columns = maps.shape
    x = np.clip(points[:, 0] / max(1, size[0] - 1) * columns - 0.5, 0, columns - 1)
    y = np.clip(points[:, 1] / max(1, size[1] - 1) * rows - 0.5, 0, rows - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    along, down = (x - left).astype(np.float32), (y - top).astype(np.float32)
    upper = maps[:, top, left] * (1 - along) + maps[:, top, right] * along
    lower = maps[:, bottom, left] * (1 - along) + maps[:, bottom, right] * along
    return np.ascontiguousarray((upper * (1 - down) + lower * down).T)
