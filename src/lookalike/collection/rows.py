"""What one row of the store holds, and the checksum that tells a sound row from a damaged one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from lookalike.images.scan import Found

T = TypeVar("T")

CHUNK = 900
"""Values bound to one statement; the least that any build of SQLite allows is 999."""

PICTURE_BITS = 40
"""A feature's row id is the number of its method above these bits and the number of its picture below them."""


@dataclass(frozen=True, slots=True)
class PictureRow:
    """What is known of a picture beside its features.

    Attributes:
        format: ``"JPEG"``, ``"PNG"`` …; empty where the picture failed before that was known.
        width, height: pixels once oriented; 0 where the picture failed.
        failure_kind: class name of the error that the picture ends in; None for a good picture.
        failure_reason: that error in words.
    """

    format: str
    width: int
    height: int
    failure_kind: str | None = None
    failure_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """One picture to keep.

    Attributes:
        found: the file it was read from; None where it came from elsewhere.
        digest: sha256 of its encoded bytes, 64 hexadecimal digits.
        picture: what is known of it.
        features: method key → the feature's bytes; empty for a picture that failed.
    """

    found: Found | None
    digest: str
    picture: PictureRow
    features: Mapping[str, bytes] = field(default_factory=dict)


def feature_checksum(digest: bytes, key: bytes, value: bytes) -> int:
    """CRC-32 over a feature and over what it belongs to, so that a sound value in a wrong place is noticed too.

    >>> feature_checksum(bytes(32), b"phash 1", b"abc") != feature_checksum(bytes(32), b"phash 2", b"abc")
    True
    """
    return zlib.crc32(value, zlib.crc32(key, zlib.crc32(digest)))


def file_checksum(path: bytes, size: int, mtime_ns: int, digest: bytes) -> int:
    """CRC-32 over what is known of a file."""
    return zlib.crc32(b"%d %d " % (size, mtime_ns) + digest, zlib.crc32(path))


def picture_checksum(digest: bytes, fields: tuple[str | int | bytes | None, ...]) -> int:
    """CRC-32 over what is known of a picture."""
    return zlib.crc32(repr(fields).encode("utf-8", "surrogatepass"), zlib.crc32(digest))


def fields_checksum(*fields: bytes | str | int | None) -> int:
    """CRC-32 over any fields; their types and their borders count."""
    return zlib.crc32(repr(fields).encode("utf-8", "surrogatepass"))


def lossless(text: str) -> bytes:
    """Text as bytes, also the lone surrogates that stand for what a file name has undecodable."""
    return text.encode("utf-8", "surrogatepass")


def text_of(stored: bytes) -> str:
    """What :func:`lossless` made. Damaged bytes give some text; the row's checksum finds that out."""
    try:
        return stored.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return stored.decode("utf-8", "replace")


def signed64(number: int) -> int:
    """``number`` wrapped into what an SQLite integer holds: a file system can name times after the year 2262.

    >>> signed64(2**63), signed64(-5)
    (-9223372036854775808, -5)
    """
    return (number + 2**63) % 2**64 - 2**63


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterator[tuple[str, Sequence[T]]]:
    """Pieces of ``items``, each with the question marks that stand for it in a statement."""
    for start in range(0, len(items), size):
        piece = items[start : start + size]
        yield ",".join("?" * len(piece)), piece
