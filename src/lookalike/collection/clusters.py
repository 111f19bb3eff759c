"""Pairs → groups, three ways; none depends on the order of files."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeAlias

from lookalike.types import Comparison, Group, GroupBy, Member

Known: TypeAlias = dict[str, dict[str, Comparison]]
"""Picture → every picture it is alike to → the comparison that says so."""


def grouped(pairs: Sequence[Comparison], by: GroupBy) -> tuple[Group, ...]:
    """Put pairs together.

    Args:
        pairs: every pair at the threshold or over it, each once.
        by: ``"base"``: every picture that has its like is the base of a group once; ``"cluster"``: every picture is in
            one group at most, and alike to its centre; ``"component"``: whatever hangs together by pairs, however long
            the chain.

    Returns:
        The largest groups first, then by the path of the base.

    >>> pairs = [Comparison(a, b, 0.95, "near-duplicate", {}) for a, b in ("ab", "bc", "cd")]
    >>> [(group.base, [member.path for member in group.members]) for group in grouped(pairs, "cluster")]
    [('b', ['a', 'c'])]
    >>> [len(group) for group in grouped(pairs, "component")]
    [4]
    """
    known: Known = defaultdict(dict)
    for pair in pairs:
        known[pair.a][pair.b] = known[pair.b][pair.a] = pair
    groups = _WAYS[by](dict(known))
    return tuple(sorted(groups, key=lambda group: (-len(group), group.base)))


def _by_base(known: Known) -> list[Group]:
    lowest: dict[frozenset[str], float | None] = {}  # all the bases of one large family have the same members
    groups = []
    for base, others in known.items():
        family = frozenset([base, *others])
        if family not in lowest:
            lowest[family] = _lowest(known, list(family))
        groups.append(Group(base, _members(known, base, list(others)), lowest[family]))
    return groups


def _by_cluster(known: Known) -> list[Group]:
    """The picture with the most likes takes them, then the next among those left."""
    left = {path: set(others) for path, others in known.items()}
    order = sorted(known, key=lambda path: _likes(known, path))
    groups = []
    for centre in order:
        if left.get(centre):
            members = left[centre]
            groups.append(_group(known, centre, list(members)))
            for gone in (centre, *members):
                for other in left.pop(gone, ()):
                    if other in left:
                        left[other].discard(gone)
    return groups


def _by_component(known: Known) -> list[Group]:
    groups, seen = [], set[str]()
    for start in sorted(known):
        if start in seen:
            continue
        found, ahead = {start}, [start]
        while ahead:
            for other in known[ahead.pop()]:
                if other not in found:
                    found.add(other)
                    ahead.append(other)
        seen |= found
        base = min(found, key=lambda path: _likes(known, path))
        groups.append(_group(known, base, [path for path in found if path != base]))
    return groups


def _likes(known: Known, path: str) -> tuple[int, float, str]:
    """Sorts the picture with the most likes first; summed exactly, for the order of pairs must not matter."""
    return -len(known[path]), -math.fsum(pair.score for pair in known[path].values()), path


def _group(known: Known, base: str, others: list[str]) -> Group:
    return Group(base, _members(known, base, others), _lowest(known, [base, *others]))


def _members(known: Known, base: str, others: list[str]) -> tuple[Member, ...]:
    """The most alike first, those below the threshold last."""
    members = [_member(known[base].get(path), base, path) for path in others]
    return tuple(sorted(members, key=lambda member: (-(member.score or 0.0), member.path)))


def _member(pair: Comparison | None, base: str, path: str) -> Member:
    if pair is None:
        return Member(path, None)
    if pair.transform is None:
        return Member(path, pair.score)
    return Member(path, pair.score, pair.transform if pair.a == base else pair.transform.reversed())


def _lowest(known: Known, paths: list[str]) -> float | None:
    """Least score of any two; None where a pair is missing, which means that it is below the threshold."""
    lowest = 1.0
    for number, path in enumerate(paths):
        for other in paths[number + 1 :]:
            pair = known[path].get(other)
            if pair is None:
                return None
            lowest = min(lowest, pair.score)
    return lowest


_WAYS: dict[GroupBy, Callable[[Known], list[Group]]] = {
    "base": _by_base,
    "cluster": _by_cluster,
    "component": _by_component,
}
