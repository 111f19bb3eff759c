"""An index that goes, with all that belongs to it; and one that goes only when another is there to take its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.catalogue import places
from lookalike.errors import IndexNotFound, PictureError
from lookalike.files import cannot_write
from lookalike.index.local import FILES
from lookalike.index.local import delete as delete_vectors
from lookalike.index.lock import WriterLock

if TYPE_CHECKING:
    from lookalike.catalogue.catalogue import Index

FRESH, OLD = ".new", ".old"
"""Folders in that of an index: the one that is being made, and the one that made room for it."""


def delete(place: str | os.PathLike[str], *, token: str | None = None) -> None:
    """Remove an index with all that belongs to it; the pictures stay where they are.

    Raises:
        IndexNotFound: there is none.
    """
    text = os.fspath(place)
    if places.is_address(text):
        from lookalike.index import milvus

        milvus.delete(text, token=token)
        shutil.rmtree(places.beside(text), ignore_errors=True)
        return
    folder = places.folder_of(place)
    recover(folder)
    if not any(folder.glob(f"{places.FEATURES}*")):
        places.check_there(place)  # else what is left of one goes, also where its table of items is lost
    delete_vectors(folder)
    for file in folder.glob(f"{places.FEATURES}*"):
        file.unlink(missing_ok=True)
    for name in (FRESH, OLD):
        shutil.rmtree(folder / name, ignore_errors=True)
    with suppress(OSError):
        folder.rmdir()


def replaced(
    place: str | os.PathLike[str],
    make: Callable[[str | os.PathLike[str]], Index],
    reopen: Callable[[], Index],
    *,
    named: str,
    token: str | None,
) -> Index:
    """What ``make`` fills, in the place of the index that was there, which stays until that is done.

    On a server the old one goes first: there is no room for two under one name.

    Args:
        place: of the index.
        make: makes an index in the place that it is given.
        reopen: opens the index at ``place``.
        named: what it is made of, as the caller called it.
        token: of a server.

    Raises:
        IndexLocked: another process is writing to the old one.
        PictureError: the new one would be empty; the old one is as it was.
        OutputError: files cannot be moved; likewise.
    """
    folder = places.folder_of(place) if not places.is_address(os.fspath(place)) else None
    if folder is not None:
        recover(folder)
    if folder is None or not places.there(place):
        with suppress(IndexNotFound):
            delete(place, token=token)
        return make(place)
    with closing(WriterLock(folder)):
        shutil.rmtree(folder / FRESH, ignore_errors=True)
        try:
            with make(folder / FRESH) as made:
                filled, empty = made.filled, not made.count()
            if empty:
                bad = filled.failures if filled is not None else []
                why = f"nothing here could be read ({len(bad)} failed)" if bad else "there is no picture here"
                raise PictureError(why, source=named, remedy="the old index is as it was")
            _exchange(folder)
        finally:
            shutil.rmtree(folder / FRESH, ignore_errors=True)
    index = reopen()
    index.filled = filled
    return index


def recover(folder: Path) -> None:
    """Bring back the index that made room, where whoever wanted its place was stopped before it was taken.

    Raises:
        IndexLocked: somebody is taking it just now.
    """
    if (folder / OLD / places.LEDGER).exists():
        with closing(WriterLock(folder)):
            _bring_back(folder)


def _exchange(folder: Path) -> None:
    with cannot_write(folder):
        (folder / OLD).mkdir(exist_ok=True)
        try:
            _move(folder, folder / OLD)
            _move(folder / FRESH, folder)
        except OSError:
            _bring_back(folder)
            raise
    shutil.rmtree(folder / OLD, ignore_errors=True)


def _move(here: Path, there: Path) -> None:
    """Move the files of an index; the table of items goes first and comes last, so that nobody opens half of one."""
    tables = sorted(_files(here, (f"{places.LEDGER}*",)))
    others = sorted(set(_files(here, (*FILES, f"{places.FEATURES}*"))) - set(tables))
    leaving = there.name == OLD
    for file in (*tables, *others) if leaving else (*others, *tables):
        os.replace(file, there / file.name)


def _bring_back(folder: Path) -> None:
    if not (folder / places.LEDGER).exists():
        _move(folder / OLD, folder)
    shutil.rmtree(folder / OLD, ignore_errors=True)


def _files(folder: Path, patterns: Iterable[str]) -> list[Path]:
    return [file for pattern in patterns for file in folder.glob(pattern) if file.name != "writer.lock"]
