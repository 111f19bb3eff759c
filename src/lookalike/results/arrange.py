"""Which picture goes into which folder of a result, under which name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lookalike.results.names import Names, safe_name
from lookalike.types import Group, Grouping, PictureFile
from lookalike.verdicts import format_score

Action = Literal["copy", "hardlink", "symlink", "move"]

MANIFEST = "lookalike-result.json"
"""The file in a result that tells where its files came from; no group's folder is called so."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file to place: which picture, into which folder of the output, under which name, and how."""

    picture: PictureFile
    folder: str
    name: str
    action: Action


def arranged(grouping: Grouping, action: Action) -> Iterator[Entry]:
    """Every file of the result, folder by folder in the order of the bases' paths, the base first."""
    pictures = {picture.path: picture for picture in grouping.pictures}
    names = Names()
    names.take(MANIFEST)
    groups = sorted(grouping.groups, key=lambda group: group.base)
    homes = _homes(groups)
    for number, group in enumerate(groups):
        above, base = os.path.split(group.base)
        folder = names.take(base, hint=os.path.basename(above))
        for path, name in _names_within(group):
            here: Action = action
            if action == "move" and (homes[path] != number or os.path.islink(path)):
                here = "copy"
            yield Entry(pictures[path], folder, name, here)


def _homes(groups: list[Group]) -> dict[str, int]:
    """Where each picture moves to: the number of the group whose base it is, else of its first."""
    homes = {group.base: number for number, group in reversed(list(enumerate(groups)))}
    for number, group in enumerate(groups):
        for member in group.members:
            homes.setdefault(member.path, number)
    return homes


def _names_within(group: Group) -> Iterator[tuple[str, str]]:
    """The paths of a group, and what each is called in its folder."""
    width = max(2, len(str(len(group.members))))
    yield group.base, safe_name(f"{0:0{width}}_base__{os.path.basename(group.base)}")
    for rank, member in enumerate(group.members, 1):
        score = "linked" if member.score is None else format_score(member.score)
        yield member.path, safe_name(f"{rank:0{width}}_{score}__{os.path.basename(member.path)}")
