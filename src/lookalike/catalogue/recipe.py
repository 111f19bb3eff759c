"""How a catalogue describes its pictures: which vector, and what else of them is kept for comparing."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from lookalike.collection.bundles import bundled, kept_key
from lookalike.collection.describe import keys
from lookalike.collection.packing import pack_place
from lookalike.errors import DecodeFailed, IndexMismatch, LookalikeError, PictureError, UsageError
from lookalike.features.base import REGISTRY
from lookalike.features.embedding import BATCH, Embedding
from lookalike.features.shrink import place_of, shrunk
from lookalike.features.text_encoder import has_text, text_encoder, text_files
from lookalike.images.encoded import read_encoded
from lookalike.index.base import Space
from lookalike.scoring.pair import shared_method

if TYPE_CHECKING:
    from lookalike.features.base import Method
    from lookalike.images.limits import Limits
    from lookalike.types import Picture

AT_ONCE = ("look", "tint", "palette")
"""What every comparison by the default preset asks first; a millisecond or two of a picture that is open anyway."""

PREVIEW = "preview 512"
"""The store's key of a small copy of a picture whose source is an address."""

PREVIEW_SIDE, PREVIEW_QUALITY = 512, 85


@dataclass(frozen=True)
class Recipe:
    """Which method makes the vectors.

    Args:
        method: a method whose features can be indexed, such as ``"embedding"``, ``"phash"`` or ``"pdq"``.
        options: its arguments.

    Raises:
        UsageError: a method that only verifies pairs, or arguments it does not take.

    >>> Recipe("phash").space.metric, Recipe().space.dimension
    ('hamming', 1280)
    """

    method: str = "embedding"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.made.metric not in ("cosine", "hamming") or self.made.shape is None:
            raise UsageError(f"the features of {self.method!r} cannot be indexed", remedy=f"use {', '.join(indexed())}")

    @cached_property
    def made(self) -> Method[Any]:
        """The method itself."""
        return shared_method(self.method, self.options)

    @cached_property
    def space(self) -> Space:
        """What its vectors are."""
        shape = self.made.shape
        assert shape is not None
        return Space(int(np.prod(shape)), self.made.metric, self.made.key)  # type: ignore[arg-type]

    def vector(self, feature: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A feature as the index takes it: float32, or bits packed into bytes."""
        if self.space.metric == "hamming":
            return np.packbits(feature.reshape(-1).astype(bool))
        return feature.reshape(-1).astype(np.float32)

    def text_vector(self, text: str) -> npt.NDArray[Any]:
        """The vector of some words, float32.

        Raises:
            UsageError: the model knows pictures only.
            MissingExtra, ModelError: its text half cannot be used.
        """
        made = self.made
        if isinstance(made, Embedding) and has_text(made.model.path):
            return text_encoder(made.model.path, made.model.dimension).encode(text)
        wanted = [path.name for path in text_files(Path("clip.onnx"))]
        raise UsageError(
            f"the model of this index ({getattr(made, 'label', self.method)}) knows pictures and no words",
            remedy="search by picture, or build an index with an encoder that has a text half, such as CLIP or SigLIP "
            f"in ONNX: --model clip.onnx, with {' and '.join(wanted)} beside it",
        )

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values, kept with the index."""
        return {"method": self.method, "options": dict(self.options)}

    @classmethod
    def of(cls, about: Mapping[str, Any], space: Space) -> Recipe:
        """The recipe of an index.

        Raises:
            IndexMismatch: this installation makes other vectors by it: another version, another model file.
        """
        try:
            made = cls(about["method"], about["options"])
        except (KeyError, TypeError, LookalikeError) as error:
            raise IndexMismatch(
                f"the index was made by a method that is not here: {error}", remedy="build it anew"
            ) from error
        made.space.require(space)
        return made


def indexed() -> list[str]:
    """The methods whose features can be indexed."""
    found = []
    for name in REGISTRY:
        try:
            made = shared_method(name, {})
        except LookalikeError:
            continue
        if made.metric in ("cosine", "hamming") and made.shape is not None:
            found.append(name)
    return found


@dataclass(frozen=True, slots=True)
class Job:
    """Encoded pictures to describe.

    Attributes:
        sources: what they are called.
        contents: their encoded bytes.
        method, options: of the recipe.
        limits: what one may cost.
        previews: which of them need a small copy, one bool each.
    """

    sources: Sequence[str]
    contents: Sequence[bytes]
    method: str
    options: Mapping[str, Any]
    limits: Limits
    previews: Sequence[bool]


@dataclass(frozen=True, slots=True)
class Described:
    """One picture: what it is, its vector, and features by the store's keys."""

    digest: str
    format: str
    width: int
    height: int
    vector: npt.NDArray[Any]
    features: dict[str, bytes]


def describe(job: Job) -> list[Described | PictureError]:
    """One result a picture, in order; the same on one machine and on every worker of a cluster."""
    recipe = Recipe(job.method, job.options)
    results: list[Described | PictureError] = []
    good: list[tuple[int, Picture, bool]] = []
    for source, content, preview in zip(job.sources, job.contents, job.previews, strict=True):
        try:
            picture = read_encoded(content, source, job.limits)
            picture.decoded(500)
            good.append((len(results), picture, preview))
            results.append(DecodeFailed("not described", source=source))
        except PictureError as error:
            results.append(error)
    for start in range(0, len(good), BATCH):
        part = good[start : start + BATCH]
        for (number, picture, preview), feature in zip(
            part, _features(recipe, [each for _, each, _ in part]), strict=True
        ):
            try:
                if isinstance(feature, PictureError):
                    raise feature
                results[number] = _described(recipe, picture, feature, preview)
            except PictureError as error:
                results[number] = error
    return results


def _features(recipe: Recipe, pictures: Sequence[Picture]) -> list[Any]:
    """The recipe's feature of every picture, or why there is none; together where that is quicker."""
    made = recipe.made
    try:
        if isinstance(made, Embedding):  # one thread: there is a process a core
            return list(made.embed(np.stack([made.squeezed(picture) for picture in pictures]), threads=1))
        return list(made.extract(pictures))
    except PictureError:
        return [_alone(made, picture) for picture in pictures]


def _alone(made: Method[Any], picture: Picture) -> Any:
    try:
        return made.extract([picture])[0]
    except PictureError as error:
        return error


def _described(recipe: Recipe, picture: Picture, feature: npt.NDArray[Any], preview: bool) -> Described:
    features: dict[str, bytes] = {}
    _keep(features, recipe.made, feature)
    for name in AT_ONCE:
        made = shared_method(name, {})
        _keep(features, made, made.extract([picture])[0])
    features[keys()["place"]] = pack_place(place_of(picture))
    if preview:
        features[PREVIEW] = small_copy(picture)
    return Described(picture.digest, picture.format, *picture.original_size, recipe.vector(feature), features)


def _keep(features: dict[str, bytes], made: Method[Any], feature: Any) -> None:
    content = bundled(made, feature)
    if content is not None:
        features[kept_key(made)] = content


def small_copy(picture: Picture) -> bytes:
    """A JPEG of at most 512 pixels on a side: enough to compare it by, and to show it."""
    pixels = picture.decoded(PREVIEW_SIDE).pixels
    if max(pixels.shape[:2]) > PREVIEW_SIDE:
        pixels = shrunk(pixels, PREVIEW_SIDE)
    made = io.BytesIO()
    Image.fromarray(pixels).save(made, "JPEG", quality=PREVIEW_QUALITY)
    return made.getvalue()
