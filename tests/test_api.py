"""compare and compare_many: what callers may rely on whatever they hand over."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthetic import photo

import lookalike
from lookalike.errors import UnknownMethod, UnknownPreset, UsageError
from lookalike.scoring.pair import FeatureCache
from lookalike.threads import both
from lookalike.types import PairFailure

SHIRT = Path(__file__).resolve().parents[1] / "examples" / "shirt.jpg"
A, B = photo(1, 320, 240), photo(2, 320, 240)


def test_one_lazily_loaded_image_in_many_pairs_at_once() -> None:
    """Pillow decodes on first use and not safely in several threads."""
    data = SHIRT.read_bytes()
    expected = lookalike.compare(Image.open(io.BytesIO(data)), A).score
    for _ in range(5):
        query = Image.open(io.BytesIO(data))
        found = list(lookalike.compare_many([(query, A)] * 12, threads=4))
        assert [result.score for result in found if isinstance(result, lookalike.Comparison)] == [expected] * 12


def test_trimming_makes_pages_of_one_product_equal() -> None:
    small, large = np.full((400, 400, 3), 255, np.uint8), np.full((700, 500, 3), 255, np.uint8)
    product = photo(3, 160, 200)
    small[60:260, 100:260] = product
    large[300:500, 200:360] = product
    assert lookalike.compare(small, large, preset="fast").score < 0.9
    assert lookalike.compare(small, large, preset="fast", trim=True).score == pytest.approx(1.0, abs=1e-6)
    assert lookalike.compare(small, large, trim=True).verdict == "identical"
    [found] = lookalike.compare_many([(small, large)], trim=True, method="exact")
    assert isinstance(found, lookalike.Comparison)
    assert found.score == 1.0


FORKING = """
import os, sys
import lookalike
a, b, preset = sys.argv[1:]
expected = lookalike.compare(a, b, preset=preset).score
child = os.fork()
if child == 0:
    os._exit(0 if lookalike.compare(a, b, preset=preset).score == expected else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("preset", ["fast", "auto"])
def test_a_forked_child_can_compare(preset: str) -> None:
    """In a process of its own: what other tests have started in this one would not survive a fork either."""
    command = [sys.executable, "-c", FORKING, str(SHIRT), str(SHIRT.with_name("shirt-cropped.jpg")), preset]
    assert subprocess.run(command, timeout=30).returncode == 0


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"preset": "nope"}, UnknownPreset),
        ({"method": "nope"}, UnknownMethod),
        ({"threads": 0}, UsageError),
        ({"threads": -1}, UsageError),
        ({"options": {"embeding": {"size": 128}}}, UnknownMethod),
        ({"options": {"embedding": {"size": 100}}}, UsageError),
        ({"method": "ssim", "preset": "fast"}, UsageError),
    ],
)
def test_a_senseless_request_is_refused_before_any_pair_is_taken(
    request_: dict[str, object], error: type[Exception]
) -> None:
    def untouched() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        pytest.fail("a pair was taken")
        yield A, B

    with pytest.raises(error):
        lookalike.compare_many(untouched(), **request_)  # type: ignore[arg-type]


def test_one_bad_source_ends_its_own_pair_only() -> None:
    found = list(lookalike.compare_many([(A, B), (None, B), (A, "gone.png"), (A, A)]))  # type: ignore[list-item]
    assert [isinstance(result, PairFailure) for result in found] == [False, True, True, False]
    assert isinstance(found[1], PairFailure)
    assert "NoneType" in found[1].failure.reason


def test_a_source_of_pairs_that_breaks_gives_what_was_begun_first() -> None:
    def breaking() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        yield A, B
        yield A, A
        raise OSError("the list is gone")

    results = lookalike.compare_many(breaking())
    assert isinstance(next(results), lookalike.Comparison)
    assert isinstance(next(results), lookalike.Comparison)
    with pytest.raises(OSError, match="the list is gone"):
        next(results)


def test_options_of_preset_and_caller_are_both_kept() -> None:
    mine = lookalike.Preset(
        "mine", "", "weighted", {"embedding": 1.0}, options={"embedding": {"model": "efficientnet-lite0"}}
    )
    found = lookalike.compare(A, B, preset=mine, options={"embedding": {"size": 128}})
    assert found.model == "efficientnet-lite0"
    assert found.score != lookalike.compare(A, B, preset=mine).score


