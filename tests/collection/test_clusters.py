"""Groups against the definition of each way, on graphs of any shape."""

from __future__ import annotations

from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.collection import clusters
from lookalike.collection.clusters import grouped
from lookalike.types import Comparison, Group, GroupBy, Transform

WAYS: tuple[GroupBy, ...] = ("base", "cluster", "component")


def pair(a: str, b: str, score: float = 0.95, transform: Transform | None = None) -> Comparison:
    return Comparison(a, b, score, "near-duplicate", {}, transform)


@st.composite
def graphs(draw: st.DrawFn) -> list[Comparison]:
    names = "abcdefghij"[: draw(st.integers(2, 10))]
    edges = draw(st.sets(st.sampled_from(list(combinations(names, 2)))))
    scores = st.sampled_from([0.9, 0.92, 0.95, 1.0])
    return [pair(a, b, draw(scores)) for a, b in sorted(edges)]


def score_of(pairs: list[Comparison]) -> dict[frozenset[str], float]:
    return {frozenset((each.a, each.b)): each.score for each in pairs}


def paths(group: Group) -> list[str]:
    return [group.base, *(member.path for member in group.members)]


def check_scores(group: Group, pairs: list[Comparison]) -> None:
    """Scores are those of the pair with the base, in order, and ``lowest`` that of any two."""
    known = score_of(pairs)
    for member in group.members:
        assert member.score == known.get(frozenset((group.base, member.path)))
    shown = [(-(member.score or 0), member.path) for member in group.members]
    assert shown == sorted(shown)
    every = [known.get(frozenset(two)) for two in combinations(paths(group), 2)]
    assert group.lowest == (None if None in every else min(score for score in every if score is not None))


@given(graphs())
@settings(max_examples=80)
def test_every_picture_with_its_like_is_a_base_once(pairs: list[Comparison]) -> None:
    groups = grouped(pairs, "base")
    assert sorted(group.base for group in groups) == sorted({path for each in pairs for path in (each.a, each.b)})
    for group in groups:
        check_scores(group, pairs)
        assert {frozenset((group.base, member.path)) for member in group.members} == {
            edge for edge in score_of(pairs) if group.base in edge
        }


@given(graphs())
@settings(max_examples=80)
def test_in_a_cluster_all_are_alike_to_the_centre_and_nobody_is_in_two(pairs: list[Comparison]) -> None:
    groups = grouped(pairs, "cluster")
    members = [path for group in groups for path in paths(group)]
    assert len(members) == len(set(members))
    for group in groups:
        assert group.members, "nobody alone"
        assert all(member.score is not None for member in group.members)
        check_scores(group, pairs)
    left = set().union(*(each for each in score_of(pairs))) - set(members)
    assert not any(edge <= left for edge in score_of(pairs)), "two that are alike are not both left out"


@given(graphs())
@settings(max_examples=80)
def test_components_are_those_of_union_find(pairs: list[Comparison]) -> None:
    parent: dict[str, str] = {}

    def root(path: str) -> str:
        while parent.setdefault(path, path) != path:
            path = parent[path]
        return path

    for each in pairs:
        parent[root(each.a)] = root(each.b)
    wanted: dict[str, set[str]] = {}
    for path in list(parent):
        wanted.setdefault(root(path), set()).add(path)
    groups = grouped(pairs, "component")
    assert sorted(sorted(paths(group)) for group in groups) == sorted(map(sorted, wanted.values()))
    for group in groups:
        check_scores(group, pairs)


@given(graphs(), st.randoms(use_true_random=False), st.sampled_from(WAYS))
@settings(max_examples=60)
def test_the_order_of_pairs_and_of_their_sides_does_not_matter(
    pairs: list[Comparison], random: Random, by: GroupBy
) -> None:
    shuffled = [each.reversed() if random.random() < 0.5 else each for each in pairs]
    random.shuffle(shuffled)
    assert grouped(shuffled, by) == grouped(pairs, by)


@pytest.mark.parametrize("by", WAYS)
def test_the_largest_come_first(by: GroupBy) -> None:
    groups = grouped([pair("x", "y"), pair("a", "b"), pair("m", "n"), pair("m", "o"), pair("n", "o")], by)
    order = [(-len(group), group.base) for group in groups]
    assert order == sorted(order)
    assert grouped([], by) == ()


def test_a_chain_is_no_cluster() -> None:
    chain = [pair(a, b) for a, b in ("ab", "bc", "cd", "de")]
    assert max(len(group) for group in grouped(chain, "cluster")) == 3
    (whole,) = grouped(chain, "component")
    assert len(whole) == 5
    assert whole.lowest is None
    assert [member.score for member in whole.members].count(None) == 2, "and those come last"
    assert whole.members[-1].score is None


def test_members_lie_on_the_base() -> None:
    turned = Transform(rotation=90, overlap=0.5, overlap_other=1.0)
    groups = {group.base: group for group in grouped([pair("a", "b", transform=turned)], "base")}
    assert groups["a"].members[0].transform == turned
    assert groups["b"].members[0].transform == turned.reversed()


def test_one_large_family_is_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For every base anew it would take a thousand twins some minutes."""
    looked = []
    lowest = clusters._lowest
    monkeypatch.setattr(clusters, "_lowest", lambda known, family: looked.append(family) or lowest(known, family))
    family = [pair(f"{a:02}", f"{b:02}") for a, b in combinations(range(40), 2)]
    groups = grouped([*family, pair("x", "y", 0.9)], "base")
    assert len(looked) == 2
    assert [group.lowest for group in groups] == [0.95] * 40 + [0.9] * 2
