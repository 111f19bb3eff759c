"""Kind ``whole``: what a person asks for → the tuned network, and how it does on what it never saw."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.features.embedding import BATCH, Embedding
from lookalike.features.models import MODELS, ModelSpec
from lookalike.lab.training.described import Described, Progress
from lookalike.lab.training.export import sidecar, write
from lookalike.lab.training.judge import judge
from lookalike.lab.training.made import Made
from lookalike.lab.training.shares import Shares
from lookalike.lab.training.squares import squares_of, with_copies
from lookalike.lab.training.whole import Tuning
from lookalike.lab.training.whole_records import Stop, WholeSettings
from lookalike.optional import later

if TYPE_CHECKING:
    from lookalike.images.limits import Limits
    from lookalike.types import Pixels

torch = later("torch", extra="train")

IN_8_BITS = {"efficientnet-lite0-int8": "efficientnet-lite0"}
"""Networks of 8 bits → the same in 32, which can learn."""

MOST_STOP, MOST_HELD = 60, 300
"""Pictures that are edited to say when to stop, and to judge, where there are no labels."""


def trainable(base: ModelSpec) -> ModelSpec:
    """The network that learns where ``base`` is asked for."""
    return MODELS[IN_8_BITS[base.name]] if base.name in IN_8_BITS else base


def tune(
    embedding: Embedding,
    shown: Described,
    labelled: bool,
    shares: Shares,
    settings: WholeSettings,
    device: str,
    checkpoint: Path | None,
    limits: Limits,
    progress: Progress | None = None,
) -> Made:
    """Train the network of ``embedding``, and judge it.

    Args:
        embedding: what judges "before"; of its network that of 32 bits learns.
        shown: the pictures.
        labelled: learn from their labels; else from edited views.
        shares: who learns, stops, judges.
        settings: see there.
        device: ``"auto"``: a GPU where there is one.
        checkpoint: file of the state; None for none.
        limits: what a picture may cost.
        progress: called now and then.
    """
    base = trainable(embedding.model)
    if base.layout != "bytes":
        raise UsageError(
            f"{base.name} takes normalised floats, and only networks that take bytes are trained as a whole",
            remedy="train a head on it with --kind head",
        )
    where = _device(device)
    settings = replace(settings, mixed=settings.mixed and where != "cpu")
    size = embedding.size
    paths = [[shown.paths[number] for number in part] for part in (shares.fit, shares.stop, shares.held)]
    labels = shown.labels[shares.fit] if labelled else None
    belongs_to = hashlib.sha256(
        json.dumps([shown.digest, labelled, size, base.sha256, asdict(settings)]).encode()
    ).hexdigest()
    stop = _stop(paths[1], shown.labels[shares.stop] if labelled else None, size, limits, settings.seed)
    with squares_of(paths[0], size + size // 8, limits, progress) as squares:
        tuning = Tuning(base, squares, labels, size, settings, where, checkpoint, belongs_to)
        done = tuning.run(stop, None if progress is None else lambda step, most: progress("training", step, most))
    if labelled:
        numbers, before = shown.labels[shares.held], shown.vectors[shares.held]
        with squares_of(paths[2], size, limits) as squares:
            after = _vectors(done.content, base, size, squares, progress)
    else:
        copies, numbers = with_copies(paths[2], size, limits, settings.seed + 1, MOST_HELD, progress)
        before = _embedded(embedding, copies)
        after = _vectors(done.content, base, size, copies, progress)
    about = {
        "learned_from": "labels" if labelled else "edited views",
        "epoch": done.epoch,
        "share_of_the_change": done.mix,
        "device": where,
        "settings": asdict(settings),
    }
    return Made(done.content, base, about, judge(before, after, numbers, settings.seed))


def _device(asked: str) -> str:
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=asked)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"there is no device {asked!r} here: {reason}", remedy="use --device cpu") from error
    return asked


def _stop(paths: Sequence[str], labels: npt.NDArray[np.int64] | None, size: int, limits: Limits, seed: int) -> Stop:
    if labels is None:
        return Stop(*with_copies(paths, size, limits, seed, MOST_STOP))
    with squares_of(paths, size, limits) as squares:
        return Stop(np.array(squares), labels)


def _vectors(
    content: bytes, base: ModelSpec, size: int, squares: Pixels, progress: Progress | None
) -> npt.NDArray[np.float32]:
    """What the exported file gives, opened as any user opens it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "tuned.onnx"
        write(out, content, sidecar(base, size, content, {}))
        return _embedded(Embedding(str(out)), squares, progress)


def _embedded(embedding: Embedding, squares: Pixels, progress: Progress | None = None) -> npt.NDArray[np.float32]:
    found = []
    for start in range(0, len(squares), BATCH):
        found.append(embedding.embed(squares[start : start + BATCH]))
        if progress is not None:
            progress("judging", min(start + BATCH, len(squares)), len(squares))
    return np.concatenate(found)
