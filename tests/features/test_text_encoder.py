"""The text half of a two-sided encoder, of a few words and three colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from own_network import channel_means
from PIL import Image

from lookalike.catalogue.catalogue import Index
from lookalike.errors import ModelError, UsageError
from lookalike.features.text_encoder import TextEncoder, has_text

onnx = pytest.importorskip("onnx")
tokenizers = pytest.importorskip("tokenizers")

WORDS = {"[PAD]": 0, "[UNK]": 1, "red": 2, "green": 3, "blue": 4, "dress": 5}
MEANING = np.array([[0, 0, 0], [0.1, 0.1, 0.1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0.3, 0.3, 0.3]], np.float32)


def text_half(path: Path, *, length: int | str = "length", name: str = "input_ids", width: int = 3) -> None:
    """A network that adds up what its words mean."""
    from onnx import TensorProto, helper, numpy_helper

    table = np.pad(MEANING, ((0, 0), (0, width - 3)))
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", name], ["each"]),
            helper.make_node("ReduceSum", ["each", "axes"], ["vector"], keepdims=0),
        ],
        "text",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", length])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["n", width])],
        [numpy_helper.from_array(table, "table"), numpy_helper.from_array(np.array([1], np.int64), "axes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Both halves and the tokenizer."""
    path = channel_means(tmp_path / "colours.onnx")
    text_half(tmp_path / "colours.text.onnx")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.Lowercase()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "colours.tokenizer.json"))
    return path


def test_words_lie_where_their_pictures_lie(model: Path) -> None:
    encoder = TextEncoder(model, 3)
    np.testing.assert_allclose(encoder.encode("Red"), [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(encoder.encode("red blue"), np.array([1, 0, 1]) / np.sqrt(2), atol=1e-6)
    with pytest.raises(UsageError, match="no words"):
        encoder.encode("  ")


def test_a_fixed_length_is_filled_up_and_cut_off(model: Path) -> None:
    text_half(model.with_suffix(".text.onnx"), length=4)
    encoder = TextEncoder(model, 3)
    np.testing.assert_allclose(encoder.encode("green"), [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(encoder.encode("green green green green red red"), [0, 1, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: text_half(path, name="words"), "it takes words, not input_ids"),
        (lambda path: text_half(path, width=5), "both halves of one model"),
        (lambda path: path.write_bytes(b"nothing"), "text.onnx"),
        (lambda path: path.with_name("colours.tokenizer.json").write_text("{"), "cannot be read as a tokenizer"),
    ],
)
def test_what_is_no_text_half_is_said(model: Path, change, words: str) -> None:
    change(model.with_suffix(".text.onnx"))
    with pytest.raises(ModelError, match=words):
        TextEncoder(model, 3)


def test_a_catalogue_is_searched_by_words(model: Path, tmp_path: Path) -> None:
    for name, colour in (("a", (200, 20, 20)), ("b", (20, 200, 20)), ("c", (20, 20, 200))):
        Image.new("RGB", (64, 64), colour).save(tmp_path / f"{name}.png")
    pictures = [tmp_path / f"{name}.png" for name in "abc"]
    options = {"model": str(model), "size": 64, "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
    with Index.build(pictures, place=tmp_path / "index", options=options, workers=1, store=False) as index:
        for words, first in (("red", "a.png"), ("green dress", "b.png"), ("something blue", "c.png")):
            found = index.search(text=words)
            assert found[0].id == first
            assert found[0].score is None
            assert found.preset is None
        assert has_text(model)
        model.with_suffix(".text.onnx").unlink()
        with pytest.raises(UsageError, match=r"clip\.text\.onnx and clip\.tokenizer\.json"):
            index.search(text="red")
