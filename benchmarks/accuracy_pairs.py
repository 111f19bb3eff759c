"""The labelled pairs of ``accuracy.py``: the same product or not, in cartons, groceries, garments and shops."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fusion_pairs import FusionPair, fusion_pairs

from lookalike.lab.labelled import LabelledPair

CARTONS, CLASSES, GARMENTS, SHOPS, COPIES = "cartons", "groceries", "garments", "shops", "copies"
ONE_PART = "cartons, one part"
"""The sets, as rows name them."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A set of labelled pairs.

    Attributes:
        name: as rows name it.
        pairs: with their labels.
        kinds: what each pair is an example of.
        groups: the products of both pictures, as ``fusion_pairs.py`` names them; empty where it has none of them.
        shared: what both pictures have in common, in the words of ``fusion_pairs.py``; "copy" for an edited copy.
    """

    name: str
    pairs: tuple[LabelledPair, ...]
    kinds: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    shared: tuple[str, ...]

    def one_part(self) -> list[int]:
        """Numbers of the pairs whose pictures lie in one folder of the set, such as its training pictures.

        Those were taken on the same days, in the same shops; pairs across folders are harder.
        """
        parts = [[name.rpartition("/dataset/")[2].split("/")[0] for name in (pair.a, pair.b)] for pair in self.pairs]
        return [number for number, (a, b) in enumerate(parts) if a == b]

    def some(self, same: int, different: int, seed: int) -> Asked:
        """At most so many pairs of either label, spread over their kinds as they are."""
        chance = random.Random(seed)
        numbers = []
        for label, most in ((True, same), (False, different)):
            of_it = [number for number, pair in enumerate(self.pairs) if pair.same == label]
            numbers += of_it if len(of_it) <= most else chance.sample(of_it, most)
        return self.part(sorted(numbers))

    def part(self, numbers: Sequence[int]) -> Asked:
        """These pairs alone."""
        pairs, kinds, groups, shared = (
            tuple(column[number] for number in numbers) for column in (self.pairs, self.kinds, self.groups, self.shared)
        )
        return Asked(self.name, pairs, kinds, groups, shared)  # type: ignore[arg-type]


_TAKEN: dict[str, tuple[str, dict[str, int]]] = {
    # name of the set here: (of, kind of pair → how many at most)
    CARTONS: (
        "grocery",
        {"one carton, two photos": 900, "carton of the same kind": 300, "carton of another kind": 600},
    ),
    GARMENTS: (
        "magento",
        {
            "one garment, two views": 200,
            "recoloured, one shot": 200,
            "recoloured, two views": 200,
            "garment of the same kind": 500,
            "garment of another kind": 300,
        },
    ),
    SHOPS: ("shop-demo", {"one product": 400, "another product": 700}),
}


def product_sets(root: Path, seed: int, scale: float = 1.0) -> list[Asked]:
    """The sets that ask for the same product (in :data:`CLASSES`: the same class), the same for the same seed.

    Args:
        root: the data folder.
        seed: decides which pairs are taken.
        scale: of the number of pairs, for trials.
    """
    every = fusion_pairs(root, seed)
    chance = random.Random(seed)
    found = []
    for name, (of, kinds) in _TAKEN.items():
        chosen: list[FusionPair] = []
        for kind, most in kinds.items():
            chosen += _some([pair for pair in every if (pair.of, pair.kind) == (of, kind)], most, scale, chance)
        found.append(_asked(name, chosen, [pair.shared == "product" for pair in chosen]))
    groceries = [pair for pair in every if pair.of == "grocery"]
    same = [pair for pair in groceries if pair.kind in ("one carton, two photos", "one fruit, two photos")]
    other = [pair for pair in groceries if pair.kind == "another class"]
    chosen = [*_some(same, 1000, scale, chance), *_some(other, 1000, scale, chance)]
    found.insert(1, _asked(CLASSES, chosen, [pair.same_class for pair in chosen]))
    return [asked for asked in found if asked.pairs]


def clothing_pairs(root: Path, seed: int, scale: float = 1.0) -> Asked:
    """Garments of one label and of several: no set that asks for a product, but one in which ``auto`` may be wrong."""
    every = [pair for pair in fusion_pairs(root, seed) if pair.of == "clothing"]
    chosen = _some(every, 2000, scale, random.Random(seed))
    return _asked("clothing", chosen, [False] * len(chosen))


def _some(pairs: Sequence[FusionPair], most: int, scale: float, chance: random.Random) -> list[FusionPair]:
    most = max(1, round(scale * most))
    return list(pairs) if len(pairs) <= most else chance.sample(list(pairs), most)


def _asked(name: str, chosen: Sequence[FusionPair], same: Sequence[bool]) -> Asked:
    return Asked(
        name,
        tuple(
            LabelledPair(str(pair.a.path), str(pair.b.path), "same" if yes else "different", yes)
            for pair, yes in zip(chosen, same, strict=True)
        ),
        tuple(pair.kind for pair in chosen),
        tuple(pair.groups for pair in chosen),
        tuple(pair.shared for pair in chosen),
    )
