"""Which picture of several alike to keep, and why."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from lookalike.errors import LookalikeError
from lookalike.results.quality import Quality, measure
from lookalike.results.view import View, Views, views
from lookalike.types import Failure, Grouping, PictureFile

NEAR_DUPLICATE = 0.90
"""Least score of a pair of which one is proposed to go: below, it may be another colour, or another photo."""

_LARGER = 1.2
"""From how many times the side a picture is larger, and not of about the same size."""

_HOLLOW = 0.15
"""New detail (see :meth:`Quality.new_detail`) below which a larger picture is but an enlarged one; less is asked of
one over twice as large, in proportion, as a thumbnail must not win over a soft original.

Of 130 photos and shop pictures 1 in 100 fell below it against copies of 4/5 to 1/4 of their side; of their
enlargements to 2 to 4 times the side 19 in 20 did, to 1.5 times 3 in 4, to 1.25 times few.
"""

_FINER = 1.5
"""Resolution, against the whole picture's, above which a crop is worth more than what was cut off."""

_SHARPER = 3.0
"""Ratio of sharpness that is no matter of compression: on 104 pictures a blur of 0.7 pixels gave 4 and more, a JPEG of
quality 50 or 75 never that much."""

_COARSE = 75
"""JPEG quality below which blocks and ringing can pass for detail where a picture has none."""

_ROUNDED = 0.02
"""Share of pixels by which two programs differ when they resize a picture."""

_SAME_TIME = 2 * 10**9
"""Nanoseconds: memory cards tell two seconds apart, and files copied together are of one age."""

_BETTER_QUALITY = 5
"""Difference of JPEG quality that matters."""


@dataclass(frozen=True, slots=True)
class Other:
    """A picture that is not needed.

    Attributes:
        picture: the file.
        score: how alike it is to the one that is kept, in [0, 1].
        reason: what the kept one has over it: ``"more pixels (1200×1600 instead of 600×800)"``.
    """

    picture: PictureFile
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """Pictures alike, of which one is worth keeping.

    Attributes:
        keep: the one to keep.
        reason: why this one, in words.
        others: the rest, the most alike first; each makes a pair with ``keep``.
    """

    keep: PictureFile
    reason: str
    others: tuple[Other, ...]


@dataclass(frozen=True, slots=True)
class Proposals:
    """What to keep among many pictures.

    Attributes:
        proposals: in the order of the kept paths. No picture is in two of them; what is kept by one goes by none.
        failures: pictures that can no longer be read, which are neither kept for another nor proposed to go.
    """

    proposals: tuple[Proposal, ...]
    failures: tuple[Failure, ...]


def propose(
    grouping: Grouping,
    *,
    least: float = NEAR_DUPLICATE,
    progress: Callable[[int, int], None] | None = None,
) -> Proposals:
    """Propose which pictures to keep, so that every one that goes is alike to one that stays.

    Of pictures alike the best stays: the whole one rather than its crop, unless that shows its part at over 1.5 times
    the resolution; the one without a border, unless the bordered one is larger inside it; the one in colour; the one
    with most pixels, unless these are but enlarged; among those of about the same size the sharper, then the lossless
    one, then the higher JPEG quality, more pixels, the older file, the first path. A chain (a like b, b like c, a
    unlike c) may keep two. A picture pasted into another stays, and so does the other. Pictures of the reference set
    always stay.

    Args:
        grouping: what was found. Pairs across two groups are left alone.
        least: score from which a picture counts as a copy of another, where the threshold of ``grouping`` is lower.
        progress: called with (done, all) after every picture that was looked at.
    """
    alike = _alike(grouping, least)
    pictures = [picture for picture in grouping.pictures if picture.path in alike]
    qualities, failures = _measured(pictures, progress)
    seen = views(
        (pair for pair in grouping.pairs if pair.b in alike.get(pair.a, {})),
        {path: quality.picture for path, quality in qualities.items()},
    )
    proposals: list[Proposal] = []
    for component in _components(alike):
        known = [qualities[path] for path in sorted(component) if path in qualities]
        proposals += _within(known, alike, seen)
    return Proposals(tuple(sorted(proposals, key=lambda one: one.keep.path)), tuple(failures))


