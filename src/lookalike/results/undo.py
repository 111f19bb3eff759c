"""Undo a plan: bring back what it moved away."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lookalike.errors import SourceUnreadable, UsageError, printable
from lookalike.results.journal import TRASH, Journal, Step
from lookalike.results.place import digest_of, hardlink_new, move_new, symlink_new
from lookalike.results.plan import journal_of
from lookalike.results.steps import Progress, Work, is_link_to_keep
from lookalike.types import Failure


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing a plan brought back.

    Attributes:
        restored: the steps that were taken back, or would be after a dry run.
        failures: what could not be brought back, and why; what lies in the trash stays there.
        dry_run: nothing was touched.
    """

    restored: tuple[Step, ...]
    failures: tuple[Failure, ...]
    dry_run: bool


def undo_plan(path: str | os.PathLike[str], *, dry_run: bool = False, progress: Progress | None = None) -> Undone:
    """Bring back what carrying out a plan moved away, the last first; it may then be carried out again.

    Nothing is replaced: where something else lies in a picture's place by now, the picture stays in the trash. Where
    all came back the empty folders of the trash and the journal are removed. A run that was cut off can be repeated.

    Args:
        path: the plan file; only the journal beside it is read.
        dry_run: touch nothing.
        progress: called with (done, all) after every step.

    Raises:
        UsageError: the plan was not carried out, or undone already.
        SourceUnreadable: its journal is damaged.
        OutputError: the disk is full, or the journal cannot be written.
    """
    journal_file = journal_of(Path(path))
    if not os.path.lexists(journal_file):
        raise UsageError(
            f"{printable(os.fspath(path))}: this plan was not carried out", remedy="there is nothing to undo"
        )
    journal = Journal.read(journal_file)
    work = _Undoing(journal, dry_run)
    for done, number in enumerate(reversed(range(len(journal.steps))), 1):
        work.take(number)
        if progress is not None:
            progress(done, len(journal.steps))
    if not dry_run and not work.failures:
        for step in journal.steps:
            _remove_empty(step, journal.plan_id)
        journal_file.unlink()
    return Undone(tuple(work.changed), tuple(work.failures), dry_run)


class _Undoing(Work):
    def take(self, number: int) -> None:
        step = self.journal.steps[number]
        with self.noting(step):
            if step.to is None or not os.path.lexists(step.to):
                if number in self.journal.done and not _is_back(step):
                    what = "was deleted for good" if step.to is None else "is no longer in the trash"
                    raise SourceUnreadable(
                        f"it {what}", source=step.path, remedy=f"{printable(step.keep)} stayed for it"
                    )
                return
            if not self.dry_run:
                _take_back(step, Path(step.path), Path(step.to))
                self.journal.say("undone", number)
            elif os.path.lexists(step.path) and not _is_in_two_places(step) and not is_link_to_keep(step):
                raise _occupied(step)
            self.changed.append(step)


def _take_back(step: Step, path: Path, to: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.path.lexists(path):
        move_new(to, path, step.sha256)
    elif _is_in_two_places(step):  # cut off in the middle of a move: the old place is whole
        to.unlink()
    elif is_link_to_keep(step):
        path.unlink()
        try:
            move_new(to, path, step.sha256)
        except OSError:
            (symlink_new if step.action == "symlink" else hardlink_new)(Path(step.keep), path)
            raise
    else:
        raise _occupied(step)


def _occupied(step: Step) -> SourceUnreadable:
    return SourceUnreadable(
        f"something else lies there by now, and stays; the picture is {printable(step.to or '')}", source=step.path
    )


def _is_back(step: Step) -> bool:
    return os.path.isfile(step.path) and not os.path.islink(step.path) and digest_of(Path(step.path)) == step.sha256


def _is_in_two_places(step: Step) -> bool:
    if step.to is None or os.path.islink(step.path):
        return False
    if os.path.samefile(step.path, step.to):
        return True
    # only across file systems, where a move copies first; elsewhere equal bytes may be the kept picture's hard link
    return os.stat(step.path).st_nlink == 1 and digest_of(Path(step.path)) == step.sha256 == digest_of(Path(step.to))


def _remove_empty(step: Step, plan: str) -> None:
    """Remove the folders of the trash that a step left empty, up to that of the plan, and the trash if it is ours."""
    if step.to is None:
        return
    folder = Path(step.to).parent
    emptied = [folder]
    while folder.name != plan:
        folder = folder.parent
        emptied.append(folder)
    if folder.parent.name == TRASH:
        emptied.append(folder.parent)
    for folder in emptied:
        with suppress(OSError):  # not empty, or never made
            folder.rmdir()
