"""Train on pictures of one's own: a network that is used like any other, or the plain word that nothing was gained."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from lookalike.collection.kept import KeptFeatures
from lookalike.collection.store import Store, opened
from lookalike.errors import UsageError, printable
from lookalike.features.embedding import DEFAULT_MODEL, Embedding
from lookalike.files import check_place
from lookalike.images.limits import Limits
from lookalike.lab.training import export
from lookalike.lab.training.catalogue import Catalogue
from lookalike.lab.training.described import Described, Progress, described
from lookalike.lab.training.hashing import LEAST_BITS, MOST_BITS
from lookalike.lab.training.heads import Loss
from lookalike.lab.training.judge import Judgement
from lookalike.lab.training.linear import check_export, learn_linear
from lookalike.lab.training.made import Made
from lookalike.lab.training.shares import by_picture, by_product, enough_products
from lookalike.lab.training.tuned import tune
from lookalike.lab.training.whole_records import WholeSettings
from lookalike.optional import need
from lookalike.types import Failure

Kind = Literal["head", "binary", "whole", "pca", "whiten"]

SMALLER = ("binary", "pca", "whiten")
"""Kinds that are made to be smaller, not better."""

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Request:
    """What to train.

    Attributes:
        catalogue: the pictures and their labels.
        out: the ``.onnx`` file; its description gets the same name and ``.json``.
        kind: ``"head"``, a linear map behind the network that brings pictures of one product together; ``"binary"``,
            one whose signs are a code; ``"whole"``, all of the network's weights; ``"pca"`` and ``"whiten"``,
            principal components.
        model: the network it stands on: a name or an ``.onnx`` file.
        size: side of its input in pixels; None for the model's own.
        dimension: of a head or of principal components;
        bits: of a code, 64 to 256, a multiple of 8.
        loss: ``"contrastive"`` or ``"triplet"``.
        whole: settings of kind ``"whole"``; its loss and seed are those given here.
        device: of kind ``"whole"``: ``"auto"``, ``"cpu"``, ``"cuda"`` …
        checkpoint: of kind ``"whole"``: file of the state; by default beside ``out``.
        keep_anyway: write the network even where nothing was gained.
        seed: decides who judges, every batch and every view.
        limits: what a picture may cost.
    """

    catalogue: Catalogue
    out: Path
    kind: Kind = "head"
    model: str = DEFAULT_MODEL
    size: int | None = None
    dimension: int | None = None
    bits: int = 128
    loss: Loss = "contrastive"
    whole: WholeSettings = field(default_factory=WholeSettings)
    device: str = "auto"
    checkpoint: Path | None = None
    keep_anyway: bool = False
    seed: int = 0
    limits: Limits = _LIMITS

    @property
    def state(self) -> Path:
        """File of the checkpoint."""
        return self.checkpoint or self.out.with_suffix(".checkpoint")


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it.

    Attributes:
        request: what was asked.
        judgement: before and after, on pictures that nothing was learned from.
        gained: whether it is better. Codes and principal components are made to be smaller, not better: what they cost
            is told, and they are always written.
        written: whether the network lies at ``request.out``.
        about: what should be known of the training, as in the ``.json``.
        pictures, products: how many could be used, and how many different labels they have.
        failures: pictures that could not be used.
        notices: what a person should know, a line each.
    """

    request: Request
    judgement: Judgement
    gained: bool
    written: bool
    about: dict[str, Any]
    pictures: int
    products: int
    failures: tuple[Failure, ...]
    notices: tuple[str, ...]


