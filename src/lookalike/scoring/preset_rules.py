"""The rules that presets choose from, with their thresholds, and what a preset may hold.

The checks are here once, for presets made in Python, changed on the command line or read from a file.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from numbers import Real
from typing import Any

from lookalike.errors import UsageError
from lookalike.features.base import check_method
from lookalike.scoring.terms import check_term

AUTO_THRESHOLDS: dict[str, float] = {
    # geometry: correlation at which a copy is certain, and where the doubt begins
    "frame": 0.86,
    "frame_doubt": 0.76,
    "fine": 0.52,
    "fine_doubt": 0.40,
    "registered": 0.85,
    "registered_doubt": 0.76,
    "levels": 1.04,
    "levels_doubt": 0.96,
    # whole frames of which parts are equal and others covered, as by text: shares of windows, of pixels
    "equal_windows": 0.25,
    "equal_windows_doubt": 0.18,
    "equal_pixels": 0.50,
    "equal_pixels_doubt": 0.42,
    "aligned": 0.68,
    "aligned_doubt": 0.58,
    "part": 0.72,
    "part_doubt": 0.60,
    "inliers": 16,
    "inliers_doubt": 9,
    # recolouring, in units of Lab: see features/tint.py
    "tint": 8.0,
    "tint_doubt": 5.5,
    # embedding cosine below which no copy is looked for
    "hopeless": 0.25,
    # embedding cosine below which one object is not looked for in two photos
    "kin": 0.35,
    # embedding cosine from which a mirrored crop is looked for, frame correlation from which a turned one is
    "mirror": 0.75,
    "turn": 0.30,
}

RULES: dict[str, dict[str, float]] = {
    "weighted": {},
    "early": {"enough": 0.9},
    "layered": {"enough": 0.9, "disagree": 0.25},
    "auto": AUTO_THRESHOLDS,
}
"""Every rule and the thresholds it decides by, where a preset says nothing else."""


def check_rule(rule: object) -> str:
    """The rule; :class:`~lookalike.errors.UsageError` where it is none of :data:`RULES`."""
    if not isinstance(rule, str) or rule not in RULES:
        raise UsageError(f"unknown rule {rule!r}", remedy=f"one of: {', '.join(RULES)}")
    return rule


def check_text(what: str, given: object) -> str:
    """The text, on one line; :class:`~lookalike.errors.UsageError` where it is something else."""
    if not isinstance(given, str) or not given.isprintable():
        raise UsageError(f"{what} must be a line of text, not {given!r}")
    return given


def numbers(what: str, given: object) -> dict[str, float]:
    """A table of finite numbers as plain floats.

    Args:
        what: what the message calls it, such as ``"weights"``.
        given: name → number; NumPy's numbers will do, truth values will not.

    Raises:
        UsageError: no table, a name that is no text, or a value that is no finite number.

    >>> numbers("weights", {"phash": 1})
    {'phash': 1.0}
    """
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise UsageError(f"{what} must be a table of numbers, not {given!r}")
    return {name: _number(what, name, value) for name, value in given.items()}


def _number(what: str, name: str, value: object) -> float:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise UsageError(f"{what} must be a table of numbers, but {name!r} is {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UsageError(f"{what} must be finite numbers, but {name!r} is {number}")
    return number


def check_weights(rule: str, given: object, presets: Collection[str]) -> dict[str, float]:
    """The weights of a preset, 0 or more, for what ``rule`` can mix; ``auto`` mixes nothing by weights.

    Args:
        rule: one of :data:`RULES`.
        given: term → weight.
        presets: names of the presets whose scores may be terms.

    Raises:
        UsageError: something unknown, a weight out of range, or nothing that weighs.
    """
    weights = numbers("weights", given)
    if rule == "auto":
        if weights:
            raise UsageError(
                "the rule 'auto' has no weights: how it weighs was fitted to labelled pairs",
                remedy="fit it to yours with `lookalike calibrate --fit-weights`",
            )
        return {}
    for name, weight in weights.items():
        check_term(name, set(presets))
        if weight < 0:
            raise UsageError(f"weights must be 0 or more, but {name!r} is {weight:g}")
    if not weights:
        raise UsageError("there are no weights", remedy="give one at least, such as phash = 1")
    if rule == "layered" and not weights.keys() >= {"fast", "embedding"}:
        raise UsageError("the rule 'layered' needs weights for 'fast' and 'embedding'")
    # where layered sees no disagreement, it mixes these two alone
    mixed = {name: weights[name] for name in ("fast", "embedding")} if rule == "layered" else weights
    total = sum(mixed.values())
    if total == 0:
        raise UsageError(f"all weights are 0: {', '.join(mixed)}")
    if not math.isfinite(total):
        raise UsageError("the sum of the weights is not finite")
    return weights


def check_thresholds(rule: str, given: object) -> dict[str, float]:
    """All thresholds of ``rule``, those ``given`` over its own.

    Raises:
        UsageError: the rule has no such threshold, or it is no finite number.

    >>> check_thresholds("layered", {"disagree": 0.5})
    {'enough': 0.9, 'disagree': 0.5}
    """
    thresholds = numbers("thresholds", given)
    for name in thresholds:
        if name not in RULES[rule]:
            has = ", ".join(RULES[rule]) or "none"
            raise UsageError(f"the rule {rule!r} has no threshold {name!r}", remedy=f"it has: {has}")
    return {**RULES[rule], **thresholds}


def check_options(given: object) -> dict[str, dict[str, Any]]:
    """Arguments by method; whether a method takes them, :func:`~lookalike.features.base.method` says.

    Raises:
        UsageError: not a table of tables, or no such method.
    """
    if not isinstance(given, Mapping):
        raise UsageError(f"options must be a table for each method, not {given!r}")
    for name, arguments in given.items():
        check_method(name)
        if not isinstance(arguments, Mapping) or not all(isinstance(key, str) for key in arguments):
            raise UsageError(f"options of {name!r} must be a table of arguments, not {arguments!r}")
        for key, value in arguments.items():
            if any(isinstance(each, (Mapping, list)) for each in (value if isinstance(value, list) else [value])):
                raise UsageError(f"option {key!r} of {name!r} must be a value or a list of values, not {value!r}")
    return {name: dict(arguments) for name, arguments in given.items()}
