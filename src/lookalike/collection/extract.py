"""Files → features in the store: read, compute, write, side by side and in bounded memory.

One thread reads ahead, one a core decodes and computes, and one writes; between them are queues that hold only so
much. A bad file becomes a failure, a bug in a worker reaches the caller, and Ctrl-C keeps what is done.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lookalike.collection.packing import pack
from lookalike.collection.rows import PictureRow, Stored
from lookalike.collection.sources import read_found
from lookalike.errors import DecodeFailed, LookalikeError, PictureError, printable
from lookalike.features.cells import proposing, vectors_and_cells
from lookalike.images.encoded import read_encoded
from lookalike.scoring.pair import shared_method
from lookalike.types import Failure, Picture

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.images.limits import Limits
    from lookalike.images.scan import Found
    from lookalike.types import Pixels

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is in all."""

BATCH = 16
"""Pictures that a worker takes at a time: one call of the network."""

AHEAD = 6
"""Batches that may wait to be computed, and as many to be written."""

AHEAD_BYTES = 64 * 2**20
"""Encoded bytes that may wait to be computed."""

BATCH_BYTES = AHEAD_BYTES // 8
"""Encoded bytes from which a batch is full, so that the reader never waits for room that only its own batch takes."""

KEPT_AS = "float16"
"""Embeddings and discs only propose; half the bytes propose as well."""


def keys() -> dict[str, str]:
    """The store's keys of what is extracted of every picture, by method."""
    made = {name: shared_method(name, {}) for name in ("disc", "cells", "look", "tint")}
    return {"embedding": proposing().key, **{name: each.key for name, each in made.items()}}


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
    files: Sequence[Found], store: Store, limits: Limits, progress: Progress | None = None, workers: int = 0
) -> Extraction:
    """Read ``files`` and keep the features of their pictures in ``store``.

    A file whose digest the store knows already is read and not computed again.

    Args:
        files: what to read.
        store: where features go.
        limits: what one picture may cost.
        progress: told now and then how far it has come.
        workers: threads that compute; 0 = one a core.

    Raises:
        KeyboardInterrupt: Ctrl-C; what was done until then is in the store.
    """
    return _Pipeline(files, store, limits, progress, workers or os.cpu_count() or 2).run()


@dataclass(slots=True)
class _Read:
    found: Found
    content: bytes


@dataclass(slots=True)
class _Twin:
    """A file whose bytes another file of this run has too: what becomes of that one becomes of it."""

    found: Found
    digest: str


_Result: TypeAlias = "Stored | Failure | _Twin"
_END: Any = None


