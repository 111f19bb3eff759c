"""Labelled pairs of pictures made in code."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from synthetic import photo


def pictures(folder: Path, count: int = 4) -> list[str]:
    """``count`` photos and a smaller copy of each: 0.png, 0-small.jpg, 1.png …"""
    made = []
    for number in range(count):
        pixels = photo(100 + number, 120, 90)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        Image.fromarray(np.ascontiguousarray(pixels[::2, ::2])).save(folder / f"{number}-small.jpg", quality=90)
        made += [str(folder / f"{number}.png"), str(folder / f"{number}-small.jpg")]
    return made


def table(file: Path, rows: Sequence[Sequence[object]], head: Sequence[str] = ("a", "b", "label")) -> Path:
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([head, *rows])
    return file


def copies(folder: Path, count: int = 4) -> Path:
    """A table that calls every picture and its copy the same, and it and the next picture different."""
    names = pictures(folder, count)
    rows = []
    for number in range(0, len(names), 2):
        rows += [(names[number], names[number + 1], "same")]
        rows += [(names[number], names[(number + 2) % len(names)], "different")]
    return table(folder / "pairs.csv", rows)
