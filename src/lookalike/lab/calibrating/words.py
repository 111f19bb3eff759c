"""A fitted calibration in sentences, for the terminal and for its page."""

from __future__ import annotations

import math

from lookalike.errors import printable
from lookalike.lab.bootstrap import Interval
from lookalike.lab.calibrating.fitting import Fitted
from lookalike.lab.calibrating.thresholds import Target
from lookalike.lab.report.sentences import percent, plural

POOR = {"tpr": 0.5, "fpr": 0.3}
"""Fewer same pairs found than this, or more different ones let through, and it has to be said."""


def data_line(fitted: Fitted) -> str:
    """To what it was fitted."""
    evidence = fitted.evidence
    same = int(evidence.labels.sum())
    failed = len(evidence.failures)
    missing = f"; {plural(failed, 'pair')} could not be compared" if failed else ""
    return (
        f"{same:,} same and {len(evidence.labels) - same:,} different pairs of {evidence.pictures:,} pictures, "
        f"scored by {fitted.calibration.name}{missing}"
    )


def threshold_lines(fitted: Fitted, target: Target) -> list[str]:
    """Where bands begin."""
    bands = fitted.calibration.bands
    value, interval = fitted.expected.threshold
    lines = [
        f"same product from {value:.3f} on{_between(interval, '.3f')}, for a {target}",
        f"same category from {bands.category:.3f} on: {fitted.banding.category}",
    ]
    if bands.near is not None:
        lines.append(f"near-duplicate from {bands.near:.3f} on: {fitted.banding.near}")
    return lines


def rate_lines(fitted: Fitted) -> list[str]:
    """What to expect of the threshold on new pictures."""
    rates = fitted.expected.rates
    share = float(fitted.evidence.labels.mean())
    return [
        f"finds {_rate(*rates['tpr'])} of the same pairs",
        f"takes {_rate(*rates['fpr'])} of the different pairs for the same",
        f"is right in {_rate(*rates['precision'])} of what it calls the same, where {percent(share)} of the pairs are "
        f"the same as here",
        f"F1 {rates['f1'][0]:.2f}{_between(rates['f1'][1], '.2f')}",
    ]


def probability_line(fitted: Fitted) -> str:
    """Which curve, and how far it is to be believed."""
    quality = fitted.qualities[fitted.kind]
    return (
        f"{fitted.kind}: off by {quality.ece:.3f} on average (ECE on new pictures; on so many pairs luck alone makes "
        f"{quality.ece_by_chance:.3f}), Brier {quality.brier:.3f}; {percent(likely_at_threshold(fitted))} at the "
        "threshold"
    )


def likely_at_threshold(fitted: Fitted) -> float:
    """P(same product) of a pair that is just called so."""
    return float(fitted.calibration.curve.predict([fitted.calibration.bands.product])[0])


def warnings(fitted: Fitted, target: Target) -> list[str]:
    """What a person should know before using it."""
    found = []
    likely = likely_at_threshold(fitted)
    if likely < 0.5:
        found.append(
            f"a pair just at the threshold is called the same product and is it with a likelihood of {percent(likely)} "
            f"only: a {target} costs that; --target-precision asks for surer ones"
        )
    rate, _ = fitted.expected.rates[target.kind]
    missed = rate > 1.25 * target.value if target.kind == "fpr" else rate < target.value - 0.02
    if math.isfinite(rate) and missed:
        found.append(
            f"the {target} holds on these pairs; on new pictures expect {percent(rate)}: more labelled pairs help"
        )
    auc = fitted.calibration.report["auc"]
    tpr, fpr = fitted.expected.rates["tpr"][0], fitted.expected.rates["fpr"][0]
    if tpr < POOR["tpr"] or fpr > POOR["fpr"]:
        found.append(
            f"scores of same and of different pairs overlap (AUC {auc:.2f}), so that any threshold misses some or lets "
            "others in: another target trades the one for the other, and lookalike evaluate tells whether another "
            "preset overlaps less"
        )
    return [*found, *fitted.notes]


def say(fitted: Fitted, target: Target) -> str:
    """All of it, a few lines."""
    rows = [("fitted to", [data_line(fitted)]), ("threshold", threshold_lines(fitted, target))]
    rows += [("to expect", rate_lines(fitted)), ("likelihood", [probability_line(fitted)])]
    rows += [("note", [printable(note, 500)]) for note in warnings(fitted, target)]
    return "\n".join(
        f"{head if not number else '':<12}{line}" for head, lines in rows for number, line in enumerate(lines)
    )


def _rate(value: float, interval: Interval) -> str:
    if not math.isfinite(value):
        return "no known share"
    low, high = interval
    between = f" ({100 * low:.0f} to {100 * high:.0f})" if math.isfinite(low) and math.isfinite(high) else ""
    return f"{percent(value)}{between}"


def _between(interval: Interval, form: str) -> str:
    low, high = interval
    return f" ({low:{form}} to {high:{form}})" if math.isfinite(low) and math.isfinite(high) else ""
