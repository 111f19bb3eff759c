"""What a formula may be made of: the names that stand for a number in presets, and how each is had from a pair."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING

from lookalike.errors import UsageError
from lookalike.features.base import REGISTRY

if TYPE_CHECKING:
    from lookalike.scoring.pair import Pair


def _cosine(pair: Pair) -> float:
    cosine = pair.raw("embedding")
    pair.details["cosine"] = cosine
    return cosine


def _good_orb_matches(pair: Pair) -> float:
    from lookalike.features.keypoints import ORB, PUBLISHED_FULL

    orb = pair.method("orb")
    assert isinstance(orb, ORB)
    if "keypoints" not in pair.similarities:
        good = orb.good_matches(*pair.features("orb"))
        pair.details["good_orb_matches"] = good
        pair.similarities["keypoints"] = min(1.0, good / PUBLISHED_FULL)
    return pair.similarities["keypoints"]


SPECIAL: dict[str, Callable[[Pair], float]] = {
    # these may be below 0, as in the published formulas; the score is cut to [0, 1] at the end
    "ssim": lambda pair: pair.raw("ssim"),
    "ssim16": lambda pair: pair.raw("ssim16"),
    "hsv": lambda pair: pair.raw("hsv"),
    "cosine": _cosine,
    "keypoints": _good_orb_matches,
}
"""Terms that are more than a method's similarity."""


def term(pair: Pair, name: str) -> float:
    """The number that ``name`` stands for: one of :data:`SPECIAL`, else the similarity by the method of that name."""
    return SPECIAL[name](pair) if name in SPECIAL else pair.similarity(name)


def check_term(name: str, known: set[str]) -> None:
    """Raise :class:`~lookalike.errors.UsageError` where ``name`` is neither a term, a method nor one of ``known``."""
    names = {*SPECIAL, *REGISTRY, *known}
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"one of: {', '.join(sorted(names))}"
        raise UsageError(f"a preset cannot weigh {name!r}", remedy=remedy)
