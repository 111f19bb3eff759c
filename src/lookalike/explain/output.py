"""Which kinds of file an explanation can be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from lookalike.errors import UsageError, printable

Kind = Literal["PNG", "JPEG", "WEBP", "HTML"]

KINDS: dict[str, Kind] = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".html": "HTML",
    ".htm": "HTML",
}
"""Suffix → what is written."""


def output_kind(out: str | os.PathLike[str]) -> Kind:
    """What will be written to ``out``, by its suffix; cheap, so that a wrong one is told before anything is computed.

    Raises:
        UsageError: no explanation is written to files with that suffix.

    >>> output_kind("why.PNG")
    'PNG'
    """
    suffix = Path(out).suffix.lower()
    if suffix not in KINDS:
        got = f"as {printable(suffix, 40)}" if suffix else "without a suffix"
        raise UsageError(
            f"{printable(os.fspath(out))}: an explanation cannot be written {got}",
            remedy="end the name in .png, .jpg, .webp or .html",
        )
    return KINDS[suffix]