@pytest.mark.parametrize("name", ["fast", "hybrid", "ssim", "mse", "phash", "style", "embedding"])
def test_identical_is_said_of_identical_pixels_only(name: str) -> None:
    one_bit = A.copy()
    one_bit[5, 5, 0] ^= 1
    request = {"preset": name} if name in lookalike.PRESETS and name != "style" else {"method": name}
    assert lookalike.compare(A, one_bit, **request).verdict != "identical"  # type: ignore[arg-type]
    assert lookalike.compare(A, A.copy(), **request).verdict == "identical"  # type: ignore[arg-type]


def test_the_transform_says_what_happened_to_the_second() -> None:
    image = Image.open(SHIRT).convert("RGB")
    clockwise = lookalike.compare(image, image.transpose(Image.Transpose.ROTATE_270)).transform
    assert clockwise is not None
    assert (clockwise.flip, clockwise.rotation) == (False, 90)
    back = lookalike.compare(image.transpose(Image.Transpose.ROTATE_270), image).transform
    assert back is not None
    assert (back.flip, back.rotation) == (False, 270)


def test_grey_pictures_are_told_apart_by_their_greys() -> None:
    assert lookalike.compare(np.zeros((60, 60)), np.ones((60, 60))).score < 0.65


def test_the_cache_is_bounded_by_bytes() -> None:
    from lookalike.features.base import method

    cache = FeatureCache(most_bytes=100_000)
    ssim = method("ssim")
    for seed in range(3):
        cache.extract(ssim, lookalike.load(photo(seed, 64, 64)))
    assert len(cache._kept) == 0  # each is 512×512: too large to keep
    phash = method("phash")
    picture = lookalike.load(A)
    assert cache.extract(phash, picture) is cache.extract(phash, picture)


def test_both_waits_for_both() -> None:
    begun, ended = threading.Event(), threading.Event()

    def fails() -> None:
        begun.wait(5)
        raise ValueError("first")

    def lasts() -> None:
        begun.set()
        time.sleep(0.2)
        ended.set()

    with pytest.raises(ValueError, match="first"):
        both(fails, lasts)
    assert ended.is_set()


def test_errors_survive_pickling() -> None:
    import pickle

    from lookalike.errors import HTTPStatus, SourceNotFound

    for error in (SourceNotFound("gone", source="a.jpg", remedy="look"), HTTPStatus("no", source="u", status=404)):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), copy.to_dict()) == (type(error), str(error), error.to_dict())


def test_explain_does_not_overwrite_an_input(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    Image.fromarray(A).save(picture)
    before = picture.read_bytes()
    with pytest.raises(UsageError, match="overwrite"):
        lookalike.compare(picture, B, explain=tmp_path / ".." / tmp_path.name / "a.png")
    assert picture.read_bytes() == before


def test_an_image_without_pixels_is_refused() -> None:
    with pytest.raises(lookalike.PictureError, match="no pixels"):
        lookalike.compare(Image.new("RGB", (0, 5)), A)


@pytest.mark.parametrize(("turn", "words"), [(-8, "tilted by about 8°"), (0, "")])
def test_a_tilt_is_called_a_tilt_not_a_crop(turn: int, words: str) -> None:
    image = Image.open(SHIRT).convert("RGB")
    found = lookalike.compare(image, image.rotate(turn, Image.Resampling.BICUBIC, fillcolor="white"))
    assert words in str(found)
    assert "cropped" not in str(found)


def test_a_frame_round_a_picture_is_not_called_a_crop() -> None:
    image = Image.open(SHIRT).convert("RGB")
    page = Image.effect_noise((900, 800), 60).convert("RGB")
    page.paste(image, (150, 200))
    found = lookalike.compare(image, page)
    assert "the first is about" in str(found)
    assert "cropped to about" in str(lookalike.compare(page, image))


def test_the_raw_cosine_is_there_beside_the_similarity() -> None:
    found = lookalike.compare(A, B, method="embedding")
    assert found.score == pytest.approx((found.details["cosine"] + 1) / 2)
