from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from synthetic import garment, noise, photo
from test_encoder_file import encoder

from lookalike import load
from lookalike.errors import ModelError, UsageError
from lookalike.features.embedding import BATCH, Embedding, cosine, squeeze

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "embedding_lite0.npz")
FP32, INT8 = "efficientnet-lite0", "efficientnet-lite0-int8"


def golden_picture(size: int) -> np.ndarray:
    return photo(int(GOLDEN["seed"]), size, size)[None]


@pytest.mark.parametrize("size", [128, 224])
def test_fp32_is_what_the_original_pytorch_code_gives(size: int) -> None:
    (vector,) = Embedding(FP32, size).embed(golden_picture(size))
    np.testing.assert_allclose(vector, GOLDEN[f"fp32_{size}"], atol=1e-4, rtol=0)
    assert cosine(vector, GOLDEN[f"fp32_{size}"]) > 0.999999


@pytest.mark.parametrize("size", [128, 224])
def test_int8_is_what_exact_arithmetic_gives(size: int) -> None:
    """Fails on a processor where sums saturate: with full-range weights the cosine was 0.88 on one without VNNI."""
    (vector,) = Embedding(INT8, size).embed(golden_picture(size))
    assert cosine(vector, GOLDEN[f"int8_{size}"]) > 0.9999


@pytest.mark.parametrize("size", [128, 224])
def test_int8_is_close_to_the_original_pytorch_code(size: int) -> None:
    """On a made-up picture, far from the photos it was calibrated on; on photos the mean is 0.996 (docs/models.md)."""
    (vector,) = Embedding(INT8, size).embed(golden_picture(size))
    assert cosine(vector, GOLDEN[f"fp32_{size}"]) > 0.97


@pytest.mark.parametrize("model", [FP32, INT8])
def test_vector_does_not_depend_on_the_batch(model: str) -> None:
    embedding = Embedding(model, 128)
    pictures = [load(photo(seed, 150, 140)) for seed in range(BATCH + 2)]
    together = embedding.extract(pictures)
    for picture, vector in zip(pictures, together, strict=True):
        (alone,) = embedding.extract([picture])
        # equal to the last bit where it was measured; another processor may share out the sums another way
        np.testing.assert_allclose(alone, vector, atol=1e-6, rtol=0)


def test_vectors_have_length_one_and_the_promised_shape() -> None:
    embedding = Embedding(size=64)
    vectors = embedding.extract([load(photo(1, 90, 200)), load(noise(2, 40, 30))])
    assert [vector.shape for vector in vectors] == [embedding.shape] * 2
    assert {str(vector.dtype) for vector in vectors} == {embedding.dtype}
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_no_pictures_no_vectors() -> None:
    assert Embedding().extract([]) == []


@pytest.mark.parametrize("colour", [0, 127, 255])
def test_flat_pictures_have_vectors_too(colour: int) -> None:
    (vector,) = Embedding(size=64).extract([load(np.full((50, 50, 3), colour, np.uint8))])
    assert np.isfinite(vector).all()
    assert Embedding().compare(vector, vector) == 1.0


def test_colour_order_is_rgb() -> None:
    """The golden vectors bind the network; this binds the way from a picture to it."""
    (vector,) = Embedding(FP32, 128).extract([load(Image.fromarray(golden_picture(128)[0]))])
    assert cosine(vector, GOLDEN["fp32_128"]) > 0.99999


def test_similarity_is_the_cosine_moved_into_0_to_1() -> None:
    embedding = Embedding()
    a, b = np.array([1, 0], np.float32), np.array([0.6, 0.8], np.float32)
    assert embedding.raw(a, b) == pytest.approx(0.6)
    assert embedding.compare(a, b) == pytest.approx(0.8)
    assert embedding.compare(a, -a) == 0.0


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_compare_is_symmetric_within_bounds_and_one_for_equals(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, 1280)).astype(np.float32)
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    embedding = Embedding()
    assert embedding.compare(a, b) == embedding.compare(b, a)
    assert 0.0 <= embedding.compare(a, b) <= 1.0
    assert embedding.compare(a, a.copy()) == 1.0


