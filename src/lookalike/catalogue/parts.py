"""Described pictures as numbered Parquet files, and from there into an index.

A file holds one partition of the entries, whole or not at all, and says what it was made of: entries, recipe and
limits. One that says the same as what is wanted need not be made again.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lookalike.catalogue.entries import Entry
from lookalike.catalogue.filling import ABOUT, WRITTEN, Filled
from lookalike.catalogue.recipe import AT_ONCE, Described, Recipe
from lookalike.collection.rows import PictureRow, Stored
from lookalike.errors import MissingExtra, OutputError, printable
from lookalike.files import write_whole
from lookalike.images.scan import Found
from lookalike.index.base import Space
from lookalike.index.items import Item, checked_item
from lookalike.optional import later, need
from lookalike.scoring.pair import shared_method
from lookalike.types import Failure

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.images.limits import Limits
    from lookalike.index.base import VectorIndex

arrow, parquet = later("pyarrow", extra="ray"), later("pyarrow.parquet", extra="ray")

Progress = Callable[[str, int, int], None]

VERSION = 1
"""Of the files; another number, and they are made anew."""

MARK, SPACE, FAILED = b"lookalike.fingerprint", b"lookalike.space", b"lookalike.failed"
"""What a file says of itself: what it was made of, what its vectors are, how many pictures failed."""

Result = Described | Failure
"""What became of one picture."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """Partitions that are all there.

    Attributes:
        out: the folder they are in.
        names: their files, in the order of the entries.
        pictures: entries in them, those that failed included.
        computed: how many of these were read in this run; the others had been before.
        failed: how many failed.
    """

    out: str
    names: tuple[str, ...]
    pictures: int
    computed: int
    failed: int


def load_into(index: VectorIndex, store: Store, extracted: Extracted, *, progress: Progress | None = None) -> Filled:
    """Put what a cluster described into an index, as :func:`lookalike.catalogue.filling.fill` would have done.

    The same again changes nothing: what is in the index as it is here is unchanged.

    Args:
        index: open for writing.
        store: where features go that comparing will ask for.
        extracted: what :func:`fill_on_cluster` returned.
        progress: told how far it has come.

    Raises:
        IndexMismatch: the index holds vectors of another model.
        OutputError: a file is gone or damaged; extract again, which makes those anew and no others.
    """
    result, parts, done = Filled(), Parts(extracted.out), 0
    for name in extracted.names:
        table = parts.table(name)
        index.space.require(Space(**json.loads(table.schema.metadata[SPACE])))
        for start in range(0, len(table), WRITTEN):
            rows = table.slice(start, WRITTEN)
            _load(index, store, rows, result)
            done += len(rows)
            if progress is not None:
                progress("indexing", done, extracted.pictures)
    return result


def _load(index: VectorIndex, store: Store, table: Any, result: Filled) -> None:
    vectors = table.column("vector")
    rows: list[dict[str, Any]] = table.drop_columns(["vector"]).to_pylist()
    olds = index.get([row["id"] for row in rows])
    items: list[Item] = []
    fresh: list[Stored] = []
    for number, (row, old) in enumerate(zip(rows, olds, strict=True)):
        if row["failure_kind"] is not None:
            result.failures.append(Failure(row["failure_source"], row["failure_kind"], row["failure_reason"]))
            continue
        about = {key: row[key] for key in ("sha256", "format", "width", "height")}
        found = None
        if row["bytes"] is not None:
            about |= {"bytes": row["bytes"], "mtime_ns": row["mtime_ns"]}
            found = Found(row["source"], row["bytes"], row["mtime_ns"])
        data = {**json.loads(row["data"]), ABOUT: about}
        tags = tuple(row["tags"])
        picture = PictureRow(row["format"], row["width"], row["height"])
        fresh.append(Stored(found, row["sha256"], picture, dict(row["features"])))
        if old is not None and (old.source, set(old.tags), dict(old.data)) == (row["source"], set(tags), data):
            result.unchanged += 1
            continue
        items.append(Item(row["id"], vectors[number].values.to_numpy(), row["source"], tags, data))
        result.added += old is None
        result.updated += old is not None
    store.add(fresh)
    if items:
        index.add(items, replace=True)


class Row(NamedTuple):
    """An entry that has an id, and whether that id came before."""

    entry: Entry
    twice: bool


@dataclass(slots=True)
class Piece:
    """One partition before it is computed.

    Attributes:
        number: its place, from 0.
        rows: its entries.
        fingerprint: what its file will be recognised by.
        lost: actors that ended over it.
    """

    number: int
    rows: list[Row]
    fingerprint: str
    lost: int = 0


def pieces(entries: Iterable[Entry], size: int, salt: str) -> Iterator[Piece]:
    """Partitions of ``size`` entries, taken as they are needed.

    Raises:
        UsageError: an entry that no index takes; it is refused before the work, not after it.
    """
    seen: set[str] = set()
    stream = iter(entries)
    for number in itertools.count():
        rows = []
        for entry in itertools.islice(stream, size):
            name = entry.id or entry.name or os.path.basename(entry.source.rstrip("/")) or entry.source
            rows.append(Row(replace(entry, id=name), name in seen))
            seen.add(name)
            if entry.source:
                checked_item(Item(name, np.zeros(0), entry.source, entry.tags, entry.data))
        if not rows:
            return
        yield Piece(number, rows, _fingerprint(rows, salt))


def salt(recipe: Recipe, limits: Limits) -> str:
    """Everything but the entries that the content of a partition depends on."""
    with_it = [shared_method(name, {}).key for name in AT_ONCE]
    return json.dumps([VERSION, recipe.space.to_dict(), recipe.to_dict(), with_it, asdict(limits)], default=str)


def _fingerprint(rows: Sequence[Row], salt: str) -> str:
    made = hashlib.sha256(salt.encode())
    for entry, twice in rows:
        file = None if entry.found is None else [entry.found.size, entry.found.mtime_ns]
        line = [entry.id, entry.source, entry.tags, dict(entry.data), file, twice]
        made.update(json.dumps(line, sort_keys=True, default=str).encode() + b"\n")
    return made.hexdigest()


def name_of(number: int) -> str:
    """What the file of a partition is called."""
    return f"part-{number:06d}.parquet"


class Parts:
    """A folder of partitions, here or in an object store."""

    def __init__(self, out: str | os.PathLike[str]) -> None:
        core = need("fsspec.core", extra="ray")
        local = need("fsspec.implementations.local", extra="ray")
        self.named = os.fspath(out)
        try:
            self.store, self.path = core.url_to_fs(self.named)
            self.local = isinstance(self.store, local.LocalFileSystem)
            self.store.makedirs(self.path, exist_ok=True)
        except ImportError as error:
            raise MissingExtra(f"{printable(self.named)} cannot be written: {error}", remedy="install that") from error
        except Exception as error:  # every store has errors of its own
            raise self._unwritable(error) from error

    def write(self, name: str, content: bytes) -> None:
        """Make a file, whole or not at all.

        Raises:
            OutputError: it cannot be written.
        """
        if self.local:
            write_whole(Path(self.path, name), content)
            return
        partial = f"{self.path}/.{name}.{secrets.token_hex(4)}.partial"
        try:
            self.store.pipe_file(partial, content)
            self.store.mv(partial, f"{self.path}/{name}")
        except Exception as error:
            raise self._unwritable(error) from error

    def marks(self, name: str) -> Mapping[bytes, bytes]:
        """What a file says of itself; nothing where it is not there, or not whole."""
        try:
            with self.store.open(f"{self.path}/{name}", "rb") as file:
                return parquet.ParquetFile(file).metadata.metadata or {}
        except (OSError, arrow.ArrowException):
            return {}

    def table(self, name: str) -> Any:
        """A file as an Arrow table.

        Raises:
            OutputError: it is gone, damaged, or something else.
        """
        try:
            with self.store.open(f"{self.path}/{name}", "rb") as file:
                table = parquet.read_table(file)
        except (OSError, arrow.ArrowException) as error:
            raise OutputError(
                f"{printable(f'{self.named}/{name}')} is gone or damaged ({printable(str(error), 100)})",
                remedy="run the same again: what is missing is made anew",
            ) from error
        if SPACE not in (table.schema.metadata or {}):
            raise OutputError(f"{printable(f'{self.named}/{name}')} is no partition", remedy="take an empty folder")
        return table

    def _unwritable(self, error: Exception) -> OutputError:
        why = printable(str(error) or type(error).__name__, 200)
        return OutputError(f"{printable(self.named)}: cannot be written ({why})", remedy="check the folder")


def packed(rows: Sequence[Row], founds: Sequence[Found | None], results: Sequence[Result], marks: Any) -> bytes:
    """One partition as a Parquet file; pictures that failed have a failure, and nothing else."""
    good = [each if isinstance(each, Described) else None for each in results]
    bad = [each if isinstance(each, Failure) else None for each in results]
    made = np.dtype(next((each.vector.dtype for each in good if each), np.float32))
    text, number = arrow.string(), arrow.int64()
    columns = {
        "id": arrow.array([row.entry.id for row in rows], text),
        "source": arrow.array([row.entry.source for row in rows], text),
        "tags": arrow.array([list(row.entry.tags) for row in rows], arrow.list_(text)),
        "data": arrow.array([json.dumps(dict(row.entry.data), default=str) for row in rows], text),
        "vector": arrow.array([each and each.vector for each in good], arrow.list_(arrow.from_numpy_dtype(made))),
        "sha256": arrow.array([each and each.digest for each in good], text),
        "format": arrow.array([each and each.format for each in good], text),
        "width": arrow.array([each and each.width for each in good], number),
        "height": arrow.array([each and each.height for each in good], number),
        "bytes": arrow.array([found and found.size for found in founds], number),
        "mtime_ns": arrow.array([found and found.mtime_ns for found in founds], number),
        "features": arrow.array(
            [each and list(each.features.items()) for each in good], arrow.map_(text, arrow.binary())
        ),
        "failure_source": arrow.array([each and each.source for each in bad], text),
        "failure_kind": arrow.array([each and each.kind for each in bad], text),
        "failure_reason": arrow.array([each and each.reason for each in bad], text),
    }
    failed = str(sum(each is not None for each in bad)).encode()
    written = io.BytesIO()
    parquet.write_table(arrow.table(columns).replace_schema_metadata({**marks, FAILED: failed}), written)
    return written.getvalue()
