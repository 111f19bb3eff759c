"""Pictures described on a cluster by Ray, kept as numbered Parquet files, and put into any index from there.

The work is that of one machine, :func:`lookalike.catalogue.recipe.describe`, and so are its results, bit for bit. Here
entries are split into partitions; actors on the nodes read the pictures of one partition after another and describe
them; here again every partition is written as one file, whole or not at all. A run that was stopped goes on with the
partitions that have no file yet, and only this machine needs to reach the files.

The nodes need ``lookalike`` (any extras for formats and object stores too), Ray and Python in the versions of this
machine, and need to reach the pictures under the very names that the entries have.

Actors of Ray's core, and not a ``Dataset``: Ray Data does not run over ``ray://``, and work that a dead node had taken
on waits there until another actor is done with everything else.
"""

from __future__ import annotations

import itertools
import logging
import os
import re
import socket
import time
import warnings
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from lookalike.catalogue.parts import (
    FAILED,
    MARK,
    Extracted,
    Parts,
    Piece,
    Progress,
    load_into,
    name_of,
    pieces,
    salt,
)
from lookalike.catalogue.worker import Worker
from lookalike.errors import IndexMismatch, LookalikeError, UsageError, WorkerLost, printable
from lookalike.optional import need

if TYPE_CHECKING:
    from lookalike.catalogue.entries import Entry
    from lookalike.catalogue.recipe import Recipe
    from lookalike.images.limits import Limits

__all__ = ["Extracted", "connected", "fill_on_cluster", "load_into"]

log = logging.getLogger(__name__)

PARTITION = 1000
"""Pictures in a file: seconds of work, which is what a lost node costs, and some megabytes."""

CAREFUL = 1
"""Once a partition has ended this many actors, its pictures are decoded in processes that may die instead."""

MOST_LOST = 6
"""Actors that one partition may end: of memory, of nodes that go. After that something is wrong with the cluster."""

MOST_BAD_STARTS = 3
"""Actors in a row that cannot even start."""

ATTEMPTS = 3
"""How often a cluster that is there is asked: a busy one does not always get its part of a connection started."""

PATIENCE = 60.0
"""Seconds without any actor at work before that is said."""


def fill_on_cluster(
    entries: Iterable[Entry],
    recipe: Recipe,
    out: str | os.PathLike[str],
    *,
    address: str,
    limits: Limits,
    actors: int = 0,
    gpus: float = 0.0,
    partition: int = PARTITION,
    retry: bool = False,
    total: int = 0,
    progress: Progress | None = None,
) -> Extracted:
    """Describe the pictures of entries on a cluster, into Parquet files; :func:`load_into` takes them from there.

    Args:
        entries: what to describe, taken as it is needed. Pictures are read on the nodes: by path, http(s) URL, or from
            an object store by fsspec (``s3://``, ``gs://`` …, see :data:`STORES`).
        recipe: how. For GPUs, its options name the providers and the 32-bit model.
        out: a folder, or any URL of fsspec. Files that are there and were made of the same entries by the same recipe
            under the same limits are left as they are; where nothing else is left to do, no cluster is asked.
        address: ``"ray://head:10001"``, ``"local"`` for a Ray on this machine alone, ``"auto"`` for the cluster of
            ``RAY_ADDRESS`` or the one that this machine belongs to. A Ray that is connected already is taken as it is.
        limits: what a picture may cost.
        actors: processes that work; 0 for one a core, or as many as ``gpus`` go into the cluster's.
        gpus: GPUs for each of them, such as 0.5; 0 for none.
        partition: entries in a file.
        retry: also compute partitions anew in which pictures failed.
        total: how many entries there are, where that is known.
        progress: told how many entries are done.

    Raises:
        MissingExtra: Ray, or what reads a store, is not installed, here or on a node.
        LookalikeError: the cluster cannot be reached, or has no room.
        IndexMismatch: the nodes have another version of this package or of the model.
        WorkerLost: actors end over and over.
        OutputError: the files cannot be written.
        UsageError: an entry that no index takes.
    """
    if partition < 1 or actors < 0 or gpus < 0:
        raise UsageError("a partition has 1 entry or more, and actors and gpus are not below 0")
    parts = Parts(out)
    run = _Run(parts, pieces(entries, partition, salt(recipe, limits)), retry, total, progress)
    left = run.left()
    first = next(left, None)
    if first is not None:
        with connected(address) as ray:
            hands = _Hands(ray, recipe, limits, actors, gpus)
            with closing(hands.work(itertools.chain([first], left))) as done:
                for piece, content in done:
                    run.keep(piece, content)
    names = tuple(name_of(number) for number in range(run.pieces))
    return Extracted(parts.named, names, run.done, run.computed, run.failed)


