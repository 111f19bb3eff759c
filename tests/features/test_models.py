from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

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

    def counted(*arguments: Any, **options: Any) -> Any:
        opened.append(1)
        return original(*arguments, **options)

    monkeypatch.setattr(ort, "InferenceSession", counted)
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
