"""What every preset and method makes of labelled pictures: the figures of ``docs/accuracy.md``.

    python benchmarks/accuracy.py --store /tmp/accuracy.db      # 12 minutes; less where features are stored
    python benchmarks/accuracy.py --store /tmp/accuracy.db --scale 0.05 --no-rows        # a trial
    python benchmarks/accuracy_page.py                           # then makes the page

Pairs of the same product or not in four sets, edited copies with look-alikes beside them, retrieval, recolours, and
how long ``lookalike calibrate`` takes. Everything but the copies asks for what the default preset was fitted to; there
it is measured by rules that were fitted without the products of the pair at hand.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from accuracy_copies import copies
from accuracy_heldout import HeldOut
from accuracy_pairs import CARTONS, CLASSES, GARMENTS, ONE_PART, Asked, clothing_pairs, product_sets
from accuracy_search import CANDIDATES, RERANKED, recolours, retrieval
from accuracy_tables import (
    CATEGORY,
    COPY,
    PRODUCT,
    Wrong,
    figure,
    of_bands,
    of_edits,
    of_left_out,
    of_method,
    of_part,
    of_probability,
    of_set,
    pick,
    worst,
)
from data import folder_or_leave
from report import reached, table, write

from lookalike import compare_many
from lookalike.collection.kept import KeptFeatures
from lookalike.collection.store import Store
from lookalike.lab.contest import Contestant, Scored, contestants_of, fresh_seconds, run

PRESETS = ("auto", "fast", "semantic", "robust", "layered", "hybrid", "style", "medical")
METHODS = (
    *("phash", "dhash", "pdq", "ssim", "hsv", "palette", "embedding", "embedding:size=128"),
    *("embedding:model=efficientnet-lite0", "orb", "sift", "xfeat", "object"),
)
"""All that makes sense alone; ``style`` the method is ``style`` the preset."""

MEMORY = 2 * 2**30
Rows = list[dict[str, Any]]


class Clock:
    """Says what is done, and when it began."""

    def __init__(self) -> None:
        self.started = time.perf_counter()

    def say(self, what: str) -> None:
        """A line with the seconds since the start."""
        print(f"{time.perf_counter() - self.started:6.0f} s  {what}", flush=True)


def methods(asked: Asked, contestants: list[Contestant], features: KeptFeatures, clock: Clock) -> Rows:
    """A row for every contestant on one set."""
    rows = []
    for contestant in contestants:
        [scored] = run(asked.pairs, [contestant], store=features)
        rows += told(asked, scored, contestant.name)
        clock.say(f"{asked.name}: {contestant.name}, {1000 * scored.seconds / len(asked.pairs):.1f} ms a pair")
    return rows


def told(asked: Asked, scored: Scored, name: str) -> Rows:
    """How good scores are on a set, and on that part of the cartons that is easier."""
    if asked.name != CARTONS:
        return [of_method(asked, scored, name)]
    return [of_method(asked, scored, name), of_part(asked, scored, asked.one_part(), ONE_PART, name)]


def speed(asked: Asked, contestants: list[Contestant], features: KeptFeatures) -> Rows:
    """Rows: milliseconds for a pair of new pictures, and for one whose features are in memory; one thread."""
    rows = []
    some = [(pair.a, pair.b) for pair in asked.pairs[:: max(1, len(asked.pairs) // 60)]]
    for contestant in contestants:
        list(compare_many(some, threads=1, store=features, **contestant.request))
        started = time.perf_counter()
        list(compare_many(some, threads=1, store=features, **contestant.request))
        known = (time.perf_counter() - started) / len(some)
        new = fresh_seconds(asked.pairs, contestant)
        rows.append({"table": "speed", "name": contestant.name, "ms_new": 1000 * new, "ms_known": 1000 * known})
    return rows


def products(root: Path, held_out: HeldOut, features: KeptFeatures, asked: argparse.Namespace, clock: Clock) -> Rows:
    """Everything about pairs of the same product or not."""
    rows: Rows = []
    shipped, *others = contestants_of(PRESETS, METHODS)
    for each in product_sets(root, asked.seed, asked.scale):
        scored = held_out.score(each, features)
        clock.say(f"{each.name}: auto, products held out")
        rows += [of_set(each), *told(each, scored, "auto"), *of_bands(each, scored)]
        rows += methods(each, others, features, clock)
        if each.name == CARTONS:
            rows.append({**of_set(each.part(each.one_part())), "set": ONE_PART})
        if each.name in (CARTONS, CLASSES):
            rows.append(worst(root, each, scored, Wrong("other things", False, CATEGORY)))
            rows.append(worst(root, each, scored, Wrong("the same thing", True, CATEGORY)))
        if each.name == GARMENTS:
            rows += speed(each, [shipped, *others], features)
            clock.say("speed")
    garments = clothing_pairs(root, asked.seed, asked.scale)
    scored = held_out.score(garments, features)
    return [*rows, *of_bands(garments, scored), worst(root, garments, scored, Wrong("other things", False, PRODUCT))]


def edits(root: Path, features: KeptFeatures, asked: argparse.Namespace, clock: Clock) -> Rows:
    """Everything about edited copies."""
    shipped, *others = contestants_of(PRESETS, METHODS)
    with tempfile.TemporaryDirectory() as folder:
        pictures, negatives = (max(2, round(asked.scale * most)) for most in (24, 1000))
        bench = copies(root, Path(folder), pictures, negatives, asked.seed)
        clock.say(f"{len(bench.pairs)} pairs of copies and others")
        [scored] = run(bench.pairs, [shipped], store=features)
        clock.say("copies: auto")
        rows = [of_set(bench), *of_edits(bench, scored)]
        rows.append(worst(root, bench, scored, Wrong("copies", True, COPY)))
        rows.append(worst(root, bench, scored, Wrong("no copies", False, COPY)))
        few = round(asked.scale * 600)
        rows += methods(bench.some(few, few, asked.seed), [shipped, *others], features, clock)
    return rows


def calibrate(root: Path, asked: argparse.Namespace, pairs: int = 500) -> dict[str, Any]:
    """Row: seconds that ``lookalike calibrate`` takes on so many pairs, features stored by a run before."""
    cartons = next(each for each in product_sets(root, asked.seed) if each.name == CARTONS)
    some = cartons.some(pairs // 2, pairs - pairs // 2, asked.seed)
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        labels = Path(folder) / "pairs.csv"
        with labels.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("a", "b", "label"), *((pair.a, pair.b, pair.label) for pair in some.pairs)])
        command = [sys.executable, "-m", "lookalike", "calibrate", str(labels), "--quiet"]
        command += ["--out", str(Path(folder) / "cartons.json"), "--store", str(Path(folder) / "features.db")]
        for _ in range(2):
            started = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=os.environ)
            seconds.append(time.perf_counter() - started)
    return {"table": "calibrate", "pairs": len(some.pairs), "seconds": seconds}


def figures(rows: Rows) -> Rows:
    """The figures to reach that these rows can tell."""

    def value(measure: str, **asked: Any) -> float:
        return float(pick(rows, **asked)[measure]["value"])

    def found(name: str, how: str) -> float:
        return value("map", table="retrieval", name=name, how=how, queries="some")

    edited = pick(rows, table="edits", name="all")
    better = found("auto", RERANKED) / found(CANDIDATES, "alone") - 1
    kept = pick(rows, table="calibrate")["seconds"][1]
    return [
        figure("copies", edited["share"], least=0.97),
        figure("precision of copies", edited["precision"], least=0.998),
        figure("groceries", value("auc", table="methods", set=CLASSES, name="auto"), least=0.955),
        figure("cartons", value("auc", table="methods", set=CARTONS, name="auto"), least=0.93),
        figure("cartons, one part", value("auc", table="methods", set=ONE_PART, name="auto"), least=0.93),
        figure("retrieval", better, least=0.20),
        figure("recolours, style", value("share", table="recolours", name="style"), least=0.95),
        figure("recolours, auto", value("share", table="recolours", name="auto"), least=0.95),
        figure("calibration error", pick(rows, table="ece")["balanced"], most=0.03),
        figure("seconds of calibrate", kept, most=10.0),
    ]


def show(rows: Rows) -> None:
    """The tables."""

    def of(name: str) -> Rows:
        return [row for row in rows if row["table"] == name]

    sets = [row["set"] for row in of("sets")]
    times = {row["name"]: (f"{row['ms_new']:.0f}", f"{row['ms_known']:.1f}") for row in of("speed")}
    aucs = {(row["set"], row["name"]): f"{row['auc']['value']:.3f}" for row in of("methods")}
    names = dict.fromkeys(name for _, name in aucs)
    lines = [[name, *(aucs.get((each, name), "") for each in sets), *times.get(name, ("", ""))] for name in names]
    table("AUC, and ms a pair", ["", *sets, "new", "known"], lines)
    edited = [*of("edit"), *of("edits")]
    lines = [[row["name"], row["copies"], f"{100 * row['share']:.1f}", f"{row['least']:.2f}"] for row in edited]
    table("Copies at 0.90 or more", ["edit", "copies", "%", "least"], lines)
    table("Others", list(of("others")[0])[1:], [list(row.values())[1:] for row in of("others")])
    lines = [
        [row["name"], row["how"], row["count"], *(f"{row[each]['value']:.3f}" for each in ("map", "recall_at_1"))]
        for row in of("retrieval")
    ]
    table("Groceries, the same class", ["", "how", "queries", "mAP", "recall@1"], lines)
    lines = [
        [
            row["name"],
            f"{row['share']['value']:.3f}",
            f"{row['share_in_category']:.3f}",
            f"{row['recolours_in_band']:.2f}",
        ]
        for row in of("recolours")
    ]
    table("Recolours above other garments", ["", "all", "of one type", "recolours in their band"], lines)
    for row in [*of("bands"), *of("bins"), *of("ece"), *of("left out"), *of("calibrate")]:
        print(row)
    lines = [
        [row["what"], f"{row['value']:.4g}", f"≥ {row['least']}" if "least" in row else f"≤ {row['most']}", word(row)]
        for row in of("figures")
    ]
    table("Figures", ["what", "is", "to reach", ""], lines)


def word(row: dict[str, Any]) -> str:
    """Whether a figure was reached."""
    return reached(row["reached"])


def main() -> None:
    """Measure everything, print, keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=":memory:", help="where features are kept from run to run")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of pairs and queries")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-rows", action="store_true", help="print only, keep the stored rows as they are")
    asked = parser.parse_args()
    root = folder_or_leave()
    clock, rows = Clock(), []
    held_out = HeldOut.read(asked.seed)
    rows += [*of_probability(held_out), *of_left_out(held_out)]
    clock.say("evidence weighed without the sets")
    with Store(asked.store, limit=None) as store, KeptFeatures(store, most_bytes=MEMORY) as features:
        rows += products(root, held_out, features, asked, clock)
        rows += recolours(root, features, held_out, asked.seed)
        clock.say("recolours")
        rows += retrieval(root, features, held_out, round(asked.scale * 120), asked.seed)
        clock.say("retrieval")
        rows += edits(root, features, asked, clock)
    rows.append(calibrate(root, asked))
    clock.say("calibrate")
    rows += figures(rows)
    if not asked.no_rows:  # before anything is shown: it took long to get here
        taken = {"seconds": time.perf_counter() - clock.started, "processor_seconds": time.process_time()}
        write("accuracy", rows, {"scale": asked.scale, "seed": asked.seed, **taken})
    show(rows)


if __name__ == "__main__":
    main()
