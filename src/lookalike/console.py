"""Words on a terminal: colour and tables there, plain text in a pipe, JSON where asked for."""

from __future__ import annotations

import io
import json
import os
import sys
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import typer

from lookalike.errors import LookalikeError, PictureError, printable
from lookalike.types import Comparison, PairFailure, format_score

if TYPE_CHECKING:
    from lookalike.pairs import Row

_COLOURS = {
    "identical": typer.colors.BRIGHT_GREEN,
    "near-duplicate": typer.colors.GREEN,
    "same product": typer.colors.CYAN,
    "same category": typer.colors.YELLOW,
    "different": typer.colors.RED,
}


def styled(text: str, **style: Any) -> str:
    """``text`` in the colours of ``typer.style``, unless NO_COLOR is set or the terminal knows none.

    Typer itself takes them off again where the output is no terminal.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return typer.style(text, **style)


def show(result: Comparison, *, as_json: bool, parts: bool, quiet: bool) -> None:
    """Print one comparison."""
    if as_json:
        typer.echo(json.dumps(result.to_dict()))
        return
    if quiet:
        typer.echo(f"{result.score:.4f}")
        return
    score, rest = str(result).split("  ", 1)
    typer.echo(f"{styled(score, fg=_COLOURS[result.verdict], bold=True)}  {rest}")
    if parts:
        width = max(map(len, [*result.parts, *result.details]), default=0)
        for name, value in sorted(result.parts.items(), key=lambda part: -part[1]):
            typer.echo(f"  {name:<{width}}  {value:.3f}  {_bar(value)}")
        for name, number in result.details.items():
            typer.echo(f"  {name:<{width}}  {number:.4g}")


def _bar(value: float) -> str:
    try:
        "█░".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "#" * round(20 * value)
    return "█" * round(20 * value) + "░" * (20 - round(20 * value))


def report(error: LookalikeError, *, as_json: bool) -> None:
    """Print an error: one line on stderr, or a JSON object on stdout."""
    if as_json:
        typer.echo(json.dumps({"error": error.to_dict()}))
    else:
        typer.echo(f"{styled('error:', fg=typer.colors.RED, bold=True)} {printable(str(error), 500)}", err=True)


def accept_any_encoding() -> None:
    """Let a pipe that cannot hold a character, such as シ in Windows' cp1252, get its escape instead of a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def quiet_libraries() -> None:
    """Keep the decoders' remarks off the terminal: what matters of them comes back as an error of ours.

    libtiff and others write to file descriptor 2 from C; Python's own stderr is moved to a copy of it first.
    """
    warnings.filterwarnings("ignore", module="PIL")
    ours = sys.__stderr__
    if os.environ.get("LOOKALIKE_DEBUG") or ours is None or ours is not sys.stderr:
        return
    try:
        copy = os.dup(2)
        ours.flush()
        sys.stderr = open(copy, "w", encoding=ours.encoding, errors="backslashreplace", buffering=1)  # noqa: SIM115
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)
        os.close(nothing)
    except OSError:
        return  # no stderr at all, as under pythonw


def compare_table(pairs: str, out: str | None, request: dict[str, Any], *, as_json: bool, quiet: bool) -> None:
    """Compare every pair of a file: to a file with a progress bar, or line by line to stdout."""
    from pathlib import Path

    from lookalike.api import compare_many
    from lookalike.pairs import read_pairs
    from lookalike.scores import check_writable

    if out is not None:
        check_writable(Path(out))
    rows = read_pairs(pairs)
    results = compare_many(((row.a, row.b) for row in rows), **request)
    if out is None:
        failed = _print_results(results, as_json=as_json, quiet=quiet)
    else:
        failed = _write_results(rows, results, out, parts_of(request), quiet=quiet)
        if as_json:
            typer.echo(json.dumps({"pairs": len(rows), "failed": failed, "out": out}))
        elif not quiet:
            tail = f", {failed} failed (see the column error)" if failed else ""
            typer.echo(f"{len(rows)} pairs compared{tail}; scores in {printable(out)}", err=True)
    if failed == len(rows):
        raise typer.Exit(PictureError.exit_code)


def _print_results(results: Iterable[Comparison | PairFailure], *, as_json: bool, quiet: bool) -> int:
    failed = 0
    for result in results:
        failed += isinstance(result, PairFailure)
        if as_json:
            typer.echo(json.dumps(result.to_dict()))
        elif not quiet:
            typer.echo(_line(result))
        elif isinstance(result, PairFailure):
            typer.echo("nan")  # every pair keeps its line, and every line is a number
            typer.echo(f"error: {printable(str(result), 500)}", err=True)
        else:
            typer.echo(f"{result.score:.4f}")
    return failed


def _write_results(
    rows: list[Row], results: Iterable[Comparison | PairFailure], out: str, parts: list[str], *, quiet: bool
) -> int:
    from lookalike.progress import Progress
    from lookalike.scores import OURS, scores_file

    extra = list(dict.fromkeys(name for row in rows for name in row.rest))
    replaced = [name for name in extra if name in OURS]
    if replaced and not quiet:
        typer.echo(f"note: not taken over, as results are called so: {printable(', '.join(replaced))}", err=True)
    failed = 0
    with scores_file(out, extra, parts) as writer, Progress(len(rows), quiet=quiet) as advance:
        for row, result in zip(rows, results, strict=True):
            writer.write(result, row.rest)
            failed += isinstance(result, PairFailure)
            advance()
    return failed


def _line(result: Comparison | PairFailure) -> str:
    names = f"{printable(result.a)}  {printable(result.b)}"
    if isinstance(result, PairFailure):
        return f"error  {names}  {printable(str(result), 500)}"
    return f"{format_score(result.score)}  {names}  {result.verdict}"


def parts_of(request: dict[str, Any]) -> list[str]:
    """The similarities that can occur, for the columns of a table."""
    if request["method"] is not None:
        return [request["method"]]
    from lookalike.scoring.presets import possible_parts

    return possible_parts(request["preset"].changed(request["weights"]))
