"""Groups laid out as folders: one for each, with the pictures in it, the base first and then the most alike.

::

    result/
      lookalike-result.json          where every file came from; by it a folder is known as one of ours
      IMG_1.jpg/
        00_base__IMG_1.jpg
        01_0.97__IMG_7.jpg
        02_0.91__beach.png
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lookalike.errors import OutputError, PictureError, SourceNotFound, printable
from lookalike.results.arrange import Action, Entry, arranged
from lookalike.results.manifest import begin_output, check_output
from lookalike.results.place import (
    HOPELESS,
    absolute,
    changed,
    check_same,
    copy_new,
    digest_of,
    hardlink_new,
    move_new,
    symlink_new,
)
from lookalike.types import Failure, Grouping, PictureFile

_NO_PRIVILEGE = 1314
"""What Windows says to a link by somebody who may make none."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One file of the result.

    Attributes:
        source: path of the picture.
        target: path in the output folder.
        action: what was done, or would be; ``"kept"`` where an earlier run had done it.
    """

    source: str
    target: str
    action: Literal["copy", "hardlink", "symlink", "move", "kept"]


@dataclass(frozen=True, slots=True)
class Layout:
    """What lies in an output folder now, or would after a dry run.

    Attributes:
        out: the output folder.
        placed: every file that is in place, in the order of the targets.
        failures: what could not be placed, and why; the rest is there.
        dry_run: nothing was written.
    """

    out: str
    placed: tuple[Placed, ...]
    failures: tuple[Failure, ...]
    dry_run: bool

    @property
    def folders(self) -> int:
        """How many groups have something in place."""
        return len({os.path.dirname(placed.target) for placed in self.placed})


def lay_out(
    grouping: Grouping,
    out: str | os.PathLike[str],
    *,
    action: Action = "copy",
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Layout:
    """Make a folder for every group in ``out``, called after its base, with the base and what is alike in it.

    The files of a folder sort by themselves: the base first, then the most alike; ``linked`` stands for a score where
    a member of a component is alike to others only. Names are made safe for every platform, equal base names get
    ``IMG_1 (the folder it comes from).jpg``.

    Nothing that exists is ever replaced, and nothing is written outside ``out``. It may be new, empty, or the
    result of an earlier run whose files are all part of this one: then what is there stays, and what is missing is
    added, so that an interrupted run can simply be repeated.

    Copies are checked against what was compared, byte by byte, and keep the time of last change. A symlink holds an
    absolute path. With ``"move"`` a picture moves into the folder where it is the base, else the first one it
    belongs to; other folders get a copy, made before anything is moved. A picture that is itself a link is copied.

    Args:
        grouping: what was found.
        out: the output folder; made where it does not exist.
        action: ``"copy"``, ``"hardlink"``, ``"symlink"`` or ``"move"``.
        dry_run: write nothing, and return what would be done.
        progress: called with (done, all) after every file.

    Raises:
        OutputError: ``out`` holds something else, or pictures that were compared; it cannot be written; hard links
            would cross file systems; the disk is full. The message tells how far it came.
    """
    folder = Path(out)
    entries = list(arranged(grouping, action))
    work = _Work(folder, dry_run, known=check_output(folder, grouping, entries, action))
    if not dry_run and entries:
        begin_output(folder, entries, action)
    # What is moved moves last: until then every picture is where copies of it are made from.
    for done, entry in enumerate(sorted(entries, key=lambda entry: entry.action == "move"), 1):
        work.place(entry)
        if progress is not None:
            progress(done, len(entries))
    placed = sorted(work.placed, key=lambda placed: placed.target)
    return Layout(str(folder), tuple(placed), tuple(work.failures), dry_run)


class _Work:
    """The placing of files, one after the other."""

    def __init__(self, out: Path, dry_run: bool, *, known: bool) -> None:
        self.out, self.dry_run, self.known = out, dry_run, known
        self.real = Path(os.path.realpath(out))
        self.placed: list[Placed] = []
        self.failures: list[Failure] = []
        self._checked: set[str] = set()

    def place(self, entry: Entry) -> None:
        """Place one file, or note why not.

        Raises:
            OutputError: nothing more can be placed.
        """
        source, target = Path(entry.picture.path), self.out / entry.folder / entry.name
        try:
            done: Action | Literal["kept"] = entry.action
            self._enter(entry.folder)
            if self.known and os.path.lexists(target):
                if not _is_placed(entry, source, target):
                    raise FileExistsError
                if entry.action == "move" and not self.dry_run:
                    source.unlink()  # cut off after the new name was made and before the old one went
                done = "kept"
            elif self.dry_run:
                _check_source(entry.picture, source)
            else:
                _put(entry, source, target)
            self.placed.append(Placed(entry.picture.path, str(target), done))
        except PictureError as error:
            self.failures.append(Failure.of(error))
        except FileExistsError:
            self._note(entry, f"{printable(str(target))}: something else is there already, and stays")
        except OSError as error:
            self._stop_if_hopeless(error)
            self._note(entry, f"{printable(str(target))}: cannot be written ({error.strerror or error})")

    def _enter(self, name: str) -> None:
        """Have the folder of a group; what leads out of the output folder is not used."""
        if name in self._checked:
            return
        folder = self.out / name
        if not self.dry_run:
            try:
                folder.mkdir()
            except FileExistsError:
                if not stat.S_ISDIR(os.lstat(folder).st_mode):
                    raise
        if os.path.lexists(folder) and os.path.normcase(os.path.realpath(folder)) != os.path.normcase(self.real / name):
            raise FileExistsError  # a link, or on Windows a junction
        self._checked.add(name)

    def _note(self, entry: Entry, reason: str) -> None:
        self.failures.append(Failure(entry.picture.path, OutputError.__name__, reason))

    def _stop_if_hopeless(self, error: OSError) -> None:
        if error.errno in HOPELESS or getattr(error, "winerror", None) == _NO_PRIVILEGE:
            raise OutputError(
                f"{printable(str(self.out))}: cannot be written ({error.strerror}) after {len(self.placed)} files,"
                " which are whole",
                remedy="mend that and run it again: it goes on from there",
            ) from error


def _put(entry: Entry, source: Path, target: Path) -> None:
    if entry.action == "copy":
        copy_new(source, target, entry.picture.digest)
        return
    _check_source(entry.picture, source)
    if entry.action == "hardlink":
        hardlink_new(source, target)
    elif entry.action == "symlink":
        symlink_new(source, target)
    else:
        move_new(source, target, entry.picture.digest)


def _check_source(picture: PictureFile, source: Path) -> None:
    """That the file is still the one that was compared; its bytes are read only where size or time make one doubt."""
    try:
        about = os.stat(source)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise SourceNotFound("the file is no longer there", source=picture.path) from error
    if about.st_size != picture.bytes:
        raise changed(source)
    if about.st_mtime_ns != picture.mtime_ns:
        check_same(source, picture.digest)


def _is_placed(entry: Entry, source: Path, target: Path) -> bool:
    """Whether an earlier run has done it."""
    about = os.lstat(target)
    if entry.action == "symlink":
        return stat.S_ISLNK(about.st_mode) and os.readlink(target) == absolute(source)
    if not stat.S_ISREG(about.st_mode):
        return False
    if entry.action == "copy":
        same = (about.st_size, about.st_mtime_ns) == (entry.picture.bytes, entry.picture.mtime_ns)
        return same or digest_of(target) == entry.picture.digest
    return os.path.samefile(source, target)
