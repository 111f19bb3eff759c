"""Text on pictures with the one font that comes with Pillow, which knows little more than ASCII.

Accents and a few signs are drawn with strokes; letters it cannot draw at all (other scripts) become open boxes.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

Stroke = tuple[tuple[float, float], ...]

_MARKS: dict[str, tuple[Stroke, ...]] = {
    # in em: x from the letter's middle, y up from the letter's top (down from the base line for the last two)
    "\u0300": (((-0.11, 0.20), (0.05, 0.07)),),
    "\u0301": (((0.11, 0.20), (-0.05, 0.07)),),
    "\u0302": (((-0.13, 0.07), (0.0, 0.19), (0.13, 0.07)),),
    "\u0303": (((-0.15, 0.08), (-0.07, 0.15), (0.06, 0.09), (0.15, 0.16)),),
    "\u0304": (((-0.13, 0.12), (0.13, 0.12)),),
    "\u0306": (((-0.13, 0.19), (-0.07, 0.09), (0.07, 0.09), (0.13, 0.19)),),
    "\u0307": (((-0.01, 0.13), (0.01, 0.13)),),
    "\u0308": (((-0.12, 0.13), (-0.10, 0.13)), ((0.10, 0.13), (0.12, 0.13))),
    "\u030a": (((0.0, 0.07), (0.07, 0.14), (0.0, 0.21), (-0.07, 0.14), (0.0, 0.07)),),
    "\u030b": (((0.02, 0.20), (-0.10, 0.07)), ((0.17, 0.20), (0.05, 0.07))),
    "\u030c": (((-0.13, 0.19), (0.0, 0.07), (0.13, 0.19)),),
    "\u0327": (((0.0, 0.0), (0.05, -0.10), (-0.06, -0.18)),),
    "\u0328": (((0.05, 0.0), (-0.02, -0.12), (0.08, -0.18)),),
}
_BELOW = "\u0327\u0328"

_SIGNS: dict[str, tuple[float, tuple[Stroke, ...]]] = {
    # width in em, strokes in em from the left of the base line
    "×": (0.56, (((0.10, 0.14), (0.46, 0.50)), ((0.10, 0.50), (0.46, 0.14)))),
    "–": (0.56, (((0.03, 0.27), (0.53, 0.27)),)),
    "—": (0.96, (((0.03, 0.27), (0.93, 0.27)),)),
    "−": (0.56, (((0.08, 0.32), (0.48, 0.32)),)),
    "→": (0.90, (((0.08, 0.29), (0.82, 0.29)), ((0.60, 0.47), (0.82, 0.29), (0.60, 0.11)))),
}

_PLAIN = str.maketrans({"ß": "ss", "ø": "o/", "Ø": "O/", "ł": "l", "Ł": "L", "æ": "ae", "Æ": "AE", "œ": "oe", "đ": "d",
                        "ı": "i", "\u00a0": " ", "\u2009": " ", "\u202f": " "})  # fmt: skip

_FINER = 4  # strokes and glyphs are drawn this much larger, then averaged down


@lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font at ``size`` pixels an em."""
    return ImageFont.load_default(size)


@lru_cache(maxsize=4096)
def _pieces(text: str, size: int) -> tuple[tuple[str, str, float], ...]:
    """(glyphs, mark or sign, x) of everything to draw; the last one is ("", "", width)."""
    pieces: list[tuple[str, str, float]] = []
    x, run = 0.0, ""
    letters = font(size)

    def flush() -> float:
        nonlocal run
        if run:
            pieces.append((run, "", x))
        width, run = letters.getlength(run), ""
        return width

    for sign in unicodedata.normalize("NFC", text.translate(_PLAIN)):
        base, *marks = list(unicodedata.normalize("NFD", sign))
        if sign in _SIGNS:
            x += flush()
            pieces.append(("", sign, x))
            x += _SIGNS[sign][0] * size
        elif marks and base.isascii() and all(mark in _MARKS for mark in marks):
            x += flush()
            pieces.append((base, "".join(marks), x))
            x += letters.getlength(base)
        else:
            run += sign
    x += flush()
    pieces.append(("", "", x))
    return tuple(pieces)


def width(text: str, size: int) -> float:
    """Width of ``text`` in pixels."""
    return _pieces(text, size)[-1][2]


def write(
    image: Image.Image, at: tuple[float, float], text: str, size: int, colour: str, *, right: bool = False
) -> float:
    """Write one line of ``text``, its base line starting at ``at`` (ending there where ``right``); gives its width."""
    *pieces, (_, _, wide) = _pieces(text, size)
    x, y = at[0] - (wide if right else 0.0), at[1]
    draw = ImageDraw.Draw(image)
    for glyphs, extra, along in pieces:
        if glyphs:
            draw.text((x + along, y), glyphs, fill=colour, font=font(size), anchor="ls")
        if extra:
            _strokes(image, (x + along, y), glyphs, extra, size, colour)
    return wide


def _strokes(image: Image.Image, at: tuple[float, float], base: str, extra: str, size: int, colour: str) -> None:
    """Draw a sign, or the accents of ``base``, smooth: on a mask four times as fine."""
    em = size * _FINER
    mask = Image.new("L", (2 * em, 2 * em))
    draw = ImageDraw.Draw(mask)
    origin_x, origin_y = 0.5 * em + (at[0] % 1) * _FINER, 1.4 * em
    lines: list[Stroke] = []
    if base:
        left, top, right, bottom = font(em).getbbox(base, anchor="ls")
        middle = (left + right) / 2 / em
        for mark in extra:
            lift = -bottom / em if mark in _BELOW else -top / em
            lines += [tuple((middle + x, lift + y) for x, y in stroke) for stroke in _MARKS[mark]]
    else:
        lines += _SIGNS[extra][1]
    thick = max(4, round(0.085 * em))
    for line in lines:
        points = [(origin_x + x * em, origin_y - y * em) for x, y in line]
        draw.line(points, fill=255, width=thick, joint="curve")
        for x, y in points:
            draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=255)
    small = mask.resize((2 * size, 2 * size), Image.Resampling.BOX)
    corner = (int(at[0] // 1) - size // 2, round(at[1] - 1.4 * size))
    image.paste(Image.new("RGB", small.size, colour), corner, small)


def fitting(text: str, size: int, room: float) -> str:
    """``text`` shortened in the middle until it is at most ``room`` pixels wide."""
    from lookalike.explain.story import shortened

    most = len(text)
    made = text
    while width(made, size) > room and most > 3:
        most -= max(1, int((1 - room / width(made, size)) * most))
        made = shortened(text, max(3, most))
    return made


def wrapped(text: str, size: int, room: float) -> list[str]:
    """``text`` broken at spaces into lines at most ``room`` wide; a longer word is shortened."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if width(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(fitting(word, size, room))
    return [line for line in lines if line]
