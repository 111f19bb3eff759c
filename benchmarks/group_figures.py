"""The figures that grouping should reach, and whether it does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from group_score import Verdict
from report import reached
from timing import median, ratio

SURE = (
    *("JPEG q10-30", "resize to a half", "crop to 80 %", "crop to 50 %", "flip", "vertical flip", "quarter turn"),
    *("shift", "blur", "grey"),
)
"""Edits of photos that hardly ever may be missed."""

SECONDS = {
    ("photos", "default"): 12.0,
    ("photos", "quick"): 9.0,
    ("catalogue", "default"): 30.0,
    ("catalogue", "quick"): 10.0,
    ("photos", "again"): 1.5,
    ("catalogue", "again"): 1.5,
    ("photos", "one new"): 2.0,
    ("catalogue", "one new"): 2.0,
}
"""Whole processes on two cores: folder and run → at most so many seconds."""

PEAK_MIB = 800 * 1e6 / 2**20

TIMES_FASTER = {"phash": 1.0, "cnn": 10.0}
"""Other tool → the default run is to be at least so many times faster, in the same run."""

Line = tuple[str, str, str, str]
"""What, measured, to reach, whether."""


def speed(kind: str, seconds: dict[str, list[float]], peaks: dict[str, float]) -> Iterator[Line]:
    """Lines on the time and the memory of every run of one folder."""
    for (folder, run), limit in SECONDS.items():
        if folder == kind and run in seconds:
            taken = median(seconds[run])
            yield f"{run}, seconds", f"{taken:.2f}", f"≤ {limit:g}", reached(taken <= limit)
    for run, peak in peaks.items():
        yield f"{run}, peak MiB", f"{peak:.0f}", f"≤ {PEAK_MIB:.0f}", reached(peak <= PEAK_MIB)
    for tool, times in TIMES_FASTER.items():
        if kind == "photos" and len(seconds.get(tool, ())) == len(seconds.get("default", ())) > 0:
            faster = ratio(seconds[tool], seconds["default"])
            yield f"times faster than {tool}", f"{faster:.1f}", f"≥ {times:g}", reached(faster >= times)


def accuracy(kind: str, run: str, verdict: Verdict) -> Iterator[Line]:
    """Lines on what one run found; none for runs that promise nothing."""
    if kind == "catalogue" and run == "default":
        yield _least("default, precision", verdict.precision, 0.995)
        yield from (
            _least(f"default, recall: {edit}", verdict.recall([edit]), 0.95) for edit in sorted(verdict.planted)
        )
    if kind == "photos" and run == "default":
        yield _least("default, precision", verdict.precision, 0.998)
        yield _least("default, recall but pasting", verdict.recall(verdict.all_but_pasting), 0.97)
        yield from (_least(f"default, recall: {edit}", verdict.recall([edit]), 0.99) for edit in SURE)
    if kind == "photos" and run == "thorough":
        yield _least("thorough, precision", verdict.precision, 0.998)
        yield _least("thorough, recall but pasting", verdict.recall(verdict.all_but_pasting), 0.98)
        yield _least("thorough, recall: pasted small", verdict.recall(["pasted small"]), 0.7)


def rows(kind: str, lines: Iterable[Line]) -> list[dict[str, Any]]:
    """The same as rows for the results."""
    return [
        {"folder": kind, "what": what, "is": now, "limit": limit, "reached": word} for what, now, limit, word in lines
    ]


HEAD: Sequence[str] = ("what", "is", "to reach", "")


def _least(what: str, share: float, least: float) -> Line:
    return what, f"{100 * share:.2f} %", f"≥ {100 * least:g} %", reached(share >= least)
