"""The default preset: what it must say about edits, recolours, other pictures and the order of the two."""

from __future__ import annotations

import io
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps
from synthetic import garment

import lookalike
from lookalike.verdicts import verdict_of

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SHIRT = Image.open(EXAMPLES / "shirt.jpg").convert("RGB")
CARTON = Image.open(EXAMPLES / "carton.jpg").convert("RGB")

COLOURS = ((200, 40, 40), (40, 60, 180), (40, 150, 60), (230, 200, 60))
"""So unlike that no light explains it; a dark blue and a black may be one garment in two lights."""


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def cropped(image: Image.Image, area: float) -> Image.Image:
    width, height = (round(side * area**0.5) for side in image.size)
    left, top = (image.width - width) // 3, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "jpeg": lambda image: jpeg(image, 10),
    "small": lambda image: image.resize((64, round(64 * image.height / image.width))),
    "crop": lambda image: cropped(image, 0.8),
    "half": lambda image: cropped(image, 0.5),
    "mirror": ImageOps.mirror,
    "turn": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "upside down and mirrored": ImageOps.flip,
    "mirrored crop": lambda image: ImageOps.mirror(cropped(image, 0.8)),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "blur": lambda image: image.filter(ImageFilter.GaussianBlur(4)),
    "white border": lambda image: ImageOps.expand(image, 70, "white"),
    "black border": lambda image: ImageOps.expand(image, (0, 60), "black"),
    "tilt": lambda image: image.rotate(7, Image.Resampling.BICUBIC, fillcolor="white"),
    "brighter": lambda image: image.point(lambda value: min(255, round(value * 1.25))),
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("image", [SHIRT, CARTON], ids=["shirt", "carton"])
def test_edits_are_near_duplicates(image: Image.Image, edit: str) -> None:
    found = lookalike.compare(image, EDITS[edit](image))
    assert 0.90 <= found.score < 1.0
    assert found.verdict == "near-duplicate"
    assert found.reasons


def test_identical_pixels_and_only_they_score_one(tmp_path: Path) -> None:
    SHIRT.save(tmp_path / "a.png")
    SHIRT.save(tmp_path / "b.bmp")
    one_off = np.array(SHIRT)
    one_off[0, 0, 0] ^= 1
    same = lookalike.compare(tmp_path / "a.png", tmp_path / "b.bmp")
    assert (same.score, same.verdict) == (1.0, "identical")
    assert lookalike.compare(tmp_path / "a.png", tmp_path / "a.png").score == 1.0
    almost = lookalike.compare(tmp_path / "a.png", one_off)
    assert 0.98 < almost.score < 1.0
    assert almost.verdict == "near-duplicate"


@pytest.mark.parametrize("cut", ["dress", "trousers", "sweater"])
@pytest.mark.parametrize("orientation", range(1, 8))
def test_quarter_turns_and_flips_are_near_duplicates(cut: str, orientation: int) -> None:
    """Garments stand alone on white and look much the same from both sides; photos are among the edits above."""
    shot = garment(cut, (60, 120, 90))
    turned = np.rot90(shot if orientation < 4 else shot[:, ::-1], orientation % 4)
    found = lookalike.compare(shot, np.ascontiguousarray(turned))
    assert found.verdict == "near-duplicate"
    assert found.transform is not None
    assert found.transform.flip == (orientation >= 4)


@pytest.mark.parametrize("cut", ["dress", "trousers", "sweater"])
def test_grey_copies_are_near_duplicates(cut: str) -> None:
    for colour in COLOURS:
        shot = garment(cut, colour)
        assert lookalike.compare(shot, np.asarray(Image.fromarray(shot).convert("L"))).verdict == "near-duplicate"


