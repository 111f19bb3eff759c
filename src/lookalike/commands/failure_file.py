"""Every picture that failed, in a file of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from lookalike.errors import printable
from lookalike.files import write_whole

if TYPE_CHECKING:
    from lookalike.types import Failure


def write_failures(failures: Sequence[Failure], file: str) -> None:
    """Write a line for each: the reason, or for ``.jsonl`` the whole record.

    Raises:
        OutputError: the file cannot be written.
    """
    if Path(file).suffix.lower() == ".jsonl":
        lines = "".join(f"{json.dumps(asdict(failure))}\n" for failure in failures)
    else:
        lines = "".join(f"{printable(failure.reason, 2000)}\n" for failure in failures)
    write_whole(Path(file), lines.encode())
