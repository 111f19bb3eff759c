"""The words for scores: which verdict a number stands for, and how both are written."""

from __future__ import annotations

from typing import Literal

Verdict = Literal["identical", "near-duplicate", "same product", "same category", "different"]

BANDS: tuple[tuple[float, Verdict], ...] = (
    (1.0, "identical"),
    (0.90, "near-duplicate"),
    (0.80, "same product"),
    (0.65, "same category"),
    (0.0, "different"),
)
"""Lowest score of each verdict, highest first. The default preset is built so that these hold."""

COPIES: tuple[Verdict, ...] = ("identical", "near-duplicate")
"""Verdicts on pictures of which one is a copy of the other."""


def verdict_of(score: float) -> Verdict:
    """The verdict whose band holds ``score`` (in [0, 1]).

    >>> verdict_of(0.93)
    'near-duplicate'
    """
    return next(verdict for lowest, verdict in BANDS if score >= lowest)


def format_score(score: float) -> str:
    """Two decimals, never rounded up into a better verdict: 0.8999 reads 0.89, and 0.9999 is not 1.00.

    >>> format_score(0.8999), format_score(0.9698), format_score(0.9999), format_score(1.0)
    ('0.89', '0.97', '0.99', '1.00')
    """
    rounded = round(score, 2)
    return f"{rounded if verdict_of(rounded) == verdict_of(score) else rounded - 0.01:.2f}"


def format_share(share: float) -> str:
    """A probability in whole percent, never rounded to certainty.

    >>> format_share(0.973), format_share(0.9991), format_share(0.002)
    ('97 %', 'over 99 %', 'under 1 %')
    """
    if share > 0.99:
        return "over 99 %"
    return f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"
