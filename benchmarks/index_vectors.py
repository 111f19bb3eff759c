"""An index of a million vectors and more: how long it takes to build, to open, to search, what it finds and needs.

    python benchmarks/index_vectors.py --work /tmp/index-bench            # all cases, about 40 minutes
    python benchmarks/index_vectors.py --work /tmp/index-bench --only exact

Every case builds its index in one process and searches it in another, through the same calls that a program would use,
a query at a time, the ten nearest of it with their ids, tags and data. Recall is against an exact search over the
vectors as they were drawn. Times are those of a process that has searched for a while; the first search is told apart.
Memory is that of the searching process after all queries, libraries included, and what it holds beyond those.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from index_made import Codes, Mixture, real_embeddings
from report import RESULTS, reached, table, write

QUERIES, NEAREST = 1000, 10


@dataclass(frozen=True)
class Case:
    """One index to build and to search.

    Attributes:
        name: what it is called.
        count, dimension: vectors, and numbers or bits in one.
        metric: ``"cosine"`` or ``"hamming"``.
        kind: how it searches; ``"auto"`` leaves it to the library.
        components: principal components in front; 0 for none.
    """

    name: str
    count: int
    dimension: int
    metric: str = "cosine"
    kind: str = "auto"
    components: int = 0


CASES = {
    case.name: case
    for case in (
        Case("exact", 100_000, 1280, kind="flat"),
        Case("pca", 100_000, 1280, kind="flat", components=128),
        Case("hundred thousand", 100_000, 1280, kind="hnsw"),
        Case("million", 1_000_000, 256),
        Case("ten million", 10_000_000, 128, kind="ivfpq"),
        Case("codes exact", 10_000_000, 256, "hamming", "flat"),
        Case("codes hashed", 10_000_000, 256, "hamming", "hashing"),
    )
}


def main() -> None:
    """Run the cases and write their rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for the indexes; up to 15 GB")
    parser.add_argument("--only", nargs="*", default=list(CASES), help="some of the cases")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    chosen.work = chosen.work.resolve()
    chosen.work.mkdir(parents=True, exist_ok=True)
    if chosen.step:
        case = CASES[chosen.only[0]]
        print(json.dumps({"build": build, "search": search}[chosen.step](case, chosen.work)))
        return
    real_embeddings(chosen.work)
    rows = []
    for name in chosen.only:
        row = asdict(CASES[name])
        for step in ("build", "search"):
            command = [sys.executable, __file__, "--work", str(chosen.work), "--only", name, "--step", step]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            row |= json.loads(done.stdout.splitlines()[-1])
        rows.append(row)
        print(name, {key: value for key, value in row.items() if key not in asdict(CASES[name])}, flush=True)
        shutil.rmtree(chosen.work / "index", ignore_errors=True)
    show(rows)
    fresh = {row["name"]: row for row in rows}
    known = {**earlier(), **fresh}
    merged = [known[name] for name in CASES if name in known]
    write("index_vectors", merged, {"queries": QUERIES, "nearest": NEAREST})


def earlier() -> dict[str, dict[str, object]]:
    """The rows of an earlier run, by case: one that is run alone takes the place of its own row."""
    file = RESULTS / "index_vectors.jsonl"
    if not file.exists():
        return {}
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()[1:]]
    return {row["name"]: row for row in rows}


