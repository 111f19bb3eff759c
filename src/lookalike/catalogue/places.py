"""Where indexes are: a name stands for a folder of the user's, a path for itself, an address for a server."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lookalike.catalogue import homes
from lookalike.errors import IndexNotFound, LookalikeError, UsageError, printable

if TYPE_CHECKING:
    from lookalike.index.base import Space, VectorIndex

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ADDRESS = re.compile(r"milvus[a-z+]*://", re.IGNORECASE)


def root() -> Path:
    """The folder that named indexes lie in: ``LOOKALIKE_INDEXES``, else in the user's data folder."""
    named = os.environ.get("LOOKALIKE_INDEXES")
    if named:
        return Path(named)
    from platformdirs import user_data_path  # only who needs the place pays for it

    return user_data_path("lookalike", appauthor=False) / "indexes"


def is_address(place: str) -> bool:
    """Whether it names a server rather than something on this machine.

    >>> is_address("milvus://db:19530/shop"), is_address("shop")
    (True, False)
    """
    return bool(_ADDRESS.match(place))


def folder_of(place: str | os.PathLike[str]) -> Path:
    """The folder that a name or a path means.

    A text without a slash is a name; anything else is a path.

    Raises:
        UsageError: a name that no folder should have.
    """
    text = os.fspath(place)
    if isinstance(place, Path) or any(mark in text for mark in "/\\") or text in (".", ".."):
        return Path(text)
    return root() / checked_name(text)


def checked_name(text: str) -> str:
    """``text``, if it is a name.

    Raises:
        UsageError: it holds what no folder's name should.
    """
    if not _NAME.fullmatch(text):
        raise UsageError(
            f"{printable(text, 60)!r} is no name for an index",
            remedy="take letters, digits, '.', '_' and '-'; folders elsewhere are named by --index",
        )
    return text


def beside(address: str) -> Path:
    """The folder for what belongs to an index on a server and lies on this machine.

    It knows pictures and not items, and so serves also the index that is to take the place of another.
    """
    from lookalike.index.milvus.link import FRESH

    database = address.partition("?")[1:]
    address = address.partition("?")[0].removesuffix(FRESH) + "".join(database)
    return root() / "servers" / hashlib.sha256(address.encode()).hexdigest()[:24]


def names() -> list[str]:
    """The names of all indexes in :func:`root`."""
    here = root()
    found = (folder.name for folder in here.iterdir() if homes.mark(homes.home_in(folder))) if here.is_dir() else ()
    return sorted(found)


def home_of(place: str | os.PathLike[str]) -> Path:
    """The folder on this machine that the files of an index at a place lie in now, or would; absolute."""
    text = os.fspath(place)
    return beside(text) if is_address(text) else homes.home_in(Path(os.path.abspath(folder_of(place))))


def mark_of(place: str | os.PathLike[str]) -> tuple[Path, int, int] | None:
    """What tells the index at a place of this machine from the next one there; None where there is none."""
    return homes.mark(home_of(place))


def there(place: str | os.PathLike[str]) -> bool:
    """Whether there is an index in a folder of this machine."""
    return mark_of(place) is not None


def check_there(place: str | os.PathLike[str]) -> None:
    """Refuse a place of this machine where no index is.

    Raises:
        IndexNotFound: near names are suggested.
    """
    if not there(place):
        raise _not_found(place)


def opened(place: str | os.PathLike[str], *, writing: bool, token: str | None = None) -> VectorIndex:
    """The index at a place.

    Raises:
        IndexNotFound: there is none; near names are suggested.
        MissingExtra, IndexUnreachable: of a server.
    """
    text = os.fspath(place)
    if is_address(text):
        from lookalike.index.milvus import MilvusIndex

        return MilvusIndex.open(text, token=token, writing=writing)
    from lookalike.index.local import LocalIndex

    return steadily(place, lambda: LocalIndex(home_of(place), writing=writing))


class _Closes(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=_Closes)


def steadily(place: str | os.PathLike[str], work: Callable[[], T]) -> T:
    """What ``work`` makes of the index at a place; once more where another one took that place meanwhile.

    Raises:
        IndexNotFound: there is none on this machine.
    """
    if is_address(os.fspath(place)):
        return work()
    while True:
        check_there(place)
        before = mark_of(place)
        try:
            made = work()
        except (LookalikeError, OSError):
            if mark_of(place) == before:
                raise
            continue
        if mark_of(place) == before:
            return made
        made.close()


def check_kind(place: str | os.PathLike[str], space: Space, kind: str, components: int) -> None:
    """Refuse, before anything is touched, a way of searching that an index at this place cannot have.

    Raises:
        UsageError: no such kind, or components where there are none.
    """
    if not is_address(os.fspath(place)):
        from lookalike.index.structures import choose

        choose(space, 0, kind, components)
        return
    from lookalike.index.milvus.layout import plan

    if components:
        raise UsageError("a Milvus reduces no vectors itself", remedy="leave out the principal components")
    plan(space, kind, lite=False)


def created(
    place: str | os.PathLike[str],
    space: Space,
    *,
    kind: str,
    components: int,
    about: dict[str, Any],
    token: str | None = None,
) -> VectorIndex:
    """A new, empty index at a place, open for writing.

    Raises:
        OutputError: there is something already.
    """
    text = os.fspath(place)
    check_kind(text, space, kind, components)
    if is_address(text):
        from lookalike.index.milvus import MilvusIndex

        return MilvusIndex.create(text, space, kind=kind, about=about, token=token)
    from lookalike.index.local import LocalIndex

    homes.clear(Path(os.path.abspath(folder_of(place))))
    return LocalIndex.create(home_of(place), space, kind=kind, components=components, about=about)


def _not_found(place: str | os.PathLike[str]) -> IndexNotFound:
    text, known = os.fspath(place), names()
    if any(mark in text for mark in "/\\"):
        return IndexNotFound(f"there is no index in {printable(text)}", remedy="check the path")
    near = difflib.get_close_matches(text, known, n=1)
    if near:
        remedy = f"did you mean {near[0]!r}?"
    elif known:
        remedy = f"there {'is' if len(known) == 1 else 'are'} {', '.join(known[:10])}{' …' * (len(known) > 10)}"
    else:
        remedy = "make one with `lookalike index build FOLDER`"
    return IndexNotFound(f"there is no index called {printable(text, 60)!r}", remedy=remedy)
