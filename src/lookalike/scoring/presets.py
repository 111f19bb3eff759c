"""Presets are data: a rule, the weights of what it mixes, and the thresholds at which it decides.

The published presets keep their formulas to the letter, whatever one thinks of them. To define one of your own, write
it in a TOML file and name the file (see :func:`read_presets`).
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lookalike.errors import SourceNotFound, UnknownPreset, UsageError, printable
from lookalike.features.base import REGISTRY
from lookalike.scoring.fusion import Fusion
from lookalike.scoring.preset_rules import (
    RULES,
    check_options,
    check_rule,
    check_text,
    check_thresholds,
    check_weights,
    numbers,
)


@dataclass(frozen=True, slots=True)
class Preset:
    """One way to make a score. What a preset cannot hold is refused when it is made.

    Attributes:
        name: what it is called.
        about: one line for people.
        rule: ``weighted`` mixes all weights; ``early`` stops at ``fast`` where that reaches ``enough``, else mixes;
            ``layered`` adds keypoints only where ``fast`` and ``embedding`` disagree; ``auto`` is the default preset's
            own rule (:mod:`lookalike.scoring.auto`).
        weights: term → weight, 0 or more; the mix is divided by their sum.
        thresholds: name → number; those left out are the rule's own, see
            :data:`lookalike.scoring.preset_rules.RULES`.
        options: arguments for methods by name.
        fusion: how the rule ``auto`` weighs evidence of pictures that are no copies; None for the one that ships.

    Raises:
        UsageError: an unknown rule, term, threshold or method, or something that is no number where one must be.

    >>> Preset("half", "stops sooner", "early", {"fast": 1, "embedding": 1}).thresholds
    {'enough': 0.9}
    """

    name: str
    about: str
    rule: str
    weights: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    fusion: Fusion | None = None

    def __post_init__(self) -> None:
        check_text("name", self.name)
        check_text("about", self.about)
        check_rule(self.rule)
        # checked copies: what the caller does to his tables afterwards changes nothing here
        object.__setattr__(self, "weights", check_weights(self.rule, self.weights, PRESETS))
        object.__setattr__(self, "thresholds", check_thresholds(self.rule, self.thresholds))
        object.__setattr__(self, "options", check_options(self.options))
        if self.fusion is not None and self.rule != "auto":
            raise UsageError(f"the rule {self.rule!r} takes weights, not a fusion")

    def changed(
        self, weights: Mapping[str, float] | None = None, thresholds: Mapping[str, float] | None = None
    ) -> Preset:
        """The preset with some weights and thresholds replaced.

        Raises:
            UsageError: a weight for something unknown, a threshold the preset does not have, or a number out of range.

        >>> PRESETS["fast"].changed(weights={"ssim": 0.6}).weights
        {'phash': 0.6, 'ssim': 0.6}
        """
        return replace(
            self,
            weights={**self.weights, **numbers("weights", weights or {})},
            thresholds={**self.thresholds, **numbers("thresholds", thresholds or {})},
        )


PRESETS: dict[str, Preset] = {}
"""Every built-in preset by name."""

_ROWS: tuple[tuple[str, str, str, dict[str, float]], ...] = (
    # name, about, rule, weights; thresholds are those of the rule
    ("fast", "0.6·pHash + 0.4·SSIM; quick, whole frames only", "weighted", {"phash": 0.6, "ssim": 0.4}),
    ("semantic", "fast where that is sure, else half of it the embedding", "early", {"fast": 0.5, "embedding": 0.5}),
    (
        "robust",
        "fast where that is sure, else with embedding and ORB keypoints",
        "early",
        {"fast": 0.4, "embedding": 0.4, "keypoints": 0.2},
    ),
    (
        "layered",
        "like semantic; like robust where hashes and embedding disagree",
        "layered",
        {"fast": 0.4, "embedding": 0.4, "keypoints": 0.2},
    ),
    ("hybrid", "0.3·HSV correlation + 0.2·SSIM + 0.5·cosine", "weighted", {"hsv": 0.3, "ssim": 0.2, "cosine": 0.5}),
    ("style", "garments: cut and layout before colour", "weighted", {"style": 1.0}),
    ("medical", "half SSIM at full depth, half embedding", "weighted", {"ssim16": 0.5, "embedding": 0.5}),
    (
        "auto",
        "the default: everything as evidence, cheap first; its score means what the verdict says",
        "auto",
        {},
    ),
)
for _row in _ROWS:  # one after another: a preset may weigh those before it
    PRESETS[_row[0]] = Preset(*_row)


def preset(name: str | Preset, extra: Mapping[str, Preset] | None = None) -> Preset:
    """The preset called ``name``, built in or one of ``extra``.

    Raises:
        UnknownPreset: no such name; the message lists near ones.
        UsageError: neither a name nor a preset.

    >>> preset("fast").weights
    {'phash': 0.6, 'ssim': 0.4}
    """
    if isinstance(name, Preset):
        return name
    if not isinstance(name, str):
        raise UsageError(f"a preset is given by its name, not as {name!r}", remedy=f"one of: {', '.join(PRESETS)}")
    table = {**PRESETS, **(extra or {})}
    if name not in table:
        near = difflib.get_close_matches(name, table, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(table)}"
        raise UnknownPreset(f"there is no preset called {name!r}", remedy=remedy)
    return table[name]


def read_presets(path: str | Path) -> dict[str, Preset]:
    """Presets from a TOML file.

    ::

        [preset.shoes]
        about = "outline before colour"     # optional
        base = "semantic"                   # optional: what is not said is taken from there
        rule = "weighted"                   # weighted, early, layered or auto
        weights = { phash = 0.2, hsv = 0.3, embedding = 0.5 }
        thresholds = { enough = 0.95 }

        [preset.shoes.options.embedding]    # arguments for a method
        size = 128

    Raises:
        SourceNotFound: no such file.
        UsageError: not TOML, or something in it that no preset has; the message names the file and the preset.
    """
    name = printable(str(path))
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SourceNotFound("there is no such file", source=str(path), remedy="check the path") from error
    except (OSError, ValueError, RecursionError) as error:  # numbers too long, tables too deep
        raise UsageError(f"{name} cannot be read as TOML: {error}") from error
    tables = document.get("preset")
    if not isinstance(tables, dict) or not tables or not all(isinstance(table, dict) for table in tables.values()):
        raise UsageError(f"{name} defines no preset", remedy="begin one with [preset.NAME]")
    made = {}
    for key, table in tables.items():
        try:
            made[key] = _from_table(key, {"about": f"defined in {name}", **table})
        except UsageError as error:
            raise type(error)(f"{name}, preset {key!r}: {error.reason}", remedy=error.remedy) from error
    return made


def _from_table(name: str, table: dict[str, Any]) -> Preset:
    unknown = set(table) - {"about", "base", "rule", "weights", "thresholds", "options"}
    if unknown:
        raise UsageError(f"unknown key {sorted(unknown)[0]!r}")
    base = preset(table["base"]) if "base" in table else None
    rule = check_rule(table.get("rule", base.rule if base else "weighted"))
    start = base or next(each for each in PRESETS.values() if each.rule == rule)
    kept = {key: value for key, value in start.thresholds.items() if key in RULES[rule]}
    return Preset(
        name,
        table["about"],
        rule,
        weights=table.get("weights", {} if rule == "auto" else start.weights),
        thresholds={**kept, **numbers("thresholds", table.get("thresholds", {}))},
        options=table.get("options", start.options),
    )


def possible_parts(chosen: Preset) -> list[str]:
    """Names of all similarities that a preset may compute, for the columns of a table.

    >>> possible_parts(preset("semantic"))
    ['fast', 'phash', 'ssim', 'embedding']
    """
    weighed = [name for name, weight in chosen.weights.items() if weight]
    if chosen.rule == "auto":
        names = ["exact", "look", "embedding", "palette", "xfeat", "object"]
    elif chosen.rule == "layered":
        names = ["fast", "embedding", "keypoints", *weighed]
    elif chosen.rule == "early":
        names = ["fast", *weighed]
    else:
        names = weighed
    parts: list[str] = []
    for name in names:
        if name in PRESETS and name != "style":  # a method of that name does its work
            parts += [name, *possible_parts(PRESETS[name])]
        else:
            parts.append("embedding" if name == "cosine" else name)
    return list(dict.fromkeys(parts))


def methods_of(chosen: Preset) -> list[str]:
    """Names of all methods whose features a preset may need.

    >>> methods_of(preset("semantic"))
    ['embedding', 'phash', 'ssim']
    """
    names = {"keypoints": "orb"}
    parts = [names.get(name, name) for name in possible_parts(chosen)]
    parts += ["exact", "look", "tint"] if chosen.rule == "auto" else []
    return sorted({name for name in parts if name in REGISTRY and (name not in PRESETS or name == "style")})
