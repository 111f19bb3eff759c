"""The default preset's rule: a score that means what the verdict bands say.

1. The same bytes or the same pixels: 1.0, and nothing else is computed.
2. Whole frames are laid on each other in all eight flips and turns, with margins and without. Where they agree, it is
   a copy: 0.90 and more, the higher the closer.
3. Otherwise the embedding says how alike the things shown are. Where it leaves room for a copy, one picture is searched
   in the other, by its pixels and then by keypoints, and the aligned pictures are looked at: crops, shifts and small
   turns are copies too.
4. A copy whose colours differ unevenly is the same product in another colour: 0.80 to 0.90.
   Where only the part that the matching points span agrees, it is one object photographed twice: likewise.
5. No copy: embedding, colours and the points of one object in both, weighed as labelled pairs taught
   (:mod:`lookalike.scoring.fusion`): nothing exceeds 0.89.

Every step is monotone in its evidence, and none depends on the order of the two pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lookalike.scoring.geometry import (
    Geometry,
    by_keypoints,
    by_registration,
    equal_parts,
    fine_correlation,
    is_small,
    transform_of,
    whole_frame,
)
from lookalike.scoring.kinship import kinship
from lookalike.scoring.terms import term
from lookalike.types import Transform

if TYPE_CHECKING:
    from lookalike.scoring.fusion import Answer, Fusion
    from lookalike.scoring.pair import Pair

RECOLOURED = 0.86
"""Score of a copy in other colours: the same product."""

SAME_OBJECT = 0.86
"""Score of one object in two photos, for certain."""

LEAST_PART = 0.06
"""Share of a picture that one object must span: logos, hands and shoes are the same in many pictures."""

ALL_BUT_EQUAL = 0.985
"""Correlation of whole frames from which equal pixels are looked for in two formats."""

OBJECT_COSINES = (0.40, 0.50)
"""Embedding cosines between which one object in two pictures becomes believable."""

COVERED = 0.28
"""Correlation of whole frames from which parts of them are looked for that are equal, and others covered."""

BY_THUMBNAIL = 0.13
"""What is taken off the share of equal pixels where thumbnails are all there is: two models of one device have up to
0.58 of them equal there, and up to 0.43 where they are seen larger; copies under text have as many either way."""

KIN_COSINE = 0.6
"""Embedding cosine from which a crop that was also turned is looked for, however little the frames agree."""

LEAST_POINTS, MUCH_COLOUR, MUCH_KIND = 20, 0.8, 0.6
"""Agreeing points, likeness of colours and embedding cosine from which they are worth a word."""

LIKELY_COPY, LIKELY_OBJECT = 0.99, 0.97
"""Probability that a copy, and one object in two photos, are the same product: two products may share a picture."""

LEAST_COPY, BEST_COPY = 0.90, 0.995
"""Scores of the faintest and the closest copy that is not identical."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule found: the score in [0, 1], and whatever it can say about it.

    ``probability`` is that of the same product; None where the rule knows of none.
    """

    score: float
    reasons: tuple[str, ...] = ()
    transform: Transform | None = None
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look at two pictures tells, before anything is computed that says what they show.

    Attributes:
        outcome: the final score, where the look is sure.
        certainty: how sure it is that one is a copy of the other, 0 to 1.
        found: how one would lie on the other; None where nothing speaks for it.
        frame: the best way to lay the whole frames on each other; None for identical pictures, and where a hint was
            followed.
    """

    outcome: Outcome | None
    certainty: float = 1.0
    found: Geometry | None = None
    frame: Geometry | None = None


def auto(pair: Pair, thresholds: Mapping[str, float], fusion: Fusion) -> Outcome:
    """Score ``pair``; see the module's text for the steps and :mod:`lookalike.scoring.presets` for the numbers."""
    seen = at_sight(pair, thresholds)
    return seen.outcome or on_reflection(pair, seen, thresholds, fusion)


