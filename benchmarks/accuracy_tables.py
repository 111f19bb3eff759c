"""Scores of labelled pairs → rows: how good each way to score is, what each band holds, which pairs are worst."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fusion_fit
import numpy as np
from accuracy_heldout import HeldOut, probabilities
from accuracy_pairs import Asked

from lookalike.lab.bootstrap import picture_numbers, picture_weights
from lookalike.lab.contest import Scored
from lookalike.lab.edits.table import EDITS
from lookalike.lab.evaluation import measured
from lookalike.lab.labelled import LabelledPair
from lookalike.lab.measures import MEASURES, Sample
from lookalike.lab.metrics import bin_of, ece
from lookalike.lab.ranking import Floats
from lookalike.types import Comparison
from lookalike.verdicts import BANDS

TOLD = ("auc", "average_precision", "tpr_at_fpr_1")
ROUNDS = 200
COPY, PRODUCT, CATEGORY = (lowest for lowest, _ in BANDS[1:-1])


def of_set(asked: Asked) -> dict[str, Any]:
    """Row: what a set holds."""
    same = sum(pair.same for pair in asked.pairs)
    pictures = {name for pair in asked.pairs for name in (pair.a, pair.b)}
    counts = {"pairs": len(asked.pairs), "same": same, "pictures": len(pictures)}
    return {"table": "sets", "set": asked.name, **counts, "kinds": dict(Counter(asked.kinds))}


def of_part(asked: Asked, scored: Scored, numbers: Sequence[int], part: str, name: str) -> dict[str, Any]:
    """Row: the same for some of the pairs, a set of its own called ``part``."""
    results = tuple(scored.results[number] for number in numbers)
    return {**of_method(asked.part(numbers), replace(scored, results=results), name), "set": part}


def of_method(asked: Asked, scored: Scored, name: str) -> dict[str, Any]:
    """Row: how well one way to score tells the same from the different, with intervals over pictures."""
    scores = scored.scores
    good = np.isfinite(scores)
    same = np.array([pair.same for pair in asked.pairs], bool)
    sample = Sample(scores[good], np.where(same, 2, 4)[good])
    pairs = [(pair.a, pair.b) for pair, used in zip(asked.pairs, good, strict=True) if used]
    weights = picture_weights(*picture_numbers(pairs), rounds=ROUNDS)
    told, *_ = measured({measure: MEASURES[measure] for measure in TOLD}, sample, sample.weighed, weights)
    return {
        "table": "methods",
        "set": asked.name,
        "name": name,
        "failed": int((~good).sum()),
        "same_from_80": float((scores[good & same] >= PRODUCT).mean()),
        "other_from_80": float((scores[good & ~same] >= PRODUCT).mean()),
        "other_from_65": float((scores[good & ~same] >= CATEGORY).mean()),
        **{measure: {"value": each.value, "low": each.low, "high": each.high} for measure, each in told.items()},
    }


def of_edits(asked: Asked, scored: Scored) -> list[dict[str, Any]]:
    """Rows: how many copies are found at 0.90, by edit and in all; how many of the others are."""
    scores, kinds = scored.scores, np.array(asked.kinds)
    copies = np.array([pair.same for pair in asked.pairs], bool)
    strength = np.array([EDITS[kind].strength if kind in EDITS else "" for kind in kinds])
    whose = np.array([Path(pair.a).parts[-1] for pair in asked.pairs])
    rows = [_found("edit", name, scores, copies & (kinds == name), strength=EDITS[name].strength) for name in EDITS]
    of_strength = [
        ("all", strength != ""),
        *((each, strength == each) for each in ("light", "medium", "strong")),
        ("light and medium", np.isin(strength, ["light", "medium"])),
    ]
    false = int((scores[~copies] >= COPY).sum())
    for name, chosen in of_strength:
        row = _found("edits", name, scores, copies & chosen)
        low, high = _interval(scores >= COPY, copies & chosen, whose)
        rows.append(
            {**row, "low": low, "high": high, "precision": row["found"] / max(1, row["found"] + false), "false": false}
        )
    for kind in dict.fromkeys(kinds[~copies].tolist()):
        chosen = scores[~copies & (kinds == kind)]
        over = {f"from_{lowest:.2f}": int((chosen >= lowest).sum()) for lowest in (COPY, PRODUCT, CATEGORY)}
        rows.append({"table": "others", "kind": kind, "pairs": len(chosen), **over, "highest": float(chosen.max())})
    return rows


def _found(table: str, name: str, scores: Floats, chosen: np.ndarray, **more: Any) -> dict[str, Any]:
    found = int((scores[chosen] >= COPY).sum())
    least, median = np.quantile(scores[chosen], [0.0, 0.5]) if chosen.any() else (np.nan, np.nan)
    return {
        "table": table,
        "name": name,
        "copies": int(chosen.sum()),
        "found": found,
        "share": found / max(1, int(chosen.sum())),
        "same_product": int((scores[chosen] >= PRODUCT).sum()),
        "least": float(least),
        "median": float(median),
        **more,
    }


def _interval(hits: np.ndarray, chosen: np.ndarray, whose: np.ndarray) -> tuple[float, float]:
    """Of a share, over the pictures that the pairs were made from."""
    names, number = np.unique(whose[chosen], return_inverse=True)
    weights = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), size=500)
    weighed = weights[:, number]
    low, high = np.quantile(weighed @ hits[chosen] / weighed.sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def of_bands(asked: Asked, scored: Scored) -> list[dict[str, Any]]:
    """Rows: what the pairs of each band have in common."""
    scores = scored.scores
    rows = []
    above = np.inf
    for lowest, verdict in BANDS[1:]:
        inside = (scores >= lowest) & (scores < above)
        counts = Counter(what for what, here in zip(asked.shared, inside, strict=True) if here)
        rows.append({"table": "bands", "set": asked.name, "verdict": verdict, "lowest": lowest, "shared": dict(counts)})
        above = lowest
    return rows


def of_probability(held_out: HeldOut) -> list[dict[str, Any]]:
    """Rows: P(same product) against the share that is, in ten bins; every set counts alike."""
    likely, same, counts = probabilities(held_out)
    bins = bin_of(likely)
    rows: list[dict[str, Any]] = []
    for number in range(10):
        here = bins == number
        if here.any():
            told, true = (float(np.average(values[here], weights=counts[here])) for values in (likely, same))
            rows.append({"table": "bins", "bin": number, "pairs": int(here.sum()), "told": told, "true": true})
    balanced, drawn = float(ece(likely, same, counts)), float(ece(likely, same))
    return [*rows, {"table": "ece", "balanced": balanced, "as_drawn": drawn, "pairs": len(likely)}]


def of_left_out(held_out: HeldOut) -> list[dict[str, Any]]:
    """Rows: the promises on each set by a rule that was fitted without all of that set."""
    rows = held_out.rows
    asked, same = rows.asked("product")
    found = []
    for of in np.unique(rows.of).tolist():
        test = rows.of == of
        fusion = fusion_fit.fitted(rows, ~test)
        score = fusion_fit.scores(fusion, rows)
        shares = {
            "other category below 0.65": (score < CATEGORY, test & (rows.shared == "different")),
            "same product 0.80 and more": (score >= PRODUCT, test & asked & same),
            "same product 0.65 and more": (score >= CATEGORY, test & asked & same),
            "other product of the category below 0.80": (score < PRODUCT, test & asked & (rows.shared == "category")),
            "other product below 0.80": (score < PRODUCT, test & asked & ~same),
        }
        told = {
            name: {"share": float(right[among].mean()), "pairs": int(among.sum())}
            for name, (right, among) in shares.items()
            if among.any()
        }
        found.append({"table": "left out", "set": of, **told})
    return found


@dataclass(frozen=True, slots=True)
class Wrong:
    """A kind of mistake.

    Attributes:
        what: as rows name it.
        same: of pairs that belong together, or of those that do not.
        limit: the score that they should reach, or stay below.
    """

    what: str
    same: bool
    limit: float


def worst(root: Path, asked: Asked, scored: Scored, wrong: Wrong, most: int = 8) -> dict[str, Any]:
    """Row: the worst mistakes on pictures that may be shown, no two of the same two products."""
    scores = np.where(np.isfinite(scored.scores), scored.scores, 0.5)
    order = np.argsort(scores if wrong.same else -scores, kind="stable")
    shown: list[dict[str, Any]] = []
    seen: Counter[Any] = Counter()
    for number in order.tolist():
        pair, result = asked.pairs[number], scored.results[number]
        missed = result.score < wrong.limit if wrong.same else result.score >= wrong.limit  # type: ignore[union-attr]
        whose = tuple(sorted(asked.groups[number])) or (asked.kinds[number], Path(pair.a).name)
        if len(shown) == most or not missed:
            break
        if pair.same != wrong.same or not _may_be_shown(root, pair, asked.kinds[number]):
            continue
        if seen[whose] or seen[whose[0]] > 1:
            continue
        seen.update((whose, whose[0]))
        assert isinstance(result, Comparison)
        shown.append(_evidence(root, asked, number, result))
    among = [number for number, pair in enumerate(asked.pairs) if pair.same == wrong.same]
    so = [scores[number] < wrong.limit if wrong.same else scores[number] >= wrong.limit for number in among]
    counts = {"pairs": len(among), "wrong": int(np.sum(so))}
    return {"table": "worst", "what": wrong.what, "set": asked.name, "limit": wrong.limit, **counts, "shown": shown}


def _may_be_shown(root: Path, pair: LabelledPair, kind: str) -> bool:
    """Whether the licence lets both pictures be shown, and both can be drawn again from the set alone."""
    free = [any(Path(name).is_relative_to(root / of) for of in ("clothing", "grocery")) for name in (pair.a, pair.b)]
    if kind in EDITS:  # the second is made from the first
        return free[0] and EDITS[kind].needs != "host"
    return all(free)


def _evidence(root: Path, asked: Asked, number: int, result: Comparison) -> dict[str, Any]:
    pair = asked.pairs[number]
    names = [str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else "" for path in (pair.a, pair.b)]
    numbers: Mapping[str, float] = {**result.parts, **result.details}
    known = ("cosine", "palette", "agreeing_points", "inliers", "frame_correlation", "tint")
    return {
        "a": names[0],
        "b": names[1],
        "kind": asked.kinds[number],
        "shared": asked.shared[number],
        "score": result.score,
        "reasons": list(result.reasons),
        "evidence": {name: numbers[name] for name in known if name in numbers},
    }


def figure(what: str, value: float, least: float | None = None, most: float | None = None) -> dict[str, Any]:
    """Row: a figure to reach, and whether it was."""
    reached = (least is None or value >= least) and (most is None or value <= most)
    limit = {"least": least} if most is None else {"most": most}
    return {"table": "figures", "what": what, "value": value, **limit, "reached": bool(reached)}


def pick(rows: Sequence[Mapping[str, Any]], **asked: Any) -> Mapping[str, Any]:
    """The first row that has these values."""
    return next(row for row in rows if all(row.get(name) == value for name, value in asked.items()))
