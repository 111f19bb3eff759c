"""lookalike compare: two pictures, or every pair in a file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from lookalike.commands.limited import limited
from lookalike.commands.options import (
    CalibrationFile,
    EmbeddingModel,
    EmbeddingSize,
    NoStore,
    PresetFile,
    PresetName,
    StoreFile,
    chosen_preset,
    embedding_options,
    read_calibration,
    refuse_beside_calibration,
    refuse_idle_embedding,
    store_of,
)
from lookalike.errors import UsageError, printable
from lookalike.images.limits import Limits


@limited(urls=True)
def compare(
    a: Annotated[str | None, typer.Argument(help="A picture: a file or an http(s) URL.", show_default=False)] = None,
    b: Annotated[str | None, typer.Argument(help="The other picture.", show_default=False)] = None,
    preset: PresetName = None,
    method: Annotated[
        str | None, typer.Option("--method", "-m", help="Score by one method alone; see `lookalike methods`.")
    ] = None,
    weight: Annotated[
        list[str] | None, typer.Option("--weight", help="Replace a weight of the preset: NAME=NUMBER.", metavar="N=X")
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option("--threshold", help="Replace a threshold of the preset: NAME=NUMBER.", metavar="N=X"),
    ] = None,
    preset_file: PresetFile = None,
    size: EmbeddingSize = None,
    model: EmbeddingModel = None,
    calibration: CalibrationFile = None,
    trim: Annotated[
        bool, typer.Option("--trim", help="Take uniform margins off first; the default preset does not need it.")
    ] = False,
    explain: Annotated[
        str | None, typer.Option("--explain", help="Also draw the reasons: a .png or an .html file.")
    ] = None,
    pairs: Annotated[
        str | None, typer.Option("--pairs", help="Compare every pair in this CSV, TSV, JSONL or Parquet file.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="With --pairs: where the scores go (.csv .tsv .jsonl .parquet).")
    ] = None,
    store: StoreFile = None,
    no_store: NoStore = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, errors too.")] = False,
    parts: Annotated[bool, typer.Option("--parts", help="Also list every similarity behind the score.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the score alone; no progress.")] = False,
    *,
    limits: Limits,
) -> None:
    """Tell how alike two pictures are, or every pair in a file."""
    _refuse_idle(a, b, pairs=pairs, out=out, explain=explain, as_json=as_json, parts=parts, quiet=quiet)
    chosen_store = store_of(store, no_store)
    if pairs is None and chosen_store is not None:
        raise UsageError("two pictures are compared without a store", remedy="leave out --store and --no-store")
    if calibration is not None:
        refuse_beside_calibration(
            preset=preset is not None,
            preset_file=preset_file,
            method=method,
            weight=weight,
            threshold=threshold,
            size=size,
            model=model,
            trim=trim,
        )
    if method is not None and (preset_file is not None or preset is not None):
        raise UsageError("a single method has no preset", remedy="leave out --method, or --preset and --preset-file")
    chosen = chosen_preset(preset, preset_file)
    request: dict[str, Any] = {
        "preset": chosen if method is None else "auto",
        "method": method,
        "weights": _numbers("--weight", weight),
        "thresholds": _numbers("--threshold", threshold),
        "options": embedding_options(size, model),
        "limits": limits,
        "trim": trim,
    }
    refuse_idle_embedding(request)
    if calibration is not None:
        request = {"calibration": read_calibration(calibration), "limits": limits}
    if pairs is not None:
        from lookalike.commands.pair_table import compare_table

        compare_table(pairs, out, request, chosen_store, as_json=as_json, quiet=quiet)
        return
    assert a is not None
    assert b is not None
    from lookalike.api import compare as compare_pictures
    from lookalike.console import show

    result = compare_pictures(a, b, explain=explain, **request)
    show(result, as_json=as_json, parts=parts, quiet=quiet)
    if explain is not None and not quiet:
        typer.echo(f"reasons drawn to {printable(explain)}", err=True)


def _refuse_idle(
    a: str | None,
    b: str | None,
    *,
    pairs: str | None,
    out: str | None,
    explain: str | None,
    as_json: bool,
    parts: bool,
    quiet: bool,
) -> None:
    """Refuse what would silently do nothing."""
    if pairs is not None:
        if a is not None or explain is not None:
            raise UsageError("--pairs takes its pictures from the file", remedy="leave out A, B and --explain")
        if parts and out is None:
            raise UsageError("--parts shows one pair", remedy="--out scores.csv gets a column for every part")
        if parts:
            raise UsageError("--parts shows one pair", remedy="leave it out: --out gets every part anyway")
        return
    if a is None or b is None:
        raise UsageError("two pictures are needed", remedy="lookalike compare A B")
    if out is not None:
        raise UsageError("--out goes with --pairs", remedy="use --explain for a picture of the reasons")
    if parts and quiet and not as_json:
        raise UsageError("--quiet prints the score alone", remedy="leave out --parts or --quiet")


def _numbers(option: str, entries: list[str] | None) -> dict[str, float]:
    numbers = {}
    for entry in entries or []:
        name, equals, value = entry.partition("=")
        try:
            numbers[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise UsageError(f"{option} {entry!r} is no NAME=NUMBER", remedy=f"for example {option} phash=0.7")
    return numbers
