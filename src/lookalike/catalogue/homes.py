"""Where in its folder an index lies: in the folder itself, or in one of that folder's since it was replaced.

A file names the one that counts, and appears whole; so an index is replaced all at once, and whoever reads the old one
is not disturbed.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from lookalike.files import write_whole
from lookalike.index.named import FILES, LEDGER

FEATURES = "features.sqlite3"
"""What comparing needs of the pictures."""

POINTER = "current"
"""The file that names the folder that counts."""

_GONE = "deleted"
"""What it names where what is there is being deleted."""

_HOME = re.compile(r"generation-[0-9a-f]{16}")

_UNBORN = 64
"""Bytes of a file of vectors that has none."""


def home_in(folder: Path) -> Path:
    """Where the index in ``folder`` lies, or would lie.

    Where the pointer is lost, the only one that is there counts.
    """
    named = _named(folder)
    while True:
        if named == _GONE or (_HOME.fullmatch(named) and (folder / named / LEDGER).is_file()):
            return folder / named
        alone = _alone(folder)
        before, named = named, _named(folder)
        if named == before:  # else another one took its place while we looked
            return alone


def _named(folder: Path) -> str:
    try:
        return (folder / POINTER).read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _alone(folder: Path) -> Path:
    """The index that lies there without a pointer; the folder itself where there is none, or one of several."""
    if (folder / LEDGER).is_file():
        return folder
    others = [home for home in _homes(folder) if (home / LEDGER).is_file()]
    return others[0] if len(others) == 1 else folder


def fresh_home(folder: Path) -> Path:
    """The name of a folder in ``folder`` for an index that is to take the place of what is there."""
    return folder / f"generation-{secrets.token_hex(8)}"


def move_to(folder: Path, home: Path) -> None:
    """From now on the index in ``folder`` is the one in ``home``."""
    write_whole(folder / POINTER, home.name.encode())


def mark(home: Path) -> tuple[Path, int, int] | None:
    """What tells one index in a place from the next one there; None where there is none."""
    try:
        about = os.stat(home / LEDGER)
    except OSError:
        return None
    return home, about.st_dev, about.st_ino


def sweep(folder: Path, keep: Path) -> None:
    """Remove what was left of other generations; for whoever has the lock of the one that is kept."""
    for home in _homes(folder):
        if home != keep:
            shutil.rmtree(home, ignore_errors=True)
    if keep != folder:
        remove_files(folder)


def remove_files(home: Path) -> None:
    """Remove the files of an index, the table of items first, and nothing else that may lie there.

    A file that is in use where such files cannot be removed stays, until the next sweep.
    """
    for file in _files(home):
        with suppress(OSError):
            file.unlink(missing_ok=True)


def clear(folder: Path) -> None:
    """Remove what was begun or left in a folder that no index is in, so that one can be made there."""
    current = home_in(folder)
    if mark(current) is not None:
        return
    born = any(mark(home) for home in _homes(folder))
    born = born or any(file.stat().st_size > _UNBORN for file in folder.glob("vectors-*.bin"))
    if current.name == _GONE or not born:
        remove_all(folder)


def remove_all(folder: Path) -> bool:
    """Remove every index in a folder with all that belongs to it; False where there was nothing of one."""
    homes, files = list(_homes(folder)), _files(folder)
    there = bool(homes or files or (folder / POINTER).exists())
    if mark(home_in(folder)) is not None:
        write_whole(folder / POINTER, _GONE.encode())  # from here on there is none, wherever this is stopped
    for home in homes:
        shutil.rmtree(home, ignore_errors=True)
    remove_files(folder)
    with suppress(OSError):
        (folder / POINTER).unlink(missing_ok=True)
    return there


def _homes(folder: Path) -> Iterable[Path]:
    return [found for found in folder.glob("generation-*") if _HOME.fullmatch(found.name) and found.is_dir()]


def _files(home: Path) -> list[Path]:
    return [file for pattern in (*FILES, f"{FEATURES}*", f".{POINTER}.*.part") for file in sorted(home.glob(pattern))]
