"""A score and a probability fitted to a user's own pairs, and what they belong to.

A calibration changes nothing about how a pair is scored. It takes the score that one preset, or one method, gave and
says two things of it: on which side of the fitted thresholds it lies (:class:`~lookalike.scoring.bands.Bands`), and how
likely the pictures show the same product (:mod:`lookalike.scoring.calibrators`). Both rise with the score.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from lookalike.errors import UsageError, printable
from lookalike.files import check_place, write_whole
from lookalike.scoring.bands import Bands
from lookalike.scoring.calibrators import Calibrator
from lookalike.scoring.fusion import shipped
from lookalike.scoring.pair import shared_method
from lookalike.scoring.presets import Preset, methods_of
from lookalike.types import UNCALIBRATED, Comparison
from lookalike.verdicts import verdict_of

FORMAT, VERSION = "lookalike calibration", 1
"""What a file says it is; the version is raised when an older lookalike could misread it."""

RULE_VERSIONS = {"weighted": 1, "early": 1, "layered": 1, "auto": 2}
"""Raised whenever a rule would give the same pair another score by the same numbers."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was fitted, what it belongs to, and how it came about.

    Attributes:
        preset: whose scores it belongs to, with all its numbers, options and, where it has one of its own, its fusion;
            None where it belongs to a method.
        method: the one method whose similarities it belongs to, or None.
        options: arguments for that method by name; those of a preset are its own.
        curve: score → probability that both show the same product.
        bands: score → score whose verdict holds.
        scored_by: the rule and every method that can take part → its version, for what another version gave means
            nothing here; see :func:`scored_by`.
        report: provenance and figures as plain values: data, counts, target, rates, quality, date. Nothing computes
            with them.
        source: the file that it was read from.
    """

    preset: Preset | None
    method: str | None
    curve: Calibrator
    bands: Bands
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    scored_by: Mapping[str, str] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    @property
    def name(self) -> str:
        """Of the preset or the method."""
        return self.preset.name if self.preset is not None else str(self.method)

    @property
    def request(self) -> dict[str, Any]:
        """The arguments that make :func:`lookalike.compare` score as this calibration expects."""
        if self.preset is not None:
            return {"preset": self.preset, "method": None, "options": {}}
        return {"preset": "auto", "method": self.method, "options": self.options}

    def as_preset(self) -> Preset:
        """The preset; for a method one that weighs nothing else, whose scores are that method's."""
        if self.preset is not None:
            return self.preset
        name = str(self.method)
        return Preset(name, f"{name} alone", "weighted", {name: 1.0}, options=self.options)

    def apply(self, comparison: Comparison) -> Comparison:
        """The comparison with the score whose bands hold, and P; the score as it was stays in the details.

        Raises:
            UsageError: it was scored in another way, or is calibrated already.
        """
        if comparison.preset != self.name or UNCALIBRATED in comparison.details:
            what = "calibrated" if UNCALIBRATED in comparison.details else f"scored by {comparison.preset!r}"
            raise UsageError(f"a calibration for {self.name!r} cannot take a comparison that was {what}")
        raw = comparison.score
        score = self.bands.apply(raw)
        return replace(
            comparison,
            score=score,
            # a raw score of 1 has its verdict by the pixels: identical, or as near as the method sees
            verdict=verdict_of(score) if raw < 1 else comparison.verdict,
            probability=float(self.curve.predict([raw])[0]),
            details={**comparison.details, UNCALIBRATED: raw},
        )

    def raw(self, score: float) -> float:
        """The least score before calibration that becomes ``score`` or more."""
        return self.bands.raw(score)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for ``json.dumps``; every number keeps all its digits."""
        bands = self.bands
        return {
            "format": FORMAT,
            "version": VERSION,
            "belongs_to": _preset_to_dict(self.preset) if self.preset is not None else self._method_to_dict(),
            "scored_by": dict(self.scored_by),
            "thresholds": {
                "same category": bands.category,
                "same product": bands.product,
                "near-duplicate": bands.near,
            },
            "probability": self.curve.to_dict(),
            "fusion": None if self.preset is None or self.preset.fusion is None else self.preset.fusion.to_dict(),
            "report": dict(self.report),
        }

    def _method_to_dict(self) -> dict[str, Any]:
        return {"method": self.method, "options": {name: dict(given) for name, given in self.options.items()}}

    @classmethod
    def from_dict(cls, values: object) -> Self:
        """What :meth:`to_dict` gave, once more a calibration; whether it fits this version is not asked.

        Raises:
            UsageError: it is none.
        """
        from lookalike.scoring.calibration_file import fields_of

        return cls(**fields_of(values))

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as JSON that people can read; the file appears whole or not at all.

        Raises:
            OutputError: it cannot be written.
        """
        file = Path(path)
        check_place(file)
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False, default=str)
        text = re.sub(r"\[[-+.\d\se,]+\]", lambda row: " ".join(row[0].split()), text)  # rows of numbers on one line
        return write_whole(file, text.encode() + b"\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            SourceNotFound: there is no such file.
            UsageError: it is damaged, something else, of a newer version, or belongs to methods or a model that are
                not those of this installation.
        """
        from lookalike.scoring.calibration_file import read

        return cls(**read(path))

    def check(self) -> None:
        """Raise :class:`~lookalike.errors.UsageError` where this installation would give other scores."""
        now = scored_by(self.preset, self.method, self.options)
        for name in sorted({*now, *self.scored_by}):
            then = self.scored_by.get(name)
            if then != now.get(name):
                where = f"{printable(self.source)}: " if self.source else ""
                raise UsageError(
                    f"{where}the calibration was made with {printable(then or f'no {name}')}, "
                    f"and here is {now.get(name, 'none')}",
                    remedy="fit it anew with lookalike calibrate",
                )


def scored_by(
    preset: Preset | None, method: str | None, options: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, str]:
    """What takes part in a score → its version: the rule, the fusion, and each method's key.

    A method's key changes with its version, its arguments and, of the embedding, with the sha256 of the model file.

    Raises:
        ModelError: a model file is not there, or is damaged.

    >>> scored_by(None, "phash")["phash"][:8]
    'phash/1/'
    """
    if preset is None:
        return {str(method): shared_method(str(method), (options or {}).get(str(method), {})).key}
    keys = {name: shared_method(name, preset.options.get(name, {})).key for name in methods_of(preset)}
    fusion = {"fusion": _digest((preset.fusion or shipped()).to_dict())} if preset.rule == "auto" else {}
    return {"rule": f"{preset.rule}/{RULE_VERSIONS[preset.rule]}", **fusion, **keys}


def _digest(fusion: Mapping[str, Any]) -> str:
    """What tells one fusion from another; how it was made makes no difference."""
    numbers = {name: value for name, value in fusion.items() if name != "about"}
    return f"fusion/{hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:12]}"


def _preset_to_dict(preset: Preset) -> dict[str, Any]:
    return {
        "preset": preset.name,
        "about": preset.about,
        "rule": preset.rule,
        "weights": dict(preset.weights),
        "thresholds": dict(preset.thresholds),
        "options": {name: dict(given) for name, given in preset.options.items()},
    }
