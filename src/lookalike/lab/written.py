"""What the lab writes: a folder that appears whole or not at all, and tables."""

from __future__ import annotations

import csv
import io
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lookalike.errors import OutputError, printable
from lookalike.files import cannot_write, write_whole


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to write into; it is called ``path`` once the block is through, and gone if that ends in an exception.

    Raises:
        OutputError: ``path`` holds something already, is a file, or cannot be made.
    """
    shown = printable(str(path))
    if os.path.lexists(path) and (not path.is_dir() or path.is_symlink()):
        raise OutputError(f"{shown}: this is no folder", remedy="name a new one")
    with cannot_write(path):
        if path.is_dir() and any(path.iterdir()):
            raise OutputError(f"{shown}: the folder is not empty, and nothing is overwritten", remedy="name a new one")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
        partial.mkdir()
    try:
        yield partial
        with cannot_write(path):
            if path.is_dir():
                path.rmdir()  # empty: it refuses otherwise
            os.rename(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """A CSV file with these columns; it appears whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)
    return write_whole(path, text.getvalue().encode())
