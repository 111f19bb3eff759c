"""Edits that write on a picture: lines of text, a watermark, a logo in a corner, the bars of a meme."""

from __future__ import annotations

import random

from PIL import Image, ImageDraw, ImageFont, ImageStat

LEAST = 4.0
"""Height in pixels below which no letters are drawn."""

_WORDS = (
    "NEW",
    "SALE",
    "only",
    "today",
    "best price",
    "50% OFF",
    "shop",
    "online",
    "0171",
    "555 019",
    "size M",
    "free",
)


def lines_of_text(image: Image.Image, chance: random.Random) -> Image.Image:
    """Two to four lines, each 8 to 12 % of the shorter side high, anywhere."""
    image = image.copy()
    draw = ImageDraw.Draw(image)
    height = max(chance.uniform(0.08, 0.12) * min(image.size), LEAST)
    font = ImageFont.load_default(height)
    ink, edge = chance.choice((("white", "black"), ("black", "white"), ("red", "white"), ("yellow", "black")))
    for _ in range(chance.randint(2, 4)):
        text = " ".join(chance.sample(_WORDS, chance.randint(2, 4)))
        place = (chance.uniform(0, 0.4) * image.width, chance.uniform(0, 0.85) * image.height)
        draw.text(place, text, ink, font, stroke_width=max(1, round(height / 12)), stroke_fill=edge)
    return image


_MARKS = ("© SAMPLE", "PREVIEW", "stock photo", "www.example.com", "DO NOT COPY")


def watermark(image: Image.Image, chance: random.Random) -> Image.Image:
    """One line of text all over the picture, askew, 25 to 40 % opaque; dark on bright pictures, bright on dark ones."""
    height = max(chance.uniform(0.05, 0.08) * min(image.size), LEAST)
    font = ImageFont.load_default(height)
    text = chance.choice(_MARKS)
    ink = 255 if ImageStat.Stat(image.convert("L")).mean[0] < 140 else 40
    opacity = round(255 * chance.uniform(0.25, 0.40))
    side = round(1.5 * max(image.size))  # enough to cover the corners once turned
    layer = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(layer)
    across, down = draw.textlength(text, font) + 2.5 * height, 3 * height
    for row in range(round(side / down) + 1):
        for column in range(-1, round(side / across) + 1):
            draw.text((across * (column + row % 2 / 2), down * row), text, opacity, font)
    layer = layer.rotate(chance.uniform(20, 40) * chance.choice((-1, 1)), Image.Resampling.BICUBIC)
    left, top = (side - image.width) // 2, (side - image.height) // 2
    marked = image.copy()
    marked.paste((ink, ink, ink), (0, 0), layer.crop((left, top, left + image.width, top + image.height)))
    return marked


def corner_logo(image: Image.Image, chance: random.Random) -> Image.Image:
    """A coloured disc with a letter in one corner, 14 to 22 % of the shorter side across."""
    side = max(round(chance.uniform(0.14, 0.22) * min(image.size)), 2)
    large = 4 * side  # drawn larger, so that its edge is smooth
    colour = chance.choice(("#c8102e", "#003da5", "#00843d", "#111111", "#f2a900"))
    badge, shape = Image.new("RGB", (large, large), colour), Image.new("L", (large, large), 0)
    ImageDraw.Draw(shape).ellipse((0, 0, large - 1, large - 1), fill=round(255 * 0.9))
    font = ImageFont.load_default(max(0.6 * large, LEAST))
    draw = ImageDraw.Draw(badge)
    draw.ellipse((large * 0.06, large * 0.06, large * 0.94, large * 0.94), outline="white", width=max(1, large // 30))
    draw.text((large / 2, large / 2), chance.choice("ABKMRSX"), "white", font, anchor="mm", stroke_width=large // 60)
    margin = round(0.03 * min(image.size))
    place = (
        chance.choice((margin, image.width - side - margin)),
        chance.choice((margin, image.height - side - margin)),
    )
    marked = image.copy()
    size = (side, side)
    marked.paste(badge.resize(size, Image.Resampling.BOX), place, shape.resize(size, Image.Resampling.BOX))
    return marked


_JOKES = (
    ("WHEN YOU ORDER ONLINE", "AND IT REALLY FITS"),
    ("ONE DOES NOT SIMPLY", "BUY ONLY ONE"),
    ("MONDAY AGAIN", "AND STILL NO COFFEE"),
    ("NOBODY:", "ME AT 3 A.M."),
    ("EXPECTATION", "THIS IS FINE"),
)


def meme(image: Image.Image, chance: random.Random) -> Image.Image:
    """A bar above, below or both, each 18 to 26 % as high as the picture, with large letters; nothing is covered."""
    bar = max(round(chance.uniform(0.18, 0.26) * image.height), 1)
    above, below = chance.choice(((True, True), (True, False), (False, True)))
    page, ink = chance.choice((("white", "black"), ("black", "white")))
    first, second = chance.choice(_JOKES)
    framed = Image.new("RGB", (image.width, image.height + bar * (above + below)), page)
    framed.paste(image, (0, bar if above else 0))
    draw = ImageDraw.Draw(framed)
    if above:
        _fitted(draw, first, (0, 0, framed.width, bar), ink)
    if below:
        _fitted(draw, second, (0, framed.height - bar, framed.width, framed.height), ink)
    return framed


def _fitted(draw: ImageDraw.ImageDraw, text: str, box: tuple[int, int, int, int], ink: str) -> None:
    """Bold letters in the middle of ``box``, as large as fits."""
    left, top, right, bottom = box
    height = 0.62 * (bottom - top)
    width = draw.textlength(text, ImageFont.load_default(100)) / 100 + 0.5  # of letters one pixel high
    height = max(min(height, 0.94 * (right - left) / width), LEAST)
    stroke = max(1, round(height / 24))
    middle = ((left + right) / 2, (top + bottom) / 2)
    draw.text(middle, text, ink, ImageFont.load_default(height), anchor="mm", stroke_width=stroke, stroke_fill=ink)
