"""A catalogue → the vectors of its pictures, through the store; what cannot be read is told and left out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.collection.kept import KeptFeatures
from lookalike.errors import LookalikeError, PictureError
from lookalike.features.embedding import Embedding
from lookalike.images.load import load
from lookalike.lab.training.catalogue import Catalogue
from lookalike.types import Failure

if TYPE_CHECKING:
    from lookalike.images.limits import Limits
    from lookalike.types import Picture

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is in all."""

TOGETHER = 64


@dataclass(frozen=True, slots=True)
class Described:
    """The pictures of a catalogue that can be used, each content once.

    Attributes:
        paths: where they are.
        digests: sha256 (hex) of each.
        names: the labels, in the order of the alphabet.
        labels: (N,), the number of each picture's label in ``names``; -1 where it has none.
        vectors: float32 N×D, rows of length 1.
        failures: what could not be used, and why.
        notices: what a person should know, a line each.
    """

    paths: tuple[str, ...]
    digests: tuple[str, ...]
    names: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float32]
    failures: tuple[Failure, ...]
    notices: tuple[str, ...]

    @property
    def digest(self) -> str:
        """sha256 (hex) of all contents with their labels, whatever the files are called and in whatever order."""
        rows = zip(self.digests, self.labels, strict=True)
        lines = sorted(f"{digest} {self.names[label] if label >= 0 else ''}" for digest, label in rows)
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def described(
    catalogue: Catalogue,
    embedding: Embedding,
    features: KeptFeatures,
    limits: Limits,
    progress: Progress | None = None,
) -> Described:
    """Describe the pictures of a catalogue, in the order of their digests: how files are called or listed is no matter.

    A content that comes again under the same label counts once; one that comes under two labels is left out.

    Raises:
        PictureError: none of them can be used.
    """
    failures: list[Failure] = []
    rows: dict[str, tuple[str, str, npt.NDArray[np.float32]]] = {}
    contradicted: set[str] = set()
    copies = 0
    for path, label, digest, feature in _features(catalogue, embedding, features, limits, progress):
        if isinstance(feature, Failure):
            failures.append(feature)
        elif digest in rows:
            copies += 1
            if rows[digest][1] != label:
                contradicted.add(digest)
        else:
            rows[digest] = (path, label, feature)
    for digest in contradicted:
        del rows[digest]
    if not rows:
        reason = failures[0].reason if failures else "there is none"
        raise PictureError(f"no picture of it can be used: {reason}", source=catalogue.name, remedy="check its paths")
    notices = [f"{copies} files are copies, byte by byte, of others; each content counts once"] if copies else []
    if contradicted:
        notices.append(f"{len(contradicted)} contents come under two labels and are left out")
    rows = dict(sorted(rows.items()))
    names = tuple(sorted({label for _, label, _ in rows.values() if label}))
    number = {name: index for index, name in enumerate(names)}
    return Described(
        tuple(path for path, _, _ in rows.values()),
        tuple(rows),
        names,
        np.array([number.get(label, -1) for _, label, _ in rows.values()], np.int64),
        np.stack([vector for _, _, vector in rows.values()]),
        tuple(failures),
        (*catalogue.notices, *notices),
    )


def _features(
    catalogue: Catalogue, embedding: Embedding, features: KeptFeatures, limits: Limits, progress: Progress | None
) -> Iterator[tuple[str, str, str, npt.NDArray[np.float32] | Failure]]:
    """Path, label, digest and vector of every picture; a failure, and no digest, where it cannot be read."""
    total = len(catalogue.paths)
    for start in range(0, total, TOGETHER):
        paths, labels = (each[start : start + TOGETHER] for each in (catalogue.paths, catalogue.labels))
        opened: list[Picture | Failure] = []
        for path in paths:
            try:
                opened.append(load(path, limits=limits))
            except LookalikeError as error:
                opened.append(Failure.of(error))
        good = [picture for picture in opened if not isinstance(picture, Failure)]
        found = iter(list(features.of_sources(embedding, good, limits)))
        for path, label, picture in zip(paths, labels, opened, strict=True):
            if isinstance(picture, Failure):
                yield path, label, "", picture
            else:
                yield path, label, picture.digest, next(found)
        if progress is not None:
            progress("describing pictures", start + len(paths), total)
