"""Pairs dealt into folds: no picture on both sides."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.lab.calibrating.crossval import LEAST_FIT, deal, held_out

graphs = st.integers(2, 30).flatmap(
    lambda pictures: st.lists(
        st.tuples(st.integers(0, pictures - 1), st.integers(0, pictures - 1), st.booleans()), min_size=1, max_size=60
    )
)


@settings(max_examples=60)
@given(graphs, st.integers(2, 6), st.integers(0, 3))
def test_every_pair_is_judged_once_and_by_other_pictures(
    rows: list[tuple[int, int, bool]], count: int, seed: int
) -> None:
    first, second = (np.array([row[at] for row in rows]) for at in (0, 1))
    labels = np.array([row[2] for row in rows])
    folds = deal(first, second, labels, count, seed)
    times = np.zeros(len(rows), int)
    for train, judged in folds.splits():
        times += judged
        ours = set(first[judged].tolist()) | set(second[judged].tolist())
        theirs = set(first[train].tolist()) | set(second[train].tolist())
        assert not ours & theirs
    assert np.all(times == 1)
    again = deal(first, second, labels, count, seed)
    assert np.array_equal(again.first, folds.first)


def products(each: int, count: int, hard: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures of products: all pairs within one, and so many across to others."""
    random = np.random.default_rng(1)
    rows = [(p * each + a, p * each + b, True) for p in range(count) for a in range(each) for b in range(a)]
    while len(rows) < count * (each * (each - 1) // 2 + hard):
        a, b = random.integers(0, each * count, 2)
        if a // each != b // each:
            rows.append((int(a), int(b), False))
    first, second, labels = zip(*rows, strict=True)
    return np.array(first), np.array(second), np.array(labels)


def test_products_stay_together_and_folds_are_about_as_large() -> None:
    first, second, labels = products(each=4, count=20)
    folds = deal(first, second, labels)
    assert folds.by == "product"
    assert np.array_equal(folds.first[labels], folds.second[labels])
    fold_of = dict(zip(first.tolist(), folds.first.tolist(), strict=True))
    for picture, fold in zip(second.tolist(), folds.second.tolist(), strict=True):
        assert fold_of.setdefault(picture, fold) == fold
    loads = np.bincount(np.concatenate([folds.first, folds.second]), minlength=5)
    assert loads.max() <= 1.3 * loads.min()


def test_separate_pairs_stay_whole_and_one_product_is_taken_apart() -> None:
    apart = np.arange(0, 100, 2), np.arange(1, 101, 2)
    folds = deal(*apart, np.arange(50) % 2 == 0)
    assert folds.by == "what hangs together by pairs"
    assert np.array_equal(folds.first, folds.second)
    star = np.zeros(30, int), np.arange(1, 31)
    assert deal(*star, np.ones(30, bool)).by == "picture"


def test_what_is_fitted_has_the_same_share_of_same_pairs() -> None:
    first, second, labels = products(each=4, count=20, hard=9)
    shares = []

    def fit(chosen: np.ndarray, weights: np.ndarray):  # type: ignore[no-untyped-def]
        shares.append(float(weights @ labels[chosen] / weights.sum()))
        assert np.isclose(weights.sum(), len(chosen))
        return lambda numbers: numbers.astype(float)

    said = held_out(deal(first, second, labels), labels, fit)
    assert np.array_equal(said, np.arange(len(labels)))
    assert np.allclose(shares, labels.mean())


def test_what_too_few_are_left_to_judge_is_not_judged() -> None:
    pairs = 2 * LEAST_FIT
    first, second = np.arange(0, 2 * pairs, 2), np.arange(1, 2 * pairs, 2)
    labels = np.arange(pairs) % 2 == 0
    said = held_out(deal(first, second, labels), labels, lambda chosen, weights: lambda numbers: numbers * 0.0)
    assert np.isnan(said).all()  # whatever is taken out, fewer than five of a kind are left
