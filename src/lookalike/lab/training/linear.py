"""Kinds that stand on stored vectors: head, codes, principal components → one graph with the network before them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.errors import ModelError, printable
from lookalike.features.embedding import Embedding
from lookalike.images.load import load
from lookalike.lab.training.described import Described, Progress
from lookalike.lab.training.export import sidecar, write
from lookalike.lab.training.hashing import train_codes
from lookalike.lab.training.heads import Loss, Settings, one_thread, train_head
from lookalike.lab.training.judge import judge
from lookalike.lab.training.made import Made
from lookalike.lab.training.merge import merged
from lookalike.lab.training.pca import PCA
from lookalike.lab.training.projection import Projection
from lookalike.lab.training.rotation import turned_codes
from lookalike.lab.training.shares import Shares

if TYPE_CHECKING:
    from lookalike.images.limits import Limits

SMALL = 128
"""Principal components where nothing else is asked for."""

MOST_FIT = 50_000
"""Vectors that principal components are found from; more change nothing."""

TOLERANCE = 1e-3
"""By which numbers of the written file may differ from those that were judged; rounding alone is below 1e-5."""


def learn_linear(
    embedding: Embedding,
    shown: Described,
    labelled: bool,
    shares: Shares,
    kind: str,
    dimension: int | None,
    bits: int,
    loss: Loss,
    seed: int,
    progress: Progress | None = None,
) -> Made:
    """Learn a linear map of stored vectors and put it behind their network.

    Args:
        embedding: the network that gave the vectors.
        shown: pictures and vectors.
        labelled: learn from labels and judge by them.
        shares: who learns, stops, judges.
        kind: ``"head"``, ``"binary"``, ``"pca"`` or ``"whiten"``.
        dimension, bits, loss, seed: see :class:`lookalike.lab.training.run.Request`.
        progress: called now and then.
    """
    settings = Settings(loss=loss, seed=seed)
    tell = None if progress is None else lambda done, most: progress("training", done, most)
    labels = shown.labels if labelled else None
    if kind in ("pca", "whiten"):
        head, about = _components(shown, shares, dimension or SMALL, whiten=kind == "whiten")
    elif kind == "binary":
        with one_thread():
            head, about = _codes(shown, labels, shares, bits, settings, tell)
    else:
        wide = dimension or embedding.shape[0]
        with one_thread():
            learned = train_head(shown.vectors, shown.labels, shares.fit, shares.stop, wide, settings, tell)
        head = learned.projection
        about = {"dimension": head.dimension, "loss": loss, "step": learned.step}
    about["parts"] = {name: len(getattr(shares, name)) for name in ("fit", "stop", "held")}
    held = shown.vectors[shares.held]
    judgement = judge(held, head(held), None if labels is None else labels[shares.held], seed)
    return Made(merged(embedding.model, head), embedding.model, about, judgement, head)


def _components(shown: Described, shares: Shares, dimension: int, *, whiten: bool) -> tuple[Projection, dict[str, Any]]:
    fit = np.sort(np.concatenate([shares.fit, shares.stop]))  # nothing is stopped here
    if len(fit) > MOST_FIT:
        fit = fit[np.linspace(0, len(fit) - 1, MOST_FIT).astype(np.int64)]
    pca = PCA(dimension, whiten=whiten).fit(shown.vectors[fit])
    return pca.projection_, {"dimension": dimension, "variance_kept": round(pca.kept_, 4)}


def _codes(
    shown: Described,
    labels: Any,
    shares: Shares,
    bits: int,
    settings: Settings,
    tell: Callable[[int, int], None] | None,
) -> tuple[Projection, dict[str, Any]]:
    """Codes, and how those that they began with do on the held-out part."""
    learned = train_codes(shown.vectors, labels, shares.fit, shares.stop, bits, settings, tell)
    held = shown.vectors[shares.held]
    plain = turned_codes(shown.vectors[shares.fit], bits, settings.seed)
    untrained = judge(held, plain(held), None if labels is None else labels[shares.held], settings.seed)
    return learned.projection, {"bits": bits, "step": learned.step, "untrained": untrained.to_dict()}


def check_export(made: Made, embedding: Embedding, paths: Sequence[str], limits: Limits) -> None:
    """Open the network as any user would and compare its vectors with those that were judged.

    Raises:
        ModelError: they differ.
    """
    assert made.head is not None
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "trained.onnx"
        write(out, made.content, sidecar(made.base, embedding.size, made.content, {}))
        pictures = [load(path, limits=limits) for path in paths]
        given = np.stack(Embedding(str(out), providers=embedding.providers).extract(pictures))
    expected = made.head(np.stack(embedding.extract(pictures)))
    off = np.abs(given - expected).max(axis=1)
    if made.head.bits:  # a bit may turn where its number is almost zero
        off = np.where((given != expected).mean(axis=1) < 0.05, 0, off)
    if float(off.max()) > TOLERANCE:
        raise ModelError(
            f"a head behind {printable(made.base.name)} gives other vectors than it was judged by "
            f"(they differ by {float(off.max()):.2g})",
            remedy="report this; nothing was written",
        )
