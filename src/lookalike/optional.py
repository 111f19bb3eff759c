"""Optional dependencies: import one, or say which extra brings it."""

from __future__ import annotations

import importlib
from types import ModuleType

from lookalike.errors import MissingExtra


def need(module: str, *, extra: str) -> ModuleType:
    """Import ``module``, or raise :class:`~lookalike.errors.MissingExtra` with the line that installs it.

    >>> need("json", extra="none").__name__
    'json'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != module.split(".")[0]:
            raise  # the package is there; something it needs is not, and that deserves its own traceback
        raise MissingExtra(
            f"this needs the package {module!r}, which is not installed",
            remedy=f'pip install "lookalike[{extra}]"',
        ) from error
