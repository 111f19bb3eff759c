"""Pictures as squares of one size, decoded once and kept for every epoch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from lookalike.features.base import WORKING_SIDE
from lookalike.features.embedding import squeeze
from lookalike.images.load import load
from lookalike.lab.edits.table import edited
from lookalike.lab.training.described import Progress

if TYPE_CHECKING:
    from lookalike.images.limits import Limits
    from lookalike.types import Pixels

IN_MEMORY = 4 * 2**30
"""Bytes of squares from which on they lie in a file."""

TRIED = ("crop to 50 %", "text", "grey", "turn by 30°", "blur 2 %", "colour cast", "screenshot", "JPEG q10")
"""Edits (of :mod:`lookalike.lab.edits.table`) that copies are made by where nothing is known but the pictures."""


@contextmanager
def squares_of(
    paths: Sequence[str], side: int, limits: Limits, progress: Progress | None = None, folder: Path | None = None
) -> Iterator[Pixels]:
    """Every picture squeezed to side×side: uint8 N×side×side×3, gone when the block ends.

    Many lie in a temporary file, in ``folder``, rather than in memory.
    """
    shape = (len(paths), side, side, 3)

    def fill(made: Pixels) -> Pixels:
        def one(number: int) -> None:
            pixels = load(paths[number], limits=limits).decoded(max(WORKING_SIDE, side)).pixels
            made[number] = squeeze(pixels, side)

        with ThreadPoolExecutor() as pool:
            for done, _ in enumerate(pool.map(one, range(len(paths))), 1):
                if progress is not None and (done % 64 == 0 or done == len(paths)):
                    progress("reading pictures", done, len(paths))
        return made

    if np.prod(shape, dtype=np.int64) <= IN_MEMORY:
        yield fill(np.empty(shape, np.uint8))
        return
    # Windows keeps a file that is still mapped; the system's own cleaning takes it then
    with tempfile.TemporaryDirectory(dir=folder, prefix=".squares-", ignore_cleanup_errors=True) as place:
        yield fill(np.memmap(Path(place) / "squares", np.uint8, "w+", shape=shape))


def with_copies(
    paths: Sequence[str], size: int, limits: Limits, seed: int, most: int, progress: Progress | None = None
) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """Pictures and edited copies of them as squares, and the number of the picture that each shows.

    Args:
        paths: of the pictures; of more than ``most`` only some, evenly spread.
        size: side of the squares.
        limits: what a picture may cost.
        seed: of the edits.
        most: pictures; each comes 1 + ``len(TRIED)`` times.
        progress: called now and then.
    """
    chosen = list(paths) if len(paths) <= most else [paths[each * len(paths) // most] for each in range(most)]

    def one(path: str) -> list[Pixels]:
        picture = load(path, limits=limits)
        pixels = picture.decoded(WORKING_SIDE).pixels
        image = Image.fromarray(pixels)
        copies = (load(edited(name, image, picture.digest, seed)) for name in TRIED)
        return [squeeze(each, size) for each in (pixels, *(copy.decoded(WORKING_SIDE).pixels for copy in copies))]

    found: list[Pixels] = []
    with ThreadPoolExecutor() as pool:
        for done, versions in enumerate(pool.map(one, chosen), 1):
            found += versions
            if progress is not None:
                progress("making copies to judge by", done, len(chosen))
    return np.stack(found), np.repeat(np.arange(len(chosen)), 1 + len(TRIED))
