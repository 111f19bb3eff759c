"""Charts: well-formed, with named axes, and nothing from outside gets out of its text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from lookalike.lab.report.charts import HEIGHT, WIDTH, Line, Mark, curves, histogram, legend, style

BAD = '<script>alert("x")</script>'


def texts(drawn: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(drawn).iter() if element.tag.endswith("text")]


def test_curves_have_axes_and_survive_any_name() -> None:
    drawn = curves(
        [Line(BAD, [0, 0.5, 1], [0, np.nan, 1], dots=True)], title=BAD, x="found", y="let through", diagonal="chance"
    )
    assert {"found", "let through", "0.0", "1.0"} <= set(texts(drawn))
    assert "<script" not in drawn
    assert drawn.count("<circle") == 2


def test_many_points_are_thinned_but_the_ends_stay() -> None:
    drawn = curves([Line("x", np.linspace(0, 1, 50_000), np.linspace(0, 1, 50_000))], title="t", x="x", y="y")
    assert len(drawn) < 20_000
    [path] = re.findall(r'class="line[^"]*" d="M([^"]*)"', drawn)
    points = path.split("L")
    assert points[0] == "58 290"
    assert points[-1] == f"{WIDTH - 14} 14"


def test_bars_stand_for_shares_of_each_kind() -> None:
    drawn = histogram([0.9, 0.9, 0.1, 1.0], [0.1], title="t", marks=[Mark(0.8, "here", strong=True)], bins=10)
    root = ElementTree.fromstring(drawn)
    bars = [element.attrib for element in root.iter() if element.tag.endswith("rect")]
    same = sorted(float(bar["height"]) for bar in bars if "same" in bar["class"])
    assert same[1] == pytest.approx(3 * same[0], rel=0.01)  # 0.9 and 1.0 share the last bar
    [different] = [float(bar["height"]) for bar in bars if "different" in bar["class"]]
    assert different == pytest.approx(4 * same[0], rel=0.01)
    assert all(0 <= float(bar["y"]) <= HEIGHT for bar in bars)
    assert {"here", "same", "different"} <= set(texts(drawn))


def test_a_kind_without_pairs_draws_nothing() -> None:
    drawn = histogram([], [0.5], title="t")
    assert drawn.count("<rect") == 1


def test_every_series_has_a_colour_for_light_and_dark_pages() -> None:
    rules = style()
    for number in range(6):
        assert rules.count(f"--s{number}: #") == 2
    assert "<script" not in legend([BAD])
