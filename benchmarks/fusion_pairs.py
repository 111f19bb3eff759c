"""Labelled pairs of real pictures: what the default rule's last step is fitted to and measured on.

Every pair carries what both pictures have in common, the *product* (one carton, one garment in any colour), the
*category*, or nothing; and the group of each picture, its product as far as that is known. Folds never divide a group.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from auto_cases import read_all, strangers
from data import Labelled, sample

PRODUCT, CATEGORY, DIFFERENT, UNKNOWN = "product", "category", "different", "not the product"
"""What two pictures share; the last stands for different products that may be of one category or not."""

Both = tuple[Labelled, Labelled]
Ask = Callable[[Labelled, Labelled], bool]


@dataclass(frozen=True, slots=True)
class FusionPair:
    """Two pictures and what they share.

    Attributes:
        of: the set.
        kind: what the pair is an example of.
        a, b: the pictures.
        shared: one of the four words above.
        groups: of both pictures.
        same_class: the same fine class of groceries, loose ones included.
    """

    of: str
    kind: str
    a: Labelled
    b: Labelled
    shared: str
    groups: tuple[str, str]
    same_class: bool = False


def fusion_pairs(root: Path, seed: int = 0) -> list[FusionPair]:
    """All pairs, the same for the same seed."""
    sources = read_all(root)
    chance = random.Random(seed)
    found: list[FusionPair] = []
    for of, make in _MAKERS.items():
        if sources.get(of):
            found += make(sources[of], chance)
    pool = [picture for pictures in sources.values() for picture in sample(pictures, 230, seed)]
    found += _taken("several", "strangers", _drawn(pool, strangers, 1500, chance), DIFFERENT, 1500, chance, _product)
    return found


def _product(picture: Labelled) -> str:
    return f"{picture.of}/{picture.product or picture.name}"


def _fine(picture: Labelled) -> str:
    return f"{picture.of}/{picture.fine}"


def _sender(picture: Labelled) -> str:
    return f"{picture.of}/{picture.sender}"


def _taken(
    of: str,
    kind: str,
    pairs: Iterable[Both],
    shared: str | Callable[[Labelled, Labelled], str],
    most: int,
    chance: random.Random,
    group: Callable[[Labelled], str],
) -> list[FusionPair]:
    chosen = list(pairs)
    if len(chosen) > most:
        chosen = chance.sample(chosen, most)
    return [
        FusionPair(
            of,
            kind,
            a,
            b,
            shared if isinstance(shared, str) else shared(a, b),
            (group(a), group(b)),
            bool(a.fine) and a.fine == b.fine,
        )
        for a, b in chosen
    ]


def _drawn(pool: Sequence[Labelled], ask: Ask, count: int, chance: random.Random) -> list[Both]:
    """``count`` pairs that pass, drawn at random; fewer where they are rare."""
    found: dict[tuple[int, int], None] = {}
    for _ in range(60 * count):
        first, second = sorted(chance.sample(range(len(pool)), 2))
        if ask(pool[first], pool[second]):
            found[first, second] = None
        if len(found) == count:
            break
    return [(pool[first], pool[second]) for first, second in found]


def _pairs(pictures: Sequence[Labelled], ask: Ask) -> Iterator[Both]:
    return ((a, b) for a, b in itertools.combinations(pictures, 2) if ask(a, b))


def _by_category(a: Labelled, b: Labelled) -> str:
    return CATEGORY if a.category == b.category else DIFFERENT


def _grocery(pictures: Sequence[Labelled], chance: random.Random) -> list[FusionPair]:
    """Photos taken in the shop with each other, and a few with the producer's own picture on white."""
    photos = [picture for picture in pictures if picture.view != "iconic"]
    icons = [picture for picture in pictures if picture.view == "iconic"]
    cartons = [picture for picture in photos if picture.product]
    across = list(itertools.product(icons, photos))

    def same(a: Labelled, b: Labelled) -> bool:
        return a.fine == b.fine

    def take(kind: str, pairs: Iterable[Both], shared: str | Callable[[Labelled, Labelled], str], most: int = 10**6):  # type: ignore[no-untyped-def]
        return _taken("grocery", kind, pairs, shared, most, chance, _fine)

    return [
        *take("one carton, two photos", _pairs(cartons, same), PRODUCT),
        *take("one fruit, two photos", _pairs([p for p in photos if not p.product], same), CATEGORY),
        *take(
            "carton of the same kind",
            _pairs(cartons, lambda a, b: not same(a, b) and a.category == b.category),
            CATEGORY,
            1500,
        ),
        *take("carton of another kind", _pairs(cartons, lambda a, b: a.category != b.category), DIFFERENT, 3000),
        *take("another class", _pairs(photos, lambda a, b: not same(a, b)), _by_category, 5000),
        *take("photo and icon", (x for x in across if same(*x)), lambda a, _: PRODUCT if a.product else CATEGORY, 600),
        *take("photo and other icon", (x for x in across if not same(*x)), _by_category, 800),
    ]


