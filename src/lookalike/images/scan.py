"""Folders, files, patterns and lists → the pictures in them, in one order, and what was left out and why."""

from __future__ import annotations

import contextlib
import errno
import heapq
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass

from lookalike.errors import LookalikeError, SourceNotFound, SourceUnreadable, printable
from lookalike.images.sources import Sources, named_paths
from lookalike.types import Failure

SUFFIXES: dict[str, tuple[str, ...]] = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo"),
    "PNG": (".png", ".apng"),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif", ".avifs"),
    "HEIC": (".heic", ".heif", ".heics", ".heifs", ".hif"),
    "DICOM": (".dcm", ".dicom"),
}
"""Every format that is read, and how its files are called. Here, so that a scan need not load the decoders."""

_PICTURE = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
_OTHER_KIND = re.compile(r"\.(?=.*[a-z])[a-z0-9]{1,5}")
"""A suffix that says what a file is. ``.1``, ``.22 PM``, ``.jpg?width=600`` and ``.a1b2c3d4`` say nothing."""

RESULT, TRASH = "lookalike-result.json", ".lookalike-trash"
"""A file that marks a folder as the result of an earlier run, and the folder for what a plan put away."""

_HEAD = 256
"""Bytes that tell a picture by itself."""


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file that may be a picture.

    Attributes:
        path: as a person would name it: joined to the source as it was given, nothing resolved.
        size: bytes.
        mtime_ns: time of its last change, nanoseconds since 1970.
    """

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What lies in some sources. It depends on the files alone, not on the order of sources or of the file system.

    Attributes:
        files: each file once, in the order of their paths.
        skipped: what was left out and why, likewise in order.
        passed_over: how many files of other kinds lie in the folders.
    """

    files: tuple[Found, ...]
    skipped: tuple[Failure, ...]
    passed_over: int = 0


def scan(
    sources: Sources,
    *,
    recursive: bool = True,
    hidden: bool = False,
    exclude: Iterable[str | os.PathLike[str]] = (),
) -> Scan:
    """Find the files that may be pictures.

    In a folder these are the files with a picture's suffix, and those whose suffix says nothing (none, ``.1``,
    ``.jpg?width=600``) and whose first bytes are a picture's. Others are passed over and counted. A file that is named,
    by itself, by a pattern or in a list, is taken whatever it is called.

    A file reached in two ways, by a link for one, is one file; two hard links are two. Every folder is read once, by
    its own name rather than through a link. The results of earlier runs, and what their plans put away, are read only
    where they are named.

    Args:
        sources: folders, files, patterns (``photos/**/*.jpg``), lists (``@list.txt``, ``@-`` for standard input).
        recursive: also look into folders of folders.
        hidden: also take files and folders whose name begins with a dot, or that Windows calls hidden. One that is
            named is taken in any case.
        exclude: folders that are never entered, such as the one that results go to.

    Returns:
        The files, what was skipped (unreadable folders, earlier results, pipes, devices, links that lead nowhere or
        back, lines of a list that name no file), and how many files of other kinds there were.

    Raises:
        SourceNotFound: a source does not exist, or a pattern matches nothing.
        SourceUnreadable: a list of files cannot be read.
    """
    walk = _Walk(recursive, hidden)
    for folder in exclude:
        walk.close(os.fsdecode(folder))
    folders = [path for path in named_paths(sources, hidden=hidden, missing=walk.skip) if not walk.take(path)]
    walk.name(folders)
    for folder in sorted(set(folders)):
        walk.enter(folder)
    walk.follow_links()
    return Scan(
        files=tuple(sorted(walk.files.values(), key=lambda found: found.path)),
        skipped=tuple(sorted(set(walk.skipped), key=lambda failure: (failure.source, failure.reason))),
        passed_over=len(walk.others - walk.files.keys()),
    )


