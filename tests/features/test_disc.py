"""Rings do not mind how a picture is turned."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from synthetic import garment, photo

from lookalike import load
from lookalike.features.base import method
from lookalike.features.dihedral import TRANSFORMS, apply

PHOTOS = [photo(50 * number, 300, 200) for number in range(20)]
made = method("disc")


def rings(pixels: np.ndarray) -> np.ndarray:
    (feature,) = made.extract([load(np.ascontiguousarray(pixels))])
    return np.asarray(feature)


@pytest.fixture(scope="module")
def others() -> float:
    """The most that two different photos are alike."""
    features = np.stack([rings(pixels) for pixels in PHOTOS])
    alike = features @ features.T
    return float(alike[np.triu_indices(len(alike), 1)].max())


@pytest.mark.parametrize("index", range(len(TRANSFORMS)))
@pytest.mark.parametrize("size", [(300, 200), (201, 300), (80, 60), (61, 83), (30, 40)])
def test_flips_and_quarter_turns(index: int, size: tuple[int, int], others: float) -> None:
    pixels = photo(7, *size)
    alike = made.compare(rings(pixels), rings(apply(pixels, index)))
    assert alike > 0.985 > others


@pytest.mark.parametrize("degrees", [2, 5, 10, -15, 30, 137])
def test_tilts(degrees: float, others: float) -> None:
    for pixels in PHOTOS[:5]:
        turn = cv2.getRotationMatrix2D((149.5, 99.5), degrees, 1)
        turned = cv2.warpAffine(pixels, turn, (300, 200), borderMode=cv2.BORDER_REFLECT)
        assert made.compare(rings(pixels), rings(turned)) > max(0.98, others)


def test_copies_that_keep_the_frame(others: float) -> None:
    for pixels in PHOTOS[:5]:
        small = cv2.resize(pixels, (75, 50), interpolation=cv2.INTER_AREA)
        _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 15])
        grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        for copy in (small, cv2.imdecode(encoded, cv2.IMREAD_COLOR), grey, 255 - (255 - pixels) // 2):
            assert made.compare(rings(pixels), rings(copy)) > max(0.97, others)


def test_a_strip_is_read_in_its_middle() -> None:
    """A picture of 1 × 30,000 pixels was enlarged to 64 × 1,920,000."""
    strip = np.tile(photo(3, 90, 60), (1, 40, 1))
    middle = strip[:, (strip.shape[1] - 240) // 2 :][:, :240]
    assert made.compare(rings(strip), rings(middle)) > 0.999
    line = np.tile(photo(3, 90, 1), (1, 300, 1))
    assert rings(line).shape == made.shape
    assert rings(line.transpose(1, 0, 2)).shape == made.shape


def test_blank_pictures_are_alike_to_nothing_but_each_other() -> None:
    white, black = (rings(np.full((50, 60, 3), value, np.uint8)) for value in (255, 0))
    assert made.compare(white, black) == 1
    assert made.compare(white, rings(garment("dress", (10, 20, 90)))) < 0.5
