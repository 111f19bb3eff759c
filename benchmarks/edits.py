"""What people and programs do to a picture: seeded edits, each giving the bytes of the edited file.

An edit takes the picture as a Pillow image (RGB, upright, alpha laid on white) and a random generator of its own, so
that one picture with one seed always meets the same crop and the same border. Results are saved as JPEG at quality 90,
as an editor would, but for the two edits that are about the file itself.
"""

from __future__ import annotations

import hashlib
import io
import math
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

Edit = Callable[[Image.Image, random.Random], Image.Image]


def opened(path: Path) -> Image.Image:
    """The picture at ``path``: upright, alpha laid on white, RGB; ``info`` keeps its colour profile."""
    with Image.open(path) as file:
        image = ImageOps.exif_transpose(file)
        if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
            cutout = image.convert("RGBA")
            page = Image.new("RGBA", cutout.size, "white")
            laid = Image.alpha_composite(page, cutout).convert("RGB")
            laid.info = {key: value for key, value in image.info.items() if key == "icc_profile"}
            return laid
        return image.convert("RGB")


def apply(name: str, image: Image.Image, key: str, seed: int = 0) -> bytes:
    """The edit called ``name`` (of :data:`EDITS`) done to ``image``, as the bytes of a file.

    Args:
        name: which edit.
        image: RGB.
        key: name of the picture; with ``seed`` it decides every random choice.
    """
    # hash() differs from run to run; a digest does not.
    chance = random.Random(hashlib.sha256(f"{seed}/{name}/{key}".encode()).digest())
    edited = EDITS[name](image, chance)
    profile = image.info.get("icc_profile") if edited.mode == "RGB" else None  # an editor keeps what colours mean
    file = io.BytesIO()
    if name == "PNG":
        edited.save(file, "PNG", compress_level=1, icc_profile=profile)
    else:
        edited.save(file, "JPEG", quality=10 if name == "JPEG q10" else 90, icc_profile=profile)
    return file.getvalue()


def _untouched(image: Image.Image, _: random.Random) -> Image.Image:
    return image


def resize(longest: int) -> Edit:
    """Scale so that the longer side has this many pixels."""

    def edit(image: Image.Image, _: random.Random) -> Image.Image:
        scale = longest / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        return image.resize(size, Image.Resampling.LANCZOS)

    return edit


def crop(area: float) -> Edit:
    """Keep this share of the area, the proportions as they were, anywhere in the picture."""

    def edit(image: Image.Image, chance: random.Random) -> Image.Image:
        width, height = (max(1, round(side * math.sqrt(area))) for side in image.size)
        left, top = chance.randint(0, image.width - width), chance.randint(0, image.height - height)
        return image.crop((left, top, left + width, top + height))

    return edit


def blur(share: float) -> Edit:
    """Gaussian; sigma is a share of the longer side."""

    def edit(image: Image.Image, _: random.Random) -> Image.Image:
        return image.filter(ImageFilter.GaussianBlur(share * max(image.size)))

    return edit


def _flip(image: Image.Image, _: random.Random) -> Image.Image:
    return ImageOps.mirror(image)


def _quarter_turn(image: Image.Image, chance: random.Random) -> Image.Image:
    return image.transpose(chance.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270)))


def _grey(image: Image.Image, _: random.Random) -> Image.Image:
    return image.convert("L")


def _white_border(image: Image.Image, chance: random.Random) -> Image.Image:
    """10 to 20 % of the shorter side, on all four sides."""
    return ImageOps.expand(image, round(chance.uniform(0.10, 0.20) * min(image.size)), "white")


def _brightness(factor: float) -> Edit:
    def edit(image: Image.Image, _: random.Random) -> Image.Image:
        return ImageEnhance.Brightness(image).enhance(factor)

    return edit


def _small_turn(image: Image.Image, chance: random.Random) -> Image.Image:
    """3 to 8 degrees either way, the corners white."""
    degrees = chance.uniform(3, 8) * chance.choice((-1, 1))
    return image.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor="white")


def _cast(image: Image.Image, chance: random.Random) -> Image.Image:
    """Every channel by its own factor, 0.8 to 1.2: a wrong white balance."""
    factors = np.array([chance.uniform(0.8, 1.2) for _ in range(3)])
    return Image.fromarray(np.clip(np.asarray(image) * factors + 0.5, 0, 255).astype(np.uint8))


EDITS: dict[str, Edit] = {
    "JPEG q10": _untouched,
    "resize to 64": resize(64),
    "crop to 80 %": crop(0.8),
    "flip": _flip,
    "90° turn": _quarter_turn,
    "grey": _grey,
    "blur 1 %": blur(0.01),
    "white border": _white_border,
    "blur 2 %": blur(0.02),
    "crop to 50 %": crop(0.5),
    "brightness × 1.3": _brightness(1.3),
    "brightness × 0.7": _brightness(0.7),
    "turn by 3-8°": _small_turn,
    "colour cast": _cast,
    "PNG": _untouched,
}
"""Every edit by name."""

REQUIRED = ("JPEG q10", "resize to 64", "crop to 80 %", "flip", "90° turn", "grey", "blur 1 %", "white border")
"""Edits that the default preset must recognise."""
