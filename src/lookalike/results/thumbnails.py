"""Files → small JPEG pictures without metadata, several at a time, in order."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from PIL import Image

from lookalike.errors import LookalikeError
from lookalike.features.shrink import shrunk
from lookalike.images.limits import Limits
from lookalike.images.load import load
from lookalike.threads import in_order
from lookalike.types import Picture, PictureFile

LARGEST, SMALLEST = 240, 64
"""Longest side of a thumbnail, in pixels, where there are few and where there are very many."""

BUDGET = 64_000_000
"""Pixels that all thumbnails of a page may have together: about 11 MB of JPEG, whatever their number."""

QUALITY = 80
THREADS = 2
AHEAD = 32
"""Pictures begun before the caller has taken the first of them: what bounds the memory."""


def side_for(count: int) -> int:
    """Longest side in pixels that lets ``count`` thumbnails stay inside :data:`BUDGET`.

    >>> [side_for(count) for count in (10, 2_000, 4_000, 20_000)]
    [240, 179, 126, 64]
    """
    return round(min(LARGEST, max(SMALLEST, math.sqrt(BUDGET / max(1, count)))))


def thumbnails(pictures: Sequence[PictureFile], side: int, limits: Limits) -> Iterator[bytes | None]:
    """A thumbnail of each picture, in their order, made a little ahead of the caller.

    A small picture is not enlarged. The pixels are encoded anew, so that nothing else of the file gets through: no
    place, camera, profile or comment.

    Args:
        pictures: the files; each is read once.
        side: longest side of a thumbnail, in pixels.
        limits: what one picture may cost.

    Yields:
        A JPEG file; None where the picture cannot be read any more, or is no longer the one that was compared.
    """
    with ThreadPoolExecutor(THREADS, thread_name_prefix="lookalike-thumbnails") as pool:
        yield from in_order(pool, partial(thumbnail, side=side, limits=limits), pictures, AHEAD)


def thumbnail(picture: PictureFile, side: int, limits: Limits) -> bytes | None:
    """One picture as a JPEG of at most ``side`` × ``side`` pixels, or None; see :func:`thumbnails`."""
    try:
        now = load(picture.path, limits=limits)
        if now.digest != picture.digest:
            return None  # another picture beside a score that is not its own would be worse than none
        return small_jpeg(now, side)
    except LookalikeError:
        return None


def small_jpeg(picture: Picture, side: int) -> bytes:
    """A picture as a JPEG of at most ``side`` × ``side`` pixels, without metadata; a small one is not enlarged.

    Raises:
        PictureError: it cannot be decoded.
    """
    pixels = picture.decoded(side).pixels
    if max(pixels.shape[:2]) > side:
        pixels = shrunk(pixels, side)
    made = io.BytesIO()
    Image.fromarray(pixels).save(made, "JPEG", quality=QUALITY, optimize=True)
    return made.getvalue()
