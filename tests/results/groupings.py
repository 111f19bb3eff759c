"""Groupings made by hand from pictures made in code."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lookalike.types import Comparison, Failure, Group, GroupBy, Grouping, Member, PictureFile, Transform
from lookalike.verdicts import verdict_of


def saved(path: Path, seed: int = 0, size: tuple[int, int] = (48, 36), **options: object) -> PictureFile:
    """A small picture of few colours, written to ``path``, and its record."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colours = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    Image.fromarray(colours).resize(size, Image.Resampling.NEAREST).save(path, **options)
    return record(path)


def record(path: Path) -> PictureFile:
    with Image.open(path) as image:
        kind, (width, height) = str(image.format), image.size
    about = path.stat()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return PictureFile(str(path), digest, kind, width, height, about.st_size, about.st_mtime_ns)


def pair(a: str, b: str, score: float, transform: Transform | None = None, reasons: Sequence[str] = ()) -> Comparison:
    parts = {"look": 0.9, "embedding": score}
    return Comparison(a, b, score, verdict_of(score), parts, transform=transform, reasons=tuple(reasons))


def grouping(
    pictures: Sequence[PictureFile],
    pairs: Sequence[Comparison],
    groups: Sequence[Group] | None = None,
    failures: Sequence[Failure] = (),
    threshold: float = 0.8,
    group_by: GroupBy = "base",
    notices: Sequence[str] = (),
) -> Grouping:
    """A grouping; every pair is a group of its own where none are given."""
    if groups is None:
        groups = [Group(one.a, (Member(one.b, one.score, one.transform),), one.score) for one in pairs]
    return Grouping(
        tuple(pictures),
        tuple(pairs),
        tuple(groups),
        tuple(failures),
        threshold,
        group_by,
        "default",
        {},
        tuple(notices),
    )


def many(groups: int, members: int, threshold: float = 0.8) -> Grouping:
    """A large grouping of pictures that lie nowhere; scores go down from 1 to the threshold over the groups."""
    pictures = [
        PictureFile(f"/shop/{number:06d}.jpg", f"{number:064x}", "JPEG", 100, 80, 4000 + number, 0)
        for number in range(groups * (members + 1))
    ]
    pairs, made = [], []
    for number in range(groups):
        base, *others = pictures[number * (members + 1) : (number + 1) * (members + 1)]
        score = 1 - (1 - threshold) * number / max(1, groups - 1)
        pairs += [pair(base.path, other.path, score) for other in others]
        made.append(Group(base.path, tuple(Member(other.path, score) for other in others), score))
    return grouping(pictures, pairs, made, threshold=threshold)
