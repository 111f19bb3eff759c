"""A file with a manifest of checksums, checked before anybody opens it.

The structure that an index searches by is derived from its vectors and may be made again at any time. So whatever does
not match its manifest to the last bit counts as not there: truncated, filled with zeros, from another index, of a
later version. FAISS's loader never sees such a file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lookalike.files import cannot_write, write_whole

FORMAT = 1
"""Version of the manifest and of the structures it speaks of."""

MANIFEST = "manifest.json"

PIECE = 16 * 2**20
"""Bytes under one sum, so that several threads can check one file."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a manifest tells of a structure.

    Attributes:
        generation: counts up with every structure of an index.
        file: name of the structure's file, beside the manifest.
        about: what was sealed, as plain values; whoever opens it compares.
    """

    generation: int
    file: str
    about: Mapping[str, Any]


def seal(folder: Path, name: str, about: Mapping[str, Any], write: Callable[[Path], None]) -> Sealed:
    """Write a structure and its manifest; the one that was there stays in force until both are whole.

    Args:
        folder: where both go.
        name: what the structure's file is called, before its generation.
        about: what it is, for whoever opens it.
        write: writes the structure to a path.

    Raises:
        OutputError: the disk is full, or nothing may be written there.
    """
    before = _read(_content(folder / MANIFEST))
    generation = (before.generation if before else 0) + 1
    while (path := folder / f"{name}-{generation}").exists():  # left behind by a run that was killed
        generation += 1
    partial = path.with_name(f"{path.name}.part")
    try:
        with cannot_write(path):
            write(partial)
            _sync(partial)
            os.replace(partial, path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    sealed = Sealed(generation, path.name, dict(about))
    body = {
        "format": FORMAT,
        "generation": generation,
        "file": path.name,
        "bytes": path.stat().st_size,
        "piece": PIECE,
        "sha256": _sums(path),
        "about": dict(about),
    }
    write_whole(folder / MANIFEST, json.dumps({**body, "seal": _seal_of(body)}, indent=1).encode())
    for old in folder.glob(f"{name}-*"):
        if old != path:
            with suppress(OSError):  # on Windows, while somebody has it open: the next time, then
                old.unlink()
    return sealed


def sound(folder: Path) -> tuple[Sealed | None, str]:
    """The structure in ``folder`` if it is whole, else None and why; nothing and ``""`` where there is none."""
    manifest = folder / MANIFEST
    while True:
        before = _content(manifest)
        if before is None:
            return None, ""
        found, why = _checked(folder, before)
        if found is not None or _content(manifest) == before:  # else another one took its place meanwhile
            return found, why


def _checked(folder: Path, manifest: bytes) -> tuple[Sealed | None, str]:
    sealed = _read(manifest)
    if sealed is None:
        return None, "its manifest is damaged"
    try:
        body = json.loads(manifest)
        if body["format"] != FORMAT:
            return None, f"it is of version {body['format']}, and this lookalike knows {FORMAT}"
        path = folder / sealed.file
        if path.parent != folder or path.stat().st_size != body["bytes"]:
            return None, "its file is not as long as it was"
        if body["piece"] != PIECE or _sums(path) != body["sha256"]:
            return None, "its file is not what was written"
    except (OSError, KeyError, TypeError, ValueError) as error:
        return None, str(error) or type(error).__name__
    return sealed, ""


def _content(manifest: Path) -> bytes | None:
    """Its bytes; none where they cannot be read, None where there is no such file."""
    try:
        return manifest.read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        return b""


def _read(manifest: bytes | None) -> Sealed | None:
    try:
        body = json.loads(manifest or b"")
        told = body.pop("seal")
        if told != _seal_of(body) or os.path.basename(body["file"]) != body["file"]:
            return None
        return Sealed(int(body["generation"]), str(body["file"]), dict(body["about"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _seal_of(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _sums(path: Path) -> list[str]:
    def one(start: int) -> str:
        with path.open("rb") as file:
            file.seek(start)
            return hashlib.sha256(file.read(PIECE)).hexdigest()

    with ThreadPoolExecutor(max(1, min(8, os.cpu_count() or 1))) as pool:
        return list(pool.map(one, range(0, max(1, path.stat().st_size), PIECE)))


def _sync(path: Path) -> None:
    with path.open("r+b") as file:
        os.fsync(file.fileno())
