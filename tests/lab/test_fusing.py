"""Lines fitted to labelled pairs: scikit-learn's where no bound is active, never falling elsewhere."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import UsageError
from lookalike.lab.calibrating.fusing import KNOTS, fit_sum, score_lines
from lookalike.scoring.fusion import QUESTIONS, Fusion, Line, on_line, sigmoid

TRUE = {"palette": 4.0, "embedding": 5.0}
"""How steep the lines are by which pairs are made up, from the first knot to the last."""


def heights(name: str) -> list[float]:
    return [TRUE[name] * (x - KNOTS[name][0]) for x in KNOTS[name]]


def made_up(count: int, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    random = np.random.default_rng(seed)
    evidence = {name: random.uniform(0, 1, count) for name in TRUE}
    log_odds = -3.5 + sum(np.interp(evidence[name], KNOTS[name], heights(name)) for name in TRUE)
    return evidence, random.random(count) < 1 / (1 + np.exp(-log_odds))


def hinges(evidence: dict[str, np.ndarray]) -> np.ndarray:
    """One column between two knots: how far a value is from the one to the other, in order of the pieces."""
    columns = [
        np.interp(values, [low, high], [0, 1])
        for name, values in evidence.items()
        for low, high in pairwise(KNOTS[name])
    ]
    return np.column_stack(columns)


def rises(line: Line) -> list[float]:
    return [above - below for (_, below), (_, above) in pairwise(line)]


def test_where_every_line_rises_it_is_the_line_of_scikit_learn() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    evidence, labels = made_up(40_000)
    weights = np.random.default_rng(1).uniform(0.5, 2, len(labels))
    fitted = fit_sum(evidence, labels, weights)
    # a label believed to one in a thousand is a thousandth of that pair with the other label
    columns = np.vstack([hinges(evidence)] * 2)
    both = np.concatenate([labels, ~labels])
    doubled = np.concatenate([0.999 * weights, 0.001 * weights])
    theirs = linear_model.LogisticRegression(C=np.inf, tol=1e-10, solver="newton-cholesky").fit(columns, both, doubled)
    assert theirs.coef_.min() > 0.01, "else the test says nothing"
    ours = [rise for line in fitted.lines.values() for rise in rises(line)]
    assert ours == pytest.approx(theirs.coef_[0], abs=2e-3)
    assert fitted.base == pytest.approx(theirs.intercept_[0], abs=2e-3)


def test_lines_by_which_pairs_were_made_are_found_again() -> None:
    evidence, labels = made_up(60_000, 2)
    fitted = fit_sum(evidence, labels, np.ones(len(labels)))
    for name, line in fitted.lines.items():
        assert tuple(x for x, _ in line) == KNOTS[name]
        assert [y for _, y in line] == pytest.approx(heights(name), abs=0.45)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(20, 200))
def test_no_line_ever_falls_whatever_the_pairs(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    evidence = {name: random.uniform(-0.2, knots[-1] * 1.2, count) for name, knots in KNOTS.items()}
    labels = random.random(count) < 0.5
    labels[:2] = True, False
    fitted = fit_sum(evidence, labels, random.random(count) + 0.01)
    for name, line in fitted.lines.items():
        assert line[0] == (KNOTS[name][0], 0.0)
        assert min(rises(line)) >= 0
    made = Fusion((dict.fromkeys(QUESTIONS, fitted),), score_lines((0.5, 1.5), 2.0), {})
    assert Fusion.from_dict(made.to_dict()) == made


def test_evidence_that_speaks_against_it_is_left_out() -> None:
    evidence, labels = made_up(4000)
    fitted = fit_sum({"palette": 1 - evidence["palette"]}, labels, np.ones(len(labels)))
    assert rises(fitted.lines["palette"]) == [0.0] * (len(KNOTS["palette"]) - 1)
    assert sigmoid(fitted.base) == pytest.approx(0.001 + 0.998 * labels.mean(), abs=1e-3)


def test_pairs_count_as_much_as_they_weigh() -> None:
    evidence, labels = made_up(500)
    weights = np.random.default_rng(3).integers(1, 4, len(labels))
    repeated = {name: np.repeat(values, weights) for name, values in evidence.items()}
    once = fit_sum(evidence, labels, weights.astype(float))
    often = fit_sum(repeated, np.repeat(labels, weights), np.ones(weights.sum()))
    for name in evidence:
        assert rises(once.lines[name]) == pytest.approx(rises(often.lines[name]), abs=1e-3)


def test_clean_labels_do_not_make_lines_endless() -> None:
    alike = np.concatenate([np.linspace(0, 0.55, 50), np.linspace(0.65, 1, 50)])
    fitted = fit_sum({"palette": alike}, alike > 0.6, np.ones(100))
    for value in (0.0, 1.0):
        assert 4 < abs(fitted.log_odds({"palette": value})) < 1.5 * math.log(999)


@pytest.mark.parametrize("label", [True, False])
def test_pairs_of_one_kind_teach_nothing(label: bool) -> None:
    with pytest.raises(UsageError, match="both kinds"):
        fit_sum({"palette": np.linspace(0, 1, 9)}, np.full(9, label), np.ones(9))


def test_evidence_without_knots_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no lines for 'smell'.*embedding, palette, object"):
        fit_sum({"smell": np.linspace(0, 1, 4)}, np.arange(4) > 1, np.ones(4))


@given(st.floats(-4, 4), st.floats(0.01, 4), st.floats(-4, 4))
def test_scores_begin_a_band_where_they_were_told(kind: float, more: float, category: float) -> None:
    made = score_lines((kind, kind + more), category)
    product, other = made["product"], made["category"]
    assert on_line(product, kind) == pytest.approx(0.65, abs=1e-3)
    assert on_line(product, kind + more) == pytest.approx(0.80, abs=2e-3)
    assert on_line(other, category) == pytest.approx(0.65, abs=1e-4)
    assert on_line(other, 1e3) < 0.80 <= on_line(product, 1e3) < 0.90
    assert on_line(product, -1e3) == on_line(other, -1e3) == 0.0
