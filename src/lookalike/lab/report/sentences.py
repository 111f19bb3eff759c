"""What a chart says, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lookalike.lab.evaluated import Evaluation, Measured, Result
from lookalike.lab.metrics import BINS, Curve, bin_of
from lookalike.lab.ranking import Floats, Labels


def number(value: float, digits: int = 3) -> str:
    """A measure as people read it: all of 0.9996, not 1.000.

    >>> number(0.98765), number(0.99996), number(1.0), number(float("nan"))
    ('0.988', '0.999', '1.000', '–')
    """
    if not np.isfinite(value):
        return "–"
    rounded = round(value, digits)
    return f"{rounded - 10**-digits if rounded == 1 > value else rounded:.{digits}f}"


def with_interval(told: Measured) -> str:
    """A number and its interval, more closely where that is near 1: ``0.930 (0.90–0.96)``, ``0.999 (0.997–1.000)``."""
    if not (np.isfinite(told.low) and np.isfinite(told.high)) or told.low == told.high:
        return number(told.value)  # where no pair is a mistake, pairs drawn anew cannot tell how rare mistakes are
    digits = 3 if told.low > 0.95 or told.high - told.low < 0.02 else 2
    return f"{number(told.value)} ({number(told.low, digits)}–{number(told.high, digits)})"


def percent(share: float) -> str:
    """A share in percent; only all is 100 % and only none is 0 %.

    >>> [percent(share) for share in (0.9996, 0.834, 0.0004, 0.0)]
    ['99.9 %', '83 %', '0.1 %', '0 %']
    """
    if not 0 < share < 1:
        return f"{100 * share:.0f} %"
    near = share > 0.99 or share < 0.01
    return f"{min(99.9, max(0.1, 100 * share)):.1f} %" if near else f"{100 * share:.0f} %"


def plural(count: int, one: str) -> str:
    """A count and its word.

    >>> plural(1, "pair"), plural(2000, "pair")
    ('1 pair', '2,000 pairs')
    """
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


def headline(evaluation: Evaluation) -> str:
    """Who tells best, by how much, and whether that is more than luck."""
    title = "AUC" if evaluation.kind == "pairs" else "mAP"
    order = evaluation.in_order()
    if not order:
        return "Nothing could be measured."
    first = order[0]
    best = first.measures[evaluation.decisive]
    said = f"{title} {with_interval(best)}"
    if len(order) == 1:
        return f"{first.name} reaches {said}."
    equal = [each.name for each in order if best.value - each.measures[evaluation.decisive].value < 0.0005]
    if len(equal) > 1:
        return f"{_listed(equal)} do equally well: {said}."
    second = order[1]
    theirs = number(second.measures[evaluation.decisive].value)
    said = f"{first.name} tells best: {said}, before {second.name} with {theirs}"
    lead = evaluation.lead
    if lead is None or not np.isfinite(lead.low):
        return f"{said}."
    between = f"by {lead.value:.3f} ({lead.low:+.3f} to {lead.high:+.3f})".replace("-", "\N{MINUS SIGN}")
    if lead.low > 0:
        return f"{said}; ahead {between}, which is more than luck."
    return f"{said}; ahead {between}, so that other pictures might turn that round."


def reasons(evaluation: Evaluation) -> list[str]:
    """Why numbers are missing, each reason once with the measures it is for."""
    found: dict[str, list[str]] = {}
    for name, measure in evaluation.measures.items():
        for why in dict.fromkeys(each.lacks[name] for each in evaluation.results if name in each.lacks):
            found.setdefault(why, []).append(measure.title.strip())
    return [f"{', '.join(titles)}: {why}" for why, titles in found.items()]


def of_histogram(result: Result, same: Floats, different: Floats) -> str:
    """What lies on the wrong side of the best threshold."""
    best = result.measures.get("best_threshold")
    if best is None:
        return "There are too few pairs for a threshold."
    missed, false = int((same < best.value).sum()), int((different >= best.value).sum())
    return (
        f"At {result.name}'s best threshold, {number(best.value, 2)}, {missed:,} of {plural(len(same), 'same pair')} "
        f"are missed and {false:,} of {plural(len(different), 'different pair')} pass for the same."
    )


def of_roc(names: Sequence[str], roc: Sequence[Curve], negatives: int) -> str:
    """What each finds where few different pairs pass."""
    rate = 0.01 if negatives >= 100 else 0.1
    found = [f"{name} finds {percent(_height(curve, rate))}" for name, curve in zip(names, roc, strict=True)]
    return f"Where {percent(rate)} of the different pairs pass for the same, {_listed(found)} of the same pairs."


def _height(curve: Curve, x: float) -> float:
    return float(np.max(curve.y[curve.x <= x + 1e-12], initial=0.0))


def of_pr(names: Sequence[str], pr: Sequence[Curve]) -> str:
    """How pure the finds are where four fifths are found."""
    shares = []
    for name, curve in zip(names, pr, strict=True):
        precision = float(np.max(curve.y[curve.x >= 0.8 - 1e-12], initial=0.0))
        shares.append(f"{percent(precision)} for {name}")
    return f"Of the pairs taken for the same where four in five of those are found, {_listed(shares)} are the same."


def reliability(probabilities: Floats, labels: Labels) -> tuple[list[float], list[float], list[int]]:
    """For each bin of probabilities that holds any: their mean, the share that is the same, and how many there are."""
    bins = bin_of(probabilities)
    used = [number for number in range(BINS) if (bins == number).any()]
    return (
        [float(probabilities[bins == each].mean()) for each in used],
        [float(labels[bins == each].mean()) for each in used],
        [int((bins == each).sum()) for each in used],
    )


def of_reliability(results: Sequence[Result]) -> str:
    """By how much probabilities miss."""
    missed = [f"{100 * each.measures['ece'].value:.1f} points for {each.name}" for each in results]
    return f"Probabilities miss the share that is really the same by {_listed(missed)} on average; on the line by none."


def of_first_places(names: Sequence[str], shares: Sequence[Floats]) -> str:
    """How often what belongs comes first."""
    found = [f"{percent(float(share[0]))} with {name}" for name, share in zip(names, shares, strict=True)]
    return f"What stands first belongs to the query in {_listed(found)}."


def of_confusion(result: Result) -> str:
    """How often the verdict is the label."""
    told = result.measures.get("in_band")
    share = "–" if told is None else percent(told.value)
    return (
        f"{result.name} gives {share} of the pairs the verdict that people gave; what lies off the diagonal it missed."
    )


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
