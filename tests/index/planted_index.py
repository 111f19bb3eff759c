"""Small indexes with a structure each, what they answer, and whether a damaged one still answers the truth."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from lookalike.errors import LookalikeError
from lookalike.index import local
from lookalike.index.base import Space
from lookalike.index.items import Filter, Item
from lookalike.index.local import LocalIndex

COUNT = 600
FLOATS, BITS = Space(32, "cosine", "model 1"), Space(64, "hamming", "hash 1")
SPACES = {"flat": FLOATS, "hnsw": FLOATS, "hashing": BITS}
RED, CHEAP = Filter(every=("red",)), Filter(none=("red",), data={"price": 2})
ASKED = [f"item {number}" for number in (0, 1, 33, 299, 300, 555, 599, 630)] + ["nobody"]


@contextmanager
def structures_over_few() -> Iterator[None]:
    """Structures from the first items on."""
    with patch.object(local, "WORTH", 20):
        yield


def vectors(space: Space, count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if space.metric == "hamming":
        return rng.integers(0, 256, (count, space.dimension // 8), np.uint8)
    return rng.standard_normal((count, space.dimension)).astype(np.float32)


def items(space: Space, first: int, end: int, seed: int) -> list[Item]:
    """Those of one seed have other vectors, tags and data under the same ids as those of another."""
    rows = vectors(space, end, seed)[first:]
    return [
        Item(
            f"item {number}",
            row,
            f"{seed}/{number}.jpg",
            tuple(tag for tag, every in (("red", 3), ("new", 50)) if (number + seed) % every == 0),
            {"price": (number + seed) % 4},
        )
        for number, row in enumerate(rows, first)
    ]


def make(folder: Path, kind: str, seed: int = 0, *, older: Path | None = None) -> None:
    """An index that has settled twice, lost some items and got some more since; ``older`` is a copy from midway."""
    space = SPACES[kind]
    with structures_over_few(), LocalIndex.create(folder, space, kind=kind) as index:
        index.add(items(space, 0, COUNT // 2, seed))
        index.save()
    if older is not None:
        shutil.copytree(folder, older)
    with structures_over_few(), LocalIndex(folder, writing=True) as index:
        index.add(items(space, COUNT // 2, COUNT, seed))
        index.save()
        index.remove([f"item {number}" for number in range(300, 330)])
        index.add(items(space, COUNT, COUNT + 20, seed))
        index.add(items(space, 40, 45, seed), replace=True)


def answers(index: LocalIndex, space: Space) -> dict[str, Any]:
    """Everything that an index may be asked, in plain values."""
    queries = vectors(space, 4, seed=99)
    told: dict[str, Any] = {}
    for name, only in (("all", None), ("red", RED), ("cheap", CHEAP)):
        filtered = {} if only is None else {"only": only}
        told[f"search {name}"] = _plain(index.search(queries, 7, **filtered))
        told[f"within {name}"] = _plain(index.within(queries[:2], 0.55, **filtered))
        told[f"count {name}"] = index.count(**filtered)
        told[f"tags {name}"] = index.tags(**filtered)
    told["get"] = [_row(item) for item in index.get(ASKED)]
    told["items"] = [_row(item) for item in index.items()]
    return told


def _plain(found: list) -> list:
    return [
        [(hit.id, round(hit.similarity, 5), hit.source, hit.tags, tuple(hit.data.items())) for hit in hits]
        for hits in found
    ]


def _row(item: Item | None) -> Any:
    if item is None:
        return None
    return item.id, np.asarray(item.vector).tobytes(), item.source, item.tags, tuple(item.data.items())


class Truth:
    """What the undamaged index answers, and what any answer of a damaged one may be made of."""

    def __init__(self, folder: Path, space: Space) -> None:
        self.space = space
        with LocalIndex(folder) as index:
            assert index.notices == []
            assert index.info().details["in_structure"] >= 300
            self.answers = answers(index, space)
            queries = vectors(space, 4, seed=99)
            self.right = {
                kind: [set(hits) for hits in _plain(index.search(queries, COUNT + 20, **filtered))]
                for kind, filtered in (("all", {}), ("red", {"only": RED}), ("cheap", {"only": CHEAP}))
            }

    def fault(self, told: dict[str, Any], notices: list[str]) -> str:
        """What is wrong with these answers; ``""`` where nothing is."""
        differing = [name for name, value in self.answers.items() if told[name] != value]
        if not differing:
            return ""
        if not notices:
            return f"unnoticed: {differing}"
        wrong = [name for name in differing if not self._only_missing(name, told[name])]
        return f"wrong though noticed ({notices[0][:80]}): {wrong}" if wrong else ""

    def _only_missing(self, name: str, value: Any) -> bool:
        what, _, which = name.partition(" ")
        if what in ("search", "within"):
            right = self.right[which]
            return all(
                set(hits) <= allowed
                and len(set(hits)) == len(hits)
                and [hit[1] for hit in hits] == sorted((hit[1] for hit in hits), reverse=True)
                for hits, allowed in zip(value, right, strict=False)
            )
        if what == "get":
            return all(mine is None or mine == right for mine, right in zip(value, self.answers[name], strict=True))
        if what == "items":
            return set(value) <= set(self.answers[name]) and len(set(value)) == len(value)
        return False


def examined(folder: Path, truths: list[Truth], *, writing: bool) -> str:
    """How a damaged index behaves: ``"right"``, ``"noticed"`` or ``"refused"``, or ``"FAULT: …"``."""
    try:
        with LocalIndex(folder, writing=writing) as index:
            told, notices = answers(index, truths[0].space), index.notices
    except LookalikeError as error:
        known = error.kind in ("IndexDamaged", "IndexNotFound", "OutputError")
        return "refused" if known and "\n" not in str(error) else f"FAULT: {error.kind}: {error}"
    except BaseException as error:  # noqa: BLE001
        return f"FAULT: {type(error).__name__}: {error}"
    if any("\n" in notice for notice in notices):
        return f"FAULT: {notices}"
    faults = [truth.fault(told, notices) for truth in truths]
    if "" not in faults:
        return f"FAULT: {faults[0]}"
    return "noticed" if notices else "right"
