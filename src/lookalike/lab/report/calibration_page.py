"""A fitted calibration as one HTML page: the threshold among the scores, what it comes to, and what it gets wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path

import numpy as np

from lookalike.errors import printable
from lookalike.images.limits import Limits
from lookalike.lab.calibrating.fitting import Fitted
from lookalike.lab.calibrating.thresholds import Target
from lookalike.lab.calibrating.words import data_line, probability_line, rate_lines, threshold_lines, warnings
from lookalike.lab.contest import Contestant, Scored
from lookalike.lab.ranking import ranking
from lookalike.lab.report.cards import cards
from lookalike.lab.report.charts import Line, Mark, curves, histogram, legend
from lookalike.lab.report.html_page import figure, write_page
from lookalike.lab.report.mistakes import worst
from lookalike.lab.report.sentences import percent, reliability
from lookalike.lab.report.thumbnails import Shown
from lookalike.scoring.bands import PRODUCT
from lookalike.verdicts import format_share

_LIMITS = Limits()


def write_calibration_page(
    fitted: Fitted,
    target: Target,
    path: str | os.PathLike[str],
    *,
    limits: Limits = _LIMITS,
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Write a page that shows what was fitted, to be opened in any browser.

    Args:
        fitted: what was fitted.
        target: what the threshold was asked to do.
        path: where to write; the file appears whole.
        limits: what reading one picture may cost.
        progress: told how many pictures were drawn.

    Raises:
        OutputError: the file cannot be written.
    """
    return write_page(
        Path(path),
        f"Calibration of {fitted.calibration.name}",
        f"Two pictures show the {threshold_lines(fitted, target)[0]}.",
        f"Fitted to {data_line(fitted)}.",
        _body(fitted, target, Shown(limits, progress)),
    )


def _body(fitted: Fitted, target: Target, shown: Shown) -> Iterator[str]:
    yield "<section><h2>What it comes to</h2>"
    yield _list(
        [f"On pictures it was not fitted to, the threshold {line}." for line in rate_lines(fitted)[:3]]
        + [f"{line[0].upper()}{line[1:]}." for line in threshold_lines(fitted, target)[1:]]
        + [f"Note: {line}." for line in warnings(fitted, target)]
    )
    yield '</section><section><h2>Scores, thresholds and probabilities</h2><div class="charts">'
    yield _scores(fitted)
    yield _rates(fitted)
    yield _likelihood(fitted)
    yield _reliability(fitted)
    yield "</div></section>"
    yield from _mistakes(fitted, shown)
    yield from _failures(fitted)


def _marks(fitted: Fitted) -> list[Mark]:
    bands = fitted.calibration.bands
    marks = [
        Mark(bands.category, f"same category {bands.category:.2f}"),
        Mark(bands.product, f"same product {bands.product:.2f}", strong=True),
    ]
    return marks if bands.near is None else [*marks, Mark(bands.near, f"near-duplicate {bands.near:.2f}")]


def _scores(fitted: Fitted) -> str:
    scores, labels = fitted.evidence.scores, fitted.evidence.labels
    least = fitted.calibration.bands.product
    missed, false = int((scores[labels] < least).sum()), int((scores[~labels] >= least).sum())
    drawn = histogram(
        scores[labels], scores[~labels], title="scores of same and of different pairs", marks=_marks(fitted)
    )
    said = (
        f"Right of the strong line a pair is called the same product: {missed:,} of {labels.sum():,} same pairs lie "
        f"left of it, {false:,} of {(~labels).sum():,} different ones right of it."
    )
    return figure("Scores as they were", drawn, said)


def _rates(fitted: Fitted) -> str:
    counted = ranking(fitted.evidence.scores, fitted.evidence.labels)
    names = ("same pairs found", "different pairs taken for the same", "right in what is called the same")
    lines = [
        Line(name, counted.thresholds, y, number)
        for number, (name, y) in enumerate(
            zip(names, (counted.recall, counted.fall_out, counted.precision), strict=True)
        )
    ]
    drawn = curves(lines, title="rates at every threshold", x="threshold", y="share", marks=_marks(fitted))
    said = "The threshold that was asked for is the strong line; what another would have done stands beside it."
    return figure("Had the threshold been another", legend(names) + drawn, said)


def _likelihood(fitted: Fitted) -> str:
    asked = np.linspace(0, 1, 201)
    likely = fitted.calibration.curve.predict(asked)
    scores = [fitted.calibration.bands.apply(float(raw)) for raw in asked]
    names = ("likely the same product", "calibrated score")
    drawn = curves(
        [Line(names[0], asked, likely, 0), Line(names[1], asked, scores, 1)],
        title="probability and calibrated score for every score",
        x="score as it was",
        y="probability, and calibrated score",
        marks=_marks(fitted),
    )
    at = float(fitted.calibration.curve.predict(fitted.calibration.bands.product))
    said = (
        f"At the threshold of the same product two pictures are it with a likelihood of {format_share(at)}, and the "
        "calibrated score is 0.80; at that of the same category it is 0.65."
    )
    return figure("What a score becomes", legend(names) + drawn, said)


def _reliability(fitted: Fitted) -> str:
    rows = fitted.qualities[fitted.kind].probabilities
    told = np.isfinite(rows)
    labels = np.broadcast_to(fitted.evidence.labels, rows.shape)
    x, y, _ = reliability(rows[told], labels[told])
    drawn = curves(
        [Line("held out", x, y, 0, dots=True)],
        title="reliability diagram",
        x="probability of the same product that was told",
        y="share that is the same product",
        diagonal="probabilities that hold",
    )
    return figure("Do the probabilities hold?", drawn, f"On the line they would. Curve: {probability_line(fitted)}.")


def _mistakes(fitted: Fitted, shown: Shown) -> Iterator[str]:
    evidence = fitted.evidence
    told = tuple(fitted.calibration.apply(comparison) for comparison in evidence.comparisons)
    false, missed = worst(evidence.pairs, Scored(Contestant(fitted.calibration.name), told, 0.0), PRODUCT)
    yield "<section><h2>The worst mistakes</h2>"
    yield '<p class="said">By calibrated scores. A label that is wrong shows here first.</p>'
    yield from cards("Taken for the same, and labelled different", false, shown)
    yield from cards("Taken for different, and labelled the same", missed, shown)
    yield "</section>"


def _failures(fitted: Fitted) -> Iterator[str]:
    failures = fitted.evidence.failures
    if failures:
        share = percent(len(failures) / (len(failures) + len(fitted.evidence.pairs)))
        yield f"<section><h2>{len(failures):,} pairs ({share}) could not be compared</h2>"
        yield _list([printable(str(failure), 500) for failure in failures[:200]])
        yield "</section>"


def _list(lines: Sequence[str]) -> str:
    texts = (printable(line, 1000) for line in lines)
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"
