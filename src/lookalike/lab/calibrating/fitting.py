"""Labelled pairs → a calibration: compare them, fit, and judge the fit by pictures that it did not see."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from lookalike.api import Options
from lookalike.errors import PictureError, UsageError
from lookalike.images.limits import Limits
from lookalike.lab.calibrating.banding import Banding, band
from lookalike.lab.calibrating.chance import chance_pairs, copies
from lookalike.lab.calibrating.cleaned import Cleaned, clean
from lookalike.lab.calibrating.crossval import Folds, deal
from lookalike.lab.calibrating.evidence import Evidence, evidence_of
from lookalike.lab.calibrating.expected import Expected, expect
from lookalike.lab.calibrating.fusion_weights import refit_fusion
from lookalike.lab.calibrating.provenance import report_of
from lookalike.lab.calibrating.quality import AUTO, ROUNDS, Quality, check_kind, choose
from lookalike.lab.calibrating.sampled import Sampled, sample
from lookalike.lab.calibrating.thresholds import Target
from lookalike.lab.calibrating.weights import Refitted, open_preset, refit
from lookalike.lab.contest import Contestant, run
from lookalike.lab.labelled import Labelled
from lookalike.lab.ranking import Floats
from lookalike.scoring.calibration import Calibration, scored_by
from lookalike.scoring.calibrators import KINDS
from lookalike.scoring.pair import FeatureCache
from lookalike.scoring.presets import Preset

Progress = Callable[[str, int, int], None]

LEAST_SAMPLED = 200
"""Random pairs that are drawn at least: of fewer, one in a hundred cannot be told."""

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Task:
    """What to fit, and to what.

    Attributes:
        table: the labelled pairs.
        preset, method, options: how they are scored; ``options`` are a method's, a preset has its own.
        target: what the threshold is asked to do.
        kind: of the curve; ``auto`` chooses.
        negatives: a folder from which different pairs are drawn at random.
        seed: of everything that is left to chance.
        fit_weights: also fit the weights of a preset that mixes.
        limits, threads, progress: as for :func:`lookalike.compare_many`.
    """

    table: Labelled
    preset: Preset | None
    method: str | None = None
    options: Options = field(default_factory=dict)
    target: Target = Target()  # noqa: RUF009 - it cannot be changed
    kind: str = AUTO
    negatives: str | os.PathLike[str] | None = None
    seed: int = 0
    fit_weights: bool = False
    limits: Limits = _LIMITS
    threads: int | None = None
    progress: Progress | None = None

    @property
    def contestant(self) -> Contestant:
        """Who scores the pairs."""
        if self.preset is None:
            return Contestant(str(self.method), method=self.method, options=self.options)
        return Contestant(self.preset.name, self.preset)

    @property
    def rule(self) -> str:
        """Of the preset; empty for a method."""
        return "" if self.preset is None else self.preset.rule


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibration and what it was made from.

    Attributes:
        calibration: the result.
        evidence: the scored pairs.
        banding, expected: its thresholds, and what they come to on pictures not fitted to.
        qualities: of every kind of curve that was tried.
        kind: the one that was taken.
        refitted: what came of fitting weights, where that was asked for.
        notes: what a person should know, in words.
    """

    calibration: Calibration
    evidence: Evidence
    banding: Banding
    expected: Expected
    qualities: Mapping[str, Quality]
    kind: str
    refitted: Refitted | None = None
    notes: tuple[str, ...] = ()


