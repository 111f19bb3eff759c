"""Weights of a mix fitted to labelled pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.lab.calibrating.crossval import Folds, held_out
from lookalike.lab.calibrating.evidence import Evidence
from lookalike.lab.calibrating.quality import Quality, measured, surely_better
from lookalike.lab.ranking import Floats, Labels
from lookalike.scoring.calibrators import Platt
from lookalike.scoring.logistic import fit_logistic
from lookalike.scoring.presets import Preset


@dataclass(frozen=True, slots=True)
class Refitted:
    """What came of fitting weights.

    Attributes:
        preset: with the weights that are to be used: the fitted ones, or its own.
        better: whether the fitted ones are.
        own, fitted: quality of the probabilities by each, on pictures not fitted to.
        weights: the fitted ones, adding up to 1, whether they are used or not.
    """

    preset: Preset
    better: bool
    own: Quality
    fitted: Quality
    weights: Mapping[str, float]

    @property
    def told(self) -> str:
        """It all in a line."""
        losses = f"log loss {self.fitted.log_loss:.3f} against {self.own.log_loss:.3f}, on pictures not fitted to"
        if not self.better:
            return f"the fitted weights are no better than those of {self.preset.name} ({losses}), which stay"
        return f"weights fitted: {', '.join(f'{name} {value:.3g}' for name, value in self.weights.items())} ({losses})"


def open_preset(preset: Preset) -> Preset:
    """The preset with all its terms weighing the same, so that each is computed; ``auto`` computes them anyway.

    Raises:
        UsageError: its rule mixes no terms, or there is one term only.
    """
    if preset.rule == "auto":
        return preset
    if preset.rule != "weighted":
        raise UsageError(
            f"the preset {preset.name!r} has the rule {preset.rule!r}, "
            "and weights are fitted for 'auto' and 'weighted'",
            remedy="leave out --fit-weights, or take another preset",
        )
    if len(preset.weights) < 2:
        raise UsageError(f"the preset {preset.name!r} has one term, and nothing to weigh", remedy="add terms to it")
    return replace(preset, weights=dict.fromkeys(preset.weights, 1.0))


def refit(preset: Preset, evidence: Evidence, dealt: Sequence[Folds]) -> Refitted:
    """Fit the weights of ``preset`` by logistic regression, none below 0, and tell whether they do better.

    Both ways go through the same test: probabilities by a logistic curve over the mix, fitted to other pictures. The
    fitted weights are taken only where their log loss is lower by more than one standard error of the difference.

    Args:
        preset: of the rule ``weighted``.
        evidence: comparisons by :func:`open_preset` of it, whose parts are all there.
        dealt: folds of the pictures, several times.
    """
    names = list(preset.weights)
    terms = np.array([[_term(each.parts, each.details, name) for name in names] for each in evidence.comparisons])
    labels = evidence.labels

    def judged(own: bool) -> Quality:
        def fit(chosen: npt.NDArray[np.intp], heavy: Floats) -> _Mix:
            mix = _own(preset) if own else _fitted(terms[chosen], labels[chosen], heavy)
            mix = _own(preset) if mix is None else mix
            curve = Platt().fit(np.clip(terms[chosen] @ mix, 0, 1), labels[chosen], heavy)
            return _Mix(terms, mix, curve)

        return measured(np.stack([held_out(folds, labels, fit) for folds in dealt]), labels)

    before, after = judged(own=True), judged(own=False)
    found = _fitted(terms, labels, np.ones(len(labels)))
    wins = found is not None and surely_better(after, before, labels)
    weights = dict(zip(names, (_own(preset) if found is None else found).tolist(), strict=True))
    name, about = f"{preset.name} (fitted)", f"{preset.name} with weights fitted to {len(labels)} pairs"
    chosen = replace(preset, name=name, about=about, weights=weights) if wins else preset
    return Refitted(chosen, wins, before, after, weights)


@dataclass(frozen=True, slots=True)
class _Mix:
    """A mix and a curve over it, asked by the numbers of pairs."""

    terms: Floats
    weights: Floats
    curve: Platt

    def __call__(self, numbers: npt.NDArray[np.intp]) -> Floats:
        return self.curve.predict(np.clip(self.terms[numbers] @ self.weights, 0, 1))


def _own(preset: Preset) -> Floats:
    weights = np.array(list(preset.weights.values()))
    return np.asarray(weights / weights.sum())


def _fitted(terms: Floats, labels: Labels, heavy: Floats) -> Floats | None:
    """Weights adding up to 1; None where no term tells anything."""
    same, different = heavy @ labels, heavy @ ~labels
    targets = np.where(labels, (same + 1) / (same + 2), 1 / (different + 2))
    slopes = np.array(fit_logistic(terms, targets, heavy).slopes)
    return None if slopes.sum() <= 0 else np.asarray(slopes / slopes.sum())


def _term(parts: Mapping[str, float], details: Mapping[str, float], name: str) -> float:
    """What a term of the mix was for one pair; the few below 0 count as 0."""
    return details["cosine"] if name == "cosine" else parts[name]
