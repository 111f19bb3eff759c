"""Files of a collection as pictures that are read only when something asks for their pixels."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lookalike.errors import SourceUnreadable
from lookalike.images.encoded import read_encoded
from lookalike.images.load import read_file
from lookalike.types import Decoded, Picture

if TYPE_CHECKING:
    from lookalike.images.limits import Limits
    from lookalike.images.scan import Found
    from lookalike.types import PictureFile, Pixels


def read_found(found: Found, limits: Limits) -> tuple[Found, bytes]:
    """The bytes of a file that was found, and the file as it was while they were read.

    Raises:
        SourceUnreadable: it changed meanwhile; and whatever :func:`~lookalike.images.load.read_file` raises.
    """
    before = _stat(found)
    content = read_file(found.path, limits)
    after = _stat(found)
    if before != after or len(content) != after.size:
        raise SourceUnreadable("it changed while it was being read", source=found.path, remedy="run again")
    return after, content


def _stat(found: Found) -> Found:
    try:
        about = os.stat(found.path)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise SourceUnreadable(f"cannot be read: {why}", source=found.path, remedy="run again") from error
    return type(found)(found.path, about.st_size, about.st_mtime_ns)


def picture_of(file: PictureFile, limits: Limits) -> Picture:
    """The picture of a file that was read before: nothing is opened until its pixels are asked for.

    Its pixels raise :class:`~lookalike.errors.SourceUnreadable` where the file has other bytes by then.
    """
    opened: list[Picture] = []

    def read() -> Picture:
        if not opened:
            found = read_encoded(read_file(file.path, limits), file.path, limits)
            if found.digest != file.digest:
                raise SourceUnreadable("it changed since it was read", source=file.path, remedy="run again")
            opened.append(found)
        return opened[0]

    def decode(side: int) -> Decoded:
        return read().decoded(side)

    def decode_luma(side: int) -> Pixels | None:
        return read().stored_luma(side)

    return Picture(
        source=file.path,
        format=file.format,
        digest=file.digest,
        original_size=(file.width, file.height),
        decode=decode,
        decode_luma=decode_luma,
    )
