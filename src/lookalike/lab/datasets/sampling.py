"""A labelled set of pictures → labelled pairs, balanced over products, so that large products do not dominate."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import NamedTuple

from lookalike.errors import PictureError, UsageError, printable
from lookalike.images.limits import Limits
from lookalike.images.load import load
from lookalike.lab.bench.embedded import Embedded, Progress
from lookalike.lab.bench.negatives import Pair, nearest_pairs, random_pairs
from lookalike.lab.datasets.pictures import Collection, LabelledPicture
from lookalike.lab.seeded import generator, seeded_order
from lookalike.types import Failure

HARD = 0.33
"""Share of the negatives that are hard."""

POOL = 2000
"""Pictures among which the nearest are looked for where no categories are known."""

ORIGINALS = frozenset({"original", "reference"})
"""Views of a set of copies that are no copies: two copies of one picture may have nothing in common."""

_LIMITS = Limits()


class SampledPair(NamedTuple):
    """Two pictures, their label, and which kind of pair they are: ``"same"``, ``"hard"`` or ``"random"``."""

    a: str
    b: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Sample:
    """Labelled pairs of a set.

    Attributes:
        pairs: positives, then hard negatives, then others; paths are absolute.
        failures: pictures that could not be read where they had to be looked at.
        notices: what else a person should know, a line each.
    """

    pairs: tuple[SampledPair, ...]
    failures: tuple[Failure, ...] = ()
    notices: tuple[str, ...] = ()


def sample_pairs(
    collection: Collection,
    *,
    positives: int = 500,
    negatives: int = 1500,
    hard: float = HARD,
    seed: int = 0,
    limits: Limits = _LIMITS,
    progress: Progress | None = None,
) -> Sample:
    """Labelled pairs of a labelled set.

    Every product gives one positive pair before any gives its second. Negatives take the products in turn as well.
    The hard ones are other products of the same category; where categories are not known, the pictures of other
    products that look most alike to an embedding, among 2,000. Labels are ``same product``, ``same category`` and
    ``different`` where every picture has a category, ``same`` and ``different`` otherwise.

    Args:
        collection: the pictures; those without a product are left out.
        positives, negatives: how many pairs of each; fewer where there are fewer.
        hard: share of the negatives, 0 to 1.
        seed: another one, another sample.
        limits: what a picture may cost, where pictures have to be looked at.
        progress: told how far looking at pictures has come.

    Raises:
        UsageError: numbers that make no sense, or no product has two pictures, or there is one product only.
    """
    if positives < 0 or negatives < 0 or positives + negatives < 1:
        raise UsageError("there must be some pairs to sample", remedy="give --positives or --negatives")
    if not 0 <= hard <= 1:
        raise UsageError(f"hard is a share, 0 to 1, not {hard:g}")
    sampler = _Sampler(collection, seed)
    same = sampler.positives(positives)
    failures: list[Failure] = []
    wanted = round(hard * negatives)
    if sampler.five:
        near = sampler.negatives(wanted, "hard", taken=set())
    else:
        near = sampler.nearest(wanted, limits, failures, progress)
    others = sampler.negatives(negatives - len(near), "random", taken=set(near))
    kinds = {**dict.fromkeys(same, "same"), **dict.fromkeys(near, "hard"), **dict.fromkeys(others, "random")}
    pairs = tuple(sampler.labelled(pair, kind) for pair, kind in kinds.items())
    return Sample(pairs, tuple(failures), tuple(sampler.notices(positives, negatives, Counter(kinds.values()))))


class _Sampler:
    """Draws pairs of numbers of pictures."""

    def __init__(self, collection: Collection, seed: int) -> None:
        self.collection, self.seed = collection, seed
        self.pictures = sorted((p for p in collection.pictures if p.product), key=lambda picture: picture.path)
        self.five = not collection.copies and all(picture.category for picture in self.pictures)
        by_product: dict[str, list[int]] = defaultdict(list)
        for number, picture in enumerate(self.pictures):
            by_product[picture.product].append(number)
        names = sorted(by_product)
        self.products: Mapping[str, Sequence[int]] = {
            names[index]: by_product[names[index]] for index in seeded_order(names, seed, "products")
        }
        if len(self.products) < 2:
            raise UsageError(
                f"{printable(collection.root)} has {len(self.products)} products", remedy="two are needed to differ"
            )

    def positives(self, count: int) -> list[Pair]:
        """Pairs within products, every product in turn."""
        quota = dict.fromkeys(self.products, 0)
        room = {name: self._room(name) for name in self.products}
        if count and not any(room.values()):
            raise UsageError(
                f"no product of {printable(self.collection.root)} has two pictures", remedy="see how it is laid out"
            )
        turn = [name for name in self.products if room[name]]
        while turn and count:
            for name in turn[:count]:
                quota[name] += 1
            count -= min(count, len(turn))
            turn = [name for name in turn if quota[name] < room[name]]
        return [pair for name, wanted in quota.items() if wanted for pair in self._within(name, wanted)]

    def _room(self, name: str) -> int:
        """How many positive pairs a product can give."""
        number = len(self.products[name])
        copies = sum(not self._is_original(index) for index in self.products[name])
        return (number * (number - 1) - copies * (copies - 1)) // 2

    def _is_original(self, number: int) -> bool:
        return not self.collection.copies or self.pictures[number].view in ORIGINALS

    def _within(self, name: str, count: int) -> Iterator[Pair]:
        numbers = self.products[name]
        chance = generator(self.seed, "positives", name)

        def accept(a: int, b: int) -> bool:
            return self._is_original(numbers[a]) or self._is_original(numbers[b])

        for a, b in random_pairs(len(numbers), count, accept, chance):
            yield numbers[a], numbers[b]

    def negatives(self, count: int, kind: str, taken: set[Pair]) -> list[Pair]:
        """Pairs of two products, the first of each pair from every product in turn.

        The other product is of the same category for ``"hard"``, of another (where categories are known) otherwise.
        """
        chance = generator(self.seed, kind)
        category = {name: self.pictures[numbers[0]].category for name, numbers in self.products.items()}
        alike: dict[str, list[str]] = defaultdict(list)
        for name in self.products:
            alike[category[name]].append(name)
        every = list(self.products)
        names = [name for name in every if len(alike[category[name]]) > 1] if kind == "hard" else every
        found: dict[Pair, None] = {}
        for name in islice(cycle(names), 20 * count + 20 * len(names)):
            if len(found) == count:
                break
            other = chance.choice(alike[category[name]] if kind == "hard" else every)
            if other == name or (kind != "hard" and self.five and category[other] == category[name]):
                continue
            a, b = sorted(chance.choice(self.products[each]) for each in (name, other))
            if (a, b) not in taken:
                found[a, b] = None
        return list(found)

    def nearest(self, count: int, limits: Limits, failures: list[Failure], progress: Progress | None) -> list[Pair]:
        """Pairs of pictures of two products that look most alike."""
        if not count:
            return []
        chance = generator(self.seed, "pool")
        shuffled = [chance.sample(list(numbers), len(numbers)) for numbers in self.products.values()]
        rounds = (
            numbers[place] for place in range(max(map(len, shuffled))) for numbers in shuffled if place < len(numbers)
        )
        pool, embedded = [], Embedded()
        for done, number in enumerate(asked := list(islice(rounds, POOL)), 1):
            try:
                embedded.add(load(self.pictures[number].path, limits=limits))
                pool.append(number)
            except PictureError as error:
                failures.append(Failure.of(error))
            if progress is not None:
                progress("looking at pictures", done, len(asked))
        products = [self.pictures[number].product for number in pool]
        found = nearest_pairs(embedded.vectors, count, lambda a, b: products[a] != products[b])
        return [(min(pool[a], pool[b]), max(pool[a], pool[b])) for a, b in found]

    def labelled(self, pair: Pair, kind: str) -> SampledPair:
        """The pair with its label."""
        first, second = (self.pictures[number] for number in pair)
        if kind == "same":
            label = "same product" if self.five else "same"
        else:
            label = "same category" if self.five and first.category == second.category else "different"
        return SampledPair(_whole(first), _whole(second), label, kind)

    def notices(self, positives: int, negatives: int, made: Mapping[str, int]) -> Iterator[str]:
        """What a person should know."""
        yield from self.collection.notices
        if left := len(self.collection.pictures) - len(self.pictures):
            yield f"pictures left out, as nobody says which product they show: {left}"
        if made["same"] < positives:
            yield f"positive pairs: {made['same']}, not {positives}, for there are no more"
        if (got := made["hard"] + made["random"]) < negatives:
            yield f"negative pairs: {got}, not {negatives}, for there are no more"


def _whole(picture: LabelledPicture) -> str:
    return picture.path if "://" in picture.path else os.path.abspath(picture.path)