def _alike(grouping: Grouping, least: float) -> dict[str, dict[str, float]]:
    """For each picture those of its groups that are its copies, with their scores."""
    groups: dict[str, set[int]] = {}
    for number, group in enumerate(grouping.groups):
        for path in (group.base, *(member.path for member in group.members)):
            groups.setdefault(path, set()).add(number)
    alike: dict[str, dict[str, float]] = {}
    for pair in grouping.pairs:
        if pair.transform is not None and pair.transform.pasted:
            continue  # a page is no copy of a picture on it: neither stands for the other
        if pair.score >= least and not groups.get(pair.a, set()).isdisjoint(groups.get(pair.b, set())):
            alike.setdefault(pair.a, {})[pair.b] = pair.score
            alike.setdefault(pair.b, {})[pair.a] = pair.score
    return alike


def _measured(
    pictures: list[PictureFile], progress: Callable[[int, int], None] | None
) -> tuple[dict[str, Quality], list[Failure]]:
    qualities: dict[str, Quality] = {}
    failures: list[Failure] = []

    def looked_at(picture: PictureFile) -> Quality | Failure:
        try:
            return measure(picture)
        except LookalikeError as error:
            return Failure.of(error)

    with ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="lookalike") as pool:
        for done, (picture, seen) in enumerate(zip(pictures, pool.map(looked_at, pictures), strict=True), 1):
            if isinstance(seen, Quality):
                qualities[picture.path] = seen
            else:
                failures.append(seen)
            if progress is not None:
                progress(done, len(pictures))
    return qualities, failures


def _components(alike: Mapping[str, Iterable[str]]) -> Iterator[set[str]]:
    seen: set[str] = set()
    for start in sorted(alike):
        if start not in seen:
            component, waiting = {start}, [start]
            while waiting:
                new = set(alike[waiting.pop()]) - component
                component |= new
                waiting += new
            seen |= component
            yield component


def _within(known: list[Quality], alike: Mapping[str, Mapping[str, float]], seen: Views) -> Iterator[Proposal]:
    kept = [one for one in known if one.picture.reference]
    undecided = [one for one in known if not one.picture.reference]
    following: dict[str, list[tuple[float, Quality]]] = {one.picture.path: [] for one in kept}
    while undecided:
        if kept:
            stays = []
            for one in undecided:
                scores = [(alike[one.picture.path].get(best.picture.path, -1.0), best.picture.path) for best in kept]
                score, path = max(scores, key=lambda scored: scored[0])  # the first of equals, as kept is in order
                if score < 0:
                    stays.append(one)
                else:
                    following[path].append((score, one))
            undecided = stays
        if undecided:
            best = _best(undecided, seen)
            undecided.remove(best)
            kept = [best]
            following[best.picture.path] = []
    by_path = {one.picture.path: one for one in known}
    for path, others in following.items():
        if others:
            yield _proposal(by_path[path], sorted(others, key=lambda other: (-other[0], other[1].picture.path)), seen)


def _proposal(keep: Quality, others: list[tuple[float, Quality]], seen: Views) -> Proposal:
    said = [(score, other, why(keep, other, seen)) for score, other in others]
    kinds = {kind: phrase for _, _, (kind, phrase) in reversed(said)}  # of each kind the one about the most alike
    reasons = [kinds[kind] for kind in dict.fromkeys(kind for _, _, (kind, _) in said)]
    return Proposal(
        keep.picture,
        ", ".join(reasons[:3]),
        tuple(Other(other.picture, score, phrase) for score, other, (_, phrase) in said),
    )


def _best(qualities: list[Quality], seen: Views) -> Quality:
    """The largest, unless a smaller one beats it, and so on down: in an order of their own, whatever came first."""
    first, *rest = sorted(qualities, key=lambda one: (-one.pixels, one.picture.path))
    for other in rest:
        if _verdict(other, first, seen) is not None:
            first = other
    return first


def why(keep: Quality, other: Quality, seen: Views) -> tuple[str, str]:
    """What the first has over the second: a kind, and a phrase for people."""
    return _verdict(keep, other, seen) or ("another", "the one that stays is better than others that are like both")


