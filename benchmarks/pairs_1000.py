"""Pairs of JPEG files of 1000×1000 pixels for timing: photos and catalogue pictures, copies and strangers.

With the real pictures where they are, made in code otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import edits
import numpy as np
from data import folder
from PIL import Image, ImageDraw, ImageOps

SIDE = 1000
QUALITY = 90

PHOTOS = ("pdq/bridge-mods/aaa-orig.jpg", "exif-orientation/Landscape_0.jpg")
PRODUCTS = ("magento/m/h/mh02-black_main.jpg", "magento/w/p/wp07-black_main.jpg")
SAME_CATEGORY = "magento/m/h/mh03-black_main.jpg"


Pictures = tuple[Image.Image, Image.Image, Image.Image | None]
"""One picture, a stranger to it and, where there is one, another product of its category."""


@dataclass(frozen=True, slots=True)
class FilePair:
    """Two files, and what they are to each other."""

    picture: str
    relation: str
    a: Path
    b: Path


def make(into: Path, seed: int = 0) -> list[FilePair]:
    """Write the files below ``into``."""
    kinds: dict[str, Pictures] = {"drawn": (_drawn(seed), _drawn(seed + 1), None)}
    root = folder()
    if root is None:
        print("the real pictures are absent (see LOOKALIKE_DATA): drawn ones only")
    else:
        photos = [_square_cut(edits.opened(root / name)) for name in PHOTOS]
        products = [_square_page(edits.opened(root / name)) for name in (*PRODUCTS, SAME_CATEGORY)]
        kinds = {"photo": (photos[0], photos[1], None), "catalogue": (products[0], products[1], products[2]), **kinds}
    return [pair for kind, pictures in kinds.items() for pair in _pairs(into, kind, *pictures)]


def _pairs(into: Path, kind: str, one: Image.Image, other: Image.Image, similar: Image.Image | None) -> list[FilePair]:
    made = {
        "copy": _saved(one, into / f"{kind}-copy.jpg", 60),
        "crop to 80 %": _edited(one, "crop to 80 %", into / f"{kind}-crop.jpg"),
        "flip": _edited(one, "flip", into / f"{kind}-flip.jpg"),
        "different": _saved(other, into / f"{kind}-other.jpg"),
    }
    if similar is not None:
        made["same category"] = _saved(similar, into / f"{kind}-similar.jpg")
    first = _saved(one, into / f"{kind}.jpg")
    return [FilePair(kind, relation, first, path) for relation, path in made.items()]


def _saved(image: Image.Image, path: Path, quality: int = QUALITY) -> Path:
    image.save(path, "JPEG", quality=quality)
    return path


def _edited(image: Image.Image, edit: str, path: Path) -> Path:
    path.write_bytes(edits.apply(edit, image, path.name))
    with Image.open(path) as edited:
        return _saved(edited.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS), path)


def _square_cut(image: Image.Image) -> Image.Image:
    return ImageOps.fit(image, (SIDE, SIDE), Image.Resampling.LANCZOS)


def _square_page(image: Image.Image) -> Image.Image:
    return ImageOps.pad(image, (SIDE, SIDE), Image.Resampling.LANCZOS, color="white")


def _drawn(seed: int) -> Image.Image:
    """Fractal noise with discs and boxes on it: texture at every scale, like a photo, and some outlines."""
    chance = np.random.default_rng(seed)
    layers = np.zeros((SIDE, SIDE, 3), np.float32)
    for cells in (4, 12, 36, 108, 324):
        noise = chance.integers(0, 256, (cells, cells, 3), np.uint8)
        grown = Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        layers += np.asarray(grown, np.float32) * cells**-0.5
    image = Image.fromarray(np.clip((layers - layers.mean()) / layers.std() * 45 + 128, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for index in range(24):
        x, y, size = (int(value) for value in chance.integers((0, 0, 40), (SIDE, SIDE, 260)))
        colour = tuple(int(value) for value in chance.integers(0, 256, 3))
        shape = draw.ellipse if index % 2 else draw.rectangle
        shape((x, y, x + size, y + size // 2), fill=colour, outline="black", width=3)
    return image
