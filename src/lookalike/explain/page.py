"""The explanation as one HTML file that stands alone: no request leaves it, pictures and all are inside."""

from __future__ import annotations

import base64
import hashlib
import io
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from lookalike.explain.heat import legend
from lookalike.explain.palette import LINES, OUTLINE, VERDICTS
from lookalike.explain.panels import Laid, chosen, fitted, heat_map, laid, resized
from lookalike.explain.story import BORDERS, ZONES, shortened

if TYPE_CHECKING:
    from lookalike.explain.evidence import Evidence
    from lookalike.explain.story import Story
    from lookalike.types import Pixels

SIDE = 720
"""Longest side of a picture in the page, in pixels."""

BUDGET = 1_000_000
"""Bytes that all pictures together may take before base64; noisy ones are compressed harder."""

Pictures = dict[str, str]
"""Name → data URI."""


def page(evidence: Evidence, story: Story) -> bytes:
    """The page, UTF-8. Everything that comes from outside is escaped; scripts but its own are shut out by a policy."""
    style, script = (
        files("lookalike.explain").joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js")
    )
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    )
    first_size, second_size = (fitted(size, SIDE, SIDE) for size in (evidence.size_first, evidence.size_second))
    first = resized(evidence.first, first_size)
    over = None if evidence.placement is None else laid(evidence, first_size)
    pictures = _pictures(evidence, first, resized(evidence.second, second_size), over)
    aligned = "" if over is None else _wipe(pictures, over, first_size) + _heat(pictures, first_size)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{story.score} {escape(story.verdict)}: {escape(story.first[0])} and {escape(story.second[0])}</title>
<style>
{style}</style>
</head>
<body style="--verdict: {story.colour}">
<main>
{_headline(story)}
{_side_by_side(evidence, story, pictures, first_size, second_size)}
<div class="two">{aligned}</div>
{_numbers(story)}
</main>
<script>{script}</script>
</body>
</html>
""".encode()


def _pictures(evidence: Evidence, first: Pixels, second: Pixels, over: Laid | None) -> Pictures:
    """All pictures as WebP data URIs, compressed harder until they fit :data:`BUDGET`."""
    arrays = {"first": first, "second": second, "legend": legend(160, 10)}
    if over is not None:
        arrays["over"] = np.dstack([over.pixels, np.where(over.inside, 255, 0).astype(np.uint8)])
        arrays["heat"] = heat_map(evidence, first, over)
    for quality in (84, 65, 40, 15):
        encoded = {name: _webp(array, quality) for name, array in arrays.items()}
        if sum(map(len, encoded.values())) + len(encoded["first"]) <= BUDGET:  # the first is in the page twice
            break
    return {name: f"data:image/webp;base64,{base64.b64encode(data).decode()}" for name, data in encoded.items()}


def _webp(array: Pixels, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def _headline(story: Story) -> str:
    zones = "".join(
        f'<span style="flex: {high - low:.3f}; --zone: {VERDICTS[verdict]}"'
        f"{' class=here' if low <= story.value < high or high == story.value == 1.0 else ''}>"
        f"<b>{escape(verdict)}</b></span>"
        for low, high, verdict in ZONES
    )
    borders = "".join(f'<span style="left: {100 * border:.0f}%">{border:.2f}</span>' for border in BORDERS)
    caveat = f"<br>{escape(story.caveat)}" if story.caveat else ""
    reasons = f'<p class="reasons">{escape(story.reasons)}</p>' if story.reasons else ""
    return f"""<header>
