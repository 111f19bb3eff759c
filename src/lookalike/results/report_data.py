"""A grouping as the numbers and names that the report's page works with, as JSON in pieces."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from lookalike.errors import printable
from lookalike.explain.palette import VERDICTS
from lookalike.types import Comparison, Failure, Grouping, PictureFile, Transform
from lookalike.verdicts import BANDS

ROWS = 1000
"""Rows turned into JSON at a time."""

Numbers = Mapping[str, int]
"""Path → number of the picture in the page."""


def shown(grouping: Grouping) -> list[PictureFile]:
    """The pictures that stand in a group or a pair, each once, in the order in which the page shows them."""
    paths: dict[str, None] = {}
    for group in grouping.groups:
        paths[group.base] = None
        paths.update((member.path, None) for member in group.members)
    for pair in grouping.pairs:
        paths[pair.a] = paths[pair.b] = None
    known = {picture.path: picture for picture in grouping.pictures}
    return [known[path] for path in paths]


def as_json(grouping: Grouping, pictures: list[PictureFile], folder: Path) -> Iterator[str]:
    """One JSON object in pieces: ASCII only, and without ``<``, so that nothing in it can end a script element.

    The script of the page says what stands where in a row. Scores keep all their digits: rounded, one could change
    sides at a threshold.

    Args:
        grouping: what was found.
        pictures: as :func:`shown` gives them; their place in the list is their number in the page.
        folder: where the page will lie, which its links start from.
    """
    numbers = {picture.path: number for number, picture in enumerate(pictures)}
    parts = list(dict.fromkeys(name for pair in grouping.pairs for name in pair.parts))
    head = {
        "threshold": grouping.threshold,
        "groupBy": grouping.group_by,
        "mode": grouping.mode,
        "read": len(grouping.pictures),
        "root": _root(pictures),
        "notices": [printable(notice, 1000) for notice in grouping.notices],
        "bands": [(lowest, verdict, VERDICTS[verdict]) for lowest, verdict in BANDS],
        "parts": parts,
    }
    yield escaped(head)[:-1]
    yield from _rows("pictures", (_picture(picture, folder) for picture in pictures))
    yield from _rows("pairs", (_pair(pair, numbers, parts) for pair in grouping.pairs))
    yield from _rows("groups", _groups(grouping, numbers))
    yield from _rows("failures", (_failure(failure) for failure in grouping.failures))
    yield "}"


def escaped(value: object) -> str:
    """JSON that may stand inside a script element.

    >>> escaped(["</script>", "ü"])
    '["\\\\u003c/script>","\\\\u00fc"]'
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def link(path: str, folder: Path) -> str:
    """The address of a file, from a page that lies in ``folder``; every byte that means something is encoded.

    >>> link("photos/a #1?.jpg", Path("."))
    './photos/a%20%231%3F.jpg'
    """
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # another drive
        return Path(path).absolute().as_uri()
    # ./ keeps a colon in the first name from being read as the end of a scheme, encoded or not
    return "./" + quote(os.fsencode(relative.replace(os.sep, "/")))


def _rows(name: str, rows: Iterable[object]) -> Iterator[str]:
    """A member of the object, ``,"name":[row,row,…]``."""
    yield f',"{name}":['
    block: list[object] = []
    comma = ""
    for row in rows:
        block.append(row)
        if len(block) == ROWS:
            yield comma + escaped(block)[1:-1]
            comma, block = ",", []
    yield (comma + escaped(block)[1:-1] if block else "") + "]"


def _root(pictures: list[PictureFile]) -> str:
    """What all paths begin with, up to a separator: the page leaves it out of names."""
    folders = {os.path.dirname(picture.path) for picture in pictures}
    try:
        common = os.path.commonpath(folders)
    except ValueError:  # no folders, other drives, some absolute and some not
        return ""
    common = os.path.join(common, "") if common else ""
    return common if all(picture.path.startswith(common) for picture in pictures) else ""


def _picture(picture: PictureFile, folder: Path) -> tuple[object, ...]:
    return (
        picture.path,
        link(picture.path, folder),
        picture.width,
        picture.height,
        picture.bytes,
        picture.format,
        picture.digest,
        int(picture.reference),
    )


def _pair(pair: Comparison, numbers: Numbers, parts: list[str]) -> tuple[object, ...]:
    similarities = [pair.parts.get(name) for name in parts]
    return (
        numbers[pair.a],
        numbers[pair.b],
        pair.score,
        ", ".join(dict.fromkeys([*pair.reasons, *_words(pair.transform)])),
        _turn(pair.transform),
        *(None if value is None else round(value, 3) for value in similarities),
    )


def _groups(grouping: Grouping, numbers: Numbers) -> Iterator[tuple[object, ...]]:
    """Base, lowest score and, side by side, each member's number, score, last threshold, words and turn."""
    pairs = {(numbers[pair.a], numbers[pair.b]): pair for pair in grouping.pairs}
    lasts = _last_thresholds(grouping, numbers) if grouping.group_by == "component" else {}
    for group in grouping.groups:
        base = numbers[group.base]
        columns: list[tuple[object, ...]] = []
        for member in group.members:
            number = numbers[member.path]
            pair = pairs.get((base, number)) or pairs.get((number, base))
            last = lasts.get(number, member.score if member.score is not None else grouping.threshold)
            transform = member.transform
            if transform is None and pair is not None and pair.a == group.base:
                transform = pair.transform
            # what the pair says of the way its second lies on its first holds for base and member only one way round
            rest = [] if pair is None else [word for word in pair.reasons if word not in _words(pair.transform)]
            words = ", ".join(dict.fromkeys([*rest, *_words(transform)]))
            columns.append((number, member.score, last, words, _turn(transform)))
        yield (base, group.lowest, *(zip(*columns, strict=True) if columns else ((),) * 5))


def _last_thresholds(grouping: Grouping, numbers: Numbers) -> dict[int, float]:
    """For each member of a component: the highest threshold at which it still hangs together with the base.

    Pairs are taken from the most alike on, and join what they touch; the score of the pair that joins a picture to
    its base is the answer.
    """
    bases = {numbers[group.base] for group in grouping.groups}
    joined = {number: [number] for number in numbers.values()}  # picture → all that hang together with it, shared
    last: dict[int, float] = {}
    for pair in sorted(grouping.pairs, key=lambda pair: -pair.score):
        small, large = sorted((joined[numbers[pair.a]], joined[numbers[pair.b]]), key=len)
        if small is large:
            continue
        for one, other in ((small, large), (large, small)):
            if one[0] in bases:
                last.update((number, pair.score) for number in other)
        for number in small:
            joined[number] = large
        large.extend(small)
        if small[0] in bases:  # the base stays in front, where it is looked for
            large[0], large[-len(small)] = large[-len(small)], large[0]
    return last


def _words(transform: Transform | None) -> list[str]:
    return [] if transform is None else [word for word in str(transform).split(", ") if word]


def _turn(transform: Transform | None) -> int:
    """Quarter turns, and 4 more where mirrored: how the second picture is to be turned back."""
    return 0 if transform is None else transform.rotation // 90 + 4 * transform.flip


def _failure(failure: Failure) -> tuple[str, str, str]:
    """Source, kind and reason; the reason without the name, which stands beside it already."""
    return failure.source, failure.kind, failure.reason.removeprefix(f"{printable(failure.source)}: ")
