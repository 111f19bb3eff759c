"""Labelled pairs as they can be fitted to: each pair of contents once, with one label."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from lookalike.images.limits import Limits
from lookalike.lab.calibrating.crossval import clumps
from lookalike.lab.calibrating.sampled import digest_of
from lookalike.lab.labelled import LabelledPair

Key = tuple[str, str]
"""What tells the contents of a pair's pictures, in order."""


NAMED = 3
"""Pairs that a note names."""


@dataclass(frozen=True, slots=True)
class Odd:
    """Labelled pairs that something is wrong with, one for each pair of contents.

    Attributes:
        twins: of one file with itself.
        at_odds: labelled in two ways.
        again: labelled more than once in one way.
    """

    twins: tuple[LabelledPair, ...] = ()
    at_odds: tuple[LabelledPair, ...] = ()
    again: tuple[LabelledPair, ...] = ()

    def told(self, twins: str, at_odds: str, again: str) -> tuple[str, ...]:
        """A note for each kind that there is, with the first of them by name."""
        return tuple(
            f"pairs: {len(pairs)} {what} ({_named(pairs)})"
            for pairs, what in ((self.twins, twins), (self.again, again), (self.at_odds, at_odds))
            if pairs
        )


def _named(pairs: Sequence[LabelledPair]) -> str:
    some = "; ".join(f"{os.path.basename(pair.a)}, {os.path.basename(pair.b)}" for pair in pairs[:NAMED])
    return some if len(pairs) <= NAMED else f"{some}; …"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Pairs, each once.

    Attributes:
        pairs: in the order of their contents, and each with its pictures so, so that nothing depends on the order of
            a table.
        keys: what each pair shows, likewise: digests, for what cannot be read its name.
        odd: what was left out.
    """

    pairs: tuple[LabelledPair, ...] = ()
    keys: tuple[Key, ...] = ()
    odd: Odd = field(default_factory=lambda: Odd())

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, in words."""
        return self.odd.told(
            "of one file with itself left out: no threshold is needed for those",
            "labelled in two ways, and left out",
            "labelled more than once, and counted once",
        )

    @property
    def same(self) -> int:
        """How many are labelled same."""
        return sum(pair.same for pair in self.pairs)

    def products(self) -> list[frozenset[str]]:
        """Pictures that hang together by pairs of the same product, as sets of digests."""
        return together([key for key, pair in zip(self.keys, self.pairs, strict=True) if pair.same])

    def only(self, kept: Sequence[bool]) -> Cleaned:
        """Those for which ``kept`` is true."""
        chosen = [number for number, keep in enumerate(kept) if keep]
        return Cleaned(
            tuple(self.pairs[number] for number in chosen), tuple(self.keys[number] for number in chosen), self.odd
        )

    def digest(self) -> str:
        """sha256 (hex) of all contents and labels: the same for the same data, in whatever order and files it came."""
        lines = sorted(f"{a} {b} {label_of(pair)}" for (a, b), pair in zip(self.keys, self.pairs, strict=True))
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def label_of(pair: LabelledPair) -> str:
    """The label in our own words: a verdict, or same or different."""
    return pair.verdict or ("same" if pair.same else "different")


def clean(pairs: Iterable[LabelledPair], limits: Limits, without: Iterable[Key] = ()) -> Cleaned:
    """Each pair of contents once; twins, and pairs with labels that contradict each other, left out.

    A picture paired with itself would be told without any threshold, and only make figures look good. A web address is
    not fetched for its digest; its name stands for it.

    Args:
        pairs: as they were labelled.
        limits: what a picture may cost.
        without: pairs that are there already, and not taken again.
    """
    digests: dict[str, str] = {}
    found: dict[Key, list[LabelledPair]] = defaultdict(list)
    for pair in pairs:
        for source in (pair.a, pair.b):
            if source not in digests:
                digests[source] = ("" if "://" in source else digest_of(source, limits) or "") or f"named {source}"
        a, b = digests[pair.a], digests[pair.b]
        if b < a:
            pair, a, b = replace(pair, a=pair.b, b=pair.a), b, a
        found[a, b].append(pair)
    twins = [key for key in found if key[0] == key[1]]
    at_odds = [key for key in found if len({label_of(pair) for pair in found[key]}) > 1 and key not in twins]
    odd = Odd(*(tuple(found[key][0] for key in keys) for keys in (twins, at_odds)))
    for key in (*twins, *at_odds, *without):
        found.pop(key, None)
    again = tuple(same[0] for same in found.values() if len(same) > 1)
    keys = sorted(found)
    return Cleaned(tuple(found[key][0] for key in keys), tuple(keys), replace(odd, again=again))


def together(keys: Sequence[Key]) -> list[frozenset[str]]:
    """What hangs together by these pairs."""
    names = sorted({name for key in keys for name in key})
    if not names:
        return []
    number = {name: place for place, name in enumerate(names)}
    ends = np.array([[number[name] for name in key] for key in keys], np.int64)
    clump = clumps(ends[:, 0], ends[:, 1], len(names))
    return [frozenset(names[at] for at in np.flatnonzero(clump == each)) for each in range(int(clump.max()) + 1)]
