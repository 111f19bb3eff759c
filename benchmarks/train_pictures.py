"""Thousands of pictures to train on, made of the few thousand real ones: parts of photos, several of each."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import data
from PIL import Image

PARTS = 4
"""Parts of one photo, in the order of photos: the same seed gives the same parts."""

SIDE = 300
"""Pixels of the longer side."""


def crops(root: Path, folder: Path, count: int) -> tuple[list[str], list[str]]:
    """Write ``count`` JPEG files, parts of 25 to 60 % of photos of all sets; their paths, and what photo each is of."""
    photos = [picture for of in ("clothing", "grocery", "magento", "shop-demo") for picture in data.read(root, of)]
    each = max(PARTS, -(-count // len(photos)))
    photos = data.sample(photos, -(-count // each), seed=0)
    folder.mkdir(parents=True, exist_ok=True)

    def cut(photo: data.Labelled) -> list[str]:
        chance = random.Random(photo.name)
        with Image.open(photo.path) as opened:
            image = opened.convert("RGB")
        written = []
        for part in range(each):
            share = chance.uniform(0.25, 0.6) ** 0.5
            width, height = (max(16, round(side * share)) for side in image.size)
            left, top = (chance.randint(0, max(0, a - b)) for a, b in zip(image.size, (width, height), strict=True))
            piece = image.crop((left, top, left + width, top + height))
            piece.thumbnail((SIDE, SIDE))
            path = folder / f"{photo.name.replace('/', '_')}-{part}.jpg"
            piece.save(path, quality=88)
            written.append(str(path))
        return written

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(cut, photos))
    paths = [path for parts in found for path in parts]
    return paths[:count], [photo.name for photo in photos for _ in range(each)][:count]
