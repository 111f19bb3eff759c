"""What FAISS searches by: built from rows, chosen by how much there is, and checked against exact similarities after.

Every structure numbers its vectors by slot and only proposes; :class:`~lookalike.index.local.LocalIndex` computes the
similarities of what was proposed from the rows themselves. So quantisation costs recall, never a wrong score.

FAISS and PyTorch bring an OpenMP runtime each, and on macOS a process that uses both dies. Nothing here imports torch;
where a program of the user's did before, :func:`faiss` says so instead of crashing.
"""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from lookalike.errors import UsageError
from lookalike.index.rows import Slots

if TYPE_CHECKING:
    from lookalike.index.base import Space
    from lookalike.index.items import Vector

Kind = Literal["flat", "int8", "hnsw", "ivfpq", "hashing"]

FLAT_BYTES = 256 * 2**20
"""Rows up to which everything is compared: 100,000 embeddings of 1,280 numbers, in about 10 ms."""

BINARY_BYTES = 32 * 2**20
"""Codes up to which everything is compared: a million of 256 bits, in about 2 ms."""

GRAPH_BYTES = 6 * 2**30
"""Memory that a graph over int8 vectors may take; beyond it they are kept as product codes."""

LINKS, BUILD_EFFORT, EFFORT = 32, 120, 256
"""HNSW: links of a node, and how many candidates are held while building and while searching
(Y. Malkov, D. Yashunin, "Efficient and robust approximate nearest neighbor search using HNSW graphs", 2018)."""

PROBED = 32
"""IVF-PQ: lists that are searched (H. Jégou et al., "Product quantization for nearest neighbor search", 2011)."""

TRAINED_ON = 40
"""IVF-PQ: vectors for each list that the lists are made from."""

SAMPLE = 100_000
"""Vectors that quantisers and components are fitted to."""

TOGETHER = 16
"""Queries from which a product of matrices is quicker than one scan a query."""

BLOCK = 2048
"""Vectors that are multiplied at a time: what the processor's caches hold once decoded."""

DEPTHS = {"int8": (40, 4), "hnsw": (40, 4), "ivfpq": (400, 20), "components": (100, 10)}
"""Candidates whose exact similarity is computed: so many at least, and so many for each answer. Among 300,000 vectors
of 256 numbers the ten nearest are all among the first 40 by 8 bits a number, and among the first 100 by 2 (a code of 8
bits for four numbers); ten times as many vectors lie as much denser."""

SPARE = 8
"""Candidates beyond the answers where the structure is exact: its sums are rounded another way than ours."""

NUMBERS_A_CODE = 4
"""IVF-PQ: numbers that one code of 8 bits stands for."""

WALKED_BYTES, PAGE = 4 * 2**30, 4096
"""Files up to which every page of a graph is touched on opening, and bytes of a page."""

Blocks = Callable[[], Iterable["Vector"]]
"""All rows, a block at a time; may be asked for more than once."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How an index searches.

    Attributes:
        kind: see :data:`Kind`.
        why: in words.
        components: principal components that vectors are reduced to before; 0 for none.
    """

    kind: Kind
    why: str
    components: int = 0


def choose(space: Space, count: int, kind: str = "auto", components: int = 0) -> Choice:
    """What suits so many vectors, or what was asked for.

    Raises:
        UsageError: no such kind, or one that this space has no use for.

    >>> from lookalike.index.base import Space
    >>> choose(Space(256), 1_000_000).kind, choose(Space(256, "hamming"), 1000).kind
    ('hnsw', 'flat')
    """
    kinds: tuple[str, ...] = ("flat", "hashing") if space.metric == "hamming" else ("flat", "int8", "hnsw", "ivfpq")
    if kind != "auto" and kind not in kinds:
        known = f"there is no kind of index called {kind!r}" if kind not in get_args(Kind) else f"{kind} is not for"
        raise UsageError(
            known if kind not in get_args(Kind) else f"{known} {space.metric} vectors",
            remedy=f"choose one of auto, {', '.join(kinds)}",
        )
    if components and (space.metric == "hamming" or not 1 <= components < space.dimension):
        raise UsageError(
            f"{space.dimension} {'bits' if space.metric == 'hamming' else 'numbers'} have no {components} components",
            remedy="give fewer than the vectors have, or none",
        )
    components = components if count >= 4 * components else 0  # too few to find that many by
    if kind != "auto":
        return Choice(kind, "as asked for", components)  # type: ignore[arg-type]
    width = components or space.dimension
    if space.metric == "hamming":
        size = count * space.dimension // 8
        if size <= BINARY_BYTES:
            return Choice("flat", "few enough to compare with every code")
        return Choice("hashing", "too many codes to compare with each: substrings find the near ones")
    if count * 2 * width <= FLAT_BYTES:
        return Choice("flat", "few enough to compare with every vector", components)
    if count * (width + 10 * LINKS) <= GRAPH_BYTES:
        return Choice("hnsw", "too many to compare with each: a graph leads to the near ones", components)
    return Choice("ivfpq", "too many for a graph in memory: lists of short codes", components)