def at_sight(pair: Pair, thresholds: Mapping[str, float]) -> Sight:
    """The first steps: equal pixels, whole frames, registration. They settle copies, and nothing else.

    A threshold that no correlation can miss (``fine`` under -1) or reach (``registered_doubt`` of 1 and more) leaves
    that step out.
    """
    same = _identical(pair)
    if same is not None:
        return Sight(same)
    if pair.hint is not None:
        return _at_hint(pair, thresholds)
    frame = whole_frame(pair, thresholds["frame_doubt"])
    if frame.correlation > ALL_BUT_EQUAL and _may_be_equal(pair) and pair.similarity("exact") == 1:
        return Sight(Outcome(1.0, ("the same pixels in another file",), None, 1.0))
    certainty = _frame_certainty(pair, frame, thresholds)
    if certainty >= 1:
        return Sight(_copy(pair, _colours_clear(pair, frame, thresholds), 1.0, None, thresholds))
    found = frame if certainty > 0 else None
    if thresholds["registered_doubt"] < 1 and pair.search:
        tries = _laid(frame, thresholds)
        registered = by_registration(pair, tries, thresholds["registered"], thresholds["registered_doubt"])
        sure = _registered_certainty(registered, thresholds)
        if sure > certainty:
            certainty, found = sure, registered
    if certainty < 1 and frame.correlation >= COVERED and thresholds["fine"] >= -1:
        covered = _covered(pair, frame, thresholds)
        if covered[0] > certainty:
            certainty, found = covered
    return _settled(pair, certainty, found, frame, thresholds)


def _at_hint(pair: Pair, thresholds: Mapping[str, float]) -> Sight:
    """Where there is a hint at how one lies on the other, only that is looked at."""
    found = by_registration(pair, (), thresholds["registered"], thresholds["registered_doubt"], pair.hint)
    return _settled(pair, _registered_certainty(found, thresholds), found, None, thresholds)


def _settled(
    pair: Pair, certainty: float, found: Geometry | None, frame: Geometry | None, thresholds: Mapping[str, float]
) -> Sight:
    """What is known by now; final where it is a copy for certain, for no embedding gives more than 0.89."""
    if found is not None and certainty >= 1:
        copy = _copy(pair, found, 1.0, None, thresholds)
        if copy.score >= LEAST_COPY:
            return Sight(copy, 1.0, found, frame)
    return Sight(None, certainty, found, frame)


def on_reflection(pair: Pair, seen: Sight, thresholds: Mapping[str, float], fusion: Fusion) -> Outcome:
    """The steps that follow where a look did not settle it: keypoints, and what the pictures show."""
    certainty, found, same, aligned = seen.certainty, seen.found, 0.0, None
    cosine = term(pair, "cosine")
    if certainty < 1 and cosine >= thresholds["hopeless"]:
        # A page and the picture on it are little alike to the embedding; what is much alike is about as large.
        inside = cosine < KIN_COSINE
        tries = _orientations(pair, seen.frame or whole_frame(pair), thresholds)
        aligned = by_keypoints(pair, tries, int(thresholds["inliers"]), inside=inside)
        if aligned is not None:
            sure = _aligned_certainty(aligned, thresholds)
            if sure > 0 and sure >= certainty:
                certainty, found = sure, aligned
            elif found is None:
                same = _same_object(pair, aligned, thresholds)
    # Whether one object is in both matters only where neither is a copy.
    kin = kinship(pair, fusion, thresholds["kin"], closely=found is None and pair.closely)
    if found is not None:
        return _copy(pair, found, certainty, kin, thresholds)
    if aligned is not None and same > 0:
        score = kin.score + same * max(0.0, SAME_OBJECT - kin.score)
        likely = kin.probability + same * max(0.0, LIKELY_OBJECT - kin.probability)
        return Outcome(score, _why_object(score, aligned), transform_of(pair, aligned), likely)
    return Outcome(kin.score, _why_alike(pair, kin), None, kin.probability)


