"""How far a long run has come."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import typer

EVERY_SECONDS = 5.0


class Progress:
    """A bar with rate and time left on a terminal; a line every five seconds elsewhere; nothing when quiet."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self.total, self.quiet, self.done = total, quiet, 0
        self.bar: Any = None

    def __enter__(self) -> Callable[[], None]:
        self.started = self.said = time.monotonic()
        if not self.quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            rate, left = TextColumn("{task.fields[rate]}"), TextColumn("left")
            columns = (TextColumn("comparing"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn(), left)
            self.bar = Bar(*columns, console=Console(file=sys.stderr), transient=True)
            self.bar.start()
            self.task = self.bar.add_task("comparing", total=self.total, rate="")
        return self.advance

    def advance(self) -> None:
        """One more pair is done."""
        self.done += 1
        now = time.monotonic()
        rate = self.done / max(now - self.started, 1e-9)
        if self.bar is not None:
            self.bar.update(self.task, advance=1, rate=_per_second(rate))
        elif not self.quiet and now - self.said > EVERY_SECONDS:
            self.said = now
            left = (self.total - self.done) / rate
            typer.echo(f"{self.done} of {self.total} pairs, {_per_second(rate)}, {left:.0f} s left", err=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()


def _per_second(rate: float) -> str:
    return f"{rate:.0f}/s" if rate >= 10 else f"{rate:.1f}/s"
