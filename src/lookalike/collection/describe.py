"""Encoded pictures → everything that the store keeps of them; what a hand of the crew does with one batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.collection.packing import pack, pack_place
from lookalike.collection.rows import PictureRow
from lookalike.errors import PictureError
from lookalike.features.cells import proposing, vectors_and_cells
from lookalike.features.shrink import place_of
from lookalike.images.encoded import read_encoded
from lookalike.scoring.pair import shared_method
from lookalike.types import Picture

if TYPE_CHECKING:
    from lookalike.images.limits import Limits
    from lookalike.types import Mode, Pixels

KEPT_AS = "float16"
"""Embeddings and discs only propose; half the bytes propose as well."""


AT_SIGHT = ("disc", "look", "tint")
"""What is extracted of every picture, with the place of its content; the network adds embedding and cells, which whole
frames need not."""


def keys(mode: Mode = "default") -> dict[str, str]:
    """The store's keys of what is extracted of every picture, by method."""
    made = {name: shared_method(name, {}).key for name in AT_SIGHT}
    made["place"] = f"place {made['look']}"  # of the content that the look sees
    if mode == "quick":
        return made
    return {**made, "embedding": proposing().key, "cells": shared_method("cells", {}).key}


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures to describe.

    Attributes:
        paths: what they are called.
        contents: their encoded bytes.
        keys: what to extract, see :func:`keys`.
        limits: what one may cost.
    """

    paths: Sequence[str]
    contents: Sequence[bytes]
    keys: Mapping[str, str]
    limits: Limits


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of one picture; its features by the store's keys."""

    picture: PictureRow
    features: dict[str, bytes]


def describe(batch: Batch) -> list[Described | PictureError]:
    """One result a picture, in order; decoded one at a time, and only the network takes them together."""
    key = batch.keys
    done: list[Described | PictureError] = []
    seen: list[tuple[Described, Pixels]] = []
    opened = deque(
        _opened(path, content, batch.limits) for path, content in zip(batch.paths, batch.contents, strict=True)
    )
    while opened:
        picture = opened.popleft()  # and gone with what was decoded before the next one is
        if isinstance(picture, PictureError):
            done.append(picture)
            continue
        try:
            features = {key[name]: pack(_extracted(name, picture)) for name in AT_SIGHT}
            features[key["place"]] = pack_place(place_of(picture))
            described = Described(PictureRow(picture.format, *picture.original_size), features)
            if "cells" in key:
                seen.append((described, proposing().squeezed(picture)))
        except PictureError as error:
            done.append(error)
            continue
        done.append(described)
    if seen:
        vectors, grids = vectors_and_cells(np.stack([squeezed for _, squeezed in seen]))
        for (described, _), vector, grid in zip(seen, vectors, grids, strict=True):
            described.features[key["embedding"]] = pack(vector.astype(KEPT_AS))
            described.features[key["cells"]] = pack(grid)
    return done


def _extracted(name: str, picture: Picture) -> npt.NDArray[Any]:
    feature: npt.NDArray[Any] = shared_method(name, {}).extract([picture])[0]
    return feature.astype(KEPT_AS) if name == "disc" else feature


def _opened(path: str, content: bytes, limits: Limits) -> Picture | PictureError:
    try:
        return read_encoded(content, path, limits)
    except PictureError as error:
        return error
