"""The contract that every index keeps; :mod:`lookalike.index.exact` is the reference it is tested against.

One suite, ``tests/contracts/test_index_contract.py``, runs over every engine. To add one: subclass
:class:`VectorIndex`, and add a line to the suite.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from lookalike.errors import IndexMismatch, LookalikeError, UsageError, printable
from lookalike.index.items import Filter, Hit, Item, Vector

Metric = Literal["cosine", "hamming"]

EVERYTHING = Filter()

MOST = 100_000
"""Answers to one query at most: more is an export, not a search."""


@dataclass(frozen=True, slots=True)
class Space:
    """What the vectors of an index are; only vectors of one space can be compared.

    Attributes:
        dimension: numbers in a vector, or bits.
        metric: ``"cosine"`` for float vectors, held to length 1 in half precision; ``"hamming"`` for bits, a multiple
            of 8, packed into bytes with the first bit highest.
        model: who made them: method, version, parameters and the sha256 of the model file. Vectors of another model
            mean something else, however alike they look.

    >>> Space(64, "hamming", "phash 1").row_shape
    (8,)
    """

    dimension: int
    metric: Metric = "cosine"
    model: str = ""

    def __post_init__(self) -> None:
        if self.metric not in ("cosine", "hamming"):
            raise UsageError(f"an index measures by cosine or hamming, not by {self.metric!r}")
        if not 1 <= self.dimension <= 32_768 or (self.metric == "hamming" and self.dimension % 8):
            raise UsageError(
                f"vectors of {self.dimension} {'bits' if self.metric == 'hamming' else 'numbers'} cannot be indexed",
                remedy="1 to 32,768 numbers, or bits in eights",
            )

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one vector as it is given."""
        return (self.dimension // 8,) if self.metric == "hamming" else (self.dimension,)

    @property
    def dtype(self) -> type[np.generic]:
        """Of one vector as it is kept: half precision, which changes a cosine by under 0.001, or bytes."""
        return np.uint8 if self.metric == "hamming" else np.float16

    def to_dict(self) -> dict[str, Any]:
        """The space as plain values."""
        return asdict(self)

    def rows(self, vectors: npt.ArrayLike) -> Vector:
        """One or several vectors as they are kept, (n, …); cosine ones brought to length 1.

        Raises:
            IndexMismatch: another dimension.
            UsageError: not numbers, NaN, infinite, or all zero where an angle is asked for.
        """
        try:
            given = np.asarray(vectors)
            given = given[None] if given.ndim == 1 else given
            return self._checked(given)
        except (TypeError, ValueError) as error:
            raise UsageError(f"these are no vectors: {error}") from error

    def row(self, vector: npt.ArrayLike) -> Vector:
        """The one vector of an item as it is kept, (1, …).

        Raises:
            IndexMismatch, UsageError: as :meth:`rows`, and several vectors.
        """
        row = self.rows(vector)
        if len(row) != 1:
            raise UsageError(f"an item has one vector, not {len(row)}")
        return row

    def _checked(self, given: Vector) -> Vector:
        if given.ndim != 2 or given.shape[1:] != self.row_shape:
            raise IndexMismatch(
                f"a vector of shape {given.shape[1:]} does not fit an index of {self.row_shape}",
                remedy="search with the model that the index was made with",
            )
        if self.metric == "hamming":
            if given.dtype != np.uint8:
                raise UsageError(f"bits are given packed into uint8, not as {given.dtype}", remedy="see numpy.packbits")
            return np.ascontiguousarray(given)
        rows = given.astype(np.float32)
        bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
        if len(bad):
            raise UsageError(f"vector {bad[0]} holds NaN or infinity")
        lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
        if not lengths.all():
            raise UsageError(f"vector {int(np.argmin(lengths))} is all zero and points nowhere")
        return np.asarray(rows / lengths, np.float16)

    def stacked(self, vectors: Sequence[npt.ArrayLike]) -> Vector:
        """Rows of several items, each of which must have one vector; as :meth:`rows`, and as :meth:`row` where it says
        why not.
        """
        try:
            given = np.stack([np.asarray(vector) for vector in vectors])
            if given.ndim == 2:
                return self.rows(given)
        except (TypeError, ValueError, LookalikeError):
            pass
        return np.concatenate([self.row(vector) for vector in vectors])

    def similarities(self, query: Vector, rows: Vector) -> npt.NDArray[np.float32]:
        """Similarity in [0, 1] of one kept vector to each of ``rows`` (n, …), exactly."""
        if self.metric == "hamming":
            width = query.shape[0]
            if width % 8 == 0:  # eight bytes at a time
                query, rows = query.view(np.uint64), np.ascontiguousarray(rows).view(np.uint64)
            agree = 1.0 - np.bitwise_count(rows ^ query).sum(axis=1, dtype=np.int32) / self.dimension
            return np.asarray(agree, np.float32)
        cosines = rows.astype(np.float32, copy=False) @ query.astype(np.float32, copy=False)
        return np.asarray(np.clip((cosines + 1) / 2, 0, 1), np.float32)

    def require(self, other: Space) -> None:
        """Refuse what was made by another model.

        Raises:
            IndexMismatch: model, metric or dimension differ.
        """
        if self == other:
            return
        if self.model != other.model:
            raise IndexMismatch(
                f"the index was made with {printable(self.model or 'no model', 300)}, and this is of "
                f"{printable(other.model or 'no model', 300)}",
                remedy="use the same model, or build the index anew with the other",
            )
        raise IndexMismatch(
            f"the index holds {self.metric} vectors of {self.dimension}, and these are {other.metric} of"
            f" {other.dimension}",
            remedy="use the same model, or build the index anew",
        )


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """What an index says of itself.

    Attributes:
        engine: ``"exact"``, ``"local"`` or ``"milvus"``.
        kind: how it searches: ``"flat"``, ``"int8"``, ``"hnsw"``, ``"ivfpq"``, ``"hashing"`` …
        why: in words, why that kind.
        count: items.
        space: what their vectors are.
        bytes: on disk; 0 where that is not known.
        place: folder or address.
        notices: what a person should know, such as a damaged file that was made anew.
        details: whatever else the engine knows: parameters, removed items that still take room …
    """

    engine: str
    kind: str
    why: str
    count: int
    space: Space
    bytes: int = 0
    place: str = ""
    notices: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for ``json.dumps``."""
        return {**asdict(self), "notices": list(self.notices), "details": dict(self.details)}


class VectorIndex(ABC):
    """Items by id, and the nearest of them; a context manager.

    What :meth:`add` and :meth:`remove` returned from is kept, whenever the process ends after that; :meth:`save` only
    makes the next opening quicker. Answers come with the most alike first, equals in the order of their adding.

    Attributes:
        space: what the vectors are.
    """

    space: Space

    @property
    @abstractmethod
    def about(self) -> dict[str, Any]:
        """What the caller wanted to be kept with the index, as plain values."""

    @abstractmethod
    def add(self, items: Iterable[Item], *, replace: bool = False) -> int:
        """Add items, taken as they are needed.

        Args:
            items: what to add.
            replace: an item of an id that is there takes its place; else that is refused.

        Returns:
            How many were added.

        Raises:
            DuplicateId: an id twice; what came before it in this call may have been added.
            IndexMismatch, UsageError: a vector or an item that does not belong here.
        """

    @abstractmethod
    def remove(self, ids: Iterable[str]) -> int:
        """Remove items, or one by its id alone; unknown ids are passed over.

        Returns:
            How many were there.
        """

    @abstractmethod
    def search(self, queries: npt.ArrayLike, k: int = 10, *, only: Filter = EVERYTHING) -> list[list[Hit]]:
        """The ``k`` nearest items of every query, fewer where there are fewer.

        Args:
            queries: one vector or several, (n, …).
            k: 1 to :data:`MOST`.
            only: which items may be answers.
        """

    @abstractmethod
    def within(
        self, queries: npt.ArrayLike, least: float, *, only: Filter = EVERYTHING, most: int = 1000
    ) -> list[list[Hit]]:
        """Every item at least so similar to a query, up to ``most`` of them.

        Args:
            queries: one vector or several, (n, …).
            least: similarity in [0, 1].
            only: which items may be answers.
            most: answers to one query.
        """

    @abstractmethod
    def get(self, ids: Sequence[str]) -> list[Item | None]:
        """Items by id, in that order; None where there is none."""

    @abstractmethod
    def items(self) -> Iterator[Item]:
        """Every item, in the order of adding."""

    def sources(self) -> Iterator[tuple[str, str]]:
        """Id and source of every item, in the order of adding."""
        return ((item.id, item.source) for item in self.items())

    @abstractmethod
    def count(self, only: Filter = EVERYTHING) -> int:
        """How many items pass."""

    @abstractmethod
    def tags(self, only: Filter = EVERYTHING) -> dict[str, int]:
        """Tag → items that have it, among those that pass; the commonest first."""

    @abstractmethod
    def info(self) -> IndexInfo:
        """What the index says of itself."""

    @abstractmethod
    def save(self) -> None:
        """Settle what was added since the last time, so that opening and searching are quick."""

    @abstractmethod
    def rebuild(self, kind: str | None = None, components: int | None = None) -> None:
        """Make whatever it searches by anew.

        Args:
            kind: of another kind from now on, see :func:`lookalike.index.structures.choose`; None leaves it.
            components: principal components that vectors are reduced to before; None leaves that.

        Raises:
            UsageError: no such kind.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; a second time does nothing."""

    def __len__(self) -> int:
        return self.count()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def check_top(k: int, what: str = "top") -> int:
    """``k``, not over :data:`MOST`.

    Raises:
        UsageError: no whole number over 0.
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise UsageError(f"{what} must be 1 or more, not {k}")
    return min(int(k), MOST)


def check_least(least: float) -> float:
    """``least``, a similarity.

    Raises:
        UsageError: not in [0, 1].
    """
    if not 0 <= least <= 1:
        raise UsageError(f"a similarity lies between 0 and 1, not at {least}")
    return float(least)
