"""Who learns, who says when to stop, who judges: parts that share no product, and are large enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lookalike.errors import UsageError
from lookalike.lab.datasets.splits import split
from lookalike.lab.training.batches import Numbers

SHARES: Mapping[str, float] = {"fit": 0.64, "stop": 0.16, "held": 0.20}
"""Shares of the pictures; no product is divided."""

FEW_SHARES: Mapping[str, float] = {"fit": 0.5, "stop": 0.2, "held": 0.3}
"""Where there are few products more of them are needed to judge by."""

FEW = 50
"""Products."""

LEAST_PRODUCTS = 15
"""Products with two pictures or more, below which nothing could be said of what was learned."""

LEAST_PICTURES = 100
"""Pictures, where nothing is known of products."""

LEAST_JUDGES = {"fit": 5, "stop": 2, "held": 4}
"""Products with two pictures or more in each part."""

MOST_STOP = 1500
"""Pictures that say when to stop; they are looked at often."""

MOST_HELD = 3000
"""Pictures that judge; they are ranked against each other."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Numbers of the pictures of each part, ascending.

    Attributes:
        fit: to learn from.
        stop: to say when to stop.
        held: to judge; nothing was learned from them, nor chosen by them.
    """

    fit: Numbers
    stop: Numbers
    held: Numbers


def by_product(labels: Numbers, names: Sequence[str], seed: int) -> Shares:
    """Divide labelled pictures, so that all of one product are in one part.

    Args:
        labels: (N,), the number of each picture's product; pictures with -1 are in no part.
        names: of the products; they decide, with the seed, not the numbers.
        seed: another one, another division.

    Raises:
        UsageError: too few products; the message has the number needed.
    """
    known = np.flatnonzero(labels >= 0)
    several = _several(labels)
    if several < LEAST_PRODUCTS:
        raise UsageError(
            f"training needs at least {LEAST_PRODUCTS} products with two pictures or more each, and there are "
            f"{several}",
            remedy="label more, or learn without labels: --no-labels with --kind whole or binary, or --kind pca",
        )
    shares = FEW_SHARES if several < FEW else SHARES
    parts = split([names[labels[number]] for number in known], shares, seed=seed)
    divided = {name: known[[part == name for part in parts]] for name in shares}
    for name, least in LEAST_JUDGES.items():
        there = _several(labels[divided[name]])
        if there < least:
            what = {"fit": "to learn from", "stop": "to say when to stop", "held": "to judge by"}[name]
            raise UsageError(
                f"{there} products with two pictures or more are left {what}, and {least} are needed",
                remedy="label more products: a few of them hold most of the pictures",
            )
    return Shares(
        divided["fit"],
        some_products(labels, divided["stop"], MOST_STOP, seed),
        some_products(labels, divided["held"], MOST_HELD, seed),
    )


def enough_products(labels: Numbers) -> bool:
    """Whether :func:`by_product` has products enough to divide."""
    return _several(labels) >= LEAST_PRODUCTS


def _several(labels: Numbers) -> int:
    return int((np.bincount(labels[labels >= 0], minlength=1) > 1).sum())


def by_picture(digests: Sequence[str], seed: int) -> Shares:
    """Divide pictures of which nothing is known.

    Raises:
        UsageError: too few of them.
    """
    if len(digests) < LEAST_PICTURES:
        raise UsageError(
            f"at least {LEAST_PICTURES} pictures are needed, and {len(digests)} can be used",
            remedy="give more pictures",
        )
    parts = np.array(split(digests, SHARES, seed=seed))
    fit, stop, held = (np.flatnonzero(parts == name) for name in ("fit", "stop", "held"))
    random = np.random.default_rng(seed)
    return Shares(fit, np.sort(random.permutation(stop)[:MOST_STOP]), np.sort(random.permutation(held)[:MOST_HELD]))


def some_products(labels: Numbers, members: Numbers, most: int, seed: int) -> Numbers:
    """``members``, or where they are more than ``most``, all pictures of as many products as that many hold."""
    if len(members) <= most:
        return members
    products = np.random.default_rng(seed).permutation(np.unique(labels[members]))
    sizes = np.bincount(labels[members])[products]
    taken = products[: max(1, int((np.cumsum(sizes) <= most).sum()))]
    return members[np.isin(labels[members], taken)]