def build(case: Case, work: Path) -> dict[str, object]:
    """Build the index of a case; seconds, bytes and what it chose."""
    from lookalike.index.base import Space
    from lookalike.index.items import Item
    from lookalike.index.local import LocalIndex

    place = work / "index"
    shutil.rmtree(place, ignore_errors=True)
    drawn = 0.0

    def items() -> Iterator[Item]:
        nonlocal drawn
        number = 0
        blocks = blocks_of(case, work)
        while True:
            before = time.perf_counter()
            block = next(blocks, None)
            drawn += time.perf_counter() - before
            if block is None:
                return
            for row in block:
                yield Item(str(number), row, f"pictures/{number}.jpg", (f"tag {number % 50}",), {"price": number % 100})
                number += 1

    began = time.perf_counter()
    space = Space(case.dimension, case.metric, "made")  # type: ignore[arg-type]
    with LocalIndex.create(place, space, kind=case.kind, components=case.components) as index:
        index.add(items())
        added = time.perf_counter() - began - drawn
        index.save()
        about = index.info()
        if index._state.structure is None:
            index.rebuild()
            about = index.info()
    seconds = time.perf_counter() - began - drawn
    sizes = {file.name.split("-")[0].split(".")[0]: file.stat().st_size for file in place.iterdir()}
    return {
        "chosen": about.kind,
        "build_seconds": seconds,
        "add_seconds": added,
        "disk_bytes": about.bytes,
        "build_peak_bytes": peak(),
        "sizes": sizes,
    }


def blocks_of(case: Case, work: Path) -> Iterator[np.ndarray]:
    """The vectors of a case, a block at a time."""
    mixture = Mixture(real_embeddings(work), 256 if case.metric == "hamming" else case.dimension)
    if case.metric == "cosine":
        return mixture.blocks(case.count)
    return Codes(mixture).blocks(case.count)


def search(case: Case, work: Path) -> dict[str, object]:
    """Open the index of a case and search it."""
    import cv2  # noqa: F401 - what a process that searches has loaded anyway
    import faiss  # noqa: F401

    from lookalike.index.local import LocalIndex

    queries, truth = asked(case, work)
    others = warming(case, work)
    bare = resident()
    began = time.perf_counter()
    index = LocalIndex(work / "index")
    opened = time.perf_counter() - began
    before = time.perf_counter()
    index.search(queries[0], NEAREST)
    first = 1000 * (time.perf_counter() - before)
    for query in others:  # a process that has run for a while: the pages it needs are there
        index.search(query, NEAREST)
    found, taken = [], []
    for query in queries:
        before = time.perf_counter()
        hits = index.search(query, NEAREST)[0]
        taken.append(1000 * (time.perf_counter() - before))
        found.append([int(hit.id) for hit in hits])
    row: dict[str, object] = {
        "open_seconds": opened,
        "recall": float(np.mean([len(set(a) & set(b)) / NEAREST for a, b in zip(found, truth, strict=True)])),
        "p50_ms": float(np.percentile(taken, 50)),
        "p99_ms": float(np.percentile(taken, 99)),
        "first_ms": first,
        "resident_bytes": resident(),
        "held_bytes": resident() - bare,
    }
    if case.metric == "hamming":
        row |= radius(index, queries, work, case)
    before = time.perf_counter()
    index.search(queries[:512], NEAREST)
    row["batched_per_second"] = 512 / (time.perf_counter() - before)
    index.close()
    return row


