"""The curves against scikit-learn, the published formulas, and what must hold of every one."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import UsageError
from lookalike.scoring.calibrators import EDGE, KINDS, Beta, Isotonic, Platt, calibrator_from_dict

Array = npt.NDArray[np.float64]


def sample(count: int = 400, seed: int = 1, sharp: float = 3.0) -> tuple[Array, Array]:
    """Scores of labelled pairs that overlap: (N,) in [0, 1], and (N,) of 0 and 1."""
    random = np.random.default_rng(seed)
    labels = (random.random(count) < 0.4).astype(float)
    scores = random.beta(np.where(labels == 1, sharp, 2.0), np.where(labels == 1, 2.0, sharp))
    return scores, labels


def smoothed(labels: Array) -> tuple[Array, Array]:
    """Platt's targets as rows for a classifier: every row once as each label, with its share as weight."""
    same, different = labels.sum(), (1 - labels).sum()
    target = np.where(labels == 1, (same + 1) / (same + 2), 1 / (different + 2))
    return np.repeat([1.0, 0.0], len(labels)), np.concatenate([target, 1 - target])


def logistic(features: Array, labels: Array) -> Any:
    """scikit-learn's logistic regression without regularisation on Platt's targets."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    both, weights = smoothed(labels)
    model = linear_model.LogisticRegression(C=np.inf, tol=1e-12, max_iter=100_000)
    return model.fit(np.concatenate([features, features]), both, weights)


def test_platt_is_scikit_learns_sigmoid() -> None:
    calibration = pytest.importorskip("sklearn.calibration")
    scores, labels = sample()
    theirs = calibration._SigmoidCalibration().fit(scores, labels)  # P = 1 / (1 + exp(a s + b))
    ours = Platt().fit(scores, labels)
    assert (ours.a_, ours.b_) == pytest.approx((-theirs.a_, -theirs.b_), rel=2e-4)
    model = logistic(scores[:, None], labels)
    assert (ours.a_, ours.b_) == pytest.approx((model.coef_[0, 0], model.intercept_[0]), rel=1e-5)
    assert ours.predict(scores) == pytest.approx(theirs.predict(scores), abs=1e-4)


def test_platt_never_falls_where_the_best_line_would() -> None:
    scores, labels = sample()
    ours = Platt().fit(1 - scores, labels)
    assert ours.a_ == 0
    assert ours.predict(0.3) == pytest.approx(labels.mean(), abs=0.01)


def test_isotonic_is_scikit_learns() -> None:
    isotonic = pytest.importorskip("sklearn.isotonic")
    scores, labels = sample()
    scores = scores.round(2)  # ties
    weights = np.random.default_rng(5).random(len(scores)) + 0.1
    same, different = weights @ labels, weights @ (1 - labels)
    theirs = isotonic.IsotonicRegression(
        y_min=1 / (different + 2), y_max=(same + 1) / (same + 2), out_of_bounds="clip"
    ).fit(scores, labels, weights)
    ours = Isotonic().fit(scores, labels, weights)
    asked = np.linspace(0, 1, 503)
    assert ours.predict(asked) == pytest.approx(theirs.predict(asked), abs=1e-12)


def test_beta_is_the_logistic_regression_of_the_paper() -> None:
    scores, labels = sample()
    scores = np.clip(scores, 2 * EDGE, 1 - 2 * EDGE)
    model = logistic(np.stack([np.log(scores), -np.log(1 - scores)], axis=1), labels)
    (a, b), c = model.coef_[0], model.intercept_[0]
    assert min(a, b) > 0  # else the test says nothing
    ours = Beta().fit(scores, labels)
    assert (ours.a_, ours.b_, ours.c_) == pytest.approx((a, b, c), rel=1e-4)
    published = 1 / (1 + 1 / (np.exp(c) * scores**a / (1 - scores) ** b))
    assert ours.predict(scores) == pytest.approx(published, abs=1e-5)


def test_beta_leaves_out_the_slope_that_would_be_negative() -> None:
    scores, labels = sample(sharp=6.0)
    bent = np.clip(scores**0.05, 2 * EDGE, 1 - 2 * EDGE)  # all the news is near 1
    ours = Beta().fit(bent, labels)
    features = np.stack([np.log(bent), -np.log(1 - bent)], axis=1)
    free = logistic(features, labels).coef_[0]
    assert free.min() < 0  # else the test says nothing
    kept = int(np.argmax(free))
    model = logistic(features[:, [kept]], labels)
    assert (ours.a_, ours.b_)[1 - kept] == 0
    assert ((ours.a_, ours.b_)[kept], ours.c_) == pytest.approx((model.coef_[0, 0], model.intercept_[0]), rel=1e-4)


def test_beta_can_be_the_identity() -> None:
    curve = Beta.from_dict({"kind": "beta", "a": 1, "b": 1, "c": 0})
    asked = np.linspace(EDGE, 1 - EDGE, 50)
    assert curve.predict(asked) == pytest.approx(asked)


@pytest.mark.parametrize("kind", KINDS)
def test_a_score_that_tells_all_gives_no_certainty(kind: str) -> None:
    scores, labels = np.repeat([0.2, 0.9], [30, 10]), np.repeat([0, 1], [30, 10])
    low, high = KINDS[kind]().fit(scores, labels).predict([0.0, 1.0])
    assert 0 < low <= 1 / 32 + 1e-9
    assert 11 / 12 - 1e-9 <= high < 1
    assert KINDS[kind]().fit(scores, labels).predict([0.2, 0.9]) == pytest.approx([1 / 32, 11 / 12], abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_with_weight_two_are_rows_twice(kind: str) -> None:
    scores, labels = sample(60)
    twice = np.concatenate([scores, scores[:20]]), np.concatenate([labels, labels[:20]])
    weighed = KINDS[kind]().fit(scores, labels, np.repeat([2.0, 1.0], [20, 40]))
    assert weighed.predict(scores) == pytest.approx(KINDS[kind]().fit(*twice).predict(scores), abs=1e-5)


rows = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40).filter(
    lambda found: len({label for _, label in found}) == 2
)


@settings(max_examples=40)
@given(rows, st.sampled_from(list(KINDS)), st.randoms(use_true_random=False))
def test_what_holds_of_every_curve(found: list[tuple[float, bool]], kind: str, random: Any) -> None:
    scores, labels = np.array([score for score, _ in found]), np.array([label for _, label in found])
    curve = KINDS[kind]().fit(scores, labels)
    asked = np.union1d(np.linspace(0, 1, 101), scores)
    said = curve.predict(asked)
    assert np.all((said >= 0) & (said <= 1))
    assert np.all(np.diff(said) >= -1e-15)  # the last bit of an exponential may tremble
    shuffled = random.sample(found, len(found))
    again = KINDS[kind]().fit([score for score, _ in shuffled], [label for _, label in shuffled])
    assert again.to_dict() == curve.to_dict()
    kept = calibrator_from_dict(json.loads(json.dumps(curve.to_dict())))
    assert kept.to_dict() == curve.to_dict()
    assert np.array_equal(kept.predict(asked), said)
    assert curve.predict(0.5).shape == ()


@settings(max_examples=40)
@given(rows, st.sampled_from(list(KINDS)))
def test_exchanging_the_labels_turns_the_curve_round(found: list[tuple[float, bool]], kind: str) -> None:
    scores = np.array([round(256 * score) / 256 for score, _ in found])  # 1 - s is exact
    labels = np.array([label for _, label in found])
    curve, turned = KINDS[kind]().fit(scores, labels), KINDS[kind]().fit(1 - scores, ~labels)
    asked = np.arange(1, 32) / 32
    assert turned.predict(1 - asked) == pytest.approx(1 - curve.predict(asked), abs=1e-3)


@pytest.mark.parametrize(
    ("scores", "labels", "weights"),
    [
        ([0.1, 0.2], [1, 1], None),
        ([0.1, 1.2], [0, 1], None),
        ([0.1, float("nan")], [0, 1], None),
        ([0.1, 0.2], [0, 2], None),
        ([0.1, 0.2], [0, 1, 1], None),
        ([0.1, 0.2], [0, 1], [1, 0]),
        ([0.1, 0.2], [0, 1], [1, float("inf")]),
        ([], [], None),
        (0.5, 1, None),
    ],
)
def test_other_arrays_are_refused(scores: Any, labels: Any, weights: Any) -> None:
    with pytest.raises(UsageError):
        Platt().fit(scores, labels, weights)


plain: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "c", "x"]), inner),
    max_leaves=5,
)


@settings(max_examples=150)
@given(plain | st.fixed_dictionaries({"kind": st.sampled_from(list(KINDS))}, optional={
    "a": plain, "b": plain, "c": plain, "scores": plain, "probabilities": plain})
)  # fmt: skip
def test_what_is_no_curve_is_refused_in_one_line(values: Any) -> None:
    try:
        curve = calibrator_from_dict(values)
    except UsageError as error:
        said = str(error)
    else:
        said = ""
        assert np.all(np.diff(curve.predict(np.linspace(0, 1, 20))) >= 0)
    assert "\n" not in said
