"""Evidence of labelled pairs, as the default rule gathers it: what ``fusion_fit.py`` is run on.

    python benchmarks/fusion_evidence.py --store /tmp/fusion.db

writes ``results/fusion_evidence.csv.gz``, a line for each pair of ``fusion_pairs.py``.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import time
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from data import folder_or_leave
from fusion_pairs import FusionPair, fusion_pairs

from lookalike import Picture, load
from lookalike.collection.kept import KeptFeatures
from lookalike.collection.store import Store
from lookalike.scoring.geometry import whole_frame
from lookalike.scoring.kinship import evidence
from lookalike.scoring.pair import Pair
from lookalike.scoring.preset_rules import AUTO_THRESHOLDS

TABLE = Path(__file__).parent / "results" / "fusion_evidence.csv.gz"

COLUMNS = (
    "of",
    "kind",
    "a",
    "b",
    "group_a",
    "group_b",
    "shared",
    "same_class",
    "frame",
    "embedding",
    "palette",
    "object",
)


@lru_cache(maxsize=8192)
def opened(path: str) -> Picture:
    """The picture, not decoded before something is missing in the store."""
    return load(path)


def row(pair: FusionPair, features: KeptFeatures) -> list[str]:
    """A line of the table."""
    both = Pair(opened(str(pair.a.path)), opened(str(pair.b.path)), cache=features, side_by_side=False)
    found = evidence(both, AUTO_THRESHOLDS["kin"])
    frame = whole_frame(both).correlation
    numbers = [frame, found["embedding"], found["palette"], found["object"]]
    known = [pair.of, pair.kind, pair.a.name, pair.b.name, *pair.groups, pair.shared, str(int(pair.same_class))]
    return [*known, *(f"{number:.4f}" for number in numbers)]


def main() -> None:
    """Compute what is missing, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", default=":memory:", help="where features are kept")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    started = time.perf_counter()
    pairs = fusion_pairs(folder_or_leave(), asked.seed)
    with (
        Store(asked.store, limit=None) as store,
        KeptFeatures(store, most_bytes=4 * 2**30) as features,
        ThreadPoolExecutor(asked.threads) as pool,
    ):
        text = io.StringIO(newline="")
        table = csv.writer(text, lineterminator="\n")
        table.writerow(COLUMNS)
        for done, line in enumerate(pool.map(lambda pair: row(pair, features), pairs), 1):
            table.writerow(line)
            if done % 5000 == 0:
                print(f"{done} of {len(pairs)} pairs, {time.perf_counter() - started:.0f} s", flush=True)
    TABLE.write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    print(f"{len(pairs)} pairs in {TABLE.name}, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
