"""lookalike edits: labelled pairs for testing, made from any folder of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.commands.limited import limited
from lookalike.commands.options import Quiet
from lookalike.errors import UsageError, printable
from lookalike.images.limits import Limits

if TYPE_CHECKING:
    from lookalike.lab.bench.make import Bench


@limited(urls=False)
def edits(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="Folders, files, patterns, or @list.txt.", show_default=False, metavar="SOURCES"),
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="DIR", help="A new folder for the copies and the pairs.")
    ] = None,
    pictures: Annotated[int, typer.Option("--pictures", min=1, help="How many pictures are edited.")] = 200,
    names: Annotated[
        str, typer.Option("--edits", metavar="NAMES", help="all, light, medium, strong, or names; by commas.")
    ] = "all",
    each: Annotated[
        int | None, typer.Option("--each", min=1, help="How many of the edits each picture meets; all by default.")
    ] = None,
    negatives: Annotated[int, typer.Option("--negatives", min=0, help="How many pairs of different pictures.")] = 2000,
    hard: Annotated[float, typer.Option("--hard", min=0, max=1, help="Share of these that look most alike.")] = 0.33,
    side: Annotated[
        int, typer.Option("--side", min=64, help="Pixels that a longer side is scaled down to before it is edited.")
    ] = 1024,
    seed: Annotated[int, typer.Option("--seed", help="Another one, another bench.")] = 0,
    all_differ: Annotated[
        bool, typer.Option("--all-differ", help="No picture is a copy of another: leave out no pair of different ones.")
    ] = False,
    show: Annotated[bool, typer.Option("--list", help="Show the edits, and do nothing.")] = False,
    quiet: Quiet = False,
    *,
    limits: Limits,
) -> None:
    """Make labelled pairs from a folder: edited copies of its pictures, and pairs of different ones."""
    if show:
        _list()
        return
    if not sources or out is None:
        raise UsageError("pictures and a folder for the result are needed", remedy="lookalike edits PHOTOS --out BENCH")
    from lookalike.lab.bench.make import make_bench
    from lookalike.progress import Progress

    with Progress(quiet=quiet) as progress:
        made = make_bench(
            sources,
            out,
            pictures=pictures,
            edits=names.split(","),
            each=each,
            negatives=negatives,
            hard=hard,
            side=side,
            seed=seed,
            all_differ=all_differ,
            limits=limits,
            progress=progress.tell,
        )
    if not quiet:
        _say(made)


def _list() -> None:
    from lookalike.lab.edits.table import EDITS

    width = max(len(edit.slug) for edit in EDITS.values())
    for edit in EDITS.values():
        needs = f"; needs {'another picture' if edit.needs == 'host' else 'a cut-out'}" if edit.needs else ""
        typer.echo(f"{edit.slug:<{width}}  {edit.strength:<6}  {edit.about}{needs}")


def _say(made: Bench) -> None:
    from lookalike.console import plural, remark, show_failures

    copies = sum(made.copies.values())
    used = sum(count > 0 for count in made.copies.values())
    typer.echo(
        f"{printable(made.pairs)}: {plural(copies, 'edited copy', 'edited copies')} ({plural(used, 'edit')} of "
        f"{plural(made.pictures, 'picture')}), {plural(made.nearest + made.random, 'pair')} of different pictures "
        f"({made.nearest:,} that look most alike, {made.random:,} at random)"
    )
    for notice in made.notices:
        remark(f"note: {printable(notice, 500)}")
    idle = [name for name, count in made.copies.items() if not count]
    if idle:
        remark(f"note: applied to no picture: {', '.join(idle)}")
    if made.alike:
        pairs = plural(len(made.alike), "pair")
        remark(f"note: {pairs} of these pictures are copies of each other already, and left out; see alike.csv")
    show_failures(made.failures, "could not be used", more="")
