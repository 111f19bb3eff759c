"""Carry out a plan, step by step."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from lookalike.errors import LookalikeError, PictureError, SourceUnreadable, UsageError, printable
from lookalike.results.journal import Journal, Step, steps_of
from lookalike.results.names import folded
from lookalike.results.place import check_same, hardlink_new, move_new, symlink_new
from lookalike.results.plan import journal_of, parse_plan, read_plan_file
from lookalike.results.steps import Progress, Work, is_link_to_keep
from lookalike.types import Failure


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a plan.

    Attributes:
        done: the steps that were carried out, or would be after a dry run.
        already: how many an earlier run had carried out.
        refused: what was left as it is, and why.
        dry_run: nothing was touched.
    """

    done: tuple[Step, ...]
    already: int
    refused: tuple[Failure, ...]
    dry_run: bool


def apply_plan(path: str | os.PathLike[str], *, dry_run: bool = False, progress: Progress | None = None) -> Applied:
    """Carry out a plan file. A run that was cut off goes on where it was.

    A picture goes only where the one that stays for it is there with the very bytes that were compared, and it has its
    own bytes still; otherwise it is refused, and the rest goes on. Before the first step all of them are written to
    ``<plan>.journal``, which :func:`~lookalike.results.undo.undo_plan` needs.

    Args:
        path: the plan file.
        dry_run: check everything, touch nothing.
        progress: called with (done, all) after every step.

    Raises:
        SourceNotFound, SourceUnreadable, UsageError: there is no such plan, or it was changed after it was begun.
        OutputError: the disk is full, or the journal cannot be written. What was done is in the journal.
    """
    plan_file = Path(path)
    content = read_plan_file(plan_file)
    plan = parse_plan(content, str(plan_file))
    sha256, journal_file = hashlib.sha256(content).hexdigest(), journal_of(plan_file)
    if os.path.lexists(journal_file):
        journal = Journal.read(journal_file)
        if journal.plan_sha256 != sha256:
            raise UsageError(
                f"{printable(str(plan_file))}: the plan was changed after it was begun", remedy="undo it first"
            )
    elif dry_run:
        journal = Journal(journal_file, plan.id, sha256, steps_of(plan), set())
    else:
        journal = Journal.begin(journal_file, plan.id, sha256, steps_of(plan))
    work = _Applying(journal, dry_run)
    for number in range(len(journal.steps)):
        work.take(number)
        if progress is not None:
            progress(number + 1, len(journal.steps))
    return Applied(tuple(work.changed), work.already, tuple(work.failures), dry_run)


class _Applying(Work):
    def __init__(self, journal: Journal, dry_run: bool) -> None:
        super().__init__(journal, dry_run)
        self.goes = {os.path.normcase(step.path) for step in journal.steps}
        self.kept: dict[str, tuple[str, os.stat_result]] = {}  # as they were when their bytes were read

    def take(self, number: int) -> None:
        step = self.journal.steps[number]
        with self.noting(step):
            if self._is_done(number, step):
                self.already += 1
                return
            self._check_keep(step)
            self._check_goes(step)
            if not self.dry_run:
                _carry_out(step)
                self.journal.say("done", number)
            self.changed.append(step)

    def _is_done(self, number: int, step: Step) -> bool:
        if step.to is None:
            return number in self.journal.done and not os.path.lexists(step.path)
        if not os.path.lexists(step.to):
            return False
        if step.action == "trash":
            return not os.path.lexists(step.path)
        return is_link_to_keep(step)

    def _check_keep(self, step: Step) -> None:
        """The last look before something goes: what stays for it is there, and is not itself going."""
        path = Path(step.keep)
        if os.path.normcase(os.path.realpath(path)) in self.goes:
            raise SourceUnreadable(
                f"the one that stays for it, {printable(step.keep)}, is a link to one that goes", source=step.path
            )
        digest, seen = self.kept.get(step.keep, ("", None))
        if digest != step.keep_sha256 or seen is None or not _unchanged(path, seen):
            try:
                seen = os.stat(path)
                check_same(path, step.keep_sha256)
            except OSError as error:
                raise SourceUnreadable(
                    f"the one that stays for it is gone, {printable(step.keep)}", source=step.path
                ) from error
            except PictureError as error:
                raise type(error)(
                    f"the one that stays for it cannot be relied on, {error}", source=step.path
                ) from error
            self.kept[step.keep] = step.keep_sha256, seen

    def _check_goes(self, step: Step) -> None:
        path = Path(step.path)
        if step.to is not None and os.path.lexists(step.to) and not os.path.lexists(path):
            return  # cut off between the move and the link
        if os.path.islink(path):
            raise SourceUnreadable("this is a link, which takes no room", source=step.path)
        check_same(path, step.sha256)
        here, keep = os.stat(path), os.stat(step.keep)
        if os.path.samestat(here, keep) and (here.st_nlink == 1 or _one_name(step.path, step.keep)):
            raise SourceUnreadable("this is the very file that stays, by another name", source=step.path)


def _carry_out(step: Step) -> None:
    path, keep = Path(step.path), Path(step.keep)
    if step.to is None:
        path.unlink()
        return
    to = Path(step.to)
    to.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(to):
        move_new(path, to, step.sha256)
    elif os.path.lexists(path):  # cut off after the new name was made, or the copy written, and before the old one went
        check_same(to, step.sha256)
        path.unlink()
    try:
        if not keep.exists():  # one file under two names after all, in a way that no check above knows
            raise SourceUnreadable("this is the very file that stays, by another name", source=step.path)
        if step.action == "hardlink":
            hardlink_new(keep, path)
        elif step.action == "symlink":
            symlink_new(keep, path)
    except (OSError, LookalikeError):
        move_new(to, path, step.sha256)
        raise


def _unchanged(path: Path, seen: os.stat_result) -> bool:
    try:
        now = os.stat(path)
    except OSError:
        return False
    return os.path.samestat(now, seen) and (now.st_size, now.st_mtime_ns) == (seen.st_size, seen.st_mtime_ns)


def _one_name(a: str, b: str) -> bool:
    """Whether two paths are one on a file system that does not tell upper from lower case."""
    (above, name), (other_above, other_name) = os.path.split(a), os.path.split(b)
    return folded(name) == folded(other_name) and os.path.samefile(above, other_above)
