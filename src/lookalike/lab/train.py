"""A network for pictures of one's own, from a catalogue of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from lookalike.features.embedding import DEFAULT_MODEL
from lookalike.images.limits import Limits
from lookalike.lab.training.catalogue import read_catalogue
from lookalike.lab.training.heads import Loss
from lookalike.lab.training.run import Kind, Request, Trained, run_kept
from lookalike.lab.training.whole_records import WholeSettings

_LIMITS = Limits()


def train(
    catalogue: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    kind: Kind = "head",
    model: str = DEFAULT_MODEL,
    size: int | None = None,
    dimension: int | None = None,
    bits: int = 128,
    loss: Loss = "contrastive",
    whole: WholeSettings | None = None,
    device: str = "auto",
    checkpoint: str | os.PathLike[str] | None = None,
    labels: bool = True,
    picture_column: str | None = None,
    label_column: str | None = None,
    keep_anyway: bool = False,
    seed: int = 0,
    store: str | os.PathLike[str] | Literal[False] | None = None,
    limits: Limits = _LIMITS,
    progress: Callable[[str, int, int], None] | None = None,
) -> Trained:
    """Train on pictures of your own, judge on products held out, and write what is better as ONNX.

    Args:
        catalogue: a table of pictures and their products, see
            :func:`lookalike.lab.training.catalogue.read_catalogue`, or a folder of folders.
        out: the ``.onnx`` file; it is usable wherever a model is named.
        kind, model, size, dimension, bits, loss, whole, device, keep_anyway, seed: see
            :class:`lookalike.lab.training.run.Request`.
        checkpoint: of kind ``"whole"``: file from which the same call goes on; by default beside ``out``.
        labels: learn from them; without, kinds other than ``"head"`` learn from the pictures alone.
        picture_column, label_column: where the catalogue has them, if their names do not tell.
        store: file that vectors are kept in from run to run; None for the user's cache folder, False for none.
        limits: what a picture may cost.
        progress: called with what is being done, how much of it is done, and how much there is.

    Returns:
        What was gained on products that nothing was learned from, and whether the network was ``written``.

    Raises:
        SourceNotFound, SourceUnreadable: the catalogue is not there, or is no table.
        UsageError: a request that makes no sense, or too few pictures or labels; the message has the number needed.
        MissingExtra: torch or onnx is not installed.
        PictureError: none of the pictures can be used.
        OutputError: the network cannot be written.

    >>> lookalike.train("catalogue.csv", "shoes.onnx").gained  # doctest: +SKIP
    True
    """
    pictures = read_catalogue(catalogue, picture_column=picture_column, label_column=label_column)
    request = Request(
        catalogue=pictures if labels else pictures.bare(),
        out=Path(out),
        kind=kind,
        model=model,
        size=size,
        dimension=dimension,
        bits=bits,
        loss=loss,
        whole=whole or WholeSettings(),
        device=device,
        checkpoint=None if checkpoint is None else Path(checkpoint),
        keep_anyway=keep_anyway,
        seed=seed,
        limits=limits,
    )
    return run_kept(request, store, progress)
