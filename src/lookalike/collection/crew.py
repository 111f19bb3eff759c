"""Many hands: threads for a little work, processes for much.

Python runs one thread at a time, and the work on small pictures is thousands of short calls: of two threads the second
adds a third, of two processes it adds all. Processes take a quarter of a second to start, and so only work that is
worth it goes to them.
"""

from __future__ import annotations

import gc
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any, Generic, Self, TypeVar

import cv2

from lookalike.errors import WorkerLost
from lookalike.threads import in_order

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 3
"""Pieces of work that wait for every hand, so that none is ever idle; what they hold is in memory."""

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""Processes work side by side already: for a library to split its small arrays as well only costs time."""


class Lost(Generic[T]):
    """A piece of work that ended the process it was done in: a decoder that crashed, or no memory.

    Attributes:
        work: what it was.
    """

    def __init__(self, work: T) -> None:
        self.work = work


class Crew:
    """Does pieces of work side by side; a context manager.

    Args:
        size: hands; 0 for one a core.

    >>> with Crew(2) as crew:
    ...     list(crew.do(len, ["a", "bc"], much=False))
    [1, 2]
    """

    def __init__(self, size: int = 0) -> None:
        self.size = size or os.cpu_count() or 2
        self._processes: Executor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes, at once; a second time does nothing."""
        processes, self._processes = self._processes, None
        if processes is not None:
            with _quiet_interrupts(), _quiet_end():
                processes.shutdown(kill_workers=True)  # type: ignore[call-arg]  # loky's own argument

    def do(self, work: Callable[[T], R], pieces: Iterable[T], *, much: bool) -> Iterator[R]:
        """``work`` on every piece, in order, a few pieces ahead of the caller at most.

        Args:
            work: a function of a module. What it raises comes out here.
            pieces: its arguments, taken as they are needed.
            much: whether processes are worth their start; they stay for what comes after.

        Raises:
            WorkerLost: a piece ended the process that did it, also when it was alone.
        """
        for result in self.do_or_lose(work, pieces, much=much):
            if isinstance(result, Lost):
                raise WorkerLost(
                    "a process that worked on pictures ended without a word", remedy="see that memory is free"
                )
            yield result

    def do_or_lose(self, work: Callable[[T], R], pieces: Iterable[T], *, much: bool) -> Iterator[R | Lost[T]]:
        """As :meth:`do`, but a piece that ends its process gives :class:`Lost`, and the others go on."""
        if self.size < 2 or not (much or self._processes):
            yield from self._by_threads(work, pieces)
            return
        waiting: deque[tuple[T, Future[R] | None]] = deque()
        left = iter(pieces)
        try:
            while True:
                while len(waiting) < AHEAD * self.size and (piece := next(left, _END)) is not _END:
                    waiting.append((piece, self._begun(work, piece)))
                if not waiting:
                    return
                piece, begun = waiting[0]
                try:
                    if begun is None:
                        raise BrokenExecutor
                    result = begun.result()
                except BrokenExecutor:  # one of those under way did it: each once more, alone
                    self.close()
                    while waiting:
                        yield self._alone(work, waiting.popleft()[0])
                    continue
                waiting.popleft()
                yield result
        finally:
            for _, begun in waiting:
                if begun is not None:
                    begun.cancel()

    def _begun(self, work: Callable[[T], R], piece: T) -> Future[R] | None:
        """The piece under way; None where the processes are gone."""
        try:
            return self._hands().submit(work, piece)
        except BrokenExecutor:
            return None

    def _alone(self, work: Callable[[T], R], piece: T) -> R | Lost[T]:
        try:
            return self._hands().submit(work, piece).result()
        except BrokenExecutor:
            self.close()
            return Lost(piece)

    def _hands(self) -> Executor:
        if self._processes is None:
            from loky import ProcessPoolExecutor  # needs a tenth of what it saves, and only here

            self._processes = ProcessPoolExecutor(
                self.size, initializer=_begin, initargs=(os.getpid(),), env=ONE_THREAD
            )
        return self._processes

    def _by_threads(self, work: Callable[[T], R], pieces: Iterable[T]) -> Iterator[R]:
        with one_thread_a_picture(), ThreadPoolExecutor(self.size, thread_name_prefix="lookalike-crew") as threads:
            yield from in_order(threads, work, pieces, AHEAD * self.size)


_END: Any = object()


def _begin(parent: int) -> None:
    """In a process of the crew: Ctrl-C is for the one that it works for, and it goes when that one does."""
    if os.name == "posix":  # on Windows the end of the parent closes the pipes, which ends its crew
        Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    gc.set_threshold(50_000)  # nothing here hangs together in rings, and looking for them costs a fortieth of the time


def _end_with_parent(parent: int) -> None:
    """Whoever is killed cannot send its crew home."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


@contextmanager
def _quiet_interrupts() -> Iterator[None]:
    """A second Ctrl-C must not leave processes behind."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread, which gets no interrupts
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _quiet_end() -> Iterator[None]:
    """Work that was cancelled cannot be told that its process is gone, which loky takes for a fault of its own."""
    from loky import process_executor

    logger = getattr(process_executor, "LOGGER", None)  # not every version says anything
    before = getattr(logger, "disabled", False)
    if logger is not None:
        logger.disabled = True
    try:
        yield
    finally:
        if logger is not None:
            logger.disabled = before


_splitting = Lock()
_inside = [0, 0]
"""How many are inside :func:`one_thread_a_picture`, and how many threads OpenCV had before the first."""


@contextmanager
def one_thread_a_picture() -> Iterator[None]:
    """Pictures are worked on side by side: for OpenCV to split each as well only costs time."""
    with _splitting:
        if not _inside[0]:
            _inside[1] = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _inside[0] += 1
    try:
        yield
    finally:
        with _splitting:
            _inside[0] -= 1
            if not _inside[0]:
                cv2.setNumThreads(_inside[1])
