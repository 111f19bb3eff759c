"""Make the 8-bit EfficientNet-Lite, whole and up to its cells, from the 32-bit file of ``export_models.py``.

    python scripts/quantise_models.py efficientnet-lite0 --pictures DIR --out src/lookalike/features/models

``DIR`` holds the pictures that set the value ranges: 128 of the CC0 clothing photos for the file that ships. Needs
``onnx onnxruntime opencv-python-headless`` beside ``lookalike`` itself.

Scheme: activations uint8, one scale a tensor, range = smallest and largest value seen; weights int8, one scale an
output channel; biases int32, corrected for the mean error that rounding the weights makes. The picture itself enters
unchanged: its bytes are the quantised input, (byte - 127) / 128 being what the weights were trained on.

Why the weights do not use their full range. x86 processors without VNNI multiply u8 × s8 two pairs at a time and add
the two products in 16 bits, saturating: 255 × 127 twice is too much, and the same file gives other vectors there.
Halving the weights to 7 bits avoids it and costs accuracy (cosine to fp32 0.967 instead of 0.992 on held-out photos).
It is enough that in every output channel the two largest weights of one sign add up to no more than 128, whichever two
meet: 255 × 128 = 32,640 fits. That costs nearly nothing, because a channel seldom has two extreme weights. Depthwise
kernels have one product an accumulator on every processor, so their weights keep all 8 bits.
"""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnx.utils import Extractor

from lookalike.features.embedding import squeeze

SIZES = (128, 224)
"""Ranges are taken at both sizes that the documentation recommends."""
PICTURES = 128
BATCH = 8
PAIR_LIMIT = 128
"""Largest sum of two weights of one sign: 255 × 128 is the largest multiple of 255 under 2¹⁵."""


@dataclass
class Ranges:
    """What the calibration pictures showed of one tensor: its extremes and the mean of every channel."""

    low: float = 0.0
    high: float = 0.0
    total: NDArray[np.float64] | float = 0.0
    batches: int = 0

    def add(self, values: NDArray[np.float32]) -> None:
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        self.total = self.total + values.mean(axis=(0, 2, 3), dtype=np.float64)
        self.batches += 1

    @property
    def mean(self) -> NDArray[np.float64]:
        return np.asarray(self.total / self.batches)


@dataclass(frozen=True)
class Quantised:
    """Names and numbers of one quantised tensor."""

    tensor: str
    scale_name: str
    zero_name: str
    scale: float

    @property
    def inputs(self) -> list[str]:
        return [self.tensor, self.scale_name, self.zero_name]


@dataclass
class Writer:
    """The graph being written."""

    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)
    known: dict[str, Quantised] = field(default_factory=dict)

    def constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def activation(self, name: str, scale: float, zero: int) -> Quantised:
        single = np.float32(scale)
        names = self.constant(f"{name}.scale", single), self.constant(f"{name}.zero", np.uint8(zero))
        made = self.known[name] = Quantised(f"{name}.quantised", *names, float(single))
        return made


