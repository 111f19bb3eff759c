"""Edits that put a picture somewhere else: on a screen, or, cut out, before another background."""

from __future__ import annotations

import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from lookalike.lab.edits.frame import scaled

_THEMES = (("#ffffff", "#1c1c1e", "#d1d1d6"), ("#121212", "#f2f2f7", "#3a3a3c"))
"""Page, ink, and what is neither."""

_WIDTH, _HEIGHT = 1080, 4320
"""Pixels of a drawn screen, and of the highest picture on it; all is scaled back once it is drawn."""


def screenshot(image: Image.Image, chance: random.Random) -> Image.Image:
    """On a phone or in a browser, as it was shown there: bars, buttons and words around it, nothing over it."""
    theme = chance.choice(_THEMES)
    draw = chance.choice((_phone, _browser))
    screen, scale = draw(image, theme, chance)
    return scaled(screen, 1 / scale, reducing_gap=3.0)  # the picture in it has the size that it had


def _phone(image: Image.Image, theme: tuple[str, str, str], chance: random.Random) -> tuple[Image.Image, float]:
    """Over the whole width: clock and battery, a name above, buttons and a line or two below."""
    page, ink, faint = theme
    scale = min(_WIDTH / image.width, _HEIGHT / image.height)
    picture = scaled(image, scale)
    top = 230
    screen = Image.new("RGB", (_WIDTH, top + picture.height + 330), page)
    screen.paste(picture, ((_WIDTH - picture.width) // 2, top))
    draw = ImageDraw.Draw(screen)
    clock = f"{chance.randint(6, 23)}:{chance.randint(0, 59):02}"
    draw.text((50, 45), clock, ink, ImageFont.load_default(44), anchor="lm", stroke_width=1)
    draw.rounded_rectangle((940, 28, 1010, 62), 8, outline=ink, width=4)
    draw.rectangle((947, 35, 947 + chance.randint(15, 56), 55), fill=ink)
    for bar in range(4):
        draw.rectangle((850 + 18 * bar, 58 - 9 * bar, 860 + 18 * bar, 62), fill=ink)
    draw.ellipse((40, 110, 140, 210), fill=faint)
    draw.text((165, 160), _name(chance), ink, ImageFont.load_default(42), anchor="lm", stroke_width=1)
    _dots(draw, (990, 160), ink)
    below = top + picture.height
    for left in (50, 160, 270):
        draw.rounded_rectangle((left, below + 35, left + 64, below + 99), 20, outline=ink, width=6)
    likes = f"{chance.randint(2, 900)} likes"
    draw.text((50, below + 150), likes, ink, ImageFont.load_default(40), anchor="lm", stroke_width=1)
    draw.text((50, below + 215), "so happy with this one", ink, ImageFont.load_default(38), anchor="lm")
    draw.rounded_rectangle((370, below + 300, 710, below + 310), 5, fill=ink)
    return screen, scale


def _browser(image: Image.Image, theme: tuple[str, str, str], chance: random.Random) -> tuple[Image.Image, float]:
    """In a page with a margin: three buttons, an address, a headline above and lines of text below."""
    page, ink, faint = theme
    margin, top = 90, 290
    scale = min((_WIDTH - 2 * margin) / image.width, _HEIGHT / image.height)
    picture = scaled(image, scale)
    screen = Image.new("RGB", (_WIDTH, top + picture.height + 220), page)
    screen.paste(picture, (margin, top))
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, _WIDTH, 140), fill=faint)
    for left, colour in ((30, "#ff5f57"), (75, "#febc2e"), (120, "#28c840")):
        draw.ellipse((left, 24, left + 28, 52), fill=colour)
    draw.rounded_rectangle((180, 72, _WIDTH - 60, 126), 26, fill=page)
    address = f"https://shop.example/item/{chance.randint(1000, 99999)}"
    draw.text((210, 99), address, ink, ImageFont.load_default(30), anchor="lm")
    draw.text((margin, 215), _name(chance), ink, ImageFont.load_default(58), anchor="lm", stroke_width=1)
    for row in range(3):
        width = chance.randint(550, _WIDTH - 2 * margin)
        down = top + picture.height + 50 + 50 * row
        draw.rounded_rectangle((margin, down, margin + width, down + 20), 10, fill=faint)
    return screen, scale


def _name(chance: random.Random) -> str:
    return chance.choice(("anna.looks", "the daily find", "Market Hall", "old_and_new", "Our picks"))


def _dots(draw: ImageDraw.ImageDraw, middle: tuple[int, int], ink: str) -> None:
    x, y = middle
    for across in (-22, 0, 22):
        draw.ellipse((x + across - 5, y - 5, x + across + 5, y + 5), fill=ink)


def is_cutout(image: Image.Image) -> bool:
    """Whether there is something cut out: alpha, clear and opaque over at least a twentieth of the picture each."""
    if image.mode != "RGBA":
        return False
    alpha = np.asarray(image.getchannel("A"))
    return bool((alpha < 64).mean() >= 0.05 and (alpha > 192).mean() >= 0.05)


def new_background(image: Image.Image, chance: random.Random) -> Image.Image:
    """A cut-out (RGBA) before a plain colour, a gradient, or something out of focus."""
    make = chance.choice((_plain, _gradient, _blurred_shapes))
    page = make(image.size, chance)
    page.paste(image.convert("RGB"), (0, 0), image.getchannel("A"))
    return page


def _colour(chance: random.Random) -> tuple[int, int, int]:
    """Neither white nor black."""
    return chance.randint(50, 220), chance.randint(50, 220), chance.randint(50, 220)


def _plain(size: tuple[int, int], chance: random.Random) -> Image.Image:
    return Image.new("RGB", size, _colour(chance))


def _gradient(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """From one colour at the top to another at the bottom."""
    shade = Image.linear_gradient("L").resize(size)
    return Image.composite(_plain(size, chance), _plain(size, chance), shade)


def _blurred_shapes(size: tuple[int, int], chance: random.Random) -> Image.Image:
    page = _plain(size, chance)
    draw = ImageDraw.Draw(page)
    longest = max(size)
    for _ in range(40):
        x, y, radius = chance.uniform(0, size[0]), chance.uniform(0, size[1]), chance.uniform(0.03, 0.18) * longest
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(chance))
    return page.filter(ImageFilter.GaussianBlur(max(1.0, 0.02 * longest)))
