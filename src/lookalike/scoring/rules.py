"""The rules that turn a pair into a score; :mod:`lookalike.scoring.presets` says with which numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lookalike.scoring.auto import Outcome, auto
from lookalike.scoring.fusion import shipped
from lookalike.scoring.pair import Pair
from lookalike.scoring.presets import PRESETS, Preset
from lookalike.scoring.terms import term
from lookalike.types import Comparison
from lookalike.verdicts import Verdict, verdict_of


def decide(pair: Pair, preset: Preset) -> Comparison:
    """Score a pair by a preset.

    Raises:
        PictureError: a picture cannot be decoded.
    """
    outcome = RULES[preset.rule](pair, preset)
    return finish(pair, outcome, preset.name)


def by_method(pair: Pair, name: str) -> Comparison:
    """Score a pair by one method alone: its similarity is the score; the number behind it stands in the details."""
    raw = pair.raw(name)
    if raw != pair.similarities[name]:
        pair.details["cosine" if name == "embedding" else f"raw_{name}"] = raw
    return finish(pair, Outcome(pair.similarity(name)), name)


def finish(pair: Pair, outcome: Outcome, preset: str) -> Comparison:
    """The outcome as the record callers get, in the caller's order of pictures."""
    a, b = (pair.second, pair.first) if pair.swapped else (pair.first, pair.second)
    embedded = "embedding" in pair.similarities
    return Comparison(
        a=a.source,
        b=b.source,
        score=outcome.score,
        verdict=_verdict(pair, outcome.score),
        parts=dict(pair.similarities),
        transform=outcome.transform,
        # only the default rule has words of its own, and the verdicts were made for its numbers
        reasons=outcome.reasons or (() if preset == "auto" else (f"by {preset} alone",)),
        preset=preset,
        model=pair.method("embedding").label if embedded else None,  # type: ignore[attr-defined]
        details=dict(pair.details),
        probability=outcome.probability,
    )


def _verdict(pair: Pair, score: float) -> Verdict:
    """The band of the score; a method may find no difference where there is one, and then the word is not identical."""
    return verdict_of(score) if score < 1 or pair.identical() else "near-duplicate"


def _value(pair: Pair, name: str) -> float:
    """A term of a mix: another preset's score (``fast``), or a term of its own."""
    if name not in PRESETS:
        return term(pair, name)
    if name == "style":  # both a preset and a method, and the same number
        return pair.similarity(name)
    if name not in pair.similarities:
        pair.similarities[name] = RULES[PRESETS[name].rule](pair, PRESETS[name]).score
    return pair.similarities[name]


def _mix(pair: Pair, weights: Mapping[str, float]) -> float:
    mixed = sum(weight * _value(pair, name) for name, weight in weights.items() if weight)
    return min(1.0, max(0.0, mixed / sum(weights.values())))


def _weighted(pair: Pair, preset: Preset) -> Outcome:
    return Outcome(_mix(pair, preset.weights))


def _early(pair: Pair, preset: Preset) -> Outcome:
    fast = _value(pair, "fast")
    if fast >= preset.thresholds["enough"]:
        return Outcome(fast)
    return Outcome(_mix(pair, preset.weights))


def _layered(pair: Pair, preset: Preset) -> Outcome:
    fast = _value(pair, "fast")
    if fast >= preset.thresholds["enough"]:
        return Outcome(fast)
    disagree = abs(fast - _value(pair, "embedding")) > preset.thresholds["disagree"]
    if disagree and _value(pair, "keypoints") > 0:
        return Outcome(_mix(pair, preset.weights))
    return Outcome(_mix(pair, {name: preset.weights[name] for name in ("fast", "embedding")}))


def _auto(pair: Pair, preset: Preset) -> Outcome:
    return auto(pair, preset.thresholds, preset.fusion or shipped())


RULES: dict[str, Callable[[Pair, Preset], Outcome]] = {
    "weighted": _weighted,
    "early": _early,
    "layered": _layered,
    "auto": _auto,
}
