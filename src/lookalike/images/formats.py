"""The formats that are read: how the bytes of each begin, and what opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from lookalike.optional import need

Opener = Callable[[IO[bytes]], ImageFile.ImageFile]


@dataclass(frozen=True, slots=True)
class Format:
    """One format: ``accepts`` looks at the first bytes of a file, ``open`` reads its header."""

    name: str
    accepts: Callable[[bytes], bool]
    open: Opener


def sniff(data: bytes) -> Format | None:
    """The format whose bytes these are; None where they are no picture that is read.

    >>> sniff(b"GIF89a").name
    'GIF'
    """
    head = data[:256]
    return next((format_ for format_ in FORMATS if format_.accepts(head)), None)


def what_it_is(data: bytes) -> tuple[str, str]:
    """What bytes of no known format are instead, and what to do about it: for a message.

    >>> what_it_is(b"")
    ('the file is empty', 'get it again')
    """
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not data:
        return "the file is empty", "get it again"
    if b"<svg" in head:
        return "this is an SVG drawing, which is not read", "export it as PNG"
    if head.startswith((b"<!doctype html", b"<html")):
        return "this is a web page, not a picture", "give the address of the picture itself"
    if head.startswith(b"%pdf"):
        return "this is a PDF, not a picture", "export its page as PNG"
    names = ", ".join(format_.name for format_ in FORMATS)
    remedy = f"give a picture in one of: {names}, DICOM"
    if all(byte in b"\t\n\r\f" or 0x20 <= byte < 0x7F for byte in head):
        return "this is text, not a picture", remedy
    return "this is no picture in a format that is read", remedy


def _brands(head: bytes) -> set[bytes]:
    """The brands an ISO media file (AVIF, HEIC) says it can be read as."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12]} | {head[at : at + 4] for at in range(16, end - 3, 4)}


_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def _open_heic(file: IO[bytes]) -> ImageFile.ImageFile:
    opened: ImageFile.ImageFile = need("pillow_heif", extra="heic").HeifImageFile(file)
    return opened


def _open_png(file: IO[bytes]) -> ImageFile.ImageFile:
    image = PngImagePlugin.PngImageFile(file)
    level = image.info.get("transparency")
    if isinstance(level, int) and image.tile:  # Pillow spreads grey of 2 and 4 bits over 0..255, but not this level
        image.info["transparency"] = level * {"L;2": 85, "L;4": 17}.get(str(image.tile[0].args), 1)
    return image


class _WebP(WebPImagePlugin.WebPImageFile):
    """A WebP of which one frame is read: the decoder, which holds two more copies of it, goes once it is there."""

    def _get_next(self) -> Any:
        frame = super()._get_next()
        self._decoder = None
        return frame


# Pillow's own table would also hold plugins that other code registered: the formats read here are these and no others.
FORMATS: tuple[Format, ...] = (
    # A phone's JPEG may carry further pictures (MPO, gain maps, films); only the first, which is plain JPEG, is opened.
    Format("JPEG", lambda head: head[:3] == b"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
    Format("PNG", lambda head: head[:8] == b"\x89PNG\r\n\x1a\n", _open_png),
    Format("WEBP", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", _WebP),
    Format("GIF", lambda head: head[:6] in {b"GIF87a", b"GIF89a"}, GifImagePlugin.GifImageFile),
    Format("BMP", lambda head: head[:2] == b"BM", BmpImagePlugin.BmpImageFile),
    Format(
        "TIFF",
        lambda head: head[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"},
        TiffImagePlugin.TiffImageFile,
    ),
    Format("AVIF", lambda head: bool(_brands(head) & _AVIF), AvifImagePlugin.AvifImageFile),
    Format("HEIC", lambda head: head[4:8] == b"ftyp" and head[8:12] in _HEIC, _open_heic),
)
