"""The result of lookalike group, written where it was asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import typer

from lookalike.commands.failure_file import write_failures
from lookalike.commands.outputs import STDOUT, Outputs
from lookalike.console import plural, remark, resumable, show_failures, size
from lookalike.errors import OutputError, printable
from lookalike.progress import Progress
from lookalike.results.folders import lay_out
from lookalike.results.keep import propose
from lookalike.results.pairs_file import write_pairs
from lookalike.results.plan import Remedy, plan_of, write_plan
from lookalike.results.report import write_report
from lookalike.types import Grouping


def write(found: Grouping, outputs: Outputs) -> int:
    """Write everything that was asked for, and say so on stderr.

    Returns:
        The exit code: 0, or that of an :class:`~lookalike.errors.OutputError` where files could not be placed.

    Raises:
        OutputError: something cannot be written after all.
        typer.Exit: Ctrl-C.
    """
    with resumable():
        for table in outputs.tables:
            _write_table(found, table, outputs)
        if outputs.failures is not None:
            write_failures(found.failures, outputs.failures)
        if outputs.report is not None:
            _write_report(found, outputs.report, outputs)
        if outputs.plan is not None:
            _write_plan(found, outputs.plan, outputs)
        return 0 if outputs.out is None else _lay_out(found, outputs.out, outputs)


def _write_table(found: Grouping, file: str, outputs: Outputs) -> None:
    if file == STDOUT:
        for pair in found.pairs:
            typer.echo(json.dumps(pair.to_dict()))
    else:
        write_pairs(found, file)
        _say(f"{plural(len(found.pairs), 'pair')} written to {printable(file)}", outputs)


def _write_report(found: Grouping, file: str, outputs: Outputs) -> None:
    with _stage("drawing thumbnails", outputs) as tell:
        write_report(found, file, limits=outputs.limits, progress=tell)
    _say(f"report written to {printable(file)} ({size(os.path.getsize(file))}); open it in a browser", outputs)


def _write_plan(found: Grouping, file: str, outputs: Outputs) -> None:
    with _stage("looking for the best", outputs) as tell:
        proposals = propose(found, progress=tell)
    plan = plan_of(proposals, action=outputs.remedy)
    write_plan(plan, file)
    gone = sum(other.picture.bytes for proposal in proposals.proposals for other in proposal.others)
    stay = f"{plural(len(plan.groups), 'picture')} would stay, {plan.goes:,} {_GOES[plan.action]} ({size(gone)})"
    _say(f"plan written to {printable(file)}: {stay}; read it, then `lookalike apply {printable(file)}`", outputs)
    show_failures(proposals.failures, "could not be looked at", more="")


def _lay_out(found: Grouping, out: str, outputs: Outputs) -> int:
    with _stage("placing files", outputs) as tell:
        layout = lay_out(found, out, action=outputs.placing, dry_run=outputs.dry_run, progress=tell)
    if outputs.dry_run:
        for placed in layout.placed:
            typer.echo(f"{placed.action}  {printable(placed.source)}  ->  {printable(placed.target)}")
    here = f"{plural(len(layout.placed), 'file')} in {plural(layout.folders, 'folder')} of {printable(out)}"
    _say(f"a dry run, nothing was placed; there would be {here}" if outputs.dry_run else here, outputs)
    show_failures(layout.failures, "could not be placed", more="", first=20)
    return OutputError.exit_code if layout.failures else 0


def _say(text: str, outputs: Outputs) -> None:
    if not outputs.quiet:
        remark(text)


@contextmanager
def _stage(what: str, outputs: Outputs) -> Iterator[Callable[[int, int], None]]:
    with Progress(quiet=outputs.quiet) as progress:
        yield partial(progress.tell, what)


_GOES: dict[Remedy, str] = {
    "trash": "would go to the trash",
    "hardlink": "would become hard links",
    "symlink": "would become symlinks",
    "delete": "would be deleted for good",
}
