"""Encoded pictures → everything that the store keeps of them; what a hand of the crew does with one batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.collection.hues import hues
from lookalike.collection.layout import patches
from lookalike.collection.packing import pack, pack_insets, pack_place
from lookalike.collection.rows import PictureRow
from lookalike.errors import PictureError
from lookalike.features.base import WORKING_SIDE
from lookalike.features.cells import SIDE, Cells, square
from lookalike.features.embedding import Embedding, squeeze
from lookalike.features.insets import cut, insets
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
"""What is extracted of every picture, with the place of its content; it is enough for whole frames."""

NEAR = 0.9
"""Score from which pairs are copies; what is only alike is told by another network."""


CELLS, HALVED = Cells(), Cells(SIDE // 2)

ALIKE = Embedding(size=SIDE, content=True)
"""What the content shows, for pairs that are no copies."""


@cache
def keys(mode: Mode = "default", least: float = NEAR) -> Mapping[str, str]:
    """The store's keys of what is extracted of every picture, by name: mostly the method's.

    Args:
        mode: how hard copies are looked for; ``"quick"`` runs no network.
        least: score from which pairs matter; below 0.90 embeddings and palettes are needed as well.
    """
    made = {name: shared_method(name, {}).key for name in AT_SIGHT}
    made["place"] = f"place {made['look']}"  # of the content that the look sees
    made["hues"] = f"hues {made['tint']}"
    if mode == "quick":
        return made
    made |= {"cells": CELLS.key, "patches": f"patches {CELLS.key}", "halved": HALVED.key}
    if mode == "thorough":
        made["insets"] = f"insets {HALVED.key}"
    if least >= NEAR:
        return made
    return {**made, "embedding": ALIKE.key, "palette": shared_method("palette", {}).key}


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
    seen: list[_Seen] = []
    opened = deque(
        _opened(path, content, batch.limits) for path, content in zip(batch.paths, batch.contents, strict=True)
    )
    while opened:
        picture = opened.popleft()  # and gone with what was decoded before the next one is
        if isinstance(picture, PictureError):
            done.append(picture)
            continue
        try:
            found = {name: _extracted(name, picture) for name in AT_SIGHT}
            features = {key[name]: pack(feature) for name, feature in found.items()}
            features[key["place"]] = pack_place(place_of(picture))
            described = Described(PictureRow(picture.format, *picture.original_size), features)
            seen.append(_Seen(described, found["tint"], square(picture) if "cells" in key else None))
            if "insets" in key:
                features[key["insets"]] = _insets_of(picture)
            if "palette" in key:
                features[key["palette"]] = pack(_extracted("palette", picture))
        except PictureError as error:
            done.append(error)
            continue
        done.append(described)
    if seen:
        _describe_together(seen, key)
    return done


class _Seen(NamedTuple):
    described: Described
    tint: npt.NDArray[np.uint8]
    square: Pixels | None


def _describe_together(seen: Sequence[_Seen], key: Mapping[str, str]) -> None:
    """What takes several pictures at a time a fraction of their time one by one: colours, and the network."""

    def add(name: str, features: Iterable[npt.NDArray[Any]]) -> None:
        for (described, _, _), feature in zip(seen, features, strict=True):
            described.features[key[name]] = pack(feature)

    add("hues", hues([each.tint for each in seen]).astype(KEPT_AS))
    if "cells" in key:
        squares = np.stack([each.square for each in seen if each.square is not None])
        grids = CELLS.grids(squares)
        add("cells", grids)
        add("patches", map(patches, grids))
        add("halved", HALVED.grids(squares))
        if "embedding" in key:
            add("embedding", ALIKE.embed(squares, threads=1).astype(KEPT_AS))


def _insets_of(picture: Picture) -> bytes:
    """Pictures within the picture, and what they show."""
    pixels = picture.decoded(WORKING_SIDE).pixels
    boxes = insets(pixels)
    if not len(boxes):
        return b""
    return pack_insets(boxes, HALVED.grids(np.stack([squeeze(cut(pixels, box), SIDE) for box in boxes])))


def _extracted(name: str, picture: Picture) -> npt.NDArray[Any]:
    feature: npt.NDArray[Any] = shared_method(name, {}).extract([picture])[0]
    return feature.astype(KEPT_AS) if name == "disc" else feature


def _opened(path: str, content: bytes, limits: Limits) -> Picture | PictureError:
    try:
        return read_encoded(content, path, limits)
    except PictureError as error:
        return error
