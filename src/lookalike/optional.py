"""Optional dependencies: import one, or say which extra brings it."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

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


def later(module: str, *, extra: str) -> Any:
    """A stand-in for ``module`` that imports it when something of it is asked for, as :func:`need` does.

    For files that are about one optional package: they can name it at their top, and be imported without it.

    >>> later("json", extra="none").dumps([1])
    '[1]'
    """
    return _Later(module, extra)


class _Later:
    def __init__(self, module: str, extra: str) -> None:
        self._module, self._extra = module, extra

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what tools ask of every object, such as __wrapped__
            raise AttributeError(name)
        return getattr(need(self._module, extra=self._extra), name)
