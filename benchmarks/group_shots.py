"""Objects of product photos, cut out: what group_catalogue.py dresses anew.

The cut-outs have true alpha. Of a catalogue shot the white that hangs together with the picture's edge is ground; what
it encloses, a white shirt too, belongs to the object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import edits
import numpy as np
import numpy.typing as npt
from data import Labelled
from group_sources import cutouts, kin, photos
from PIL import Image

Pixels = npt.NDArray[np.uint8]

SIDE = 240
"""Longer side of a cut-out object, in pixels."""

_WHITE = 244
"""Ground is at least this bright in every channel."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One object of one photo.

    Attributes:
        photo: where from.
        pixels: uint8, H×W×3, cut to the object.
        alpha: uint8, H×W, 255 = object.
    """

    photo: Labelled
    pixels: Pixels
    alpha: Pixels

    @property
    def kin(self) -> tuple[str, ...]:
        """What it may share with other shots."""
        return (self.photo.name, *kin(self.photo))


def shots(root: Path) -> Iterator[Shot]:
    """Every object that can be cut out: shots on white, and cut-outs."""
    for photo in photos(root):
        if photo.of in {"magento", "shop-demo"}:
            image = _small(edits.opened(photo.path))
            alpha = _object(np.asarray(image))
            if alpha is not None:
                yield _cut(photo, np.asarray(image), alpha)
    for photo in cutouts(root):
        with Image.open(photo.path) as file:
            image = file.convert("RGBA")
        thing = np.asarray(_small(image.crop(image.getchannel("A").getbbox())))
        yield _cut(photo, thing[..., :3], thing[..., 3])


def _small(image: Image.Image) -> Image.Image:
    scale = SIDE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _object(pixels: Pixels) -> Pixels | None:
    """Alpha of what stands on white; None where most of the edge is not white, or next to nothing stands there."""
    white = (pixels.min(axis=2) >= _WHITE).astype(np.uint8)
    framed = np.pad(white, 1, constant_values=1)  # joins the ground that the object divides
    filled = framed.copy()
    cv2.floodFill(filled, None, (0, 0), 2)
    ground = filled[1:-1, 1:-1] == 2
    edge = np.concatenate([ground[0], ground[-1], ground[:, 0], ground[:, -1]])
    if edge.mean() < 0.6 or not 0.08 < 1 - ground.mean() < 0.85:
        return None
    alpha = np.where(ground, 0, 255).astype(np.uint8)
    opened = cv2.morphologyEx(alpha, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(cv2.GaussianBlur(opened, (3, 3), 0), np.uint8)


def _cut(photo: Labelled, pixels: Pixels, alpha: Pixels) -> Shot:
    rows, columns = np.flatnonzero(alpha.max(axis=1) > 30), np.flatnonzero(alpha.max(axis=0) > 30)
    inside = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return Shot(photo, np.ascontiguousarray(pixels[inside]), np.ascontiguousarray(alpha[inside]))
