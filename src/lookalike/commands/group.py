"""lookalike group: what is alike in a folder."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.commands.limited import limited
from lookalike.commands.options import (
    CalibrationFile,
    EmbeddingModel,
    EmbeddingSize,
    NoStore,
    PresetFile,
    PresetName,
    Quiet,
    StoreFile,
    chosen_preset,
    embedding_options,
    read_calibration,
    refuse_beside_calibration,
    refuse_idle_embedding,
    store_of,
)
from lookalike.errors import PictureError, UsageError, printable
from lookalike.images.limits import Limits
from lookalike.types import GroupBy, Grouping, Mode

if TYPE_CHECKING:
    from lookalike.commands.outputs import Outputs
    from lookalike.progress import Progress


@limited(urls=False)
def group(
    sources: Annotated[
        list[str],
        typer.Argument(help="Folders, files, patterns, or @list.txt.", show_default=False, metavar="SOURCES"),
    ],
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold",
            "-t",
            help="Least score of a pair, over 0 to 1.",
            show_default="0.9; 0.8 with --calibration",
        ),
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against", metavar="DIR", help="Compare SOURCES with the pictures in here only; may be repeated."
        ),
    ] = None,
    group_by: Annotated[
        GroupBy | None,
        typer.Option(
            "--group-by",
            help="base: every picture with what is alike to it; cluster: each picture once; component: whatever hangs "
            "together. By default base with --out, else cluster.",
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Whole pictures only, flipped or turned.")] = False,
    thorough: Annotated[bool, typer.Option("--thorough", help="Look harder, also for pasted pictures.")] = False,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="DIR", help="Make a folder for every group in here.")
    ] = None,
    action: Annotated[
        str | None,
        typer.Option("--action", metavar="copy|hardlink|symlink|move", help="With --out: how files get there."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --out: say what would be done.")] = False,
    report: Annotated[
        str | None, typer.Option("--report", metavar="FILE", help="An .html page to look at the groups in.")
    ] = None,
    tables: Annotated[
        list[str] | None,
        typer.Option(
            "--json",
            "--table",
            metavar="FILE",
            help="Every pair: .jsonl .json .csv .tsv or .parquet; - prints JSON lines. May be repeated.",
        ),
    ] = None,
    failures: Annotated[
        str | None, typer.Option("--failures", metavar="FILE", help="Every file that failed: .txt or .jsonl.")
    ] = None,
    keep: Annotated[
        str | None, typer.Option("--keep", metavar="best", help="With --plan: which picture of a group stays.")
    ] = None,
    plan: Annotated[
        str | None, typer.Option("--plan", metavar="FILE", help="A plan of what may go, for `lookalike apply`: .json.")
    ] = None,
    plan_action: Annotated[
        str | None,
        typer.Option("--plan-action", metavar="trash|hardlink|symlink|delete", help="What becomes of what goes."),
    ] = None,
    preset: PresetName = None,
    preset_file: PresetFile = None,
    size: EmbeddingSize = None,
    model: EmbeddingModel = None,
    calibration: CalibrationFile = None,
    store: StoreFile = None,
    no_store: NoStore = False,
    recursive: Annotated[
        bool, typer.Option("--recursive/--no-recursive", help="Go into folders of folders.", show_default=False)
    ] = True,
    hidden: Annotated[bool, typer.Option("--hidden", help="Take hidden files too.")] = False,
    workers: Annotated[int, typer.Option("--workers", help="Processes; 0 for one a core, 1 for none.")] = 0,
    quiet: Quiet = False,
    *,
    limits: Limits,
) -> None:
    """Find the pictures in folders that are alike."""
    started = time.monotonic()
    from lookalike.commands.outputs import Outputs

    chosen_store = store_of(store, no_store)
    outputs = Outputs(
        sources=(*sources, *(against or ())),
        tables=tuple(tables or ()),
        report=report,
        out=out,
        action=action,
        dry_run=dry_run,
        failures=failures,
        keep=keep,
        plan=plan,
        plan_action=plan_action,
        limits=limits,
        quiet=quiet,
    )
    mode = _mode(quick, thorough)
    if calibration is not None:
        refuse_beside_calibration(
            preset=preset is not None, preset_file=preset_file, quick=quick, size=size, model=model
        )
    chosen, options = chosen_preset(preset, preset_file), embedding_options(size, model)
    refuse_idle_embedding({"method": None, "options": options, "preset": chosen, "weights": {}})
    fitted = None if calibration is None else read_calibration(calibration)
    outputs.check()
    from lookalike.api import group as find
    from lookalike.progress import Progress

    with Progress(quiet=quiet) as progress:
        try:
            found = find(
                sources,
                threshold=threshold,
                against=against or (),
                mode=mode,
                group_by=group_by or ("base" if out else "cluster"),
                preset=chosen if fitted is None else "auto",
                options=options,
                calibration=fitted,
                store=chosen_store,
                limits=outputs.limits,
                recursive=recursive,
                hidden=hidden,
                workers=workers,
                leave_out=out,
                progress=progress.tell,
            )
        except KeyboardInterrupt:
            stopped: str | None = _stopped(progress, store, no_store=no_store)
        else:
            stopped = None
    if stopped is not None:  # said below the bar, once that is gone
        typer.echo(stopped, err=True)
        raise typer.Exit(130)
    raise typer.Exit(_finish(found, outputs, time.monotonic() - started))


def _mode(quick: bool, thorough: bool) -> Mode:
    if quick and thorough:
        raise UsageError("--quick and --thorough contradict each other", remedy="leave one out")
    return "quick" if quick else "thorough" if thorough else "default"


def _stopped(progress: Progress, store: str | None, *, no_store: bool) -> str:
    how_far = f"stopped while {progress.what}" if progress.what else "stopped"
    if progress.total:
        how_far += f", after {progress.done} of {progress.total}"
    if no_store:
        return f"{how_far}; nothing is kept (--no-store)"
    from lookalike.collection.places import default_path

    return f"{how_far}; the next run goes on from what is in {printable(store or default_path())}"


def _finish(found: Grouping, outputs: Outputs, seconds: float) -> int:
    """Write and say what was found; the exit code."""
    from lookalike.commands.groups_shown import show_groups, summary
    from lookalike.commands.written import write
    from lookalike.console import plural, remark, show_failures

    began = time.monotonic()
    if not outputs.any:
        show_groups(found)
    code = write(found, outputs)
    if not outputs.quiet:
        for notice in found.notices:
            remark(f"note: {printable(notice, 500)}")
        more = "" if outputs.failures else "; all with --failures failures.txt"
        show_failures(found.failures, "could not be used", more=more)
    if not any(not picture.reference for picture in found.pictures):
        bad = plural(len(found.failures), "file")
        reason = f"nothing here could be read ({bad} failed)" if found.failures else "there is no picture here"
        raise PictureError(reason, source=", ".join(outputs.sources), remedy="name a folder with pictures in it")
    if not outputs.quiet:
        remark(summary(found, seconds + time.monotonic() - began))
    return code
