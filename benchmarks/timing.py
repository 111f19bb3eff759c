"""Fair timing on a machine that others use too: rivals take turns in one run, and medians are compared."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def interleaved(rivals: Mapping[str, Callable[[], object]], rounds: int, warm_up: int = 2) -> dict[str, list[float]]:
    """Milliseconds of every call: each round calls every rival once, so that all meet the same disturbances.

    The order within a round is turned round by round: nobody always runs in the other's warm cache.
    """
    names = list(rivals)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-warm_up, rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            before = time.perf_counter()
            rivals[name]()
            if number >= 0:
                taken[name].append((time.perf_counter() - before) * 1000)
    return taken


def median(milliseconds: list[float]) -> float:
    """Median; NaN of nothing."""
    return statistics.median(milliseconds) if milliseconds else float("nan")


def ratio(above: list[float], below: list[float]) -> float:
    """Median, over the rounds, of one rival's time divided by the other's in the same round.

    Steadier than the ratio of medians where the machine is busy for some rounds.
    """
    return median([a / b for a, b in zip(above, below, strict=True)])
