from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lookalike.errors import ModelError
from lookalike.features import models
from lookalike.features.encoder_file import describe


def encoder(path: Path, kind: str = "float", size: int | str = "side", axes: int = 2, batch: int | str = "n") -> Path:
    """An encoder whose vector is the mean of every channel: N×3."""
    bytes_in = kind == "bytes"
    shape: list[Any] = [batch, size, size, 3] if bytes_in else [batch, 3, size, size]
    source = helper.make_tensor_value_info("x", TensorProto.UINT8 if bytes_in else TensorProto.FLOAT, shape)
    target = helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 3, 1, 1][:axes])
    nodes = [helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT)]
    constants = [numpy_helper.from_array(np.array([1, 2] if bytes_in else [2, 3]), "axes")]
    keep = int(axes == 4)
    nodes.append(helper.make_node("ReduceMean", ["f", "axes"], ["y"], keepdims=keep))
    graph = helper.make_graph(nodes, "encoder", [source], [target], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


def test_own_encoder_is_described_by_arguments(tmp_path: Path) -> None:
    path = encoder(tmp_path / "mine.onnx")
    spec = describe(path, size=48, mean=(0.5, 0.4, 0.3), std=(1, 1, 1))
    assert (spec.name, spec.dimension, spec.size, spec.layout) == ("mine", 3, 48, "floats")
    assert spec.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert models.session(spec).get_inputs()[0].name == "x"


def test_own_encoder_is_described_by_a_json_file_and_arguments_win(tmp_path: Path) -> None:
    path = encoder(tmp_path / "mine.onnx")
    described = {"size": 32, "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    path.with_suffix(".json").write_text(json.dumps(described), encoding="utf-8")
    assert describe(path).mean == (0.1, 0.2, 0.3)
    assert describe(path, size=64).size == 64


def test_own_encoder_may_fix_its_size_and_normalise_by_itself(tmp_path: Path) -> None:
    spec = describe(encoder(tmp_path / "mine.onnx", "bytes", 40))
    assert (spec.size, spec.layout, spec.mean) == (40, "bytes", None)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    path = encoder(tmp_path / "mine.onnx")
    with pytest.raises(ModelError, match="mean and std and size must be given") as caught:
        describe(path)
    assert "mine.json" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "cannot be read as JSON"),
        ('{"sise": 3}', "size, mean and std, nothing else"),
        ('{"size": "big", "mean": [0, 0, 0], "std": [1, 1, 1]}', "positive whole number"),
        ('{"size": 32, "mean": [0, 0], "std": [1, 1, 1]}', "mean must be three numbers"),
    ],
)
def test_a_wrong_json_file_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = encoder(tmp_path / "mine.onnx")
    path.with_suffix(".json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=message) as caught:
        describe(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_model_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_bytes(b"this is no model")
    with pytest.raises(ModelError, match="ONNX Runtime cannot open") as caught:
        describe(path, size=32, mean=(0, 0, 0), std=(1, 1, 1))
    assert "\n" not in str(caught.value)


def test_what_is_no_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not N×D"):
        describe(models.spec("xfeat").path, size=32, mean=(0, 0, 0), std=(1, 1, 1))


def test_a_size_the_network_does_not_take_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="40 pixels only, not 64"):
        describe(encoder(tmp_path / "mine.onnx", "bytes", 40), size=64)


def test_a_fixed_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="4 pictures at once"):
        describe(encoder(tmp_path / "mine.onnx", "bytes", 40, batch=4))
