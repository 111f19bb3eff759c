"""Dividing labelled pictures and pairs into parts, so that nothing in one part is known from another.

A picture is never divided from other pictures of its product, nor a pair from other pairs with one of its pictures:
what is tested on must be new. Every division depends on the names, the shares and the seed alone, not on the order in
which things are listed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from lookalike.errors import UsageError
from lookalike.lab.seeded import seeded_order


def split(
    groups: Sequence[str], shares: Mapping[str, float], *, strata: Sequence[str] | None = None, seed: int = 0
) -> list[str]:
    """The part that each item goes to; a group is never divided.

    Parts get as near to their shares, counted in items, as groups allow. With ``strata`` every stratum is spread over
    all parts likewise, as far as its groups go round.

    Args:
        groups: what each item must stay together with: its product, or the picture it was made from.
        shares: part → its share, in any unit: ``{"train": 0.8, "test": 0.2}`` or ``{"train": 4, "test": 1}``.
        strata: category of each item; a group that is in several counts as in the most frequent one.
        seed: another one, another division.

    Returns:
        The name of a part for each item, in their order.

    Raises:
        UsageError: a share that is no positive number, or lists of different lengths.

    >>> split(["shoe 1", "shoe 1", "shoe 2", "shoe 3"], {"train": 0.5, "test": 0.5}, seed=1)
    ['train', 'train', 'test', 'test']
    """
    if not shares or not all(np.isfinite(share) and share > 0 for share in shares.values()):
        raise UsageError("every part needs a share over 0", remedy="such as train=0.8, test=0.2")
    if strata is not None and len(strata) != len(groups):
        raise UsageError(f"{len(groups)} groups, but {len(strata)} strata")
    sizes = Counter(groups)
    names = _in_order(sizes, _stratum_of(groups, strata), seed)
    unit = 1 / sum(shares.values())
    got = dict.fromkeys(shares, 0)
    part_of: dict[str, str] = {}
    seen = 0
    for name in names:
        seen += sizes[name]
        # The part that lacks most of what it should have by now: so every stretch of groups is divided evenly.
        part = max(shares, key=lambda part: shares[part] * unit * seen - got[part])
        part_of[name] = part
        got[part] += sizes[name]
    return [part_of[group] for group in groups]


def folds(groups: Sequence[str], count: int, *, strata: Sequence[str] | None = None, seed: int = 0) -> list[int]:
    """The fold of each item, 0 to ``count`` - 1, for cross-validation; a group is never divided.

    Raises:
        UsageError: fewer than two folds, or fewer groups than folds.

    >>> folds(["a", "b", "c", "a"], 3)
    [0, 1, 2, 0]
    """
    if count < 2 or len(set(groups)) < count:
        raise UsageError(f"{len(set(groups))} groups cannot make {count} folds", remedy="2 folds or more, a group each")
    width = len(str(count))
    parts = {f"{number:0{width}}": 1.0 for number in range(count)}
    return [int(part) for part in split(groups, parts, strata=strata, seed=seed)]


def components(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What hangs together by pairs: each name → the first name, in the order of the alphabet, that it is tied to.

    >>> components([("b", "c"), ("a", "b"), ("x", "y")])
    {'a': 'a', 'b': 'a', 'c': 'a', 'x': 'x', 'y': 'x'}
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    names = sorted({name for pair in pairs for name in pair})
    number = {name: index for index, name in enumerate(names)}
    rows, columns = ([number[pair[side]] for pair in pairs] for side in (0, 1))
    ties = coo_array((np.ones(len(pairs), np.int8), (rows, columns)), shape=(len(names), len(names)))
    first: dict[int, str] = {}
    _, labels = connected_components(ties, directed=False)
    return {name: first.setdefault(int(label), name) for name, label in zip(names, labels, strict=True)}


def split_pairs(
    pairs: Sequence[tuple[str, str]],
    shares: Mapping[str, float],
    *,
    tied: Sequence[bool] | None = None,
    seed: int = 0,
) -> list[str | None]:
    """The part that each pair goes to, so that no picture is in two parts.

    Args:
        pairs: names of two pictures each.
        shares: part → its share, as for :func:`split`, here of the pictures.
        tied: which pairs hold their two pictures together, all by default. Negative pairs often tie all pictures into
            one; with positives alone tied, negatives that would reach over two parts are given up.
        seed: another one, another division.

    Returns:
        The name of a part for each pair, None for those that are given up.

    >>> pairs = [("a1", "a2"), ("b1", "b2"), ("a1", "b1")]
    >>> split_pairs(pairs, {"train": 1, "test": 1}, tied=[True, True, False])
    ['test', 'train', None]
    """
    holding = pairs if tied is None else [pair for pair, holds in zip(pairs, tied, strict=True) if holds]
    every = {name for pair in pairs for name in pair}
    together = {name: name for name in every} | components(holding)
    names = sorted(every)
    part_of = dict(zip(names, split([together[name] for name in names], shares, seed=seed), strict=True))
    return [part_of[a] if part_of[a] == part_of[b] else None for a, b in pairs]


def _stratum_of(groups: Sequence[str], strata: Sequence[str] | None) -> dict[str, str]:
    if strata is None:
        return dict.fromkeys(groups, "")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for group, stratum in zip(groups, strata, strict=True):
        counts[group][stratum] += 1
    return {group: max(of_it, key=lambda stratum: (of_it[stratum], stratum)) for group, of_it in counts.items()}


def _in_order(sizes: Mapping[str, int], stratum: Mapping[str, str], seed: int) -> list[str]:
    """Groups at random, stratum after stratum, in each the large ones first: what is small evens out."""
    names, kinds = sorted(sizes), sorted(set(stratum.values()))
    turn = {kinds[index]: place for place, index in enumerate(seeded_order(kinds, seed, "strata"))}
    at_random = [names[index] for index in seeded_order(names, seed, "groups")]
    return sorted(at_random, key=lambda name: (turn[stratum[name]], -sizes[name].bit_length()))
