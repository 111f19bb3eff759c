"""Lines of evidence fitted to labelled pairs: see :mod:`lookalike.scoring.fusion` for what they are used for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from lookalike.errors import UsageError
from lookalike.lab.ranking import Floats, Labels
from lookalike.scoring.fusion import Line, Sum
from lookalike.scoring.logistic import fit_logistic

KNOTS: dict[str, tuple[float, ...]] = {
    "embedding": (0.1, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85),
    "palette": (0.1, 0.3, 0.45, 0.6, 0.7, 0.8, 0.9),
    "object": tuple(math.log1p(points) for points in (2, 5, 10, 16, 24, 40, 70, 120)),
}
"""Where the lines may bend: closer where most pairs lie."""


def fit_sum(evidence: Mapping[str, Floats], labels: Labels, weights: Floats) -> Sum:
    """The sum under which the labels are likeliest: logistic regression in which no line may fall.

    Args:
        evidence: piece → float64, (N,).
        labels: bool, (N,).
        weights: float64, (N,): how much each pair counts.

    Raises:
        UsageError: a piece that is none of :data:`KNOTS`, or labels of one kind only.

    >>> alike = np.array([0.2, 0.3, 0.4, 0.6, 0.7, 0.8])
    >>> fitted = fit_sum({"palette": alike}, alike > 0.5, np.ones(6))
    >>> fitted.log_odds({"palette": 0.9}) > 0 > fitted.log_odds({"palette": 0.1})
    True
    """
    if not 0 < labels.sum() < len(labels):
        raise UsageError("pairs of both kinds are needed to weigh evidence")
    unknown = set(evidence) - set(KNOTS)
    if unknown:
        raise UsageError(f"there are no lines for {sorted(unknown)[0]!r}", remedy=f"they are for {', '.join(KNOTS)}")
    steps = [(name, low, high) for name in evidence for low, high in pairwise(KNOTS[name])]
    rises = np.column_stack([np.clip((evidence[name] - low) / (high - low), 0, 1) for name, low, high in steps])
    # A pair's label is believed to one in a thousand: no line becomes steeper than its pairs can tell.
    targets = np.where(labels, 0.999, 0.001)
    line = fit_logistic(rises, targets, weights)
    heights = {name: [0.0] for name in evidence}
    for (name, _, _), rise in zip(steps, line.slopes, strict=True):
        heights[name].append(heights[name][-1] + rise)
    lines = {name: tuple(zip(KNOTS[name], map(_short, rising), strict=True)) for name, rising in heights.items()}
    return Sum(_short(line.intercept), lines)


def _short(number: float) -> float:
    """Four decimals: more says nothing about log-odds, and people read the file."""
    return round(number, 4)


def score_lines(product: tuple[float, float], category: float) -> dict[str, Line]:
    """Log-odds → score.

    Args:
        product: log-odds of *same product* from which a pair is of one category at least, and from which it is the same
            product: 0.65 and 0.80.
        category: log-odds of *same category* from which it is: 0.65.

    >>> score_lines((0.5, 1.5), 2.0)["product"][1:3]
    ((0.5, 0.65), (1.5, 0.8))
    """
    kind, same = map(_short, product)
    low = _short(category)
    return {
        "product": ((_short(kind - 10), 0.0), (kind, 0.65), (same, 0.80), (_short(same + 4), 0.88)),
        "category": tuple(
            (_short(low + past), score) for past, score in ((-10, 0.0), (-3, 0.40), (0, 0.65), (6, 0.79))
        ),
    }