def _covered(pair: Pair, frame: Geometry, thresholds: Mapping[str, float]) -> tuple[float, Geometry]:
    """How sure it is that whole frames are equal but for what covers one of them; closeness is the share of equals."""
    windows, pixels = equal_parts(pair, frame)
    pair.details.update(equal_windows=windows, equal_pixels=pixels)
    certainty = min(
        _ramp(windows, thresholds["equal_windows_doubt"], thresholds["equal_windows"]),
        _ramp(pixels - BY_THUMBNAIL * is_small(pair), thresholds["equal_pixels_doubt"], thresholds["equal_pixels"]),
    )
    if certainty == 0:
        return 0.0, frame
    frame = whole_frame(pair)
    # what covers it changes colours as well: they count only where they are certain to be another product's
    tint = frame.tint if frame.tint > thresholds["tint"] else min(frame.tint, thresholds["tint_doubt"])
    return certainty, replace(frame, correlation=max(frame.correlation, pixels), tint=tint)


def _identical(pair: Pair) -> Outcome | None:
    if pair.first.digest == pair.second.digest:
        pair.similarities["exact"] = 1.0
        return Outcome(1.0, (_why_same(pair),), None, 1.0)
    pair.prepare("look", "tint")
    if not np.array_equal(*pair.features("look")):
        return None  # other pixels, and nobody need decode them all to know; but see _may_be_equal
    if pair.similarity("exact") < 1:
        return None
    return Outcome(1.0, ("the same pixels in another file",), None, 1.0)


def _may_be_equal(pair: Pair) -> bool:
    """Whether equal pixels may have looked unequal: a large JPEG is looked at reduced, its PNG is not."""
    jpegs = sum(picture.format == "JPEG" for picture in (pair.first, pair.second))
    return jpegs == 1 and pair.first.original_size == pair.second.original_size


def _colours_clear(pair: Pair, frame: Geometry, thresholds: Mapping[str, float]) -> Geometry:
    """The frame; where it lies a little off and colours seem to differ, what registration makes of it instead."""
    if frame.tint <= thresholds["tint_doubt"] or frame.correlation > 0.92:
        return frame
    exact = by_registration(pair, (frame.orientation,), thresholds["registered"])
    sure = exact is not None and exact.correlation >= thresholds["registered"] and exact.tint < frame.tint
    return exact if exact is not None and sure else frame


def _why_same(pair: Pair) -> str:
    return "the same pixels" if pair.first.format in {"array", "image"} else "the same file"


def _frame_certainty(pair: Pair, frame: Geometry, thresholds: Mapping[str, float]) -> float:
    coarse = _ramp(frame.correlation, thresholds["frame_doubt"], thresholds["frame"])
    if coarse == 0 or thresholds["fine"] < -1 or is_small(pair):
        return coarse
    fine = fine_correlation(pair, frame)
    pair.details["fine_correlation"] = fine
    return min(coarse, _ramp(fine, thresholds["fine_doubt"], thresholds["fine"]))


def _registered_certainty(found: Geometry | None, thresholds: Mapping[str, float]) -> float:
    if found is None:
        return 0.0
    return min(
        _ramp(found.correlation, thresholds["registered_doubt"], thresholds["registered"]),
        _ramp(found.levels, thresholds["levels_doubt"], thresholds["levels"]),
    )


def _aligned_certainty(found: Geometry, thresholds: Mapping[str, float]) -> float:
    return min(
        _ramp(found.correlation, thresholds["aligned_doubt"], thresholds["aligned"]),
        _ramp(found.inliers, thresholds["inliers_doubt"], thresholds["inliers"]),
        _ramp(found.levels, thresholds["levels_doubt"], thresholds["levels"]),
    )


