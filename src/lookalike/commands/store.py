"""lookalike store: what is kept from run to run."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lookalike.commands.options import AsJson, StoreFile
from lookalike.errors import StoreError, UsageError, printable

if TYPE_CHECKING:
    from lookalike.collection.store import Store

app = typer.Typer(rich_markup_mode=None)

_UNITS = {"": 1, "B": 1} | {
    f"{letter}{binary}B": (1024 if binary else 1000) ** power
    for power, letter in enumerate("KMGT", 1)
    for binary in ("", "I")
}


@app.callback(invoke_without_command=True)
def _store(context: typer.Context) -> None:
    """Look after the store: the features that are kept from run to run."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def info(store: StoreFile = None, as_json: AsJson = False) -> None:
    """Say what is in the store."""
    from lookalike.collection.upkeep import info as look

    with opened(store) as found:
        about = look(found)
        _notices(found)
    if as_json:
        typer.echo(json.dumps(about.to_dict()))
        return
    from lookalike.console import size

    rate = (
        "" if about.hit_rate is None else f", {about.hit_rate:.0%} of {about.hits + about.misses:,} asked for were here"
    )
    rows = {
        "file": f"{printable(about.path)} ({size(about.bytes)})",
        "pictures": f"{about.pictures:,}, {about.failures:,} of them cannot be used{rate}",
        "files": f"{about.files:,}",
        "last used": f"{_day(about.oldest)} to {_day(about.newest)}" if about.newest is not None else "never",
        "runs": f"{about.runs:,}",
        "decisions": f"{about.decisions:,}",
    }
    for name, words in rows.items():
        typer.echo(f"{name:<10}  {words}")
    for key, kept in about.features.items():
        typer.echo(f"{'feature':<10}  {kept.count:>9,}  {size(kept.bytes):>9}  {printable(key, 60)}")


@app.command()
def prune(
    days: Annotated[
        float | None, typer.Option("--days", min=0, help="Pictures last used longer ago than this go.")
    ] = None,
    entries: Annotated[int | None, typer.Option("--entries", min=0, help="At most so many pictures stay.")] = None,
    most: Annotated[
        str | None, typer.Option("--bytes", metavar="SIZE", help="At most so much stays: 500MB, 5GB, 2GiB.")
    ] = None,
    vanished: Annotated[bool, typer.Option("--vanished", help="Also forget paths of files that are gone.")] = False,
    store: StoreFile = None,
    as_json: AsJson = False,
) -> None:
    """Take out the pictures used longest ago until every limit holds."""
    if days is None and entries is None and most is None and not vanished:
        raise UsageError("nothing says what may go", remedy="give --days, --entries, --bytes or --vanished")
    limit = None if most is None else byte_count(most)
    from lookalike.collection.upkeep import prune as take_out

    with opened(store) as found:
        pruned = take_out(found, days=days, entries=entries, bytes=limit, vanished=vanished)
        _notices(found)
    if as_json:
        typer.echo(json.dumps(asdict(pruned)))
        return
    from lookalike.console import plural, size

    gone = plural(pruned.pictures, "picture")
    paths = f" and {plural(pruned.files, 'vanished path')}" if vanished else ""
    typer.echo(
        f"{gone}{paths} taken out, {pruned.pictures_left:,} left; {size(pruned.bytes_before)} before,"
        f" {size(pruned.bytes_after)} now"
    )


@app.command()
def verify(
    repair: Annotated[bool, typer.Option("--repair", help="Take out what is damaged.")] = False,
    store: StoreFile = None,
    as_json: AsJson = False,
) -> None:
    """Check every page and every checksum."""
    from lookalike.collection.upkeep import verify as check
    from lookalike.console import plural

    with opened(store) as found:
        report = check(found, repair=repair)
        _notices(found)
    if as_json:
        typer.echo(json.dumps(report.to_dict()))
    else:
        read = ", ".join(plural(count, table.removesuffix("s")) for table, count in report.checked.items())
        for line in (*report.problems, *(f"{count:,} damaged {table}" for table, count in report.damaged.items())):
            typer.echo(printable(line, 500))
        end = (
            "sound" if report.sound else "repaired" if report.repaired else "damaged; --repair takes out what is broken"
        )
        typer.echo(f"{read} read: {end}")
    if not report.sound and not report.repaired:
        raise typer.Exit(StoreError.exit_code)


@app.command()
def export(
    file: Annotated[str, typer.Argument(help="Where to: a .jsonl file.", show_default=False, metavar="FILE")],
    store: StoreFile = None,
) -> None:
    """Write pictures, features and decisions as JSON lines, for other programs."""
    if not file.lower().endswith(".jsonl"):
        raise UsageError(f"the store cannot be written to {printable(file)}", remedy="call it store.jsonl")
    from lookalike.collection.upkeep import export as write
    from lookalike.console import plural, remark

    with opened(store) as found:
        count = write(found, file)
        _notices(found)
    remark(f"{plural(count, 'picture')} written to {printable(file)}")


def opened(file: str | None) -> Store:
    """The store at ``file``, which must be there already.

    Raises:
        StoreError: it is not, or it cannot be opened.
    """
    from lookalike.collection.places import default_path
    from lookalike.collection.store import Store

    path = default_path() if file is None else file
    if not os.path.lexists(path):
        raise StoreError(f"{printable(path)}: there is no store", remedy="`lookalike group` makes one")
    return Store(path)


def byte_count(text: str) -> int:
    """``"5GB"`` → 5,000,000,000; ``"2GiB"`` → 2 × 2³⁰; a plain number is bytes.

    >>> byte_count("1.5 MB"), byte_count("2KiB"), byte_count("100")
    (1500000, 2048, 100)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?i?b?)", text.strip(), re.IGNORECASE)
    unit = found[2].upper() if found else ""
    if unit and not unit.endswith("B"):
        unit += "B"
    if found is None or unit not in _UNITS:
        raise UsageError(f"--bytes {text!r} is no size", remedy="for example 500MB or 5GB")
    return int(float(found[1]) * _UNITS[unit])


def _day(seconds: int | None) -> str:
    return "never" if seconds is None else time.strftime("%Y-%m-%d", time.localtime(seconds))


def _notices(store: Store) -> None:
    from lookalike.console import remark

    for notice in store.notices:
        remark(f"note: {printable(notice, 500)}")
