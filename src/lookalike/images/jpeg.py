"""What a JPEG tells before it is decoded: how many scans it has, and how far it can be reduced."""

from __future__ import annotations

import re

# Inside compressed data 0xFF is followed by 0x00 or a restart marker; anything else begins a segment.
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_START, _END, _SCAN, _BARE = 0xD8, 0xD9, 0xDA, 0x01


def jpeg_scans(data: bytes) -> int:
    """Number of scans of the JPEG that ``data`` begins with; 0 where it has none.

    A thumbnail inside EXIF is skipped with its segment, and what follows the end marker (a film, a second picture)
    is another file's business.

    >>> jpeg_scans(b"\\xff\\xd8\\xff\\xda\\x00\\x02\\xff\\xd9")
    1
    """
    scans = at = 0
    while found := _MARKER.search(data, at):
        marker, at = found[1][0], found.end()
        if marker == _END:
            break
        scans += marker == _SCAN
        if marker not in (_START, _BARE):
            at += int.from_bytes(data[at : at + 2], "big")
    return scans


def reduction(width: int, height: int, side: int) -> int:
    """By how much (1, 2, 4, 8) a JPEG can be reduced so that ``side`` pixels remain on the longer side; 0 means all.

    The shorter side keeps an eighth of ``side``, and a pixel in any case.

    >>> reduction(1000, 800, 256), reduction(1000, 800, 0), reduction(1000, 3, 4)
    (2, 1, 2)
    """
    if side <= 0:
        return 1
    longer, shorter = max(width, height), min(width, height)
    enough = (scale for scale in (8, 4, 2) if longer // scale >= side and shorter // scale >= max(1, side // 8))
    return next(enough, 1)
