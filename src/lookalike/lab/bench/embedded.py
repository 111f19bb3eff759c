"""Pictures, one after another → what they show, as vectors: to find those that look most alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lookalike.features.embedding import Embedding, Vector

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is in all."""

TOGETHER = 32
"""Pictures that the network sees at a time."""

_NETWORK = Embedding(size=128)
"""A third of the time of the one that judges."""


class Embedded:
    """Vectors of pictures; only what the network sees of a picture is held until its turn.

    >>> from lookalike.images.load import load
    >>> seen = Embedded()
    >>> seen.add(load(np.zeros((40, 40), np.uint8)))
    >>> seen.vectors.shape
    (1, 1280)
    """

    def __init__(self) -> None:
        self._waiting: list[Pixels] = []
        self._seen: list[Vector] = [np.empty((0, *_NETWORK.shape), np.float32)]

    def add(self, picture: Picture) -> None:
        """Look at one more.

        Raises:
            PictureError: it cannot be decoded, and is not added.
        """
        self._waiting.append(_NETWORK.squeezed(picture))
        if len(self._waiting) == TOGETHER:
            self._look()

    @property
    def vectors(self) -> Vector:
        """float32, N×1280, rows of length 1, in the order in which pictures were added."""
        if self._waiting:
            self._look()
        return np.concatenate(self._seen)

    def _look(self) -> None:
        self._seen.append(_NETWORK.embed(np.stack(self._waiting)))
        self._waiting = []
