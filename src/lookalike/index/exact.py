"""The reference: every vector compared, nothing guessed; in memory, or in one file."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import DuplicateId, IndexDamaged, IndexNotFound, printable
from lookalike.files import write_whole
from lookalike.index.base import EVERYTHING, IndexInfo, Space, VectorIndex, check_least, check_top
from lookalike.index.items import Filter, Hit, Item, Vector, checked_item, each_of


class ExactIndex(VectorIndex):
    """Every item in memory; a search compares with all of them.

    Args:
        space: what the vectors are.
        about: anything the caller wants to find again.
        path: file that :meth:`save` writes and :meth:`open` reads; None keeps it to memory.

    >>> index = ExactIndex(Space(2))
    >>> index.add([Item("up", np.array([0, 1])), Item("right", np.array([1, 0]))])
    2
    >>> [(hit.id, hit.similarity) for hit in index.search([0.0, 2.0], 2)[0]]
    [('up', 1.0), ('right', 0.5)]
    """

    def __init__(self, space: Space, path: str | Path | None = None, *, about: Mapping[str, Any] | None = None) -> None:
        self.space = space
        self._about = dict(about or {})
        self.path = None if path is None else Path(path)
        self._items: dict[str, Item] = {}

    @property
    def about(self) -> dict[str, Any]:
        return dict(self._about)

    @classmethod
    def open(cls, path: str | Path) -> ExactIndex:
        """What :meth:`save` wrote.

        Raises:
            IndexNotFound: no such file.
            IndexDamaged: it is no index, or no longer one.
        """
        name = printable(str(path))
        try:
            with zipfile.ZipFile(path) as packed:  # which keeps a checksum of everything in it
                about = json.loads(packed.read("index.json"))
                vectors = np.load(io.BytesIO(packed.read("vectors.npy")), allow_pickle=False)
            index = cls(Space(**about["space"]), path, about=about["about"])
            for row, vector in zip(about["items"], vectors, strict=True):
                item = Item(row[0], vector, row[1], tuple(row[2]), row[3])
                index._items[item.id] = item
        except FileNotFoundError as error:
            raise IndexNotFound(f"{name}: there is no such index", remedy="check the path") from error
        except (OSError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile, NotImplementedError) as error:
            raise IndexDamaged(f"{name}: is no sound index: {error}", remedy="build it anew") from error
        return index

    def add(self, items: Iterable[Item], *, replace: bool = False) -> int:
        count = 0
        for given in items:
            item = checked_item(given)
            if item.id in self._items:
                if not replace:
                    raise DuplicateId.of(item.id)
                del self._items[item.id]  # so that it stands last, as one that was just added
            vector = self.space.row(item.vector)[0]
            self._items[item.id] = Item(item.id, vector, item.source, item.tags, item.data)
            count += 1
        return count

    def remove(self, ids: Iterable[str]) -> int:
        return sum(self._items.pop(each, None) is not None for each in each_of(ids))

    def search(self, queries: npt.ArrayLike, k: int = 10, *, only: Filter = EVERYTHING) -> list[list[Hit]]:
        k = check_top(k)
        return [hits[:k] for hits in self._ranked(queries, only)]

    def within(
        self, queries: npt.ArrayLike, least: float, *, only: Filter = EVERYTHING, most: int = 1000
    ) -> list[list[Hit]]:
        least, most = check_least(least), check_top(most, "most")
        # by the precision of the similarities themselves: 1 - 19/40 is not below what it is as one of them
        enough = float(np.float32(least))
        return [[hit for hit in hits if hit.similarity >= enough][:most] for hits in self._ranked(queries, only)]

    def _ranked(self, queries: npt.ArrayLike, only: Filter) -> Iterator[list[Hit]]:
        rows = self.space.rows(queries)
        items = self._passing(only)
        vectors: Vector = np.stack([item.vector for item in items]) if items else np.empty((0, *self.space.row_shape))
        for row in rows:
            found = self.space.similarities(row, vectors) if items else np.empty(0)
            order = np.argsort(-found, kind="stable")
            yield [hit_of(items[number], float(found[number])) for number in order]

    def _passing(self, only: Filter) -> list[Item]:
        return [item for item in self._items.values() if only.passes(item.tags, item.data)]

    def get(self, ids: Sequence[str]) -> list[Item | None]:
        return [self._items.get(each) for each in each_of(ids)]

    def items(self) -> Iterator[Item]:
        yield from list(self._items.values())

    def count(self, only: Filter = EVERYTHING) -> int:
        return len(self._passing(only)) if only else len(self._items)

    def tags(self, only: Filter = EVERYTHING) -> dict[str, int]:
        counted = Counter(tag for item in self._passing(only) for tag in item.tags)
        return dict(sorted(counted.items(), key=lambda pair: (-pair[1], pair[0])))

    def info(self) -> IndexInfo:
        return IndexInfo(
            engine="exact",
            kind="flat",
            why="the reference compares with everything",
            count=len(self._items),
            space=self.space,
            bytes=self.path.stat().st_size if self.path is not None and self.path.exists() else 0,
            place="" if self.path is None else str(self.path),
        )

    def save(self) -> None:
        if self.path is None:
            return
        items = list(self._items.values())
        rows = [[i.id, i.source, i.tags, dict(i.data)] for i in items]
        about = {"space": self.space.to_dict(), "about": self._about, "items": rows}
        vectors = io.BytesIO()
        kept = [item.vector for item in items]
        np.save(vectors, np.stack(kept) if kept else np.empty((0, *self.space.row_shape), self.space.dtype))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("index.json", json.dumps(about))
            archive.writestr("vectors.npy", vectors.getvalue())
        write_whole(self.path, packed.getvalue())

    def rebuild(self, kind: str | None = None, components: int | None = None) -> None:
        """There is nothing but the vectors."""

    def close(self) -> None:
        """Nothing is held open."""


def hit_of(item: Item, similarity: float) -> Hit:
    """The item as an answer."""
    return Hit(item.id, similarity, item.source, item.tags, item.data)
