from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from lookalike.errors import ModelError, UsageError
from lookalike.features import models


@pytest.mark.parametrize("name", models.MODELS)
def test_built_in_files_are_the_ones_described(name: str) -> None:
    spec = models.spec(name)
    assert hashlib.sha256(spec.path.read_bytes()).hexdigest() == spec.sha256
    assert "Apache-2.0" in spec.licence
    assert spec.source.startswith("PyPI ")


def test_built_in_files_leave_room_in_the_wheel() -> None:
    assert {path.name for path in models.FOLDER.glob("*")} == {spec.path.name for spec in models.MODELS.values()}
    assert sum(path.stat().st_size for path in models.FOLDER.glob("*.onnx")) < 21e6


@pytest.mark.parametrize("name", models.MODELS)
def test_built_in_files_tell_nothing_of_the_machine_that_made_them(name: str) -> None:
    content = models.spec(name).path.read_bytes()
    assert b"/site-packages" not in content
    assert b"/home" not in content
    assert b".py" not in content


@pytest.mark.parametrize("name", ["efficientnet-lite0-int8", "efficientnet-lite0"])
def test_embedding_models_have_the_dimension_described(name: str) -> None:
    spec = models.spec(name)
    pixels = np.zeros((2, 64, 96, 3), np.uint8)
    (vectors,) = models.session(spec).run(["embedding"], {"pixels": pixels})
    assert vectors.shape == (2, spec.dimension)


def test_xfeat_gives_its_three_maps() -> None:
    found = models.session(models.spec("xfeat")).run(
        ["descriptors", "heatmap", "reliability"], {"grey": np.zeros((1, 1, 96, 64), np.float32)}
    )
    assert [array.shape for array in found] == [(1, 64, 12, 8), (1, 1, 96, 64), (1, 1, 12, 8)]


def test_no_two_products_of_the_8_bit_model_can_overflow_16_bits() -> None:
    """Processors without VNNI add u8 × s8 products two at a time in 16 bits; 255 × 128 is the most that fits."""
    graph = onnx.load(models.spec("efficientnet-lite0-int8").path).graph
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "QLinearConv"]
    assert len(convolutions) == 49
    for node in convolutions:
        weights = tensors[node.input[3]].astype(int)
        if weights.shape[1] == 1:
            continue  # depthwise: one product an accumulator
        flat = np.sort(weights.reshape(len(weights), -1), axis=1)
        assert (np.maximum(flat[:, -1], 0) + np.maximum(flat[:, -2], 0)).max() <= 128
        assert (np.minimum(flat[:, 0], 0) + np.minimum(flat[:, 1], 0)).min() >= -128


def test_unknown_name_says_what_there_is() -> None:
    with pytest.raises(UsageError, match="efficientnet-lite0-int8"):
        models.spec("resnet")


def test_a_damaged_file_never_reaches_onnx_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = models.spec("xfeat")
    content = bytearray(spec.path.read_bytes())
    content[1_000_000] ^= 1
    (tmp_path / "xfeat.onnx").write_bytes(content)
    monkeypatch.setattr(models, "_sessions", {})
    monkeypatch.setattr(ort, "InferenceSession", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(ModelError, match=r"damaged.*; reinstall lookalike") as caught:
        models.session(dataclasses.replace(spec, path=tmp_path / "xfeat.onnx"))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_sessions", {})
    with pytest.raises(ModelError, match="cannot be read") as caught:
        models.session(dataclasses.replace(models.spec("xfeat"), path=tmp_path / "gone.onnx"))
    assert "\n" not in str(caught.value)


def test_threads_share_one_session_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_sessions", {})
    opened = []
    original = ort.InferenceSession
    monkeypatch.setattr(ort, "InferenceSession", lambda *a, **k: opened.append(1) or original(*a, **k))
    found: list[ort.InferenceSession] = []
    start = threading.Barrier(4)

    def ask() -> None:
        start.wait()
        found.append(models.session(models.spec("xfeat")))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1
    assert len({id(session) for session in found}) == 1


def test_other_thread_count_is_another_session() -> None:
    spec = models.spec("xfeat")
    assert models.session(spec, threads=1) is not models.session(spec)
    assert models.session(spec, threads=1).get_session_options().intra_op_num_threads == 1


def test_a_provider_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="no NoSuchExecutionProvider"):
        models.session(models.spec("xfeat"), providers=("NoSuchExecutionProvider",))


def test_importing_opens_nothing() -> None:
    code = (
        "import lookalike.features.embedding as e, lookalike.features.models as m; "
        "e.Embedding(); e.Embedding(size=128).params; assert not m._sessions"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def encoder(path: Path, kind: str = "float", size: int | str = "side", axes: int = 2) -> Path:
    """An encoder whose vector is the mean of every channel: N×3."""
    bytes_in = kind == "bytes"
    shape: list[Any] = ["n", size, size, 3] if bytes_in else ["n", 3, size, size]
    source = helper.make_tensor_value_info("x", TensorProto.UINT8 if bytes_in else TensorProto.FLOAT, shape)
    target = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3, 1, 1][:axes] if axes < 5 else ["n"])
    nodes = [helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT)]
    constants = [numpy_helper.from_array(np.array([1, 2] if bytes_in else [2, 3]), "axes")]
    keep = int(axes == 4)
    nodes.append(helper.make_node("ReduceMean", ["f", "axes"], ["y"], keepdims=keep))
    graph = helper.make_graph(nodes, "encoder", [source], [target], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


def test_own_encoder_is_described_by_arguments(tmp_path: Path) -> None:
    path = encoder(tmp_path / "mine.onnx")
    spec = models.from_file(path, size=48, mean=(0.5, 0.4, 0.3), std=(1, 1, 1))
    assert (spec.name, spec.dimension, spec.size, spec.layout) == ("mine", 3, 48, "floats")
    assert spec.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert models.session(spec).get_inputs()[0].name == "x"


def test_own_encoder_is_described_by_a_json_file_and_arguments_win(tmp_path: Path) -> None:
    path = encoder(tmp_path / "mine.onnx")
    described = {"size": 32, "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}
    path.with_suffix(".json").write_text(json.dumps(described), encoding="utf-8")
    assert models.from_file(path).mean == (0.1, 0.2, 0.3)
    assert models.from_file(path, size=64).size == 64


def test_own_encoder_may_fix_its_size_and_normalise_by_itself(tmp_path: Path) -> None:
    spec = models.from_file(encoder(tmp_path / "mine.onnx", "bytes", 40))
    assert (spec.size, spec.layout, spec.mean) == (40, "bytes", None)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    path = encoder(tmp_path / "mine.onnx")
    with pytest.raises(ModelError, match="mean and std and size must be given") as caught:
        models.from_file(path)
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
        models.from_file(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_model_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_bytes(b"this is no model")
    with pytest.raises(ModelError, match="ONNX Runtime cannot open") as caught:
        models.from_file(path, size=32, mean=(0, 0, 0), std=(1, 1, 1))
    assert "\n" not in str(caught.value)


def test_what_is_no_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not N×D"):
        models.from_file(models.spec("xfeat").path, size=32, mean=(0, 0, 0), std=(1, 1, 1))
