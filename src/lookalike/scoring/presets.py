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

from lookalike.errors import SourceNotFound, UnknownPreset, UsageError
from lookalike.scoring.terms import check_term

RULES = ("weighted", "early", "layered", "auto")


@dataclass(frozen=True, slots=True)
class Preset:
    """One way to make a score.

    Attributes:
        name: what it is called.
        about: one line for people.
        rule: ``weighted`` mixes all weights; ``early`` stops at ``fast`` where that reaches ``enough``, else mixes;
            ``layered`` adds keypoints only where ``fast`` and ``embedding`` disagree; ``auto`` is the default preset's
            own rule (:mod:`lookalike.scoring.auto`).
        weights: term → weight; the mix is divided by their sum.
        thresholds: name → number, see the rule.
        options: arguments for methods by name.
    """

    name: str
    about: str
    rule: str
    weights: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def changed(
        self, weights: Mapping[str, float] | None = None, thresholds: Mapping[str, float] | None = None
    ) -> Preset:
        """The preset with some weights and thresholds replaced.

        Raises:
            UsageError: a weight for something unknown, a threshold the preset does not have, or a number out of range.
        """
        for name in weights or {}:
            check_term(name, set(PRESETS))
        for name in thresholds or {}:
            if name not in self.thresholds:
                has = ", ".join(self.thresholds) or "none"
                raise UsageError(f"preset {self.name!r} has no threshold {name!r}", remedy=f"it has: {has}")
        made = replace(
            self, weights={**self.weights, **(weights or {})}, thresholds={**self.thresholds, **(thresholds or {})}
        )
        if any(not 0 <= weight < float("inf") for weight in made.weights.values()):
            raise UsageError("weights must be 0 or more")
        if made.weights and sum(made.weights.values()) == 0:
            raise UsageError(f"all weights of preset {self.name!r} are 0")
        return made


AUTO_THRESHOLDS: dict[str, float] = {
    # geometry: correlation at which a copy is certain, and where the doubt begins
    "frame": 0.76,
    "frame_doubt": 0.68,
    "fine": 0.52,
    "fine_doubt": 0.40,
    "aligned": 0.58,
    "aligned_doubt": 0.50,
    "part": 0.72,
    "part_doubt": 0.60,
    "inliers": 16,
    "inliers_doubt": 9,
    # recolouring, in units of Lab: see features/tint.py
    "tint": 8.0,
    "tint_doubt": 5.5,
    # embedding cosine below which no copy is looked for
    "hopeless": 0.40,
    # embedding cosine from which a mirrored crop is looked for, frame correlation from which a turned one is
    "mirror": 0.75,
    "turn": 0.30,
}

_TABLE = (
    Preset("fast", "0.6·pHash + 0.4·SSIM; quick, whole frames only", "weighted", {"phash": 0.6, "ssim": 0.4}),
    Preset(
        "semantic",
        "fast where that is sure, else half of it the embedding",
        "early",
        {"fast": 0.5, "embedding": 0.5},
        {"enough": 0.9},
    ),
    Preset(
        "robust",
        "fast where that is sure, else with embedding and ORB keypoints",
        "early",
        {"fast": 0.4, "embedding": 0.4, "keypoints": 0.2},
        {"enough": 0.9},
    ),
    Preset(
        "layered",
        "like semantic; like robust where hashes and embedding disagree",
        "layered",
        {"fast": 0.4, "embedding": 0.4, "keypoints": 0.2},
        {"enough": 0.9, "disagree": 0.25},
    ),
    Preset(
        "hybrid",
        "0.3·HSV correlation + 0.2·SSIM + 0.5·cosine",
        "weighted",
        {"hsv": 0.3, "ssim": 0.2, "cosine": 0.5},
    ),
    Preset("style", "garments: cut and layout before colour", "weighted", {"style": 1.0}),
    Preset(
        "medical",
        "half SSIM at full depth, half embedding",
        "weighted",
        {"ssim16": 0.5, "embedding": 0.5},
    ),
    Preset(
        "auto",
        "the default: everything as evidence, cheap first; its score means what the verdict says",
        "auto",
        {"cosine": 0.75, "bhattacharyya": 0.25},
        AUTO_THRESHOLDS,
    ),
)
PRESETS: dict[str, Preset] = {preset.name: preset for preset in _TABLE}
"""Every built-in preset by name."""


def preset(name: str | Preset, extra: Mapping[str, Preset] | None = None) -> Preset:
    """The preset called ``name``, built in or one of ``extra``.

    Raises:
        UnknownPreset: no such name; the message lists near ones.

    >>> preset("fast").weights
    {'phash': 0.6, 'ssim': 0.4}
    """
    if isinstance(name, Preset):
        return name
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
        UsageError: not TOML, or something in it that no preset has.
    """
    name = str(path)
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SourceNotFound("there is no such file", source=name, remedy="check the path") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{name} cannot be read as TOML: {error}") from error
    tables = document.get("preset")
    if not isinstance(tables, dict) or not tables or not all(isinstance(table, dict) for table in tables.values()):
        raise UsageError(f"{name} defines no preset", remedy="begin one with [preset.NAME]")
    return {key: _from_table(key, table, name) for key, table in tables.items()}


def _from_table(name: str, table: dict[str, Any], file: str) -> Preset:
    where = f"{file}, preset {name!r}"
    unknown = set(table) - {"about", "base", "rule", "weights", "thresholds", "options"}
    if unknown:
        raise UsageError(f"{where}: unknown key {sorted(unknown)[0]!r}")
    for key in ("weights", "thresholds"):
        numbers = table.get(key, {})
        if not isinstance(numbers, dict) or not all(_is_number(value) for value in numbers.values()):
            raise UsageError(f"{where}: {key} must be a table of numbers")
    base = preset(table["base"]) if "base" in table else None
    rule = table.get("rule", base.rule if base else "weighted")
    if rule not in RULES:
        raise UsageError(f"{where}: unknown rule {rule!r}", remedy=f"one of: {', '.join(RULES)}")
    start = base or next((each for each in _TABLE if each.rule == rule), PRESETS["fast"])
    made = replace(
        start,
        name=name,
        about=table.get("about", f"defined in {file}"),
        rule=rule,
        weights=start.weights if "weights" not in table else {},
        options=table.get("options", start.options),
    )
    return made.changed(table.get("weights"), table.get("thresholds"))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def possible_parts(chosen: Preset) -> list[str]:
    """Names of all similarities that a preset may compute, for the columns of a table."""
    if chosen.rule == "auto":
        return ["exact", "look", "tint", "embedding", "bhattacharyya", "xfeat"]
    names: list[str] = []
    for name in [*chosen.weights, *(["fast"] if chosen.rule != "weighted" else [])]:
        if name in PRESETS and name != "style":
            names += [name, *possible_parts(PRESETS[name])]
        else:
            names.append({"cosine": "embedding", "ssim16": "ssim16"}.get(name, name))
    return list(dict.fromkeys(names))
