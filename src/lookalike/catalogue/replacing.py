"""An index that goes, with all that belongs to it; and one that goes only when another is there to take its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.catalogue import homes, places
from lookalike.errors import IndexDamaged, IndexNotFound, LookalikeError
from lookalike.index.lock import WriterLock

if TYPE_CHECKING:
    from lookalike.catalogue.catalogue import Index
    from lookalike.catalogue.filling import Filled


def delete(place: str | os.PathLike[str], *, token: str | None = None) -> None:
    """Remove an index with all that belongs to it; the pictures stay where they are.

    Raises:
        IndexNotFound: there is none.
        IndexLocked: another process is writing to it.
    """
    text = os.fspath(place)
    if places.is_address(text):
        from lookalike.index import milvus

        milvus.delete(text, token=token)
        shutil.rmtree(places.beside(text), ignore_errors=True)
        return
    folder = places.folder_of(place)
    if places.there(place):
        _locked(place).close()  # nobody is writing; whether it is sound does not matter any more
    if not homes.remove_all(folder):  # what is left of one goes, also where its table of items is lost
        places.check_there(place)
    with suppress(OSError):
        folder.rmdir()  # where nothing else lies there


def replaced(
    place: str | os.PathLike[str],
    make: Callable[[str | os.PathLike[str]], Index],
    reopen: Callable[[], Index],
    *,
    token: str | None,
) -> Index:
    """What ``make`` fills, in the place of the index that was there, which stays until that is done.

    Args:
        place: of the index.
        make: makes an index in the place that it is given.
        reopen: opens the index at ``place``.
        token: of a server.

    Raises:
        IndexLocked: another process is writing to the old one.
        PictureError: the new one would be empty; the old one is as it was.
    """
    if places.is_address(os.fspath(place)):
        return _on_a_server(os.fspath(place), make, reopen, token)
    if not places.there(place):
        with suppress(IndexNotFound):
            delete(place, token=token)
        return make(place)
    folder = Path(os.path.abspath(places.folder_of(place)))
    with closing(_locked(place)) as lock:
        homes.sweep(folder, lock.folder)
        fresh = homes.fresh_home(folder)
        try:
            filled = _filled(make, fresh)
            homes.move_to(folder, fresh)
        finally:
            if places.home_of(place) != fresh:
                shutil.rmtree(fresh, ignore_errors=True)
        homes.sweep(folder, fresh)
    index = reopen()
    index.filled = filled
    return index


def _locked(place: str | os.PathLike[str]) -> WriterLock:
    """The right to write where the index lies; where it is replaced while we wait, where the next one does."""
    return places.steadily(place, lambda: WriterLock(places.home_of(place)))


def _on_a_server(
    address: str,
    make: Callable[[str | os.PathLike[str]], Index],
    reopen: Callable[[], Index],
    token: str | None,
) -> Index:
    from lookalike.index import milvus

    fresh = str(milvus.parse_address(address).fresh)
    try:
        places.opened(address, writing=False, token=token).close()
        with suppress(IndexNotFound):
            milvus.delete(fresh, token=token)  # of one that was stopped
    except IndexNotFound:
        return make(address)
    except IndexDamaged:
        delete(address, token=token)
        return make(address)
    try:
        filled = _filled(make, fresh)
        milvus.take_place(address, token=token)
    except BaseException:
        with suppress(LookalikeError):
            milvus.delete(fresh, token=token)
        raise
    index = reopen()
    index.filled = filled
    return index


def _filled(make: Callable[[str | os.PathLike[str]], Index], place: str | os.PathLike[str]) -> Filled:
    with make(place) as made:
        filled, empty = made.filled, not made.count()
    assert filled is not None
    if empty:
        raise filled.nothing("the old index is as it was")
    return filled
