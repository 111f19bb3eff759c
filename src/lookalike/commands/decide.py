"""lookalike decide: what a person says about two pictures, honoured by later runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from lookalike.commands.options import AsJson, StoreFile
from lookalike.errors import SourceUnreadable, UsageError, printable

if TYPE_CHECKING:
    from lookalike.collection.store import Decision

Row: TypeAlias = "tuple[str, str, Decision | None]"
"""Digests of two pictures and what was decided; None forgets it."""


def decide(
    a: Annotated[str | None, typer.Argument(help="A picture.", show_default=False)] = None,
    b: Annotated[str | None, typer.Argument(help="The other one.", show_default=False)] = None,
    different: Annotated[bool, typer.Option("--different", help="They are not the same: never a pair again.")] = False,
    same: Annotated[bool, typer.Option("--same", help="They are the same.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Nothing is decided about them any more.")] = False,
    file: Annotated[
        str | None, typer.Option("--from", metavar="FILE", help="Take the decisions.json that a report saved.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Show what was decided.")] = False,
    store: StoreFile = None,
    as_json: AsJson = False,
) -> None:
    """Remember that two pictures are not the same, or are, or forget it."""
    from lookalike.collection.store import Store
    from lookalike.console import plural

    ways = [name for name, chosen in (("different", different), ("same", same), ("forget", forget)) if chosen]
    _refuse_unclear(a, b, ways, file=file, listed=listed)
    if listed:
        _show(store, as_json=as_json)
        return
    rows = _from_file(Path(file)) if file is not None else [_named(str(a), str(b), ways[0])]
    with Store(store) as opened:
        for one, other, decision in rows:
            opened.decide(one, other, decision)
        count, path = len(opened.decisions()), opened.path
    if as_json:
        typer.echo(json.dumps({"taken": len(rows), "decisions": count, "store": path}))
    else:
        typer.echo(f"{plural(len(rows), 'decision')} taken over, {count:,} in {printable(path)}")


def _refuse_unclear(a: str | None, b: str | None, ways: list[str], *, file: str | None, listed: bool) -> None:
    asked = [file is not None, listed, a is not None]
    if sum(asked) > 1 or ((file is not None or listed) and ways):
        raise UsageError("two pictures, --from and --list exclude each other", remedy="give one of them")
    if file is None and not listed:
        if a is None or b is None:
            raise UsageError("two pictures are needed", remedy="lookalike decide A B --different")
        if len(ways) != 1:
            raise UsageError("what is decided is not clear", remedy="give one of --different, --same and --forget")


def _named(a: str, b: str, way: str) -> Row:
    from lookalike.images.load import load

    one, other = load(a).digest, load(b).digest
    if one == other:
        raise UsageError("both are the same file, byte by byte", remedy="there is nothing to decide")
    return one, other, _decision(way)


def _decision(way: str) -> Decision | None:
    if way == "forget":
        return None
    if way not in ("different", "same"):
        raise ValueError(f"{way!r} is none of different, same and forget")
    return way  # type: ignore[return-value]  # as was just seen


def _from_file(file: Path) -> list[Row]:
    """The decisions in a file; all of them, or an error.

    Raises:
        SourceUnreadable: there is no such file.
        UsageError: it holds something else.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise SourceUnreadable(
            f"cannot be read: {error.strerror}", source=str(file), remedy="name the file that a report saved"
        ) from error
    try:
        rows = json.loads(content)
        if not isinstance(rows, list):
            raise TypeError("no list")
        return [_row(row) for row in rows]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise UsageError(
            f"{printable(str(file))}: these are no decisions ({printable(what)})", remedy="save them from a report anew"
        ) from error


def _row(row: Any) -> Row:
    one, other = row["a_digest"], row["b_digest"]
    for digest in (one, other):
        if not isinstance(digest, str) or len(bytes.fromhex(digest)) != 32:
            raise ValueError(f"{digest!r} is no sha256")
    return one.lower(), other.lower(), _decision(row["decision"])


def _show(file: str | None, *, as_json: bool) -> None:
    from lookalike.collection.upkeep import paths_of
    from lookalike.commands.store import opened
    from lookalike.console import plural

    with opened(file) as found:
        decisions, paths = found.decisions(), paths_of(found)
    rows = [
        {"a": _path(a, paths), "b": _path(b, paths), "a_digest": a, "b_digest": b, "decision": decision}
        for (a, b), decision in decisions.items()
    ]
    rows.sort(key=lambda row: (row["a"], row["b"]))
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(f"{row['decision']:<9}  {printable(row['a'])}  {printable(row['b'])}")
    typer.echo(plural(len(rows), "decision"), err=True)


def _path(digest: str, paths: dict[str, list[str]]) -> str:
    """Where the picture lay; where that was forgotten, the first digits of its digest."""
    return paths.get(digest, [f"sha256:{digest[:16]}"])[0]
