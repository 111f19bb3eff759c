"""The edits planted in the folders of group_photos.py and group_catalogue.py.

Done to the original at full size, scaled to the size of the folder afterwards. What :mod:`edits` has is taken from
there: crops keep a share of the AREA with the proportions as they were, a border is 10 to 20 % of the shorter side.
Whatever uncovers empty ground (turns, shifts, borders) leaves it white.
"""

from __future__ import annotations

import io
import random

import numpy as np
from edits import EDITS, Edit, blur, crop
from PIL import Image, ImageDraw, ImageFont, ImageOps

QUALITY = 90


FLAT = 2.5
"""A picture whose neighbouring pixels differ by less than this many levels, seen at 32 px, shows nothing to go by."""


def is_flat(image: Image.Image) -> bool:
    """Whether it shows next to nothing: a piece of wall, of floor, of plain cloth."""
    small = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), np.float32)
    return float(np.abs(np.diff(small, axis=0)).mean() + np.abs(np.diff(small, axis=1)).mean()) < 2 * FLAT


def jpeg(image: Image.Image, side: int, quality: int = QUALITY) -> bytes:
    """The bytes of a JPEG file of ``image``, scaled up or down so that its longer side has ``side`` pixels."""
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def planted(kind: str, image: Image.Image, chance: random.Random, side: int, host: Image.Image | None = None) -> bytes:
    """The edit called ``kind`` done to ``image`` (RGB), as the bytes of a JPEG file.

    Args:
        kind: of :data:`PHOTO_EDITS`.
        image: at full size.
        chance: decides every random choice.
        side: longer side of the folder's pictures, in pixels.
        host: another picture; needed for :data:`PASTED` alone.
    """
    if kind == RESIZED:
        return jpeg(image, side // 2)
    if kind == COARSE:
        return jpeg(image, side, quality=chance.randint(10, 30))
    if kind == PASTED:
        assert host is not None
        return jpeg(_paste(image, host, chance), side)
    for _ in range(20):
        edited = _EDITS[kind](image, chance)
        if not is_flat(edited):
            break  # a crop that hit nothing but the wall is another picture
    return jpeg(edited, side)


def _shift(image: Image.Image, chance: random.Random) -> Image.Image:
    """10 to 20 % of the width, of the height or of both moved out of the frame."""
    x, y = chance.choice(((1, 0), (0, 1), (1, 1)))
    right = round(x * chance.uniform(0.10, 0.20) * image.width) * chance.choice((-1, 1))
    down = round(y * chance.uniform(0.10, 0.20) * image.height) * chance.choice((-1, 1))
    frame = Image.new(image.mode, image.size, "white")
    frame.paste(image, (right, down))
    return frame


def _turn(degrees: float) -> Edit:
    """Either way; nothing is cut off."""

    def edit(image: Image.Image, chance: random.Random) -> Image.Image:
        signed = degrees * chance.choice((-1, 1))
        return image.rotate(signed, Image.Resampling.BICUBIC, expand=True, fillcolor="white")

    return edit


def _quarter_turn(image: Image.Image, chance: random.Random) -> Image.Image:
    turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return image.transpose(chance.choice(turns))


def _vertical_flip(image: Image.Image, _: random.Random) -> Image.Image:
    return ImageOps.flip(image)


def _blurred(image: Image.Image, chance: random.Random) -> Image.Image:
    """Sigma 1 to 2 % of the longer side."""
    return blur(chance.uniform(0.01, 0.02))(image, chance)


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


def _lettered(image: Image.Image, chance: random.Random) -> Image.Image:
    """Two to four lines of text, each 8 to 12 % of the shorter side high, anywhere."""
    image = image.copy()
    draw = ImageDraw.Draw(image)
    height = chance.uniform(0.08, 0.12) * min(image.size)
    font = ImageFont.load_default(height)
    ink, edge = chance.choice((("white", "black"), ("black", "white"), ("red", "white"), ("yellow", "black")))
    for _ in range(chance.randint(2, 4)):
        text = " ".join(chance.sample(_WORDS, chance.randint(2, 4)))
        place = (chance.uniform(0, 0.4) * image.width, chance.uniform(0, 0.85) * image.height)
        draw.text(place, text, ink, font, stroke_width=max(1, round(height / 12)), stroke_fill=edge)
    return image


def _paste(image: Image.Image, host: Image.Image, chance: random.Random) -> Image.Image:
    """``image`` at 30 to 50 % of the width of ``host`` (less where it would be higher than 60 % of it), inside it."""
    scale = min(chance.uniform(0.3, 0.5) * host.width / image.width, 0.6 * host.height / image.height)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    left, top = chance.randint(0, host.width - size[0]), chance.randint(0, host.height - size[1])
    joined = host.copy()
    joined.paste(image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0), (left, top))
    return joined


RESIZED = "resize to a half"
COARSE = "JPEG q10-30"
PASTED = "pasted small"

_EDITS: dict[str, Edit] = {
    "crop to 80 %": EDITS["crop to 80 %"],
    "crop to 50 %": EDITS["crop to 50 %"],
    "crop to 25 %": crop(0.25),
    "shift": _shift,
    "flip": EDITS["flip"],
    "vertical flip": _vertical_flip,
    "quarter turn": _quarter_turn,
    "turn by 5°": _turn(5),
    "turn by 30°": _turn(30),
    "white border": EDITS["white border"],
    "text": _lettered,
    "blur": _blurred,
    "grey": EDITS["grey"],
}

PHOTO_EDITS = (RESIZED, COARSE, *_EDITS, PASTED)
"""Every edit by name."""

CATALOGUE_EDITS = tuple(
    f"{COARSE}|{RESIZED}|crop to 80 %|crop to 50 %|shift|flip|turn by 5°|white border|grey".split("|")
)
"""Those that a catalogue meets."""
