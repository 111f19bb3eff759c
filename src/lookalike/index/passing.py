"""Which items of a folder's index pass a filter: tags by their tables, data by a look at every item that is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lookalike.index.state import FEW

if TYPE_CHECKING:
    from lookalike.index.items import Filter
    from lookalike.index.ledger import Ledger
    from lookalike.index.rows import Slots

KEPT = 4
"""Filters whose answers are kept: of a million items that pass, one takes 8 MB."""


class Passing:
    """Answers for one ledger; the last few are kept, for one search asks more than once, and people search again.

    Args:
        ledger: what the items are.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: dict[tuple[object, ...], Slots] = {}

    def slots(self, only: Filter, gone: Slots) -> Slots | None:
        """The slots that pass, in order; None for all.

        Args:
            only: what is asked of the items.
            gone: slots of removed ones.
        """
        if not only:
            return None
        head = self._ledger.head
        key = (repr(only), head["epoch"], head["next"], head["count"], head["marks"])
        found = self._kept.pop(key, None)
        self._kept[key] = _passing(self._ledger, only, gone) if found is None else found
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return self._kept[key]


def _passing(ledger: Ledger, only: Filter, gone: Slots) -> Slots:
    slots: Slots | None = None
    for tag in only.every:
        having = ledger.tagged(tag)
        slots = having if slots is None else np.intersect1d(slots, having, assume_unique=True)
    if only.some:
        having = np.unique(np.concatenate([ledger.tagged(tag) for tag in only.some]))
        slots = having if slots is None else np.intersect1d(slots, having, assume_unique=True)
    if slots is None:
        slots = np.setdiff1d(np.arange(ledger.head["next"]), gone, assume_unique=True)
    for tag in only.none:
        slots = np.setdiff1d(slots, ledger.tagged(tag), assume_unique=True)
    return _with_data(ledger, only, slots) if only.of_data else slots


def _with_data(ledger: Ledger, only: Filter, slots: Slots) -> Slots:
    few = len(slots) <= FEW
    entries = ledger.entries(slots.tolist()).values() if few else ledger.everything()
    wanted = only.of_data
    having = [entry.slot for entry in entries if all(condition.holds(entry.data) for condition in wanted)]
    return np.intersect1d(slots, np.array(sorted(having), np.int64), assume_unique=True)
