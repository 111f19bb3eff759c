"""The default preset's rule: a score that means what the verdict bands say.

1. The same bytes or the same pixels: 1.0, and nothing else is computed.
2. Whole frames are laid on each other in all eight flips and turns, with margins and without. Where they agree, it is
   a copy: 0.90 and more, the higher the closer.
3. Otherwise the embedding says how alike the things shown are. Where it leaves room for a copy, one picture is searched
   in the other, by its pixels and then by keypoints, and the aligned pictures are looked at: crops, shifts and small
   turns are copies too.
4. A copy whose colours differ unevenly is the same product in another colour: 0.80 to 0.90.
   Where only the part that the matching points span agrees, it is one object photographed twice: likewise.
5. No copy: embedding and colours, mapped so that another category stays below 0.65 and nothing exceeds 0.89.

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
from lookalike.scoring.terms import term
from lookalike.types import Transform

if TYPE_CHECKING:
    import numpy.typing as npt

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

GREYISH = 8.0
"""Mean saturation, of 255, below which a picture has no colour to speak of."""

COVERED = 0.28
"""Correlation of whole frames from which parts of them are looked for that are equal, and others covered."""

KIN_COSINE = 0.6
"""Embedding cosine from which a crop that was also turned is looked for, however little the frames agree."""

LEAST_COPY, BEST_COPY = 0.90, 0.995
"""Scores of the faintest and the closest copy that is not identical."""

KINDRED: tuple[tuple[float, float], ...] = (
    (0.0, 0.0),
    (0.35, 0.30),
    (0.60, 0.55),
    (0.73, 0.65),
    (0.86, 0.80),
    (1.0, 0.89),
)
"""Mix of embedding cosine and colours → score of pictures that are no copies: the knots of a broken line."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule found: the score in [0, 1], and whatever it can say about it."""

    score: float
    reasons: tuple[str, ...] = ()
    transform: Transform | None = None


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


def auto(pair: Pair, thresholds: Mapping[str, float], weights: Mapping[str, float]) -> Outcome:
    """Score ``pair``; see the module's text for the steps and :mod:`lookalike.scoring.presets` for the numbers."""
    seen = at_sight(pair, thresholds)
    return seen.outcome or on_reflection(pair, seen, thresholds, weights)


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
        return Sight(Outcome(1.0, ("the same pixels in another file",)))
    certainty = _frame_certainty(pair, frame, thresholds)
    if certainty >= 1:
        return Sight(_copy(pair, _colours_clear(pair, frame, thresholds), 1.0, 0.0, thresholds))
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
        copy = _copy(pair, found, 1.0, 0.0, thresholds)
        if copy.score >= LEAST_COPY:
            return Sight(copy, 1.0, found, frame)
    return Sight(None, certainty, found, frame)


def on_reflection(pair: Pair, seen: Sight, thresholds: Mapping[str, float], weights: Mapping[str, float]) -> Outcome:
    """The steps that follow where a look did not settle it: what the pictures show, and keypoints."""
    certainty, found = seen.certainty, seen.found
    kindred = _kindred(pair, weights)
    if certainty < 1 and pair.details["cosine"] >= thresholds["hopeless"]:
        # A page and the picture on it are little alike to the embedding; what is much alike is about as large.
        inside = pair.details["cosine"] < KIN_COSINE
        tries = _orientations(pair, seen.frame or whole_frame(pair), thresholds)
        aligned = by_keypoints(pair, tries, int(thresholds["inliers"]), inside=inside)
        if aligned is not None:
            sure = _aligned_certainty(aligned, thresholds)
            if sure > 0 and sure >= certainty:
                certainty, found = sure, aligned
            elif found is None and (same := _same_object(pair, aligned, thresholds)) > 0:
                score = kindred + same * max(0.0, SAME_OBJECT - kindred)
                return Outcome(score, _why_object(score, aligned), transform_of(pair, aligned))
    if found is None:
        return Outcome(kindred, _why_alike(kindred))
    return _copy(pair, found, certainty, kindred, thresholds)


def _covered(pair: Pair, frame: Geometry, thresholds: Mapping[str, float]) -> tuple[float, Geometry]:
    """How sure it is that whole frames are equal but for what covers one of them; closeness is the share of equals."""
    windows, pixels = equal_parts(pair, frame)
    pair.details.update(equal_windows=windows, equal_pixels=pixels)
    certainty = min(
        _ramp(windows, thresholds["equal_windows_doubt"], thresholds["equal_windows"]),
        _ramp(pixels, thresholds["equal_pixels_doubt"], thresholds["equal_pixels"]),
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
        return Outcome(1.0, (_why_same(pair),))
    pair.prepare("look", "tint")
    if not np.array_equal(*pair.features("look")):
        return None  # other pixels, and nobody need decode them all to know; but see _may_be_equal
    if pair.similarity("exact") < 1:
        return None
    return Outcome(1.0, ("the same pixels in another file",))


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


def _copy(pair: Pair, found: Geometry, certainty: float, kindred: float, thresholds: Mapping[str, float]) -> Outcome:
    cover = min(found.overlap, found.overlap_other)
    floor = thresholds["frame" if found.alignment is None else "aligned" if found.inliers else "registered"]
    close = _ramp(found.correlation, floor, 1.0) * (0.5 + 0.5 * cover)
    copy = LEAST_COPY + (BEST_COPY - LEAST_COPY) * close
    recoloured = _ramp(found.tint, thresholds["tint_doubt"], thresholds["tint"])
    copy += recoloured * (RECOLOURED - copy)
    score = max(kindred, certainty * copy + (1 - certainty) * kindred)
    transform = transform_of(pair, found)
    return Outcome(score, _why_copy(score, transform, found, recoloured), transform)


def _kindred(pair: Pair, weights: Mapping[str, float]) -> float:
    """How alike the things shown are, for pictures that are no copies."""
    pair.prepare("embedding", "bhattacharyya")
    term(pair, "cosine")  # the next steps need it, whatever the weights are
    mixed = sum(weight * _evidence(pair, name) for name, weight in weights.items() if weight) / sum(weights.values())
    return float(np.interp(mixed, [x for x, _ in KINDRED], [y for _, y in KINDRED]))


def _evidence(pair: Pair, name: str) -> float:
    """A term of the mix. Hue and saturation say nothing of pictures without colour: there the greys are asked too."""
    value = term(pair, name)
    if name == "bhattacharyya" and max(map(_saturation, pair.features(name))) < GREYISH:
        value = min(value, pair.similarity("grey"))
    return value


def _saturation(histogram: npt.NDArray[np.float32]) -> float:
    """Mean saturation (0 to 255) of a histogram of hue × saturation."""
    by_saturation = histogram.sum(axis=0)
    return float(by_saturation @ np.arange(len(by_saturation)) / max(float(by_saturation.sum()), 1e-9))


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


def _why_alike(score: float) -> tuple[str, ...]:
    if score >= 0.80:
        return ("the same kind of thing in the same colours", "no alignment found")
    if score >= 0.65:
        return ("the same kind of thing", "no alignment found")
    return ()