def _verdict(one: Quality, other: Quality, seen: Views) -> tuple[str, str] | None:
    """Why ``one`` is better than ``other``; None where it is not."""
    if one.picture.reference != other.picture.reference:
        return ("reference", "it belongs to the reference set") if one.picture.reference else None
    view = seen.get(frozenset((one.picture.path, other.picture.path)))
    if view is not None:
        whole, part = (one, other) if one.picture.path == view.outer else (other, one)
        best, kind, phrase = _better_view(whole, part, view)
        return (kind, phrase) if best is one else None
    for kind, balance, phrase in _comparisons(one, other):
        if balance:
            return (kind, phrase) if balance > 0 else None
    return None


def _better_view(whole: Quality, part: Quality, view: View) -> tuple[Quality, str, str]:
    """The better of a picture and what lies in it, in what way, and how that is said."""
    share = f"{round(100 * view.share)} %"
    if not view.border:
        if view.finer > _FINER and not _enlarged(part, view.finer):
            phrase = f"finer ({view.finer:.1f} times the resolution, though cropped to about {share} of the other)"
            return part, "finer", phrase
        return whole, "whole", f"the whole picture (the other is cropped to about {share})"
    larger = 1 / view.finer
    if larger <= 1 + _ROUNDED:
        return part, "border", f"without a border (it fills about {share} of the other)"
    if larger >= _LARGER and _enlarged(whole, larger):
        return part, "border", "without a border, and not enlarged"
    return whole, "finer", f"finer ({larger:.1f} times the resolution, though with a border)"


def _comparisons(one: Quality, other: Quality) -> Iterator[tuple[str, float, str]]:
    """What is compared, in the order of weight: its kind, which way it tips, and how that is said of ``one``."""
    yield "colour", one.coloured - other.coloured, "in colour (the other is grey)"
    sizes = f"{one.picture.width}×{one.picture.height} instead of {other.picture.width}×{other.picture.height}"
    factor = (one.pixels / other.pixels) ** 0.5
    if factor >= _LARGER:
        yield "pixels", -1 if _enlarged(one, factor) else 1, f"more pixels ({sizes})"
    elif factor <= 1 / _LARGER:
        enlarged = _enlarged(other, 1 / factor)
        yield "enlarged", 1 if enlarged else -1, f"not enlarged ({sizes}, which shows no more)"
    yield "sharpness", _sharper(one, other), "sharper"
    formats = f"lossless ({one.picture.format} instead of {other.picture.format})"
    yield "format", one.lossless - other.lossless, formats
    if one.jpeg_quality is not None and other.jpeg_quality is not None:
        difference = one.jpeg_quality - other.jpeg_quality
        phrase = f"higher JPEG quality (about {one.jpeg_quality} instead of {other.jpeg_quality})"
        yield "quality", difference if abs(difference) >= _BETTER_QUALITY else 0, phrase
    more = one.pixels - other.pixels
    yield "pixels", more if abs(more) > _ROUNDED * other.pixels else 0, f"more pixels ({sizes})"
    younger = one.picture.mtime_ns - other.picture.mtime_ns
    yield (
        "date",
        -younger if abs(younger) > _SAME_TIME else 0,
        f"older ({_date(one, younger)} instead of {_date(other, younger)})",
    )
    yield "name", -1 if one.picture.path > other.picture.path else 1, "first in the order of names, else the same"


def _enlarged(larger: Quality, factor: float) -> bool:
    return larger.new_detail(factor) < _HOLLOW * min(1.0, 2 / factor)


def _sharper(one: Quality, other: Quality) -> int:
    """1, 0 or -1, at the scale of the smaller; 0 where one is flat, or the sharper one coarsely compressed."""
    factor = (one.pixels / other.pixels) ** 0.5
    ours, theirs = one.sharpness(max(1.0, factor)), other.sharpness(max(1.0, 1 / factor))
    if one.spectrum is None or other.spectrum is None:
        return 0
    if ours > _SHARPER * theirs:
        return 0 if _coarse(one, other) else 1
    if theirs > _SHARPER * ours:
        return 0 if _coarse(other, one) else -1
    return 0


def _coarse(one: Quality, other: Quality) -> bool:
    return (one.jpeg_quality or 100) < min(_COARSE, other.jpeg_quality or 100)


def _date(one: Quality, apart: int) -> str:
    when = datetime(1970, 1, 1) + timedelta(seconds=one.picture.mtime_ns // 10**9)  # UTC, and before 1970 everywhere
    return f"{when:%Y-%m-%d}" if abs(apart) > 2 * 86_400 * 10**9 else f"{when:%Y-%m-%d %H:%M:%S}"
