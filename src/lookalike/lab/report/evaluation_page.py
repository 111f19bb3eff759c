"""An evaluation as one HTML page that stands alone: mistakes first, then charts, then the table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

from lookalike.errors import printable
from lookalike.images.limits import Limits
from lookalike.lab.evaluated import Evaluation
from lookalike.lab.report.cards import mistakes_of_pairs, mistakes_of_rankings
from lookalike.lab.report.figures import chart_sections
from lookalike.lab.report.html_page import write_page
from lookalike.lab.report.sentences import headline, plural
from lookalike.lab.report.tables import confusions, measures_table
from lookalike.lab.report.thumbnails import Shown

_DEFAULT = Limits()

FAILURES_SHOWN = 200


def write_report(
    evaluation: Evaluation,
    path: str | os.PathLike[str],
    *,
    title: str = "How well scores tell what is the same",
    limits: Limits = _DEFAULT,
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Write a page that shows an evaluation, to be opened in any browser, without a server and without a network.

    Names are shown as text whatever they contain; a policy in the page shuts out every script and every request. A
    picture that cannot be read any more is shown as an empty frame.

    Args:
        evaluation: what was measured.
        path: where to write; the file appears whole, an older one stays until then.
        title: heading of the page.
        limits: what reading one picture may cost.
        progress: called with what is being done, and the pictures done.

    Returns:
        Where it was written.

    Raises:
        OutputError: the file cannot be written.
    """
    body = _body(evaluation, Shown(limits, progress))
    return write_page(Path(path), title, headline(evaluation), _summary(evaluation), body)


def _body(evaluation: Evaluation, shown: Shown) -> Iterator[str]:
    yield from (
        mistakes_of_pairs(evaluation, shown) if evaluation.kind == "pairs" else mistakes_of_rankings(evaluation, shown)
    )
    yield from chart_sections(evaluation)
    yield from confusions(evaluation)
    yield from measures_table(evaluation)
    yield from _failures(evaluation)


def _summary(evaluation: Evaluation) -> str:
    counts = evaluation.counts
    if evaluation.kind == "retrieval":
        what = f"{plural(counts['queries'], 'query picture')} against {plural(counts['gallery'], 'picture')}"
    else:
        what = (
            f"{plural(counts['pairs'], 'pair')} of {plural(counts['pictures'], 'picture')}: "
            f"{counts['same']:,} same, {counts['different']:,} different"
        )
    return f"{printable(evaluation.name)}: {what}."


def _failures(evaluation: Evaluation) -> Iterator[str]:
    failures = list(evaluation.failures.items())
    notes = [escape(printable(notice, 1000)) for notice in evaluation.notices]
    if not failures and not notes:
        return
    yield '<section><h2>What could not be used</h2><ul class="failures">'
    yield from (f"<li>{note}</li>" for note in notes)
    for _, reason in failures[:FAILURES_SHOWN]:
        yield f"<li>{escape(printable(reason, 500))}</li>"
    if len(failures) > FAILURES_SHOWN:
        yield f"<li>… and {len(failures) - FAILURES_SHOWN:,} more</li>"
    yield "</ul></section>"
