"""How far a number could be off by the luck of which pictures were labelled.

Pairs are not independent: one picture stands in many. So pictures are drawn with replacement, not pairs, and a pair
counts as often as the product of its pictures' counts says (the pigeonhole bootstrap: Owen, "The pigeonhole
bootstrap", Annals of Applied Statistics 1(2), 2007). Where no picture stands in two pairs that is careful rather than
exact: intervals come out up to about 1.7 times as wide as they need be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from lookalike.lab.ranking import Floats

ROUNDS = 500
LEVEL = 0.95
SEED = 0

TOGETHER = 1_000_000
"""Weights that are worked on at a time: what bounds the memory."""

MOST = 100_000_000
"""Weights in all; of tables with more than 200,000 pairs fewer rounds are drawn."""

Interval = tuple[float, float]
"""Lower and upper end."""

Numbers = npt.NDArray[np.int64]


def picture_numbers(pairs: Sequence[tuple[str, str]]) -> tuple[Numbers, Numbers, int]:
    """For each pair the numbers of its pictures, and how many pictures there are.

    >>> picture_numbers([("x", "y"), ("y", "z")])
    (array([0, 1]), array([1, 2]), 3)
    """
    numbers: dict[str, int] = {}
    found = [[numbers.setdefault(name, len(numbers)) for name in pair] for pair in pairs]
    first, second = np.array(found, np.int64).reshape(-1, 2).T
    return first, second, len(numbers)


def picture_weights(
    first: Numbers, second: Numbers, count: int, rounds: int = ROUNDS, seed: int = SEED
) -> Iterator[Floats]:
    """Weights of the pairs in every round, (some rounds, pairs) at a time, ``rounds`` in all; the same for one seed."""
    random = np.random.default_rng(seed)
    rounds = max(20, min(rounds, MOST // max(1, len(first))))
    step = max(1, TOGETHER // max(1, len(first)))
    for start in range(0, rounds, step):
        counts = random.multinomial(count, np.full(count, 1 / count), size=min(step, rounds - start)).astype(np.float64)
        yield np.where(first == second, counts[:, first], counts[:, first] * counts[:, second])


def intervals(
    measured: Callable[[Floats], Mapping[str, Floats]], weights: Iterable[Floats], level: float = LEVEL
) -> dict[str, Interval]:
    """The interval that holds the middle ``level`` of what each measure gives over all rounds.

    Args:
        measured: weights (rounds, pairs) to names and numbers, a number a round; nan where a round has no such number.
        weights: see :func:`picture_weights`.
        level: share of the rounds inside.

    Returns:
        Name → lower and upper end; nan twice where under half of the rounds have a number.
    """
    return {name: middle(values, level) for name, values in drawn(measured, weights).items()}


def drawn(measured: Callable[[Floats], Mapping[str, Floats]], weights: Iterable[Floats]) -> dict[str, Floats]:
    """What each measure gives in every round; arguments as for :func:`intervals`."""
    found: dict[str, list[Floats]] = {}
    for block in weights:
        for name, values in measured(block).items():
            found.setdefault(name, []).append(np.asarray(values, np.float64))
    return {name: np.concatenate(values) for name, values in found.items()}


def middle(values: Floats, level: float = LEVEL) -> Interval:
    """The interval that holds the middle ``level`` of some values; nan twice where under half of them are numbers."""
    good = values[np.isfinite(values)]
    if not len(good) or 2 * len(good) < len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(good, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
