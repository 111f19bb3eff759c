"""What a calibration was made from and what it is worth, as plain values for its file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from lookalike.lab.bootstrap import Interval
from lookalike.lab.calibrating.banding import Banding
from lookalike.lab.calibrating.crossval import Folds
from lookalike.lab.calibrating.evidence import Evidence
from lookalike.lab.calibrating.expected import Expected
from lookalike.lab.calibrating.quality import Quality
from lookalike.lab.calibrating.thresholds import Target
from lookalike.lab.metrics import roc_auc


def report_of(
    evidence: Evidence,
    target: Target,
    banding: Banding,
    expected: Expected,
    qualities: Mapping[str, Quality],
    kind: str,
    dealt: Sequence[Folds],
    seed: int,
    notes: Sequence[str],
) -> dict[str, Any]:
    """Everything that was fitted, counted and judged; figures rounded, JSON-ready."""
    same = int(evidence.labels.sum())
    return {
        "made": {"date": datetime.now(UTC).isoformat(timespec="seconds"), "lookalike": version("lookalike")},
        "data": {
            "sha256": evidence.digest,
            "same": same,
            "different": len(evidence.labels) - same,
            "labels": evidence.counts(),
            "drawn at random": int(evidence.sampled.sum()),
            "pictures": evidence.pictures,
            "failed": len(evidence.failures),
            "seed": seed,
        },
        "target": {target.kind: target.value},
        "threshold": {
            "same product": _with_interval(*expected.threshold),
            "same category": {"value": round(banding.bands.category, 4), "how": banding.category},
            "near-duplicate": {"value": banding.bands.near, "how": banding.near},
        },
        "expect": {name: _with_interval(*figure) for name, figure in expected.rates.items()},
        "probability": {
            "kind": kind,
            "folds": dealt[0].count,
            "rounds": len(dealt),
            "dealt by": dealt[0].by,
            "tried": {name: quality.to_dict() for name, quality in qualities.items()},
        },
        "auc": round(float(roc_auc(evidence.scores, evidence.labels)), 4),
        "notes": list(notes),
    }


def _with_interval(value: float, interval: Interval) -> dict[str, float | None]:
    low, high = interval
    return {name: _rounded(each) for name, each in (("value", value), ("low", low), ("high", high))}


def _rounded(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
