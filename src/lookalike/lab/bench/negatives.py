"""Pairs of things that differ: at random, and those that look most alike, which are the ones that teach something."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection

import numpy as np

from lookalike.collection.neighbours import Vectors, nearest

Pair = tuple[int, int]
"""Two numbers, the smaller first."""

Accept = Callable[[int, int], bool]
"""Whether these two make a pair that is wanted."""


def random_pairs(
    number: int, count: int, accept: Accept, chance: random.Random, *, taken: Collection[Pair] = ()
) -> list[Pair]:
    """``count`` different pairs of ``number`` things at random; fewer where there are fewer.

    Args:
        number: how many things there are.
        count: how many pairs are wanted.
        accept: called with the smaller number first.
        chance: decides.
        taken: pairs that are not wanted again.

    >>> sorted(random_pairs(3, 9, lambda a, b: True, random.Random(0)))
    [(0, 1), (0, 2), (1, 2)]
    """
    taken = set(taken)
    total = number * (number - 1) // 2
    if total <= 20 * (count + len(taken)):  # few enough to look at them all
        every = [(a, b) for a in range(number) for b in range(a + 1, number) if (a, b) not in taken and accept(a, b)]
        return chance.sample(every, min(count, len(every)))
    found: dict[Pair, None] = {}
    for _ in range(200 * count):
        if len(found) >= count:
            break
        a, b = sorted(chance.sample(range(number), 2))
        if (a, b) not in taken and accept(a, b):
            found[a, b] = None
    return list(found)


def nearest_pairs(vectors: Vectors, count: int, accept: Accept) -> list[Pair]:
    """``count`` different pairs of what lies nearest; fewer where there are fewer.

    Everything gives its nearest first, then its second nearest, and so on, so that no thing with many neighbours takes
    all. What is cut off of the last round is what is least alike.

    Args:
        vectors: float32, N×d, rows of length 1.
        count: how many pairs are wanted.
        accept: called with the smaller number first.

    >>> rows = np.eye(4, dtype=np.float32)
    >>> rows[1] = rows[0]
    >>> nearest_pairs(rows, 1, lambda a, b: True)
    [(0, 1)]
    """
    number, k = len(vectors), 16
    while True:
        found = _in_rounds(vectors, min(k, number - 1), count, accept)
        if len(found) >= count or k >= number - 1:
            return found[:count]
        k *= 4


def _in_rounds(vectors: Vectors, k: int, count: int, accept: Accept) -> list[Pair]:
    if k < 1:
        return []
    indices, similarities = nearest(np.ascontiguousarray(vectors), np.ascontiguousarray(vectors), k, same=True)
    waiting = [_accepted(row, indices[row], similarities[row], accept) for row in range(len(vectors))]
    found: dict[Pair, None] = {}
    for place in range(k):
        fresh: dict[Pair, float] = {}
        for offered in waiting:
            if place < len(offered) and offered[place][1] not in found:
                fresh[offered[place][1]] = offered[place][0]
        found.update(dict.fromkeys(sorted(fresh, key=lambda pair: (-fresh[pair], pair))))
        if len(found) >= count:
            break
    return list(found)


def _accepted(row: int, columns: np.ndarray, similarities: Vectors, accept: Accept) -> list[tuple[float, Pair]]:
    pairs = [(min(row, int(column)), max(row, int(column))) for column in columns if column >= 0]
    return [(float(value), pair) for value, pair in zip(similarities, pairs, strict=False) if accept(*pair)]
