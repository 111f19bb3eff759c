"""The worst mistakes of every contestant, as pictures side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

import numpy as np

from lookalike.errors import printable
from lookalike.lab.evaluated import Evaluation
from lookalike.lab.report.mistakes import SHOWN, Mistake, farthest, worst
from lookalike.lab.report.sentences import number, percent
from lookalike.lab.report.thumbnails import Shown, chip
from lookalike.lab.retrieval.found import Found
from lookalike.verdicts import format_share

OPEN = 3
"""Contestants whose mistakes are unfolded at first, where there are not more."""

PARTS = 4
"""Similarities that are told where there are no reasons in words."""


def mistakes_of_pairs(evaluation: Evaluation, shown: Shown) -> Iterator[str]:
    """False finds and misses of every contestant, the most wrong first."""
    yield "<section><h2>The worst mistakes</h2>"
    few = len(evaluation.results) <= OPEN
    for place, (result, scored) in enumerate(zip(evaluation.results, evaluation.scored, strict=True)):
        told = result.measures.get("best_threshold")
        if told is None or evaluation.table is None:
            continue
        if evaluation.table.five:
            false, missed = farthest(evaluation.table, scored)
            titles = ("Told closer than labelled", "Told farther than labelled")
            where = f"gives {percent(result.measures['in_band'].value)} of the pairs the verdict that they are labelled"
        else:
            false, missed = worst(evaluation.table.pairs, scored, told.value)
            titles = ("Taken for the same, and labelled different", "Taken for different, and labelled the same")
            where = f"at its best threshold, {number(told.value, 2)}"
        yield from _opening(result.name, where, open_=few or not place)
        for title, mistakes in zip(titles, (false, missed), strict=True):
            yield from cards(title, mistakes, shown)
        yield "</details>"
    yield "</section>"


def _opening(name: str, where: str, *, open_: bool) -> Iterator[str]:
    yield f"<details{' open' if open_ else ''}><summary><b>{escape(printable(name))}</b> {escape(where)}</summary>"


def cards(title: str, mistakes: Sequence[Mistake], shown: Shown) -> Iterator[str]:
    """Mistakes of one kind, each with its pictures side by side."""
    yield f"<h3>{title}</h3>"
    if not mistakes:
        yield '<p class="said">None.</p>'
        return
    yield '<div class="cards">'
    for mistake in mistakes:
        comparison, pair = mistake.comparison, mistake.pair
        likely = comparison.probability
        chance = "" if likely is None else f" · {format_share(likely)} likely the same"
        line = f" in line {pair.line}" if pair.line else ""
        alone = not comparison.reasons or comparison.reasons == (f"by {comparison.preset} alone",)
        parts = [f"{name} {value:.2f}" for name, value in list(comparison.parts.items())[:PARTS]]
        why = ", ".join(parts if alone else comparison.reasons)
        yield (
            f"<article><p>{chip(comparison)}{chance} · labelled <b>{escape(printable(pair.label, 40))}</b>{line}</p>"
            f'<div class="two">{shown.figure(pair.a)}{shown.figure(pair.b)}</div>'
            f'<p class="why">{escape(printable(why, 300))}</p></article>'
        )
    yield "</div>"


def mistakes_of_rankings(evaluation: Evaluation, shown: Shown) -> Iterator[str]:
    """For every contestant queries whose first candidate is wrong, the most certain of it first."""
    yield "<section><h2>The worst mistakes</h2>"
    few = len(evaluation.found) <= OPEN
    for place, found in enumerate(evaluation.found):
        wrong = _wrong_first(found)
        where = f"puts something wrong first for {len(wrong):,} of {len(found.ranked.grades):,} queries"
        yield from _opening(found.name, where, open_=few or not place)
        yield '<div class="cards">'
        for query in wrong[:SHOWN]:
            yield _ranked_card(found, query, shown)
        yield "</div></details>"
    yield "</section>"


def _wrong_first(found: Found) -> list[int]:
    wrong = [
        query
        for query, (grades, ideal) in enumerate(zip(found.ranked.grades, found.ranked.ideals, strict=True))
        if len(ideal) and len(grades) and grades[0] == 0
    ]
    return sorted(wrong, key=lambda query: -float(found.order.scores[query][0]))


def _ranked_card(found: Found, query: int, shown: Shown) -> str:
    grades, order, scores = found.ranked.grades[query], found.order.found[query], found.order.scores[query]
    right = np.flatnonzero(grades > 0)
    pictures = [
        shown.figure(found.wanted.queries[query], "the query"),
        shown.figure(found.wanted.gallery[int(order[0])], f"put first, {scores[0]:.2f}"),
    ]
    if len(right):
        at = int(right[0])
        pictures.append(shown.figure(found.wanted.gallery[int(order[at])], f"belongs, at place {at + 1:,}"))
    return f'<article><div class="three">{"".join(pictures)}</div></article>'