class _Run:
    """How far it has come, and which partitions are still to be computed."""

    def __init__(
        self, parts: Parts, pieces: Iterator[Piece], retry: bool, total: int, progress: Progress | None
    ) -> None:
        self.parts, self.stream, self.retry, self.total, self.progress = parts, pieces, retry, total, progress
        self.pieces = self.done = self.computed = self.failed = 0

    def left(self) -> Iterator[Piece]:
        for piece in self.stream:
            self.pieces += 1
            there = self.parts.marks(name_of(piece.number))
            failed = int(there.get(FAILED, 0))
            if there.get(MARK, b"").decode() != piece.fingerprint or (self.retry and failed):
                yield piece
            else:
                self._count(len(piece.rows), failed)

    def keep(self, piece: Piece, content: bytes) -> None:
        name = name_of(piece.number)
        self.parts.write(name, content)
        self.computed += len(piece.rows)
        self._count(len(piece.rows), int(self.parts.marks(name)[FAILED]))

    def _count(self, pictures: int, failed: int) -> None:
        self.done += pictures
        self.failed += failed
        if self.progress is not None:
            self.progress("describing", self.done, self.total)


class _Hands:
    """Actors that each have one partition at a time.

    One that ends is replaced, and what it had is done again by whoever is free: an actor gets work only once it has
    started, so that one for which the cluster has no room any more holds up nobody.
    """

    def __init__(self, ray: Any, recipe: Recipe, limits: Limits, count: int, gpus: float) -> None:
        self.ray, self.recipe, self.gpus = ray, recipe, gpus
        self.arguments = (recipe.method, dict(recipe.options), limits)
        self.count = count or self._room()
        self.kind = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0, max_task_retries=0)(Worker)
        self.under_way: dict[Any, tuple[Any, Piece | None]] = {}
        self.idle: list[Any] = []
        self.bad_starts = 0

    def _room(self) -> int:
        there = self.ray.cluster_resources()
        what = "GPU" if self.gpus else "CPU"
        room = int(there.get(what, 0) / (self.gpus or 1))
        if not room:
            raise LookalikeError(
                f"the cluster has no {what} for this", remedy="say how many actors, where it grows as it is needed"
            )
        return room

    def work(self, pieces: Iterator[Piece]) -> Generator[tuple[Piece, bytes]]:
        """Every piece with the content of its file, in the order they are done."""
        waiting: deque[Piece] = deque(itertools.islice(pieces, self.count))
        try:
            for _ in range(min(self.count, len(waiting))):
                self._hire()
            heard = time.monotonic()
            while True:
                waiting.extend(itertools.islice(pieces, 0 if waiting else 1))
                while self.idle and waiting:
                    hand, piece = self.idle.pop(), waiting.popleft()
                    task = hand.partition.remote(piece.rows, piece.fingerprint, piece.lost >= CAREFUL)
                    self.under_way[task] = hand, piece
                    waiting.extend(itertools.islice(pieces, 0 if waiting else 1))
                working = any(piece for _, piece in self.under_way.values())
                if not waiting and not working:
                    return
                ready, _ = self.ray.wait(list(self.under_way), num_returns=1, timeout=5)
                if ready or working:
                    heard = time.monotonic()
                elif time.monotonic() - heard > PATIENCE:
                    log.warning("nothing of the cluster is free for this; waiting")
                    heard = time.monotonic()
                for task in ready:
                    yield from self._taken(task, waiting)
        finally:
            for hand in [*self.idle, *(hand for hand, _ in self.under_way.values())]:
                self._dismiss(hand)

    def _taken(self, task: Any, waiting: deque[Piece]) -> Iterator[tuple[Piece, bytes]]:
        """What one actor has to say: it has started, it is done, or it is no more."""
        hand, piece = self.under_way.pop(task)
        errors = self.ray.exceptions
        try:
            result = self.ray.get(task)
        except errors.RayTaskError as error:
            self._dismiss(hand)
            raise _told(error) from error
        except errors.RayError as error:
            self._dismiss(hand)
            self._lost(piece, error, waiting)
            self._hire()
            return
        self.idle.append(hand)
        if piece is not None:
            yield piece, result
            return
        self.bad_starts = 0
        if result != self.recipe.space:
            raise IndexMismatch(
                "a node makes other vectors than this machine", remedy="install the same lookalike everywhere"
            )

    def _lost(self, piece: Piece | None, error: Exception, waiting: deque[Piece]) -> None:
        log.info("an actor is lost: %s", error)
        if piece is None:
            self.bad_starts += 1
            if self.bad_starts >= MOST_BAD_STARTS:
                raise LookalikeError(
                    f"no actor starts on the cluster: {_reason(error)}",
                    remedy="see that every node has the same lookalike, Ray and Python as this machine",
                ) from error
            return
        piece.lost += 1
        if piece.lost >= MOST_LOST:
            raise WorkerLost(
                f"{name_of(piece.number)} ended {piece.lost} actors: {_reason(error)}",
                remedy="see that the nodes stay up and have memory free",
            ) from error
        waiting.appendleft(piece)

    def _hire(self) -> None:
        hand = self.kind.remote(*self.arguments)
        self.under_way[hand.space.remote()] = hand, None

    def _dismiss(self, hand: Any) -> None:
        with suppress(Exception):
            self.ray.kill(hand)


