"""Which pairs of a collection may be copies: nearest by what they show, nearest by their rings, likeliest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.collection.neighbours import DENSITY, Ranked, Vectors, Whitening, density, nearest, ranked, whitening
from lookalike.errors import UsageError

if TYPE_CHECKING:
    from lookalike.types import Mode

EMBEDDING_AXES, EMBEDDING_AXES_OF_MANY = 384, 256
"""Numbers an embedding keeps once whitened: of 512 the same pairs come out, of 256 two in a hundred fewer."""

MANY = 50_000
"""Pictures over which the fewer are kept: the search takes as long as they are many."""

DISC_AXES = 64

NEIGHBOURS = 32
"""Nearest that are listed for every picture."""

FEW = 20
"""Pictures up to which every pair is a candidate."""

EXACT = 200_000
"""Pictures up to which neighbours are searched exactly."""


@dataclass(frozen=True, slots=True)
class Width:
    """How many candidates are looked at, per picture.

    Attributes:
        shown: by what the pictures show; half of the crops to a quarter are among the first two, three quarters among
            the first four.
        rings: by their rings, which find whole frames however they are turned.
    """

    shown: float
    rings: float


WIDTHS: dict[Mode, Width] = {
    "quick": Width(0.0, 0.6),
    "default": Width(4.0, 0.5),
    "thorough": Width(16.0, 2.0),
}


@dataclass(frozen=True, slots=True)
class Spaces:
    """What spreads the vectors of a collection, kept so that later pictures can be laid beside the earlier ones.

    Attributes:
        shown: of embeddings; None where nobody asked what the pictures show.
        rings: of discs.
    """

    shown: Whitening | None
    rings: Whitening


def space_of_shown(embeddings: npt.NDArray[np.float16]) -> Whitening:
    """What spreads these embeddings (N×1280)."""
    return whitening(embeddings, EMBEDDING_AXES if len(embeddings) <= MANY else EMBEDDING_AXES_OF_MANY)


def space_of_rings(discs: npt.NDArray[np.float16]) -> Whitening:
    """What spreads these discs (N×117)."""
    return whitening(discs, DISC_AXES, floor=0.02)


def candidates(vectors: Vectors, rows: Sequence[int] | None = None, columns: Sequence[int] | None = None) -> Ranked:
    """Every picture's nearest, as pairs, likeliest first.

    Args:
        vectors: float32, whitened, of every picture.
        rows, columns: compare only these pictures with only those; None for all of them with each other.

    Raises:
        UsageError: too many pictures to search exactly.
    """
    if len(vectors) > EXACT:
        raise UsageError(f"{len(vectors)} pictures are too many for one run", remedy=f"up to {EXACT} can be grouped")
    if rows is None or columns is None:
        found = nearest(vectors, vectors, NEIGHBOURS, same=True)
        dense = density(found)
        return ranked(found, dense, dense, same=True)
    one, other = np.asarray(rows, np.int32), np.asarray(columns, np.int32)
    found = nearest(vectors[one], vectors[other], NEIGHBOURS, same=False)
    back = nearest(vectors[other], vectors[one], DENSITY, same=False)
    pairs = ranked(found, density(found), density(back), same=False)
    first, second = one[pairs.first], other[pairs.second]
    first, second = np.minimum(first, second), np.maximum(first, second)
    # a pair of two new pictures is found from both sides; the likelier of the two stays
    _, once = np.unique(first.astype(np.int64) * len(vectors) + second, return_index=True)
    once = np.sort(once[first[once] != second[once]])
    return Ranked(first[once], second[once], pairs.score[once])


def every_pair(
    count: int, rows: Sequence[int] | None = None, columns: Sequence[int] | None = None
) -> npt.NDArray[np.int32] | None:
    """All pairs of ``count`` pictures, or of some of them with some, N×2; None where they are too many for that.

    >>> every_pair(3).tolist(), every_pair(5, [4], [0, 1]).tolist()
    ([[0, 1], [0, 2], [1, 2]], [[0, 4], [1, 4]])
    """
    most = FEW * (FEW - 1) // 2
    if rows is None or columns is None:
        if count > FEW:
            return None
        return np.stack(np.triu_indices(count, 1), axis=1).astype(np.int32)
    if len(rows) * len(columns) > most:
        return None
    found = {(min(a, b), max(a, b)) for a in rows for b in columns if a != b}
    return np.array(sorted(found), np.int32).reshape(-1, 2)
