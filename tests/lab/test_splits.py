"""Divisions: nothing in two parts, near the shares, the same whatever the order."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookalike.errors import UsageError
from lookalike.lab.datasets.splits import components, folds, split, split_pairs

NAMES = st.text("abcdef", min_size=1, max_size=2)
GROUPS = st.lists(NAMES, min_size=1, max_size=60)
PAIRS = st.lists(st.tuples(NAMES, NAMES), max_size=40)
SHARES = {"train": 0.6, "val": 0.1, "test": 0.3}


@given(GROUPS, st.integers(0, 5), st.randoms(use_true_random=False))
def test_groups_stay_whole_and_order_does_not_matter(groups: list[str], seed: int, chance: object) -> None:
    parts = split(groups, SHARES, seed=seed)
    assert all(len({part for part, own in zip(parts, groups, strict=True) if own == group}) == 1 for group in groups)
    order = sorted(range(len(groups)), key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert split([groups[i] for i in order], SHARES, seed=seed) == [parts[i] for i in order]


@given(st.integers(1, 400), st.integers(0, 3))
def test_equal_groups_come_as_near_to_the_shares_as_can_be(number: int, seed: int) -> None:
    got = Counter(split([f"g{index}" for index in range(number)], SHARES, seed=seed))
    for part, share in SHARES.items():
        assert abs(got[part] - share * number) <= 1.5


@given(st.lists(st.integers(1, 30), min_size=20, max_size=80), st.integers(0, 3))
def test_groups_of_any_size_come_near_to_them(sizes: list[int], seed: int) -> None:
    groups = [f"g{index}" for index, size in enumerate(sizes) for _ in range(size)]
    got = Counter(split(groups, SHARES, seed=seed))
    for part, share in SHARES.items():
        assert abs(got[part] - share * len(groups)) <= max(sizes)


def test_strata_are_spread_over_all_parts() -> None:
    groups = [f"{kind} {number}" for kind in "abcdefghij" for number in range(10)]
    strata = [group[0] for group in groups]
    parts = split(groups, {"train": 0.8, "test": 0.2}, strata=strata, seed=4)
    for kind in "abcdefghij":
        tested = sum(part == "test" for part, stratum in zip(parts, strata, strict=True) if stratum == kind)
        assert 1 <= tested <= 3
    # Without strata chance alone decides, and sooner or later some kind is not tested.
    spread = [split(groups, {"train": 0.8, "test": 0.2}, seed=seed) for seed in range(20)]
    assert any(
        all(part == "train" for part, group in zip(parts, groups, strict=True) if group[0] == kind)
        for parts in spread
        for kind in "abcdefghij"
    )


def test_seeds_divide_differently() -> None:
    groups = [f"g{index}" for index in range(50)]
    assert len({tuple(split(groups, SHARES, seed=seed)) for seed in range(5)}) == 5


def test_a_group_in_two_strata_counts_once() -> None:
    assert len(set(split(["a", "a", "a", "b"], SHARES, strata=["x", "y", "y", "x"])[:3])) == 1


@given(GROUPS, st.integers(2, 5))
def test_folds_hold_everything_once(groups: list[str], count: int) -> None:
    if len(set(groups)) < count:
        with pytest.raises(UsageError, match="cannot make"):
            folds(groups, count)
        return
    found = folds(groups, count)
    assert set(found) <= set(range(count))
    assert all(len({fold for fold, own in zip(found, groups, strict=True) if own == group}) == 1 for group in groups)


def test_folds_of_equal_groups_are_equal() -> None:
    assert set(Counter(folds([str(number) for number in range(60)], 12)).values()) == {5}


@given(PAIRS)
def test_components_are_what_a_walk_finds(pairs: list[tuple[str, str]]) -> None:
    found = components(pairs)
    for start in found:
        reached, waiting = {start}, [start]
        while waiting:
            here = waiting.pop()
            for a, b in pairs:
                for one, other in ((a, b), (b, a)):
                    if one == here and other not in reached:
                        reached.add(other)
                        waiting.append(other)
        assert found[start] == min(reached)
        assert {name for name in found if found[name] == found[start]} == reached


@given(PAIRS, st.integers(0, 3))
def test_no_picture_is_in_two_parts(pairs: list[tuple[str, str]], seed: int) -> None:
    parts = split_pairs(pairs, SHARES, seed=seed)
    assert None not in parts  # all pairs tie: none is given up
    for a in range(len(pairs)):
        for b in range(len(pairs)):
            if set(pairs[a]) & set(pairs[b]):
                assert parts[a] == parts[b]


@given(PAIRS, st.lists(st.booleans(), min_size=40, max_size=40), st.integers(0, 3))
def test_tied_pairs_are_never_given_up(pairs: list[tuple[str, str]], drawn: list[bool], seed: int) -> None:
    tied = drawn[: len(pairs)]
    parts = split_pairs(pairs, SHARES, tied=tied, seed=seed)
    assert all(part is not None for part, holds in zip(parts, tied, strict=True) if holds)
    where: dict[str, str] = {}
    for pair, part in zip(pairs, parts, strict=True):
        for name in pair if part is not None else ():
            assert where.setdefault(name, part) == part


def test_shares_must_be_shares() -> None:
    for shares in ({}, {"train": 0.0}, {"train": -1, "test": 2}, {"train": float("nan")}):
        with pytest.raises(UsageError, match="share over 0"):
            split(["a"], shares)
    with pytest.raises(UsageError, match="1 groups, but 2 strata"):
        split(["a"], SHARES, strata=["x", "y"])
