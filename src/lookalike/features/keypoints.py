"""Keypoints: ORB and SIFT, and what every keypoint method shares.

A method describes a picture once (:class:`Keypoints`); :mod:`lookalike.features.align` compares two descriptions: it
proposes an alignment from the matching points and then looks at the aligned pictures.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.align import Alignment, Keypoints, align
from lookalike.features.base import Method
from lookalike.features.shrink import shrunk

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

PUBLISHED_FEATURES = 1000
PUBLISHED_RATIO = 0.75
PUBLISHED_FULL = 200
"""The published keypoint score: good ORB matches / 200 at ratio 0.75 with 1,000 features."""

LEAST_SIDE = 32
"""Pixels on the shorter side below which ORB's pyramid and border leave nothing to describe; OpenCV refuses some."""


class KeypointMethod(Method[Keypoints]):
    """Base of the keypoint methods: they differ in how they describe, not in how they compare."""

    matching: ClassVar[Literal["ratio", "mutual"]] = "ratio"
    binary: ClassVar[bool] = False

    def extract(self, pictures: Sequence[Picture]) -> list[Keypoints]:
        return [self.describe(picture.decoded(self.side).pixels, picture.digest) for picture in pictures]

    @abstractmethod
    def describe(self, pixels: Pixels, digest: str) -> Keypoints:
        """Find and describe the points of uint8 H×W×3 ``pixels``; no points where there is no texture."""

    def align(self, a: Keypoints, b: Keypoints) -> Alignment:
        """How ``b`` lies on ``a``; see :class:`~lookalike.features.align.Alignment`."""
        return align(a, b, matching=self.matching, binary=self.binary)

    def compare(self, a: Keypoints, b: Keypoints) -> float:
        """Similarity of the alignment, see :attr:`~lookalike.features.align.Alignment.similarity`."""
        if np.array_equal(a.small, b.small):
            return 1.0
        return self.align(a, b).similarity


class ORB(KeypointMethod):
    """ORB (Rublee 2011): binary descriptors, 256 bits, rotation-aware. Fast, weak on soft texture.

    Args:
        features: points kept at most.
        ratio: Lowe's ratio for :meth:`good_matches`.

    >>> from lookalike import load
    >>> noise = load(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8))
    >>> orb = ORB()
    >>> [feature] = orb.extract([noise])
    >>> orb.compare(feature, feature)
    1.0
    """

    name = "orb"
    binary = True

    def __init__(self, features: int = PUBLISHED_FEATURES, ratio: float = PUBLISHED_RATIO) -> None:
        self.features = features
        self.ratio = ratio

    @property
    def params(self) -> dict[str, Any]:
        return {"features": self.features}

    def describe(self, pixels: Pixels, digest: str) -> Keypoints:
        return _describe_cv(cv2.ORB.create(nfeatures=self.features), pixels, digest, width=32)

    def good_matches(self, a: Keypoints, b: Keypoints) -> float:
        """Matches that pass the ratio test, averaged over both directions (the published count takes one)."""
        forward, backward = (_ratio_count(x.descriptors, y.descriptors, self.ratio) for x, y in ((a, b), (b, a)))
        return (forward + backward) / 2


class SIFT(KeypointMethod):
    """SIFT (Lowe 2004): 128 numbers a point, scale- and rotation-aware. Slower than ORB, stronger on small overlaps.

    Descriptors are RootSIFT (Arandjelović and Zisserman 2012): divided by their sum, then the square root.

    >>> from lookalike import load
    >>> flat = load(np.zeros((64, 64, 3), np.uint8))
    >>> SIFT().extract([flat])[0].descriptors.shape
    (0, 128)
    """

    name = "sift"

    def __init__(self, features: int = 1000) -> None:
        self.features = features

    @property
    def params(self) -> dict[str, Any]:
        return {"features": self.features}

    def describe(self, pixels: Pixels, digest: str) -> Keypoints:
        found = _describe_cv(cv2.SIFT.create(nfeatures=self.features), pixels, digest, width=128)
        total = np.maximum(found.descriptors.sum(axis=1, keepdims=True), 1e-7)
        root = np.sqrt(found.descriptors / total).astype(np.float32)
        return Keypoints(found.points, root, found.small, digest)


def _describe_cv(detector: Any, pixels: Pixels, digest: str, width: int) -> Keypoints:
    small = shrunk(pixels)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if min(grey.shape) < LEAST_SIDE:
        found, descriptors = (), None
    else:
        found, descriptors = detector.detectAndCompute(grey, None)
    if descriptors is None or not found:
        dtype = np.uint8 if width == 32 else np.float32
        return Keypoints(np.empty((0, 2), np.float32), np.empty((0, width), dtype), small, digest)
    to_small = np.array([small.shape[1] / grey.shape[1], small.shape[0] / grey.shape[0]], np.float32)
    points = np.array([point.pt for point in found], np.float32) * to_small
    return Keypoints(points, descriptors, small, digest)


def _ratio_count(query: npt.NDArray[Any], train: npt.NDArray[Any], ratio: float) -> int:
    if len(query) == 0 or len(train) < 2:
        return 0  # the ratio test needs a second best
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(query, train, k=2)
    return sum(1 for best, second in pairs if best.distance < ratio * second.distance)
