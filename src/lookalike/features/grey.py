"""The grey picture as Pillow makes it, and its size within a box: what hashes and SSIM start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from lookalike.features.resample import resample

if TYPE_CHECKING:
    import numpy.typing as npt

    from lookalike.types import Picture, Pixels


def luma(pixels: Pixels) -> Pixels:
    """Brightness by ITU-R 601-2, as ``Image.convert("L")``: (19595 R + 38470 G + 7471 B + 32768) >> 16.

    Args:
        pixels: uint8, H×W×3, RGB.

    Returns:
        uint8, H×W. Read-only.

    >>> luma(np.array([[[255, 0, 0], [10, 20, 30]]], np.uint8)).tolist()
    [[76, 18]]
    """
    return np.asarray(Image.fromarray(pixels).convert("L"))


def grey_of(picture: Picture, side: int) -> Pixels:
    """The grey picture, made once for all methods that ask for the same ``side``: as the file stores it, else
    :func:`luma` of ``picture.decoded(side)``.
    """
    return picture.kept("grey", side, lambda: _stored_or_made(picture, side))


def _stored_or_made(picture: Picture, side: int) -> Pixels:
    stored = picture.stored_luma(side)
    return luma(picture.decoded(side).pixels) if stored is None else stored


def contained_size(width: int, height: int, box: int) -> tuple[int, int]:
    """The size that fills a square of ``box`` pixels and keeps the proportions, as ``PIL.ImageOps.contain``.

    Small pictures grow. No side falls below one pixel (where Pillow would refuse).

    >>> contained_size(1000, 500, 512), contained_size(1, 5000, 512)
    ((512, 256), (1, 512))
    """
    if width > height:
        return box, max(1, round(height / width * box))
    return max(1, round(width / height * box)), box


def contained(grey: Pixels, box: int) -> npt.NDArray[np.uint8]:
    """``grey`` (uint8, H×W) in a square of ``box`` pixels: Pillow's bicubic at :func:`contained_size`."""
    height, width = grey.shape
    return resample(grey, contained_size(width, height, box), "bicubic")
