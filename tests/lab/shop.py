"""A shop of small pictures made in code: products differ by their colours, more or less clearly."""

from __future__ import annotations

import colorsys
from itertools import combinations
from pathlib import Path

import numpy as np
from labels import table
from PIL import Image

PRODUCTS, EACH = 14, 4


def pictures(folder: Path) -> list[list[str]]:
    """For every product its pictures: 32×32, two thirds to all in one colour, the rest in any."""
    random = np.random.default_rng(7)
    made = []
    for product in range(PRODUCTS):
        colour = np.array(colorsys.hsv_to_rgb(product / PRODUCTS, 0.8, 0.9)) * 255
        names = []
        for number in range(EACH):
            pixels = random.integers(0, 256, (32, 32, 3))
            own = random.random((32, 32)) < random.uniform(0.1, 0.9)
            pixels[own] = np.clip(colour + random.normal(0, 12, (int(own.sum()), 3)), 0, 255)
            names.append(str(folder / f"{product}-{number}.png"))
            Image.fromarray(pixels.astype(np.uint8)).save(names[-1])
        made.append(names)
    return made


def rows(folder: Path, different: int = 90) -> list[tuple[str, str, str]]:
    """Labelled pairs: all of one product, and so many of two."""
    made = pictures(folder)
    found = [(a, b, "same") for names in made for a, b in combinations(names, 2)]
    random = np.random.default_rng(8)
    while different:
        one, other = random.choice(PRODUCTS, 2, replace=False)
        a, b = sorted((made[one][random.integers(EACH)], made[other][random.integers(EACH)]))
        row = (a, b, "different")
        if row not in found:
            found.append(row)
            different -= 1
    return found


def pairs_file(folder: Path) -> Path:
    return table(folder / "pairs.csv", rows(folder))
