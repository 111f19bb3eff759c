"""How far a long run has come."""

from __future__ import annotations

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
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("comparing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self.bar = Bar(*columns, console=Console(file=sys.stderr), transient=True)
            self.bar.start()
            self.task = self.bar.add_task("comparing", total=self.total)
        return self.advance

    def advance(self) -> None:
        """One more pair is done."""
        self.done += 1
        if self.bar is not None:
            self.bar.advance(self.task)
        elif not self.quiet and time.monotonic() - self.said > EVERY_SECONDS:
            self.said = time.monotonic()
            rate = self.done / (self.said - self.started)
            left = (self.total - self.done) / rate
            typer.echo(f"{self.done} of {self.total} pairs, {rate:.0f}/s, {left:.0f} s left", err=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()
