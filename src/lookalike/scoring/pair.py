"""Two pictures and everything known about them, each thing computed once and only when asked for."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.features.base import Method, method
from lookalike.threads import both
from lookalike.types import Picture

if TYPE_CHECKING:
    from lookalike.scoring.geometry import Geometry


class FeatureCache:
    """Features of the pictures seen last, by picture and method, for runs in which pictures recur.

    Args:
        most_bytes: what the features may take in all; the one unused for longest goes first.
    """

    def __init__(self, most_bytes: int = 256 * 2**20) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, str], tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def extract(self, made: Method[Any], picture: Picture) -> Any:
        """The feature of ``picture`` by the method ``made``, from the cache where it is there."""
        key = (picture.digest, made.key)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        feature = self.make(made, picture)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = (feature, size := _size(feature))
                self._bytes += size
            while self._bytes > self.most_bytes:
                self._bytes -= self._kept.popitem(last=False)[1][1]
        return feature

    def make(self, made: Method[Any], picture: Picture) -> Any:
        """The feature, made anew; a store of features says more here."""
        return made.extract([picture])[0]


def _size(feature: Any) -> int:
    """Bytes of a feature, whatever record its arrays lie in."""
    if isinstance(feature, np.ndarray):
        return feature.nbytes
    if dataclasses.is_dataclass(feature):
        return sum(_size(getattr(feature, field.name)) for field in dataclasses.fields(feature))
    if isinstance(feature, (tuple, list)):
        return sum(map(_size, feature))
    return 100


class Pair:
    """Features and similarities of two pictures, remembered.

    The pictures are kept in an order of their own (by digest), so that everything made from a pair is the same
    whichever way round it was given; ``swapped`` says whether that differs from the caller's order.

    Args:
        a, b: the pictures.
        options: arguments for methods by name, such as ``{"embedding": {"size": 128}}``.
        cache: where features of other pairs may be found; None keeps them to this pair.
        side_by_side: work on both pictures at the same time; not worth it where many pairs are.
        hint: how ``b`` probably lies on ``a``: 3×3, in shares of width and height (0 to 1);
            then no other place is searched for.
        search: whether to search where one picture lies on the other, if the whole frames do not tell and there is no
            hint.
        closely: whether to look for one object in both where neither is a copy of the other; it cannot make a copy.
    """

    def __init__(
        self,
        a: Picture,
        b: Picture,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        cache: FeatureCache | None = None,
        side_by_side: bool = True,
        hint: npt.NDArray[np.float64] | None = None,
        search: bool = True,
        closely: bool = True,
    ) -> None:
        self.cache = cache or FeatureCache()
        self.swapped = b.digest < a.digest
        self.first, self.second = (b, a) if self.swapped else (a, b)
        self.options = dict(options or {})
        self.side_by_side = side_by_side
        self.search = search
        self.closely = closely
        self.hint = np.asarray(np.linalg.inv(hint), np.float64) if hint is not None and self.swapped else hint
        self.similarities: dict[str, float] = {}
        self.details: dict[str, float] = {}
        self.aligned: Geometry | None = None
        """What keypoints found last, kept for those who want to show the points."""
        self._features: dict[str, tuple[Any, Any]] = {}

    def method(self, name: str) -> Method[Any]:
        """The method called ``name`` with this pair's options; one object for all pairs with the same options."""
        return shared_method(name, self.options.get(name, {}))

    def features(self, name: str) -> tuple[Any, Any]:
        """The features of both pictures, extracted side by side on first use."""
        if name not in self._features:
            self.prepare(name)
        return self._features[name]

    def prepare(self, *names: str) -> None:
        """Extract several methods' features at once: one task a picture, both pictures at the same time."""
        wanted = [(name, self.method(name)) for name in names if name not in self._features]
        if not wanted:
            return

        def extract(picture: Picture) -> list[Any]:
            return [self.cache.extract(made, picture) for _, made in wanted]

        if self.side_by_side:
            ours, theirs = both(lambda: extract(self.first), lambda: extract(self.second))
        else:
            ours, theirs = extract(self.first), extract(self.second)
        for (name, _), a, b in zip(wanted, ours, theirs, strict=True):
            self._features[name] = (a, b)

    def similarity(self, name: str) -> float:
        """Similarity by the method called ``name``, in [0, 1]."""
        if name not in self.similarities:
            self.similarities[name] = float(self.method(name).compare(*self.features(name)))
        return self.similarities[name]

    def raw(self, name: str) -> float:
        """The method's number before it was mapped into [0, 1]; the similarity is remembered as well."""
        made = self.method(name)
        raw = float(made.raw(*self.features(name)))
        self.similarities[name] = made.mapped(raw)
        return raw

    def identical(self) -> bool:
        """Whether both show the same pixels; decodes them only where the files differ."""
        return self.first.digest == self.second.digest or (
            self.first.original_size == self.second.original_size
            and self.method("exact").compare(*self.features("exact")) == 1
        )


def shared_method(name: str, arguments: Mapping[str, Any]) -> Method[Any]:
    """The method called ``name``; one object for all that ask for it with the same arguments.

    Raises:
        UnknownMethod, UsageError, ModelError: no such method, or arguments that it does not take.
    """
    frozen = tuple(sorted((key, _frozen(value)) for key, value in arguments.items()))
    try:
        return _shared_method(name, frozen)
    except TypeError as error:  # a value that cannot be a key, such as a dict
        raise UsageError(f"method {name!r} cannot be made with {dict(arguments)}") from error


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@lru_cache(maxsize=64)
def _shared_method(name: str, arguments: tuple[tuple[str, Any], ...]) -> Method[Any]:
    return method(name, **dict(arguments))
