"""Draws the strips of mistakes for ``docs/accuracy.md``: pairs with their scores, as small WebP files.

Only pictures whose licence allows it are in the rows that this reads: the clothing set (CC0) and the grocery set (MIT).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from accuracy_copies import SIDE
from accuracy_mistakes import STRIPS
from accuracy_rows import Read
from data import folder_or_leave
from PIL import Image, ImageDraw, ImageFont, ImageOps

from lookalike import load
from lookalike.lab.edits.frame import scaled
from lookalike.lab.edits.table import edited

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
LARGEST = 60_000
"""Bytes of a file, at most."""

CELL, GAP, LINE, ACROSS = 150, 8, 22, 3
"""Side of a picture, space between two, height of the words, pairs side by side; in pixels."""


def draw(read: Read) -> None:
    """All strips, anew; those with nothing to show are removed."""
    root = folder_or_leave()
    seed = read.run("accuracy")["settings"]["seed"]
    for strip in STRIPS:
        path = IMAGES / strip.file
        pairs = strip.pairs(read)
        if not pairs:
            path.unlink(missing_ok=True)
            continue
        path.write_bytes(_small(_strip(root, pairs, seed)))
        print(f"{path.name}: {path.stat().st_size:,} bytes, {len(pairs)} pairs")


def _strip(root: Path, pairs: Sequence[Mapping[str, Any]], seed: int) -> Image.Image:
    width, height = 2 * CELL + 3 * GAP, CELL + LINE + 2 * GAP
    rows = -(-len(pairs) // ACROSS)
    sheet = Image.new("RGB", (min(len(pairs), ACROSS) * width, rows * height), "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=15)
    for place, pair in enumerate(pairs):
        left, top = place % ACROSS * width + GAP, place // ACROSS * height + GAP
        pen.text((left, top), f"{place + 1}.  {pair['score']:.2f}  {_words(pair)}", "#222222", font)
        for side, image in enumerate(_both(root, pair, seed)):
            cell = ImageOps.pad(image, (CELL, CELL), Image.Resampling.LANCZOS, color="#eeeeee")
            sheet.paste(cell, (left + side * (CELL + GAP), top + LINE))
    return sheet


def _words(pair: Mapping[str, Any]) -> str:
    if pair["shared"] == "copy":
        return str(pair["kind"])
    return {"product": "the same product", "category": "one category"}.get(pair["shared"], "different")


def _both(root: Path, pair: Mapping[str, Any], seed: int) -> tuple[Image.Image, Image.Image]:
    first = load(str(root / pair["a"]))
    image = Image.fromarray(first.decoded(SIDE).pixels)
    if pair["shared"] != "copy":
        return image, Image.fromarray(load(str(root / pair["b"])).decoded(SIDE).pixels)
    whole = image if max(image.size) <= SIDE else scaled(image, SIDE / max(image.size), reducing_gap=3.0)
    return image, Image.open(io.BytesIO(edited(pair["kind"], whole, first.digest, seed))).convert("RGB")


def _small(sheet: Image.Image) -> bytes:
    """As a WebP file of at most :data:`LARGEST` bytes."""
    for quality in range(82, 20, -6):
        file = io.BytesIO()
        sheet.save(file, "WEBP", quality=quality, method=6)
        if file.tell() <= LARGEST:
            break
    return file.getvalue()