def test_the_same_garment_moved_is_nearer_than_another() -> None:
    embedding = Embedding()
    dress = garment("dress", (30, 90, 160))
    a, moved, other = embedding.extract([load(dress), load(dress[10:, 20:]), load(garment("trousers", (30, 90, 160)))])
    assert embedding.compare(a, moved) > embedding.compare(a, other)


def test_key_changes_with_model_and_size_only() -> None:
    assert Embedding().key == Embedding(INT8, 224).key
    assert len({Embedding().key, Embedding(size=128).key, Embedding(FP32).key}) == 3
    assert Embedding().params["sha256"] != Embedding(FP32).params["sha256"]
    assert Embedding().label == INT8


@pytest.mark.parametrize("size", [0, -32, 100])
def test_sizes_the_network_cannot_take_are_refused(size: int) -> None:
    with pytest.raises(UsageError, match="multiples of 32"):
        Embedding(size=size)


@pytest.mark.parametrize("arguments", [{"model": "vgg"}, {"model": "xfeat"}, {"mean": (0, 0, 0)}])
def test_senseless_arguments_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Embedding(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("axes", [2, 4])
def test_own_encoder_gets_normalised_planes(tmp_path: Path, axes: int) -> None:
    path = encoder(tmp_path / "mine.onnx", axes=axes)
    embedding = Embedding(str(path), 32, mean=(0.0, 0.1, 0.2), std=(1.0, 0.5, 0.25))
    (vector,) = embedding.extract([load(np.full((10, 20, 3), (51, 102, 153), np.uint8))])
    expected = np.array([0.2, (0.4 - 0.1) / 0.5, (0.6 - 0.2) / 0.25])
    np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)
    assert embedding.label == "mine"


def test_own_encoder_gets_bytes_if_it_wants_them(tmp_path: Path) -> None:
    embedding = Embedding(str(encoder(tmp_path / "mine.onnx", "bytes", 48)))
    (vector,) = embedding.extract([load(np.full((10, 20, 3), (10, 20, 20), np.uint8))])
    np.testing.assert_allclose(vector, np.array([1, 2, 2]) / 3, atol=1e-6)


def test_own_encoder_may_take_one_picture_at_a_time(tmp_path: Path) -> None:
    path = encoder(tmp_path / "mine.onnx", "bytes", 32, batch=1)
    pictures = [load(np.full((9, 9, 3), (1, 2, 2), np.uint8)), load(np.full((9, 9, 3), (2, 2, 1), np.uint8))]
    found = Embedding(str(path)).extract(pictures)
    np.testing.assert_allclose(found, np.array([[1, 2, 2], [2, 2, 1]]) / 3, atol=1e-6)


def test_normalisation_is_part_of_the_key(tmp_path: Path) -> None:
    path = str(encoder(tmp_path / "mine.onnx"))
    one = Embedding(path, 32, mean=(0, 0, 0), std=(1, 1, 1))
    assert one.key != Embedding(path, 32, mean=(0, 0, 0.1), std=(1, 1, 1)).key


def test_own_encoder_that_is_gone_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx"):
        Embedding(str(tmp_path / "gone.onnx"))


def test_squeeze_averages_whole_blocks() -> None:
    pixels = noise(3, 128, 64)
    blocks = pixels.reshape(32, 2, 32, 4, 3).mean(axis=(1, 3))
    assert np.abs(squeeze(pixels, 32) - blocks).max() <= 1


def test_squeeze_skips_nothing() -> None:
    """Stripes of one pixel become grey; sampling without averaging would give black or white."""
    pixels = np.zeros((400, 600, 3), np.uint8)
    pixels[:, ::2] = 255
    assert np.abs(squeeze(pixels, 128).astype(int) - 127).max() < 40


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (2000, 3), (127, 129), (255, 257), (31, 900)])
def test_squeeze_takes_any_shape(shape: tuple[int, int]) -> None:
    found = squeeze(np.full((*shape, 3), 90, np.uint8), 128)
    assert found.shape == (128, 128, 3)
    assert np.abs(found.astype(int) - 90).max() <= 1


def test_squeeze_agrees_with_pillow() -> None:
    pixels = photo(4, 500, 380)
    ours = squeeze(pixels, 128).astype(float)
    theirs = np.asarray(Image.fromarray(pixels).resize((128, 128), Image.Resampling.BICUBIC), float)
    assert np.abs(ours - theirs).mean() < 2
