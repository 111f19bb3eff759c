"""Who learns and who judges, and when better is said."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import UsageError
from lookalike.features.embedding import unit
from lookalike.lab.training.batches import Balanced, Shuffled
from lookalike.lab.training.judge import _paired, judge
from lookalike.lab.training.shares import LEAST_PRODUCTS, by_picture, by_product, some_products


def products(noise: float, count: int = 30, each: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors about a centre for each product, the closer the less noise; the same noise for one seed."""
    random = np.random.default_rng(seed)
    centres = np.repeat(random.normal(size=(count, 16)), each, axis=0)
    return unit(centres + noise * random.normal(size=centres.shape)), np.repeat(np.arange(count), each)


def test_what_is_better_is_called_better() -> None:
    (before, labels), (after, _) = products(1.2), products(0.6)
    found = judge(before, after, labels)
    assert found.better
    figure = found.figures["map"]
    assert figure.gain == pytest.approx(figure.after - figure.before)
    assert figure.interval[0] < figure.gain < figure.interval[1]
    assert found.figures["auc"].better
    assert (found.pictures, found.products) == (120, 30)


def test_what_is_the_same_or_worse_is_not() -> None:
    (before, labels), (worse, _) = products(0.6), products(1.2)
    assert not judge(before, before, labels).better
    assert judge(before, before, labels).figures["map"].interval == (0, 0)
    assert judge(before, worse, labels).figures["map"].worse


def test_chance_is_seldom_called_better() -> None:
    """Vectors of equal quality and other noise: in 20 draws the claim may come by luck once or twice."""
    claims = 0
    for seed in range(20):
        before, labels = products(1.0, seed=seed)
        centres = np.repeat(np.random.default_rng(seed).normal(size=(30, 16)), 4, axis=0)
        other = unit(centres + np.random.default_rng(1000 + seed).normal(size=centres.shape))
        claims += judge(before, other, labels).better
    assert claims <= 2


def test_products_are_drawn_not_pictures() -> None:
    """Ten pictures of one product that gains much are one witness, and no proof; a little everywhere is."""
    labels = np.repeat(np.arange(8), 10)
    old = np.full(80, 0.5)
    one, everywhere = old.copy(), old + 0.01 + 0.005 * np.random.default_rng(0).normal(size=80)
    one[:10] = 1.0
    assert _paired(old, one, labels, 0).gain > _paired(old, everywhere, labels, 0).gain
    assert not _paired(old, one, labels, 0).better
    assert _paired(old, everywhere, labels, 0).better


def test_without_labels_agreement_alone_is_told() -> None:
    before, _ = products(1.0)
    found = judge(before, before, None)
    assert not found.better
    assert found.agreement == {"10": 1.0, "100": 1.0}
    assert found.to_dict()["neighbours_kept"] == {"10": 1.0, "100": 1.0}


def test_parts_share_no_product_and_hold_what_they_should() -> None:
    labels = np.repeat(np.arange(100), 5)
    names = [f"product {number}" for number in range(100)]
    shares = by_product(labels, names, 0)
    parts = [set(labels[part].tolist()) for part in (shares.fit, shares.stop, shares.held)]
    assert sum(map(len, parts)) == 100 == len(set.union(*parts))
    assert [len(part) for part in parts] == [64, 16, 20]
    assert np.array_equal(by_product(labels, names, 0).held, shares.held)
    assert not np.array_equal(by_product(labels, names, 1).held, shares.held)


def test_too_few_products_are_refused_with_the_number_needed() -> None:
    labels = np.repeat(np.arange(LEAST_PRODUCTS - 1), 3)
    alone = np.arange(100) + len(labels)  # products with a single picture do not count
    names = [str(each) for each in range(400)]
    with pytest.raises(UsageError, match=rf"at least {LEAST_PRODUCTS} products .* there are {LEAST_PRODUCTS - 1}"):
        by_product(np.concatenate([labels, alone]), names, 0)
    by_product(np.repeat(np.arange(LEAST_PRODUCTS), 3), names, 0)


def test_products_of_which_few_hold_nearly_all_pictures_are_refused() -> None:
    labels = np.concatenate([np.repeat(np.arange(2), 4000), np.repeat(np.arange(2, 16), 2)])
    with pytest.raises(UsageError, match=r"products with two pictures or more are left .* are needed"):
        by_product(labels, [str(each) for each in range(16)], 0)


def test_too_few_pictures_without_labels_are_refused() -> None:
    with pytest.raises(UsageError, match="at least 100 pictures are needed, and 99"):
        by_picture([f"{each:064x}" for each in range(99)], 0)
    shares = by_picture([f"{each:064x}" for each in range(200)], 0)
    assert len(set(shares.fit) | set(shares.stop) | set(shares.held)) == 200


def test_some_products_are_whole_ones() -> None:
    labels = np.repeat(np.arange(50), 4)
    taken = some_products(labels, np.arange(200), 60, 0)
    assert len(taken) == 60
    assert set(np.bincount(labels[taken])) <= {0, 4}


def test_batches_show_products_evenly_and_come_again_for_one_seed() -> None:
    labels = np.concatenate([np.repeat(0, 500), np.repeat(np.arange(1, 20), 3), [20]])
    batches = Balanced(labels, np.arange(len(labels)), products=8, each=3, seed=5)
    counts = np.bincount(np.concatenate([labels[batches.batch(step)] for step in range(400)]), minlength=21)
    assert counts[20] == 0  # alone: nothing to be brought together with
    assert counts[:20].min() > 0.7 * counts[:20].max()
    again = Balanced(labels, np.arange(len(labels)), products=8, each=3, seed=5)
    assert np.array_equal(batches.batch(7), again.batch(7))
    assert not np.array_equal(batches.batch(7), batches.batch(8))


def test_hard_batches_put_products_beside_those_that_look_like_them() -> None:
    labels = np.repeat(np.arange(40), 2)
    angle = np.repeat(np.arange(40) // 4, 1) * 0.6  # families of four that look alike
    means = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    batches = Balanced(labels, np.arange(80), products=8, each=2)
    batches.look(means)
    families = [len(set(labels[batches.batch(step)] // 4)) for step in range(1, 40, 2)]
    anywhere = [len(set(labels[batches.batch(step)] // 4)) for step in range(0, 40, 2)]
    assert np.mean(families) < 3 < 5 < np.mean(anywhere)


def test_shuffled_batches_hold_each_picture_once() -> None:
    batches = Shuffled(np.arange(50), size=20, seed=1)
    assert len(set(batches.batch(3).tolist())) == 20
    assert len(Shuffled(np.arange(5), size=20).batch(0)) == 5
