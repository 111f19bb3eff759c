"""A plan: which pictures stay and which go, as a file that a person can read and change before it is carried out.

::

    {
     "lookalike plan": 1,
     "id": "20250131-174500-3f9a",
     "action": "trash",
     "trash": null,
     "groups": [
      {
       "keep": {"path": "/photos/a.png", "sha256": "…"},
       "why": "more pixels (1200×1600 instead of 600×800)",
       "others": [{"path": "/photos/b.jpg", "sha256": "…", "score": 0.97, "why": "more pixels (…)"}]
      }
     ]
    }

A group, or one of the others, may be taken out; an ``"action"`` in one of the others counts for that one alone; and
``keep`` may change places with another.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from lookalike.errors import OutputError, SourceNotFound, SourceUnreadable, UsageError, printable
from lookalike.files import check_place, write_whole
from lookalike.results.keep import Proposals
from lookalike.results.place import absolute

Remedy = Literal["trash", "hardlink", "symlink", "delete"]
"""What becomes of a picture that goes: into the trash; there, with a link to the kept one in its place; deleted."""

VERSION = 1


@dataclass(frozen=True, slots=True)
class Stays:
    """The picture that is kept: its absolute path and the sha256 (hex) of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Goes:
    """A picture that goes.

    Attributes:
        path, sha256: absolute path; digest (hex) of its bytes.
        score: how alike it is to the kept one.
        why: what the kept one has over it.
        action: what becomes of it; None as the plan says.
    """

    path: str
    sha256: str
    score: float | None = None
    why: str = ""
    action: Remedy | None = None


