"""Where a long training stands, in one file, so that it can go on from there."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lookalike.errors import UsageError, printable
from lookalike.files import write_whole
from lookalike.optional import later

torch = later("torch", extra="train")


def save(path: Path, state: Mapping[str, Any], belongs_to: str) -> None:
    """Write tensors and plain values so that the file appears whole or not at all.

    Args:
        path: of the checkpoint.
        state: see :func:`load`.
        belongs_to: digest of the settings and the data.

    Raises:
        OutputError: it cannot be written.
    """
    content = io.BytesIO()
    torch.save({"belongs_to": belongs_to, "state": dict(state)}, content)
    write_whole(path, content.getvalue())


def load(path: Path, belongs_to: str) -> dict[str, Any] | None:
    """What :func:`save` wrote; None where there is no such file. Nothing in it is ever run.

    Tensors come on the CPU, wherever they were.

    Raises:
        UsageError: it is no checkpoint, or one of another training.
    """
    if not path.exists():
        return None
    remedy = "name another with --checkpoint, or remove it"
    try:
        found = torch.load(io.BytesIO(path.read_bytes()), map_location="cpu", weights_only=True)
        theirs, state = found["belongs_to"], found["state"]
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise UsageError(f"{printable(str(path))} is no checkpoint of a training", remedy=remedy) from error
    if theirs != belongs_to:
        raise UsageError(f"{printable(str(path))} is of a training with other pictures or settings", remedy=remedy)
    return dict(state)
