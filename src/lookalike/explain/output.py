"""Where an explanation goes: which kinds of file there are, and writing one whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Literal

from lookalike.errors import OutputError, UsageError, printable

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


def write_whole(path: Path, content: bytes) -> Path:
    """Write ``content`` to ``path`` so that the file appears whole or not at all; an older one stays until then.

    Raises:
        OutputError: no such folder, no permission, a directory of that name, a full disk.
    """
    # A neighbour with a name of its own: os.replace is atomic only inside one file system.
    partial = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        try:
            with partial.open("xb") as file:
                file.write(content)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = getattr(error, "strerror", None) or str(error)
        raise OutputError(
            f"{printable(str(path))}: cannot be written ({why})",
            remedy="name a file in a folder that exists and may be written",
        ) from error
    return path
