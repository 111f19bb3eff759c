"""The explanation as one picture: 1200 pixels wide, as high as it needs, drawn with Pillow and nothing else."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor, ImageDraw

from lookalike.explain.heat import legend
from lookalike.explain.lettering import fitting, width, wrapped, write
from lookalike.explain.palette import BAR, CARD, FAINT, INK, LINES, MUTED, OUTLINE, PAPER, VERDICTS
from lookalike.explain.panels import chequered, chosen, fitted, heat_map, laid, overlay, resized
from lookalike.explain.story import BORDERS, ZONES

if TYPE_CHECKING:
    from lookalike.explain.evidence import Evidence
    from lookalike.explain.output import Kind
    from lookalike.explain.story import Story
    from lookalike.types import Pixels

    Points = npt.NDArray[np.float64]
    """N×2, (x, y)."""

WIDE, MARGIN, GAP = 1200, 40, 40
INNER = WIDE - 2 * MARGIN
SIDE = 540
"""Longest side of each of the two pictures."""

THIRD = (INNER - 2 * 24) // 3
"""Width of the three smaller pictures."""


class _Sheet:
    """Paper that is filled from top to bottom, and cut to length at the end."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (WIDE, 4000), PAPER)
        self.draw = ImageDraw.Draw(self.image)
        self.y = MARGIN

    def title(self, text: str, hint: str = "") -> None:
        """A section's heading, and a remark beside it."""
        self.y += 30
        end = MARGIN + write(self.image, (MARGIN, self.y + 18), text, 20, INK)
        if hint:
            room = WIDE - MARGIN - end - 16
            write(self.image, (end + 16, self.y + 18), fitting(hint, 15, room), 15, MUTED)
        self.y += 34

    def pill(self, box: tuple[float, float, float, float], radius: float, *, fill: str) -> None:
        """A rectangle with round corners, smooth: Pillow's own are jagged, so it is drawn finer and averaged down."""
        x, y = int(box[0]), int(box[1])
        wide, high = int(box[2]) - x + 2, int(box[3]) - y + 2
        mask = Image.new("L", (wide * 4, high * 4))
        inner = tuple(4 * (edge - start) for edge, start in zip(box, (x, y, x, y), strict=True))
        ImageDraw.Draw(mask).rounded_rectangle((inner[0], inner[1], inner[2] - 1, inner[3] - 1), 4 * radius, fill=255)
        self.image.paste(Image.new("RGB", (wide, high), fill), (x, y), mask.resize((wide, high), Image.Resampling.BOX))

    def picture(self, pixels: Pixels, x: int, y: int) -> None:
        self.image.paste(Image.fromarray(pixels), (x, y))
        height, wide = pixels.shape[:2]
        self.draw.rectangle((x - 1, y - 1, x + wide, y + height), outline=FAINT)


def sheet(evidence: Evidence, story: Story) -> Image.Image:
    """Draw the sheet; RGB, 1200 pixels wide."""
    paper = _Sheet()
    _headline(paper, story)
    _gauge(paper, story)
    _pair(paper, evidence, story)
    if evidence.placement is not None:
        _aligned(paper, evidence)
    _numbers(paper, story)
    return paper.image.crop((0, 0, WIDE, paper.y + MARGIN))


def encode(image: Image.Image, kind: Kind) -> bytes:
    """``image`` as the bytes of a PNG, JPEG or WebP file."""
    buffer = io.BytesIO()
    if kind == "PNG":
        image.save(buffer, "PNG", compress_level=6)
    elif kind == "JPEG":
        image.save(buffer, "JPEG", quality=92, subsampling=0)
    else:
        image.save(buffer, "WEBP", quality=92)
    return buffer.getvalue()


def _headline(paper: _Sheet, story: Story) -> None:
    base = paper.y + 46
    x = MARGIN + write(paper.image, (MARGIN, base), story.score, 64, INK) + 22
    wide = width(story.verdict, 24)
    paper.pill((x, base - 38, x + wide + 36, base + 6), 22, fill=story.colour)
    write(paper.image, (x + 18, base - 8), story.verdict, 24, "#ffffff")
    write(paper.image, (WIDE - MARGIN, base - 20), story.made_by, 15, MUTED, right=True)
    write(paper.image, (WIDE - MARGIN, base + 2), story.caveat, 15, MUTED, right=True)
    paper.y = int(base) + 18
    for line in wrapped(story.reasons, 19, INNER):
        paper.y += 26
        write(paper.image, (MARGIN, paper.y), line, 19, INK)
    paper.y += 22


