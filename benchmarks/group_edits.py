"""The edits planted in the folders of group_photos.py and group_catalogue.py.

Done to the original at full size, scaled to the size of the folder afterwards. They are those of
:mod:`lookalike.lab.edits.table`: crops keep a share of the AREA with the proportions as they were, a border is 10 to
20 % of the shorter side. Whatever uncovers empty ground (turns, shifts, borders) leaves it white.
"""

from __future__ import annotations

import io
import random

from PIL import Image

from lookalike.lab.edits.frame import is_flat, paste
from lookalike.lab.edits.table import EDITS

__all__ = ["CATALOGUE_EDITS", "PASTED", "PHOTO_EDITS", "is_flat", "jpeg", "planted"]

QUALITY = 90


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
        return jpeg(paste(image, chance, host), side)
    for _ in range(20):
        edited = EDITS[kind].change(image, chance)
        if not is_flat(edited):
            break  # a crop that hit nothing but the wall is another picture
    return jpeg(edited, side)


RESIZED = "resize to a half"
COARSE = "JPEG q10-30"
PASTED = "pasted small"

_TURNED = ("flip", "vertical flip", "quarter turn", "turn by 5°", "turn by 30°")

PHOTO_EDITS = (
    *(RESIZED, COARSE, "crop to 80 %", "crop to 50 %", "crop to 25 %", "shift"),
    *(*_TURNED, "white border", "text", "blur", "grey", PASTED),
)
"""Every edit by name."""

CATALOGUE_EDITS = tuple(
    f"{COARSE}|{RESIZED}|crop to 80 %|crop to 50 %|shift|flip|turn by 5°|white border|grey".split("|")
)
"""Those that a catalogue meets."""
