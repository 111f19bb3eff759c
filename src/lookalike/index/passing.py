"""Which items of a folder's index pass a filter: tags by their tables, data by a look at every item that is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lookalike.index.items import same_value
from lookalike.index.state import FEW

if TYPE_CHECKING:
    from lookalike.index.items import Filter
    from lookalike.index.ledger import Ledger
    from lookalike.index.rows import Slots


def passing(ledger: Ledger, only: Filter, end: int, gone: Slots) -> Slots | None:
    """The slots that pass, in order; None for all.

    Args:
        ledger: what the items are.
        only: what is asked of them.
        end: slots in use.
        gone: those of removed items.
    """
    if not only:
        return None
    slots: Slots | None = None
    for tag in only.every:
        having = ledger.tagged(tag)
        slots = having if slots is None else np.intersect1d(slots, having, assume_unique=True)
    if only.some:
        having = np.unique(np.concatenate([ledger.tagged(tag) for tag in only.some]))
        slots = having if slots is None else np.intersect1d(slots, having, assume_unique=True)
    if slots is None:
        slots = np.setdiff1d(np.arange(end), gone, assume_unique=True)
    for tag in only.none:
        slots = np.setdiff1d(slots, ledger.tagged(tag), assume_unique=True)
    return _with_data(ledger, only, slots) if only.data else slots


def _with_data(ledger: Ledger, only: Filter, slots: Slots) -> Slots:
    few = len(slots) <= FEW
    entries = ledger.entries(slots.tolist()).values() if few else ledger.everything()
    wanted = only.data.items()
    having = [
        entry.slot
        for entry in entries
        if all(name in entry.data and same_value(entry.data[name], value) for name, value in wanted)
    ]
    return np.intersect1d(slots, np.array(sorted(having), np.int64), assume_unique=True)
