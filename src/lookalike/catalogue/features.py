"""Features for comparing: what was kept when a picture was indexed, else what the user's own store has, else made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lookalike.collection.bundles import kept_key, unbundled
from lookalike.collection.describe import keys
from lookalike.collection.kept import KeptFeatures
from lookalike.collection.packing import unpack_place
from lookalike.features.shrink import set_place
from lookalike.scoring.pair import FeatureCache

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.features.base import Method
    from lookalike.types import Picture


class CatalogueFeatures(KeptFeatures):
    """Features of a catalogue's pictures, and of those it is searched with.

    Searching writes nothing into the index: keypoints take ten times the room of all else, and are asked for few
    pictures. They go to the user's store, which has a limit; what is made of a query goes nowhere.

    Args:
        indexed: what was kept of every picture when it was indexed; read only.
        store: what else was made by any command.
    """

    def __init__(self, indexed: Store, store: Store) -> None:
        super().__init__(store)
        self.indexed = indexed

    def make(self, made: Method[Any], picture: Picture) -> Any:
        content = self.indexed.features(kept_key(made), [picture.digest]).get(picture.digest)
        feature = unbundled(made, content, picture)
        if feature is None:
            known = content is not None or self.indexed.pictures([picture.digest])
            return super().make(made, picture) if known else FeatureCache.make(self, made, picture)
        if made.name == "look":
            place = self.indexed.features(keys()["place"], [picture.digest]).get(picture.digest)
            if place is not None:
                set_place(picture, unpack_place(place))
        return feature
