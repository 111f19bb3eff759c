"""Pictures → edited copies of them, as files in one folder."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from lookalike.errors import PictureError
from lookalike.files import write_whole
from lookalike.images.load import load
from lookalike.lab.edits.frame import is_flat, scaled
from lookalike.lab.edits.table import Edit, edited
from lookalike.lab.seeded import seeded_order
from lookalike.types import Failure

if TYPE_CHECKING:
    from lookalike.images.limits import Limits


@dataclass(frozen=True, slots=True)
class Copy:
    """An edited copy.

    Attributes:
        name: of the file.
        edit: what was done.
    """

    name: str
    edit: Edit


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of one picture.

    Attributes:
        copies: its copies, in the order of the edits.
        bare: edits of which nothing was left to see, such as a crop that hit the wall.
        failure: why there are none, where it could not be read.
    """

    copies: tuple[Copy, ...] = ()
    bare: tuple[str, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Copier:
    """Makes the copies.

    Attributes:
        folder: where they go.
        edits: what is done.
        each: how many edits a picture meets, every edit about equally often; None for all.
        side: longer side that a picture is scaled down to first.
        seed: decides, with a picture's digest, what an edit does.
        limits: what a picture may cost.
    """

    folder: Path
    edits: Sequence[Edit]
    each: int | None
    side: int
    seed: int
    limits: Limits

    def copy_all(self, paths: Sequence[str], digests: Sequence[str], done: Callable[[int], None]) -> list[Copied]:
        """Copies of every picture, in order; one that needs another picture is put into the next one.

        Args:
            paths: of the pictures.
            digests: of the pictures; they decide what is done, so that a renamed picture meets the same edits.
            done: told how many pictures are through.

        Raises:
            OutputError: a copy cannot be written.
        """
        made: list[Copied] = []
        hosts = [*paths[1:], paths[0]] if len(paths) > 1 else [None]
        with ThreadPoolExecutor(os.cpu_count() or 2, thread_name_prefix="lookalike-edits") as pool:
            for copied in pool.map(self._copy, range(len(paths)), paths, digests, hosts):
                made.append(copied)
                done(len(made))
        return made

    def met_by(self, number: int) -> Iterator[Edit]:
        """The edits that a picture meets: all, or the next few of a row that all pictures take in turn."""
        if self.each is None or self.each >= len(self.edits):
            yield from self.edits
            return
        order = seeded_order([edit.name for edit in self.edits], self.seed, "edits")
        for step in range(self.each):
            yield self.edits[order[(number * self.each + step) % len(order)]]

    def _copy(self, number: int, path: str, digest: str, host_path: str | None) -> Copied:
        edits = list(self.met_by(number))
        try:
            image = self._opened(path)
            host = self._host(host_path) if any(edit.needs == "host" for edit in edits) else None
        except PictureError as error:
            return Copied(failure=Failure.of(error))
        copies, bare, flat = [], [], is_flat(image)
        for edit in edits:
            if not edit.applies(image, host):
                continue
            content = edited(edit.name, image, digest, self.seed, host)
            if edit.cuts and not flat and _is_bare(content):
                bare.append(edit.name)
                continue
            # The seed is in the name: tables name copies beside them, and two benches may lie side by side.
            copy = Copy(f"{digest[:12]}-s{self.seed}-{edit.slug}{edit.saved.suffix}", edit)
            write_whole(self.folder / copy.name, content)
            copies.append(copy)
        return Copied(tuple(copies), tuple(bare))

    def _opened(self, path: str) -> Image.Image:
        """RGB, or RGBA where it has alpha, not larger than is wanted."""
        decoded = load(path, limits=self.limits).decoded(self.side)
        image = Image.fromarray(decoded.pixels)
        if decoded.mask is not None:
            image.putalpha(Image.fromarray(decoded.mask))
        return image if max(image.size) <= self.side else scaled(image, self.side / max(image.size), reducing_gap=3.0)

    def _host(self, path: str | None) -> Image.Image | None:
        try:
            return None if path is None else self._opened(path).convert("RGB")
        except PictureError:
            return None  # it is told where its own turn comes


def _is_bare(content: bytes) -> bool:
    with Image.open(io.BytesIO(content)) as image:
        return is_flat(image)
