"""Edited copies of pictures of all sets, and pairs of different pictures beside them: near-duplicates or not.

Nothing is left out because a rule says so. Negatives are look-alikes of the two catalogues (one garment type from one
side, one kind of device; other products), a copy of one picture and another picture, and any two pictures.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from accuracy_pairs import COPIES, Asked
from auto_cases import DIFFERENT, Sources, read_all, same_category
from data import Labelled, sample, sample_pairs

from lookalike import load
from lookalike.images.limits import Limits
from lookalike.lab.bench.copies import Copier
from lookalike.lab.edits.table import EDITS
from lookalike.lab.labelled import LabelledPair

SIDE = 1024
"""Longer side that pictures are scaled down to before they are edited."""

Found = tuple[LabelledPair, str, str]
"""A pair, what it is an example of, what both share."""


def copies(root: Path, folder: Path, pictures: int, negatives: int, seed: int) -> Asked:
    """Pairs of pictures and their edited copies, which are written into ``folder``, and pairs that are none.

    Args:
        root: the data folder.
        folder: where copies go; it must exist.
        pictures: of each set that meet all edits.
        negatives: how many pairs of each of the four kinds, at most.
        seed: decides all that is drawn.
    """
    sources = read_all(root)
    chance = random.Random(seed)
    originals = [picture for of in sources for picture in _main(sources, of, pictures, seed)]
    digests = {load(str(picture.path)).digest: picture for picture in originals}
    originals = list(digests.values())
    copier = Copier(folder, list(EDITS.values()), None, SIDE, seed, Limits())
    made = copier.copy_all([str(picture.path) for picture in originals], list(digests), lambda done: None)
    found: list[Found] = []
    edited: list[tuple[Labelled, str, str]] = []
    for picture, copied in zip(originals, made, strict=True):
        for copy in copied.copies:
            path = str(folder / copy.name)
            found.append((LabelledPair(str(picture.path), path, "same", True), copy.edit.name, "copy"))
            if copy.edit.needs != "host":  # another picture is in those
                edited.append((picture, path, copy.edit.name))
    found += _negatives(sources, edited, negatives, chance, seed)
    pairs, kinds, shared = zip(*found, strict=True)
    return Asked(COPIES, pairs, kinds, ((),) * len(pairs), shared)


def _main(sources: Sources, of: str, count: int, seed: int) -> list[Labelled]:
    whole = [picture for picture in sources[of] if of != "magento" or picture.view in {"main", "alone"}]
    return sample(whole, count, seed)


LOOKALIKES, DEVICES, COPY_OF_ANOTHER, ANY_TWO = (
    "garments of one type, from one side",
    "devices and goods of one kind, in one shop",
    "a copy, and another picture",
    "any two pictures",
)
"""The four kinds of negatives."""


def _negatives(
    sources: Sources, edited: Sequence[tuple[Labelled, str, str]], count: int, chance: random.Random, seed: int
) -> Iterator[Found]:
    for case in sample(list(same_category(sources)), count, seed):
        yield _other(str(case.a), str(case.b), LOOKALIKES)
    for a, b in sample_pairs(sources["shop-demo"], _of_one_kind, count, seed):
        yield _other(str(a.path), str(b.path), DEVICES)
    for picture, path, _ in sample(edited, count, seed):
        yield _other(str(chance.choice(_others(sources, picture)).path), path, COPY_OF_ANOTHER)
    ways = [(of, accept) for _, of, counts, accept in DIFFERENT if counts]
    for of, accept in ways:
        pool = sources.get(of) or [picture for each in sources.values() for picture in sample(each, 150, seed)]
        for a, b in sample_pairs(pool, accept, count // len(ways), seed):
            yield _other(str(a.path), str(b.path), ANY_TWO)


def _others(sources: Sources, picture: Labelled) -> list[Labelled]:
    """Pictures that surely show another thing, as near to it as is known."""
    if picture.of == "magento":
        alike = [other for other in sources["magento"] if other.product != picture.product]
        return [other for other in alike if other.category == picture.category] or alike
    if picture.of == "shop-demo":
        return [other for other in sources["shop-demo"] if other.product != picture.product]
    if picture.of == "grocery":
        return [other for other in sources["grocery"] if other.fine != picture.fine]
    if picture.of == "clothing":  # one sender may have sent one garment twice
        return [other for other in sources["clothing"] if other.sender != picture.sender]
    return [other for other in sources["tuxpaint"] if other.name != picture.name]


def _of_one_kind(a: Labelled, b: Labelled) -> bool:
    """Other products of one shop whose names share a word, such as two air fryers."""
    if a.product == b.product or a.product.split(":")[0] != b.product.split(":")[0]:
        return False
    first, second = (set(re.findall(r"[a-z]{3,}", picture.product.partition(":")[2])) for picture in (a, b))
    return bool(first & second)


def _other(a: str, b: str, kind: str) -> Found:
    return LabelledPair(a, b, "different", False), kind, "different"