def calibrate(model: onnx.ModelProto, folder: Path) -> dict[str, Ranges]:
    """Run the 32-bit network on evenly spread pictures of ``folder`` and watch every tensor."""
    paths = sorted(folder.glob("*.jpg"))
    paths = paths[:: max(1, len(paths) // PICTURES)][:PICTURES]
    assert len(paths) == PICTURES, f"{folder} holds fewer than {PICTURES} JPEG files"
    pictures = [cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB) for path in paths]
    names = [node.output[0] for node in model.graph.node if node.op_type in ("Mul", "Conv", "Clip", "Add")]
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    session = ort.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges = {name: Ranges() for name in names}
    for size in SIZES:
        for start in range(0, PICTURES, BATCH):
            batch = np.stack([squeeze(picture, size) for picture in pictures[start : start + BATCH]])
            for name, values in zip(names, session.run(names, {"pixels": batch}), strict=True):
                ranges[name].add(values)
    return ranges


def weight_scales(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """The finest scale of every output channel that keeps 8 bits and the pair limit."""
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    scales = np.abs(flat).max(axis=1) / 127
    if weights.shape[1] > 1:  # not depthwise: products meet in pairs
        for sign in (1, -1):
            largest = np.sort(np.maximum(sign * flat, 0), axis=1)
            # one less than the limit, because rounding can add half to either weight
            scales = np.maximum(scales, (largest[:, -1] + largest[:, -2]) / (PAIR_LIMIT - 1))
    return np.where(scales > 0, scales, 1).astype(np.float32)


CELL_CHANNELS = 80
"""Channels of the layer that tells what is where; of the deeper ones, small crops are harder to find again."""


def write_convolution(
    writer: Writer, node: NodeProto, floats: dict[str, NDArray[np.float32]], ranges: dict[str, Ranges], output: str
) -> None:
    """Turn a convolution (with the ReLU6 behind it, whose clipping the value range does) into a QLinearConv."""
    source, name = writer.known[node.input[0]], node.input[1]
    weights, bias = floats[name], floats[node.input[2]].astype(np.float64)
    # A nearly dead channel has weights so small that its bias would not fit 32 bits in their unit.
    scales = np.maximum(weight_scales(weights), (np.abs(bias) / source.scale / 2**28).astype(np.float32))
    steps = np.round(weights / scales.reshape(-1, 1, 1, 1))
    error = (steps * scales.reshape(-1, 1, 1, 1) - weights).sum(axis=(2, 3), dtype=np.float64)
    mean = ranges[node.input[0]].mean
    bias -= error[:, 0] * mean if weights.shape[1] == 1 else error @ mean
    unit = source.scale * scales.astype(np.float64)
    target = quantise_range(writer, output, ranges[output])
    inputs = [
        *source.inputs,
        writer.constant(f"{name}.int8", steps.astype(np.int8)),
        writer.constant(f"{name}.scales", scales),
        writer.constant(f"{name}.zeros", np.zeros(len(weights), np.int8)),
        target.scale_name,
        target.zero_name,
        writer.constant(f"{name}.bias", np.round(bias / unit).astype(np.int32)),
    ]
    made = helper.make_node("QLinearConv", inputs, [target.tensor])
    made.attribute.extend(node.attribute)
    writer.nodes.append(made)


def quantise_range(writer: Writer, name: str, seen: Ranges) -> Quantised:
    """uint8 over exactly the range seen; zero has a value of its own, since padding needs it."""
    scale = (seen.high - seen.low) / 255
    return writer.activation(name, scale, round(-seen.low / scale))


def quantise(model: onnx.ModelProto, ranges: dict[str, Ranges]) -> onnx.ModelProto:
    """The 8-bit model: same input and output as ``model``."""
    graph, writer = model.graph, Writer()
    floats = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    clipped = {node.input[0]: node.output[0] for node in graph.node if node.op_type == "Clip"}
    for node in graph.node:
        match node.op_type:
            case "Transpose":
                writer.nodes.append(helper.make_node("Transpose", ["pixels"], ["input.quantised"], perm=[0, 3, 1, 2]))
            case "Mul":  # (byte - 127) / 128 is how a byte reads at this scale and zero: nothing to compute
                picture = writer.activation("input", 1 / 128, 127)
                writer.known[node.output[0]] = picture
            case "Conv":
                write_convolution(writer, node, floats, ranges, clipped.get(node.output[0], node.output[0]))
            case "Add":
                terms = [name for term in node.input for name in writer.known[term].inputs]
                total = quantise_range(writer, node.output[0], ranges[node.output[0]])
                inputs = [*terms, total.scale_name, total.zero_name]
                writer.nodes.append(helper.make_node("QLinearAdd", inputs, [total.tensor], domain="com.microsoft"))
            case "ReduceMean":
                last = writer.known[node.input[0]]
                axes = writer.constant("axes", np.array([2, 3]))
                writer.nodes.append(helper.make_node("DequantizeLinear", last.inputs, ["features"]))
                writer.nodes.append(helper.make_node("ReduceMean", ["features", axes], ["embedding"], keepdims=0))
            case "Cast" | "Sub" | "Clip":
                pass  # taken in by the scales around them
            case other:
                raise SystemExit(f"no rule for {other}")
    made = helper.make_graph(writer.nodes, graph.name, graph.input, graph.output, writer.constants)
    opsets = [helper.make_opsetid("", model.opset_import[0].version), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=model.ir_version, producer_name="lookalike")


def up_to_cells(model: onnx.ModelProto) -> onnx.ModelProto:
    """The part of the model that ends with its last layer of 80 channels: ``cells``, uint8, N×80×H/16×W/16.

    They say what is where in the picture, and need three fifths of the time of the whole.
    """
    graph = model.graph
    sums = [node for node in graph.node if node.op_type == "QLinearAdd"]
    shapes = {tensor.name: tensor.dims for tensor in graph.initializer}
    convolutions = {node.output[0]: node for node in graph.node if node.op_type == "QLinearConv"}
    channels = [shapes[convolutions[node.input[0]].input[3]][0] for node in sums]
    last = max(index for index, count in enumerate(channels) if count == CELL_CHANNELS)
    part = onnx.ModelProto()
    part.CopyFrom(model)
    old = sums[last].output[0]
    for node in part.graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == old:
                    names[index] = "cells"
    axes = ("batch", CELL_CHANNELS, "rows", "columns")
    part.graph.output.append(helper.make_tensor_value_info("cells", TensorProto.UINT8, axes))
    return Extractor(part).extract_model([graph.input[0].name], ["cells"])


def main() -> None:
    """Quantise what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", help="such as efficientnet-lite0")
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("src/lookalike/features/models"))
    arguments = parser.parse_args()
    for name in arguments.names:
        model = onnx.load(arguments.out / f"{name}.onnx")
        target = arguments.out / f"{name}-int8.onnx"
        quantised = quantise(model, calibrate(model, arguments.pictures))
        for path, part in ((target, quantised), (target.with_stem(f"{name}-int8-cells"), up_to_cells(quantised))):
            onnx.save(part, path)
            content = path.read_bytes()
            print(f"{path}  {len(content):,} bytes  sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