def asked(case: Case, work: Path) -> tuple[np.ndarray, np.ndarray]:
    """Queries, and the numbers of their nearest by an exact search over all vectors."""
    mixture = Mixture(real_embeddings(work), 256 if case.metric == "hamming" else case.dimension)
    queries = mixture.draw(QUERIES, 7)
    if case.metric == "hamming":
        codes = Codes(mixture)
        queries = codes.of(queries)
        first = next(codes.blocks(case.count))[: QUERIES // 2]
        queries[: QUERIES // 2] = codes.near(first, 20, 3)  # half of them have a near-duplicate in there
    file = work / f"truth {case.count} {case.dimension} {case.metric}.npy"
    if not file.exists():
        import faiss

        heap = []
        start = 0
        for block in blocks_of(case, work):
            if case.metric == "hamming":
                far, near = faiss.knn_hamming(queries, block, NEAREST)
                far = far.astype(np.float32)
            else:
                far, near = faiss.knn(queries, block, NEAREST, metric=faiss.METRIC_INNER_PRODUCT)
                far = -far
            heap.append((far, near + start))
            start += len(block)
            both = [np.concatenate([part[side] for part in heap], axis=1) for side in (0, 1)]
            order = np.argsort(both[0], axis=1, kind="stable")[:, :NEAREST]
            heap = [tuple(np.take_along_axis(part, order, axis=1) for part in both)]
        np.save(file, heap[0][1])
    return queries, np.load(file)


def warming(case: Case, work: Path) -> np.ndarray:
    """Other queries, that no figure is about."""
    mixture = Mixture(real_embeddings(work), 256 if case.metric == "hamming" else case.dimension)
    rows = mixture.draw(2 * QUERIES if case.count * case.dimension < 10**9 else QUERIES // 5, 8)
    return Codes(mixture).of(rows) if case.metric == "hamming" else rows


def radius(index: object, queries: np.ndarray, work: Path, case: Case) -> dict[str, object]:
    """All codes within 32 bits: how long it takes, and whether one was missed, against every code looked at."""
    from lookalike.index.local import LocalIndex

    assert isinstance(index, LocalIndex)
    least, some = 1 - 32 / case.dimension, queries[:200]
    taken, found = [], []
    for query in some:
        before = time.perf_counter()
        found.append({int(hit.id) for hit in index.within(query, least, most=100_000)[0]})
        taken.append(1000 * (time.perf_counter() - before))
    words = np.ascontiguousarray(some).view(np.uint64)
    true: list[set[int]] = [set() for _ in some]
    start = 0
    for block in blocks_of(case, work):
        rows = np.ascontiguousarray(block).view(np.uint64)
        for number, query in enumerate(words):
            near = np.flatnonzero(np.bitwise_count(rows ^ query).sum(axis=1) <= 32)
            true[number] |= set((near + start).tolist())
        start += len(block)
    return {
        "within_p50_ms": float(np.percentile(taken, 50)),
        "within_p99_ms": float(np.percentile(taken, 99)),
        "within_found": sum(map(len, found)),
        "within_missed": sum(len(b - a) for a, b in zip(found, true, strict=True)),
        "within_wrong": sum(len(a - b) for a, b in zip(found, true, strict=True)),
    }


def resident() -> int:
    """Bytes of memory of this process, what it shares included."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def peak() -> int:
    """Bytes of memory of this process at most."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


FIGURES = {
    "exact": (("p50_ms", "<=", 40), ("batched_per_second", ">=", 500)),
    "million": (
        ("recall", ">=", 0.98), ("p50_ms", "<=", 0.6), ("p99_ms", "<=", 2), ("resident_bytes", "<=", 0.9e9),
        ("build_seconds", "<=", 180), ("open_seconds", "<=", 1),
    ),
    "codes exact": (("p50_ms", "<=", 20), ("held_bytes", "<=", 400e6)),
    "codes hashed": (("within_p50_ms", "<=", 2), ("within_missed", "<=", 0)),
}  # fmt: skip


def show(rows: list[dict[str, object]]) -> None:
    """Print what came out, and which figures it reaches."""
    head = (
        "case",
        "chosen",
        "build s",
        "open s",
        "p50 ms",
        "p99 ms",
        "batched/s",
        "recall@10",
        "resident MB",
        "held MB",
    )
    table(
        "Indexes",
        head,
        [
            (
                row["name"], row["chosen"], f"{row['build_seconds']:.0f}", f"{row['open_seconds']:.2f}",
                f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}", f"{row['batched_per_second']:.0f}",
                f"{row['recall']:.4f}", f"{row['resident_bytes'] / 1e6:.0f}", f"{row['held_bytes'] / 1e6:.0f}",
            )
            for row in rows
        ],
    )  # fmt: skip
    checks = []
    for row in rows:
        for what, way, figure in FIGURES.get(str(row["name"]), ()):
            value = float(row[what])  # type: ignore[arg-type]
            good = value <= figure if way == "<=" else value >= figure
            checks.append((row["name"], what, f"{way} {figure:g}", f"{value:.4g}", reached(good)))
    table("Figures", ("case", "what", "to reach", "seen", ""), checks)


if __name__ == "__main__":
    main()
