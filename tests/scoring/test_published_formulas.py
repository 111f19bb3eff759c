"""The published presets against the same formulas written with the libraries they were published with."""

from __future__ import annotations

import cv2
import imagehash
import numpy as np
import pytest
from PIL import Image, ImageOps
from skimage.metrics import structural_similarity
from synthetic import noise, photo

import lookalike

A = photo(1, 640, 480)
NEAR = np.clip(A.astype(int) + np.random.default_rng(0).integers(-12, 12, A.shape), 0, 255).astype(np.uint8)
FAR = photo(2, 500, 700)
PAIRS = {"near": (A, NEAR), "far": (A, FAR), "flipped": (A, np.ascontiguousarray(A[:, ::-1]))}


def reference_ssim(a: np.ndarray, b: np.ndarray) -> float:
    grey = [np.asarray(ImageOps.contain(Image.fromarray(x).convert("L"), (512, 512))) for x in (a, b)]
    height, width = (min(g.shape[axis] for g in grey) for axis in (0, 1))
    first, second = (g[:height, :width] for g in grey)
    return float(structural_similarity(first, second, data_range=255))


def reference_fast(a: np.ndarray, b: np.ndarray) -> float:
    distance = imagehash.phash(Image.fromarray(a)) - imagehash.phash(Image.fromarray(b))
    return min(1.0, max(0.0, 0.6 * (1 - distance / 64) + 0.4 * reference_ssim(a, b)))


def reference_keypoints(a: np.ndarray, b: np.ndarray) -> float:
    """Good ORB matches / 200, in the mean of both directions."""
    orb = cv2.ORB_create(nfeatures=1000)
    greys = [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in (a, b)]
    found = [orb.detectAndCompute(grey, None)[1] for grey in greys]
    counts = []
    for query, train in (found, found[::-1]):
        matches = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(query, train, k=2)
        counts.append(sum(m[0].distance < 0.75 * m[1].distance for m in matches if len(m) == 2))
    return min(1.0, sum(counts) / 2 / 200)


def reference_hsv(a: np.ndarray, b: np.ndarray) -> float:
    histograms = [
        cv2.calcHist([cv2.cvtColor(x, cv2.COLOR_RGB2HSV)], [0, 1], None, [180, 256], [0, 180, 0, 256]) for x in (a, b)
    ]
    return float(cv2.compareHist(histograms[0], histograms[1], cv2.HISTCMP_CORREL))


@pytest.mark.parametrize("which", PAIRS)
def test_fast_is_the_published_formula(which: str) -> None:
    a, b = PAIRS[which]
    assert lookalike.compare(a, b, preset="fast").score == pytest.approx(reference_fast(a, b), abs=1e-3)


@pytest.mark.parametrize("which", PAIRS)
def test_semantic_robust_and_layered_mix_what_they_say(which: str) -> None:
    a, b = PAIRS[which]
    fast = reference_fast(a, b)
    embedding = lookalike.compare(a, b, method="embedding").score
    keypoints = reference_keypoints(a, b)
    semantic = fast if fast >= 0.9 else 0.5 * fast + 0.5 * embedding
    robust = fast if fast >= 0.9 else 0.4 * fast + 0.4 * embedding + 0.2 * keypoints
    layered = robust if fast < 0.9 and abs(fast - embedding) > 0.25 and keypoints > 0 else semantic
    assert lookalike.compare(a, b, preset="semantic").score == pytest.approx(semantic, abs=1e-3)
    assert lookalike.compare(a, b, preset="robust").score == pytest.approx(robust, abs=1e-3)
    assert lookalike.compare(a, b, preset="layered").score == pytest.approx(layered, abs=1e-3)


@pytest.mark.parametrize("which", PAIRS)
def test_hybrid_is_the_published_formula(which: str) -> None:
    a, b = PAIRS[which]
    found = lookalike.compare(a, b, preset="hybrid")
    cosine = 2 * lookalike.compare(a, b, method="embedding").score - 1
    expected = 0.3 * reference_hsv(a, b) + 0.2 * reference_ssim(a, b) + 0.5 * cosine
    assert found.score == pytest.approx(min(1.0, max(0.0, expected)), abs=1e-3)


def test_layered_computes_keypoints_only_where_the_others_disagree() -> None:
    near = lookalike.compare(A, NEAR, preset="layered", thresholds={"enough": 1.1})
    assert "keypoints" not in near.parts
    disagreeing = lookalike.compare(A, NEAR, preset="layered", thresholds={"enough": 1.1, "disagree": 0.0})
    assert "keypoints" in disagreeing.parts


def test_medical_compares_sixteen_bit_grey_at_full_depth() -> None:
    rng = np.random.default_rng(3)
    ramp = np.tile(np.linspace(20000, 40000, 256), (256, 1))
    a = np.round(ramp).astype(np.uint16)
    b = np.round(ramp + rng.normal(0, 40, ramp.shape)).astype(np.uint16)  # far below one 8-bit step
    eight_bit = lookalike.compare(a, b, method="ssim").score
    full_depth = lookalike.compare(a, b, method="ssim16").score
    expected = structural_similarity(a, b, data_range=65535)
    assert full_depth == pytest.approx(expected, abs=2e-2)  # contained in 512×512 first
    assert abs(full_depth - eight_bit) > 1e-4
    embedding = lookalike.compare(a, b, method="embedding").score
    medical = lookalike.compare(a, b, preset="medical").score
    assert medical == pytest.approx(0.5 * full_depth + 0.5 * embedding, abs=1e-6)


def test_weights_are_divided_by_their_sum() -> None:
    parts = lookalike.compare(A, FAR, preset="fast").parts
    found = lookalike.compare(A, FAR, preset="fast", weights={"phash": 3, "ssim": 1}).score
    assert found == pytest.approx((3 * parts["phash"] + parts["ssim"]) / 4, abs=1e-6)


def test_a_negative_ssim_counts_as_negative() -> None:
    base = noise(1, 300, 200)
    negative = 255 - base
    assert reference_ssim(base, negative) < -0.05
    found = lookalike.compare(base, negative, preset="fast", weights={"phash": 1, "ssim": 4})
    distance = imagehash.phash(Image.fromarray(base)) - imagehash.phash(Image.fromarray(negative))
    expected = ((1 - distance / 64) + 4 * reference_ssim(base, negative)) / 5
    assert found.score == pytest.approx(max(0.0, expected), abs=1e-3)
    assert found.parts["ssim"] == 0
    hybrid = lookalike.compare(base, negative, preset="hybrid")
    cosine = hybrid.details["cosine"]
    mixed = 0.3 * reference_hsv(base, negative) + 0.2 * reference_ssim(base, negative) + 0.5 * cosine
    assert hybrid.score == pytest.approx(min(1.0, max(0.0, mixed)), abs=1e-3)