def _gauge(paper: _Sheet, story: Story) -> None:
    """The score on its scale: a bar, and under it the bands with their borders."""
    draw, y = paper.draw, paper.y
    paper.pill((MARGIN, y, WIDE - MARGIN, y + 12), 6, fill=FAINT)
    end = MARGIN + story.value * INNER
    if story.value > 0:
        paper.pill((MARGIN, y, max(end, MARGIN + 12), y + 12), 6, fill=story.colour)
    for low, high, verdict in ZONES:
        left, right = MARGIN + low * INNER, MARGIN + high * INNER
        inside = low <= story.value < high or (high == 1.0 and story.value == 1.0)
        colour = VERDICTS[verdict]
        draw.rectangle((left + 1, y + 18, right - 2, y + 40), fill=colour if inside else _pale(colour))
        text = fitting(verdict, 14, right - left - 6)
        middle = (left + right - width(text, 14)) / 2
        write(paper.image, (middle, y + 34), text, 14, "#ffffff" if inside else colour)
    for border in BORDERS:
        text = f"{border:.2f}"
        write(paper.image, (MARGIN + border * INNER - width(text, 13) / 2, y + 56), text, 13, MUTED)
    write(paper.image, (MARGIN, y + 56), "0", 13, MUTED)
    write(paper.image, (WIDE - MARGIN, y + 56), "1", 13, MUTED, right=True)
    paper.y = y + 56


def _pale(colour: str) -> tuple[int, int, int]:
    red, green, blue = (round(255 - 0.16 * (255 - value)) for value in ImageColor.getrgb(colour)[:3])
    return red, green, blue


