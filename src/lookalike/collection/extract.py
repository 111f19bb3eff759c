"""Files → features in the store: read here, described by the crew, written here, in bounded memory.

A bad file becomes a failure, also where it takes down the process that decodes it; a bug reaches the caller, and
Ctrl-C keeps what is done.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from lookalike.collection.crew import AHEAD, Crew, Lost
from lookalike.collection.describe import Batch, Described, describe, keys
from lookalike.collection.rows import PictureRow, Stored
from lookalike.collection.sources import read_found
from lookalike.errors import DecodeFailed, LookalikeError, PictureError, printable
from lookalike.types import Failure

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.images.limits import Limits
    from lookalike.images.scan import Found

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is in all."""

BATCH = 16
"""Pictures that are described at a time: one call of the network."""

WAITING_BYTES = 64 * 2**20
"""Encoded bytes that may wait to be described."""

MUCH = 200
"""Files from which processes are worth their start, …"""

MUCH_BYTES = 32 * 2**20
"""… or bytes: what takes long to decode."""


@dataclass(slots=True)
class Extraction:
    """What became of some files.

    Attributes:
        digests: path → digest of every file whose picture is in the store.
        found: path → the file as it was when it was read.
        failures: the others, and why.
    """

    digests: dict[str, str] = field(default_factory=dict)
    found: dict[str, Found] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


def extract(
    files: Sequence[Found],
    store: Store,
    limits: Limits,
    progress: Progress | None = None,
    crew: Crew | None = None,
    wanted: Mapping[str, str] | None = None,
) -> Extraction:
    """Read ``files`` and keep the features of their pictures in ``store``.

    A file whose digest the store knows already is read and not computed again.

    Args:
        files: what to read.
        store: where features go.
        limits: what one picture may cost.
        progress: told now and then how far it has come.
        crew: who computes; one of its own where there is none.
        wanted: what to extract, see :func:`~lookalike.collection.describe.keys`.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was done until then is in the store.
    """
    with Crew() as own:
        return _Extracting(files, store, limits, progress, crew or own, wanted or keys()).run()


class _Read(NamedTuple):
    found: Found
    content: bytes
    digest: str


class _Twin(NamedTuple):
    """A file whose bytes another file of this run has too: what becomes of that one becomes of it."""

    found: Found
    digest: str


