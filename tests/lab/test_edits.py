"""Every edit does what its name says, always the same for one picture and seed, to pictures of any size."""

from __future__ import annotations

import hashlib
import io
import random

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from synthetic import garment, noise, photo

from lookalike.errors import UsageError
from lookalike.images.load import load
from lookalike.lab.edits.frame import is_flat
from lookalike.lab.edits.table import EDITS, chosen, edited, on_white

PHOTO = Image.fromarray(photo(1, 192, 128))
HOST = Image.fromarray(photo(2, 160, 120))

PINNED = {  # made by the edits as they were when the figures of docs/accuracy.md were first measured with them
    "crop to 80 %": (86, 57, "4e643591206bc2fd"),
    "crop to 50 %": (68, 45, "55149b932c43b730"),
    "flip": (96, 64, "d1f68cd3b41c2efe"),
    "90° turn": (64, 96, "4dcab29c73b4a905"),
    "grey": (96, 64, "f2959866bbc15b92"),
    "white border": (122, 90, "f1152547e901e7c1"),
    "brightness × 1.3": (96, 64, "a6f5842abde8412a"),
    "colour cast": (96, 64, "3e8c689535b5e35a"),
    "crop to 25 %": (48, 32, "88a2b92ceba43cd5"),
    "shift": (96, 64, "3c5653fdacdc9a87"),
    "vertical flip": (96, 64, "b5154a9129527dd1"),
    "quarter turn": (96, 64, "e6def7d20f1da50e"),
}


def cutout() -> Image.Image:
    """A dress of 192 px with alpha."""
    pixels = garment("dress", (200, 40, 40), 192)
    image = Image.fromarray(pixels)
    image.putalpha(Image.fromarray(np.where((pixels < 255).any(axis=2), 255, 0).astype(np.uint8)))
    return image


def done(name: str, image: Image.Image = PHOTO, seed: int = 0) -> npt.NDArray[np.int64]:
    """The pixels of the edited picture as the edit leaves them, before they become a file."""
    edit = EDITS[name]
    host = [HOST] if edit.needs == "host" else []
    return np.asarray(edit.change(image, random.Random(seed), *host).convert("RGB")).astype(np.int64)


@pytest.mark.parametrize("name", PINNED)
def test_edits_of_earlier_measurements_are_what_they_were(name: str) -> None:
    out = EDITS[name].change(Image.fromarray(photo(1, 96, 64)), random.Random(name))
    assert (out.width, out.height, hashlib.sha256(out.tobytes()).hexdigest()[:16]) == PINNED[name]


@pytest.mark.parametrize("name", EDITS)
def test_one_picture_with_one_seed_meets_one_edit(name: str) -> None:
    image = cutout() if EDITS[name].needs == "cut-out" else PHOTO
    first = edited(name, image, "shirt", 3, HOST)
    assert edited(name, image, "shirt", 3, HOST) == first
    assert load(first).format == EDITS[name].saved.format
    if name in ("crop to 50 %", "shift", "watermark", "meme text", "screenshot", "noise", "text", "new background"):
        assert edited(name, image, "shirt", 4, HOST) != first
        assert edited(name, image, "trousers", 3, HOST) != first


@settings(max_examples=15)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from(sorted(EDITS)), st.integers(0, 9))
def test_pictures_of_any_size_can_be_edited(width: int, height: int, name: str, seed: int) -> None:
    image = Image.fromarray(noise(seed, width, height))
    if EDITS[name].needs == "cut-out":
        image.putalpha(Image.linear_gradient("L").resize(image.size).point(lambda level: 255 * (level > 127)))
        if not EDITS[name].applies(image):
            return
    with Image.open(io.BytesIO(edited(name, image, "x", seed, HOST))) as file:
        file.load()


def test_a_very_long_picture_fits_on_a_screen() -> None:
    for seed in range(4):  # both kinds of screen
        shown = done("screenshot", Image.fromarray(noise(0, 3, 900)), seed)
        assert shown.size < 3 * 10**6


