"""What is searched for: pictures, parts of them, items that are there, words; and what it should not be like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.images.limits import Limits
from lookalike.images.load import load, source_name
from lookalike.index.items import Filter, each_of
from lookalike.types import Picture

if TYPE_CHECKING:
    from lookalike.catalogue.recipe import Recipe
    from lookalike.collection.kept import KeptFeatures
    from lookalike.images.load import Source

_LIMITS = Limits()

Combine = Literal["mean", "best"]

AWAY = 0.5
"""How much of what it is to be unlike is taken off: half, as the classic of relevance feedback takes a part of it
(J. Rocchio, "Relevance feedback in information retrieval", 1971)."""


@dataclass(frozen=True, slots=True)
class Query:
    """One search.

    Attributes:
        like: pictures that answers should be like; see :func:`lookalike.load`.
        unlike: pictures that they should not be like.
        ids, unlike_ids: likewise, by items that are in the index.
        text: words, for models that have a text side.
        crop: the part of every picture in ``like`` that is meant: left, top, width, height, in pixels, or in shares
            where all of them are at most 1.
        combine: of several pictures, ``"mean"`` asks for what is like all of them, ``"best"`` like any of them.
        only: which items may be answers.
        tags: words that answers should have; those that share more of them come sooner.
        tag_weight: how much of the order the tags make, 0 to 1.
        top: answers at most.
        rerank: candidates whose pictures are compared; 0 for none, None for what suits ``top``.
        thorough: compare every candidate as closely as the likeliest.
        least: least score of an answer, or least similarity where nothing is compared.
        fold: near-duplicates of an answer go under it.
    """

    like: tuple[Source, ...] = ()
    unlike: tuple[Source, ...] = ()
    ids: tuple[str, ...] = ()
    unlike_ids: tuple[str, ...] = ()
    text: str = ""
    crop: tuple[float, float, float, float] | None = None
    combine: Combine = "mean"
    only: Filter = field(default_factory=Filter)
    tags: tuple[str, ...] = ()
    tag_weight: float | None = None
    top: int = 10
    rerank: int | None = None
    thorough: bool = False
    least: float = 0.0
    fold: bool = False

    def __post_init__(self) -> None:
        for name in ("ids", "unlike_ids", "tags"):
            object.__setattr__(self, name, tuple(each_of(getattr(self, name))))
        for name in ("like", "unlike"):
            given = getattr(self, name)
            object.__setattr__(self, name, tuple(given) if isinstance(given, (list, tuple)) else (given,))
        if not isinstance(self.only, Filter):
            raise UsageError(
                "only is a Filter", remedy='such as lookalike.Filter(every="dress", conditions="price<40")'
            )
        if not (self.like or self.ids or self.text):
            raise UsageError("nothing is searched for", remedy="give a picture, an id or words")
        if self.combine not in ("mean", "best"):
            raise UsageError(f"combine must be mean or best, not {self.combine!r}")
        if isinstance(self.top, bool) or not isinstance(self.top, int) or self.top < 1:
            raise UsageError(f"top must be 1 or more, not {self.top}")
        if self.rerank is not None and (isinstance(self.rerank, bool) or self.rerank < 0):
            raise UsageError(f"rerank must be 0 or more, not {self.rerank}")
        if self.tag_weight is not None and not 0 <= self.tag_weight <= 1:
            raise UsageError(f"the weight of tags lies between 0 and 1, not at {self.tag_weight}")
        if self.tag_weight and not self.tags and not self.ids:
            raise UsageError("a weight for tags needs tags", remedy="name some with --tags")
        if not 0 <= self.least <= 1:
            raise UsageError(f"a score lies between 0 and 1, not at {self.least}")


def opened(query: Query, limits: Limits) -> list[Picture]:
    """The pictures in ``query.like``, cut out where a part is meant.

    Raises:
        PictureError: one cannot be read.
    """
    pictures = [load(source, limits=limits) for source in query.like]
    return pictures if query.crop is None else [cropped(picture, query.crop, limits) for picture in pictures]


def cropped(picture: Picture, box: Sequence[float], limits: Limits = _LIMITS) -> Picture:
    """A part of a picture, as a picture.

    Args:
        picture: the whole.
        box: left, top, width, height, in pixels, or in shares of the picture where none is over 1.
        limits: what a picture may cost.

    Raises:
        UsageError: no such part.

    >>> cropped(load(np.zeros((40, 60), np.uint8)), (0.5, 0, 0.5, 1)).original_size
    (30, 40)
    """
    width, height = picture.original_size
    across, down = (width, height) if max(box) <= 1 else (1, 1)
    left, right = round(box[0] * across), round((box[0] + box[2]) * across)
    top, bottom = round(box[1] * down), round((box[1] + box[3]) * down)
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise UsageError(
            f"the part {', '.join(f'{each:g}' for each in box)} is not in a picture of {width}×{height}",
            remedy="give left, top, width and height, in pixels or in shares of 0 to 1",
        )
    return load(np.ascontiguousarray(picture.pixels[top:bottom, left:right]), limits=limits)


def directed(
    recipe: Recipe, like: Sequence[npt.NDArray[Any]], unlike: Sequence[npt.NDArray[Any]], combine: Combine
) -> npt.NDArray[Any]:
    """Vectors to search by: one, or with ``"best"`` one for each picture.

    Args:
        recipe: whose vectors they are.
        like, unlike: vectors as the index takes them, (d,).
        combine: see :class:`Query`.

    Returns:
        (n, d).
    """
    if recipe.space.metric == "hamming":
        if unlike:
            raise UsageError(f"{recipe.method!r} makes bits, and nothing can be taken off them")
        return np.stack(like)
    rows = np.stack([vector / np.linalg.norm(vector) for vector in like])
    if combine == "mean":
        rows = rows.mean(axis=0, keepdims=True)
    if unlike:
        away = np.mean([vector / np.linalg.norm(vector) for vector in unlike], axis=0)
        rows = rows - AWAY * away
    return rows


def vectors_of(recipe: Recipe, pictures: Sequence[Picture], features: KeptFeatures) -> list[npt.NDArray[Any]]:
    """The vector of every picture."""
    return [recipe.vector(features.extract(recipe.made, picture)) for picture in pictures]


def about(query: Query) -> Mapping[str, Any]:
    """The query in plain values, for a result that is written down."""
    return {
        "like": [source_name(source) for source in query.like],
        "unlike": [source_name(source) for source in query.unlike],
        "ids": list(query.ids),
        "unlike_ids": list(query.unlike_ids),
        "text": query.text,
        "crop": None if query.crop is None else list(query.crop),
        "combine": query.combine,
        "tags": list(query.tags),
        "only": {
            "every": list(query.only.every),
            "some": list(query.only.some),
            "none": list(query.only.none),
            "conditions": list(map(str, query.only.of_data)),
        },
        "top": query.top,
    }
