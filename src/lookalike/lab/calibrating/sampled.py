"""Different pairs for nothing: two pictures at random from a folder without labels."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

from lookalike.errors import LookalikeError, UsageError, printable
from lookalike.images.limits import Limits
from lookalike.images.load import load
from lookalike.images.scan import scan
from lookalike.lab.bench.negatives import random_pairs
from lookalike.lab.labelled import LabelledPair
from lookalike.lab.seeded import generator

SPARE = 1.5
"""Pairs drawn for each that is wanted: some files cannot be read, some are twins."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Pairs of a folder.

    Attributes:
        pairs: of different files, each labelled different.
        pictures: how many pictures lie in the folder.
        folder: where they were drawn from.
    """

    pairs: tuple[LabelledPair, ...]
    pictures: int
    folder: str

    @property
    def caveat(self) -> str:
        """What must be known of such pairs, in words."""
        one_in = max(1, round((self.pictures - 1) / 9))
        return (
            f"{len(self.pairs)} random pairs of the {self.pictures:,} pictures in {printable(self.folder)} count as "
            f"different; where a product has ten pictures there, about one in {one_in:,} is the same after all"
        )


def sample(
    folder: str | os.PathLike[str],
    count: int,
    *,
    same: Collection[frozenset[str]] = (),
    seed: int = 0,
    limits: Limits | None = None,
) -> Sampled:
    """``count`` pairs of different pictures of a folder, at random; fewer where there are fewer.

    Args:
        folder: a folder, or what else :func:`~lookalike.images.scan.scan` takes.
        count: how many.
        same: what is known to be one product: the digests of its pictures. No two of one are taken.
        seed: another one draws others.
        limits: what a picture may cost.

    Raises:
        SourceNotFound: there is no such folder.
        UsageError: it does not have two different pictures that can be read.
    """
    paths = [file.path for file in scan([folder]).files]
    wanted = random_pairs(len(paths), round(SPARE * count), lambda a, b: True, generator(seed, "negatives"))
    product = {digest: number for number, group in enumerate(same) for digest in group}
    digests: dict[str, str | None] = {}
    pairs: list[LabelledPair] = []
    for numbers in wanted:
        a, b = (paths[number] for number in numbers)
        for path in (a, b):
            if path not in digests:
                digests[path] = digest_of(path, limits)
        one, other = digests[a], digests[b]
        known = one in product and product.get(one or "") == product.get(other or "")
        if one is not None and other is not None and one != other and not known:
            pairs.append(LabelledPair(a, b, "different", same=False, category=None))
        if len(pairs) == count:
            break
    if not pairs:
        raise UsageError(f"{printable(str(folder))} has no two different pictures", remedy="name a folder with more")
    return Sampled(tuple(pairs), len(paths), str(folder))


def digest_of(path: str, limits: Limits | None = None) -> str | None:
    """sha256 of a picture's bytes; None where it cannot be read."""
    try:
        return load(path, limits=limits or Limits()).digest
    except LookalikeError:
        return None
