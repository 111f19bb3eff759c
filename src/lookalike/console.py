"""Words on a terminal: colour and tables there, plain text in a pipe, JSON where asked for."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from lookalike.errors import LookalikeError, printable
from lookalike.types import Comparison, Failure
from lookalike.verdicts import verdict_of

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


def coloured(score: float, text: str) -> str:
    """``text`` in the colour of the verdict that ``score`` has."""
    return styled(text, fg=_COLOURS[verdict_of(score)], bold=True)


def show(result: Comparison, *, as_json: bool, parts: bool, quiet: bool) -> None:
    """Print one comparison."""
    if as_json:
        typer.echo(json.dumps(result.to_dict()))
        return
    if quiet:
        typer.echo(f"{result.score:.4f}")
        return
    score, rest = str(result).split("  ", 1)
    typer.echo(f"{coloured(result.score, score)}  {rest}")
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


def remark(text: str) -> None:
    """Say something beside the result: on stderr, so that a pipe gets the result alone."""
    typer.echo(text, err=True)


def show_failures(failures: Sequence[Failure], what: str, *, more: str, first: int = 5) -> None:
    """How many of ``what`` failed, the first of them, and where to find the others."""
    if not failures:
        return
    remark(f"{styled(f'{len(failures)} {what}:', fg=typer.colors.RED, bold=True)}")
    for failure in failures[:first]:
        remark(f"  {printable(failure.reason, 500)}")
    if len(failures) > first:
        remark(f"  … and {len(failures) - first} more{more}")


@contextmanager
def resumable(*, kept: bool = True, lost: str = "nothing is kept") -> Iterator[None]:
    """Ctrl-C in the block ends the command with 130, saying whether the same one goes on from there."""
    try:
        yield
    except KeyboardInterrupt:
        if kept:
            remark("stopped; what was done is whole, and the same command again goes on from there")
        else:
            remark(f"stopped; {lost}")
        raise typer.Exit(130) from None


def plural(count: int, one: str, many: str = "") -> str:
    """A count and its word.

    >>> plural(1, "picture"), plural(2000, "picture"), plural(0, "copy", "copies")
    ('1 picture', '2,000 pictures', '0 copies')
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def size(count: float) -> str:
    """Bytes as a person reads them.

    >>> size(999), size(1_500_000), size(12e9)
    ('999 bytes', '1.5 MB', '12 GB')
    """
    if count < 1000:
        return f"{count:g} bytes"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 999.5 or unit == "GB":
            break
    return f"{count:.2g} {unit}" if count < 9.95 else f"{count:,.0f} {unit}"


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
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
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