@dataclass(frozen=True, slots=True)
class PlannedGroup:
    """One picture that stays for others that go."""

    keep: Stays
    why: str
    others: tuple[Goes, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of pictures that are alike.

    Attributes:
        id: names its folder in the trash.
        action: what becomes of those that go.
        trash: absolute path of the folder that things go to; None for ``.lookalike-trash`` beside them.
        groups: in order; no path goes twice, and none goes that stays.
    """

    id: str
    action: Remedy
    trash: str | None
    groups: tuple[PlannedGroup, ...]

    @property
    def goes(self) -> int:
        """How many pictures go."""
        return sum(len(group.others) for group in self.groups)


def plan_of(proposals: Proposals, *, action: Remedy = "trash", trash: str | os.PathLike[str] | None = None) -> Plan:
    """The plan that carries out ``proposals``.

    Args:
        proposals: what stays and what goes.
        action: ``"trash"`` moves what goes aside; ``"hardlink"`` and ``"symlink"`` do so too, and put a link to the
            kept picture in its place; ``"delete"`` cannot be undone.
        trash: where to; by default a folder ``.lookalike-trash`` in the folder that all pictures have in common, or in
            their own where that is on another file system or may not be written.
    """
    groups = [
        PlannedGroup(
            Stays(absolute(proposal.keep.path), proposal.keep.digest),
            proposal.reason,
            tuple(
                Goes(absolute(other.picture.path), other.picture.digest, other.score, other.reason)
                for other in proposal.others
            ),
        )
        for proposal in proposals.proposals
    ]
    number = time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + secrets.token_hex(2)
    return Plan(number, action, None if trash is None else absolute(os.fspath(trash)), tuple(groups))


def write_plan(plan: Plan, path: str | os.PathLike[str]) -> Path:
    """Write a plan file; one that was not carried out yet is replaced.

    Raises:
        OutputError: it cannot be written, or a plan of that name was carried out, and undoing that needs it.
    """
    file = Path(path)
    _keep_carried_out(file)
    document: dict[str, Any] = {"lookalike plan": VERSION, **asdict(plan)}
    for group in document["groups"]:
        group["others"] = [
            {key: value for key, value in other.items() if value is not None} for other in group["others"]
        ]
    return write_whole(file, (json.dumps(document, indent=1) + "\n").encode())


def check_plan_file(path: str | os.PathLike[str]) -> None:
    """Raise before any work where a plan cannot be written to ``path``.

    Raises:
        UsageError: it is not called .json.
        OutputError: it cannot be written, a plan of that name was carried out, or something else is called so.
    """
    file = Path(path)
    if file.suffix.lower() != ".json":
        raise UsageError(f"a plan cannot be written to {printable(file.name)!r}", remedy="call it plan.json")
    check_place(file)
    _keep_carried_out(file)
    if os.path.lexists(file):
        try:
            read_plan(file)
        except UsageError as error:
            raise OutputError(
                f"{printable(str(file))}: something else than a plan is called so, and stays", remedy="name a new file"
            ) from error


def _keep_carried_out(file: Path) -> None:
    if os.path.lexists(journal_of(file)):
        raise OutputError(
            f"{printable(str(file))}: this plan was carried out, and undoing that needs it",
            remedy="name another file, or undo it first",
        )


def journal_of(plan: Path) -> Path:
    """The file beside a plan that tells what was done."""
    return plan.with_name(f"{plan.name}.journal")


def read_plan(path: str | os.PathLike[str]) -> Plan:
    """Read a plan file.

    Raises:
        SourceNotFound, SourceUnreadable: there is no such file.
        UsageError: it is no plan, or one that contradicts itself: a picture that goes twice, or stays and goes.
    """
    return parse_plan(read_plan_file(Path(path)), str(path))


def read_plan_file(path: Path) -> bytes:
    """The bytes of a plan file."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise SourceNotFound("there is no such plan", source=str(path), remedy="check the path") from error
    except OSError as error:
        raise SourceUnreadable(
            f"cannot be read: {error.strerror}", source=str(path), remedy="name a plan file"
        ) from error


def parse_plan(content: bytes, name: str) -> Plan:
    """The plan that ``content`` holds; ``name`` is for messages."""
    try:
        document = json.loads(content)
        version = document["lookalike plan"]
        if version != VERSION:
            raise UsageError(
                f"{printable(name)}: a plan of version {printable(str(version))}, where {VERSION} is read",
                remedy="use the version of lookalike that made it",
            )
        plan = Plan(
            _text(document["id"]),
            _remedy(document["action"]),
            None if document.get("trash") is None else _absolute(document["trash"]),
            tuple(_group(group) for group in document["groups"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"{type(error).__name__}: {error}" if not isinstance(error, KeyError) else f"{error} is missing"
        raise UsageError(f"{printable(name)}: this is no plan ({printable(what)})", remedy="make it anew") from error
    _check(plan, name)
    return plan


def _group(group: Any) -> PlannedGroup:
    keep, others = group["keep"], group["others"]
    if not isinstance(others, list):
        raise TypeError("others must be a list")
    return PlannedGroup(
        Stays(_absolute(keep["path"]), _sha256(keep["sha256"])), _text(group.get("why", "")), tuple(map(_goes, others))
    )


def _goes(other: Any) -> Goes:
    score, action = other.get("score"), other.get("action")
    return Goes(
        _absolute(other["path"]),
        _sha256(other["sha256"]),
        None if score is None else float(score),
        _text(other.get("why", "")),
        None if action is None else _remedy(action),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _absolute(value: Any) -> str:
    path = _text(value)
    if not os.path.isabs(path) or "\0" in path:
        raise ValueError(f"{path!r} is no absolute path")
    return path


def _sha256(value: Any) -> str:
    text = _text(value)
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise ValueError(f"{text!r} is no sha256")
    return text


def _remedy(value: Any) -> Remedy:
    if value not in get_args(Remedy):
        raise ValueError(f"{value!r} is no action; use one of {', '.join(get_args(Remedy))}")
    return value  # type: ignore[no-any-return]


def _check(plan: Plan, name: str) -> None:
    if not re.fullmatch(r"[\w-]{1,64}", plan.id, re.ASCII):
        raise UsageError(f"{printable(name)}: {printable(plan.id)!r} is no id of a plan", remedy="make it anew")
    gone: set[str] = set()
    for path in (os.path.normcase(absolute(other.path)) for group in plan.groups for other in group.others):
        if path in gone:
            raise UsageError(f"{printable(name)}: {printable(path)} goes twice", remedy="take one of them out")
        gone.add(path)
    for group in plan.groups:
        if os.path.normcase(absolute(group.keep.path)) in gone:
            raise UsageError(
                f"{printable(name)}: {printable(group.keep.path)} stays in one group and goes in another",
                remedy="take one of them out",
            )
