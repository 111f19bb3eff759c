"""What a plan is about to do, written down before the first step, and what was done since.

The steps stand in a file beside the plan before anything is touched; after each a line says so. Whether a step was done
is told by the files themselves, so that a run that was cut off anywhere can go on, or back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from lookalike.errors import SourceUnreadable
from lookalike.files import appearing_whole, cannot_write
from lookalike.results.place import absolute
from lookalike.results.plan import Plan, Remedy

TRASH = ".lookalike-trash"

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One picture that goes.

    Attributes:
        path, sha256: where it is, and the digest (hex) of its bytes.
        to: where in the trash it goes; None where it is deleted.
        action: what becomes of it.
        keep, keep_sha256: the picture that stays for it.
    """

    path: str
    sha256: str
    to: str | None
    action: Remedy
    keep: str
    keep_sha256: str


class Journal:
    """The journal of a plan: its steps, and which of them are said to be done."""

    def __init__(self, path: Path, plan_id: str, plan_sha256: str, steps: Sequence[Step], done: set[int]) -> None:
        self.path, self.plan_id, self.plan_sha256 = path, plan_id, plan_sha256
        self.steps, self.done = tuple(steps), done

    @classmethod
    def begin(cls, path: Path, plan_id: str, plan_sha256: str, steps: Sequence[Step]) -> Journal:
        """Write down ``steps``, so that they are on the disk when this returns."""
        lines = [{"lookalike journal": _VERSION, "id": plan_id, "plan": plan_sha256}, *(asdict(step) for step in steps)]
        lines.append({"steps": len(steps)})
        with appearing_whole(path) as file, cannot_write(path):
            file.write("".join(f"{json.dumps(line)}\n" for line in lines).encode())
            file.flush()
            os.fsync(file.fileno())
        return cls(path, plan_id, plan_sha256, steps, set())

    @classmethod
    def read(cls, path: Path) -> Journal:
        """Read a journal; the last line may be torn.

        Raises:
            SourceUnreadable: it is none.
        """
        try:
            head, *lines = path.read_bytes().split(b"\n")
            begun = json.loads(head)
            if begun["lookalike journal"] != _VERSION:
                raise ValueError("another version")
            end = next(at for at, line in enumerate(lines) if b'"steps"' in line and "steps" in json.loads(line))
            steps = [Step(**json.loads(line)) for line in lines[:end]]
            done: set[int] = set()
            for event, number in _events(lines[end + 1 :]):
                (done.add if event == "done" else done.discard)(number)
            return cls(path, begun["id"], begun["plan"], steps, done)
        except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
            raise SourceUnreadable(
                "this is no journal of a plan", source=str(path), remedy="what was moved lies in the trash it names"
            ) from error

    def say(self, event: Literal["done", "undone"], number: int) -> None:
        """Note that a step is done, or undone, where there is room for it."""
        (self.done.add if event == "done" else self.done.discard)(number)
        with suppress(OSError), self.path.open("ab") as file:  # to undo must be possible on a full disk too
            file.write(f'{{"{event}": {number}}}\n'.encode())


def _events(lines: Sequence[bytes]) -> Iterator[tuple[str, int]]:
    for line in lines:
        try:
            yield from json.loads(line).items()
        except (ValueError, AttributeError):  # torn where the run was cut off
            continue


def steps_of(plan: Plan) -> list[Step]:
    """What carrying out ``plan`` takes, with the place in the trash of every picture that goes."""
    goes = [(group, other, other.action or plan.action) for group in plan.groups for other in group.others]
    folders = {absolute(other.path): os.path.dirname(absolute(other.path)) for _, other, _ in goes}
    roots = _roots(set(folders.values()))
    steps = []
    for group, other, action in goes:
        path = absolute(other.path)
        root = roots[folders[path]]
        trash = os.path.join(plan.trash or os.path.join(root, TRASH), plan.id)
        inside = os.path.relpath(path, root) if plan.trash is None else _below_root(path)
        to = None if action == "delete" else os.path.join(trash, inside)
        steps.append(Step(path, other.sha256, to, action, absolute(group.keep.path), group.keep.sha256))
    return steps


def _below_root(path: str) -> str:
    """The whole path as one below another folder: ``C:\\a\\b`` as ``C\\a\\b``."""
    drive, rest = os.path.splitdrive(path)
    label = "".join(character for character in drive if character.isalnum())
    return os.path.join(label, rest.lstrip("/\\"))


def _roots(folders: set[str]) -> dict[str, str]:
    """For each folder the one whose trash takes its pictures: on the same file system, so that moving is renaming."""
    devices: dict[int, list[str]] = {}
    roots = {folder: folder for folder in folders}
    for folder in sorted(folders):
        try:
            devices.setdefault(os.stat(folder).st_dev, []).append(folder)
        except OSError:  # gone: its pictures will be refused
            continue
    for device, together in devices.items():
        try:
            common = os.path.commonpath(together)
            fits = os.stat(common).st_dev == device and os.access(common, os.W_OK) and os.path.dirname(common) != common
        except (OSError, ValueError):
            continue
        if fits:
            roots.update(dict.fromkeys(together, common))
    return roots
