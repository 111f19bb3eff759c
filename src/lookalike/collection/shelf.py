"""What the store has of the pictures of one run, by their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lookalike.collection.describe import KEPT_AS, keys
from lookalike.collection.packing import unpack, unpack_insets
from lookalike.features.cells import CHANNELS
from lookalike.scoring.pair import shared_method

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.types import PictureFile

Indices = npt.NDArray[np.integer[Any]]


class FeaturesLost(Exception):
    """Stored features turned out to be damaged, and were dropped by the store: they must be made anew."""


class Insets(NamedTuple):
    """Pictures within pictures.

    Attributes:
        owners: int, M, in which picture each is.
        boxes: float32, M×4, where in it: left, top, right and bottom, in shares.
        grids: uint8, M×16×80, its cells at half the size.
    """

    owners: Indices
    boxes: npt.NDArray[np.float32]
    grids: npt.NDArray[np.uint8]


class Shelf:
    """Stored features of ``files``, all of which the store should have.

    Every method raises :class:`FeaturesLost` where it does not.
    """

    def __init__(self, files: Sequence[PictureFile], store: Store) -> None:
        self.files, self.store = files, store
        self._keys = keys("thorough", least=0)  # of those that some mode does without nobody asks in it

    def packed(self, name: str, indices: Indices) -> list[bytes]:
        """One method's features as they are kept, in the order of ``indices``."""
        digests = [self.files[int(index)].digest for index in indices]
        found = self.store.features(self._keys[name], digests)
        if len(found) < len(set(digests)):
            raise FeaturesLost(f"{len(set(digests)) - len(found)} features are lost")
        return [found[digest] for digest in digests]

    def unpacked(self, name: str, indices: Indices) -> list[npt.NDArray[Any]]:
        """One method's features as the method makes them, read-only."""
        made = shared_method(name, {})
        return [unpack(made, content) for content in self.packed(name, indices)]

    def grids(self, name: str, indices: Indices) -> npt.NDArray[np.uint8]:
        """Cells, patches, or cells at half the size: uint8, N×64×80 or N×16×80; read-only."""
        return np.frombuffer(b"".join(self.packed(name, indices)), np.uint8).reshape(len(indices), -1, CHANNELS)

    def insets(self) -> Insets:
        """The pictures within all pictures."""
        found = [unpack_insets(content) for content in self.packed("insets", np.arange(len(self.files)))]
        owners = np.repeat(np.arange(len(found)), [len(boxes) for boxes, _ in found])
        return Insets(owners, *(np.concatenate(each) for each in zip(*found, strict=True)))

    def vectors(self, name: str, indices: Indices | None = None) -> npt.NDArray[np.float16]:
        """Embeddings, discs or hues: float16, N×d; of all pictures where none are named."""
        asked = np.arange(len(self.files)) if indices is None else indices
        return np.frombuffer(b"".join(self.packed(name, asked)), KEPT_AS).reshape(len(asked), -1)

    def palettes(self) -> npt.NDArray[np.float32]:
        """The colours of all pictures: float32, N×d, of length 1; read-only."""
        packed = b"".join(self.packed("palette", np.arange(len(self.files))))
        return np.frombuffer(packed, np.float32).reshape(len(self.files), -1)