@pytest.mark.parametrize("cut", ["dress", "trousers", "sweater"])
@pytest.mark.parametrize(("one", "other"), list(combinations(COLOURS, 2)))
def test_a_shot_in_another_colour_is_the_same_product_not_a_copy(
    cut: str, one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    found = lookalike.compare(garment(cut, one), garment(cut, other))
    assert found.verdict == "same product"
    assert found.score < 0.90
    assert found.probability is not None
    assert found.probability > 0.9
    assert "colours" in str(found)


@pytest.mark.parametrize("other", ["shirt.jpg", "shirt-cropped.jpg", "shirt-mirrored.webp"])
def test_a_recoloured_product_is_the_same_product_however_it_is_cut_or_turned(other: str) -> None:
    found = lookalike.compare(EXAMPLES / other, EXAMPLES / "shirt-recoloured.jpg")
    assert found.verdict == "same product"
    assert found.score < 0.90
    assert "colours" in str(found)


def test_p_goes_with_the_verdict() -> None:
    """A probability wherever the default rule scores; 1 for the same pixels only, high for one product, low for two."""
    shirt, carton = EXAMPLES / "shirt.jpg", EXAMPLES / "carton.jpg"
    same, copy, recoloured, shelf, other, stranger = (
        lookalike.compare(*pair).probability
        for pair in (
            (shirt, shirt),
            (shirt, EXAMPLES / "shirt-cropped.jpg"),
            (shirt, EXAMPLES / "shirt-recoloured.jpg"),
            (carton, EXAMPLES / "carton-shelf.jpg"),
            (shirt, EXAMPLES / "shirt-other.jpg"),
            (shirt, carton),
        )
    )
    assert None not in (same, copy, recoloured, shelf, other, stranger)
    assert same == 1.0
    assert 0.95 < min(copy, recoloured, shelf) < 1.0
    assert stranger < other < 0.5
    assert stranger < 0.01


def test_one_carton_on_two_photos_is_the_same_product() -> None:
    assert lookalike.compare(EXAMPLES / "carton.jpg", EXAMPLES / "carton-shelf.jpg").verdict == "same product"


def test_other_things_are_different() -> None:
    assert lookalike.compare(EXAMPLES / "shirt.jpg", EXAMPLES / "carton.jpg").score < 0.65


@pytest.mark.parametrize("edit", ["half", "mirror", "turn", "mirrored crop", "white border", "tilt"])
def test_the_order_does_not_matter_but_for_the_direction_of_the_transform(edit: str) -> None:
    edited = EDITS[edit](SHIRT)
    there, back = lookalike.compare(SHIRT, edited), lookalike.compare(edited, SHIRT)
    assert there.score == back.score
    assert there.parts == back.parts
    assert there.transform is not None
    assert back.transform is not None
    assert there.transform.overlap == pytest.approx(back.transform.overlap_other)
    if there.transform.homography is not None and back.transform.homography is not None:
        product = np.reshape(there.transform.homography, (3, 3)) @ np.reshape(back.transform.homography, (3, 3))
        np.testing.assert_allclose(product / product[2, 2], np.eye(3), atol=1e-6)


def test_the_homography_maps_original_pixels() -> None:
    wide, high = SHIRT.size
    part = SHIRT.crop((100, 60, 430, 330))
    found = lookalike.compare(SHIRT, part).transform
    assert found is not None
    assert found.homography is not None
    matrix = np.reshape(found.homography, (3, 3))
    corner = matrix @ [0, 0, 1]
    opposite = matrix @ [330, 270, 1]
    np.testing.assert_allclose(corner[:2] / corner[2], (100, 60), atol=3)
    np.testing.assert_allclose(opposite[:2] / opposite[2], (430, 330), atol=3)
    assert found.overlap == pytest.approx(330 * 270 / (wide * high), abs=0.03)
    assert found.overlap_other == pytest.approx(1.0, abs=0.02)


def test_padding_does_not_change_what_a_product_is() -> None:
    product = np.asarray(CARTON.crop((100, 20, 250, 330)))
    page = np.full((700, 600, 3), 255, np.uint8)
    page[200:510, 300:450] = product
    assert lookalike.compare(product, page).score >= 0.9


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [
        (np.zeros((50, 50, 3)), np.ones((50, 50, 3)), False),
        (np.full((50, 50, 3), [0.8, 0.1, 0.1]), np.full((50, 50, 3), [0.1, 0.3, 0.8]), False),
        (np.full((50, 50, 3), 0.5), np.full((90, 40, 3), 0.5), True),
    ],
    ids=["black and white", "red and blue", "grey and grey"],
)
def test_flat_pictures_are_told_apart_by_their_colour(a: np.ndarray, b: np.ndarray, alike: bool) -> None:
    assert (lookalike.compare(a, b).score >= 0.90) == alike


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (2, 2), (3, 50)])
def test_tiny_and_extreme_shapes_are_compared(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 255, (*shape, 3)).astype(np.uint8) for _ in range(2))
    assert 0 <= lookalike.compare(a, b).score <= 1
    assert lookalike.compare(a, SHIRT).score < 0.65
    assert lookalike.compare(a, a.copy()).score == 1.0


def test_identical_files_are_not_decoded(tmp_path: Path) -> None:
    data = (EXAMPLES / "shirt.jpg").read_bytes()
    truncated = data[: len(data) // 2]
    assert lookalike.compare(truncated, truncated).score == 1.0
    with pytest.raises(lookalike.PictureError):
        lookalike.compare(truncated, data)


@pytest.mark.parametrize(
    ("score", "verdict"),
    [
        (1.0, "identical"),
        (0.999999, "near-duplicate"),
        (0.9, "near-duplicate"),
        (0.8999, "same product"),
        (0.8, "same product"),
        (0.65, "same category"),
        (0.6499, "different"),
        (0.0, "different"),
    ],
)
def test_bands(score: float, verdict: str) -> None:
    assert verdict_of(score) == verdict


def test_a_picture_on_a_page_is_found_there() -> None:
    shirt = Image.open(EXAMPLES / "shirt-other.jpg").convert("RGB")
    page = Image.new("RGB", (1280, 800), (245, 245, 248))
    page.paste(shirt.resize((533, 400)), (80, 120))
    for top in range(120, 760, 36):
        page.paste((90, 90, 90), (760, top, 820 + top * 37 % 400, top + 12))
    found = lookalike.compare(shirt, page)
    assert found.score >= 0.90
    assert "of the second" in str(found)


def test_a_doubtful_alignment_is_called_doubtful() -> None:
    for other in ("shirt-other.jpg", "carton.jpg"):
        found = lookalike.compare(EXAMPLES / "shirt.jpg", EXAMPLES / other)
        assert found.score < 0.80
        assert not any("same shot" in reason or "cropped" in reason for reason in found.reasons)