def run(request: Request, store: Store, progress: Progress | None = None) -> Trained:
    """Describe, divide, learn, judge, and write what is better.

    The parts that learn, stop and judge share no product, and without labels no picture. For one seed, one set of
    pictures and one machine a head, a code and principal components are the same to the last bit.

    Args:
        request: what to train.
        store: where vectors are kept from run to run.
        progress: called with what is being done, how much of it is done, and how much there is.

    Raises:
        UsageError: a request that makes no sense, or too few pictures or labels; the message has the number needed.
        MissingExtra: torch or onnx is not installed.
        PictureError: none of the pictures can be used.
        OutputError: the network cannot be written.
    """
    labelled = _check(request)
    embedding = Embedding(request.model, request.size)
    export.check_out(request.out, embedding.model)
    if request.kind == "whole":
        check_place(request.state)
    with KeptFeatures(store) as features:
        shown = described(request.catalogue, embedding, features, request.limits, progress)
    if request.kind in ("pca", "whiten"):
        labelled = labelled and enough_products(shown.labels)  # labels only judge there
    made = _made(request, embedding, shown, labelled, progress)
    about = {
        "kind": request.kind,
        **made.about,
        "data": {"sha256": shown.digest, "pictures": len(shown.paths), "products": len(shown.names)},
        "seed": request.seed,
        "held_out": made.judgement.to_dict(),
    }
    gained = made.judgement.better or request.kind in SMALLER
    written = gained or request.keep_anyway
    if written:
        if made.head is not None:
            check_export(made, embedding, shown.paths[:4], request.limits)
        beside = export.sidecar(made.base, embedding.size, made.content, about)
        export.write(request.out, made.content, beside)
        if request.kind == "whole":
            request.state.unlink(missing_ok=True)
    notices = (*shown.notices, *features.notices, *_unlabelled(shown, labelled))
    count = len(shown.paths), len(shown.names)
    return Trained(request, made.judgement, gained, written, about, *count, shown.failures, notices)


def run_kept(
    request: Request, store: str | os.PathLike[str] | Literal[False] | None = None, progress: Progress | None = None
) -> Trained:
    """:func:`run` with the store at a path: None for that in the user's cache folder, False for none."""
    with opened(store) as kept:
        trained = run(request, kept, progress)
        return replace(trained, notices=(*trained.notices, *kept.notices))


def _check(request: Request) -> bool:
    """Whether labels are to be learned from; raises where the request makes no sense."""
    if request.kind not in get_args(Kind):
        raise UsageError(f"kind must be one of {', '.join(get_args(Kind))}, not {request.kind!r}")
    if request.loss not in get_args(Loss):
        raise UsageError(f"loss must be one of {', '.join(get_args(Loss))}, not {request.loss!r}")
    if request.kind == "binary" and (request.bits % 8 or not LEAST_BITS <= request.bits <= MOST_BITS):
        raise UsageError(
            f"a code has {LEAST_BITS} to {MOST_BITS} bits, a multiple of 8, not {request.bits}", remedy="try 128"
        )
    if request.dimension is not None and (request.dimension < 1 or request.kind in ("binary", "whole")):
        remedy = "name the bits of a code with --bits" if request.kind == "binary" else "leave it out"
        raise UsageError(f"kind {request.kind} cannot have the dimension {request.dimension}", remedy=remedy)
    if request.kind == "head" and not request.catalogue.labelled:
        raise UsageError(
            f"a head learns from labels, and {printable(request.catalogue.name)} has none",
            remedy="name their column with --label-column, or choose --kind whole, binary, pca or whiten",
        )
    need("onnx", extra="train")
    if request.kind not in ("pca", "whiten"):
        need("torch", extra="train")
    return request.catalogue.labelled


def _made(request: Request, embedding: Embedding, shown: Described, labelled: bool, progress: Progress | None) -> Made:
    divided = by_product(shown.labels, shown.names, request.seed) if labelled else None
    shares = by_picture(shown.digests, request.seed) if divided is None else divided
    if request.kind != "whole":
        asked = (request.kind, request.dimension, request.bits, request.loss, request.seed)
        return learn_linear(embedding, shown, labelled, shares, *asked, progress)
    settings = replace(request.whole, loss=request.loss, seed=request.seed)
    return tune(embedding, shown, labelled, shares, settings, request.device, request.state, request.limits, progress)


def _unlabelled(shown: Described, labelled: bool) -> tuple[str, ...]:
    count = int((shown.labels < 0).sum())
    return (f"{count} pictures have no label and were not used",) if labelled and count else ()
