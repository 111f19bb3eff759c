"""An image encoder of the user's own: an ONNX file in place of the built-in network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from lookalike.errors import ModelError, printable
from lookalike.features.models import ModelSpec, Triple, open_session, read


def describe(
    path: str | Path,
    *,
    size: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
) -> ModelSpec:
    """Describe an image encoder of the user's own. Opens it, to learn its shapes.

    The network has one input and its first output is one vector a picture, N×D or N×D×1×1. The input is float32
    N×3×H×W, or uint8 N×H×W×3 for networks that normalise by themselves.

    Args:
        path: the ``.onnx`` file. A file of the same name ending in ``.json`` may hold ``size``, ``mean`` and ``std``,
            and of a trained one also ``multiple`` (of which sizes must be multiples) and ``trained`` (where it is
            from; its ``sha256`` must be that of the file).
        size: side of the square input in pixels; needed only where the network leaves it open.
        mean, std: three numbers each, for RGB values in [0, 1]; float32 networks need them.

    Raises:
        ModelError: the file cannot be read or opened, is no image encoder, or lacks a number from above.
    """
    path = Path(path)
    given = {"size": size, "mean": mean, "std": std}
    given = {**_sidecar(path.with_suffix(".json")), **{key: value for key, value in given.items() if value is not None}}
    content = read(path)
    digest = hashlib.sha256(content).hexdigest()
    _check_trained(path, given.get("trained"), digest)
    opened = open_session(path, content)
    if len(opened.get_inputs()) != 1 or len(opened.get_inputs()[0].shape) != 4:
        raise ModelError(f"{printable(str(path))} is no image encoder: one input of four axes is needed")
    source, target = opened.get_inputs()[0], opened.get_outputs()[0]
    layout: Literal["bytes", "floats"] = "bytes" if source.type == "tensor(uint8)" else "floats"
    side = source.shape[1] if layout == "bytes" else source.shape[2]
    if len(target.shape) < 2 or not isinstance(target.shape[1], int) or target.shape[2:] not in ([], [1, 1]):
        raise ModelError(f"{printable(str(path))} is no image encoder: its output {target.shape} is not N×D")
    if isinstance(source.shape[0], int) and source.shape[0] != 1:
        raise ModelError(f"{printable(str(path))} takes {source.shape[0]} pictures at once; leave that axis open")
    found = given.get("size") or (side if isinstance(side, int) else None)
    if isinstance(side, int) and found != side:
        raise ModelError(f"{printable(str(path))} takes pictures of {side} pixels only, not {found}")
    missing = [key for key in ("mean", "std") if layout == "floats" and given.get(key) is None]
    missing += ["size"] if found is None else []
    if missing:
        raise ModelError(
            f"{printable(str(path))}: {' and '.join(missing)} must be given",
            remedy=f'as arguments or in {path.with_suffix(".json").name}, such as {{"size": 224, "mean": [0.485, …]}}',
        )
    return ModelSpec(
        name=path.stem,
        path=path,
        sha256=digest,
        dimension=target.shape[1],
        size=_whole(path, "size", found),
        multiple=_whole(path, "multiple", given.get("multiple", 1)),
        precision="fp32",
        layout=layout,
        mean=_triple(path, "mean", given.get("mean")),
        std=_triple(path, "std", given.get("std")),
    )


def _sidecar(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{printable(str(path))} cannot be read as JSON ({error})") from error
    if not isinstance(found, dict) or set(found) - {"size", "mean", "std", "multiple", "trained"}:
        raise ModelError(
            f"{printable(str(path))} must hold an object with size, mean and std, nothing else",
            remedy="multiple and trained, which `lookalike train` writes, may be there too",
        )
    return found


def _check_trained(path: Path, trained: object, digest: str) -> None:
    """Where a trained network is from; for people, but for the digest of the file that it belongs to."""
    if trained is None:
        return
    if not isinstance(trained, dict):
        raise ModelError(f"{printable(str(path))}: trained must be an object, got {trained!r}")
    if trained.get("sha256", digest) != digest:
        raise ModelError(
            f"{printable(path.with_suffix('.json').name)} describes another file than {printable(str(path))}",
            remedy="put both files of one training side by side, or take the .json away and give its size yourself",
        )


def _whole(path: Path, name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ModelError(f"{printable(str(path))}: {name} must be a positive whole number, got {value!r}")
    return value


def _triple(path: Path, name: str, value: object) -> Triple | None:
    if value is None:
        return None
    numbers = tuple(value) if isinstance(value, (list, tuple)) else ()
    if len(numbers) != 3 or not all(isinstance(number, (int, float)) for number in numbers):
        raise ModelError(f"{printable(str(path))}: {name} must be three numbers, got {value!r}")
    return (float(numbers[0]), float(numbers[1]), float(numbers[2]))
