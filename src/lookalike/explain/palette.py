"""Colours, one place for sheet and page: red-green blind people can tell them apart, and words say the same."""

from __future__ import annotations

from lookalike.verdicts import Verdict

VERDICTS: dict[Verdict, str] = {
    "identical": "#00695c",
    "near-duplicate": "#00796b",
    "same product": "#9c6200",
    "same category": "#9c6200",
    "different": "#b93a12",
}
"""A bluish green, an amber, an orange red: they differ in lightness and in blue as well as in hue. White text on each
has a contrast of at least 4.5."""

LINES: tuple[str, ...] = ("#0072b2", "#d55e00", "#009e73", "#a0569b", "#56b4e9", "#c79100")
"""Lines between matching points, by turns (after Okabe and Ito 2008)."""

INK, MUTED, FAINT = "#1b2530", "#5a6877", "#dfe5eb"
PAPER, CARD, BAR = "#ffffff", "#f5f7f9", "#5b7fa6"
OUTLINE = "#ff2d95"
"""The edge of the second picture where it lies on the first; a colour few pictures have."""
