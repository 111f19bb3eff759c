"""Chance that can be had again: decided by a seed and by what a thing is called, never by where it stands in a list."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence


def generator(seed: int, *names: str) -> random.Random:
    """A generator of its own for these names; hash() differs from run to run, a digest does not.

    >>> generator(0, "crops").random() == generator(0, "crops").random()
    True
    """
    return random.Random(_digest(seed, *names))


def seeded_order(keys: Sequence[str], seed: int, *names: str) -> list[int]:
    """The numbers of ``keys`` in an order that depends on the keys and the seed alone.

    >>> [["a", "b", "c"][i] for i in seeded_order(["a", "b", "c"], 2)]
    ['c', 'a', 'b']
    >>> [["c", "a", "b"][i] for i in seeded_order(["c", "a", "b"], 2)]
    ['c', 'a', 'b']
    """
    return sorted(range(len(keys)), key=lambda index: (_digest(seed, *names, keys[index]), keys[index]))


def _digest(seed: int, *names: str) -> bytes:
    return hashlib.sha256("/".join((str(seed), *names)).encode("utf-8", "surrogatepass")).digest()
