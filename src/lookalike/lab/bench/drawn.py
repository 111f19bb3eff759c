"""A sample of the pictures in some folders: readable ones, each once, the same for the same seed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lookalike.errors import PictureError, SourceUnreadable
from lookalike.images.load import load
from lookalike.images.scan import scan
from lookalike.lab.bench.embedded import Embedded, Progress
from lookalike.lab.seeded import seeded_order
from lookalike.types import Failure

if TYPE_CHECKING:
    from lookalike.features.embedding import Vector
    from lookalike.images.limits import Limits
    from lookalike.images.sources import Sources

LEAST_SIDE = 32
"""Pixels of a shorter side below which nothing can be edited so that it shows."""


@dataclass(slots=True)
class Drawn:
    """Some pictures of a folder.

    Attributes:
        paths: absolute, in the order of the draw.
        digests: sha256 (hex) of each file.
        sizes: (width, height) of each.
        vectors: embeddings, float32 N×1280, rows of length 1.
        failures: files that could not be used, and why.
        twins, small: how many were passed over: files whose bytes another has, and pictures too small to edit.
    """

    paths: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    vectors: Vector = field(default_factory=lambda: Embedded().vectors)
    failures: list[Failure] = field(default_factory=list)
    twins: int = 0
    small: int = 0


def draw(
    sources: Sources,
    count: int,
    *,
    seed: int,
    limits: Limits,
    leave_out: Iterable[str] = (),
    progress: Progress | None = None,
) -> Drawn:
    """``count`` pictures of ``sources``, all of them where there are fewer.

    Which ones depends on the seed, on what they are called below the folder that holds them all, and on which can be
    read; a picture that cannot is a failure, and the next one takes its place.

    Args:
        sources: as :func:`~lookalike.images.scan.scan` takes them.
        count: how many.
        seed: another one draws others.
        limits: what a picture may cost.
        leave_out: folders that are not entered.
        progress: told how far it has come.

    Raises:
        SourceNotFound, SourceUnreadable: a source is not there, or cannot be read.
    """
    tell = progress or (lambda what, done, total: None)
    found = scan(sources, exclude=leave_out)
    drawn = Drawn(failures=list(found.skipped))
    paths = [file.path for file in found.files]
    order = (paths[index] for index in seeded_order(_below([os.path.abspath(path) for path in paths]), seed, "draw"))
    embedded, seen = Embedded(), set()
    while len(drawn.paths) < count and (path := next(order, None)) is not None:
        try:
            _check_name(path)
            picture = load(path, limits=limits)
            if picture.digest in seen:
                drawn.twins += 1
                continue
            if min(picture.original_size) < LEAST_SIDE:
                drawn.small += 1
                continue
            embedded.add(picture)
        except PictureError as error:
            drawn.failures.append(Failure.of(error))
            continue
        seen.add(picture.digest)
        drawn.paths.append(os.path.abspath(path))
        drawn.digests.append(picture.digest)
        drawn.sizes.append(picture.original_size)
        tell("looking at pictures", len(drawn.paths), min(count, len(paths)))
    drawn.vectors = embedded.vectors
    return drawn


def _below(paths: Sequence[str]) -> list[str]:
    """What each file is called below the folder that holds them all, so that moving that one changes nothing."""
    if not paths:
        return []
    try:
        above = os.path.commonpath([os.path.dirname(path) for path in paths])
    except ValueError:  # on several drives
        return list(paths)
    return [os.path.relpath(path, above).replace(os.sep, "/") for path in paths]


def _check_name(path: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise SourceUnreadable(
            "its name is no Unicode, and no table can hold it", source=path, remedy="rename it"
        ) from error
