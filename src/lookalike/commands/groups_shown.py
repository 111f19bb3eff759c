"""Groups as a list to read: whole in a pipe, the first of them on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

import typer

from lookalike.console import coloured, plural, styled
from lookalike.errors import printable
from lookalike.types import Comparison, Group, Grouping, Member
from lookalike.verdicts import format_score

GROUPS = 20
"""Groups shown on a terminal."""

MEMBERS = 10
"""Pictures shown of a group on a terminal, beside its base."""

_WIDEST = 70
"""Columns over which longer paths do not push what is said about the others."""

Pairs = Mapping[tuple[str, str], Comparison]


def show_groups(found: Grouping) -> None:
    """Print every group: its base, then what is alike to it, with the score and what was done to it."""
    short = sys.stdout.isatty()
    groups = found.groups[:GROUPS] if short else found.groups
    pairs = {(pair.a, pair.b): pair for pair in found.pairs}
    for group in groups:
        typer.echo(styled(printable(group.base), bold=True) + _lowest(group, found))
        members = group.members[:MEMBERS] if short else group.members
        width = min(_WIDEST, max(len(printable(member.path)) for member in members))
        for member in members:
            typer.echo(_line(member, told(member, group.base, pairs), width))
        if len(members) < len(group.members):
            typer.echo(f"  … and {len(group.members) - len(members)} more")
        typer.echo()
    if len(groups) < len(found.groups):
        rest = plural(len(found.groups) - len(groups), "more group")
        typer.echo(f"… and {rest}; all of them in a page to look at with --report report.html\n")


def _line(member: Member, words: str, width: int) -> str:
    score = "   -" if member.score is None else coloured(member.score, format_score(member.score))
    return f"  {score}  {printable(member.path):<{width}}  {words}".rstrip()


def _lowest(group: Group, found: Grouping) -> str:
    """How alike the least alike two are, where the scores beside the base do not say it."""
    if len(group.members) < 2 or found.group_by == "base":
        return ""
    if group.lowest is None:
        return f"  (some of these pairs are below {found.threshold:g})"
    return f"  (lowest pair {format_score(group.lowest)})"


def told(member: Member, base: str, pairs: Pairs) -> str:
    """What was done to ``base`` to get ``member``, in words."""
    if member.score is None:
        return "by way of others"
    if member.transform is not None:
        words = str(replace(member.transform, inliers=0))
        if words:
            return words.replace("the first is", "the base is").replace("of the second", "of it")
    pair = pairs.get((base, member.path)) or pairs.get((member.path, base))
    return "" if pair is None else ", ".join(pair.reasons)


def summary(found: Grouping, seconds: float) -> str:
    """The run in a line."""
    words = [plural(len(found.pictures), "picture")]
    if found.pairs:
        words += [plural(len(found.groups), "group")]
        words += [f"{plural(len(found.pairs), 'pair')} at {found.threshold:g} or over"]
    else:
        words += [f"no two alike at {found.threshold:g}"]
    if found.failures:
        words.append(f"{plural(len(found.failures), 'file')} failed")
    others = int(found.stats.get("passed_over", 0))
    if others:
        words.append(f"{plural(others, 'file')} of other kinds passed over")
    known = int(found.stats.get("from_store", 0))
    if known:
        words.append(f"{known:,} known from an earlier run")
    return f"{', '.join(words)}, {seconds:.1f} s"
