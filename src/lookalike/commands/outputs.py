"""Where the result of lookalike group goes, checked before any work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from lookalike.api import check_choice
from lookalike.errors import UsageError, printable
from lookalike.files import check_place
from lookalike.images.limits import Limits
from lookalike.results.arrange import Action
from lookalike.results.manifest import check_folder
from lookalike.results.pairs_file import check_pairs_file
from lookalike.results.plan import Remedy, check_plan_file

STDOUT = "-"


@dataclass(frozen=True, slots=True)
class Outputs:
    """What was asked for, as the options of the same names say.

    Attributes:
        sources: what is compared; nothing may be written over it.
    """

    sources: tuple[str, ...]
    tables: tuple[str, ...]
    report: str | None
    out: str | None
    action: str | None
    dry_run: bool
    failures: str | None
    keep: str | None
    plan: str | None
    plan_action: str | None
    limits: Limits
    quiet: bool

    @property
    def any(self) -> bool:
        """Whether something is written; where not, the groups are printed."""
        return bool(self.tables or self.report or self.out or self.plan)

    @property
    def placing(self) -> Action:
        """How files get into ``out``."""
        return self.action or "copy"  # type: ignore[return-value]  # as check saw

    @property
    def remedy(self) -> Remedy:
        """What becomes of pictures that go by the plan."""
        return self.plan_action or "trash"  # type: ignore[return-value]  # as check saw

    def check(self) -> None:
        """Raise before any work what would be raised after it.

        Raises:
            UsageError: options that contradict each other, or would do nothing.
            OutputError: something cannot be written where it was asked for.
        """
        self._refuse_idle()
        for table in self.tables:
            if table != STDOUT:
                check_pairs_file(table)
        if self.report is not None:
            _check_suffix(self.report, "a report", (".html", ".htm"))
        if self.failures is not None:
            _check_suffix(self.failures, "failures", (".txt", ".jsonl"))
        for file in self._files():
            check_place(Path(file))
        self._refuse_twins()
        if self.plan is not None:
            check_plan_file(self.plan)
        if self.out is not None:
            self._refuse_to_cover_sources(self.out)
            check_folder(Path(self.out))

    def _refuse_idle(self) -> None:
        if self.out is None and (self.action is not None or self.dry_run):
            raise UsageError("--action and --dry-run go with --out", remedy="add --out result/")
        if self.plan is None and (self.keep is not None or self.plan_action is not None):
            raise UsageError("--keep and --plan-action go with --plan", remedy="add --plan plan.json")
        for option, given, choices in (
            ("--keep", self.keep, ("best",)),
            ("--action", self.action, get_args(Action)),
            ("--plan-action", self.plan_action, get_args(Remedy)),
        ):
            if given is not None:
                check_choice(option, given, choices)
        if self.plan is not None and self.placing == "move":
            raise UsageError("what is moved away is no longer where the plan looks", remedy="do one, then the other")
        if STDOUT in self.tables and self.dry_run:
            raise UsageError("--json - and --dry-run both print", remedy="write the pairs to a file")

    def _files(self) -> Iterator[str]:
        yield from (file for file in self.tables if file != STDOUT)
        yield from (file for file in (self.report, self.failures, self.plan) if file is not None)

    def _refuse_twins(self) -> None:
        """Two results in one file, or one over what names the sources."""
        taken = {os.path.realpath(source.removeprefix("@")) for source in self.sources}
        for file in self._files():
            if os.path.realpath(file) in taken:
                raise UsageError(f"{printable(file)} is named twice", remedy="name another file")
            taken.add(os.path.realpath(file))

    def _refuse_to_cover_sources(self, out: str) -> None:
        inside = os.path.join(os.path.realpath(out), "")
        for source in self.sources:
            if os.path.join(os.path.realpath(source), "").startswith(inside):
                raise UsageError(
                    f"the result would lie over its own source, {printable(source)}", remedy="name another folder"
                )


def _check_suffix(file: str, what: str, suffixes: tuple[str, ...]) -> None:
    if Path(file).suffix.lower() not in suffixes:
        raise UsageError(
            f"{what} cannot be written to {printable(os.path.basename(file))!r}",
            remedy=f"use {' or '.join(suffixes)}",
        )
