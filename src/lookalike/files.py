"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from lookalike.errors import OutputError, printable


@contextmanager
def appearing_whole(path: Path) -> Iterator[IO[bytes]]:
    """A new file to write bytes to, called ``path`` once the block is through; an older one stays until then.

    An exception in the block, whatever it is, leaves the older file as it was and nothing else behind.

    Raises:
        OutputError: no such folder, no permission, a directory of that name, a full disk. An OSError of the block
            itself passes through; writing there belongs inside :func:`cannot_write`.
    """
    # A neighbour with a name of its own: os.replace is atomic only inside one file system.
    partial = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    with cannot_write(path):
        if "\0" in str(path):
            raise OSError(errno.EINVAL, "a NUL in the name")  # open would raise a ValueError
        file = partial.open("xb")  # and so with the permissions that the umask gives
    try:
        yield file
        with cannot_write(path):
            file.close()
            os.replace(partial, path)
    finally:
        with suppress(OSError):
            file.close()
        with suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def cannot_write(path: Path) -> Iterator[None]:
    """Tell an OSError in the block as the :class:`~lookalike.errors.OutputError` that ``path`` cannot be written."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        raise OutputError(
            f"{printable(str(path))}: cannot be written ({error.strerror or error})",
            remedy="free some space" if full else "name a file in a folder that exists and may be written",
        ) from error


def write_whole(path: Path, content: bytes) -> Path:
    """Write ``content`` to ``path`` so that the file appears whole or not at all; an older one stays until then.

    Raises:
        OutputError: as :func:`appearing_whole`.
    """
    with appearing_whole(path) as file, cannot_write(path):
        file.write(content)
    return path


def check_place(path: Path) -> None:
    """Raise before any work where ``path`` cannot be written for certain.

    Raises:
        OutputError: it is a folder, its own folder is not there, or nothing may be made in that.
    """
    if path.is_dir():
        raise OutputError(f"{printable(str(path))} is a folder", remedy="name a file")
    if not path.parent.is_dir():
        raise OutputError(f"there is no folder {printable(str(path.parent))!r}", remedy="make it first")
    with cannot_write(path), tempfile.TemporaryFile(dir=path.parent):
        pass
