"""A table of pairs → a table of scores, or a line for each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import typer

from lookalike.errors import PictureError, printable
from lookalike.types import Comparison, PairFailure
from lookalike.verdicts import format_score

if TYPE_CHECKING:
    from lookalike.pairs import Row


def compare_table(
    pairs: str,
    out: str | None,
    request: dict[str, Any],
    store: str | Literal[False] | None,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Compare every pair of a file: to a file with a progress bar, or line by line to stdout.

    ``store`` keeps features, see :func:`lookalike.collection.store.opened`.
    """
    from pathlib import Path

    from lookalike.api import compare_many
    from lookalike.collection.kept import KeptFeatures
    from lookalike.collection.store import opened
    from lookalike.console import remark
    from lookalike.pairs import read_pairs
    from lookalike.scores import check_writable

    if out is not None:
        check_writable(Path(out))
    rows = read_pairs(pairs)
    with opened(store) as kept, KeptFeatures(kept) as features:
        results = compare_many(((row.a, row.b) for row in rows), store=features, **request)
        if out is None:
            failed = _print_results(results, as_json=as_json, quiet=quiet)
        else:
            failed = _write_results(rows, results, out, parts_of(request), quiet=quiet)
        notices = dict.fromkeys((*kept.notices, *features.notices))
    if out is not None and as_json:
        typer.echo(json.dumps({"pairs": len(rows), "failed": failed, "out": out}))
    elif out is not None and not quiet:
        tail = f", {failed} failed (see the column error)" if failed else ""
        typer.echo(f"{len(rows)} pairs compared{tail}; scores in {printable(out)}", err=True)
    for notice in () if quiet else notices:
        remark(f"note: {printable(notice, 500)}")
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
    failed = done = 0
    there = os.path.exists(out)
    try:
        with scores_file(out, extra, parts) as writer, Progress(quiet=quiet) as progress:
            for done, (row, result) in enumerate(zip(rows, results, strict=True), 1):
                writer.write(result, row.rest)
                failed += isinstance(result, PairFailure)
                progress.tell("comparing pairs", done, len(rows))
    except KeyboardInterrupt:
        where = f"{printable(out)} is as it was" if there else f"{done} of them are in {printable(out)}"
        typer.echo(f"stopped after {done} of {len(rows)} pairs; {where}", err=True)
        raise typer.Exit(130) from None
    return failed


def _line(result: Comparison | PairFailure) -> str:
    names = f"{printable(result.a)}  {printable(result.b)}"
    if isinstance(result, PairFailure):
        return f"error  {names}  {printable(str(result), 500)}"
    return f"{format_score(result.score)}  {names}  {result.verdict}"


def parts_of(request: dict[str, Any]) -> list[str]:
    """The similarities that can occur, for the columns of a table."""
    from lookalike.scoring.presets import possible_parts

    calibration = request.get("calibration")
    if calibration is not None:
        return [calibration.method] if calibration.preset is None else possible_parts(calibration.preset)
    if request["method"] is not None:
        return [request["method"]]
    return possible_parts(request["preset"].changed(request["weights"]))