def _same_object(pair: Pair, found: Geometry, thresholds: Mapping[str, float]) -> float:
    """How sure it is that one object was photographed twice: the part that the points span agrees, all else may not."""
    if found.alignment is None:
        return 0.0
    return min(
        _ramp(found.alignment.part_correlation, thresholds["part_doubt"], thresholds["part"]),
        _ramp(found.alignment.part_share, LEAST_PART / 2, LEAST_PART),
        _ramp(found.inliers, thresholds["inliers_doubt"], thresholds["inliers"]),
        _ramp(pair.details["cosine"], *OBJECT_COSINES),
    )


def _laid(frame: Geometry, thresholds: Mapping[str, float]) -> tuple[int, ...]:
    """As it is, the way the whole frames agreed best, where they did, and mirrored."""
    best = (frame.orientation,) if frame.correlation >= thresholds["turn"] else ()
    return tuple(dict.fromkeys((0, *best, 4)))


def _orientations(pair: Pair, frame: Geometry, thresholds: Mapping[str, float]) -> tuple[int, ...]:
    """As it is; the way the whole frames agreed best, where they did; mirrored, which embeddings hardly notice."""
    tries = [0]
    if frame.correlation >= thresholds["turn"] or pair.details["cosine"] >= KIN_COSINE:
        tries.append(frame.orientation)
    if pair.details["cosine"] >= thresholds["mirror"]:
        tries.append(4)
    return tuple(dict.fromkeys(tries))


def _copy(
    pair: Pair, found: Geometry, certainty: float, kin: Answer | None, thresholds: Mapping[str, float]
) -> Outcome:
    """The score of a copy as far as it is certain to be one, and of its kin for the rest."""
    cover = min(found.overlap, found.overlap_other)
    floor = thresholds["frame" if found.alignment is None else "aligned" if found.inliers else "registered"]
    close = _ramp(found.correlation, floor, 1.0) * (0.5 + 0.5 * cover)
    copy = LEAST_COPY + (BEST_COPY - LEAST_COPY) * close
    recoloured = _ramp(found.tint, thresholds["tint_doubt"], thresholds["tint"])
    copy += recoloured * (RECOLOURED - copy)
    score, likely = copy, LIKELY_COPY
    if kin is not None:
        score = max(kin.score, certainty * copy + (1 - certainty) * kin.score)
        likely = max(kin.probability, certainty * LIKELY_COPY + (1 - certainty) * kin.probability)
    transform = transform_of(pair, found)
    return Outcome(score, _why_copy(score, transform, found, recoloured), transform, likely)


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to ``low``, 1 from ``high``, straight between; a step where they are one."""
    if high <= low:
        return float(value >= high)
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _why_copy(score: float, transform: Transform, found: Geometry, recoloured: float) -> tuple[str, ...]:
    reasons = [phrase for phrase in str(transform).split(", ") if phrase]
    if score < 0.80:
        return ("perhaps a part of it", f"{found.inliers} matching points") if found.inliers else ("agreeing in part",)
    if recoloured > 0 and score < LEAST_COPY:
        reasons.insert(0, "the same shot in other colours")
    if found.margins:
        reasons.append("margins aside")
    return tuple(reasons) or ("the whole pictures agree",)


def _why_object(score: float, found: Geometry) -> tuple[str, ...]:
    what = "the same object in another picture" if score >= 0.80 else "perhaps the same object in another picture"
    return (what, f"{found.inliers} matching points")


def _why_alike(pair: Pair, kin: Answer) -> tuple[str, ...]:
    """In words what is alike, the most telling first; nothing where it is not even the same kind of thing."""
    if kin.score < 0.65:
        return ()
    points = pair.details.get("agreeing_points", 0)
    words = [f"{round(points)} points of one object"] if points >= LEAST_POINTS else []
    if pair.details["cosine"] >= MUCH_KIND:
        words.append("the same kind of thing")
    if pair.similarities["palette"] >= MUCH_COLOUR:
        words.append("the same colours")
    return (*words, "no alignment found")
