"""One file into one new place: whole or not at all, and never over another."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from lookalike.errors import PictureChanged, SourceNotFound, SourceUnreadable

_CHUNK = 1 << 20

FULL = {errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""Errors of a disk that the next file would meet as well: no room, or none to be written."""

HOPELESS = FULL | {errno.EXDEV, errno.ENOTSUP, errno.EOPNOTSUPP}
"""Likewise for a place: it cannot take links either."""


def copy_new(source: Path, target: Path, digest: str, *, as_it_was: bool = False) -> None:
    """Copy ``source`` to ``target``, which must not exist; bytes and time of last change are the same.

    Args:
        source: a file, or a link to one.
        target: where to; its folder exists.
        digest: sha256 (hex) that the bytes must have.
        as_it_was: keep permissions and attributes too, and have the bytes on the disk before returning.

    Raises:
        PictureError: the source cannot be read, or is another file by now.
        FileExistsError: something of that name is there already; it stays.
        OSError: the target cannot be written.
    """
    partial = target.with_name(f".{secrets.token_hex(8)}.part")
    seen = hashlib.sha256()
    with _opened(source) as file:
        try:
            with partial.open("xb") as copy:
                while chunk := _read(file, source):
                    seen.update(chunk)
                    copy.write(chunk)
                if as_it_was:
                    copy.flush()
                    os.fsync(copy.fileno())
            if seen.hexdigest() != digest:
                raise changed(source)
            about = os.fstat(file.fileno())
            if as_it_was:
                shutil.copystat(source, partial)
            os.utime(partial, ns=(about.st_atime_ns, about.st_mtime_ns))
            _rename_new(partial, target)
        finally:
            with suppress(OSError):
                partial.unlink(missing_ok=True)


def move_new(source: Path, target: Path, digest: str) -> None:
    """Move ``source``, no link, to ``target``, which must not exist. At every moment at least one of them is whole.

    Raises:
        As :func:`copy_new`; the source stays then.
    """
    try:
        _rename_new(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_new(source, target, digest, as_it_was=True)
        _unlink_or_take_back(source, target)


def hardlink_new(source: Path, target: Path) -> None:
    """Another name ``target``, which must not exist, for the file ``source`` (or the one that this links to)."""
    os.link(os.path.realpath(source), target)


def symlink_new(source: Path, target: Path) -> None:
    """A link ``target``, which must not exist, to the absolute path of ``source``."""
    os.symlink(absolute(source), target)


def digest_of(path: Path) -> str:
    """Sha256 (hex) of a file's bytes.

    Raises:
        PictureError: it is not there, is no file, or cannot be read.
    """
    seen = hashlib.sha256()
    with _opened(path) as file:
        while chunk := _read(file, path):
            seen.update(chunk)
    return seen.hexdigest()


def check_same(path: Path, digest: str) -> None:
    """Raise :class:`~lookalike.errors.PictureChanged` unless the bytes at ``path`` have that sha256 (hex)."""
    if digest_of(path) != digest:
        raise changed(path)


def changed(path: Path) -> PictureChanged:
    """What to raise where ``path`` is another file by now."""
    return PictureChanged("the file has changed since it was compared", source=str(path), remedy="compare it again")


def absolute(path: str | os.PathLike[str]) -> str:
    """The absolute path of a file, which may be a link itself; its folder's links and ``..`` are resolved."""
    folder, name = os.path.split(os.fspath(path))
    return os.path.join(os.path.realpath(folder), name)


def _rename_new(source: Path, target: Path) -> None:
    """Rename inside one file system without replacing anything."""
    if os.name == "nt":
        os.rename(source, target)  # which refuses there what it would replace elsewhere
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.EXDEV, errno.ENOENT, errno.ENOSPC, errno.EROFS):
            raise
        # No hard links here, or none to files of others: look, then rename, with a moment in between.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        os.rename(source, target)
    else:
        _unlink_or_take_back(source, target)


def _unlink_or_take_back(source: Path, target: Path) -> None:
    try:
        source.unlink()
    except OSError:
        target.unlink()
        raise


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # before opening: a pipe would wait for a writer
            raise SourceUnreadable("this is no file", source=str(path), remedy="look what has taken its place")
        file = path.open("rb")
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise SourceNotFound("the file is no longer there", source=str(path)) from error
    except OSError as error:
        raise SourceUnreadable(f"cannot be read: {error.strerror}", source=str(path)) from error
    with file:
        yield file


def _read(file: IO[bytes], path: Path) -> bytes:
    try:
        return file.read(_CHUNK)
    except OSError as error:
        raise SourceUnreadable(f"cannot be read: {error.strerror}", source=str(path)) from error
