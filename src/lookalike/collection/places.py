"""Where the store lies, and how it names the files it knows."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lookalike.collection.rows import lossless


def default_path() -> str:
    """Where the store lies unless a place is named: ``LOOKALIKE_STORE``, else in the user's cache folder."""
    named = os.environ.get("LOOKALIKE_STORE")
    if named:
        return named
    from platformdirs import user_cache_path  # only who needs the place pays for it

    return str(user_cache_path("lookalike", appauthor=False) / "store.sqlite3")


def stored_paths(paths: Sequence[str]) -> list[bytes]:
    """Absolute paths as the store holds them. Files come many to a folder, so a folder is made absolute once.

    >>> stored_paths(["/photos/../a.jpg", "/photos/b.jpg"]) == [b"/a.jpg", b"/photos/b.jpg"] or os.name == "nt"
    True
    """
    folders: dict[str, str] = {}
    result = []
    for path in paths:
        folder, name = os.path.split(path)
        if name in ("", ".", ".."):
            result.append(lossless(os.path.abspath(path)))
            continue
        base = folders.get(folder)
        if base is None:
            base = folders[folder] = os.path.join(os.path.abspath(folder), "")
        result.append(lossless(base + name))
    return result