def _pair(paper: _Sheet, evidence: Evidence, story: Story) -> None:
    """Both pictures side by side, matching points joined by lines."""
    paper.title("Both pictures", story.points)
    columns = (MARGIN, MARGIN + SIDE + GAP)
    for x, number, (name, facts) in zip(columns, "12", (story.first, story.second), strict=True):
        room = SIDE - width(facts, 15) - 44
        paper.pill((x, paper.y, x + 22, paper.y + 22), 11, fill=INK)
        write(paper.image, (x + 11 - width(number, 14) / 2, paper.y + 16), number, 14, "#ffffff")
        write(paper.image, (x + 32, paper.y + 17), fitting(name, 16, room), 16, INK)
        write(paper.image, (x + SIDE, paper.y + 17), facts, 15, MUTED, right=True)
    paper.y += 34
    sizes = [fitted(size, SIDE, SIDE) for size in (evidence.size_first, evidence.size_second)]
    tallest = max(size[1] for size in sizes)
    corners = []
    for x, size, pixels in zip(columns, sizes, (evidence.first, evidence.second), strict=True):
        corner = (x + (SIDE - size[0]) // 2, paper.y + (tallest - size[1]) // 2)
        paper.draw.rectangle((x, paper.y, x + SIDE - 1, paper.y + tallest - 1), fill=CARD)
        paper.picture(resized(pixels, size), *corner)
        corners.append(np.array(corner))
    matches = chosen(evidence.matches)
    starts, ends = (corners[i] + matches[:, 2 * i : 2 * i + 2] * sizes[i] for i in (0, 1))
    _lines(paper, starts, ends)
    paper.y += tallest


def _lines(paper: _Sheet, starts: Points, ends: Points) -> None:
    """Thin, half transparent lines and dots, drawn smooth at fractions of a pixel."""
    canvas = np.asarray(paper.image).copy()
    thin = canvas.copy()
    joined = list(zip((starts * 16).astype(int).tolist(), (ends * 16).astype(int).tolist(), strict=True))
    colours = [ImageColor.getrgb(LINES[i % len(LINES)])[:3] for i in range(len(joined))]
    for (start, end), colour in zip(joined, colours, strict=True):
        cv2.line(thin, start, end, colour, 1, cv2.LINE_AA, shift=4)
    canvas = cv2.addWeighted(thin, 0.6, canvas, 0.4, 0)
    for (start, end), colour in zip(joined, colours, strict=True):
        for point in (start, end):
            cv2.circle(canvas, point, 60, (255, 255, 255), -1, cv2.LINE_AA, shift=4)
            cv2.circle(canvas, point, 44, colour, -1, cv2.LINE_AA, shift=4)
    paper.image.paste(Image.fromarray(canvas))


def _aligned(paper: _Sheet, evidence: Evidence) -> None:
    """The second on the first, both by turns in squares, and what differs."""
    paper.title("The second laid on the first")
    size = fitted(evidence.size_first, THIRD, 420)
    first = resized(evidence.first, size)
    second = laid(evidence, size)
    panels = (
        ("Picture 2 over 1, its edge in pink", overlay(first, second)),
        ("Squares of 1 and 2 by turns", chequered(first, second)),
        ("What differs", heat_map(evidence, first, second)),
    )
    for number, (caption, pixels) in enumerate(panels):
        x = MARGIN + number * (THIRD + 24)
        write(paper.image, (x, paper.y + 14), caption, 15, MUTED)
        paper.draw.rectangle((x, paper.y + 26, x + THIRD - 1, paper.y + 25 + size[1]), fill=CARD)
        shown = pixels if number else _outlined(pixels, second.outline)
        paper.picture(shown, x + (THIRD - size[0]) // 2, paper.y + 26)
    x = MARGIN + 2 * (THIRD + 24) + THIRD
    write(paper.image, (x, paper.y + 14), "different", 14, MUTED, right=True)
    x -= round(width("different", 14)) + 8
    paper.picture(legend(80, 12), x - 80, paper.y + 3)
    write(paper.image, (x - 88, paper.y + 14), "same", 14, MUTED, right=True)
    paper.y += 26 + size[1]


def _outlined(pixels: Pixels, outline: Points) -> Pixels:
    height, wide = pixels.shape[:2]
    inside = np.clip(outline, -4.0 * max(wide, height), 5.0 * max(wide, height))
    # An edge that falls on the frame's own edge is drawn just inside, where it can be seen.
    inside = np.where(np.abs(inside - [wide, height]) < 2, [wide - 2.0, height - 2.0], inside)
    inside = np.where(np.abs(inside) < 2, 1.0, inside)
    drawn = pixels.copy()
    colour = ImageColor.getrgb(OUTLINE)[:3]
    cv2.polylines(drawn, [np.round(inside * 16).astype(np.int32)], True, colour, 2, cv2.LINE_AA, shift=4)
    return drawn


def _numbers(paper: _Sheet, story: Story) -> None:
    """Similarities as bars on the left, other numbers as a table on the right."""
    if not story.bars and not story.details:
        return
    paper.title("Similarities", "0 to 1, where 1 is the same")
    top = paper.y
    names = min(200.0, max((width(name, 16) for name, _ in story.bars), default=0.0)) + 16
    left, right = MARGIN + names, MARGIN + SIDE - 60
    for number, (name, value) in enumerate(story.bars):
        y = top + 30 * number
        write(paper.image, (MARGIN, y + 16), fitting(name, 16, names - 12), 16, INK)
        paper.pill((left, y + 4, right, y + 18), 4, fill=FAINT)
        share = min(1.0, max(0.0, value))
        if share > 0.01:
            paper.pill((left, y + 4, left + share * (right - left), y + 18), 4, fill=BAR)
        write(paper.image, (MARGIN + SIDE, y + 16), f"{value:.3f}", 16, INK, right=True)
    column = MARGIN + SIDE + GAP
    for number, (name, text) in enumerate(story.details):
        y = top + 26 * number
        if number:
            paper.draw.line((column, y - 4, WIDE - MARGIN, y - 4), fill=FAINT)
        write(paper.image, (column, y + 15), fitting(name, 15, 300), 15, MUTED)
        write(paper.image, (WIDE - MARGIN, y + 15), fitting(text, 15, 220), 15, INK, right=True)
    paper.y = top + max(30 * len(story.bars), 26 * len(story.details)) - 4
