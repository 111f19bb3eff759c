"""Features through the store: what was made of a picture once, by any command, is read and not made again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lookalike.collection.bundles import bundled, kept_key, unbundled
from lookalike.collection.describe import keys
from lookalike.collection.packing import pack_place, unpack_place
from lookalike.errors import LookalikeError, PictureError, StoreError
from lookalike.features.shrink import place_of, set_place
from lookalike.images.load import load, source_name
from lookalike.scoring.pair import FeatureCache
from lookalike.types import Failure

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.features.base import Method
    from lookalike.images.limits import Limits
    from lookalike.images.load import Source
    from lookalike.types import Picture

PICTURES = frozenset({"mse", "psnr", "ssim", "ssim16", "msssim"})
"""Methods whose features are pictures themselves: a store of them would be larger than the files."""

ENOUGH = 400
"""Features made since the last time they were written down; a transaction takes as long as making a few."""

TOGETHER = 64
"""Pictures that are open at a time where many are described."""


class KeptFeatures(FeatureCache):
    """Features from memory, else from a store, else made and written to it: any method's, from any thread.

    A context manager: what was made last is written down at its end, also where that is an error or Ctrl-C. A store
    that fails meanwhile ends nothing: features are then made anew, and ``notices`` says so.

    Args:
        store: where features are kept; who opened it closes it.
        most_bytes: what features may take in memory.

    >>> import numpy as np
    >>> from lookalike.collection.store import Store
    >>> from lookalike.features.base import method
    >>> picture = load(np.zeros((64, 64), np.uint8))
    >>> with Store(":memory:") as store:
    ...     with KeptFeatures(store) as features:
    ...         made = features.extract(method("phash"), picture)
    ...     again = KeptFeatures(store)
    ...     print(np.array_equal(again.extract(method("phash"), picture), made), again.found)
    True 1
    """

    def __init__(self, store: Store, most_bytes: int = 256 * 2**20) -> None:
        super().__init__(most_bytes)
        self.store = store
        self.found = 0
        self.notices: list[str] = []
        self._made: dict[str, dict[str, bytes]] = {}
        self._count = 0
        self._writing = threading.Lock()

    def __enter__(self) -> KeptFeatures:
        return self

    def __exit__(self, *exc: object) -> None:
        self.flush()

    def make(self, made: Method[Any], picture: Picture) -> Any:
        feature = unbundled(made, self._read(made, [picture.digest]).get(picture.digest), picture)
        if feature is not None:
            self.found += 1
            if made.name == "look":
                self._set_place(picture)
            return feature
        feature = super().make(made, picture)
        self._write(made, [(picture, feature)])
        return feature

    def described(self, made: Method[Any], pictures: Sequence[Picture]) -> list[Any]:
        """The feature of every picture, those that are not kept made together: a network is quicker so.

        Raises:
            PictureError: one of them cannot be decoded.
        """
        contents = self._read(made, [picture.digest for picture in pictures])
        features = [unbundled(made, contents.get(picture.digest), picture) for picture in pictures]
        lacking = {
            picture.digest: picture for picture, feature in zip(pictures, features, strict=True) if feature is None
        }
        self.found += sum(feature is not None for feature in features)
        fresh = dict(zip(lacking, made.extract(list(lacking.values())), strict=True)) if lacking else {}
        self._write(made, [(lacking[digest], feature) for digest, feature in fresh.items()])
        return [
            fresh[picture.digest] if feature is None else feature
            for picture, feature in zip(pictures, features, strict=True)
        ]

    def of_sources(
        self,
        made: Method[Any],
        sources: Sequence[Source],
        limits: Limits,
        progress: Callable[[int], None] | None = None,
    ) -> Iterator[Any | Failure]:
        """The feature of every source, in order, :data:`TOGETHER` at a time; a failure where one cannot be read.

        Args:
            made: the method.
            sources: see :func:`lookalike.load`.
            limits: what a picture may cost.
            progress: called with the number of sources done.
        """
        for start in range(0, len(sources), TOGETHER):
            part = sources[start : start + TOGETHER]
            yield from self._piece(made, part, limits)
            if progress is not None:
                progress(start + len(part))

    def _piece(self, made: Method[Any], sources: Sequence[Source], limits: Limits) -> list[Any | Failure]:
        opened = [_opened(source, limits) for source in sources]
        good = [picture for picture in opened if not isinstance(picture, Failure)]
        try:
            features = iter(self.described(made, good))
            return [picture if isinstance(picture, Failure) else next(features) for picture in opened]
        except PictureError:  # one of them is bad: which one, the slow way tells
            return [picture if isinstance(picture, Failure) else self._alone(made, picture) for picture in opened]

    def _alone(self, made: Method[Any], picture: Picture) -> Any | Failure:
        try:
            return self.extract(made, picture)
        except LookalikeError as error:
            return Failure.of(error)

    def flush(self) -> None:
        """Write down what was made since the last time."""
        with self._writing:
            made, self._made, self._count = self._made, {}, 0
            try:
                for key, rows in made.items():
                    self.store.add_features(key, list(rows.items()))
            except StoreError as error:
                self._notice(error)

    def _set_place(self, picture: Picture) -> None:
        """Where the content of the picture lies, which the look found out: it takes a twentieth of a comparison."""
        content = self._content(keys()["place"], [picture.digest]).get(picture.digest)
        if content is not None:
            set_place(picture, unpack_place(content))

    def _read(self, made: Method[Any], digests: Sequence[str]) -> dict[str, bytes]:
        return {} if made.name in PICTURES else self._content(kept_key(made), digests)

    def _content(self, key: str, digests: Sequence[str]) -> dict[str, bytes]:
        if self.notices:
            return {}
        waiting = self._made.get(key, {})
        try:
            return {**self.store.features(key, digests), **{each: waiting[each] for each in digests if each in waiting}}
        except StoreError as error:
            self._notice(error)
            return {}

    def _write(self, made: Method[Any], rows: Sequence[tuple[Picture, Any]]) -> None:
        if made.name in PICTURES or self.notices:
            return
        contents = {picture.digest: bundled(made, feature) for picture, feature in rows}
        packed = {digest: content for digest, content in contents.items() if content is not None}
        places = {picture.digest: pack_place(place_of(picture)) for picture, _ in rows if made.name == "look"}
        with self._writing:
            self._made.setdefault(kept_key(made), {}).update(packed)
            self._made.setdefault(keys()["place"], {}).update(places)
            self._count += len(packed)
        if self._count >= ENOUGH:
            self.flush()

    def _notice(self, error: StoreError) -> None:
        if not self.notices:
            self.notices.append(f"features are not kept from here on: {error}")


def _opened(source: Source, limits: Limits) -> Picture | Failure:
    try:
        return load(source, limits=limits)
    except LookalikeError as error:
        failure = Failure.of(error)
        return failure if failure.source else Failure(source_name(source), failure.kind, failure.reason)