def test_what_an_edit_needs() -> None:
    assert not EDITS["pasted small"].applies(PHOTO)
    assert EDITS["pasted small"].applies(PHOTO, HOST)
    assert not EDITS["new background"].applies(PHOTO)
    opaque = PHOTO.convert("RGBA")
    assert not EDITS["new background"].applies(opaque)
    assert EDITS["new background"].applies(cutout())
    with pytest.raises(UsageError, match="needs a cut-out"):
        edited("new background", PHOTO, "x")


def test_names_are_found_as_people_write_them() -> None:
    assert [edit.name for edit in chosen(["flip", "CROP TO 80 %", "crop-to-80"])] == ["crop to 80 %", "flip"]
    assert len(chosen(["all"])) == len(EDITS)
    assert sum(len(chosen([strength])) for strength in ("light", "medium", "strong")) == len(EDITS)
    assert len({edit.slug for edit in EDITS.values()}) == len(EDITS)
    with pytest.raises(UsageError, match=r"did you mean .*watermark"):
        chosen(["watermarks"])


def test_the_files_are_as_bad_as_they_say() -> None:
    coarse, fine = (Image.open(io.BytesIO(edited(name, PHOTO, "x"))) for name in ("JPEG q10", "flip"))
    assert coarse.quantization[0][0] > 5 * fine.quantization[0][0]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(edited("PNG", PHOTO, "x")))), np.asarray(PHOTO))
    gif = Image.open(io.BytesIO(edited("GIF", PHOTO, "x")))
    assert 32 < len(gif.convert("RGB").getcolors(10**6)) <= 64


@given(st.integers(0, 10**6))
@settings(max_examples=20)
def test_frames_keep_what_their_names_say(seed: int) -> None:
    whole = np.asarray(PHOTO).astype(np.int64)
    area = whole.shape[0] * whole.shape[1]
    for name, share in (("crop to 80 %", 0.8), ("crop to 50 %", 0.5), ("crop to 25 %", 0.25)):
        cut = done(name, seed=seed)
        assert cut.shape[0] * cut.shape[1] == pytest.approx(share * area, rel=0.02)
        assert _place_of(cut, whole) is not None
    squeezed = done("aspect", seed=seed).shape
    shares = sorted((squeezed[0] / whole.shape[0], squeezed[1] / whole.shape[1]))
    assert 0.745 <= shares[0] <= 0.905
    assert shares[1] == 1
    white = (done("shift", seed=seed) == 255).all(axis=2).mean()
    assert 0.09 <= white <= 0.40


def test_flips_and_turns_take_each_other_back() -> None:
    whole = np.asarray(PHOTO)
    assert np.array_equal(done("flip")[:, ::-1], whole)
    assert np.array_equal(done("vertical flip")[::-1], whole)
    for seed in range(8):
        for name, turns in (("90° turn", (1, 3)), ("quarter turn", (1, 2, 3))):
            turned = done(name, seed=seed)
            assert any(np.array_equal(np.rot90(whole, turn), turned) for turn in turns)


def test_levels_change_as_their_names_say() -> None:
    whole = np.asarray(PHOTO).astype(np.int64)
    grey, sepia = done("grey"), done("sepia")
    assert (grey == grey[..., :1]).all()
    assert (np.diff(sepia, axis=2) <= 0).all()  # red over green over blue
    assert (done("brightness × 1.3") >= whole).all()
    assert (done("brightness × 0.7") <= whole).all()
    for seed in range(6):
        changed = done("gamma", seed=seed) - whole
        assert (changed >= -1).all() or (changed <= 1).all()  # all lifted, or all lowered
        assert 10 < np.abs(changed).mean() < 60
    grain = done("noise", Image.new("RGB", (100, 100), (128, 128, 128)))
    assert 9 < grain.std() < 21
    assert abs(grain.mean() - 128) < 1


def test_sharper_and_softer() -> None:
    def roughness(pixels: npt.NDArray[np.int64]) -> float:
        return float(np.abs(np.diff(pixels, axis=1)).mean())

    rough = roughness(np.asarray(PHOTO).astype(np.int64))
    assert roughness(done("sharpen")) > 1.15 * rough
    assert roughness(done("blur 1 %")) > roughness(done("blur 2 %"))
    assert roughness(done("blur 1 %")) < rough