def _magento(pictures: Sequence[Labelled], chance: random.Random) -> list[FusionPair]:
    garments = [picture for picture in pictures if picture.category]

    def take(kind: str, ask: Ask, shared: str, most: int = 1500) -> list[FusionPair]:
        return _taken("magento", kind, _pairs(garments, ask), shared, most, chance, _product)

    def same(a: Labelled, b: Labelled) -> bool:
        return a.product == b.product

    return [
        *take("one garment, two views", lambda a, b: same(a, b) and a.colour == b.colour, PRODUCT),
        *take("recoloured, one shot", lambda a, b: same(a, b) and a.colour != b.colour and a.view == b.view, PRODUCT),
        *take("recoloured, two views", lambda a, b: same(a, b) and a.colour != b.colour and a.view != b.view, PRODUCT),
        *take("garment of the same kind", lambda a, b: not same(a, b) and a.category == b.category, CATEGORY),
        *take("garment of another kind", lambda a, b: a.category != b.category, DIFFERENT),
    ]


def _shop_demo(pictures: Sequence[Labelled], chance: random.Random) -> list[FusionPair]:
    def take(kind: str, ask: Ask, shared: str) -> list[FusionPair]:
        return _taken("shop-demo", kind, _pairs(pictures, ask), shared, 1500, chance, _product)

    return [
        *take("one product", lambda a, b: a.product == b.product, PRODUCT),
        *take("another product", lambda a, b: a.product != b.product, UNKNOWN),
    ]


def _clothing(pictures: Sequence[Labelled], chance: random.Random) -> list[FusionPair]:
    """Of one sender only pairs of other labels: he may have sent one garment twice."""
    named = [picture for picture in pictures if picture.category]

    def take(kind: str, ask: Ask, shared: str, most: int) -> list[FusionPair]:
        return _taken("clothing", kind, _drawn(named, ask, most, chance), shared, most, chance, _sender)

    return [
        *take("same label", lambda a, b: a.category == b.category and a.sender != b.sender, CATEGORY, 2000),
        *take("another label", lambda a, b: a.category != b.category, DIFFERENT, 1000),
        *take("worn elsewhere", lambda a, b: a.group != b.group, DIFFERENT, 1000),
    ]


def _tuxpaint(pictures: Sequence[Labelled], chance: random.Random) -> list[FusionPair]:
    def take(kind: str, ask: Ask, shared: str, most: int) -> list[FusionPair]:
        return _taken("tuxpaint", kind, _pairs(pictures, ask), shared, most, chance, lambda picture: picture.name)

    return [
        *take("same folder", lambda a, b: a.category == b.category, CATEGORY, 400),
        *take("another folder", lambda a, b: a.group != b.group, DIFFERENT, 1000),
    ]


_MAKERS = {
    "grocery": _grocery,
    "magento": _magento,
    "shop-demo": _shop_demo,
    "clothing": _clothing,
    "tuxpaint": _tuxpaint,
}
