"""lookalike apply and undo: a plan of which pictures go, carried out and taken back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.commands.options import AsJson, DryRun, Quiet
from lookalike.errors import PictureError, printable

if TYPE_CHECKING:
    from lookalike.results.journal import Step
    from lookalike.types import Failure

PlanFile = Annotated[
    str, typer.Argument(help="A plan that `lookalike group --plan` wrote.", show_default=False, metavar="PLAN")
]


def apply(plan: PlanFile, dry_run: DryRun = False, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Carry out a plan: what goes by it goes, if the picture that stays for it is there."""
    from lookalike.console import plural, resumable, show_failures
    from lookalike.progress import Progress
    from lookalike.results.apply import apply_plan

    with resumable(), Progress(quiet=quiet) as progress:
        applied = apply_plan(plan, dry_run=dry_run, progress=partial(progress.tell, "applying"))
    if as_json:
        _print_json("done", applied.done, "refused", applied.refused, already=applied.already, dry_run=dry_run)
    else:
        if dry_run:
            _show(applied.done)
        already = f", {applied.already:,} were done before" if applied.already else ""
        what = "would be done; nothing was touched" if dry_run else "done"
        typer.echo(f"{plural(len(applied.done), 'step')} {what}{already}")
        show_failures(applied.refused, "refused, and left as they are", more="", first=20)
        if any(step.to is not None for step in applied.done) and not dry_run and not quiet:
            typer.echo(f"to take it back: `lookalike undo {printable(plan)}`", err=True)
    if applied.refused:
        raise typer.Exit(PictureError.exit_code)


def undo(plan: PlanFile, dry_run: DryRun = False, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Take back what `lookalike apply` did with a plan."""
    from lookalike.console import plural, resumable, show_failures
    from lookalike.progress import Progress
    from lookalike.results.undo import undo_plan

    with resumable(), Progress(quiet=quiet) as progress:
        undone = undo_plan(plan, dry_run=dry_run, progress=partial(progress.tell, "undoing"))
    if as_json:
        _print_json("restored", undone.restored, "failures", undone.failures, dry_run=dry_run)
    else:
        if dry_run:
            _show(undone.restored)
        what = "would be brought back; nothing was touched" if dry_run else "brought back"
        typer.echo(f"{plural(len(undone.restored), 'picture')} {what}")
        show_failures(undone.failures, "could not be brought back", more="", first=20)
    if undone.failures:
        raise typer.Exit(PictureError.exit_code)


def _show(steps: Sequence[Step]) -> None:
    for step in steps:
        where = "" if step.to is None else f"  ->  {printable(step.to)}"
        typer.echo(f"{step.action}  {printable(step.path)}{where}  (for {printable(step.keep)})")


def _print_json(done: str, steps: Sequence[Step], failed: str, failures: Sequence[Failure], **rest: object) -> None:
    lines = {done: [asdict(step) for step in steps], failed: [asdict(failure) for failure in failures], **rest}
    typer.echo(json.dumps(lines))