class Structure:
    """A FAISS index over the rows of slots 0, 1, 2 …

    Attributes:
        choice: what it is.
        exact: whether what it proposes is what an exact search would find.
    """

    def __init__(self, choice: Choice, space: Space, index: Any) -> None:
        self.choice, self.space, self._index = choice, space, index
        self.exact = choice.kind == "flat" and not choice.components

    @classmethod
    def build(cls, choice: Choice, space: Space, count: int, blocks: Blocks) -> Structure:
        """Fit it to the rows and add them all."""
        made = cls(choice, space, _fitted(choice, space, count, blocks))
        for rows in blocks():
            made.add(rows)
        return made

    @classmethod
    def load(cls, choice: Choice, space: Space, path: Path, *, growing: bool = False) -> Structure:
        """What :meth:`write` wrote; mapped into memory, or read into it where it is to grow.

        The file must have been checked: a loader of native structures is no place for bytes that nobody vouches for.
        """
        library = faiss()
        if space.metric == "hamming":
            return cls(choice, space, library.read_index_binary(str(path)))
        if growing:
            return cls(choice, space, library.read_index(str(path)))
        made = cls(choice, space, library.read_index(str(path), library.IO_FLAG_MMAP_IFC))
        if choice.kind == "hnsw" and path.stat().st_size <= WALKED_BYTES:
            _walk_through(made._index)
        return made

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, rows: Vector) -> None:
        """Add the rows of the slots that follow."""
        self._index.add(_fed(self.space, rows))

    def write(self, path: Path) -> None:
        """Write it to a file."""
        library = faiss()
        write = library.write_index_binary if self.space.metric == "hamming" else library.write_index
        try:
            write(self._index, str(path))
        except RuntimeError as error:  # what FAISS makes of a full disk
            raise OSError(f"the structure cannot be written: {str(error)[-200:]}") from error

    def depth(self, k: int) -> int:
        """How many candidates are worth an exact similarity, for ``k`` answers."""
        if self.exact:
            return k + SPARE
        least, each = DEPTHS["components" if self.choice.components else self.choice.kind]
        return max(least, each * k)

    def propose(self, queries: Vector, k: int, allowed: npt.NDArray[np.bool_] | None = None) -> Slots:
        """The slots of the ``k`` vectors that seem nearest to every query, nearest first; -1 where there are fewer.

        Args:
            queries: rows, (n, …).
            k: how many.
            allowed: which slots may be proposed, one bool each; all where None.
        """
        fed, k = _fed(self.space, queries), min(k, len(self))
        if allowed is None and len(fed) >= TOGETHER and self.exact and self.space.metric == "cosine":
            return self._in_blocks(fed, k)
        return np.asarray(self._index.search(fed, k, **self._parameters(k, allowed))[1], np.int64)

    def _in_blocks(self, queries: Vector, k: int) -> Slots:
        """All queries against a block of vectors at a time, by one product of matrices: each is decoded only once."""
        library = faiss()
        count, width = len(self), 2 * self.space.dimension
        codes = library.rev_swig_ptr(self._index.codes.data(), count * width).reshape(count, width)
        best, slots = [], []
        for start in range(0, count, BLOCK):
            rows = self._index.sa_decode(codes[start : start + BLOCK])
            similar, found = library.knn(queries, rows, min(k, len(rows)), metric=library.METRIC_INNER_PRODUCT)
            best.append(similar)
            slots.append(found + start)
        order = np.argsort(-np.concatenate(best, axis=1), axis=1, kind="stable")[:, :k]
        return np.asarray(np.take_along_axis(np.concatenate(slots, axis=1), order, axis=1), np.int64)

    def _parameters(self, k: int, allowed: npt.NDArray[np.bool_] | None) -> dict[str, Any]:
        library = faiss()
        chosen: dict[str, Any] = {}
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            chosen["sel"] = library.IDSelectorBitmap(bits)
        if self.choice.kind == "hnsw":
            made = library.SearchParametersHNSW(efSearch=max(EFFORT, 2 * k), **chosen)
        elif self.choice.kind == "ivfpq":
            made = library.SearchParametersIVF(nprobe=PROBED, **chosen)
        elif chosen:
            made = library.SearchParameters(**chosen)
        else:
            return {}
        if self.choice.components:
            made = library.SearchParametersPreTransform(index_params=made)
        return {"params": made}


