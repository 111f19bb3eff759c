"""Encoded bytes → what they are, how large, and a decoder; nothing is decoded before the limits have been checked."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from typing import TYPE_CHECKING

from PIL import ExifTags, Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from lookalike.errors import DecodeFailed, LimitExceeded, LookalikeError, MissingExtra, UnsupportedFormat
from lookalike.images.colour import is_srgb, to_decoded, to_luma
from lookalike.images.formats import Format, sniff, what_it_is
from lookalike.images.jpeg import jpeg_scans, reduction
from lookalike.images.limits import Limits
from lookalike.types import Decoded, Picture

if TYPE_CHECKING:
    from lookalike.types import Pixels

_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what undoes it. From 5 on, width and height change places."""

_BEHIND_PIXELS = (b"eXIf", b"XML:com.adobe.xmp", b"Raw profile type exif")
"""PNG chunks that tell the orientation; some programs write them after the pixels."""


def read_encoded(data: bytes, source: str, limits: Limits) -> Picture:
    """Bytes of a file → a :class:`Picture`, its header checked, its pixels not yet decoded.

    Raises:
        UnsupportedFormat: no format that is read, or one whose extra (``heic``, ``dicom``) is not installed.
        LimitExceeded: too many bytes, pixels or scans.
        DecodeFailed: the header itself is broken.
    """
    limits.check_bytes(len(data), source)
    digest = hashlib.sha256(data).hexdigest()
    if data[128:132] == b"DICM":
        from lookalike.images.dicom import read_dicom

        try:
            return read_dicom(data, source, digest, limits)
        except MissingExtra as error:
            raise _translated(error, "DICOM", source) from error
    found = sniff(data)
    if found is None:
        reason, remedy = what_it_is(data)
        raise UnsupportedFormat(reason, source=source, remedy=remedy)
    # The bare count can only be too high (a thumbnail's scans are in it) and costs a hundredth of the exact one.
    if found.name == "JPEG" and data.count(b"\xff\xda") > limits.max_scans:
        limits.check_scans(jpeg_scans(data), source)
    image = _open(found, data, source)
    limits.check_size(*image.size, source)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        limits.check_size(*_tile_size(image), source)
    stored = image.size
    size, orientation = _oriented(image, data)
    opened = [image]  # for whoever decodes first: opening takes a third of what decoding a thumbnail does

    @cache  # many sides share one scale
    def decode(scale: int) -> Decoded:
        return _decode(found, data, scale, orientation, source, opened)

    return Picture(
        source=source,
        format=found.name,
        digest=digest,
        original_size=size,
        decode=lambda side: decode(reduction(*stored, side) if found.name == "JPEG" else 1),
        decode_luma=(lambda side: _decode_luma(found, data, reduction(*stored, side), orientation, source, opened))
        if found.name == "JPEG" and image.mode in {"RGB", "L"} and is_srgb(image)
        else None,
    )


def _open(found: Format, data: bytes, source: str) -> ImageFile.ImageFile:
    try:
        return found.open(io.BytesIO(data))
    except Exception as error:
        raise _translated(error, found.name, source) from error


Opened = list[ImageFile.ImageFile]
"""An opened picture that nobody has decoded yet, or nothing."""


def _taken(opened: Opened, found: Format, data: bytes) -> ImageFile.ImageFile:
    try:
        return opened.pop()  # one thread gets it
    except IndexError:
        return found.open(io.BytesIO(data))


def _decode(found: Format, data: bytes, scale: int, orientation: int, source: str, opened: Opened) -> Decoded:
    try:
        image: Image.Image = _taken(opened, found, data)
        if scale > 1 and isinstance(image, JpegImagePlugin.JpegImageFile):
            image.draft(None, (image.width // scale, image.height // scale))
        image.load()
        image = turned(image, orientation)  # under the same name: the unturned one must not stay in memory
        return to_decoded(image)
    except Exception as error:
        raise _translated(error, found.name, source) from error


def _decode_luma(found: Format, data: bytes, scale: int, orientation: int, source: str, opened: Opened) -> Pixels:
    try:
        image: Image.Image = _taken(opened, found, data)
        image.draft("L", (image.width // scale, image.height // scale))
        image.load()
        return to_luma(turned(image, orientation))
    except Exception as error:
        raise _translated(error, found.name, source) from error


def _translated(error: Exception, name: str, source: str) -> LookalikeError:
    """A decoder's error as one of ours."""
    if isinstance(error, MissingExtra):
        return UnsupportedFormat(f"{name} is read only with an extra", source=source, remedy=error.remedy)
    if isinstance(error, LookalikeError):
        return error
    if isinstance(error, Image.DecompressionBombError):
        return LimitExceeded(
            "the picture has more pixels than Pillow allows",
            source=source,
            remedy="raise PIL.Image.MAX_IMAGE_PIXELS to read it anyway",
        )
    why = "it is truncated" if "truncated" in str(error) else "it is damaged"
    return DecodeFailed(
        f"this {name} cannot be decoded, {why}", source=source, remedy="get the file again, or save it anew"
    )


def _tile_size(image: TiffImagePlugin.TiffImageFile) -> tuple[int, int]:
    """What is decoded at a time: a tile may be far larger than the picture it holds."""
    width, height = (image.tag_v2.get(tag) for tag in (TiffImagePlugin.TILEWIDTH, TiffImagePlugin.TILELENGTH))
    return (width, height) if isinstance(width, int) and isinstance(height, int) else image.size


def _oriented(image: ImageFile.ImageFile, data: bytes) -> tuple[tuple[int, int], int]:
    """(width, height) once oriented, and the EXIF orientation that is left to undo after decoding."""
    orientation = exif_orientation(image, data)
    swap = orientation >= 5
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        # Pillow turns these itself while loading, and has swapped the size already where the tag says so.
        swap ^= image.tag_v2.get(ExifTags.Base.Orientation) in {5, 6, 7, 8}
        orientation = 1
    width, height = image.size
    return ((height, width) if swap else (width, height)), orientation


def exif_orientation(image: Image.Image, data: bytes = b"") -> int:
    """EXIF orientation, 1 to 8; 1 where there is none. ``data``: the file, where ``image`` has not been loaded yet."""
    try:
        if isinstance(image, PngImagePlugin.PngImageFile):
            # Pillow would decode every PNG without EXIF, to see whether some comes after the pixels.
            pixels = data.find(b"IDAT")
            if "exif" not in image.info and any(data.find(name, pixels) >= 0 for name in _BEHIND_PIXELS):
                image.load()
            found = Image.Image.getexif(image).get(ExifTags.Base.Orientation)
        else:
            found = image.getexif().get(ExifTags.Base.Orientation)
        return int(found) if found in _TURN else 1
    except Exception:  # EXIF is whatever a camera wrote; a broken one says nothing about orientation
        return 1


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """``image`` with its EXIF orientation undone; the image itself where there is nothing to undo."""
    return image.transpose(_TURN[orientation]) if orientation in _TURN else image
