"""Lookalike tells how alike two pictures are, as a number from 0 to 1 that means something.

>>> import numpy as np
>>> import lookalike
>>> chequers = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((16, 16))).astype(np.float64)
>>> lookalike.compare(chequers, chequers).verdict
'identical'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lookalike.api import compare, compare_many, group
    from lookalike.catalogue.catalogue import Index
    from lookalike.catalogue.entries import Entry
    from lookalike.errors import LookalikeError, PictureError
    from lookalike.images.limits import Limits
    from lookalike.images.load import load
    from lookalike.index.conditions import Condition
    from lookalike.index.items import Filter
    from lookalike.lab.calibrate import calibrate
    from lookalike.lab.evaluation import evaluate
    from lookalike.lab.train import train
    from lookalike.scoring.calibration import Calibration
    from lookalike.scoring.presets import PRESETS, Preset, read_presets
    from lookalike.types import Comparison, Failure, Group, Grouping, PairFailure, Picture, Transform

__all__ = [
    "PRESETS",
    "Calibration",
    "Comparison",
    "Condition",
    "Entry",
    "Failure",
    "Filter",
    "Group",
    "Grouping",
    "Index",
    "Limits",
    "LookalikeError",
    "PairFailure",
    "Picture",
    "PictureError",
    "Preset",
    "Transform",
    "calibrate",
    "compare",
    "compare_many",
    "evaluate",
    "group",
    "load",
    "read_presets",
    "train",
]

_HOMES = {
    "PRESETS": "scoring.presets",
    "Calibration": "scoring.calibration",
    "Comparison": "types",
    "Condition": "index.conditions",
    "Entry": "catalogue.entries",
    "Failure": "types",
    "Filter": "index.items",
    "Group": "types",
    "Grouping": "types",
    "Index": "catalogue.catalogue",
    "Limits": "images.limits",
    "LookalikeError": "errors",
    "PairFailure": "types",
    "Picture": "types",
    "PictureError": "errors",
    "Preset": "scoring.presets",
    "Transform": "types",
    "calibrate": "lab.calibrate",
    "compare": "api",
    "compare_many": "api",
    "evaluate": "lab.evaluation",
    "group": "api",
    "load": "images.load",
    "read_presets": "scoring.presets",
    "train": "lab.train",
}


def __getattr__(name: str) -> Any:
    # Everything is imported on first use: NumPy and Pillow take longer to import than some comparisons take.
    if name == "__version__":
        from importlib.metadata import version

        return version("lookalike")
    if name not in _HOMES:
        raise AttributeError(f"module 'lookalike' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"lookalike.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
