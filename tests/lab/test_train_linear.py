"""Principal components, turned codes and what stands first, against scikit-learn and against loops."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA as Reference
from sklearn.metrics import average_precision_score

from lookalike.errors import UsageError
from lookalike.features.codes import hamming, pack_codes, unpack_codes
from lookalike.features.embedding import unit
from lookalike.lab.training.nearest import agreement, precisions
from lookalike.lab.training.pca import FLOOR, PCA
from lookalike.lab.training.projection import Projection
from lookalike.lab.training.rotation import turned_codes


def cloud(count: int = 300, dimension: int = 24, seed: int = 0) -> np.ndarray:
    """Vectors of length 1 whose variance falls from axis to axis, about a mean that is not zero."""
    random = np.random.default_rng(seed)
    return unit(random.normal(size=(count, dimension)) * np.geomspace(4, 0.1, dimension) + 0.5)


def test_principal_components_are_those_of_scikit_learn() -> None:
    rows = cloud()
    ours, theirs = PCA(10).fit(rows), Reference(10, svd_solver="full").fit(rows.astype(np.float64))
    assert ours.kept_ == pytest.approx(theirs.explained_variance_ratio_.sum(), rel=1e-6)
    np.testing.assert_allclose(ours.variance_, theirs.explained_variance_, rtol=1e-5)
    np.testing.assert_allclose(np.abs((ours.components_ * theirs.components_).sum(axis=1)), 1, atol=1e-5)
    np.testing.assert_allclose(
        np.abs(ours.projection_.before(rows)), np.abs(theirs.transform(rows.astype(np.float64))), atol=1e-4
    )


def test_whitening_evens_out_what_varies_and_spares_what_hardly_does() -> None:
    rows = cloud()
    whitened = PCA(10, whiten=True).fit(rows)
    spread = whitened.projection_.before(rows).astype(np.float64).var(axis=0, ddof=1)
    share = whitened.variance_ / whitened.variance_[0]
    np.testing.assert_allclose(spread, share / (share + FLOOR), rtol=1e-3)


def test_components_do_not_depend_on_signs_that_are_arbitrary() -> None:
    rows = cloud()
    components = PCA(5).fit(rows).components_
    largest = np.abs(components).argmax(axis=1)
    assert (components[np.arange(5), largest] > 0).all()


@pytest.mark.parametrize("dimension", [0, 25, 300])
def test_more_components_than_there_are_is_refused_with_the_number(dimension: int) -> None:
    with pytest.raises(UsageError, match="at most 24 principal components"):
        PCA(dimension).fit(cloud())
    with pytest.raises(UsageError, match="at most 9 principal components"):
        PCA(dimension or 10).fit(cloud(10))


def test_turning_brings_components_nearer_to_the_corners() -> None:
    rows = cloud(500, 32)
    codes = turned_codes(rows, 16)
    inside = codes.matrix.astype(np.float64)
    np.testing.assert_allclose(inside.T @ inside, np.eye(16), atol=1e-4)  # a turn, nothing else

    def distance(mapped: np.ndarray) -> float:
        return float(((mapped - np.sign(mapped)) ** 2).sum())

    plain = PCA(16).fit(rows).projection_.before(rows)
    assert distance(codes.before(rows)) < distance(plain)
    assert codes(rows).shape == (500, 16)


def test_codes_behind_a_head_are_those_of_its_vectors() -> None:
    rows = cloud(500, 32)
    random = np.random.default_rng(1)
    head = Projection(random.normal(size=(32, 20)).astype(np.float32), random.normal(size=20).astype(np.float32))
    codes = turned_codes(rows, 16, behind=head)
    inner = PCA(16).fit(head.before(rows))
    flat = (head.before(rows) - inner.mean_) @ inner.components_.T
    ours = codes.before(rows).astype(np.float64)
    np.testing.assert_allclose(ours @ ours.T, flat @ flat.T, atol=1e-2)  # the same but for a turn


def test_codes_are_bits_and_their_cosine_is_their_hamming_distance() -> None:
    vectors = turned_codes(cloud(), 16)(cloud(seed=1))
    packed = pack_codes(vectors)
    assert packed.shape == (300, 2)
    np.testing.assert_array_equal(unpack_codes(packed), vectors)
    np.testing.assert_allclose(vectors @ vectors.T, 1 - 2 * hamming(packed, packed) / 16, atol=1e-6)
    with pytest.raises(UsageError, match="multiple of 8"):
        pack_codes(vectors[:, :12])


@pytest.mark.parametrize("coarse", [False, True])
def test_precision_is_that_of_scikit_learn_ties_too(coarse: bool) -> None:
    rows = cloud(60, 8)
    if coarse:  # codes of 8 bits: 60 of them have many equal distances
        rows = np.where(rows - np.median(rows, axis=0) > 0, 1, -1).astype(np.float32) / np.sqrt(np.float32(8))
    labels = np.arange(60) // 4
    labels[-1] = 99  # alone
    precision, first = precisions(rows, labels)
    alike = np.round(rows @ rows.T, 6)
    for number in range(59):
        others = np.arange(60) != number
        true, scores = labels[others] == labels[number], alike[number, others]
        assert precision[number] == pytest.approx(average_precision_score(true, scores), abs=1e-6)
        assert first[number] == pytest.approx(true[scores == scores.max()].mean())
    assert np.isnan(precision[-1])
    assert np.isnan(first[-1])


def test_agreement_counts_neighbours_that_are_found_again() -> None:
    rows = cloud(80, 8)
    assert agreement(rows, rows).tolist() == [1.0] * 80
    small = PCA(4).fit(rows).projection_(rows)

    def nearest(vectors: np.ndarray, number: int, count: int) -> set[int]:
        alike = vectors @ vectors[number]
        alike[number] = -np.inf
        return set(np.argsort(-alike)[:count].tolist())

    expected = [len(nearest(rows, each, 10) & nearest(small, each, 20)) / 10 for each in range(80)]
    np.testing.assert_allclose(agreement(rows, small, 20), expected)


def test_agreement_takes_what_is_equally_alike_by_chance() -> None:
    rows = cloud(41, 8)
    same = np.ones((41, 4), np.float32) / 2  # all are equally alike: ten of forty, whichever
    np.testing.assert_allclose(agreement(rows, same), 0.25)