class _Pipeline:
    def __init__(
        self, files: Sequence[Found], store: Store, limits: Limits, progress: Progress | None, workers: int
    ) -> None:
        self.files, self.store, self.limits, self.progress, self.workers = files, store, limits, progress, workers
        self.keys = keys()
        self.disc, self.look, self.tint = (shared_method(name, {}) for name in ("disc", "look", "tint"))
        self.to_compute: queue.Queue[list[_Read]] = queue.Queue(AHEAD)
        self.to_write: queue.Queue[list[_Result]] = queue.Queue(AHEAD)
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self.waiting_bytes = 0
        self.room = threading.Condition()
        self.seen: set[str] = set()
        self.seeing = threading.Lock()
        self.twins: list[_Twin] = []
        self.not_kept: dict[str, PictureError] = {}  # digest → why it is not even remembered as broken
        self.result = Extraction()

    def run(self) -> Extraction:
        """Start the threads, write here, and hand back what became of the files."""
        threads = [threading.Thread(target=self._guarded, args=(self._read,), name="lookalike-read", daemon=True)]
        threads += [
            threading.Thread(target=self._guarded, args=(self._compute,), name=f"lookalike-{number}", daemon=True)
            for number in range(self.workers)
        ]
        try:
            for thread in threads:
                thread.start()
            self._write()
        finally:
            self.stop.set()
            with self.room:
                self.room.notify_all()
            for thread in threads:
                if thread.is_alive():
                    thread.join()
        if self.error is not None:
            raise self.error
        self._settle_twins()
        return self.result

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 – whatever it is, the caller must hear of it
            self.error = self.error or error
            self.stop.set()

    def _put(self, to: queue.Queue[Any], item: Any) -> bool:
        while not self.stop.is_set():
            try:
                to.put(item, timeout=0.2)
                return True
            except queue.Full:
                continue
        return False

    def _get(self, source: queue.Queue[Any]) -> Any:
        while not self.stop.is_set():
            try:
                return source.get(timeout=0.2)
            except queue.Empty:
                continue
        return _END

    # reading

    def _read(self) -> None:
        batch: list[_Read] = []
        failed: list[_Result] = []
        size = 0
        for found in self.files:
            try:
                batch.append(_Read(*read_found(found, self.limits)))
            except PictureError as error:
                failed.append(Failure.of(error))
                continue
            self._wait_for_room(len(batch[-1].content))
            size += len(batch[-1].content)
            if len(batch) == BATCH or size >= BATCH_BYTES:
                if not self._put(self.to_compute, batch):
                    return
                batch, size = [], 0
        if failed:
            self._put(self.to_write, failed)
        if batch:
            self._put(self.to_compute, batch)
        for _ in range(self.workers):
            self._put(self.to_compute, _END)

    def _wait_for_room(self, more: int) -> None:
        with self.room:
            while self.waiting_bytes > AHEAD_BYTES and not self.stop.is_set():
                self.room.wait(0.2)
            self.waiting_bytes += more

    # computing

    def _compute(self) -> None:
        while (batch := self._get(self.to_compute)) is not _END:
            done = self._features(batch)
            with self.room:
                self.waiting_bytes -= sum(len(read.content) for read in batch)
                self.room.notify_all()
            if not self._put(self.to_write, done):
                return
        self._put(self.to_write, _END)

    def _features(self, batch: list[_Read]) -> list[_Result]:
        """One result a file, in order; pictures are decoded one at a time, and only the network takes them together."""
        done: list[_Result] = []
        squeezed: list[Pixels] = []
        features: list[dict[str, bytes]] = []
        opened = deque(map(self._opened, batch))
        complete = self._complete([picture.digest for picture in opened if isinstance(picture, Picture)])
        for read in batch:
            picture = opened.popleft()  # and gone with what was decoded before the next one is
            if isinstance(picture, PictureError):
                done.append(self._failed(read, picture))
                continue
            row = PictureRow(picture.format, *picture.original_size)
            try:
                if self._is_met(picture.digest):
                    done.append(_Twin(read.found, picture.digest))
                elif picture.digest in complete:
                    done.append(Stored(read.found, picture.digest, row))
                else:
                    seen = proposing().squeezed(picture)
                    packed = {
                        self.keys["disc"]: pack(self.disc.extract([picture])[0].astype(KEPT_AS)),
                        self.keys["look"]: pack(self.look.extract([picture])[0]),
                        self.keys["tint"]: pack(self.tint.extract([picture])[0]),
                    }
                    squeezed.append(seen)
                    features.append(packed)
                    done.append(Stored(read.found, picture.digest, row, packed))
            except PictureError as error:
                done.append(self._failed(read, error))
        if squeezed:
            vectors, grids = vectors_and_cells(np.stack(squeezed))
            for packed, vector, grid in zip(features, vectors, grids, strict=True):
                packed[self.keys["embedding"]] = pack(vector.astype(KEPT_AS))
                packed[self.keys["cells"]] = pack(grid)
        return done

    def _opened(self, read: _Read) -> Picture | PictureError:
        try:
            return read_encoded(read.content, read.found.path, self.limits)
        except PictureError as error:
            return error

    def _complete(self, digests: list[str]) -> set[str]:
        """Those of which nothing is missing: no damaged row, no method with a new version. One question for a batch."""
        known = list(self.store.pictures(digests))
        if not known:
            return set()
        return set(known).difference(*(self.store.missing(key, known) for key in self.keys.values()))

    def _is_met(self, digest: str) -> bool:
        """Whether another file of this run has these bytes, and was first."""
        with self.seeing:
            if digest in self.seen:
                return True
            self.seen.add(digest)
            return False

    def _failed(self, read: _Read, error: PictureError) -> Stored | Failure:
        """A broken picture is remembered; what another limit or an extra would mend is tried again next time."""
        digest = hashlib.sha256(read.content).hexdigest()
        if not isinstance(error, DecodeFailed):
            self.not_kept[digest] = error
            return Failure.of(error)
        return Stored(read.found, digest, PictureRow("", 0, 0, error.kind, LookalikeError.__str__(error)))

    # writing

    def _write(self) -> None:
        ended = done = 0
        while ended < self.workers:
            rows = self._get(self.to_write)
            if rows is _END:
                if self.stop.is_set():
                    break
                ended += 1
                continue
            self._keep(rows)
            done += len(rows)
            if self.progress is not None:
                self.progress("reading", done, len(self.files))

    def _keep(self, rows: list[_Result]) -> None:
        stored = [row for row in rows if isinstance(row, Stored)]
        self.result.failures += [row for row in rows if isinstance(row, Failure)]
        self.twins += [row for row in rows if isinstance(row, _Twin)]
        self.store.add(stored)
        for row in stored:
            assert row.found is not None
            self._tell(row.found, row.digest, row.picture)

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


def known_failure(path: str, row: PictureRow) -> Failure:
    """The failure of a file whose bytes are known to be broken."""
    assert row.failure_kind is not None
    return _failure(path, row.failure_kind, row.failure_reason or "")


def not_in_store(path: str) -> Failure:
    """The failure of a file whose picture was kept and is gone: something else emptied the store meanwhile."""
    return _failure(path, "StoreError", "the store no longer has it; run again")


def _failure(path: str, kind: str, reason: str) -> Failure:
    return Failure(path, kind, f"{printable(path)}: {reason}")
