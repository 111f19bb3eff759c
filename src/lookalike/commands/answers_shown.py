"""The answers of a search on a terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lookalike.console import coloured, plural, remark, show_failures
from lookalike.errors import UsageError, printable
from lookalike.files import check_place
from lookalike.verdicts import format_score

if TYPE_CHECKING:
    from lookalike.catalogue.answers import Answer, Answers


def check_sheet(file: str) -> None:
    """Refuse, before any work, what no contact sheet can be written to.

    Raises:
        UsageError, OutputError: another suffix; no such folder.
    """
    if Path(file).suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"a contact sheet cannot be written to {printable(file)!r}", remedy="use .html")
    check_place(Path(file))


def show_answers(
    found: Answers, seconds: float, *, as_json: bool, quiet: bool, facets: bool, names: Sequence[str] = ()
) -> None:
    """Print the answers: a line each, JSON where asked for; with ``quiet`` the ids alone.

    Of the data of each, what ``names`` says is shown.
    """
    if as_json:
        typer.echo(json.dumps(found.to_dict()))
        return
    if quiet:
        for answer in found.answers:
            typer.echo(printable(answer.id, 600))
        return
    width = max((len(_name(answer)) for answer in found.answers), default=0)
    exact = all(answer.closely or answer.score is None for answer in found.answers)
    for answer in found.answers:
        for line in _lines(answer, width, "", exact=exact, names=names):
            typer.echo(line)
    if facets:
        typer.echo("")
        for tag, count in found.facets.items():
            typer.echo(f"{count:>8,}  {printable(tag, 60)}")
    for notice in found.notices:
        remark(f"note: {printable(notice, 500)}")
    show_failures(found.failures, "could not be compared", more="")
    how = "by vectors alone" if found.preset is None else f"compared by {found.preset}"
    if not exact:
        remark("~ told at a glance; --thorough compares all of them closely")
    remark(f"{plural(len(found), 'answer')} of {plural(found.count, 'item')}, {how}{found.aside}, {seconds:.2f} s")


def _lines(answer: Answer, width: int, indent: str, *, exact: bool, names: Sequence[str]) -> Iterator[str]:
    value = answer.similarity if answer.score is None else answer.score
    number = f"{value:.3f}" if answer.score is None else coloured(value, format_score(value))
    if answer.score is not None and not exact:
        number = f"{' ' if answer.closely else '~'}{number}"
    words = [word for word in (answer.verdict, *answer.reasons, *answer.asides) if word]
    words += [f"{printable(name, 40)} {printable(str(answer.data[name]), 40)}" for name in names if name in answer.data]
    tags = f"  [{', '.join(printable(tag, 30) for tag in answer.tags[:6])}]" if answer.tags else ""
    yield f"{indent}{number}  {_name(answer):<{width}}  {', '.join(words)}{tags}".rstrip()
    for other in answer.folded:
        yield from _lines(other, width, f"{indent}      ", exact=exact, names=names)


def _name(answer: Answer) -> str:
    """What a person knows it by: the id, and the file where that does not tell."""
    file = os.path.basename(answer.source)
    name = printable(answer.id, 80)
    return name if not file or file in answer.id else f"{name}  {printable(file, 60)}"
