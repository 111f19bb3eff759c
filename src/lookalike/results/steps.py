"""Steps of a plan, taken one after the other: what went wrong with one is noted, and the others go on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lookalike.errors import LookalikeError, OutputError, printable
from lookalike.results.journal import Journal, Step
from lookalike.results.place import FULL, digest_of
from lookalike.types import Failure

Progress = Callable[[int, int], None]
"""Called with (done, all)."""


class Work:
    """Steps that are taken one after the other; each is done, was done before, or is noted as a failure."""

    def __init__(self, journal: Journal, dry_run: bool) -> None:
        self.journal, self.dry_run = journal, dry_run
        self.changed: list[Step] = []
        self.already = 0
        self.failures: list[Failure] = []

    @contextmanager
    def noting(self, step: Step) -> Iterator[None]:
        """Turn an error about one picture into a record; one that the next would meet as well ends the run."""
        try:
            yield
        except OutputError:
            raise
        except LookalikeError as error:
            self.failures.append(Failure.of(error))
        except OSError as error:
            if error.errno in FULL:
                raise OutputError(
                    f"{printable(str(error.filename or step.path))}: cannot be written ({error.strerror}) after"
                    f" {len(self.changed)} steps",
                    remedy="mend that and run it again: it goes on from there",
                ) from error
            reason = f"{printable(step.path)}: cannot be moved ({error.strerror or error}), and stays as it is"
            self.failures.append(Failure(step.path, OutputError.__name__, reason))


def is_link_to_keep(step: Step) -> bool:
    """Whether the link that the step puts in the picture's place is there."""
    if step.action == "symlink":
        return os.path.islink(step.path) and os.readlink(step.path) == step.keep
    if step.action != "hardlink" or not os.path.lexists(step.path) or os.path.islink(step.path):
        return False
    if step.to is not None and os.path.lexists(step.to) and os.path.samefile(step.path, step.to):
        return False  # the picture itself, cut off in the middle of its move
    with suppress(OSError):
        if os.path.samefile(step.path, step.keep):
            return True
    return digest_of(Path(step.path)) == step.keep_sha256  # the kept one was saved anew since