@pytest.mark.parametrize("seed", range(6))
def test_what_is_written_leaves_the_rest_alone(seed: int) -> None:
    whole = np.asarray(PHOTO).astype(np.int64)
    changed = {name: (done(name, seed=seed) != whole).any(axis=2) for name in ("text", "watermark", "corner logo")}
    assert 0.02 < changed["text"].mean() < 0.5
    assert 0.02 < changed["watermark"].mean() < 0.35
    assert np.abs(done("watermark", seed=seed) - whole).max() <= 0.41 * 255 + 1  # it lets the picture through
    halves = [
        half.any() for half in np.array_split(changed["watermark"], 2) + np.array_split(changed["watermark"], 2, 1)
    ]
    assert all(halves)  # all over it
    assert 0.005 < changed["corner logo"].mean() < 0.05
    rows, columns = (np.flatnonzero(changed["corner logo"].any(axis=axis)) for axis in (1, 0))
    assert rows.min() < 10 or rows.max() > 117
    assert columns.min() < 10 or columns.max() > 181


@pytest.mark.parametrize("seed", range(6))
def test_a_meme_covers_nothing(seed: int) -> None:
    whole, framed = np.asarray(PHOTO).astype(np.int64), done("meme text", seed=seed)
    added = framed.shape[0] - whole.shape[0]
    assert framed.shape[1] == whole.shape[1]
    assert 0.17 * 128 <= added <= 2 * 0.27 * 128
    top = next(top for top in range(added + 1) if np.array_equal(framed[top : top + 128], whole))
    bars = np.concatenate([framed[:top], framed[top + 128 :]])
    levels, counts = np.unique(bars, return_counts=True)
    assert {0, 255} <= set(levels)  # letters on a page
    assert counts[[0, -1]].min() / bars.size > 0.04


@pytest.mark.parametrize("seed", range(6))
def test_a_screenshot_shows_the_whole_picture_in_its_size(seed: int) -> None:
    shown = done("screenshot", seed=seed)
    assert shown.shape[0] > 1.3 * 128
    assert _place_of(np.asarray(PHOTO).astype(np.int64), shown, least=0.97) is not None
    assert 0.25 < 192 * 128 / (shown.shape[0] * shown.shape[1]) < 0.75


def test_pasted_lies_in_its_host() -> None:
    joined, host = done("pasted small"), np.asarray(HOST)
    changed = (joined != host).any(axis=2)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert 0.28 * 160 <= np.ptp(columns) + 1 <= 0.51 * 160
    assert np.ptp(rows) + 1 <= 0.61 * 120


def test_a_new_background_changes_the_background_alone() -> None:
    image = cutout()
    opaque = np.asarray(image)[..., 3] == 255
    for seed in range(6):
        changed = (done("new background", image, seed) != np.asarray(image)[..., :3]).any(axis=2)
        assert not changed[opaque].any()
        assert changed[~opaque].mean() > 0.99


def test_alpha_is_laid_on_white_before_other_edits() -> None:
    assert np.array_equal(np.asarray(on_white(cutout())), garment("dress", (200, 40, 40), 192))
    with Image.open(io.BytesIO(edited("PNG", cutout(), "x"))) as file:
        assert file.mode == "RGB"


def test_flat_pictures_show_nothing() -> None:
    assert is_flat(Image.new("RGB", (300, 200), (90, 120, 40)))
    assert not is_flat(PHOTO)


def _place_of(
    part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64], least: float = 0.999
) -> tuple[int, int] | None:
    """Where ``part`` lies in ``whole``, by OpenCV's template matching; None where it does not."""
    found = cv2.matchTemplate(whole.astype(np.uint8), part.astype(np.uint8), cv2.TM_CCOEFF_NORMED)
    _, best, _, place = cv2.minMaxLoc(found)
    return (place[0], place[1]) if best >= least else None
