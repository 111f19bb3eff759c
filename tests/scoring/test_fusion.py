"""Sums of broken lines: never falling, exact through a file, and nothing guessed where evidence is missing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lookalike.errors import UsageError
from lookalike.scoring.fusion import QUESTIONS, SHIPPED, Answer, Fusion, Line, Sum, on_line, shipped, sigmoid

PIECES = ("embedding", "palette", "object")

heights = st.lists(st.floats(-20, 20), min_size=1, max_size=5).map(sorted)
knots = st.lists(st.integers(-30, 30), min_size=5, max_size=5, unique=True).map(sorted)
lines = st.builds(lambda xs, ys: tuple((x / 10, y) for x, y in zip(xs, ys, strict=False)), knots, heights)
scores = st.builds(lambda xs, ys: tuple(zip(xs, ys, strict=False)), knots,
                   st.lists(st.floats(0, 0.89), min_size=1, max_size=5).map(sorted))  # fmt: skip
values = st.floats(-4, 8)


def sums(pieces: tuple[str, ...]) -> st.SearchStrategy[dict[str, Sum]]:
    one = st.builds(Sum, st.floats(-9, 9), st.fixed_dictionaries(dict.fromkeys(pieces, lines)))
    return st.fixed_dictionaries(dict.fromkeys(QUESTIONS, one))


fusions = st.builds(
    Fusion,
    st.tuples(sums(PIECES[:2]), sums(PIECES)),
    st.fixed_dictionaries(dict.fromkeys(QUESTIONS, scores)),
    st.just({"note": "made up"}),
)
evidences = st.fixed_dictionaries(dict.fromkeys(PIECES, values))


def rising(low: float, high: float) -> Line:
    return ((0.0, low), (1.0, high))


def fusion(*by_pieces: Mapping[str, float], top: float = 0.88) -> Fusion:
    """For each set of pieces a sum in which a piece rises from 0 to so many log-odds."""
    made = [Sum(-1.0, {piece: rising(0, height) for piece, height in pieces.items()}) for pieces in by_pieces]
    to_scores = dict.fromkeys(QUESTIONS, ((-8.0, 0.0), (8.0, top)))
    return Fusion(tuple(dict.fromkeys(QUESTIONS, each) for each in made), to_scores, {})


@given(fusions | st.just(shipped()), evidences, st.sampled_from(PIECES), st.floats(0, 8))
def test_more_likeness_never_counts_against_a_pair(
    made: Fusion, evidence: dict[str, float], piece: str, more: float
) -> None:
    little, much = (made.answer({**evidence, piece: evidence[piece] + extra}) for extra in (0.0, more))
    assert much.score >= little.score - 1e-12
    assert much.probability >= little.probability - 1e-12
    assert much.added[piece] >= little.added[piece]


@given(fusions | st.just(shipped()), evidences, st.booleans())
def test_scores_stay_below_copies_and_p_is_a_probability(
    made: Fusion, evidence: dict[str, float], closely: bool
) -> None:
    answer = made.answer(evidence if closely else {name: evidence[name] for name in PIECES[:2]})
    assert 0 <= answer.score < 0.9
    assert 0 <= answer.probability <= 1


@given(fusions, evidences)
def test_the_answer_is_the_sum_of_what_is_told(made: Fusion, evidence: dict[str, float]) -> None:
    answer = made.answer(evidence)
    by_question = made.sums[1]
    log_odds = by_question["product"].base + sum(answer.added.values())
    assert answer.probability == pytest.approx(1 / (1 + math.exp(-log_odds)), abs=1e-12)
    assert set(answer.added) == set(PIECES)
    each = [on_line(made.scores[name], by_question[name].log_odds(evidence)) for name in QUESTIONS]
    assert answer.score == max(each)


def test_missing_evidence_is_not_guessed_but_left_to_the_sums_without_it() -> None:
    two, three = {"embedding": 2.0, "palette": 1.0}, {"embedding": 1.5, "palette": 0.5, "object": 4.0}
    for made in (fusion(two, three), fusion(three, two)):
        evidence = {"embedding": 0.5, "palette": 1.0}
        assert dict(made.answer(evidence).added) == {"embedding": 1.0, "palette": 1.0}
        nothing_found = made.answer({**evidence, "object": 0.0})
        assert dict(nothing_found.added) == {"embedding": 0.75, "palette": 0.5, "object": 0.0}
        assert made.answer({**evidence, "something new": 1.0}) == made.answer(evidence)
        for little in ({}, {"embedding": 1.0}, {"palette": 1.0, "object": 1.0}):
            with pytest.raises(UsageError, match="no sum makes do with"):
                made.answer(little)


def test_a_sum_is_used_only_where_both_questions_can_be_answered() -> None:
    made = Fusion(
        (
            {"product": Sum(0.0, {"object": rising(0, 9)}), "category": Sum(0.0, {"palette": rising(0, 1)})},
            dict.fromkeys(QUESTIONS, Sum(0.0, {"palette": rising(0, 2)})),
        ),
        dict.fromkeys(QUESTIONS, ((-8.0, 0.0), (8.0, 0.88))),
        {},
    )
    assert dict(made.answer({"palette": 1.0}).added) == {"palette": 2.0}


def test_the_score_is_the_higher_of_two_answers() -> None:
    """The same category for certain is not the same product; the same product is at least that."""
    sure, no = Sum(6.0, {}), Sum(-6.0, {})
    to_scores = {"product": ((-6.0, 0.0), (6.0, 0.88)), "category": ((-6.0, 0.0), (6.0, 0.7))}
    for product, category, score in ((no, no, 0.0), (no, sure, 0.7), (sure, sure, 0.88), (sure, no, 0.88)):
        answer = Fusion(({"product": product, "category": category},), to_scores, {}).answer({})
        assert answer.score == score
        assert (answer.probability > 0.99) == (product is sure)


def test_bands_begin_where_the_shipped_lines_say() -> None:
    """0.65 and 0.80 are knots: they were fitted as such. No evidence at all is far below both, all of it over 0.80."""
    for name, highest in (("product", 0.90), ("category", 0.80)):
        line = shipped().scores[name]
        levels = [y for _, y in line]
        assert 0.65 in levels
        assert 0 <= levels[0] < 0.2
        assert levels[-1] < highest, "same category for certain is not the same product"
    assert 0.80 in [y for _, y in shipped().scores["product"]]
    for closely in (PIECES, PIECES[:2]):
        assert shipped().answer(dict.fromkeys(closely, -1.0)).score < 0.4
        assert shipped().answer(dict.fromkeys(closely, 1.0)).score > shipped().answer(dict.fromkeys(closely, 0.5)).score
    assert shipped().answer({"embedding": 0.95, "palette": 0.95, "object": 5.0}).score >= 0.80


def test_the_shipped_sums_are_those_the_rule_can_ask_for() -> None:
    assert {frozenset(each["product"].lines) for each in shipped().sums} == {frozenset(PIECES), frozenset(PIECES[:2])}
    assert Fusion.from_dict(json.loads(SHIPPED.read_text(encoding="utf-8"))) == shipped()


@given(fusions)
def test_a_fusion_comes_back_from_a_file_to_the_last_bit(made: Fusion) -> None:
    again = Fusion.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again == made
    assert again.to_dict() == made.to_dict()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sums": ()}, "from 0 to below 0.90"),
        ({"sums": ({"product": Sum(0, {})},)}, "answers product and category, not product"),
        ({"scores": {}}, "answers product and category, not nothing"),
        ({"scores": dict.fromkeys(QUESTIONS, ((0.0, 0.5), (1.0, 0.9)))}, "below 0.90"),
        ({"scores": dict.fromkeys(QUESTIONS, ((0.0, -0.1),))}, "from 0"),
        ({"scores": dict.fromkeys(QUESTIONS, ((0.0, 0.5), (1.0, 0.4)))}, "must rise"),
        ({"scores": dict.fromkeys(QUESTIONS, ())}, "needs a knot"),
        ({"sums": (dict.fromkeys(QUESTIONS, Sum(0, {"palette": ((0.0, 1.0), (0.0, 2.0))})),)}, "must rise"),
        ({"sums": (dict.fromkeys(QUESTIONS, Sum(0, {"palette": ((0.0, 1.0), (0.5, 0.9))})),)}, "must rise"),
    ],
)
def test_what_is_no_fusion_cannot_be_made(change: dict[str, Any], message: str) -> None:
    good = fusion({"palette": 1.0})
    with pytest.raises(UsageError, match=message):
        Fusion(**{"sums": good.sums, "scores": good.scores, "about": {}, **change})


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def places(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value of a document."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document if isinstance(document, list) else ())
    )
    return [at, *(place for key, value in inner for place in places(value, (*at, key)))]


def changed(document: Any, at: tuple[Any, ...], value: Any) -> Any:
    if not at:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[at[0]] = changed(document[at[0]], at[1:], value)
    return copy


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_changed_document_is_a_fusion_or_a_usage_error(data: st.DataObject) -> None:
    document = fusion({"embedding": 2.0}, {"embedding": 1.0, "object": 3.0}).to_dict()
    damaged = changed(document, data.draw(st.sampled_from(places(document))), data.draw(plain))
    made, said = None, ""
    try:
        made = Fusion.from_dict(damaged)
    except UsageError as error:
        said = str(error)
    assert "\n" not in said
    if made is None:
        return
    assert Fusion.from_dict(made.to_dict()).to_dict() == made.to_dict()
    given_all = {name: 0.5 for each in made.sums for one in each.values() for name in one.lines}
    answer = made.answer(given_all)
    assert isinstance(answer, Answer)
    assert 0 <= answer.score < 0.9
    assert 0 <= answer.probability <= 1


@pytest.mark.parametrize(("x", "y"), [(-5, 1.0), (0, 1.0), (1, 2.0), (2, 3.0), (4, 3.0), (99, 3.0)])
def test_a_line_is_straight_between_knots_and_level_beyond(x: float, y: float) -> None:
    assert on_line(((0.0, 1.0), (2.0, 3.0), (4.0, 3.0)), x) == y


def test_the_sigmoid_does_not_overflow() -> None:
    assert [sigmoid(x) for x in (-1e4, 0.0, 1e4)] == [0.0, 0.5, 1.0]
    assert sigmoid(2.0) + sigmoid(-2.0) == pytest.approx(1)
