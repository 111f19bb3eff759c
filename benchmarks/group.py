"""A folder, every picture against every other: how long it takes, what is found, and what other tools do.

    python benchmarks/group.py --python .venv-others/bin/python          # makes both folders, runs everything once
    python benchmarks/group.py --photos /tmp/photos --catalogue /tmp/catalogue --repeats 3
    python benchmarks/group.py --photos /tmp/photos --tools none --no-rows

Every run is a whole process with a store of its own: cold, the same again, with one new picture, and cold in the other
modes. --python names an interpreter whose environment has the other tools (imagededup, ImageHash, difPy); those that it
has take turns with ours. Files are in the system's cache. What the first round found is judged by group_score.py.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import group_catalogue
import group_figures
import group_photos
from data import folder_or_leave
from group_score import Verdict, judge, read_pairs
from group_tools import TOOLS
from group_truth import PICTURES, Truth
from PIL import Image, ImageOps
from process import Cost, TooLong, environment, run
from report import table, write
from timing import median

THRESHOLD = 0.9

TOOL_SCRIPT = Path(__file__).with_name("group_tools.py")


@dataclass
class Bench:
    """One made folder, and what was measured on it.

    Attributes:
        kind: ``"photos"`` or ``"catalogue"``.
        truth: what is known about its pictures.
        pictures: a copy of the pictures, to which one may be added.
        scratch: where stores and pairs lie.
        variables: environment of our processes.
        costs: name of a run → what it took, round by round.
        verdicts: name of a run → what it found in the first round.
        notes: name of a run → what must be said about it.
    """

    kind: str
    truth: Truth
    pictures: Path
    scratch: Path
    variables: dict[str, str]
    costs: dict[str, list[Cost]] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def ours(self, name: str, store: Path, *options: str, judged: bool = True) -> Path:
        """One process of ours; returns the file of pairs."""
        pairs = self.scratch / f"{name}.jsonl"
        settings = ["--threshold", str(THRESHOLD), "--json", str(pairs), "--store", str(store), "--quiet", *options]
        command = [sys.executable, "-m", "lookalike", "group", str(self.pictures), *settings]
        self.costs.setdefault(name, []).append(run(command, self.variables))
        if judged and name not in self.verdicts:
            self.verdicts[name] = judge(self.truth, read_pairs(pairs, THRESHOLD))
        return pairs

    def default_again_and_new(self, number: int) -> None:
        """A cold run, the same again, and again with one picture more: a mirror image of one that is there."""
        store = self.scratch / f"default-{number}.sqlite3"
        self.ours("default", store)
        self.ours("again", store)
        old = sorted(self.pictures.iterdir())[number]
        new = self.pictures / "new.jpg"
        with Image.open(old) as image:
            ImageOps.mirror(image.convert("RGB")).save(new, quality=90)
        found = read_pairs(self.ours("one new", store, judged=False), THRESHOLD)
        new.unlink()
        self.notes["one new"] = "found" if (old.name, new.name) in found else "NOT FOUND"

    def mode(self, name: str, number: int) -> None:
        """A cold run in another mode."""
        self.ours(name, self.scratch / f"{name}-{number}.sqlite3", f"--{name}")

    def other(self, tool: str, python: Path, limit: float, _: int) -> None:
        """Another tool; one that took too long, or failed, is not run again and ends nothing."""
        if "not finished" in self.notes.get(tool, ""):
            return
        pairs = self.scratch / f"{tool}.jsonl"
        command = [str(python), str(TOOL_SCRIPT), tool, str(self.pictures), "--pairs", str(pairs)]
        try:
            self.costs.setdefault(tool, []).append(run(command, os.environ, limit))
        except TooLong:
            self.notes[tool] = f"over {limit:.0f} s, not finished"
            return
        except SystemExit as error:
            self.notes[tool] = f"not finished: {error}"
            return
        if tool not in self.verdicts:
            with pairs.open(encoding="utf-8") as file:
                self.notes[tool] = json.loads(file.readline())["note"]
            self.verdicts[tool] = judge(self.truth, read_pairs(pairs, 0.0))


def installed(python: Path | None) -> dict[str, str]:
    """The other tools that this interpreter has, with their versions."""
    if python is None:
        return {}
    command = [str(python), str(TOOL_SCRIPT), "--installed"]
    found: dict[str, str] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def measure(bench: Bench, modes: list[str], tools: list[str], asked: argparse.Namespace) -> None:
    """All rounds; each starts with another rival."""
    rivals: list[Callable[[int], None]] = [bench.default_again_and_new]
    rivals += [partial(bench.mode, mode) for mode in modes]
    rivals += [partial(bench.other, tool, asked.python, asked.limit) for tool in tools]
    for number in range(asked.repeats):
        start = number % len(rivals)
        for rival in rivals[start:] + rivals[:start]:
            rival(number)


def report(bench: Bench, versions: dict[str, str]) -> list[dict[str, Any]]:
    """Print the tables of one folder; returns its rows."""
    rows, lines = [], []
    for name, costs in bench.costs.items():
        seconds = [cost.seconds for cost in costs]
        peak = median([cost.peak_mib for cost in costs])
        called = f"{TOOLS[name][0]} {versions[name]}" if name in TOOLS else f"lookalike, {name}"
        verdict, note = bench.verdicts.get(name), bench.notes.get(name, "")
        row = {"folder": bench.kind, "run": called, "seconds": seconds, "peak_mib": peak, "note": note}
        row["processor_seconds"] = [cost.processor for cost in costs]
        cells = [f"{median(seconds):.2f}", f"{min(seconds, default=float('nan')):.2f}", f"{peak:.0f}"]
        if verdict is not None and verdict.relations:
            row |= verdict.to_dict()
            cells += [f"{100 * verdict.recall(verdict.all_but_pasting):.1f}", f"{100 * verdict.precision:.2f}"]
            cells += [str(verdict.false), str(verdict.doubtful)]
        else:
            cells += [""] * 4
        rows.append(row)
        lines.append([called, *cells, note])
    head = ["run", "seconds", "at best", "peak MiB", "recall, %", "precision, %", "false", "doubtful", ""]
    table(f"{bench.kind}: {len(bench.truth.pictures)} pictures, {len(bench.truth.planted)} planted pairs", head, lines)

    kinds = sorted({kind for verdict in bench.verdicts.values() for kind in verdict.planted})
    judged = {name: verdict for name, verdict in bench.verdicts.items() if verdict.relations}
    recalls = [[kind, *(f"{100 * verdict.recall([kind]):.1f}" for verdict in judged.values())] for kind in kinds]
    table(f"{bench.kind}: recall of each edit, %", ["edit", *judged], recalls)

    seconds_of = {name: [cost.seconds for cost in costs] for name, costs in bench.costs.items() if costs}
    ours = {name: median([c.peak_mib for c in costs]) for name, costs in bench.costs.items() if name not in TOOLS}
    figures = [*group_figures.speed(bench.kind, seconds_of, ours)]
    for name, verdict in bench.verdicts.items():
        figures += group_figures.accuracy(bench.kind, name, verdict)
    table(f"{bench.kind}: figures to reach", group_figures.HEAD, figures)
    return rows + group_figures.rows(bench.kind, figures)


def folders(asked: argparse.Namespace, scratch: Path) -> dict[str, Path]:
    """The made folders: those that were named; where none was, both are made."""
    named = {"photos": asked.photos, "catalogue": asked.catalogue}
    if any(named.values()):
        return {kind: path for kind, path in named.items() if path}
    root = folder_or_leave()
    print("making two folders of 10,000 pictures …", flush=True)
    group_photos.make(root, scratch / "photos", count=10_000, edits=2_000, side=128, seed=asked.seed)
    group_catalogue.make(
        root, scratch / "catalogue", count=10_000, edits=1_530, side=128, bestsellers=78, colours=80, seed=asked.seed
    )
    return {kind: scratch / kind for kind in named}


def main() -> None:
    """Measure, print, write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="folder that group_photos.py made")
    parser.add_argument("--catalogue", type=Path, help="folder that group_catalogue.py made")
    parser.add_argument("--repeats", type=int, default=1, help="rounds")
    parser.add_argument("--modes", default="quick,thorough", help="modes besides the default one; none for none")
    parser.add_argument("--python", type=Path, help="interpreter of an environment that has other tools")
    parser.add_argument("--tools", default=",".join(TOOLS), help="which of them; none for none")
    parser.add_argument("--limit", type=float, default=300, help="seconds that another tool is given")
    parser.add_argument("--seed", type=int, default=0, help="of the folders, where they are made")
    parser.add_argument("--no-rows", action="store_true", help="print only, keep the stored rows as they are")
    asked = parser.parse_args()
    versions = installed(asked.python)
    tools = [name for name in asked.tools.split(",") if name in versions]
    modes = [name for name in asked.modes.split(",") if name in {"quick", "thorough"}]
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        variables = environment(str(Path(scratch) / "bytecode"))
        run([sys.executable, "-m", "lookalike", "group", "--help"], variables)  # compiles
        for kind, made in folders(asked, Path(scratch)).items():
            here = Path(scratch) / f"{kind}-runs"
            pictures = Path(shutil.copytree(made / PICTURES, here / PICTURES))
            bench = Bench(kind, Truth(made), pictures, here, variables)
            measure(bench, modes, tools, asked)
            rows += report(bench, versions)
    if not asked.no_rows:
        write("group", rows, {"repeats": asked.repeats, "threshold": THRESHOLD, "tools": versions, "seed": asked.seed})


if __name__ == "__main__":
    main()
