"""lookalike train: a network that learned from pictures of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lookalike.commands.limited import limited
from lookalike.commands.options import (
    AsJson,
    NoStore,
    Quiet,
    StoreFile,
    store_of,
)
from lookalike.errors import NotBetter, UsageError, printable
from lookalike.images.limits import Limits

if TYPE_CHECKING:
    from lookalike.lab.training.run import Trained


@limited(urls=False)
def train(
    catalogue: Annotated[
        str,
        typer.Argument(
            help="A table (.csv .tsv .jsonl .parquet) of pictures and what they show, or a folder with one for each.",
            show_default=False,
            metavar="CATALOGUE",
        ),
    ],
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="Where the network goes: .onnx.")],
    kind: Annotated[
        str, typer.Option("--kind", metavar="head|binary|whole|pca|whiten", help="What is trained.")
    ] = "head",
    dimension: Annotated[
        int | None, typer.Option("--dimension", min=1, help="Numbers in a vector; 128 for pca and whiten.")
    ] = None,
    bits: Annotated[int, typer.Option("--bits", help="Kind binary: bits of a code, 64 to 256.")] = 128,
    model: Annotated[
        str | None, typer.Option("--model", help="The network it stands on: a name or an ONNX file.")
    ] = None,
    size: Annotated[
        int | None, typer.Option("--size", min=32, max=1024, help="Input side of the network: 224, or 128 for speed.")
    ] = None,
    picture_column: Annotated[
        str | None, typer.Option("--picture-column", metavar="NAME", help="The column of pictures, if it is not found.")
    ] = None,
    label_column: Annotated[
        str | None, typer.Option("--label-column", metavar="NAME", help="The column of labels, if it is not found.")
    ] = None,
    no_labels: Annotated[
        bool, typer.Option("--no-labels", help="Forget the labels: learn from the pictures alone.")
    ] = False,
    loss: Annotated[
        str, typer.Option("--loss", metavar="contrastive|triplet", help="What kinds head and whole make small.")
    ] = "contrastive",
    epochs: Annotated[
        int, typer.Option("--epochs", min=1, help="Kind whole: how often every picture is seen, at most.")
    ] = 10,
    batch: Annotated[int, typer.Option("--batch", min=8, help="Kind whole: pictures in a step.")] = 128,
    rate: Annotated[float, typer.Option("--rate", help="Kind whole: rate of learning.")] = 1e-4,
    device: Annotated[str, typer.Option("--device", help="Kind whole: auto, cpu, cuda …")] = "auto",
    full_precision: Annotated[
        bool, typer.Option("--full-precision", help="Kind whole: 32 bits throughout, also on a GPU.")
    ] = False,
    checkpoint: Annotated[
        str | None,
        typer.Option("--checkpoint", metavar="FILE", help="Kind whole: where it can go on from; beside --out."),
    ] = None,
    keep_anyway: Annotated[
        bool, typer.Option("--keep-anyway", help="Write the network even if it is not better.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another one, another division and other batches.")] = 0,
    store: StoreFile = None,
    no_store: NoStore = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    *,
    limits: Limits,
) -> None:
    """Train on pictures of your own, and say plainly whether that made it better."""
    chosen_store = store_of(store, no_store)
    if not 0 < rate <= 1:
        raise UsageError(f"--rate must be over 0 and at most 1, not {rate}", remedy="try 0.0001")
    from lookalike.lab.train import train as learn
    from lookalike.lab.training.whole_records import WholeSettings
    from lookalike.progress import Progress

    given: dict[str, Any] = {} if model is None else {"model": model}
    state = Path(out).with_suffix(".checkpoint") if checkpoint is None else Path(checkpoint)
    with Progress(quiet=quiet) as progress:
        try:
            trained = learn(
                catalogue,
                out,
                kind=kind,  # type: ignore[arg-type]  # it is checked there
                size=size,
                dimension=dimension,
                bits=bits,
                loss=loss,  # type: ignore[arg-type]
                whole=WholeSettings(epochs=epochs, batch=batch, rate=rate, mixed=not full_precision),
                device=device,
                checkpoint=state,
                labels=not no_labels,
                picture_column=picture_column,
                label_column=label_column,
                keep_anyway=keep_anyway,
                seed=seed,
                store=chosen_store,
                limits=limits,
                progress=progress.tell,
                **given,
            )
        except KeyboardInterrupt:
            stopped = True
        else:
            stopped = False
    if stopped:
        _stopped(state, kind)
    _say(trained, as_json=as_json, quiet=quiet)


def _stopped(state: Path, kind: str) -> None:
    """Say what is left, below the bar, and end."""
    there = kind == "whole" and state.exists()
    kept = f"the same command again goes on from {printable(str(state))}" if there else "nothing was written"
    typer.echo(f"stopped; {kept}", err=True)
    raise typer.Exit(130)


def _say(trained: Trained, *, as_json: bool, quiet: bool) -> None:
    from lookalike.console import remark, show_failures
    from lookalike.lab.training.words import figures, use

    out = printable(str(trained.request.out))
    if as_json:
        told = {"out": out if trained.written else None, "gained": trained.gained, **trained.about}
        why = {} if trained.gained or trained.written else {"error": _not_better(trained).to_dict()}
        typer.echo(json.dumps({**told, "notices": trained.notices, **why}))
    else:
        typer.echo(figures(trained))
    if not quiet:
        for notice in trained.notices:
            remark(f"note: {printable(notice, 500)}")
        show_failures(trained.failures, "could not be used", more="")
        if trained.written:
            remark(f"written to {out} and {printable(str(trained.request.out.with_suffix('.json')))}; use it with")
            for line in use(trained):
                remark(f"  {line}")
    if trained.gained:
        return
    error = _not_better(trained)
    if trained.written:
        remark(f"note: {error.reason}; kept all the same")
    elif as_json:
        raise typer.Exit(error.exit_code)
    else:
        raise error


def _not_better(trained: Trained) -> NotBetter:
    from lookalike.lab.training.words import not_better

    reason, remedy = not_better(trained)
    return NotBetter(reason, remedy=remedy)