def _walk_through(index: Any) -> None:
    """Touch every page of a mapped graph: a search touches a thousand of them here and there, and each page that it is
    the first to touch costs it a microsecond.
    """
    library = faiss()
    graph = index
    while hasattr(graph, "chain"):  # components are in front
        graph = library.downcast_index(graph.index)
    codes, links = library.downcast_index(graph.storage).codes, graph.hnsw.neighbors
    for part, width in ((codes, 1), (links, 4)):
        if part.size():
            view = library.rev_swig_ptr(part.data(), part.size())
            int(view[:: max(1, PAGE // width)].sum())


def faiss() -> Any:
    """The library; never beside torch where that kills the process.

    Raises:
        UsageError: torch is loaded, on macOS.
    """
    if sys.platform == "darwin" and "torch" in sys.modules and "faiss" not in sys.modules:
        raise UsageError(
            "PyTorch is loaded in this process, and on macOS it and FAISS cannot share one",
            remedy="search in a process that does not import torch",
        )
    return importlib.import_module("faiss")


def _fitted(choice: Choice, space: Space, count: int, blocks: Blocks) -> Any:
    """An empty FAISS index that knows the distribution of the rows."""
    library = faiss()
    if space.metric == "hamming":
        return library.IndexBinaryFlat(space.dimension)
    width = choice.components or space.dimension
    product, quantiser = library.METRIC_INNER_PRODUCT, library.ScalarQuantizer
    if choice.kind == "flat":
        made = library.IndexScalarQuantizer(width, quantiser.QT_fp16, product)
    elif choice.kind == "int8":
        made = library.IndexScalarQuantizer(width, quantiser.QT_8bit, product)
    elif choice.kind == "hnsw":
        made = library.IndexHNSWSQ(width, quantiser.QT_8bit, LINKS, product)
        made.hnsw.efConstruction = BUILD_EFFORT
    else:
        made = _lists_of_codes(width, count)
    if choice.components:
        made = library.IndexPreTransform(library.PCAMatrix(space.dimension, width), made)
    made.train(_sample(space, count, blocks))
    return made


def _lists_of_codes(width: int, count: int) -> Any:
    library = faiss()
    lists = max(1, min(round(4 * math.sqrt(count)), count // TRAINED_ON))
    pieces = next(pieces for pieces in range(max(1, width // NUMBERS_A_CODE), 0, -1) if width % pieces == 0)
    bits = min(8, int(math.log2(max(2, count))))
    coarse = library.IndexFlatIP(width)
    made = library.IndexIVFPQ(coarse, width, lists, pieces, bits, library.METRIC_INNER_PRODUCT)
    coarse.this.disown()  # it belongs to the lists from here on
    made.own_fields = True
    made.cp.seed = 0
    made.cp.max_points_per_centroid = TRAINED_ON
    return made


def _sample(space: Space, count: int, blocks: Blocks) -> Vector:
    """Every so manieth row, as float32."""
    step = max(1, count // SAMPLE)
    taken = [block[::step] for block in blocks()]
    return _fed(space, np.concatenate(taken)) if taken else np.empty((0, space.dimension), np.float32)


def _fed(space: Space, rows: Vector) -> Vector:
    """Rows as FAISS takes them."""
    return np.ascontiguousarray(rows, np.uint8 if space.metric == "hamming" else np.float32)
