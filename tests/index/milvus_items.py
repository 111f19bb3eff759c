"""Items for tests of an index in a Milvus."""

from __future__ import annotations

from typing import Any

import numpy as np

from lookalike.index.base import Space
from lookalike.index.exact import ExactIndex
from lookalike.index.items import Item

COSINE, HAMMING = Space(8, "cosine", "model 1"), Space(64, "hamming", "hash 1")


def some(space: Space, count: int, seed: int = 0) -> list[Item]:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((count, space.dimension))
    if space.metric == "hamming":
        rows = np.packbits(rows > 0, axis=1)
    return [
        Item(f"{number} '\"\\", row, f"{number}.jpg", ("even",) if number % 2 == 0 else (), {"n": number % 7})
        for number, row in enumerate(rows)
    ]


def content(index: Any) -> list[tuple[Any, ...]]:
    return [(item.id, item.vector.tolist(), item.source, item.tags, item.data) for item in index.items()]


def reference(space: Space, items: list[Item]) -> ExactIndex:
    index = ExactIndex(space)
    index.add(items)
    return index
