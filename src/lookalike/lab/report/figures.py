"""Charts of an evaluation, each with what it says in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np

from lookalike.errors import printable
from lookalike.lab import metrics
from lookalike.lab.contest import Scored
from lookalike.lab.evaluated import Evaluation, Result
from lookalike.lab.ranking import Floats, Labels
from lookalike.lab.report.charts import Line, Mark, curves, histogram, legend
from lookalike.lab.report.sentences import of_first_places, of_histogram, of_pr, of_reliability, of_roc, reliability
from lookalike.lab.retrieval.ranked import recall_at_k
from lookalike.verdicts import BANDS

PLACES = 20
"""First places of a ranking that are drawn."""


def chart_sections(evaluation: Evaluation) -> Iterator[str]:
    """Distributions, curves and, where there are probabilities, how far those hold; of rankings the first places."""
    if evaluation.table is None:
        yield from _first_places(evaluation)
        return
    same = np.array([pair.same for pair in evaluation.table.pairs], bool)
    told = [
        (result, scored)
        for result, scored in zip(evaluation.results, evaluation.scored, strict=True)
        if "auc" in result.measures
    ]
    if not told:
        return
    yield '<section><h2>Scores of same and of different pairs</h2><div class="charts">'
    for result, scored in told:
        yield _distribution(result, scored, same)
    yield "</div></section><section><h2>Every threshold</h2>"
    yield legend([printable(result.name) for result, _ in told])
    yield from _curves([result for result, _ in told], [scored for _, scored in told], same)
    yield "</section>"
    yield from _probabilities([each for each in told if each[1].probabilities is not None], same)


def _first_places(evaluation: Evaluation) -> Iterator[str]:
    names = [printable(found.name) for found in evaluation.found]
    places = np.arange(1, PLACES + 1)
    shares = [np.array([recall_at_k(found.ranked, int(k)) for k in places]) for found in evaluation.found]
    lines = [Line(name, places, share, number) for number, (name, share) in enumerate(zip(names, shares, strict=True))]
    drawn = curves(
        lines,
        title="share of queries with something that belongs among the first k",
        x="first places looked at (k)",
        y="queries that find something (recall@k)",
        x_range=(0.0, float(PLACES)),
    )
    yield f'<section><h2>The first places</h2>{legend(names)}<div class="charts">'
    yield _figure("", drawn, of_first_places(names, shares))
    yield "</div></section>"


def _scored(scored: Scored, same: Labels) -> tuple[Floats, Labels]:
    good = np.isfinite(scored.scores)
    return scored.scores[good], same[good]


def _distribution(result: Result, scored: Scored, same: Labels) -> str:
    scores, labels = _scored(scored, same)
    marks = [Mark(lowest, f"{lowest:.2f} {verdict}") for lowest, verdict in BANDS[1:-1]]
    best = result.measures["best_threshold"].value
    marks.append(Mark(best, f"best {best:.2f}", strong=True))
    drawn = histogram(
        scores[labels], scores[~labels], title=f"scores by {result.name} of same and of different pairs", marks=marks
    )
    said = of_histogram(result, scores[labels], scores[~labels])
    return _figure(printable(result.name), drawn, said)


def _curves(results: list[Result], scored: list[Scored], same: Labels) -> Iterator[str]:
    given = [_scored(each, same) for each in scored]
    roc = [metrics.roc_curve(*each) for each in given]
    pr = [metrics.pr_curve(*each) for each in given]
    names = [printable(result.name) for result in results]
    yield '<div class="charts">'
    yield _figure(
        "Found against let through (ROC)",
        curves(
            [Line(name, curve.x, curve.y, number) for number, (name, curve) in enumerate(zip(names, roc, strict=True))],
            title="ROC curves",
            x="different pairs taken for the same (false-positive rate)",
            y="same pairs found (true-positive rate)",
            diagonal="chance",
        ),
        of_roc(names, roc, int((~given[0][1]).sum())),
    )
    yield _figure(
        "Purity against found (precision and recall)",
        curves(
            [Line(name, curve.x, curve.y, number) for number, (name, curve) in enumerate(zip(names, pr, strict=True))],
            title="precision-recall curves",
            x="same pairs found (recall)",
            y="same among those taken for it (precision)",
        ),
        of_pr(names, pr),
    )
    yield "</div>"


def _probabilities(told: list[tuple[Result, Scored]], same: Labels) -> Iterator[str]:
    if not told:
        return
    lines = []
    for number, (result, scored) in enumerate(told):
        assert scored.probabilities is not None
        good = np.isfinite(scored.probabilities)
        x, y, _ = reliability(scored.probabilities[good], same[good])
        lines.append(Line(printable(result.name), x, y, number, dots=True))
    drawn = curves(
        lines,
        title="reliability diagram",
        x="probability of the same product that was told",
        y="share that is the same product",
        diagonal="probabilities that hold",
    )
    names = legend([line.name for line in lines])
    yield f'<section><h2>Do the probabilities hold?</h2>{names}<div class="charts">'
    yield _figure("", drawn, of_reliability([result for result, _ in told]))
    yield "</div></section>"


def _figure(title: str, drawn: str, said: str) -> str:
    head = f"<h3>{escape(title)}</h3>" if title else ""
    return f'<figure class="drawn">{head}{drawn}<figcaption>{escape(printable(said, 1000))}</figcaption></figure>'
