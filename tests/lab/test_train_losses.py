"""Losses against formulas written out in loops, and their gradients against differences."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra train")

from lookalike.lab.training import losses  # noqa: E402

LABELS = [0, 0, 1, 1, 1, 2]
"""The last one is alone with its label: a negative, and no anchor."""


def rows(dimension: int = 5, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).normal(size=(len(LABELS), dimension))
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_contrastive_is_the_formula_of_the_paper(temperature: float) -> None:
    vectors = rows()
    terms = []
    for i, label in enumerate(LABELS):
        positives = [p for p, other in enumerate(LABELS) if other == label and p != i]
        everything = sum(math.exp(vectors[i] @ vectors[a] / temperature) for a in range(len(LABELS)) if a != i)
        if positives:
            logs = [math.log(math.exp(vectors[i] @ vectors[p] / temperature) / everything) for p in positives]
            terms.append(-sum(logs) / len(logs))
    found = losses.contrastive(torch.tensor(vectors), torch.tensor(LABELS), temperature)
    assert float(found) == pytest.approx(np.mean(terms), rel=1e-9)


def test_contrastive_of_two_views_is_cross_entropy_of_the_partner() -> None:
    """NT-Xent: the partner is the right answer among the 2N - 1 others."""
    vectors = torch.tensor(np.concatenate([rows(seed=1), rows(seed=2)]))
    count = len(vectors) // 2
    logits = (vectors @ vectors.T / 0.1).fill_diagonal_(-math.inf)
    partner = torch.arange(2 * count).roll(count)
    expected = torch.nn.functional.cross_entropy(logits, partner)
    found = losses.contrastive(vectors, torch.arange(count).repeat(2), 0.1)
    assert float(found) == pytest.approx(float(expected), rel=1e-9)


def test_triplet_takes_the_hardest_of_each_kind() -> None:
    vectors, margin, terms = rows(), 0.2, []
    for i, label in enumerate(LABELS):
        alike = [vectors[i] @ vectors[j] for j in range(len(LABELS))]
        positives = [alike[j] for j in range(len(LABELS)) if LABELS[j] == label and j != i]
        negatives = [alike[j] for j in range(len(LABELS)) if LABELS[j] != label]
        if positives:
            terms.append(max(0.0, max(negatives) - min(positives) + margin))
    found = losses.triplet(torch.tensor(vectors), torch.tensor(LABELS), margin)
    assert float(found) == pytest.approx(np.mean(terms), rel=1e-9)


def test_likeness_is_the_mean_squared_difference_of_cosines() -> None:
    codes = np.sign(rows(8, seed=3))
    vectors = rows()
    pairs = list(itertools.permutations(range(len(LABELS)), 2))
    expected = np.mean([(codes[i] @ codes[j] / 8 - vectors[i] @ vectors[j]) ** 2 for i, j in pairs])
    assert float(losses.likeness(torch.tensor(codes), torch.tensor(vectors))) == pytest.approx(expected, rel=1e-9)


def test_quantisation_is_zero_for_codes_alone() -> None:
    assert float(losses.quantisation(torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))) == 0
    assert float(losses.quantisation(torch.tensor([[0.5, -1.0]]))) == pytest.approx(0.125)


def test_balance_is_zero_for_even_bits_that_say_different_things() -> None:
    ideal = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert float(losses.balance(ideal)) == 0
    assert float(losses.balance(ideal.abs())) == pytest.approx(2.0)  # always +: uneven, and the same bit twice
    assert float(losses.balance(ideal[:, [0, 0]])) == pytest.approx(1.0)  # even, but the same bit twice


@pytest.mark.parametrize("name", ["contrastive", "triplet", "quantisation", "balance"])
def test_gradients_are_those_of_differences(name: str) -> None:
    labels = torch.tensor(LABELS)
    loss = getattr(losses, name)
    given = (labels,) if name in ("contrastive", "triplet") else ()
    vectors = torch.tensor(rows(seed=4), requires_grad=True)
    assert torch.autograd.gradcheck(lambda each: loss(each, *given), (vectors,))


def test_a_batch_without_partners_does_not_poison_the_weights() -> None:
    """Neither an infinity nor a nan may leak through the mask into the gradient."""
    vectors = torch.tensor(rows(), requires_grad=True)
    losses.contrastive(vectors, torch.tensor(LABELS), 0.01).backward()
    assert torch.isfinite(vectors.grad).all()