def _told(error: Any) -> LookalikeError:
    """What went wrong on a node, as it would have been told here."""
    cause = error.cause
    if isinstance(cause, LookalikeError):
        return cause
    return LookalikeError(f"a node failed: {_reason(cause)}", remedy="this is a mistake of lookalike; please report it")


def _reason(error: BaseException) -> str:
    """The line of an error that says most: of Ray's, which are pages, the last that names an error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
    return printable((telling or lines[:1] or [type(error).__name__])[-1], 300)


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Ray, connected to a cluster as long as the block runs; one that is connected already stays so after it.

    Raises:
        MissingExtra: Ray is not installed.
        LookalikeError: there is no cluster, or it takes nobody of this version.
    """
    # read when Ray is imported: no word home, and nothing of its C++ half on the terminal
    for name, value in (("RAY_USAGE_STATS_ENABLED", "0"), ("RAY_BACKEND_LOG_LEVEL", "fatal")):
        os.environ.setdefault(name, value)
    ray = need("ray", extra="ray")
    if ray.is_initialized():
        yield ray
        return
    where = (os.environ.get("RAY_ADDRESS") or "auto") if address == "auto" else address
    if re.fullmatch(r"ray://[^:]+", where):
        where += ":10001"
    _knock(where)
    options: dict[str, Any] = {"include_dashboard": False} if where == "local" else {}
    with _quiet():
        for attempts_left in range(ATTEMPTS - 1, -1, -1):
            try:
                with warnings.catch_warnings(action="ignore"):
                    ray.init(where, log_to_driver=False, logging_level=logging.ERROR, **options)
                break
            except Exception as error:  # ConnectionError, RuntimeError, ValueError and errors of gRPC, by the version
                with suppress(Exception):
                    ray.shutdown()  # half a connection would be in the way of the next
                if not attempts_left or not isinstance(error, ConnectionError):
                    raise _unreachable(where, _reason(error)) from error
                time.sleep(1)
        try:
            yield ray
        finally:
            ray.shutdown()


def _knock(address: str) -> None:
    """Whether anybody is there, within seconds; Ray itself tries for half a minute and longer."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return  # auto, local
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise _unreachable(address, getattr(error, "strerror", None) or str(error)) from error


def _unreachable(address: str, why: str) -> LookalikeError:
    return LookalikeError(
        f"the Ray cluster {printable(address, 100)!r} cannot be reached: {why}",
        remedy="give ray://HEAD:10001, auto for the cluster of RAY_ADDRESS, or local for this machine",
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Ray tells of every node that goes on the standard output, where results belong, and has no option against it."""
    worker = vars(need("ray._private.worker", extra="ray"))
    before = worker.get("_worker_logs_enabled")
    if before is not None:
        worker["_worker_logs_enabled"] = False
    try:
        yield
    finally:
        if before is not None:
            worker["_worker_logs_enabled"] = before