class _Extracting:
    def __init__(
        self,
        files: Sequence[Found],
        store: Store,
        limits: Limits,
        progress: Progress | None,
        crew: Crew,
        wanted: Mapping[str, str],
    ) -> None:
        self.wanted = wanted
        self.files, self.store, self.limits, self.progress, self.crew = files, store, limits, progress, crew
        self.under_way: deque[list[_Read]] = deque()
        self.seen: set[str] = set()
        self.twins: list[_Twin] = []
        self.not_kept: dict[str, PictureError] = {}  # digest → why it is not even remembered as broken
        self.done = 0
        self.result = Extraction()

    def run(self) -> Extraction:
        much = len(self.files) >= MUCH or sum(file.size for file in self.files) >= MUCH_BYTES
        for described in self.crew.do_or_lose(describe, self._batches(), much=much):
            batch = self.under_way.popleft()
            self._keep(batch, self._one_by_one(batch) if isinstance(described, Lost) else described)
        self._settle_twins()
        return self.result

    # before: files → batches of pictures that are not known

    def _batches(self) -> Iterator[Batch]:
        batch: list[_Read] = []
        size = 0
        enough = WAITING_BYTES // (AHEAD * self.crew.size)
        for found in self.files:
            try:
                there, content = read_found(found, self.limits)
            except PictureError as error:
                self.result.failures.append(Failure.of(error))
                self._count(1)
                continue
            digest = hashlib.sha256(content).hexdigest()
            if digest in self.seen:
                self.twins.append(_Twin(there, digest))
                self._count(1)
                continue
            self.seen.add(digest)
            batch.append(_Read(there, content, digest))
            size += len(content)
            if len(batch) == BATCH or size >= enough:
                yield from self._fresh(batch)
                batch, size = [], 0
        yield from self._fresh(batch)

    def _fresh(self, batch: list[_Read]) -> Iterator[Batch]:
        """The batch without what the store has already, if anything is left."""
        known = self._complete([read.digest for read in batch])
        if known:
            rows = [Stored(read.found, read.digest, known[read.digest]) for read in batch if read.digest in known]
            batch = [read for read in batch if read.digest not in known]
            self._write(rows)
        if batch:
            self.under_way.append([read._replace(content=b"") for read in batch])
            yield self._batch(batch)

    def _batch(self, batch: Sequence[_Read]) -> Batch:
        return Batch([read.found.path for read in batch], [read.content for read in batch], self.wanted, self.limits)

    def _complete(self, digests: list[str]) -> dict[str, PictureRow]:
        """Those of which nothing is missing: no damaged row, no method with a new version. One question for a batch."""
        rows = self.store.pictures(digests)
        lacking = self.store.lacking(self.wanted.values(), list(rows)) if rows else set()
        return {digest: row for digest, row in rows.items() if digest not in lacking}

    # after: descriptions → rows

    def _one_by_one(self, batch: list[_Read]) -> list[Described | PictureError]:
        """The same again, a picture at a time: one of them took down the process."""
        done: list[Described | PictureError] = []
        for read in batch:
            try:
                again = read._replace(content=read_found(read.found, self.limits)[1])
                (result,) = self.crew.do_or_lose(describe, [self._batch([again])], much=True)
                done += [_crashed(read)] if isinstance(result, Lost) else result
            except PictureError as error:
                done.append(error)
        return done

    def _keep(self, batch: list[_Read], described: Sequence[Described | PictureError]) -> None:
        rows: list[Stored] = []
        for read, result in zip(batch, described, strict=True):
            if isinstance(result, Described):
                rows.append(Stored(read.found, read.digest, result.picture, result.features))
            elif isinstance(result, DecodeFailed):
                row = PictureRow("", 0, 0, result.kind, LookalikeError.__str__(result))
                rows.append(Stored(read.found, read.digest, row))
            else:  # another limit, or an extra, would mend it: it is tried again next time
                self.not_kept[read.digest] = result
                self.result.failures.append(Failure.of(result))
                self._count(1)
        self._write(rows)

    def _write(self, rows: list[Stored]) -> None:
        self.store.add(rows)
        for row in rows:
            assert row.found is not None
            self._tell(row.found, row.digest, row.picture)
        self._count(len(rows))

    def _count(self, more: int) -> None:
        self.done += more
        if self.progress is not None and more:
            self.progress("reading", self.done, len(self.files))

    def _tell(self, found: Found, digest: str, row: PictureRow) -> None:
        self.result.found[found.path] = found
        if row.failure_kind is None:
            self.result.digests[found.path] = digest
        else:
            self.result.failures.append(known_failure(found.path, row))

    def _settle_twins(self) -> None:
        """What became of the first file of every picture is known by now, and becomes of its twins."""
        rows = self.store.pictures([twin.digest for twin in self.twins])
        self.store.remember([(twin.found, twin.digest) for twin in self.twins if twin.digest in rows])
        for twin in self.twins:
            if twin.digest in rows:
                self._tell(twin.found, twin.digest, rows[twin.digest])
            elif (error := self.not_kept.get(twin.digest)) is not None:
                self.result.failures.append(_failure(twin.found.path, error.kind, LookalikeError.__str__(error)))
            else:
                self.result.failures.append(not_in_store(twin.found.path))


def _crashed(read: _Read) -> PictureError:
    return DecodeFailed(
        "decoding it ended the process that did it", source=read.found.path, remedy="it may be made to; leave it out"
    )


def known_failure(path: str, row: PictureRow) -> Failure:
    """The failure of a file whose bytes are known to be broken."""
    assert row.failure_kind is not None
    return _failure(path, row.failure_kind, row.failure_reason or "")


def not_in_store(path: str) -> Failure:
    """The failure of a file whose picture was kept and is gone: something else emptied the store meanwhile."""
    return _failure(path, "StoreError", "the store no longer has it; run again")


def _failure(path: str, kind: str, reason: str) -> Failure:
    return Failure(path, kind, f"{printable(path)}: {reason}")