<h1><span class="score">{story.score}</span> <span class="verdict">{escape(story.verdict)}</span></h1>
<p class="made">{escape(story.made_by)}{caveat}</p>
{reasons}
<div class="gauge" role="img" aria-label="score {story.score} of 1, {escape(story.verdict, quote=True)}">
<div class="track"><div style="width: {100 * story.value:.2f}%"></div></div>
<div class="zones">{zones}</div>
<div class="borders"><span>0</span>{borders}<span>1</span></div>
</div>
</header>"""


def _side_by_side(
    evidence: Evidence, story: Story, pictures: Pictures, first: tuple[int, int], second: tuple[int, int]
) -> str:
    """Both pictures and the lines between them, as one SVG: sharp at every size."""
    gap = 40
    wide, high = first[0] + gap + second[0], max(first[1], second[1])
    corners = np.array([[0, (high - first[1]) / 2], [first[0] + gap, (high - second[1]) / 2]])
    matches = chosen(evidence.matches)
    lines, dots = [], []
    for number, match in enumerate(matches.tolist()):
        (x1, y1), (x2, y2) = corners[0] + np.multiply(match[:2], first), corners[1] + np.multiply(match[2:], second)
        colour = LINES[number % len(LINES)]
        lines.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>')
        dots += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>' for x, y in ((x1, y1), (x2, y2))]
    images = "".join(
        f'<image href="{pictures[name]}" x="{x:.1f}" y="{y:.1f}" width="{size[0]}" height="{size[1]}"/>'
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{size[0]}" height="{size[1]}"/>'
        for name, (x, y), size in zip(("first", "second"), corners.tolist(), (first, second), strict=True)
    )
    switch = '<label><input type="checkbox" id="points" checked> show points</label>' if len(matches) else ""
    names = "".join(
        f'<p><i>{number}</i><span class="name" title="{escape(name, quote=True)}">{escape(shortened(name, 48))}</span>'
        f' <span class="facts">{escape(facts)}</span></p>'
        for number, (name, facts) in zip("12", (story.first, story.second), strict=True)
    )
    return f"""<section>
<h2>Both pictures</h2>
<p class="hint">{escape(story.points)} {switch}</p>
<div class="names">{names}</div>
<svg viewBox="0 0 {wide} {high}" role="img" aria-label="both pictures, matching points joined by lines">{images}
<g id="matches">{"".join(lines)}{"".join(dots)}</g></svg>
</section>"""


def _wipe(pictures: Pictures, over: Laid, size: tuple[int, int]) -> str:
    outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in over.outline)
    return f"""<section>
<h2>The second laid on the first</h2>
<p class="hint"><label><input type="radio" name="how" value="wipe" checked> wipe</label>
<label><input type="radio" name="how" value="fade"> fade</label></p>
<div class="stack wipe" id="stack" style="aspect-ratio: {size[0]} / {size[1]}; max-width: {size[0]}px">
<img src="{pictures["first"]}" alt="the first picture">
<img class="over" src="{pictures["over"]}" alt="the second picture, laid on the first">
<svg viewBox="0 0 {size[0]} {size[1]}" aria-hidden="true"><polygon points="{outline}" stroke="{OUTLINE}"/></svg>
<div class="edge"></div>
</div>
<div class="slider" style="max-width: {size[0]}px"><span>1</span>
<input type="range" id="slider" min="0" max="100" value="50" aria-label="from the first picture to the second">
<span>2</span></div>
</section>"""


def _heat(pictures: Pictures, size: tuple[int, int]) -> str:
    return f"""<section>
<h2>What differs</h2>
<p class="hint legend">same <img src="{pictures["legend"]}" alt="from dark to bright"> different</p>
<div class="stack" style="aspect-ratio: {size[0]} / {size[1]}; max-width: {size[0]}px">
<img src="{pictures["heat"]}" alt="map of what differs, over the first picture">
</div>
</section>"""


def _numbers(story: Story) -> str:
    bars = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{_bar(value)}<td>{value:.3f}</td></tr>' for name, value in story.bars
    )
    details = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in story.details
    )
    return f"""<div class="two">
<section><h2>Similarities</h2><p class="hint">0 to 1, where 1 is the same</p>
<table class="bars">
<tr class="total"><th scope="row">score</th>{_bar(story.value)}<td>{story.score}</td></tr>{bars}</table></section>
<section><h2>Details</h2><table class="details">{details}</table></section>
</div>"""


def _bar(value: float) -> str:
    return f'<td class="bar"><div style="width: {100 * min(1, max(0, value)):.1f}%"></div></td>'
