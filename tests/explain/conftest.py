"""Pictures with enough texture to be matched, drawn in code."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="session")
def scene() -> Pixels:
    """uint8 480×640×3: blobs, boxes and letters on a soft background; no symmetry."""
    random = np.random.default_rng(7)
    coarse = random.integers(60, 200, (6, 8, 3), np.uint8)
    canvas = np.asarray(cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)
    for number in range(60):
        x, y = int(random.integers(20, 600)), int(random.integers(20, 440))
        colour = tuple(int(value) for value in random.integers(0, 256, 3))
        if number % 3 == 0:
            cv2.circle(canvas, (x, y), int(random.integers(8, 30)), colour, -1, cv2.LINE_AA)
        elif number % 3 == 1:
            corner = (x + int(random.integers(15, 50)), y + int(random.integers(15, 50)))
            cv2.rectangle(canvas, (x, y), corner, colour, -1)
        else:
            cv2.putText(
                canvas, "KQRGB5"[number // 3 % 6], (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1.4, colour, 3, cv2.LINE_AA
            )
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), 0.8), np.uint8)


@pytest.fixture(scope="session")
def other_scene() -> Pixels:
    """uint8 300×400×3: stripes that have nothing to do with the scene."""
    ramp = np.arange(400)[None] // 23 * 40 + np.arange(300)[:, None] // 31 * 25
    return np.stack([ramp % 256, (ramp * 2) % 256, 255 - ramp % 256], axis=2).astype(np.uint8)
