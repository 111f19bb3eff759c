"""A network read from ONNX into torch, so that it can learn, and written back into the very same graph.

Weights go back by their names, so that what is exported is the graph that ships, input and output as they were: uint8
N×H×W×3 of any size in, vectors out. Nothing is traced, and nothing can be lost on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from lookalike.errors import UsageError
from lookalike.features.models import ModelSpec, read
from lookalike.optional import later

torch = later("torch", extra="train")
onnx = later("onnx", extra="train")

Tensor: TypeAlias = Any


class Network:
    """The graph of an ONNX file, run by torch.

    Args:
        model: an image encoder made of the nodes in :data:`RULES`, such as ``efficientnet-lite0``.
        device: where its weights lie.

    Attributes:
        weights: name → tensor with gradients: kernels and biases of the convolutions.

    Raises:
        UsageError: the network has a node that there is no rule for, as 8-bit networks have.
    """

    def __init__(self, model: ModelSpec, device: str = "cpu") -> None:
        self.model = model
        self._proto = onnx.load_from_string(read(model.path))
        graph = self._proto.graph
        unknown = sorted({node.op_type for node in graph.node} - set(RULES))
        if unknown:
            raise UsageError(
                f"{model.name} cannot be trained as a whole: it has nodes of the kinds {', '.join(unknown)}",
                remedy="train efficientnet-lite0, or a head with --kind head",
            )
        learned = {name for node in graph.node if node.op_type == "Conv" for name in node.input[1:]}
        self.weights: dict[str, Tensor] = {}
        self._fixed: dict[str, Tensor] = {}
        for each in graph.initializer:
            tensor = torch.tensor(onnx.numpy_helper.to_array(each).copy(), device=device)
            if each.name in learned:
                wide = tensor.dim() == 4 and device != "cpu"
                tensor = tensor.to(memory_format=torch.channels_last) if wide else tensor
                self.weights[each.name] = tensor.requires_grad_()
            else:
                self._fixed[each.name] = tensor
        self._nodes = [
            (node.op_type, list(node.input), node.output[0], _attributes(node), _last_uses(graph, index))
            for index, node in enumerate(graph.node)
        ]
        self._source, self._target = graph.input[0].name, graph.output[0].name

    def __call__(self, pictures: Tensor) -> Tensor:
        """Vectors as the ONNX file gives them.

        Args:
            pictures: what the file takes; for a network of bytes N×H×W×3 from 0 to 255, uint8 or float.
        """
        values: dict[str, Tensor] = {self._source: pictures}
        for kind, inputs, output, attributes, done in self._nodes:
            given = [self._value(values, name) for name in inputs]
            values[output] = RULES[kind](given, attributes)
            for name in done:
                del values[name]  # without gradients memory stays that of one layer
        return values[self._target]

    def _value(self, values: Mapping[str, Tensor], name: str) -> Tensor:
        if name in values:
            return values[name]
        return self.weights[name] if name in self.weights else self._fixed.get(name)

    def set_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Take these values, by name."""
        with torch.no_grad():
            for name, tensor in self.weights.items():
                tensor.copy_(weights[name])

    def to_onnx(self) -> bytes:
        """The file again, with the weights as they are now."""
        made = onnx.ModelProto()
        made.CopyFrom(self._proto)
        for each in made.graph.initializer:
            if each.name in self.weights:
                values = self.weights[each.name].detach().float().contiguous().cpu().numpy()
                each.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(values), each.name))
        return bytes(made.SerializeToString())


def _last_uses(graph: Any, index: int) -> list[str]:
    """Values that no node after ``index`` needs."""
    later_on = {name for node in graph.node[index + 1 :] for name in node.input}
    made = {name for node in graph.node[:index] for name in node.output} | {graph.input[0].name}
    return [name for name in dict.fromkeys(graph.node[index].input) if name in made - later_on]


def _attributes(node: Any) -> dict[str, Any]:
    return {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}


def _convolution(given: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    source, weights = given[0], given[1]
    if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
        raise UsageError("a convolution pads by a rule (auto_pad) that depends on the size", remedy="train a head")
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    padding = (top, left)
    if (top, left) != (bottom, right):
        source, padding = torch.nn.functional.pad(source, (left, right, top, bottom)), (0, 0)
    return torch.nn.functional.conv2d(
        source,
        weights,
        given[2] if len(given) > 2 else None,
        stride=tuple(attributes.get("strides", (1, 1))),
        padding=padding,
        dilation=tuple(attributes.get("dilations", (1, 1))),
        groups=attributes.get("group", 1),
    )


def _clip(given: list[Tensor], _: dict[str, Any]) -> Tensor:
    low, high = (float(each) if each is not None else None for each in (*given[1:], None, None)[:2])
    return torch.clamp(given[0], low, high)


def _mean(given: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    axes = given[1].tolist() if len(given) > 1 else list(attributes["axes"])
    # in 32 bits also where the layers before it computed in 16: what is compared in the end
    return given[0].float().mean(dim=axes, keepdim=bool(attributes.get("keepdims", 1)))


RULES: dict[str, Callable[[list[Tensor], dict[str, Any]], Tensor]] = {
    "Transpose": lambda given, attributes: given[0].permute(*attributes["perm"]),
    "Cast": lambda given, _: given[0].float(),
    "Add": lambda given, _: given[0] + given[1],
    "Sub": lambda given, _: given[0] - given[1],
    "Mul": lambda given, _: given[0] * given[1],
    "Conv": _convolution,
    "Clip": _clip,
    "Relu": lambda given, _: torch.relu(given[0]),
    "ReduceMean": _mean,
    "GlobalAveragePool": lambda given, _: given[0].mean(dim=(2, 3), keepdim=True),
    "Flatten": lambda given, _: given[0].flatten(1),
}
"""What each kind of node does: inputs and attributes → output. Enough for EfficientNet-Lite and plain networks."""
