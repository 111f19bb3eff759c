"""Logistic regression whose slopes never fall below 0: more likeness never makes a pair less likely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STEPS = 100
"""Newton steps at most; ten are usual."""


@dataclass(frozen=True, slots=True)
class Line:
    """log(P / (1 - P)) = intercept + slopes · features; every slope is 0 or more."""

    intercept: float
    slopes: tuple[float, ...]


def fit_logistic(features: Array, targets: Array, weights: Array) -> Line:
    """The line under which the targets are likeliest.

    The loss is convex and the bounds are a box, so the answer is the best there is. It does not depend on the order of
    the rows, to the last bit: they are sorted first.

    Args:
        features: float64, N×K.
        targets: float64, (N,): the probability wanted, within (0, 1) so that the answer is finite.
        weights: float64, (N,): how much each row counts, 0 or more, some over 0.

    >>> line = fit_logistic(np.array([[0.0], [1.0]]), np.array([0.25, 0.75]), np.ones(2))
    >>> round(line.intercept, 4), round(line.slopes[0], 4)
    (-1.0986, 2.1972)
    """
    order = np.lexsort((weights, targets, *features.T))
    features, targets, weights = features[order], targets[order], weights[order] / weights.sum()
    middle = weights @ features
    spread = np.sqrt(weights @ (features - middle) ** 2)
    spread[spread <= 1e-12 * (1 + abs(middle))] = np.inf  # a feature that never varies tells nothing
    columns = np.hstack([np.ones((len(features), 1)), (features - middle) / spread])
    found = _newton(columns, targets, weights)
    slopes = found[1:] / spread
    return Line(float(found[0] - middle @ slopes), tuple(map(float, slopes)))


def _newton(columns: Array, targets: Array, weights: Array) -> Array:
    """Coefficients with the least loss, those but the first 0 or more, by Newton steps among those that are free.

    A coefficient that a step takes to its bound stays there, out of further steps, until the loss falls where it rises
    again (an active set: J. Nocedal and S. Wright, Numerical Optimization, 2006, chapter 16).
    """
    found = np.zeros(columns.shape[1])
    loss = _loss(columns, targets, weights, found)
    for _ in range(STEPS):
        likely = sigmoid(columns @ found)
        slope = columns.T @ (weights * (likely - targets))
        free = (np.arange(len(found)) == 0) | (found > 0) | (slope < 0)
        if np.abs(slope[free]).max() < 1e-13:
            break
        step = _step(columns, weights * likely * (1 - likely), slope, found, free)
        falling = np.flatnonzero((step < 0) & (np.arange(len(step)) > 0))
        share = float(min(1.0, (found[falling] / -step[falling]).min(initial=1.0)))
        at_bound = falling[found[falling] / -step[falling] <= share]
        while share > 1e-12:
            tried = found + share * step
            tried[at_bound] = 0.0
            tried[1:] = np.maximum(tried[1:], 0.0)  # roundings
            less = _loss(columns, targets, weights, tried)
            if less < loss:
                break
            share, at_bound = share / 2, at_bound[:0]
        else:
            break  # as good as numbers of this precision get
        found, loss = tried, less
    return found


def _step(columns: Array, bends: Array, slope: Array, found: Array, free: npt.NDArray[np.bool_]) -> Array:
    """Newton's step of the free coefficients; one at its bound that the step would push past it is not free."""
    while True:
        inside = columns[:, free]
        step = np.zeros(len(slope))
        step[free] = -np.linalg.lstsq(inside.T @ (inside * bends[:, None]), slope[free], rcond=1e-13)[0]
        pushed = (found <= 0) & (step < 0) & (np.arange(len(step)) > 0)
        if not pushed.any():
            return step
        free = free & ~pushed


def _loss(columns: Array, targets: Array, weights: Array, coefficients: Array) -> float:
    logits = columns @ coefficients
    return float(weights @ (np.logaddexp(0, logits) - targets * logits))


def sigmoid(logits: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow, float64 of any shape."""
    small = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1.0, small) / (1 + small))
