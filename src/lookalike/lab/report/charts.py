"""Charts as SVG for a page: curves and back-to-back histograms, with axes, units and colours anyone can tell apart.

Colours come from classes that :func:`style` defines for light and dark pages; lines differ in dashes as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 460, 340
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 14, 50
"""Room around the plot for ticks and names of the axes."""

SERIES = 6
"""Series that differ in colour; further ones begin again with other dashes."""

TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
MOST_POINTS = 400
"""Points of a curve that are drawn: more cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Line:
    """A curve.

    Attributes:
        name: said when one points at it.
        x, y: its points, within the axes.
        series: number of its colour.
        dots: also draw the points.
    """

    name: str
    x: npt.ArrayLike
    y: npt.ArrayLike
    series: int = 0
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """A threshold: where it lies, what it is called, and whether it is the one that matters."""

    at: float
    name: str
    strong: bool = False


def style() -> str:
    """The rules for everything that charts are made of, for light and dark pages."""
    return files("lookalike.lab.report").joinpath("page", "charts.css").read_text(encoding="utf-8")


def curves(
    lines: Sequence[Line],
    *,
    title: str,
    x: str,
    y: str,
    diagonal: str = "",
    marks: Sequence[Mark] = (),
    x_range: tuple[float, float] = (0.0, 1.0),
) -> str:
    """Curves over one another in a frame from 0 to 1.

    Args:
        lines: what is drawn.
        title: what the chart shows, for those who do not see it.
        x, y: names of the axes, with units.
        diagonal: what the line from corner to corner means; empty for none.
        marks: thresholds, as upright lines.
        x_range: ends of the axis x.

    >>> "<path" in curves([Line("auto", [0, 0, 1], [0, 1, 1])], title="ROC", x="FPR", y="TPR")
    True
    """
    frame = _Frame(x_range, (0.0, 1.0))
    parts = [*frame.axes(x, y)]
    if diagonal:
        (x0, y0), (x1, y1) = frame.point(x_range[0], 0), frame.point(x_range[1], 1)
        parts.append(f'<path class="faint" d="M{x0} {y0}L{x1} {y1}"><title>{escape(diagonal)}</title></path>')
    for line in lines:
        parts += _curve(frame, line)
    return _svg(title, [*parts, *frame.marks(marks)])


def histogram(
    same: npt.ArrayLike,
    different: npt.ArrayLike,
    *,
    title: str,
    x: str = "score",
    marks: Sequence[Mark] = (),
    bins: int = 40,
    names: tuple[str, str] = ("same", "different"),
) -> str:
    """Two distributions back to back: the same pairs above the line, the different ones below.

    Heights are shares of the pairs of each kind, so that a table with few of one kind reads as well.

    Args:
        same, different: scores in [0, 1].
        title: what the chart shows, for those who do not see it.
        x: name of the axis.
        marks: thresholds, as upright lines.
        bins: bars side by side.
        names: of the two kinds.
    """
    edges = np.linspace(0, 1, bins + 1)
    kinds = [np.asarray(same, np.float64), np.asarray(different, np.float64)]
    counts = [np.histogram(np.clip(kind, 0, 1), edges)[0] for kind in kinds]
    shares = [count / max(1, len(kind)) for count, kind in zip(counts, kinds, strict=True)]
    top = _rounded_up(max(float(share.max(initial=0.0)) for share in shares))
    frame = _Frame((0.0, 1.0), (-top, top))
    parts = list(frame.axes(x, "share of the pairs of each kind", percent=True))
    for share, count, kind, sign in zip(shares, counts, ("same", "different"), (1, -1), strict=True):
        for low, high, value, number in zip(edges, edges[1:], share, count, strict=False):
            if number:
                parts.append(frame.bar(low, high, sign * value, kind, f"{number} pairs from {low:.3f} to {high:.3f}"))
    parts.append(f'<text class="same strong" x="{LEFT + 8}" y="{TOP + 16}">{escape(names[0])}</text>')
    parts.append(f'<text class="different strong" x="{LEFT + 8}" y="{HEIGHT - BOTTOM - 8}">{escape(names[1])}</text>')
    zero = frame.point(0, 0)[1]
    parts += [f'<path class="axis" d="M{LEFT} {zero}H{WIDTH - RIGHT}"/>', *frame.marks(marks)]
    return _svg(title, parts)


