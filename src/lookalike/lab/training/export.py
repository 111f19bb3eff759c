"""A trained network as two files: the ONNX graph, and beside it what it is and where it is from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lookalike.errors import UsageError, printable
from lookalike.features.models import ModelSpec
from lookalike.files import appearing_whole, cannot_write, check_place


def check_out(out: Path, base: ModelSpec) -> None:
    """Raise before any work where the network cannot be written to ``out``.

    Raises:
        UsageError: it is not called .onnx, or is the network that is trained.
        OutputError: as :func:`lookalike.files.check_place`.
    """
    if out.suffix.lower() != ".onnx":
        raise UsageError(f"a network cannot be written to {printable(out.name)!r}", remedy=f"call it {out.stem}.onnx")
    if out.exists() and out.samefile(base.path):
        raise UsageError(f"{printable(str(out))} is the network that is trained", remedy="name another file")
    for path in (out, out.with_suffix(".json")):
        check_place(path)


def sidecar(base: ModelSpec, size: int, content: bytes, trained: Mapping[str, Any]) -> dict[str, Any]:
    """What the ``.json`` beside a network says; :func:`lookalike.features.encoder_file.describe` reads it.

    Args:
        base: the network it stands on, whose input it takes.
        size: side of the pictures it was trained with.
        content: of the ONNX file.
        trained: what should be known of the training.
    """
    floats = base.layout == "floats"
    return {
        "size": size,
        **({"mean": base.mean and list(base.mean), "std": base.std and list(base.std)} if floats else {}),
        "multiple": base.multiple,
        "trained": {
            "sha256": hashlib.sha256(content).hexdigest(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "lookalike": _version(),
            "base": {"model": base.name, "sha256": base.sha256},
            **trained,
        },
    }


def write(out: Path, content: bytes, beside: Mapping[str, Any]) -> None:
    """Write both files so that each appears whole or not at all.

    Should the run die between the two, the older description does not fit the new network, which is then not opened.

    Raises:
        OutputError: they cannot be written.
    """
    text = json.dumps(beside, indent=2, ensure_ascii=False) + "\n"
    described = out.with_suffix(".json")
    with appearing_whole(described) as words, appearing_whole(out) as network:
        with cannot_write(out):
            network.write(content)
        with cannot_write(described):
            words.write(text.encode("utf-8", "surrogatepass"))


def _version() -> str:
    try:
        return version("lookalike")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"
