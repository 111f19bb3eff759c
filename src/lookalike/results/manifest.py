"""Whether a folder may take a result: it is new, or holds part of just this result, and none of the sources."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lookalike.errors import OutputError, printable
from lookalike.files import cannot_write, write_whole
from lookalike.results.arrange import MANIFEST, Action, Entry
from lookalike.types import Grouping

_VERSION = 1
_LITTER = {".ds_store", "thumbs.db", "desktop.ini", ".directory"}
"""What file managers leave in a folder that a person calls empty."""


def check_folder(folder: Path) -> None:
    """Raise before any work where ``folder`` can take no result, whatever that is.

    Raises:
        OutputError: it is a file, it holds something else than a result, or it cannot be made or written.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise OutputError(f"{printable(str(folder))}: this is no folder", remedy="name a new one for the result")
    _earlier(folder)
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(place))
    with cannot_write(folder), tempfile.TemporaryFile(dir=there):
        pass


def check_output(folder: Path, grouping: Grouping, entries: Sequence[Entry], action: Action) -> bool:
    """Whether ``folder`` holds part of this result already; nothing is written.

    Raises:
        OutputError: it holds something else, or pictures that were compared, or hard links cannot reach it.
    """
    _check_place(folder, grouping)
    earlier = _earlier(folder)
    if earlier is not None:
        _check_earlier(folder, earlier, entries, action)
    if action == "hardlink":
        _check_one_file_system(folder, entries)
    return earlier is not None


def begin_output(folder: Path, entries: Sequence[Entry], action: Action) -> None:
    """Make the folder, and note in it what will lie there: from then on it is known as this result."""
    with cannot_write(folder):
        folder.mkdir(parents=True, exist_ok=True)
    files = {f"{entry.folder}/{entry.name}": entry.picture.path for entry in entries}
    manifest = {"made by": "lookalike", "version": _VERSION, "action": action, "files": files}
    write_whole(folder / MANIFEST, json.dumps(manifest, indent=1).encode())


def _check_place(folder: Path, grouping: Grouping) -> None:
    if os.path.lexists(folder) and not folder.is_dir():
        raise OutputError(f"{printable(str(folder))}: this is no folder", remedy="name a new one for the result")
    inside = os.path.join(os.path.normcase(os.path.realpath(folder)), "")
    real: dict[str, bool] = {}
    for picture in grouping.pictures:
        above = os.path.dirname(picture.path)
        if above not in real:
            real[above] = os.path.join(os.path.normcase(os.path.realpath(above)), "").startswith(inside)
        if real[above]:
            raise OutputError(
                f"{printable(str(folder))}: pictures that were compared lie in it, such as {printable(picture.path)}",
                remedy="name a folder for the result that is none of the sources",
            )


def _earlier(folder: Path) -> dict[str, Any] | None:
    """The manifest of an earlier run; None where the folder is empty or not there yet."""
    if not folder.is_dir():
        return None
    with cannot_write(folder):
        lying = [name for name in os.listdir(folder) if name.lower() not in _LITTER]
    if not lying:
        return None
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        if manifest["version"] == _VERSION and isinstance(manifest["files"], dict):
            return dict(manifest)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass  # whatever it is, it is not ours
    raise OutputError(
        f"{printable(str(folder))}: the folder is not empty, and no result of ours", remedy="name a new or empty folder"
    )


def _check_earlier(folder: Path, earlier: Mapping[str, Any], entries: Sequence[Entry], action: Action) -> None:
    """An earlier result may only be part of the new one, or old files would pass for new ones."""
    what = f"{printable(str(folder))}: the folder holds the result of another run"
    remedy = "name a new folder, or remove this one first"
    if earlier.get("action") != action:
        raise OutputError(f"{what}, made by {printable(str(earlier.get('action')))}", remedy=remedy)
    new = {f"{entry.folder}/{entry.name}" for entry in entries}
    old = [name for name in earlier["files"] if name not in new and os.path.lexists(folder / name)]
    if old:
        raise OutputError(
            f"{what}, with {len(old)} files that are not part of this one, such as {printable(old[0])}", remedy=remedy
        )


def _check_one_file_system(folder: Path, entries: Sequence[Entry]) -> None:
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    device = os.stat(there).st_dev
    checked = set()
    for entry in entries:
        above = os.path.dirname(entry.picture.path)
        if above not in checked and os.path.isdir(above or os.curdir):
            checked.add(above)
            if os.stat(above or os.curdir).st_dev != device:
                raise OutputError(
                    f"{printable(str(folder))}: hard links from another file system are impossible,"
                    f" such as to {printable(entry.picture.path)}",
                    remedy="copy, or make symlinks",
                )
