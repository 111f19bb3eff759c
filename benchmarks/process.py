"""What a whole process costs, by the clock, of the processor and in memory."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took; NaN where the system does not tell.

    Attributes:
        seconds: by the clock.
        processor: seconds of all cores together.
        peak_mib: most memory that it and the processes it started held at one time: what they share is counted once
            where the system tells (Linux, looked at ten times a second), else that of the largest of them. Never less
            than the script itself holds from which the process was forked.
    """

    seconds: float
    processor: float = math.nan
    peak_mib: float = math.nan


class TooLong(Exception):
    """A process was ended because it took longer than it was given."""


def environment(bytecode: str) -> dict[str, str]:
    """Ours, with the checkout first, so that it is this code that is measured even where another is installed.

    Args:
        bytecode: folder for compiled modules; the first process fills it, whatever was compiled elsewhere or not.
    """
    path = os.pathsep.join(filter(None, (str(PROJECT / "src"), os.environ.get("PYTHONPATH"))))
    variables = {**os.environ, "PYTHONPATH": path, "PYTHONPYCACHEPREFIX": bytecode}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    return variables


def run(command: Sequence[str], variables: Mapping[str, str], limit: float | None = None) -> Cost:
    """The cost of a process that must succeed; what it prints is lost, what it complains of is not.

    Args:
        command: program and arguments.
        variables: its environment.
        limit: seconds after which it is ended, with all processes that it started.

    Raises:
        TooLong: it was ended.
        SystemExit: it failed.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, env=dict(variables), stdout=subprocess.DEVNULL, start_new_session=True)
    ended = threading.Event()
    timer = threading.Timer(limit or 0, _end, (process.pid, ended))
    if limit is not None:
        timer.start()
    try:
        cost = _wait(process, start)
    except BaseException:
        _end(process.pid, ended)
        raise
    finally:
        timer.cancel()
    if ended.is_set():
        raise TooLong(f"{' '.join(command)} took longer than {limit} s")
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} left with code {process.returncode}")
    return cost


def _end(pid: int, ended: threading.Event) -> None:
    ended.set()
    with suppress(ProcessLookupError):  # it has just ended by itself
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:  # Windows
            os.kill(pid, signal.SIGTERM)


def _wait(process: subprocess.Popen[bytes], start: float) -> Cost:
    if not hasattr(os, "wait4"):  # Windows
        process.wait()
        return Cost(time.perf_counter() - start)
    together = _Together(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - start
    together.ended.set()
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss counts bytes there, KiB elsewhere
    return Cost(taken, usage.ru_utime + usage.ru_stime, max(usage.ru_maxrss / unit, together.most_kib / 2**10))


class _Together(threading.Thread):
    """Looks now and then at the memory of a process and of all that it started."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.most_kib, self.ended = pid, 0, threading.Event()
        if Path("/proc/self/smaps_rollup").exists():
            self.start()

    def run(self) -> None:
        while not self.ended.wait(0.1):
            self.most_kib = max(self.most_kib, sum(map(_share_kib, _family(self.pid))))


def _family(pid: int) -> list[int]:
    children: list[str] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += (task / "children").read_text().split()
    return [pid, *(each for child in children for each in _family(int(child)))]


def _share_kib(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0
