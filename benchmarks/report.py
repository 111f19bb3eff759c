"""How every benchmark reports: a table on the terminal, and raw rows with the machine they were made on."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"

_PACKAGES = ("numpy", "pillow", "opencv-python-headless", "onnxruntime", "ImageHash", "scikit-image")


def environment() -> dict[str, Any]:
    """What figures depend on: processor, cores, Python, versions of the packages, day."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "day": datetime.now(UTC).date().isoformat(),
    }


def write(name: str, rows: Iterable[Mapping[str, Any]], settings: Mapping[str, Any] | None = None) -> Path:
    """Write ``results/NAME.jsonl`` anew: first the environment and the settings of the run, then one row a line."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.jsonl"
    head = {"benchmark": name, **environment(), "settings": dict(settings or {})}
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in (head, *rows):
            file.write(json.dumps(rounded(row), ensure_ascii=False) + "\n")
    print(f"\nrows written to {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")
    return path


def rounded(value: Any) -> Any:
    """``value`` with all its floats cut to five significant digits, so that rows stay small and readable."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    return value


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table with aligned columns."""
    texts = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(head))]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in texts)
    lines = ["| " + " | ".join(cells) + " |" for cells in padded]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print(f"\n{title}\n")
    print("\n".join(lines), flush=True)


def reached(yes: bool) -> str:
    """How a table says whether a figure was reached."""
    return "reached" if yes else "MISSED"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
