"""What is written: one graph that gives what was judged, beside a description that fits it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from synthetic import photo

from lookalike.errors import ModelError, OutputError, UsageError
from lookalike.features import models
from lookalike.features.embedding import Embedding
from lookalike.features.encoder_file import describe
from lookalike.images.load import load
from lookalike.lab.training.export import check_out, sidecar, write
from lookalike.lab.training.merge import merged
from lookalike.lab.training.projection import Projection

PICTURES = [load(photo(seed, 150, 120)) for seed in range(5)]


def head(wide: int, narrow: int, *, bits: bool = False, seed: int = 0) -> Projection:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(wide, narrow)).astype(np.float32)
    return Projection(matrix, random.normal(size=narrow).astype(np.float32), bits)


def exported(tmp_path: Path, base: models.ModelSpec, projection: Projection, size: int = 96) -> Path:
    content = merged(base, projection)
    out = tmp_path / "trained.onnx"
    write(out, content, sidecar(base, size, content, {"kind": "head"}))
    return out


def own_encoder(path: Path, *, axes: int = 2, opset: int = 17) -> models.ModelSpec:
    """An encoder of floats with vectors N×6, or N×6×1×1, whose weights are inputs as well as old files have them."""
    random = np.random.default_rng(3)
    kernel = numpy_helper.from_array(random.normal(size=(6, 3, 5, 5)).astype(np.float32), "kernel")
    source = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])
    listed = helper.make_tensor_value_info("kernel", TensorProto.FLOAT, [6, 3, 5, 5])
    shape: list[Any] = ["n", 6, 1, 1]
    target = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape[:axes])
    other = helper.make_tensor_value_info("c", TensorProto.FLOAT, ["n", 6, "h1", "w1"])
    nodes = [
        helper.make_node("Conv", ["x", "kernel"], ["c"], kernel_shape=[5, 5]),
        helper.make_node("ReduceMean", ["c"], ["y"], axes=[2, 3], keepdims=int(axes == 4)),
    ]
    graph = helper.make_graph(nodes, "own", [source, listed], [target, other], [kernel])
    opsets = [helper.make_opsetid("", opset)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    path.with_suffix(".json").write_text('{"size": 64, "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]}')
    return describe(path) if opset >= 13 else models.ModelSpec("own", path, "", 6, 64, 1, "fp32", "floats")


@pytest.mark.parametrize("name", ["efficientnet-lite0-int8", "efficientnet-lite0"])
def test_a_head_in_the_graph_is_the_head_behind_the_vectors(tmp_path: Path, name: str) -> None:
    projection = head(1280, 40)
    out = exported(tmp_path, models.spec(name), projection)
    embedding = Embedding(str(out))
    assert (embedding.size, embedding.shape) == (96, (40,))
    given = np.stack(embedding.extract(PICTURES))
    expected = projection(np.stack(Embedding(name, 96).extract(PICTURES)))
    np.testing.assert_allclose(given, expected, atol=1e-4)
    np.testing.assert_allclose(np.stack(embedding.extract(PICTURES[:1])), given[:1], atol=1e-6)  # any batch


def test_a_code_in_the_graph_is_plus_and_minus(tmp_path: Path) -> None:
    projection = head(1280, 64, bits=True)
    given = np.stack(
        Embedding(str(exported(tmp_path, models.spec("efficientnet-lite0-int8"), projection))).extract(PICTURES)
    )
    vectors = np.stack(Embedding(size=96).extract(PICTURES))
    clear = np.abs(projection.before(vectors)) > 1e-4  # next to zero a rounding decides
    np.testing.assert_array_equal(given[clear], projection(vectors)[clear])
    np.testing.assert_allclose(np.abs(given), 1 / 8, rtol=1e-6)


@pytest.mark.parametrize("axes", [2, 4])
def test_a_head_on_an_encoder_of_ones_own(tmp_path: Path, axes: int) -> None:
    base = own_encoder(tmp_path / "own.onnx", axes=axes)
    projection = head(6, 3)
    out = exported(tmp_path, base, projection, 64)
    found = describe(out)
    assert (found.layout, found.mean, found.std, found.size) == ("floats", base.mean, base.std, 64)
    given = np.stack(Embedding(str(out)).extract(PICTURES))
    expected = projection(np.stack(Embedding(str(base.path)).extract(PICTURES)))
    np.testing.assert_allclose(given, expected, atol=1e-4)


def test_a_zero_vector_gives_no_nan(tmp_path: Path) -> None:
    projection = Projection(np.zeros((1280, 8), np.float32), np.zeros(8, np.float32))
    out = exported(tmp_path, models.spec("efficientnet-lite0-int8"), projection)
    assert np.stack(Embedding(str(out)).extract(PICTURES[:1])).tolist() == [[0.0] * 8]


def test_the_same_head_gives_the_same_bytes() -> None:
    base = models.spec("efficientnet-lite0-int8")
    assert merged(base, head(1280, 8)) == merged(base, head(1280, 8))


def test_an_opset_without_the_operators_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="opset 12; a head needs 13"):
        merged(own_encoder(tmp_path / "old.onnx", opset=12), head(6, 3))


def test_the_description_says_what_it_is_and_must_fit(tmp_path: Path) -> None:
    out = exported(tmp_path, models.spec("efficientnet-lite0-int8"), head(1280, 8))
    told = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))
    assert told["size"] == 96
    assert told["trained"]["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert told["trained"]["base"]["sha256"] == models.spec("efficientnet-lite0-int8").sha256
    with pytest.raises(UsageError, match="multiples of 32"):
        Embedding(str(out), 100)
    out.write_bytes(merged(models.spec("efficientnet-lite0-int8"), head(1280, 8, seed=1)))
    with pytest.raises(ModelError, match="describes another file"):
        describe(out)
    out.with_suffix(".json").write_text('{"size": 96, "trained": "yes"}', encoding="utf-8")
    with pytest.raises(ModelError, match="trained must be an object"):
        describe(out)


def test_what_breaks_while_it_is_written_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = models.spec("efficientnet-lite0-int8")
    out = exported(tmp_path, base, head(1280, 8))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lookalike.files.os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(out, b"new", {"size": 1})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    base = own_encoder(tmp_path / "own.onnx")
    with pytest.raises(UsageError, match=r"call it head\.onnx"):
        check_out(tmp_path / "head.pt", base)
    with pytest.raises(UsageError, match="is the network that is trained"):
        check_out(tmp_path / "own.onnx", base)
    with pytest.raises(OutputError, match="no folder"):
        check_out(tmp_path / "nowhere" / "head.onnx", base)
