"""An evaluation on a terminal, in a pipe, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from lookalike.console import remark, show_failures, styled
from lookalike.errors import printable
from lookalike.lab.report.sentences import headline, plural, reasons, with_interval
from lookalike.types import Failure

if TYPE_CHECKING:
    from lookalike.lab.evaluated import Evaluation, Result


def show(found: Evaluation, *, as_json: bool) -> None:
    """Print the table: a row for every measure, a column for every contestant."""
    if as_json:
        typer.echo(json.dumps(found.to_dict()))
        return
    names = [printable(each.name, 60) for each in found.results]
    lines = [
        (measure.title, *(_cell(name, each) for each in found.results)) for name, measure in found.measures.items()
    ]
    if any(each.milliseconds is not None for each in found.results):
        times = (each.milliseconds for each in found.results)
        lines.append(("milliseconds per pair", *("–" if one is None else f"{one:.0f}" for one in times)))
    widths = [max(len(line[column]) for line in (("", *names), *lines)) for column in range(len(names) + 1)]
    for number, line in enumerate((("", *names), *lines)):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        typer.echo(styled(text, bold=True) if number == 0 else text)
    for reason in reasons(found):
        typer.echo(f"– {reason}")
    typer.echo(f"\n{printable(headline(found), 500)}")


def _cell(name: str, result: Result) -> str:
    told = result.measures.get(name)
    return "–" if told is None else with_interval(told)


def tell(found: Evaluation, report: str | None, out: str | None) -> None:
    """Say beside the table what was measured, what failed and where things are."""
    counts = found.counts
    if found.kind == "pairs":
        what = f"{plural(counts['pairs'], 'pair')} of {plural(counts['pictures'], 'picture')}"
        what += f", {counts['same']:,} same and {counts['different']:,} different"
    else:
        what = f"{plural(counts['queries'], 'query picture')} against {plural(counts['gallery'], 'picture')}"
    remark(f"{printable(found.name)}: {what}; intervals hold in 95 % of rounds with pictures drawn anew")
    for notice in found.notices:
        remark(f"note: {printable(notice, 500)}")
    failures = [Failure(what, "", reason) for what, reason in found.failures.items()]
    what = "could not be scored" if found.kind == "pairs" else "could not be used"
    show_failures(failures, what, more="; all with --report or --json")
    for name, file in (("report", report), ("scores", out)):
        if file is not None:
            remark(f"{name} in {printable(file)}")