def legend(names: Sequence[str]) -> str:
    """Names of the series with their colour and dashes, for above the charts."""
    keys = (
        f'<span><svg class="key" viewBox="0 0 34 10" aria-hidden="true"><path class="line {_series(number)}" '
        f'd="M1 5H33"/></svg>{escape(name)}</span>'
        for number, name in enumerate(names)
    )
    return f'<p class="legend">{"".join(keys)}</p>'


class _Frame:
    """Where numbers lie in the picture."""

    def __init__(self, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        self.x_range, self.y_range = x_range, y_range

    def point(self, x: float, y: float) -> tuple[float, float]:
        (left, right), (low, high) = self.x_range, self.y_range
        across = (x - left) / (right - left) * (WIDTH - LEFT - RIGHT)
        up = (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
        return round(LEFT + across, 2), round(HEIGHT - BOTTOM - up, 2)

    def axes(self, x: str, y: str, *, percent: bool = False) -> Iterator[str]:
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        for share in TICKS:
            value = self.x_range[0] + share * (self.x_range[1] - self.x_range[0])
            at = self.point(value, self.y_range[0])[0]
            yield f'<path class="grid" d="M{at} {TOP}V{bottom}"/>'
            words = _tick(value, self.x_range)
            yield f'<text class="tick" x="{at}" y="{bottom + 17}" text-anchor="middle">{words}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1) if percent else TICKS:
            value = self.y_range[0] + share * (self.y_range[1] - self.y_range[0])
            at = self.point(self.x_range[0], value)[1]
            words = f"{abs(100 * value):.3g} %" if percent else f"{value:.1f}"
            yield f'<path class="grid" d="M{LEFT} {at}H{right}"/>'
            yield f'<text class="tick" x="{LEFT - 7}" y="{at + 4}" text-anchor="end">{words}</text>'
        middle = (LEFT + right) / 2
        yield f'<text class="name" x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x)}</text>'
        upright = f'x="{-(TOP + bottom) / 2}" y="14" transform="rotate(-90)" text-anchor="middle"'
        yield f'<text class="name" {upright}>{escape(y)}</text>'

    def marks(self, marks: Sequence[Mark]) -> Iterator[str]:
        for mark in marks:
            if not self.x_range[0] <= mark.at <= self.x_range[1]:
                continue
            at = self.point(mark.at, self.y_range[0])[0]
            kind = "mark strong" if mark.strong else "mark"
            yield f'<path class="{kind}" d="M{at} {TOP}V{HEIGHT - BOTTOM}"><title>{escape(mark.name)}</title></path>'
            # the one that matters is named at the top, the others at the bottom: they may lie side by side
            where = f'x="{-(TOP + 4)}" text-anchor="end"' if mark.strong else f'x="{-(HEIGHT - BOTTOM - 5)}"'
            yield f'<text class="{kind}" {where} y="{at - 4}" transform="rotate(-90)">{escape(mark.name)}</text>'

    def bar(self, low: float, high: float, value: float, kind: str, title: str) -> str:
        (x0, zero), (x1, y1) = self.point(low, 0), self.point(high, value)
        top, tall = min(zero, y1), abs(zero - y1)
        return (
            f'<rect class="bar {kind}" x="{x0 + 0.5:.2f}" y="{top:.2f}" width="{max(0.5, x1 - x0 - 1):.2f}" '
            f'height="{tall:.2f}"><title>{escape(title)}</title></rect>'
        )


def _curve(frame: _Frame, line: Line) -> Iterator[str]:
    x, y = np.asarray(line.x, np.float64), np.asarray(line.y, np.float64)
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    if len(x) > MOST_POINTS:
        chosen = np.unique(np.linspace(0, len(x) - 1, MOST_POINTS).round().astype(int))
        x, y = x[chosen], y[chosen]
    points = [frame.point(float(one), float(other)) for one, other in zip(x, y, strict=True)]
    if points:
        path = "L".join(f"{one:g} {other:g}" for one, other in points)
        yield f'<path class="line {_series(line.series)}" d="M{path}"><title>{escape(line.name)}</title></path>'
    for one, other in points if line.dots else ():
        yield f'<circle class="dot s{line.series % SERIES}" cx="{one:g}" cy="{other:g}" r="4"/>'


def _series(number: int) -> str:
    return f"s{number % SERIES} d{number % (SERIES - 1)}"


def _tick(value: float, ends: tuple[float, float]) -> str:
    return f"{value:.1f}" if ends[1] - ends[0] <= 1 else f"{value:g}"


def _rounded_up(share: float) -> float:
    return next((step for step in (0.05, 0.1, 0.2, 0.4, 0.6, 0.8) if share <= step), 1.0)


def _svg(title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
