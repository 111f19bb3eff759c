"""The broken line from raw scores to scores whose bands hold."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lookalike.errors import UsageError
from lookalike.scoring.bands import Bands
from lookalike.verdicts import verdict_of

share = st.floats(0, 1)


@st.composite
def bands(draw: st.DrawFn) -> Bands:
    if draw(st.integers(0, 9)) == 0:
        return Bands(product=0.0, category=0.0, near=draw(st.none() | st.floats(0.01, 0.99)))
    category, product = sorted(draw(st.tuples(share, share)))
    assume(0 < category < product)
    near = draw(st.none() | share)
    assume(near is None or product < near < 1)
    return Bands(product, category, near)


@given(bands(), st.lists(share, min_size=2))
def test_order_is_kept_and_bands_begin_where_they_should(line: Bands, raws: list[float]) -> None:
    scores = [line.apply(raw) for raw in sorted(raws)]
    assert scores == sorted(scores)
    assert all(0 <= score <= 1 for score in scores)
    assert line.apply(1.0) == 1.0
    assert line.apply(math.nextafter(1, 0)) < (1 if line.near is not None else 0.90)
    assert line.product == 1 or line.apply(line.product) == 0.80
    if line.product > 0:
        assert line.apply(0.0) == 0.0
        assert line.apply(line.category) == 0.65
        assert line.apply(math.nextafter(line.product, 0)) < 0.80
        assert line.apply(math.nextafter(line.category, 0)) < 0.65
    if line.near is not None:
        assert line.apply(line.near) == 0.90
        assert line.apply(math.nextafter(line.near, 0)) < 0.90


@given(bands(), share, share)
def test_a_raw_threshold_lets_exactly_the_same_through(line: Bands, score: float, raw: float) -> None:
    least = line.raw(score)
    assert line.apply(least) >= score
    assert (raw >= least) == (line.apply(raw) >= score)


def test_the_line_is_straight_between_thresholds() -> None:
    line = Bands(product=0.6, category=0.4, near=0.8)
    assert [line.apply(raw) for raw in (0.2, 0.5, 0.7, 0.9)] == pytest.approx([0.325, 0.725, 0.85, 0.95])
    assert verdict_of(line.apply(0.6)) == "same product"
    unknown = Bands(product=0.6, category=0.4)
    assert unknown.apply(0.8) == pytest.approx(0.85)
    nothing = Bands(product=1.0, category=0.4)
    assert nothing.apply(0.7) == pytest.approx(0.725)
    assert nothing.apply(1.0) == 1.0
    everything = Bands(product=0.0, category=0.0)
    assert everything.apply(0.0) == 0.80
    assert everything.apply(0.5) == pytest.approx(0.85)


@pytest.mark.parametrize(
    ("product", "category", "near"),
    [(0.5, 0.5, None), (0.5, 0.6, None), (0.5, 0.0, None), (0.0, 0.1, None), (1.1, 0.5, None), (0.5, 0.4, 0.5),
     (0.5, 0.4, 1.0), (0.5, 0.4, 0.3), (math.nan, 0.4, None), (0.5, math.nan, None), (0.5, 0.4, math.nan)],
)  # fmt: skip
def test_thresholds_in_another_order_are_refused(product: float, category: float, near: float | None) -> None:
    with pytest.raises(UsageError, match="must rise"):
        Bands(product, category, near)
