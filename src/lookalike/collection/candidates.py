"""Which pairs of a collection may be copies: nearest neighbours, or one and a part of the other, likeliest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lookalike.collection.layout import WINDOWS
from lookalike.collection.neighbours import DENSITY, Ranked, Vectors, Whitening, density, ranked
from lookalike.collection.search import Search

if TYPE_CHECKING:
    from lookalike.types import Mode

Indices = npt.NDArray[np.integer]

SPACES = {"rings": 64, "whole": 192, "windows": 96, "insets": 96}
"""Lists of candidates, and how many numbers a vector of each keeps once whitened."""

MANY = 50_000
"""Pictures over which 96 numbers are enough: the search takes as long as they are many."""

RINGS_FLOOR = 0.02
"""Rings have faint axes that are noise, see :func:`~lookalike.collection.neighbours.whitening`."""

NEIGHBOURS = 32
"""Nearest that are listed for every picture."""

HOSTS = 16
"""Nearest windows of others that are listed for every picture."""

SAMPLED = 1250
"""Pictures, evenly spread, that tell how dense the surroundings of a window are."""

FEW = 20
"""Pictures up to which every pair is a candidate."""


@dataclass(frozen=True, slots=True)
class Width:
    """How many candidates are looked at, per picture.

    Attributes:
        rings: by their rings, which find whole frames however they are turned.
        whole: by what is where in them, which finds shifts, tilts and most crops.
        windows: by one at half its size in windows of the other, which finds the smaller crops.
        insets: by one at half its size in a rectangle of the other, which finds what was pasted into a picture.
    """

    rings: float
    whole: float = 0.0
    windows: float = 0.0
    insets: float = 0.0


WIDTHS: dict[Mode, Width] = {
    "quick": Width(0.6),
    "default": Width(0.25, 0.5, 0.5),
    "thorough": Width(1.0, 2.0, 2.0, 0.25),
}

Spaces = dict[str, Whitening]
"""What spreads the vectors of a collection, by list; kept, for later pictures are laid beside the earlier ones."""


def candidates(
    vectors: Vectors,
    rows: Sequence[int] | None = None,
    columns: Sequence[int] | None = None,
    search: Search | None = None,
) -> Ranked:
    """Every picture's nearest, as pairs, likeliest first.

    Args:
        vectors: float32, whitened, of every picture.
        rows, columns: compare only these pictures with only those; None for all of them with each other.
        search: how; None: exactly, by this thread.
    """
    search = search or Search()
    if rows is None or columns is None:
        found = search(vectors, vectors, NEIGHBOURS, same=True)
        dense = density(found)
        return ranked(found, dense, dense, same=True)
    one, other = np.asarray(rows, np.int32), np.asarray(columns, np.int32)
    found = search(vectors[one], vectors[other], NEIGHBOURS)
    back = search(vectors[other], vectors[one], DENSITY)
    pairs = ranked(found, density(found), density(back), same=False)
    first, second = one[pairs.first], other[pairs.second]
    first, second = np.minimum(first, second), np.maximum(first, second)
    # a pair of two new pictures is found from both sides; the likelier of the two stays
    _, once = np.unique(first.astype(np.int64) * len(vectors) + second, return_index=True)
    once = np.sort(once[first[once] != second[once]])
    return Ranked(first[once], second[once], pairs.score[once])


def inside(
    halves: Vectors,
    windows: Vectors,
    rows: Sequence[int] | None = None,
    columns: Sequence[int] | None = None,
    search: Search | None = None,
) -> Ranked:
    """Pictures that may be a part of another, as pairs, likeliest first.

    Args:
        halves: float32, N×d, every picture at half its size.
        windows: float32, 9N×d, the windows of every picture, picture by picture.
        rows, columns, search: as for :func:`candidates`; either may be the part.
    """
    search = search or Search()
    every = np.arange(len(halves))
    one, other = (every, every) if rows is None or columns is None else (np.asarray(rows), np.asarray(columns))
    found = [_inside(halves, windows, one, other, search)]
    if rows is not None:
        found.append(_inside(halves, windows, other, one, search))
    first, second, score = (np.concatenate(each) for each in zip(*found, strict=True))
    order = _likeliest(first, second, score, rows)
    return Ranked(first[order].astype(np.int32), second[order].astype(np.int32), score[order])


def _likeliest(first: Indices, second: Indices, score: Vectors, rows: Sequence[int] | None) -> Indices:
    """Which of these come first: likeliest first, every pair once, and of some pictures only so many for each."""
    order = np.lexsort((second, first, -score))
    _, once = np.unique(first[order].astype(np.int64) << 32 | second[order], return_index=True)
    return np.asarray(order[np.sort(once)[: None if rows is None else NEIGHBOURS * len(rows)]])


def _inside(
    halves: Vectors, windows: Vectors, parts: Indices, hosts: Indices, search: Search
) -> tuple[Indices, Indices, Vectors]:
    """``parts`` in windows of ``hosts``: indices of pairs, the lesser first, and how likely they are."""
    theirs = windows
    if len(hosts) < len(halves):
        theirs = windows.reshape(-1, WINDOWS, windows.shape[1])[hosts].reshape(-1, windows.shape[1])
    found = search(halves[parts], theirs, HOSTS + WINDOWS)
    host = hosts[found.indices // WINDOWS]
    own = host == parts[:, None]
    similarities = np.where(own, -1, found.similarities)  # everybody is much like a window of its own
    most = min(DENSITY, similarities.shape[1])
    dense = -np.partition(-similarities, most - 1, axis=1)[:, :most].mean(axis=1)
    missing = found.indices < 0  # an index may find fewer
    asked = np.unique(found.indices[~missing])
    sample = halves[:: max(1, len(halves) // SAMPLED)]
    back = search(theirs[asked], sample, 3).similarities.mean(axis=1)
    score = 2 * similarities - dense[:, None] - back[np.minimum(np.searchsorted(asked, found.indices), len(back) - 1)]
    part = np.broadcast_to(parts[:, None], host.shape)
    there = ~own & ~missing
    return np.minimum(part, host)[there], np.maximum(part, host)[there], score[there]


def pasted(
    vectors: Vectors,
    owners: Indices,
    halves: Vectors,
    rows: Sequence[int] | None = None,
    columns: Sequence[int] | None = None,
    search: Search | None = None,
) -> tuple[Ranked, Indices]:
    """Pictures that may be pasted into another, as pairs, likeliest first; and which inset speaks for each.

    Args:
        vectors: float32, M×d, what is in rectangles of pictures.
        owners: M, whose they are.
        halves: float32, N×d, every picture at half its size.
        rows, columns, search: as for :func:`candidates`; either may be the smaller.
    """
    if not len(vectors):
        nothing = np.zeros(0, np.int32)
        return Ranked(nothing, nothing, np.zeros(0, np.float32)), nothing
    search = search or Search()
    found = search(vectors, halves, HOSTS)
    back = search(halves, vectors, 3).similarities.mean(axis=1)
    score = 2 * found.similarities - density(found)[:, None] - back[found.indices]
    number = np.broadcast_to(np.arange(len(vectors))[:, None], score.shape)
    host, part = owners[number], found.indices
    wanted = (host != part) & (part >= 0)
    if rows is not None and columns is not None:
        asked, against = np.isin(np.arange(len(halves)), rows), np.isin(np.arange(len(halves)), columns)
        wanted &= (asked[host] & against[part]) | (asked[part] & against[host])
    first, second = np.minimum(host, part)[wanted], np.maximum(host, part)[wanted]
    score, number = score[wanted], number[wanted]
    order = _likeliest(first, second, score, rows)
    return Ranked(first[order].astype(np.int32), second[order].astype(np.int32), score[order]), number[order]


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
