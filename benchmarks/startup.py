"""What starting costs: the import, one comparison as a whole process, memory, and the size of the wheel.

    python benchmarks/startup.py

Every figure comes from fresh processes, as a shell would start them. Files are in the system's cache, since that cannot
be emptied fairly everywhere, and bytecode is compiled, as it is after an installation by pip. Processor seconds are
shown beside the clock's: they tell what a busy machine hides.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pairs_1000
from process import PROJECT, environment, run
from report import reached, table, write
from timing import median

HEAVY = ("cv2", "onnxruntime", "skimage", "torch", "scipy", "numpy", "PIL", "httpx", "rich", "typer")
FORBIDDEN = ("cv2", "onnxruntime", "skimage", "torch")

IMPORT_SECONDS, COMPARE_SECONDS, WHEEL_MIB = 0.15, 1.2, 25

_IMPORT = """
import json, sys, time
start = time.perf_counter()
import lookalike
seconds = time.perf_counter() - start
print(json.dumps([seconds, [name for name in sys.argv[1:] if name in sys.modules]]))
"""


def import_time(runs: int, variables: Mapping[str, str]) -> dict[str, Any]:
    """``import lookalike`` in fresh processes: the import alone, and what it brought in."""
    seconds, brought = [], set()
    for _ in range(runs + 1):
        made = subprocess.run(
            [sys.executable, "-c", _IMPORT, *HEAVY], env=dict(variables), capture_output=True, text=True, check=True
        )
        taken, modules = json.loads(made.stdout)
        seconds.append(taken)
        brought |= set(modules)
    measured = median(seconds[1:])  # the first compiles
    clean = not brought & set(FORBIDDEN)
    return {
        "what": "import lookalike",
        "seconds": measured,
        "least": min(seconds[1:]),
        "brings": sorted(brought),
        "limit": IMPORT_SECONDS,
        "reached": measured <= IMPORT_SECONDS and clean,
    }


def process_time(
    what: str, arguments: list[str], runs: int, variables: Mapping[str, str], limit: float | None = None
) -> dict[str, Any]:
    """A command as a whole process: seconds by the clock and of the processor, and peak memory."""
    run([sys.executable, *arguments], variables)  # compiles
    costs = [run([sys.executable, *arguments], variables) for _ in range(runs)]
    measured = median([cost.seconds for cost in costs])
    return {
        "what": what,
        "seconds": measured,
        "least": min(cost.seconds for cost in costs),
        "processor_seconds": median([cost.processor for cost in costs]),
        "peak_mib": median([cost.peak_mib for cost in costs]),
        "limit": limit,
        "reached": None if limit is None else measured <= limit,
    }


def wheel_size() -> dict[str, Any]:
    """Size of the wheel, and its largest files; the reason where it cannot be built here."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", folder, str(PROJECT)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if not wheels:
            said = [line.strip() for line in made.stderr.splitlines() if line.strip()]
            why = next((line for line in said if "Error" in line), said[-1] if said else "no reason given")
            return {"what": "wheel", "skipped": why}
        size = wheels[0].stat().st_size / 2**20
        with zipfile.ZipFile(wheels[0]) as archive:
            files = sorted(archive.infolist(), key=lambda item: -item.compress_size)[:3]
        largest = {item.filename: item.compress_size / 2**20 for item in files}
    return {"what": "wheel", "mib": size, "largest": largest, "limit": WHEEL_MIB, "reached": size <= WHEEL_MIB}


def processes(runs: int, folder: Path) -> list[dict[str, Any]]:
    """The import, and whole processes, the bare interpreter and its heaviest imports among them for comparison."""
    variables = environment(str(folder / "bytecode"))
    rows = [import_time(runs, variables)]
    for what, arguments in (
        ("python -c pass", ["-c", "pass"]),
        ("python -c 'import numpy, PIL.Image, cv2, onnxruntime'", ["-c", "import numpy, PIL.Image, cv2, onnxruntime"]),
        ("lookalike --help", ["-m", "lookalike", "--help"]),
    ):
        rows.append(process_time(what, arguments, runs, variables))
    for pair in pairs_1000.make(folder):
        if pair.relation in {"copy", "crop to 80 %", "different"}:
            command = ["-m", "lookalike", "compare", str(pair.a), str(pair.b)]
            what = f"lookalike compare, {pair.picture}, {pair.relation}"
            rows.append(process_time(what, command, runs, variables, COMPARE_SECONDS))
    return rows


def main() -> None:
    """Measure, print, write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9, help="processes of each kind")
    parser.add_argument("--no-wheel", action="store_true", help="do not build the wheel")
    parser.add_argument("--no-rows", action="store_true", help="print only, keep the stored rows as they are")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = processes(asked.runs, Path(folder))
    lines = []
    for row in rows:
        limit = "" if row["limit"] is None else f"≤ {row['limit']} s: {reached(row['reached'])}"
        times = (f"{row[key]:.3f}" if key in row else "" for key in ("seconds", "least", "processor_seconds"))
        lines.append([row["what"], *times, f"{row['peak_mib']:.0f}" if "peak_mib" in row else "", limit])
    head = ["what", "seconds, median", "at best", "processor", "peak MiB", "to reach"]
    table("Fresh processes", head, lines)
    print(f"\nimport lookalike brings, of {', '.join(HEAVY)}: {', '.join(rows[0]['brings']) or 'none'}")
    if not asked.no_wheel:
        wheel = wheel_size()
        rows.append(wheel)
        if "skipped" in wheel:
            print(f"wheel: skipped, {wheel['skipped']}")
        else:
            print(f"wheel: {wheel['mib']:.2f} MiB ({reached(wheel['reached'])}: {WHEEL_MIB} MiB); largest:")
            for name, mib in wheel["largest"].items():
                print(f"  {mib:6.2f} MiB  {name}")
    if not asked.no_rows:
        write("startup", rows, {"runs": asked.runs})


if __name__ == "__main__":
    main()
