"""lookalike calibrate: a threshold and a probability from labelled pairs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.commands.limited import limited
from lookalike.commands.options import (
    AsJson,
    EmbeddingModel,
    EmbeddingSize,
    NoStore,
    PresetFile,
    PresetName,
    Quiet,
    StoreFile,
    chosen_preset,
    embedding_options,
    refuse_idle_embedding,
    store_of,
)
from lookalike.errors import UsageError, printable
from lookalike.images.limits import Limits

if TYPE_CHECKING:
    from lookalike.lab.calibrating.fitting import Fitted, Progress, Task


@limited(urls=True)
def calibrate(
    pairs: Annotated[
        str,
        typer.Argument(help="Labelled pairs: .csv .tsv .jsonl .parquet.", show_default=False, metavar="PAIRS"),
    ],
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Where the calibration goes: .json.")
    ] = None,
    target_tpr: Annotated[
        float | None, typer.Option("--target-tpr", help="Find this share of the same pairs; 0.95 by default.")
    ] = None,
    target_fpr: Annotated[
        float | None, typer.Option("--target-fpr", help="Take at most this share of different pairs for the same.")
    ] = None,
    target_precision: Annotated[
        float | None, typer.Option("--target-precision", help="Be right in this share of what is called the same.")
    ] = None,
    preset: PresetName = None,
    preset_file: PresetFile = None,
    method: Annotated[
        str | None, typer.Option("--method", "-m", help="Score by one method alone; see `lookalike methods`.")
    ] = None,
    size: EmbeddingSize = None,
    model: EmbeddingModel = None,
    kind: Annotated[
        str, typer.Option("--kind", metavar="auto|platt|isotonic|beta", help="The curve from scores to probabilities.")
    ] = "auto",
    negatives: Annotated[
        str | None,
        typer.Option("--negatives", metavar="DIR", help="Also draw different pairs at random from the pictures here."),
    ] = None,
    fit_weights: Annotated[
        bool, typer.Option("--fit-weights", help="Also fit the weights of a preset that mixes, if that is better.")
    ] = False,
    label_column: Annotated[
        str | None, typer.Option("--label-column", metavar="NAME", help="Which column the labels are in.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is left to chance.")] = 0,
    report: Annotated[
        str | None, typer.Option("--report", metavar="FILE", help="An .html page with plots and the worst mistakes.")
    ] = None,
    store: StoreFile = None,
    no_store: NoStore = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
    *,
    limits: Limits,
) -> None:
    """Fit a threshold and a probability to labelled pairs, in a file that compare, group and evaluate take."""
    _check_outputs(pairs, out, report)
    chosen_store = store_of(store, no_store)
    task = _task(
        pairs,
        label_column,
        (target_tpr, target_fpr, target_precision),
        (preset, preset_file, method),
        (size, model),
        limits,
    )
    from dataclasses import replace

    from lookalike.console import resumable
    from lookalike.lab.calibrate import fit_kept
    from lookalike.progress import Progress

    with resumable(kept=chosen_store is not False), Progress(quiet=quiet) as progress:
        task = replace(task, kind=kind, negatives=negatives, seed=seed, fit_weights=fit_weights, progress=progress.tell)
        fitted, notices = fit_kept(task, chosen_store)
        if out is not None:
            fitted.calibration.save(out)
        if report is not None:
            _draw(fitted, task, report, progress.tell)
    _say(fitted, task, out, report, as_json=as_json, quiet=quiet, notices=notices)


def _check_outputs(pairs: str, out: str | None, report: str | None) -> None:
    """Raise before any work what would be raised after it."""
    from lookalike.files import check_place

    taken = {os.path.realpath(pairs)}
    for file, what, suffixes in ((out, "a calibration", (".json",)), (report, "a report", (".html", ".htm"))):
        if file is None:
            continue
        if Path(file).suffix.lower() not in suffixes:
            raise UsageError(
                f"{what} cannot be written to {printable(Path(file).name)!r}", remedy=f"use {' or '.join(suffixes)}"
            )
        if os.path.realpath(file) in taken:
            raise UsageError(f"{printable(file)} is named twice", remedy="name another file")
        taken.add(os.path.realpath(file))
        check_place(Path(file))


def _task(
    pairs: str,
    label_column: str | None,
    targets: tuple[float | None, float | None, float | None],
    chosen: tuple[str | None, str | None, str | None],
    embedding: tuple[int | None, str | None],
    limits: Limits,
) -> Task:
    from dataclasses import replace

    from lookalike.api import way_of
    from lookalike.lab.calibrate import table_of, target_of
    from lookalike.lab.calibrating.fitting import Task

    name, file, method = chosen
    if method is not None and (file is not None or name is not None):
        raise UsageError("a single method has no preset", remedy="leave out --method, or --preset and --preset-file")
    target = target_of(*targets)
    preset = chosen_preset(name, file)
    options = embedding_options(*embedding)
    refuse_idle_embedding({"method": method, "options": options, "preset": preset, "weights": {}})
    way = way_of("auto" if method else preset, method, None, None, options, False, None)
    return Task(
        table=table_of(pairs, label_column),
        preset=None if method else replace(way.preset, options=way.options),
        method=method,
        options=way.options if method else {},
        target=target,
        limits=limits,
    )


def _draw(fitted: Fitted, task: Task, report: str, progress: Progress) -> None:
    from lookalike.lab.report.calibration_page import write_calibration_page

    write_calibration_page(fitted, task.target, report, limits=task.limits, progress=progress)


def _say(
    fitted: Fitted,
    task: Task,
    out: str | None,
    report: str | None,
    *,
    as_json: bool,
    quiet: bool,
    notices: list[str],
) -> None:
    from lookalike.console import remark, show_failures
    from lookalike.lab.calibrating.words import say, warnings

    if as_json:
        thresholds = fitted.calibration.to_dict()["thresholds"]
        told = {
            **fitted.calibration.report,
            "notes": warnings(fitted, task.target),
            "thresholds": thresholds,
            "out": out,
        }
        typer.echo(json.dumps(told))
    else:
        typer.echo(say(fitted, task.target))
    if quiet:
        return
    for notice in notices:
        remark(f"note: {printable(notice, 500)}")
    show_failures([failure.failure for failure in fitted.evidence.failures], "pairs could not be compared", more="")
    if report is not None:
        remark(f"plots in {printable(report)}")
    if out is None:
        remark("nothing is written: --out shoes.calibration.json keeps it")
        return
    remark(f"written to {printable(out)}; use it with")
    remark(f"  lookalike compare A B --calibration {printable(out)}")
    remark(f"  lookalike group PHOTOS --calibration {printable(out)}")
