"""Work side by side: the threads that share one comparison, and results in order from any pool."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")

_lock = threading.Lock()
_pool: ThreadPoolExecutor | None = None


def both(first: Callable[[], T], second: Callable[[], U]) -> tuple[T, U]:
    """Run two pieces of work side by side, the first in this thread, and wait for both.

    Neither may call :func:`both` itself: a pool whose threads all wait for it would never end.

    >>> both(lambda: 1, lambda: 2)
    (1, 2)
    """
    other = _threads().submit(second)
    try:
        ours = first()
    except BaseException:
        if not other.cancel():
            wait([other])
        raise
    return ours, other.result()


def in_order(pool: Executor, work: Callable[[T], U], pieces: Iterable[T], ahead: int) -> Generator[U]:
    """``work`` on every piece, results in order, at most ``ahead`` pieces begun before the caller takes the first.

    >>> with ThreadPoolExecutor(2) as pool:
    ...     list(in_order(pool, len, ["a", "bc"], 4))
    [1, 2]
    """
    waiting: deque[Future[U]] = deque()
    try:
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _threads() -> ThreadPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(2, os.cpu_count() or 2), thread_name_prefix="lookalike")
        return _pool


def _after_fork() -> None:
    """A forked child has no threads: begin again, with a lock that nobody holds."""
    global _lock, _pool
    _lock, _pool = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
