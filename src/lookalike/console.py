"""Words on a terminal: colour and tables there, plain text in a pipe, JSON where asked for."""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

import typer

from lookalike.errors import LookalikeError, UsageError, printable
from lookalike.types import BANDS, Comparison, PairFailure, format_score

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLOURS = {
    "identical": typer.colors.BRIGHT_GREEN,
    "near-duplicate": typer.colors.GREEN,
    "same product": typer.colors.CYAN,
    "same category": typer.colors.YELLOW,
    "different": typer.colors.RED,
}


def show(result: Comparison, *, as_json: bool, parts: bool, quiet: bool) -> None:
    """Print one comparison."""
    if as_json:
        typer.echo(json.dumps(result.to_dict(), ensure_ascii=False))
        return
    if quiet:
        typer.echo(f"{result.score:.4f}")
        return
    score, rest = str(result).split("  ", 1)
    typer.echo(f"{typer.style(score, fg=_COLOURS[result.verdict], bold=True)}  {rest}")
    if parts:
        width = max(map(len, [*result.parts, *result.details]), default=0)
        for name, value in sorted(result.parts.items(), key=lambda part: -part[1]):
            typer.echo(f"  {name:<{width}}  {value:.3f}  {_bar(value)}")
        for name, number in result.details.items():
            typer.echo(f"  {name:<{width}}  {number if isinstance(number, str) else format(number, '.4g')}")


def _bar(value: float) -> str:
    try:
        "█░".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "#" * round(20 * value)
    return "█" * round(20 * value) + "░" * (20 - round(20 * value))


def report(error: LookalikeError, *, as_json: bool) -> None:
    """Print an error: one line on stderr, or a JSON object on stdout."""
    if as_json:
        typer.echo(json.dumps({"error": error.to_dict()}, ensure_ascii=False))
    else:
        typer.echo(f"{typer.style('error:', fg=typer.colors.RED, bold=True)} {printable(str(error), 500)}", err=True)


def quiet_libraries() -> None:
    """Keep the decoders' remarks off the terminal: what matters of them comes back as an error of ours.

    libtiff and others write to file descriptor 2 from C; Python's own stderr is moved to a copy of it first.
    """
    warnings.filterwarnings("ignore", module="PIL")
    if os.environ.get("LOOKALIKE_DEBUG") or sys.stderr is not sys.__stderr__:
        return
    try:
        copy = os.dup(2)
        sys.stderr.flush()
        sys.stderr = open(copy, "w", encoding=sys.stderr.encoding, errors="backslashreplace", buffering=1)  # noqa: SIM115
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)
        os.close(nothing)
    except OSError:
        return  # no stderr at all, as under pythonw


def compare_table(pairs: str, out: str | None, request: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    """Compare every pair of a file: to a file with a progress bar, or line by line to stdout."""
    from pathlib import Path

    from lookalike.api import compare_many
    from lookalike.pairs import check_writable, read_pairs, scores_file

    rows = read_pairs(pairs)
    results = compare_many(((row.a, row.b) for row in rows), **request)
    if out is None:
        for result in results:
            typer.echo(json.dumps(result.to_dict(), ensure_ascii=False) if as_json else _line(result))
        return
    check_writable(Path(out))
    extra = list(dict.fromkeys(name for row in rows for name in row.rest))
    failed = done = 0
    with scores_file(out, extra, _parts_of(request)) as writer, _progress(len(rows), quiet) as advance:
        for row, result in zip(rows, results, strict=True):
            writer.write(result, row.rest)
            done += 1
            failed += isinstance(result, PairFailure)
            advance()
    summary = {"pairs": done, "failed": failed, "out": out}
    if as_json:
        typer.echo(json.dumps(summary))
    elif not quiet:
        tail = f", {failed} failed (see the column error)" if failed else ""
        typer.echo(f"{done} pairs compared{tail}; scores in {printable(out)}", err=True)
    if failed and failed == done:
        raise typer.Exit(3)


def _line(result: Comparison | PairFailure) -> str:
    names = f"{printable(result.a)}  {printable(result.b)}"
    if isinstance(result, PairFailure):
        return f"error  {names}  {printable(str(result), 500)}"
    return f"{format_score(result.score)}  {names}  {result.verdict}"


def _parts_of(request: dict[str, Any]) -> list[str]:
    """The parts that can occur, for the columns of a table."""
    if request["method"] is not None:
        return [request["method"]]
    preset = request["preset"]
    from lookalike.scoring.presets import possible_parts

    return possible_parts(preset.changed(request["weights"]))


class _progress:  # noqa: N801
    """A bar with rate and time left on a terminal; a line every five seconds elsewhere; nothing when quiet."""

    def __init__(self, total: int, quiet: bool) -> None:
        self.total, self.quiet, self.done = total, quiet, 0
        self.bar: Any = None

    def __enter__(self) -> Any:
        import time

        self.started = self.said = time.monotonic()
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("comparing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self.bar = Progress(*columns, console=Console(file=sys.stderr), transient=True)
            self.bar.start()
            self.task = self.bar.add_task("comparing", total=self.total)
        return self.advance

    def advance(self) -> None:
        """One more pair is done."""
        import time

        self.done += 1
        if self.bar is not None:
            self.bar.advance(self.task)
        elif not self.quiet and time.monotonic() - self.said > 5:
            self.said = time.monotonic()
            rate = self.done / (self.said - self.started)
            left = (self.total - self.done) / rate
            typer.echo(f"{self.done} of {self.total} pairs, {rate:.0f}/s, {left:.0f} s left", err=True)

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.stop()


def list_methods(*, as_json: bool) -> None:
    """Print the methods."""
    from lookalike.features.base import describe_methods

    rows = describe_methods()
    if as_json:
        typer.echo(json.dumps(rows))
        return
    _table(("method", "metric", "what"), [(row["name"], row["metric"] or "-", row["about"]) for row in rows])


def list_presets(file: str | None, *, as_json: bool) -> None:
    """Print the presets with their numbers."""
    from lookalike.scoring.presets import PRESETS, read_presets

    table = {**PRESETS, **(read_presets(file) if file else {})}
    if as_json:
        keys = ("name", "about", "rule", "weights", "thresholds")
        typer.echo(json.dumps([{key: getattr(preset, key) for key in keys} for preset in table.values()]))
        return
    for preset in table.values():
        typer.echo(f"{typer.style(preset.name, bold=True):<10}  {preset.about}")
        for label, numbers in (("weights", preset.weights), ("thresholds", preset.thresholds)):
            if numbers:
                typer.echo(f"{'':10}  {label}: {', '.join(f'{key}={value:g}' for key, value in numbers.items())}")
    bands = ", ".join(f"≥ {lowest:.2f} {verdict}" for lowest, verdict in BANDS[1:-1])
    typer.echo(f"\nauto's score means: 1.00 identical, {bands}, below that different")


def list_models(*, as_json: bool) -> None:
    """Print the built-in networks."""
    from lookalike.features.models import MODELS

    rows = [
        {"name": row.name, "precision": row.precision, "size": row.size, "licence": row.licence, "sha256": row.sha256}
        for row in MODELS.values()
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    _table(
        ("model", "precision", "input", "licence"),
        [(str(row["name"]), str(row["precision"]), str(row["size"]), str(row["licence"])) for row in rows],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        raise UsageError("there is nothing to list")
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    for number, line in enumerate((head, *rows)):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        typer.echo(typer.style(text, bold=True) if number == 0 else text)
