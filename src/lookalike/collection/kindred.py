"""Pairs that are no copies and may still show the same product, likeliest first, told from stored features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.collection.neighbours import Ranked
from lookalike.features.embedding import unit
from lookalike.scoring.fusion import QUESTIONS

if TYPE_CHECKING:
    from lookalike.collection.search import Search
    from lookalike.collection.shelf import Shelf
    from lookalike.scoring.fusion import Fusion, Line, Sum
    from lookalike.types import Mode

Floats: TypeAlias = npt.NDArray[np.floating[Any]]

NEAREST: dict[Mode, int] = {"quick": 0, "default": 64, "thorough": 256}
"""Pictures that are weighed against every picture: those that the network finds most alike."""

BLOCK = 8192
"""Pairs whose colours are compared at a time."""


def kindred(
    shelf: Shelf, fusion: Fusion, search: Search, mode: Mode, rows: Sequence[int] | None, columns: Sequence[int] | None
) -> Ranked:
    """Every picture's nearest, as pairs, by the score that the default rule would give if it saw no common object.

    Args:
        shelf: the pictures' features; of all that there are where ``mode`` is no quick one.
        fusion: how the rule weighs evidence.
        search: how neighbours are found.
        mode: how many are weighed.
        rows, columns: compare only these pictures with only those; None for all of them with each other.
    """
    count = len(shelf.files)
    one, other = (np.arange(count, dtype=np.int32) if some is None else np.asarray(some, np.int32)
                  for some in (rows, columns))  # fmt: skip
    vectors = unit(shelf.vectors("embedding").astype(np.float32))
    found = search(vectors[one], vectors[other], min(NEAREST[mode] + 1, len(other)))
    near = np.broadcast_to(one[:, None], found.indices.shape)
    far = other[found.indices]
    wanted = (far != near) & (found.indices >= 0)
    first, second = np.minimum(near, far)[wanted], np.maximum(near, far)[wanted]
    cosines = found.similarities[wanted]
    _, once = np.unique(first.astype(np.int64) * count + second, return_index=True)
    first, second, cosines = first[once], second[once], cosines[once]
    likely = _weighed(fusion, {"embedding": cosines, "palette": _colours_alike(shelf, first, second)})
    order = np.lexsort((second, first, -cosines, -likely))
    return Ranked(first[order], second[order], likely[order].astype(np.float32))


def _colours_alike(shelf: Shelf, first: npt.NDArray[np.int32], second: npt.NDArray[np.int32]) -> Floats:
    """Likeness of palettes, pair by pair."""
    palettes = shelf.palettes()
    alike = np.empty(len(first), np.float32)
    for start in range(0, len(first), BLOCK):
        part = slice(start, start + BLOCK)
        alike[part] = np.einsum("ij,ij->i", palettes[first[part]], palettes[second[part]])
    return alike


def _weighed(fusion: Fusion, evidence: dict[str, Floats]) -> Floats:
    """The higher of what both answers are worth; pieces that nobody looked for yet add nothing."""
    sums = min(fusion.sums, key=lambda each: len(each["product"].lines))
    return np.asarray(np.max([_on(fusion.scores[name], _log_odds(sums[name], evidence)) for name in QUESTIONS], axis=0))


def _log_odds(asked: Sum, evidence: dict[str, Floats]) -> Floats:
    found = np.full(len(evidence["embedding"]), asked.base)
    for piece in asked.lines.keys() & evidence.keys():
        found += _on(asked.lines[piece], evidence[piece])
    return found


def _on(line: Line, values: Floats) -> Floats:
    """The heights of a broken line."""
    return np.interp(values, [x for x, _ in line], [y for _, y in line])
