"""Any source → :class:`~lookalike.types.Picture`: one door, one decode path behind it."""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import threading
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, Union

import numpy as np
from PIL import Image

from lookalike.errors import DecodeFailed, SourceNotFound, SourceUnreadable, UsageError
from lookalike.images.array import array_to_decoded
from lookalike.images.colour import to_decoded
from lookalike.images.encoded import exif_orientation, read_encoded, turned
from lookalike.images.limits import Limits
from lookalike.types import Decoded, Picture

if TYPE_CHECKING:
    import numpy.typing as npt

Source: TypeAlias = Union[
    str, "os.PathLike[str]", bytes, bytearray, memoryview, BinaryIO, Image.Image, "npt.NDArray[Any]", Picture
]
"""What a picture can come from."""

_URL = re.compile(r"[a-z][a-z0-9+.-]+:[/\\]|https?:", re.IGNORECASE)  # two letters at least: C:\ is a drive
_DEFAULT = Limits()
_reading = threading.Lock()
"""Held while a Pillow image is read: it loads lazily, and two threads at one image would each get half of it."""


def load(source: Source, *, limits: Limits = _DEFAULT) -> Picture:
    """Read a picture. Bytes, path, URL, file object and array of one picture give identical pixels.

    Args:
        source: a path (``str`` or ``pathlib``), an http(s) URL, bytes, a binary file object, a Pillow image, or a
            NumPy array (H×W, H×W×3 RGB, H×W×4 RGBA; uint8, uint16, bool, or float in 0..1). A :class:`Picture` is
            handed back as it is.
        limits: what the picture may cost at most; checked from the header, before decoding.

    Returns:
        The picture. Files are decoded on first use of its pixels, and a damaged one raises then.

    Raises:
        PictureError: see :mod:`lookalike.errors` for the kinds.

    >>> load(np.zeros((4, 6), np.uint8))
    <Picture <array> array 6×4>
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, np.ndarray):
        return _from_array(source, limits)
    if isinstance(source, Image.Image):
        return _from_image(source, limits)
    if isinstance(source, (bytes, bytearray, memoryview)):
        limits.check_bytes(memoryview(source).nbytes, "<bytes>")
        return read_encoded(bytes(source), "<bytes>", limits)
    if isinstance(source, (str, os.PathLike)):
        return read_encoded(read_source(source, limits), _name(source), limits)
    if callable(getattr(source, "read", None)):
        return _from_file_object(source, limits)
    raise UsageError(
        f"cannot read a picture from {type(source).__name__}",
        remedy="give a path, a URL, bytes, a file object, a Pillow image or a NumPy array",
    )


def is_url(source: str | os.PathLike[str]) -> bool:
    """Whether a source is an address rather than a path.

    >>> is_url("https://shop.example/a.jpg"), is_url("C:\\\\a.jpg")
    (True, False)
    """
    return isinstance(source, str) and bool(_URL.match(source))


def read_source(source: str | os.PathLike[str], limits: Limits) -> bytes:
    """The encoded bytes that a path or URL leads to.

    Raises:
        PictureError: as :func:`read_file`, or what fetching raises.
    """
    return _fetch(str(source), limits) if is_url(source) else read_file(source, limits)


def source_name(source: Source) -> str:
    """What a source is called in messages and results: the path or URL, else its kind, such as ``<array>``."""
    if isinstance(source, Picture):
        return source.source
    if isinstance(source, (str, os.PathLike)):
        return _name(source)
    if isinstance(source, np.ndarray):
        return "<array>"
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "<bytes>"
    name = getattr(source, "filename", None) or getattr(source, "name", None)
    return name if isinstance(name, str) else "<image>" if isinstance(source, Image.Image) else "<file>"


def _name(path: str | os.PathLike[str]) -> str:
    return os.fsdecode(path) or "''"


def _fetch(url: str, limits: Limits) -> bytes:
    from lookalike.images import fetch  # brings an HTTP client, which most comparisons never need

    return fetch.fetch(
        url,
        limits=fetch.FetchLimits(
            connect_seconds=limits.connect_seconds,
            total_seconds=limits.total_seconds,
            max_bytes=limits.max_bytes,
            max_redirects=limits.max_redirects,
            allow_private_hosts=limits.allow_private_hosts,
        ),
    )


def read_file(path: str | os.PathLike[str], limits: Limits) -> bytes:
    """The bytes of a regular file that is not too large.

    Raises:
        SourceNotFound, SourceUnreadable, LimitExceeded: what its name says.
    """
    name = _name(path)
    if not name:
        raise SourceNotFound("no picture is named", source="<nothing>", remedy="give a path or a URL")
    try:
        about = os.stat(path)
        if stat.S_ISDIR(about.st_mode):
            raise SourceUnreadable("this is a directory", source=name, remedy="name one picture in it")
        if not stat.S_ISREG(about.st_mode):
            raise SourceUnreadable("this is a pipe or a device, not a file", source=name, remedy="name a file")
        limits.check_bytes(about.st_size, name)
        with open(path, "rb") as file:
            return file.read(limits.max_bytes + 1)  # one more than allowed: the file may be growing
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a null byte in the name
        raise SourceNotFound("there is no such file", source=name, remedy="check the path") from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        remedy = "check its permissions" if isinstance(error, PermissionError) else "check the path"
        raise SourceUnreadable(f"cannot be read: {why}", source=name, remedy=remedy) from error


def _from_file_object(file: Any, limits: Limits) -> Picture:
    name = getattr(file, "name", None)
    source = name if isinstance(name, str) else "<file>"
    if isinstance(file, io.TextIOBase):
        raise SourceUnreadable("the file gives text, not bytes", source=source, remedy='open it with mode "rb"')
    try:
        data = _read_all(file, limits.max_bytes + 1)
    except Exception as error:  # a member of a broken archive, a dropped connection: anything may stand behind read()
        raise SourceUnreadable(
            f"cannot be read: {type(error).__name__}", source=source, remedy="open the file anew"
        ) from error
    if data is None:
        raise SourceUnreadable("read() gives no bytes", source=source, remedy='open it with mode "rb"')
    if not data and _is_spent(file):
        raise SourceUnreadable("the file has been read to its end already", source=source, remedy="call seek(0) first")
    return read_encoded(data, source, limits)


def _is_spent(file: Any) -> bool:
    try:
        return bool(file.seekable() and file.tell())
    except (AttributeError, OSError):
        return False


def _read_all(file: Any, most: int) -> bytes | None:
    """At most ``most`` bytes, however few ``read`` gives at a time; None where it gives something else."""
    parts: list[bytes] = []
    while most > 0:
        part = file.read(most)
        if not isinstance(part, bytes):
            return None
        if not part:
            break
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _from_array(array: npt.NDArray[Any], limits: Limits) -> Picture:
    if array.ndim >= 2:
        limits.check_size(array.shape[1], array.shape[0], "<array>")
    decoded = array_to_decoded(array)
    head = f"{array.shape}{array.dtype.str}".encode()
    digest = hashlib.sha256(head)
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return _ready(decoded, "<array>", "array", digest)


def _from_image(image: Image.Image, limits: Limits) -> Picture:
    source = getattr(image, "filename", "") or "<image>"
    source = source if isinstance(source, str) else os.fsdecode(source)
    limits.check_size(*image.size, source)
    if 0 in image.size:
        raise DecodeFailed(f"the image is {image.width}×{image.height} and has no pixels", source=source)
    try:
        with _reading:
            image.load()
            decoded = to_decoded(turned(image, exif_orientation(image)))
    except Exception as error:
        raise DecodeFailed("this image cannot be decoded", source=source, remedy="open it anew") from error
    digest = hashlib.sha256(f"{decoded.pixels.shape}".encode())
    for part in (decoded.pixels, decoded.mask, decoded.grey16):
        digest.update(b"-" if part is None else part.reshape(-1).view(np.uint8).data)
    return _ready(decoded, source, "image", digest)


def _ready(decoded: Decoded, source: str, format: str, digest: hashlib._Hash) -> Picture:
    height, width = decoded.pixels.shape[:2]
    return Picture(
        source=source,
        format=format,
        digest=digest.hexdigest(),
        original_size=(width, height),
        decode=lambda side: decoded,
    )
