"""The contract every method keeps, and the registry that finds one by name.

A method turns a picture into a feature (``extract``) and two features into a similarity (``compare``). To add one:
write a file like :mod:`lookalike.features.histogram`, add a line to :data:`REGISTRY` and a row to
``tests/golden/``; the suite in ``tests/contracts/`` then runs over it by itself.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import inspect
import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from lookalike.errors import UnknownMethod, UsageError

if TYPE_CHECKING:
    from lookalike.types import Picture

Feature = TypeVar("Feature")
Metric = Literal["cosine", "hamming", "l2", "correlation"]

WORKING_SIDE = 500
"""Methods that shrink their picture anyway ask for this many pixels on the longer side, so that one reduced decode
serves them all; a picture of 1000 pixels, the commonest size in shops, is then decoded at half."""


class Method(ABC, Generic[Feature]):
    """One way to tell how alike two pictures are.

    Class attributes:
        name: as in the registry.
        version: raised whenever the same picture would give another feature.
        metric: how features compare in an index; None = pairs only, never indexed.
        dtype, shape: of one feature, as NumPy understands them; None where features are not plain arrays of one shape.
        side: pixels needed on the longer side (0 = every pixel), see :meth:`Picture.decoded`.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    metric: ClassVar[Metric | None] = None
    dtype: ClassVar[str | None] = None
    side: ClassVar[int] = WORKING_SIDE

    @property
    def shape(self) -> tuple[int, ...] | None:
        """Shape of one feature; None where it varies."""
        return None

    @property
    def params(self) -> dict[str, Any]:
        """Everything that changes the feature, as JSON values."""
        return {}

    @cached_property
    def key(self) -> str:
        """Name, version and digest of the parameters: equal keys mean interchangeable features."""
        digest = hashlib.sha256(json.dumps(self.params, sort_keys=True).encode()).hexdigest()[:12]
        return f"{self.name}/{self.version}/{digest}"

    @abstractmethod
    def extract(self, pictures: Sequence[Picture]) -> list[Feature]:
        """One feature a picture, in order. A bad picture raises its :class:`~lookalike.errors.PictureError`."""

    @abstractmethod
    def compare(self, a: Feature, b: Feature) -> float:
        """Similarity in [0, 1]: symmetric, 1 = same, ``compare(x, x) == 1``."""

    def raw(self, a: Feature, b: Feature) -> float:
        """The number before it is mapped into [0, 1]: a cosine, a correlation; the similarity otherwise."""
        return self.compare(a, b)

    def mapped(self, raw: float) -> float:
        """The similarity that a raw number stands for: cut to [0, 1] where a method says nothing else."""
        return min(1.0, max(0.0, raw))


REGISTRY: dict[str, tuple[str, str, dict[str, Any]]] = {
    # name: (module, class, arguments)
    "exact": ("exact", "Exact", {}),
    "ahash": ("hashes", "AverageHash", {}),
    "dhash": ("hashes", "DifferenceHash", {}),
    "phash": ("hashes", "PerceptualHash", {}),
    "phash16": ("hashes", "PerceptualHash", {"hash_size": 16}),
    "whash": ("hashes_imagehash", "WaveletHash", {}),
    "colorhash": ("hashes_imagehash", "ColorHash", {}),
    "crophash": ("hashes_imagehash", "CropResistantHash", {}),
    "pdq": ("pdq", "PDQ", {}),
    "turns": ("turns", "Turns", {}),
    "mse": ("pixels", "MeanSquaredError", {}),
    "psnr": ("pixels", "PeakSignalToNoise", {}),
    "ssim": ("pixels", "StructuralSimilarity", {}),
    "ssim16": ("pixels", "StructuralSimilarity", {"full_depth": True}),
    "msssim": ("pixels", "MultiScaleSSIM", {}),
    "hsv": ("histogram", "HSVCorrelation", {}),
    "bhattacharyya": ("histogram", "HSVBhattacharyya", {}),
    "grey": ("histogram", "GreyCosine", {}),
    "palette": ("palette", "Palette", {}),
    "look": ("look", "Look", {}),
    "tint": ("tint", "Tint", {}),
    "disc": ("disc", "Disc", {}),
    "cells": ("cells", "Cells", {}),
    "style": ("style", "Style", {}),
    "orb": ("keypoints", "ORB", {}),
    "sift": ("keypoints", "SIFT", {}),
    "xfeat": ("xfeat", "XFeat", {}),
    "object": ("objects", "Objects", {}),
    "embedding": ("embedding", "Embedding", {}),
}
"""Where each method lives. Modules are imported on first use: OpenCV and ONNX Runtime are not free."""


def check_method(name: object) -> None:
    """Raise :class:`~lookalike.errors.UnknownMethod` where no method is called ``name``; the message has a near one."""
    if not isinstance(name, str) or name not in REGISTRY:
        near = difflib.get_close_matches(str(name), REGISTRY, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "see `lookalike methods`"
        raise UnknownMethod(f"there is no method called {name!r}", remedy=hint)


def method(name: str, **arguments: Any) -> Method[Any]:
    """Make the method called ``name``; ``arguments`` override its defaults.

    Raises:
        UnknownMethod: no such name; the message lists near ones.
        UsageError: the method takes no such argument, or not such a value.

    >>> method("phash").shape
    (64,)
    """
    check_method(name)
    module, class_name, defaults = REGISTRY[name]
    made: type[Method[Any]] = getattr(importlib.import_module(f"lookalike.features.{module}"), class_name)
    signature = inspect.signature(made, eval_str=True)
    try:
        signature.bind(**arguments)
    except TypeError as error:
        unknown = ", ".join(repr(key) for key in arguments if key not in signature.parameters)
        takes = ", ".join(signature.parameters) or "no arguments"
        raise UsageError(f"method {name!r} does not take {unknown}", remedy=f"it takes: {takes}") from error
    for key, value in arguments.items():
        _check_value(name, key, value, signature.parameters[key].annotation)
    try:
        return made(**{**defaults, **arguments})
    except TypeError as error:
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        raise UsageError(f"method {name!r} cannot be made with {given} ({error})") from error


_PLAIN: dict[Any, tuple[tuple[type, ...], str]] = {
    int: ((int,), "a whole number"),
    int | None: ((int, type(None)), "a whole number"),
    float: ((int, float), "a number"),
    bool: ((bool,), "true or false"),
    str: ((str, os.PathLike), "a text"),
}
"""Annotation → what a value may be, and its name in a message. Others are left to the method itself."""


def _check_value(name: str, key: str, value: object, annotation: Any) -> None:
    """A wrong value is said here: some methods would only meet it deep in OpenCV."""
    types, words = _PLAIN.get(annotation, ((object,), ""))
    truth_for_number = isinstance(value, bool) and bool not in types and object not in types
    if not isinstance(value, types) or truth_for_number:
        raise UsageError(f"method {name!r} takes {words} for {key!r}, not {value!r}")


def describe_methods() -> list[dict[str, Any]]:
    """Name, metric and one line about every method, in the registry's order."""
    rows = []
    for name, (module, class_name, arguments) in REGISTRY.items():
        made = getattr(importlib.import_module(f"lookalike.features.{module}"), class_name)
        about = (made.__doc__ or "").strip().splitlines()[0].partition("; see ")[0].rstrip(".")
        about = re.sub(r":\w+:`~?([^`]*)`", r"\1", about).replace("``", "")
        given = ", ".join(f"{key}={value}" for key, value in arguments.items())
        rows.append({"name": name, "metric": made.metric, "about": f"{about} ({given})" if given else about})
    return rows
