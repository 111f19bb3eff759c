"""A network and a head in one ONNX graph: pictures in, the new vectors out."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from lookalike.errors import ModelError, printable
from lookalike.features.models import ModelSpec, read
from lookalike.lab.training.projection import Projection
from lookalike.optional import later

onnx = later("onnx", extra="train")

Model: TypeAlias = Any
"""An onnx.ModelProto; onnx is an extra."""

LEAST_OPSET = 13
"""From here on ReduceSum takes its axes as an input."""

OUTPUT = "vectors"


def merged(base: ModelSpec, head: Projection) -> bytes:
    """The network ``base`` with the head behind it: the same input, output float32 N×d, rows of length 1.

    The bytes depend on nothing but the two and the version of onnx.

    Raises:
        ModelError: the file of ``base`` is not what it was, or of an opset below 13.
        MissingExtra: onnx is not installed.
    """
    content = read(base.path)
    try:
        network = onnx.load_from_string(content)
    except Exception as error:  # protobuf raises a class of its own for each kind of damage
        raise ModelError(f"{printable(str(base.path))} cannot be read as ONNX ({type(error).__name__})") from error
    opset = next((each.version for each in network.opset_import if each.domain in ("", "ai.onnx")), 0)
    if opset < LEAST_OPSET:
        raise ModelError(
            f"{printable(str(base.path))} has opset {opset}; a head needs {LEAST_OPSET} or more",
            remedy="convert it with onnx.version_converter",
        )
    del network.graph.output[1:]  # only the first is the vector
    # a file may hold both the weights as inputs (opsets before 9) and them again as constants
    weights = {tensor.name for tensor in network.graph.initializer}
    inputs = [each for each in network.graph.input if each.name not in weights]
    del network.graph.input[:]
    network.graph.input.extend(inputs)
    second = _head(base, head, network)
    made = onnx.compose.merge_models(
        network, second, io_map=[(network.graph.output[0].name, "head/embedding")], producer_name="lookalike"
    )
    made.producer_version = ""
    return bytes(made.SerializeToString())


def _head(base: ModelSpec, head: Projection, network: Model) -> Model:
    """``head/embedding`` N×D (or N×D×1×1) → ``head/vectors`` N×d, by the opset of the network."""
    helper, constant = onnx.helper, onnx.numpy_helper.from_array
    constants = [
        constant(np.array([0, -1]), "rows"),
        constant(np.array([1]), "across"),
        constant(np.float32(1e-12), "least"),
        constant(np.ascontiguousarray(head.matrix, np.float32), "matrix"),
        constant(np.ascontiguousarray(head.bias, np.float32), "bias"),
    ]
    nodes = [
        helper.make_node("Reshape", ["embedding", "rows"], ["flat"]),
        *_unit("flat", "direction"),
        helper.make_node("Gemm", ["direction", "matrix", "bias"], ["mapped"]),
    ]
    if head.bits:
        side = np.float32(1 / np.sqrt(head.dimension))
        constants += [constant(np.float32(0), "zero"), constant(side, "plus"), constant(-side, "minus")]
        nodes += [
            helper.make_node("GreaterOrEqual", ["mapped", "zero"], ["positive"]),
            helper.make_node("Where", ["positive", "plus", "minus"], [OUTPUT]),
        ]
    else:
        nodes += _unit("mapped", OUTPUT)
    number = onnx.TensorProto.FLOAT
    source = helper.make_tensor_value_info("embedding", number, _shape(network.graph.output[0]))
    target = helper.make_tensor_value_info(OUTPUT, number, ["batch", head.dimension])
    graph = helper.make_graph(nodes, "head", [source], [target], constants)
    model = helper.make_model(graph, opset_imports=network.opset_import, ir_version=network.ir_version)
    return onnx.compose.add_prefix(model, "head/")


def _unit(source: str, target: str) -> list[Any]:
    """Nodes that divide rows by their length, or by a little where they are zero."""
    node = onnx.helper.make_node
    square, total, length, safe = (f"{target}.{step}" for step in ("square", "sum", "length", "safe"))
    return [
        node("Mul", [source, source], [square]),
        node("ReduceSum", [square, "across"], [total], keepdims=1),
        node("Sqrt", [total], [length]),
        node("Max", [length, "least"], [safe]),
        node("Div", [source, safe], [target]),
    ]


def _shape(output: Any) -> list[Any]:
    return [each.dim_param or each.dim_value for each in output.type.tensor_type.shape.dim]
