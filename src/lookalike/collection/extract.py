"""Files → features in the store: read, compute, write, side by side and in bounded memory.

One thread reads ahead, one a core decodes and computes, and one writes; between them are queues that hold only so
much. A bad file becomes a failure, a bug in a worker reaches the caller, and Ctrl-C keeps what is done.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.collection.packing import pack
from lookalike.collection.rows import PictureRow, Stored
from lookalike.collection.sources import read_found
from lookalike.errors import DecodeFailed, PictureError
from lookalike.features.cells import proposing, vectors_and_cells
from lookalike.images.encoded import read_encoded
from lookalike.scoring.pair import shared_method
from lookalike.types import Failure

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


_END: Any = None


class _Pipeline:
    def __init__(
        self, files: Sequence[Found], store: Store, limits: Limits, progress: Progress | None, workers: int
    ) -> None:
        self.files, self.store, self.limits, self.progress, self.workers = files, store, limits, progress, workers
        self.keys = keys()
        self.disc, self.look, self.tint = (shared_method(name, {}) for name in ("disc", "look", "tint"))
        self.to_compute: queue.Queue[list[_Read]] = queue.Queue(AHEAD)
        self.to_write: queue.Queue[list[Stored | Failure]] = queue.Queue(AHEAD)
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self.waiting_bytes = 0
        self.room = threading.Condition()
        self.seen: set[str] = set()
        self.seeing = threading.Lock()
        self.result = Extraction()

    def run(self) -> Extraction:
        """Start the threads, write here, and hand back what became of the files."""
        threads = [threading.Thread(target=self._guarded, args=(self._read,), name="lookalike-read", daemon=True)]
        threads += [
            threading.Thread(target=self._guarded, args=(self._compute,), name=f"lookalike-{number}", daemon=True)
            for number in range(self.workers)
        ]
        for thread in threads:
            thread.start()
        try:
            self._write()
        finally:
            self.stop.set()
            with self.room:
                self.room.notify_all()
            for thread in threads:
                thread.join()
        if self.error is not None:
            raise self.error
        return self.result

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # whatever it is, the caller must hear of it
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
        failed: list[Stored | Failure] = []
        for found in self.files:
            try:
                batch.append(_Read(*read_found(found, self.limits)))
                self._wait_for_room(len(batch[-1].content))
            except PictureError as error:
                failed.append(Failure.of(error))
            if len(batch) == BATCH or (batch and batch[-1].found.size > AHEAD_BYTES // 8):
                if not self._put(self.to_compute, batch):
                    return
                batch = []
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

    def _features(self, batch: list[_Read]) -> list[Stored | Failure]:
        """One result a file, in order; pictures are decoded one at a time, and only the network takes them together."""
        done: list[Stored | Failure] = []
        squeezed: list[Pixels] = []
        features: list[dict[str, bytes]] = []
        for read in batch:
            try:
                picture = read_encoded(read.content, read.found.path, self.limits)
                row = PictureRow(picture.format, *picture.original_size)
                if self._is_new(picture.digest):
                    squeezed.append(proposing().squeezed(picture))
                    packed = {
                        self.keys["disc"]: pack(self.disc.extract([picture])[0].astype(KEPT_AS)),
                        self.keys["look"]: pack(self.look.extract([picture])[0]),
                        self.keys["tint"]: pack(self.tint.extract([picture])[0]),
                    }
                    features.append(packed)
                    done.append(Stored(read.found, picture.digest, row, packed))
                else:
                    done.append(Stored(read.found, picture.digest, row))
            except PictureError as error:
                done.append(_failed(read, error))
        if squeezed:
            vectors, grids = vectors_and_cells(np.stack(squeezed))
            for packed, vector, grid in zip(features, vectors, grids, strict=True):
                packed[self.keys["embedding"]] = pack(vector.astype(KEPT_AS))
                packed[self.keys["cells"]] = pack(grid)
        return done

    def _is_new(self, digest: str) -> bool:
        with self.seeing:
            if digest in self.seen:
                return False
            self.seen.add(digest)
        return bool(self.store.missing(self.keys["embedding"], [digest]))

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

    def _keep(self, rows: list[Stored | Failure]) -> None:
        stored = [row for row in rows if isinstance(row, Stored)]
        self.result.failures += [row for row in rows if isinstance(row, Failure)]
        self.store.add(stored)
        for row in stored:
            assert row.found is not None
            self.result.found[row.found.path] = row.found
            if row.picture.failure_kind is None:
                self.result.digests[row.found.path] = row.digest
            else:
                kind, reason = row.picture.failure_kind, row.picture.failure_reason or ""
                self.result.failures.append(Failure(row.found.path, kind, reason))


def _failed(read: _Read, error: PictureError) -> Stored | Failure:
    """A broken picture is remembered; what another limit or an extra would mend is tried again next time."""
    if not isinstance(error, DecodeFailed):
        return Failure.of(error)
    digest = hashlib.sha256(read.content).hexdigest()
    return Stored(read.found, digest, PictureRow("", 0, 0, error.kind, str(error)))
