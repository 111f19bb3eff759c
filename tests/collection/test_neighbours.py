"""Nearest others are those of brute force, whitening is that of the covariance, and pairs have no sides."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lookalike.collection import neighbours
from lookalike.collection.neighbours import Neighbours, density, nearest, ranked, whitening

Vectors = npt.NDArray[np.float32]


def unit_vectors(count: int, seed: int, copies: int = 1) -> Vectors:
    """``count`` rows of length 1; every ``copies``-th is new, the others repeat it."""
    rows = np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)
    rows = rows[np.arange(count) // copies * copies]
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def brute_force(rows: Vectors, columns: Vectors, k: int, same: bool) -> npt.NDArray[np.float32]:
    """Similarities of the ``k`` nearest of every row, greatest first."""
    alike = rows @ columns.T
    if same:
        np.fill_diagonal(alike, -9)
    count = len(columns) - 1 if same else len(columns)
    return -np.sort(-alike, axis=1)[:, : min(k, count)]


def check(rows: Vectors, columns: Vectors, k: int, same: bool) -> None:
    found = nearest(rows, columns, k, same=same)
    wanted = brute_force(rows, columns, k, same)
    assert found.indices.shape == found.similarities.shape == wanted.shape
    np.testing.assert_allclose(found.similarities, wanted, atol=1e-5)
    for row, (indices, similarities) in enumerate(zip(found.indices, found.similarities, strict=True)):
        assert len(set(indices.tolist())) == len(indices), "none twice"
        assert not same or row not in indices, "none its own neighbour"
        np.testing.assert_allclose(columns[indices] @ rows[row], similarities, atol=1e-5)


@given(
    rows=st.integers(0, 40),
    columns=st.integers(0, 700),
    k=st.integers(1, 9),
    seed=st.integers(0, 99),
    copies=st.sampled_from([1, 1, 3, 50]),
)
@example(rows=3, columns=64 * 2, k=1, seed=0, copies=1)  # just as wide as is looked at span by span
@example(rows=3, columns=64 * 2 + 1, k=1, seed=0, copies=1)
@example(rows=3, columns=64 * 6 + 63, k=3, seed=0, copies=1)
@example(rows=3, columns=64 * 7, k=3, seed=0, copies=1)
@example(rows=2, columns=5, k=9, seed=0, copies=1)
@settings(max_examples=60)
def test_nearest_of_others(rows: int, columns: int, k: int, seed: int, copies: int) -> None:
    check(unit_vectors(rows, seed), unit_vectors(columns, seed + 1, copies), k, same=False)


@given(count=st.integers(0, 200), k=st.integers(1, 40), seed=st.integers(0, 99), copies=st.sampled_from([1, 2, 40]))
@example(count=1, k=3, seed=0, copies=1)
@example(count=2, k=1, seed=0, copies=2)
@settings(max_examples=60)
def test_nearest_of_the_same(count: int, k: int, seed: int, copies: int) -> None:
    vectors = unit_vectors(count, seed, copies)
    check(vectors, vectors, k, same=True)


@pytest.mark.parametrize("count", [15, 16, 17, 32, 33, 47])
def test_borders_of_blocks(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "BLOCK", 16)
    monkeypatch.setattr(neighbours, "SPAN", 4)
    vectors = unit_vectors(count, count)
    for k in (1, 3, count - 1, count + 5):
        check(vectors, vectors, k, same=True)
        check(vectors[: count // 2], vectors, k, same=False)


def test_whitening_is_that_of_the_covariance() -> None:
    rng = np.random.default_rng(3)
    rows = (rng.normal(size=(4000, 5)) * [10, 4, 2, 1, 0.1]) @ np.linalg.qr(rng.normal(size=(5, 5)))[0] + 7
    spread = (rows.astype(np.float32) - (made := whitening(rows, 5, floor=0.0)).mean) @ made.matrix
    np.testing.assert_allclose(np.cov(spread, rowvar=False), np.eye(5), atol=0.02)
    np.testing.assert_allclose(np.linalg.norm(made(rows), axis=1), 1, rtol=1e-5)

    kept = whitening(rows, 2, floor=0.05)
    variances, axes = np.linalg.eigh(np.cov(rows, rowvar=False))
    wanted = axes[:, -2:] / np.sqrt(variances[-2:] + 0.05 * variances[-1])
    np.testing.assert_allclose(np.abs(kept.matrix), np.abs(wanted), rtol=0.01, atol=1e-4)


def test_whitening_leaves_equal_and_few_vectors_finite() -> None:
    equal = np.ones((60, 8), np.float16)
    assert np.isfinite(whitening(equal, 4)(equal)).all()
    few = np.random.default_rng(0).normal(size=(2, 50))
    spread = whitening(few, 30)(few)
    assert np.isfinite(spread).all()
    assert spread[0] @ spread[1] < -0.99, "two vectors lie opposite about their mean"


def test_halves_are_whitened_like_whole_numbers_and_block_by_block() -> None:
    rows = np.random.default_rng(1).normal(size=(9000, 4)).astype(np.float16)
    made = whitening(rows, 4)
    whole = (rows.astype(np.float32) - made.mean) @ made.matrix
    np.testing.assert_allclose(made(rows), whole / np.linalg.norm(whole, axis=1, keepdims=True), atol=1e-5)


def test_ranked_is_the_same_from_either_side() -> None:
    vectors = unit_vectors(50, 5)
    found = nearest(vectors, vectors, 6, same=True)
    dense = density(found)
    pairs = ranked(found, dense, dense, same=True)
    assert (pairs.first < pairs.second).all()
    assert len(set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))) == len(pairs.first)
    assert (np.diff(pairs.score) <= 0).all()
    listed = {(min(row, int(other)), max(row, int(other))) for row in range(50) for other in found.indices[row]}
    assert set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == listed
    wanted = 2 * (vectors[pairs.first] * vectors[pairs.second]).sum(axis=1) - dense[pairs.first] - dense[pairs.second]
    np.testing.assert_allclose(pairs.score, wanted, atol=1e-5)

    order = np.random.default_rng(0).permutation(50)
    shuffled = nearest(vectors[order], vectors[order], 6, same=True)
    dense = density(shuffled)
    again = ranked(shuffled, dense, dense, same=True)
    back = {frozenset((int(order[a]), int(order[b]))) for a, b in zip(again.first, again.second, strict=True)}
    assert back == {frozenset(pair) for pair in listed}


def test_ranked_rows_and_columns_are_told_apart() -> None:
    rows, columns = unit_vectors(7, 1), unit_vectors(90, 2)
    found = nearest(rows, columns, 4, same=False)
    back = nearest(columns, rows, 10, same=False)
    pairs = ranked(found, density(found), density(back), same=False)
    listed = {(row, int(other)) for row in range(7) for other in found.indices[row]}
    assert set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)) == listed


def test_ranked_leaves_out_who_is_not_there() -> None:
    lonely = Neighbours(np.array([[1, -1], [0, -1]], np.int32), np.array([[0.5, -1], [0.5, -1]], np.float32))
    pairs = ranked(lonely, np.zeros(2, np.float32), np.zeros(2, np.float32), same=True)
    assert (pairs.first.tolist(), pairs.second.tolist(), pairs.score.tolist()) == ([0], [1], [1.0])


def test_density_is_the_mean_of_the_nearest() -> None:
    similarities = np.arange(24, dtype=np.float32).reshape(2, 12)[:, ::-1]
    found = Neighbours(np.zeros((2, 12), np.int32), similarities)
    np.testing.assert_allclose(density(found), [6.5, 18.5])
    assert density(Neighbours(np.zeros((2, 0), np.int32), np.zeros((2, 0), np.float32))).tolist() == [0, 0]
