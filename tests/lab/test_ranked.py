"""Measures of rankings against scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from lookalike.lab.retrieval import ranked
from lookalike.lab.retrieval.ranked import Ranked

queries = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30)), min_size=2, max_size=12, unique_by=lambda row: row[1]),
    min_size=1,
    max_size=6,
)
"""For each query: grade and score of every candidate, scores that differ within a query and may agree across."""


def made(rows: list[list[tuple[int, int]]]) -> Ranked:
    ordered = [sorted(row, key=lambda pair: -pair[1]) for row in rows]
    grades = [np.array([grade for grade, _ in row], np.float32) for row in ordered]
    scores = [np.array([score for _, score in row], np.float32) for row in ordered]
    return Ranked(grades, scores, [np.sort(each[each > 0])[::-1] for each in grades])


@settings(max_examples=150)
@given(queries)
def test_map_and_micro_ap(rows: list[list[tuple[int, int]]]) -> None:
    found = made(rows)
    single = [
        oracle.average_precision_score([grade > 0 for grade, _ in row], [score for _, score in row])
        for row in rows
        if any(grade > 0 for grade, _ in row)
    ]
    if not single:
        assert np.isnan(ranked.mean_average_precision(found))
        assert np.isnan(ranked.micro_ap(found))
        return
    assert ranked.mean_average_precision(found) == pytest.approx(np.mean(single))
    pool = [pair for row in rows for pair in row]
    together = oracle.average_precision_score([grade > 0 for grade, _ in pool], [score for _, score in pool])
    assert ranked.micro_ap(found) == pytest.approx(together)


@settings(max_examples=100)
@given(queries, st.sampled_from([1, 3, 10]))
def test_gain(rows: list[list[tuple[int, int]]], k: int) -> None:
    for row, found in zip(rows, made(rows).gains(k), strict=True):
        grades, scores = zip(*row, strict=True)
        if any(grades):
            assert found == pytest.approx(oracle.ndcg_score([grades], [scores], k=k, ignore_ties=True))
        else:
            assert np.isnan(found)


def test_recall_is_the_share_of_queries_with_a_find() -> None:
    grades = [np.array(row, np.float32) for row in ([0, 0, 1], [1, 0, 0], [0, 0, 0])]
    found = Ranked(grades, [np.array([3, 2, 1], np.float32)] * 3, [each[each > 0] for each in grades])
    assert [float(ranked.recall_at_k(found, k)) for k in (1, 2, 3)] == [0.5, 0.5, 1.0]


@pytest.mark.parametrize(
    "measure", [ranked.mean_average_precision, ranked.micro_ap, lambda found, weights: ranked.ndcg(found, 3, weights)]
)
def test_a_weight_counts_like_so_many_queries(measure: Any) -> None:
    random = np.random.default_rng(1)
    rows = [[(int(random.integers(0, 2)), int(score)) for score in random.permutation(40)[:9]] for _ in range(8)]
    weights = random.integers(0, 3, (5, 8))
    together = measure(made(rows), weights)
    for number, counts in enumerate(weights):
        repeated = [row for row, count in zip(rows, counts, strict=True) for _ in range(count)]
        assert together[number] == pytest.approx(float(measure(made(repeated), None)))


def test_what_a_ranking_leaves_out_counts_as_not_found() -> None:
    short = Ranked([np.array([1.0, 0.0])], [np.array([0.9, 0.8])], [np.array([1.0, 1.0])])
    assert ranked.mean_average_precision(short) == 0.5
    assert ranked.micro_ap(short) == 0.5
