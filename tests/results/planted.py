"""Files that stand for pictures, with a record of each, and groups of them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from lookalike.types import Comparison, Group, GroupBy, Grouping, Member, PictureFile
from lookalike.verdicts import verdict_of


def planted(
    path: Path, content: bytes | None = None, *, time: int | None = None, reference: bool = False
) -> PictureFile:
    """A file at ``path`` (its name as content where none is given) and its record."""
    content = os.fsencode(path.name) if content is None else content
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if time is not None:
        os.utime(path, ns=(time, time))
    digest = hashlib.sha256(content).hexdigest()
    mtime = path.stat().st_mtime_ns
    return PictureFile(str(path), digest, "JPEG", 8, 6, len(content), mtime, reference=reference)


def grouped(*groups: tuple[PictureFile | float | None, ...], group_by: GroupBy = "base") -> Grouping:
    """A grouping of groups, each given as base, member, score, member, score …; pairs are those with a score."""
    made, pairs, pictures = [], {}, {}
    for base, *rest in groups:
        assert isinstance(base, PictureFile)
        members = []
        for member, score in zip(rest[::2], rest[1::2], strict=True):
            assert isinstance(member, PictureFile)
            assert not isinstance(score, PictureFile)
            members.append(Member(member.path, score))
            pictures[member.path] = member
            if score is not None:
                a, b = sorted((base.path, member.path))
                pairs[a, b] = Comparison(a, b, score, verdict_of(score), {})
        pictures[base.path] = base
        made.append(Group(base.path, tuple(members)))
    ordered = tuple(sorted(pictures.values(), key=lambda picture: picture.path))
    return Grouping(ordered, tuple(pairs.values()), tuple(made), (), 0.8, group_by, "default")


def tree(folder: Path) -> dict[str, bytes | str]:
    """Everything below ``folder``: the bytes of each file, the target of each link."""
    return {
        path.relative_to(folder).as_posix(): f"→ {os.readlink(path)}" if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
