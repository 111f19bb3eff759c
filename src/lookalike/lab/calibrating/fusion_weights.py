"""How much each piece of evidence says, fitted to labelled pairs: the rule ``auto`` made one's own.

A few hundred pairs cannot redraw the lines of a fusion. What they can tell is how much each line says among these
pictures, as where colours say nothing since everything is sold in all of them: every line keeps its shape and is made
steeper or flatter as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.lab.calibrating.crossval import Folds, held_out
from lookalike.lab.calibrating.evidence import Evidence
from lookalike.lab.calibrating.quality import Quality, measured, surely_better
from lookalike.lab.calibrating.weights import Refitted
from lookalike.lab.ranking import Floats, Labels
from lookalike.scoring.fusion import Fusion, Sum, shipped
from lookalike.scoring.kinship import LOG_ODDS
from lookalike.scoring.logistic import Line, fit_logistic, sigmoid
from lookalike.scoring.presets import Preset

LEAST = 20
"""Pairs of each label, copies aside, that a fit takes: as many as a threshold does."""


def refit_fusion(preset: Preset, evidence: Evidence, dealt: Sequence[Folds]) -> Refitted:
    """Fit how steep each line of ``preset``'s fusion is, none below 0, and tell whether that does better.

    Both ways go through the same test on pictures not fitted to: a logistic curve over the whole sum, and one over its
    pieces. Copies take no part; geometry tells them.

    Args:
        preset: of the rule ``auto``.
        evidence: its comparisons.
        dealt: folds of the pictures, several times.

    Raises:
        UsageError: too few pairs that are no copies.
    """
    fusion = preset.fusion or shipped()
    pieces = list(fusion.fullest["product"].lines)
    asked = np.array([all(LOG_ODDS + piece in each.details for piece in pieces) for each in evidence.comparisons], bool)
    labels = evidence.labels[asked]
    if min(labels.sum(), (~labels).sum()) < LEAST:
        raise UsageError(
            f"copies aside, {labels.sum()} pairs are labelled same and {(~labels).sum()} different, "
            f"and {LEAST} of each are needed to fit weights",
            remedy="label more pairs that are no copies of each other",
        )
    kin = [each for each, used in zip(evidence.comparisons, asked, strict=True) if used]
    terms = np.array([[each.details[LOG_ODDS + piece] for piece in pieces] for each in kin])
    folds = [replace(each, first=each.first[asked], second=each.second[asked]) for each in dealt]
    before = _judged(terms.sum(axis=1, keepdims=True), labels, folds)
    after = _judged(terms, labels, folds)
    line = _fit(terms, labels, np.ones(len(labels)))
    weights = dict(zip(pieces, line.slopes, strict=True))
    wins = surely_better(after, before, labels) and any(line.slopes)
    name, about = f"{preset.name} (fitted)", f"{preset.name} with evidence weighed by {len(labels)} pairs"
    fitted = Preset(
        name,
        about,
        "auto",
        thresholds=preset.thresholds,
        options=preset.options,
        fusion=steeper(fusion, line.intercept, weights),
    )
    return Refitted(fitted if wins else preset, wins, before, after, weights)


def steeper(fusion: Fusion, base: float, weights: Mapping[str, float]) -> Fusion:
    """The fusion with the lines of *same product* made steeper by ``weights``.

    Args:
        fusion: another one.
        base: log-odds of the fullest sum where no piece says anything; the other sums are shifted as much.
        weights: piece → factor, 0 or more.

    >>> fusion = shipped()
    >>> same = steeper(fusion, fusion.fullest["product"].base, dict.fromkeys(("embedding", "palette", "object"), 1.0))
    >>> same.sums == fusion.sums
    True
    """
    shift = base - fusion.fullest["product"].base

    def changed(given: Sum) -> Sum:
        lines = {piece: tuple((x, weights[piece] * y) for x, y in line) for piece, line in given.lines.items()}
        return Sum(given.base + shift, lines)

    sums = tuple({**each, "product": changed(each["product"])} for each in fusion.sums)
    return Fusion(sums, fusion.scores, {**fusion.about, "weights": dict(weights)})


@dataclass(frozen=True, slots=True)
class _Said:
    """A fitted curve over terms, asked by the numbers of pairs."""

    terms: Floats
    line: Line

    def __call__(self, numbers: npt.NDArray[np.intp]) -> Floats:
        return sigmoid(self.line.intercept + self.terms[numbers] @ np.array(self.line.slopes))


def _judged(terms: Floats, labels: Labels, dealt: Sequence[Folds]) -> Quality:
    def fit(chosen: npt.NDArray[np.intp], heavy: Floats) -> _Said:
        return _Said(terms, _fit(terms[chosen], labels[chosen], heavy))

    return measured(np.stack([held_out(folds, labels, fit) for folds in dealt]), labels)


def _fit(terms: Floats, labels: Labels, heavy: Floats) -> Line:
    """Logistic, with targets drawn in a little as Platt has them, so that the answer is finite."""
    same, different = heavy @ labels, heavy @ ~labels
    return fit_logistic(terms, np.where(labels, (same + 1) / (same + 2), 1 / (different + 2)), heavy)
