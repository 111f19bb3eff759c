"""Where the verdict bands of a calibrated score begin.

*Same product* begins where the target says, see :class:`~lookalike.lab.calibrating.thresholds.Target`.

*Same category* needs to be told what a category is, and labels that say only same or different do not: what is labelled
different may be another size of one shoe or a teapot. So:

- labels of the five verdicts: it begins where the same target is met for the first four verdicts;
- else, under the rule ``auto``: where that has it, at 0.65, for nothing speaks against it;
- else: over 99 of 100 pairs taken at random from the user's own pictures. What lies above is more alike than chance
  makes pictures there, which is as much as can be said. In a mixed collection that is the same category; among shoes
  alone it is shoes of one kind. Hard negatives do not move it, as they would if what is labelled different were asked.

*Near-duplicate* begins at 0.90 under the rule ``auto``, whatever the labels: copies are told by their geometry, and a
fitted threshold is kept below. By five verdicts it is fitted for other rules; else nothing but a score of 1 lies above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lookalike.errors import UsageError
from lookalike.lab.calibrating.evidence import Evidence
from lookalike.lab.calibrating.thresholds import LEAST, Target, threshold_for
from lookalike.lab.ranking import Floats
from lookalike.scoring.bands import CATEGORY, NEAR, PRODUCT, Bands

JUST_BELOW = 0.89
"""Where "same product" begins at the latest under ``auto``: what is no copy gets no more from it."""

CHANCE = Target("fpr", 0.01)
"""What "same category" lets through of pairs taken at random."""


@dataclass(frozen=True, slots=True)
class Banding:
    """Bands, and how they came about.

    Attributes:
        bands: the thresholds.
        category: how that of the same category was found, in words.
        near: likewise for near-duplicates.
        notes: what a person should know.
    """

    bands: Bands
    category: str
    near: str
    notes: tuple[str, ...] = ()


def band(evidence: Evidence, target: Target, rule: str, chance: Floats | None = None) -> Banding:
    """Fit all thresholds.

    Args:
        evidence: the scored pairs.
        target: what the threshold of the same product is asked to do.
        rule: of the preset; empty for a method.
        chance: scores of pairs taken at random; None where there are none.

    Raises:
        UsageError: no threshold does what the target asks.
    """
    product = threshold_for(evidence.scores, evidence.labels, target)
    notes: list[str] = []
    if rule == "auto" and product > JUST_BELOW:
        notes.append(
            f"the target alone would put the same product at {product:.3f}, among what auto tells to be copies; "
            f"it begins at {JUST_BELOW}"
        )
        product = JUST_BELOW
    near, near_how = _near(evidence, target, rule, product, notes)
    category, how = _category(evidence, target, rule, product, chance, notes)
    return Banding(Bands(product, category, near), how, near_how, tuple(notes))


def _near(evidence: Evidence, target: Target, rule: str, product: float, notes: list[str]) -> tuple[float | None, str]:
    if rule == "auto":
        return NEAR, "told by geometry"
    if not evidence.five:
        return None, "not known: only a score of 1 is one"
    labels = evidence.within("near-duplicate")
    if min(labels.sum(), (~labels).sum()) < LEAST:
        return None, f"not known: {LEAST} near-duplicates are needed, {labels.sum()} are labelled"
    try:
        near = threshold_for(evidence.scores, labels, target)
    except UsageError:
        near = 1.0
    if product < near < 1:
        return near, f"{target} among near-duplicates"
    notes.append("near-duplicates score no higher than the same product, and are not told apart")
    return None, "not told apart"


def _category(
    evidence: Evidence, target: Target, rule: str, product: float, chance: Floats | None, notes: list[str]
) -> tuple[float, str]:
    if product == 0:
        notes.append("every pair is called the same product: these labels ask for nothing else")
        return 0.0, "nothing is below the same product"
    for found, how in _offers(evidence, target, rule, chance):
        if 0 < found < product:
            return found, how
    return product * CATEGORY / PRODUCT, "in proportion to it, as 0.65 is to 0.80, for no label tells categories apart"


def _offers(evidence: Evidence, target: Target, rule: str, chance: Floats | None) -> list[tuple[float, str]]:
    """Thresholds of the same category, the best founded first."""
    offers = []
    if evidence.five:
        labels = evidence.within("same category")
        fourth = int((labels & ~evidence.labels).sum())
        if min(fourth, int((~labels).sum())) >= LEAST:
            offers.append((_or_nothing(evidence.scores, labels, target), f"{target} among pairs of one category"))
    if rule == "auto":
        offers.append((CATEGORY, "where auto has it"))
    elif chance is not None and len(chance) >= 1 / CHANCE.value:
        same = evidence.scores[evidence.labels]
        scores, labels = np.concatenate([same, chance]), np.repeat([True, False], [len(same), len(chance)])
        offers.append((_or_nothing(scores, labels, CHANCE), f"over 99 % of {len(chance)} pairs taken at random"))
    return offers


def _or_nothing(scores: Floats, labels: np.ndarray, target: Target) -> float:
    try:
        return threshold_for(scores, labels, target)
    except UsageError:
        return 0.0
