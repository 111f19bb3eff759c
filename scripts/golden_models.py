"""Make the golden vectors of ``tests/golden/embedding_lite0.npz`` with the original PyTorch code.

    python scripts/golden_models.py

in the environment of ``export_models.py``. Two references for each size, both of a picture that is made of whole
numbers (``tests/synthetic.py``), L2-normalised, float32, (1280,):

``fp32_SIZE``
    the original network, float32, in PyTorch.
``int8_SIZE``
    the 8-bit file evaluated by the ONNX definition of its operators, every sum of products exact. A processor that
    saturates gives something else.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import NodeProto, helper, numpy_helper
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "scripts")]

from export_models import original_lite, reference_lite  # noqa: E402
from synthetic import photo  # noqa: E402

SIZES = (128, 224)
SEED = 5


def exact(path: Path, pixels: Tensor) -> Tensor:
    """The 8-bit network in exact arithmetic: integers held in float64, scales applied in float32."""
    model = onnx.load(path)
    values: dict[str, Tensor] = {
        tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy()) for tensor in model.graph.initializer
    }
    values["pixels"] = pixels
    for node in model.graph.node:
        inputs = [values[name] for name in node.input]
        values[node.output[0]] = OPERATORS[node.op_type](node, *inputs)
    return values["embedding"]


def quantised(values: Tensor, zero: Tensor) -> Tensor:
    """Round half to even and saturate to uint8."""
    return torch.clamp(torch.round(values) + zero, 0, 255).to(torch.uint8)


def qlinear_conv(node: NodeProto, x: Tensor, *rest: Tensor) -> Tensor:
    """https://onnx.ai/onnx/operators/onnx__QLinearConv.html"""
    x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias = rest
    assert not w_zero.any()
    settings: dict[str, Any] = {item.name: helper.get_attribute_value(item) for item in node.attribute}
    top, left, bottom, right = settings["pads"]
    centred = F.pad(x.double() - x_zero.double(), (left, right, top, bottom))
    sums = F.conv2d(centred, w.double(), bias.double(), stride=settings["strides"], groups=settings["group"])
    return quantised(sums.float() * (x_scale * w_scale / y_scale).reshape(1, -1, 1, 1), y_zero)


def qlinear_add(
    _: NodeProto, a: Tensor, a_scale: Tensor, a_zero: Tensor, b: Tensor, b_scale: Tensor, b_zero: Tensor, *y: Tensor
) -> Tensor:
    """The operator of the same name in com.microsoft."""
    total = (a.float() - a_zero.float()) * a_scale + (b.float() - b_zero.float()) * b_scale
    return quantised(total / y[0], y[1])


OPERATORS = {
    "Transpose": lambda node, x: x.permute(0, 3, 1, 2),
    "QLinearConv": qlinear_conv,
    "QLinearAdd": qlinear_add,
    "DequantizeLinear": lambda node, x, scale, zero: (x.float() - zero.float()) * scale,
    "ReduceMean": lambda node, x, axes: x.mean(dim=axes.tolist()),
}


def unit(vector: Tensor) -> np.ndarray:
    """One vector of length 1, float32."""
    flat = vector.detach().double().reshape(-1)
    return (flat / flat.norm()).float().numpy()


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "golden" / "embedding_lite0.npz")
    arguments = parser.parse_args()
    network = original_lite(0)
    small = ROOT / "src" / "lookalike" / "features" / "models" / "efficientnet-lite0-int8.onnx"
    golden: dict[str, np.ndarray] = {}
    with torch.no_grad():
        for size in SIZES:
            pixels = torch.from_numpy(photo(SEED, size, size))[None]
            golden[f"fp32_{size}"] = unit(reference_lite(network, pixels))
            golden[f"int8_{size}"] = unit(exact(small, pixels))
    np.savez(arguments.out, seed=np.int64(SEED), **golden)
    print(f"{arguments.out}: {', '.join(golden)}")


if __name__ == "__main__":
    main()
