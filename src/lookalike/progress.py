"""How far a long run has come."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import Any, Self

import typer

EVERY_SECONDS = 5.0


class Progress:
    """A bar with rate and time left on a terminal; a line every five seconds elsewhere; nothing when quiet.

    Attributes:
        what, done, total: what :meth:`tell` was told last.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.what, self.done, self.total = "", 0, 0
        self._begun = self._said = 0.0
        self._at_first = 0
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        self._begun = self._said = time.monotonic()
        if not self.quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            self._bar = _bar()
            self._bar.start()
        return self

    def tell(self, what: str, done: int, total: int = 0) -> None:
        """``done`` of ``total`` steps of a stage are done; a total of 0 is not known."""
        now = time.monotonic()
        if what != self.what or done < self.done:
            self._begin(what, done, total, now)
        self.done, self.total = done, total
        seconds = now - self._begun
        rate = (done - self._at_first) / seconds if seconds > 0 else 0.0
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total or None, rate=_per_second(rate))
        elif not self.quiet and now - self._said > EVERY_SECONDS:
            self._said = now
            typer.echo(_line(what, done, total, rate), err=True)

    def _begin(self, what: str, done: int, total: int, now: float) -> None:
        self.what, self._begun, self._at_first = what, now, done
        if self._bar is not None:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(what, total=total or None, completed=done, rate="")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    what, rate, left = TextColumn("{task.description}"), TextColumn("{task.fields[rate]}"), TextColumn("left")
    columns = (what, BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn(), left)
    return Bar(*columns, console=Console(file=sys.stderr), transient=True)


def _line(what: str, done: int, total: int, rate: float) -> str:
    if not total:
        return f"{what}: {done} so far" if done else what
    left = f", {(total - done) / rate:.0f} s left" if rate > 0 else ""
    return f"{what}: {done} of {total}, {_per_second(rate)}{left}"


def _per_second(rate: float) -> str:
    return f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
