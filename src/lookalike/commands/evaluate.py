"""lookalike evaluate: how good the scores are on labelled pictures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from lookalike.commands.limited import limited
from lookalike.commands.options import (
    AsJson,
    NoStore,
    PresetFile,
    Quiet,
    StoreFile,
    chosen_preset,
    store_of,
)
from lookalike.errors import PictureError, UsageError, printable
from lookalike.images.limits import Limits


@limited(urls=True)
def evaluate(
    labels: Annotated[
        str,
        typer.Argument(
            help="A table (.csv .tsv .jsonl .parquet): a, b, label for pairs; picture, label or query, gallery, "
            "relevance for retrieval.",
            show_default=False,
            metavar="LABELS",
        ),
    ],
    preset: Annotated[
        list[str] | None, typer.Option("--preset", "-p", help="A preset to measure; may be repeated.")
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option("--method", "-m", help="A method alone, such as phash or embedding:size=128; may be repeated."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", help="An embedding model alone, a name or ONNX file; may be repeated."),
    ] = None,
    calibration: Annotated[
        list[str] | None,
        typer.Option("--calibration", metavar="FILE", help="What `lookalike calibrate` wrote; may be repeated."),
    ] = None,
    preset_file: PresetFile = None,
    label_column: Annotated[
        str | None, typer.Option("--label-column", metavar="NAME", help="The column of labels, if it is not found.")
    ] = None,
    report: Annotated[
        str | None, typer.Option("--report", metavar="FILE", help="An .html page: mistakes as pictures, charts, table.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Every single score: .jsonl, .csv or .tsv.")
    ] = None,
    rerank: Annotated[
        int, typer.Option("--rerank", min=1, help="Retrieval: best candidates that a preset puts in order.")
    ] = 100,
    size: Annotated[
        int, typer.Option("--size", min=32, max=1024, help="Retrieval: input side of the embedding that finds them.")
    ] = 224,
    store: StoreFile = None,
    no_store: NoStore = False,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, help="Pairs worked on at a time; by default one a core.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    *,
    limits: Limits,
) -> None:
    """Measure how well scores tell what people said of pictures."""
    chosen_store = store_of(store, no_store)
    _check_outputs(labels, report, out)
    from lookalike.console import resumable
    from lookalike.lab.evaluation import evaluate as measure
    from lookalike.progress import Progress

    if preset_file is not None and not preset:
        raise UsageError("--preset-file goes with --preset", remedy="name one of its presets with --preset")
    with resumable(kept=chosen_store is not False), Progress(quiet=quiet) as progress:
        found = measure(
            labels,
            presets=[chosen_preset(name, preset_file) for name in preset or ()],
            methods=method or (),
            models=model or (),
            calibrations=calibration or (),
            label_column=label_column,
            store=chosen_store,
            limits=limits,
            threads=threads,
            rerank=rerank,
            size=size,
            progress=progress.tell,
        )
        if out is not None:
            from lookalike.lab.rows import write_rows

            write_rows(found, out)
        if report is not None:
            from lookalike.lab.report.evaluation_page import write_report

            write_report(found, report, limits=limits, progress=progress.tell)
    from lookalike.commands.evaluation_shown import show, tell

    scored = any(each.used for each in found.results)
    if scored or as_json:
        show(found, as_json=as_json)
    if not quiet:
        tell(found, report, out)
    if not scored:
        if not as_json:
            typer.echo("error: nothing could be scored", err=True)
        raise typer.Exit(PictureError.exit_code)


def _check_outputs(labels: str, report: str | None, out: str | None) -> None:
    """Refuse before any work what cannot be written after it."""
    from lookalike.files import check_place
    from lookalike.lab.rows import check_rows

    if report is not None:
        if Path(report).suffix.lower() not in (".html", ".htm"):
            raise UsageError(f"a report cannot be written to {printable(report)!r}", remedy="use .html")
        check_place(Path(report))
    if out is not None:
        check_rows(out)
    for file in (report, out):
        if file is not None and os.path.realpath(file) == os.path.realpath(labels):
            raise UsageError(f"{printable(file)} holds the labels", remedy="name another file")
