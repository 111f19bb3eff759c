"""What a person names (files, folders, patterns, lists of them) → paths to look at."""

from __future__ import annotations

import fnmatch
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias, Union

from lookalike.errors import LookalikeError, SourceNotFound, SourceUnreadable

Sources: TypeAlias = Union[str, "os.PathLike[str]", Iterable[Union[str, "os.PathLike[str]"]]]
"""One path, pattern or ``@list``, or any number of them."""

_MAGIC = re.compile(r"[*?[]")


def named_paths(
    sources: Sources, *, hidden: bool = False, missing: Callable[[LookalikeError], None] | None = None
) -> list[str]:
    """The paths that ``sources`` stand for; files and folders are not told apart.

    A path that exists is itself, whatever its name. Otherwise one with ``*``, ``?`` or ``[`` is a pattern, in which
    ``**`` stands for folders at any depth, links not followed, as in a shell. ``@list.txt`` is a file with a path on
    each line, or with a NUL behind each; ``@-`` reads standard input. Paths in a list are taken as they are, counted
    from the current folder, or from the list's own where nothing lies there.

    Args:
        sources: what was named.
        hidden: ``*`` also matches names that begin with a dot.
        missing: told about every path of a list that does not exist; one bad line is no reason to stop.

    Raises:
        SourceNotFound: a path that does not exist, a pattern that nothing matches, a list that is not there.
        SourceUnreadable: a list that cannot be read.
    """
    paths: list[str] = []
    for source in [sources] if isinstance(sources, (str, os.PathLike)) else sources:
        name = os.fsdecode(source)
        if name.startswith("@") and (name == "@-" or _exists(name[1:]) or not _exists(name)):
            paths += _listed(name, missing)
        elif _exists(name):
            paths.append(name)
        elif _MAGIC.search(os.path.splitdrive(name)[1]):
            paths += _matching(name, hidden)
        else:
            raise _not_there(name)
    return paths


def _exists(path: str) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:  # a NUL in the name
        return False


def _not_there(name: str) -> SourceNotFound:
    if "://" in name:
        return SourceNotFound("this is an address, not a file or folder", source=name, remedy="download it first")
    return SourceNotFound("there is no such file or folder", source=name or "''", remedy="check the path")


def _listed(name: str, missing: Callable[[LookalikeError], None] | None) -> Iterator[str]:
    for line in _lines(_content(name)):
        beside = os.path.join(os.path.dirname(name[1:]), line)
        if _exists(line):
            yield line
        elif name != "@-" and _exists(beside):
            yield beside
        elif missing is not None:
            missing(_not_there(line))


def _content(name: str) -> bytes:
    if name == "@-":
        return sys.stdin.buffer.read()
    try:
        with open(name[1:], "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise SourceNotFound("there is no such list of files", source=name[1:], remedy="check the path") from error
    except OSError as error:
        raise SourceUnreadable(
            f"this list of files cannot be read: {error.strerror}", source=name[1:], remedy="name a text file"
        ) from error


def _lines(content: bytes) -> Iterator[str]:
    """The paths in a list. Spaces belong to a name, an ending line's ``\\r`` does not.

    >>> list(_lines(b"a b.jpg\\r\\n\\n#1.jpg")), list(_lines(b"a\\nb.jpg\\0c.jpg\\0"))
    (['a b.jpg', '#1.jpg'], ['a\\nb.jpg', 'c.jpg'])
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # as some Windows shells redirect
        content = content.decode("utf-16", "replace").encode("utf-8", "surrogatepass")
    content = content.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in content:
        paths = content.split(b"\0")
        paths[-1:] = [last] if (last := paths[-1].rstrip(b"\r\n")) else []
    else:
        paths = [line.removesuffix(b"\r") for line in content.split(b"\n")]
    return (_decoded(path) for path in paths if path.strip())


def _decoded(path: bytes) -> str:
    if sys.platform == "win32":  # no byte of a Windows path is undecodable, so a list that is not UTF-8 is ANSI
        try:
            return path.decode("utf-8")
        except UnicodeDecodeError:
            return path.decode("mbcs", "replace")
    return os.fsdecode(path)


def _matching(pattern: str, hidden: bool) -> list[str]:
    drive, rest = os.path.splitdrive(pattern)
    tidy = rest.replace(os.altsep, os.sep) if os.altsep else rest
    parts = [part for part in tidy.split(os.sep) if part]
    start = drive + os.sep if tidy.startswith(os.sep) else drive
    found = set(_below(start, parts, hidden))
    if "**" in parts or tidy.endswith(os.sep):  # what lies in a folder matches by itself, or does not
        only_folders = tidy.endswith(os.sep)
        found = {path for path in found if os.path.isdir(path) == only_folders}
    if not found:
        raise SourceNotFound(
            "nothing matches this pattern", source=pattern, remedy="check it, or name the folder instead"
        )
    return sorted(found)


def _below(folder: str, parts: Sequence[str], hidden: bool) -> Iterator[str]:
    """What matches ``parts``, one after the other, from ``folder`` on."""
    head, rest = parts[0], parts[1:]
    if head == "**":
        for place in _folders_within(folder, hidden):
            yield from _below(place, rest or ("*",), hidden)
        return
    if not _MAGIC.search(head):
        paths = [os.path.join(folder, head)]
    else:
        matches = re.compile(fnmatch.translate(head), re.IGNORECASE if os.name == "nt" else 0).match
        shown = hidden or head.startswith(".")
        paths = [
            os.path.join(folder, entry.name)
            for entry in _entries(folder)
            if matches(entry.name) and (shown or not entry.name.startswith("."))
        ]
    for path in paths:
        if not rest:
            if _exists(path):
                yield path
        elif os.path.isdir(path):
            yield from _below(path, rest, hidden)


def _folders_within(folder: str, hidden: bool) -> Iterator[str]:
    """``folder`` and every folder below it; links are not followed, so that this ends."""
    waiting = [folder]
    while waiting:
        folder = waiting.pop()
        yield folder
        waiting += [
            os.path.join(folder, entry.name)
            for entry in _entries(folder)
            if (hidden or not entry.name.startswith(".")) and entry.is_dir(follow_symlinks=False)
        ]


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder or os.curdir) as entries:
            return list(entries)
    except OSError:  # nothing can match in what cannot be read
        return []