def fit(task: Task, features: FeatureCache | None = None) -> Fitted:
    """Compare all pairs and fit a calibration to them.

    Args:
        task: what is wanted.
        features: those remembered from run to run; None for those of this run.

    Raises:
        UsageError: too few pairs, pairs of one kind only, or a target that no threshold meets.
    """
    check_kind(task.kind)
    features = FeatureCache() if features is None else features
    cleaned = clean(task.table.pairs, task.limits)
    drawn = _drawn(task, cleaned, max(LEAST_SAMPLED, cleaned.same, task.target.needed[1]))
    extra = clean(drawn.pairs, task.limits, cleaned.keys) if drawn else Cleaned()
    notes = list(cleaned.notes)
    task.target.require(cleaned.same, len(cleaned.pairs) - cleaned.same + len(extra.pairs), why="; ".join(notes))
    refitted, known = _refitted(task, cleaned, extra, features) if task.fit_weights else (None, None)
    if refitted is not None:
        task = replace(task, preset=refitted.preset)
        notes.append(refitted.told)
    evidence = _scored(task, cleaned, extra, features) if known is None else known
    if not len(evidence.labels) and evidence.failures:
        first = evidence.failures[0].failure
        raise PictureError(
            f"none of the {len(evidence.failures)} pairs could be compared; the first: {first.reason}",
            source=task.table.name,
        )
    if drawn:
        notes += [drawn.caveat, *_left_out(evidence, extra)]
    same = int(evidence.labels.sum())
    task.target.require(same, len(evidence.labels) - same, "left that could be compared, labelled", "; ".join(notes))
    dealt = _dealt(task, evidence)
    kind, qualities = choose(task.kind, evidence.scores, evidence.labels, dealt)
    banding = band(evidence, task.target, task.rule, _by_chance(task, evidence, features))
    expected = expect(evidence, task.target, banding.bands.product, task.rule, dealt[0], task.seed)
    notes += banding.notes
    calibration = Calibration(
        task.preset,
        task.method,
        KINDS[kind]().fit(evidence.scores, evidence.labels),
        banding.bands,
        options=task.options,
        scored_by=scored_by(task.preset, task.method, task.options),
        report=report_of(evidence, task.target, banding, expected, qualities, kind, dealt, task.seed, notes),
    )
    return Fitted(calibration, evidence, banding, expected, qualities, kind, refitted, tuple(notes))


def _preset_of(task: Task) -> Preset:
    if task.preset is None:
        raise UsageError("a single method has no weights to fit", remedy="leave out --fit-weights, or --method")
    return task.preset


def _refitted(task: Task, cleaned: Cleaned, extra: Cleaned, features: FeatureCache) -> tuple[Refitted, Evidence | None]:
    """The preset with weights fitted to the pairs, where those are better; and what it says, where that is known."""
    own = _preset_of(task)
    evidence = _scored(replace(task, preset=open_preset(own)), cleaned, extra, features)
    if own.rule != "auto":
        return refit(own, evidence, _dealt(task, evidence)), None
    refitted = refit_fusion(own, evidence, _dealt(task, evidence))
    return refitted, None if refitted.better else evidence


def _dealt(task: Task, evidence: Evidence) -> list[Folds]:
    seeds = range(task.seed, task.seed + ROUNDS)
    return [deal(evidence.first, evidence.second, evidence.labels, seed=seed) for seed in seeds]


def _left_out(evidence: Evidence, extra: Cleaned) -> list[str]:
    failed = {(failure.a, failure.b) for failure in evidence.failures}
    found = len(extra.pairs) - int(evidence.sampled.sum()) - sum((pair.a, pair.b) in failed for pair in extra.pairs)
    return [f"{found} of the random pairs are near-duplicates, and left out"] if found else []


def _drawn(task: Task, cleaned: Cleaned, count: int) -> Sampled | None:
    if task.negatives is None:
        return None
    return sample(task.negatives, count, same=cleaned.products(), seed=task.seed, limits=task.limits)


def _scored(task: Task, cleaned: Cleaned, extra: Cleaned, features: FeatureCache) -> Evidence:
    """All pairs compared; of those drawn at random the copies are left out."""
    asked = (*cleaned.pairs, *extra.pairs)
    [scored] = run(
        asked, [task.contestant], store=features, limits=task.limits, threads=task.threads, progress=task.progress
    )
    drawn = np.arange(len(asked)) >= len(cleaned.pairs)
    kept = ~copies(asked, scored.results, drawn, task.rule, features, task.limits)
    both = Cleaned(asked, (*cleaned.keys, *extra.keys)).only(kept.tolist())
    return evidence_of(both, [scored.results[at] for at in np.flatnonzero(kept)], drawn[kept].tolist())


def _by_chance(task: Task, evidence: Evidence, features: FeatureCache) -> Floats | None:
    """Scores of random pairs: those that were drawn, else some of the labelled pictures."""
    if task.rule == "auto":
        return None
    if evidence.sampled.any():
        return evidence.scores[evidence.sampled]
    pairs = chance_pairs(evidence, task.seed)
    if not pairs:
        return None
    [scored] = run(
        pairs, [task.contestant], store=features, limits=task.limits, threads=task.threads, progress=task.progress
    )
    return scored.scores[np.isfinite(scored.scores)]
