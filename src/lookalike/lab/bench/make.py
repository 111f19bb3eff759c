"""A folder of pictures → labelled pairs: edited copies of them, and pairs that are none.

::

    bench/
      pairs.csv       a, b, label, edit, kind, source
      originals.csv   source, path, digest, width, height
      alike.csv       a, b, score: no negatives, for the two originals are copies of each other already
      copies/         3f2a9c10b7e4-s0-crop-to-80.jpg
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.api import group
from lookalike.errors import SourceUnreadable, UsageError
from lookalike.images.limits import Limits
from lookalike.lab.bench.copies import Copied, Copier
from lookalike.lab.bench.drawn import Drawn, draw
from lookalike.lab.bench.embedded import Progress
from lookalike.lab.bench.negatives import Pair, nearest_pairs, random_pairs
from lookalike.lab.edits.table import chosen
from lookalike.lab.seeded import generator
from lookalike.lab.written import new_folder, write_table
from lookalike.types import Failure
from lookalike.verdicts import BANDS

if TYPE_CHECKING:
    from lookalike.images.sources import Sources

HARD = 0.33
"""Share of the negatives that look most alike."""

NEAR = next(least for least, verdict in BANDS if verdict == "near-duplicate")

COLUMNS = ("a", "b", "label", "edit", "kind", "source")

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Bench:
    """What was made.

    Attributes:
        out: the folder.
        pairs: path of the table of pairs.
        pictures: how many were edited.
        copies: edit → how many copies were made by it; 0 where it applied to none.
        nearest, random: how many negatives there are of either kind.
        alike: pairs of originals that the default rule calls copies, with their scores; no negatives.
        failures: files that could not be used, and why.
        notices: what else a person should know, a line each.
    """

    out: str
    pairs: str
    pictures: int
    copies: Mapping[str, int]
    nearest: int
    random: int
    alike: tuple[tuple[str, str, float], ...]
    failures: tuple[Failure, ...]
    notices: tuple[str, ...]


def make_bench(
    sources: Sources,
    out: str | os.PathLike[str],
    *,
    pictures: int = 200,
    edits: Iterable[str] = ("all",),
    each: int | None = None,
    negatives: int = 2000,
    hard: float = HARD,
    side: int = 1024,
    seed: int = 0,
    all_differ: bool = False,
    limits: Limits = _LIMITS,
    progress: Progress | None = None,
) -> Bench:
    """Make labelled pairs of the pictures in a folder: edited copies of some, and pairs of different ones.

    Positive pairs are a picture and an edited copy of it; which pictures, which edits and what exactly they do depend
    on the seed and the pictures alone. Negative pairs are two pictures, or a picture and an edited copy of another; a
    third of them are those that look most alike. Two pictures that the default rule calls copies of each other make no
    negative pair, for a folder may well hold one thing twice; they are told in ``alike``. So a bench cannot tell how
    often that rule takes different pictures for copies, unless ``all_differ`` is true.

    Args:
        sources: folders, files or patterns, as for :func:`lookalike.group`.
        out: a folder that is new or empty; it appears whole or not at all.
        pictures: how many are edited.
        edits: names, or strengths, see :func:`lookalike.lab.edits.table.chosen`.
        each: how many edits each picture meets, every edit about equally often; None for all of them.
        negatives: how many pairs of different pictures.
        hard: share of these that look most alike, 0 to 1.
        side: longer side that pictures are scaled down to before they are edited, in pixels.
        seed: another one, another bench.
        all_differ: no picture of the folder is a copy of another: look for none, and leave no negative out.
        limits: what a picture may cost.
        progress: told what is done, how far it is, and how much there is.

    Raises:
        UsageError: an unknown edit, or a number that makes no sense.
        OutputError: ``out`` holds something, or cannot be written.
        SourceNotFound, SourceUnreadable: a source is not there, or no picture in it can be used.

    >>> make_bench("photos/", "bench/", pictures=50, edits=["crop to 50 %", "flip"]).pairs  # doctest: +SKIP
    'bench/pairs.csv'
    """
    wanted = chosen(edits)
    _check(pictures=pictures, each=1 if each is None else each, negatives=negatives, side=side, hard=hard)
    tell = progress or (lambda what, done, total: None)
    with new_folder(Path(os.path.abspath(out))) as folder:
        drawn = draw(sources, pictures, seed=seed, limits=limits, leave_out=[os.fspath(out)], progress=progress)
        if not drawn.paths:
            raise _nothing(sources, drawn)
        (folder / "copies").mkdir()
        copier = Copier(folder / "copies", wanted, each, side, seed, limits)
        made = copier.copy_all(
            drawn.paths, drawn.digests, lambda done: tell("editing pictures", done, len(drawn.paths))
        )
        alike = {} if all_differ else _alike(drawn, limits, progress)
        pairs = _negatives(drawn, negatives, hard, alike, seed)
        rows = [*_positive_rows(drawn, made), *_negative_rows(drawn, made, pairs, seed)]
        write_table(folder / "pairs.csv", COLUMNS, rows)
        write_table(folder / "originals.csv", ("source", "path", "digest", "width", "height"), _originals(drawn))
        same = tuple((drawn.paths[a], drawn.paths[b], score) for (a, b), score in sorted(alike.items()))
        write_table(folder / "alike.csv", ("a", "b", "score"), [(a, b, f"{score:.4f}") for a, b, score in same])
    counts = Counter(copy.edit.name for copied in made for copy in copied.copies)
    kinds = Counter(pairs.values())
    return Bench(
        out=os.fspath(out),
        pairs=os.path.join(out, "pairs.csv"),
        pictures=len(drawn.paths),
        copies={edit.name: counts[edit.name] for edit in wanted},
        nearest=kinds["nearest"],
        random=kinds["random"],
        alike=same,
        failures=(*drawn.failures, *(copied.failure for copied in made if copied.failure is not None)),
        notices=tuple(_notices(drawn, made, pictures, negatives - len(pairs))),
    )


def _check(*, hard: float, **counts: int) -> None:
    for name, given in counts.items():
        least = {"negatives": 0, "side": 64}.get(name, 1)
        if given < least:
            raise UsageError(f"{name} must be {least} or more, not {given}")
    if not 0 <= hard <= 1:
        raise UsageError(f"hard is a share, 0 to 1, not {hard:g}")


def _nothing(sources: Sources, drawn: Drawn) -> SourceUnreadable:
    named = sources if isinstance(sources, (str, os.PathLike)) else next(iter(sources), "")
    why = f"{len(drawn.failures)} could not be read, {drawn.small} are too small" if drawn.failures else "there is none"
    return SourceUnreadable(f"no picture here can be edited: {why}", source=os.fsdecode(named), remedy="name others")


def _alike(drawn: Drawn, limits: Limits, progress: Progress | None) -> dict[Pair, float]:
    """Pairs of originals that are copies of each other by the default rule, with their scores."""
    numbers = {path: number for number, path in enumerate(drawn.paths)}
    found = group(drawn.paths, threshold=NEAR, store=False, limits=limits, progress=progress)
    pairs = ((numbers[pair.a], numbers[pair.b], pair.score) for pair in found.pairs)
    return {(min(a, b), max(a, b)): score for a, b, score in pairs}


def _negatives(drawn: Drawn, count: int, hard: float, alike: Mapping[Pair, float], seed: int) -> dict[Pair, str]:
    """Pairs of different pictures → ``"nearest"`` or ``"random"``."""

    def differ(a: int, b: int) -> bool:
        return (a, b) not in alike

    nearest = nearest_pairs(drawn.vectors, round(hard * count), differ)
    chance = generator(seed, "negatives")
    random = random_pairs(len(drawn.paths), count - len(nearest), differ, chance, taken=nearest)
    return {**dict.fromkeys(nearest, "nearest"), **dict.fromkeys(random, "random")}


def _positive_rows(drawn: Drawn, made: Sequence[Copied]) -> Iterator[tuple[str, ...]]:
    for path, digest, copied in zip(drawn.paths, drawn.digests, made, strict=True):
        for copy in copied.copies:
            yield path, f"copies/{copy.name}", "same", copy.edit.name, "copy", digest[:12]


def _negative_rows(
    drawn: Drawn, made: Sequence[Copied], pairs: Mapping[Pair, str], seed: int
) -> Iterator[tuple[str, ...]]:
    """Every other one with an edited copy of the second picture in its place."""
    for (first, second), kind in pairs.items():
        chance = generator(seed, "negative", drawn.digests[first], drawn.digests[second])
        a, b = chance.sample((first, second), 2)
        source = f"{drawn.digests[a][:12]} {drawn.digests[b][:12]}"
        # What is pasted into another picture is not what the pair would show.
        copies = [copy for copy in made[b].copies if copy.edit.needs != "host"]
        if copies and chance.random() < 0.5:
            copy = chance.choice(copies)
            yield drawn.paths[a], f"copies/{copy.name}", "different", copy.edit.name, kind, source
        else:
            yield drawn.paths[a], drawn.paths[b], "different", "", kind, source


def _originals(drawn: Drawn) -> Iterator[tuple[object, ...]]:
    for path, digest, size in zip(drawn.paths, drawn.digests, drawn.sizes, strict=True):
        yield digest[:12], path, digest, *size


def _notices(drawn: Drawn, made: Sequence[Copied], pictures: int, missing: int) -> Iterator[str]:
    if len(drawn.paths) < pictures:
        yield f"pictures that could be edited: {len(drawn.paths)}, not {pictures}"
    if drawn.twins:
        yield f"passed over, as another file has the same bytes: {drawn.twins}"
    if drawn.small:
        yield f"passed over, as too small to edit: {drawn.small}"
    if bare := sum(len(copied.bare) for copied in made):
        yield f"copies left out, as the edit left nothing to see: {bare}"
    if missing > 0:
        yield f"pairs of different pictures that are missing, as there are no more: {missing}"
