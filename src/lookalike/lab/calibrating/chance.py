"""Pairs that chance puts together: which of them are copies after all, and which to ask how alike chance makes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lookalike.images.limits import Limits
from lookalike.lab.bench.negatives import random_pairs
from lookalike.lab.calibrating.crossval import clumps
from lookalike.lab.calibrating.evidence import Evidence
from lookalike.lab.contest import Contestant, run
from lookalike.lab.labelled import LabelledPair
from lookalike.lab.ranking import Labels
from lookalike.lab.seeded import generator
from lookalike.scoring.bands import NEAR
from lookalike.scoring.pair import FeatureCache
from lookalike.types import Comparison, PairFailure

ASKED = 300
"""Random pairs of the labelled pictures: enough to tell the highest in a hundred."""


def copies(
    pairs: Sequence[LabelledPair],
    results: Sequence[Comparison | PairFailure],
    drawn: Labels,
    rule: str,
    features: FeatureCache,
    limits: Limits,
) -> Labels:
    """(N,), which of the pairs drawn at random are near-duplicates, and so not different.

    The preset that is being calibrated is not asked: where its score is high by mistake, leaving the pair out would
    hide the mistake. The geometry of ``auto`` is, and only for pairs that score as high as one of the same product.

    Args:
        pairs, results: all pairs, and what became of them.
        drawn: (N,), which were drawn.
        rule: of the preset; that of ``auto`` has asked already.
        features, limits: as for :func:`~lookalike.lab.contest.run`.
    """
    scores = np.array([each.score if isinstance(each, Comparison) else np.nan for each in results])
    same = np.array([pair.same for pair in pairs]) & np.isfinite(scores)
    if not drawn.any() or not same.any():
        return np.zeros(len(pairs), bool)
    if rule == "auto":
        return drawn & (scores >= NEAR)
    high = np.flatnonzero(drawn & (scores >= np.quantile(scores[same], 0.05)))
    if not len(high):
        return np.zeros(len(pairs), bool)
    [told] = run([pairs[at] for at in high.tolist()], [Contestant("auto")], store=features, limits=limits)
    found = np.zeros(len(pairs), bool)
    found[high] = told.scores >= NEAR
    return found


def chance_pairs(evidence: Evidence, seed: int, count: int = ASKED) -> list[LabelledPair]:
    """Random pairs of the labelled pictures that no label calls the same product; none where there are under 100."""
    sources: dict[int, str] = {}
    for pair, a, b in zip(evidence.pairs, evidence.first.tolist(), evidence.second.tolist(), strict=True):
        sources.setdefault(a, pair.a)
        sources.setdefault(b, pair.b)
    same = evidence.labels
    product = clumps(evidence.first[same], evidence.second[same], len(sources))
    found = random_pairs(len(sources), count, lambda a, b: bool(product[a] != product[b]), generator(seed, "chance"))
    if len(found) < 100:
        return []
    return [LabelledPair(sources[a], sources[b], "different", same=False, category=None) for a, b in found]