class _Walk:
    """One scan under way."""

    def __init__(self, recursive: bool, hidden: bool) -> None:
        self.recursive, self.hidden = recursive, hidden
        self.files: dict[str, Found] = {}  # real path → file
        self.others: set[str] = set()  # real paths of files of other kinds
        self.skipped: list[Failure] = []
        self._read: dict[object, str] = {}  # identity of a folder → by what name it was read
        self._closed: set[object] = set()
        self._named: set[object] = set()
        self._real: dict[str, str] = {}
        # Links wait until everything that has its own name is known.
        self._linked_folders: list[str] = []
        self._linked_files: list[str] = []

    def close(self, folder: str) -> None:
        """Never enter ``folder``."""
        if os.path.isdir(folder):
            self._closed.add(_identity(folder))

    def name(self, folders: Iterable[str]) -> None:
        """Remember what was asked for in so many words: it is entered even if it is a result or a trash."""
        for folder in folders:
            with contextlib.suppress(OSError):  # said when it is entered
                self._named.add(_identity(folder))

    def skip(self, error: LookalikeError) -> None:
        """Leave something out."""
        self.skipped.append(Failure.of(error))

    def take(self, path: str) -> bool:
        """Take a file that was named; False where it is a folder."""
        try:
            about = os.stat(path)
            if stat.S_ISDIR(about.st_mode):
                return False
            if os.path.islink(path):
                self._linked_files.append(path)
            else:
                folder, name = os.path.split(path)
                self._add(path, self._inside(folder, name), about)
        except (OSError, ValueError) as error:
            self.skip(_unusable(path, error))
        return True

    def enter(self, folder: str) -> None:
        """Take the pictures in a folder and in those below it; links wait."""
        if os.path.islink(folder.rstrip("/\\")):
            heapq.heappush(self._linked_folders, folder)
        else:
            self._read_below(folder)

    def follow_links(self) -> None:
        """Look where the links lead, in the order of their paths, and take what is not known by its own name."""
        while self._linked_folders:
            link = heapq.heappop(self._linked_folders)
            try:
                known = self._read.get(_identity(link))
            except OSError as error:
                self.skip(_unusable(link, error))
                continue
            if known is None:
                self._read_below(link)
            else:
                reason = f"this link leads to a folder that is read already, {printable(known)}"
                self.skip(SourceUnreadable(reason, source=link))
        for link in sorted(self._linked_files):
            try:
                real = os.path.normcase(os.path.realpath(link))
                if real not in self.files:
                    self._add(link, real, os.stat(link))
            except OSError as error:
                self.skip(_unusable(link, error))

    def _read_below(self, folder: str) -> None:
        waiting = [folder]
        while waiting:
            folder = waiting.pop()
            try:
                identity = _identity(folder)
                if identity not in self._read and identity not in self._closed:
                    if identity not in self._named and self._is_ours(folder):
                        self._closed.add(identity)
                        continue
                    self._read[identity] = folder
                    with os.scandir(folder) as entries:
                        waiting += [entry.path for entry in entries if self._is_folder(entry, folder)]
            except OSError as error:
                self.skip(_unusable(folder, error))

    def _is_ours(self, folder: str) -> bool:
        """Whether a folder is a trash, or a result, which is said."""
        real = os.path.realpath(folder) if os.path.islink(folder) else folder
        if os.path.basename(real) == TRASH:
            return True
        if not os.path.isfile(os.path.join(folder, RESULT)):
            return False
        self.skip(SourceUnreadable("a result of an earlier run", source=folder))
        return True

    def _is_folder(self, entry: os.DirEntry[str], folder: str) -> bool:
        """Take what is a picture, put links aside; True for a folder that is to be entered."""
        name = entry.name
        if not self.hidden and (name.startswith(".") or (os.name == "nt" and _hidden_by_windows(entry))):
            return False
        try:
            if entry.is_dir():
                if not self.recursive:
                    return False
                if not entry.is_symlink():
                    return True
                heapq.heappush(self._linked_folders, entry.path)
                return False
            suffix = os.path.splitext(name)[1].lower()
            if suffix in _PICTURE:
                self._take_from(entry, folder)
            elif _OTHER_KIND.fullmatch(suffix):
                self.others.add(self._inside(folder, name))
            elif not stat.S_ISREG(entry.stat().st_mode) or _begins_like_a_picture(entry.path):
                self._take_from(entry, folder)
            else:
                self.others.add(self._inside(folder, name))
        except OSError as error:
            self.skip(_unusable(entry.path, error))
        return False

    def _take_from(self, entry: os.DirEntry[str], folder: str) -> None:
        if entry.is_symlink():
            entry.stat()  # where it leads nowhere this says so
            self._linked_files.append(entry.path)
        else:
            self._add(entry.path, self._inside(folder, entry.name), entry.stat())

    def _add(self, path: str, real: str, about: os.stat_result) -> None:
        if not stat.S_ISREG(about.st_mode):
            self.skip(
                SourceUnreadable("this is a pipe, a socket or a device, not a file", source=path, remedy="leave it out")
            )
        elif real not in self.files or path < self.files[real].path:
            self.files[real] = Found(path, about.st_size, about.st_mtime_ns)

    def _inside(self, folder: str, name: str) -> str:
        """The real path of a file that is no link; the folder is resolved once for all files in it."""
        real = self._real.get(folder)
        if real is None:
            real = self._real[folder] = os.path.join(os.path.realpath(folder), "")
        return os.path.normcase(real + name)


def _identity(folder: str) -> object:
    about = os.stat(folder)
    # Some network drives number nothing.
    return (about.st_dev, about.st_ino) if about.st_ino else os.path.normcase(os.path.realpath(folder))


def _hidden_by_windows(entry: os.DirEntry[str]) -> bool:
    attributes: int = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN)


def _begins_like_a_picture(path: str) -> bool:
    from lookalike.images.formats import sniff  # brings the decoders, which most scans do without

    with open(path, "rb", buffering=0) as file:
        head = file.read(_HEAD)
    return head[128:132] == b"DICM" or sniff(head) is not None


def _unusable(path: str, error: OSError | ValueError) -> LookalikeError:
    if isinstance(error, FileNotFoundError):
        if os.path.islink(path):
            return SourceNotFound("this link leads nowhere", source=path, remedy="mend or remove it")
        return SourceNotFound("it went away while the folder was read", source=path)
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return SourceUnreadable("this link leads back to itself", source=path, remedy="mend or remove it")
    why = getattr(error, "strerror", None) or type(error).__name__
    remedy = "check its permissions" if isinstance(error, PermissionError) else ""
    return SourceUnreadable(f"cannot be read: {why}", source=path, remedy=remedy)
