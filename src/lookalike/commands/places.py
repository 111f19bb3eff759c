"""Which index a command means."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from lookalike.catalogue import places
from lookalike.errors import IndexNotFound, UsageError, printable

Name: TypeAlias = Annotated[
    str | None, typer.Option("--name", "-n", help="Name of the index; may be left out where there is only one.")
]
Place: TypeAlias = Annotated[
    str | None,
    typer.Option("--index", metavar="PLACE", help="Its folder, or an address such as milvus://host:19530/shop."),
]
Token: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--token", envvar="LOOKALIKE_MILVUS_TOKEN", help="Token of the server.", show_envvar=True, show_default=False
    ),
]

DEFAULT = "default"
"""What an index is called where nobody names it."""


def place_of(name: str | None, index: str | None, *, new: bool = False) -> str:
    """The place that ``--name`` and ``--index`` mean.

    Args:
        name, index: as they were given.
        new: for an index that need not be there.

    Raises:
        UsageError: both were given, or neither and there are several.
        IndexNotFound: neither was given, and there is none.
    """
    if name is not None and index is not None:
        raise UsageError("--name and --index contradict each other", remedy="leave one out")
    if index is not None:
        local = not places.is_address(index) and not any(mark in index for mark in "/\\")
        return f"./{index}" if local else index
    if name is not None:
        return places.checked_name(name)
    known = places.names()
    if new or DEFAULT in known:
        return DEFAULT
    if len(known) == 1:
        return known[0]
    if not known:
        raise IndexNotFound("there is no index yet", remedy="make one with `lookalike index build FOLDER --name NAME`")
    raise UsageError(
        f"there are {len(known)} indexes: {printable(', '.join(known[:10]))}", remedy="say which with --name"
    )
