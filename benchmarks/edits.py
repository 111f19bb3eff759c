"""The edits that the default preset is measured with; they are made in :mod:`lookalike.lab.edits.table`."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

from lookalike.lab.edits.table import EDITS as ALL
from lookalike.lab.edits.table import edited, on_white

REQUIRED = ("JPEG q10", "resize to 64", "crop to 80 %", "flip", "90° turn", "grey", "blur 1 %", "white border")
"""Edits that the default preset must recognise."""

OTHERS = ("blur 2 %", "crop to 50 %", "brightness × 1.3", "brightness × 0.7", "turn by 3-8°", "colour cast", "PNG")

EDITS = {name: ALL[name] for name in (*REQUIRED, *OTHERS)}
"""Those of the benchmark of pairs, in the order of its table."""

apply = edited
"""Name, picture, key and seed → the bytes of the edited file."""


def opened(path: Path) -> Image.Image:
    """The picture at ``path``: upright, alpha laid on white, RGB; ``info`` keeps its colour profile."""
    with Image.open(path) as file:
        return on_white(ImageOps.exif_transpose(file))
