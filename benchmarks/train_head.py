"""`lookalike train`: what heads, codes and principal components gain or cost on products that they never saw.

    python benchmarks/train_head.py                    # everything, about 10 minutes; needs the extra train
    python benchmarks/train_head.py --only time        # 5,000 pictures whose features are stored: how long it takes

Products are divided into those that are learned from, those that say when to stop and those that are judged by, in
several ways (seeds). A head is also judged on the other two sets, which are of another kind altogether.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import data
import numpy as np
import numpy.typing as npt
import train_pictures
from process import environment, run
from report import reached, table, write
from timing import median

from lookalike.collection.kept import KeptFeatures
from lookalike.collection.store import Store
from lookalike.features.codes import hamming, pack_codes
from lookalike.features.embedding import Embedding, unit
from lookalike.images.limits import Limits
from lookalike.lab.training.hashing import train_codes
from lookalike.lab.training.heads import Settings, one_thread, train_head
from lookalike.lab.training.judge import judge
from lookalike.lab.training.nearest import agreement, precisions
from lookalike.lab.training.pca import PCA
from lookalike.lab.training.projection import Projection
from lookalike.lab.training.rotation import turned_codes
from lookalike.lab.training.shares import Shares, by_picture, by_product

SEEDS = range(5)
FEW_SEEDS = range(3)
BITS = (64, 128, 256)
TO_REACH = 60.0
"""Seconds for a head on 5,000 pictures whose features are stored."""

Vectors = npt.NDArray[np.float32]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Set:
    """Vectors of one labelled set, at 224 pixels by the 8-bit network."""

    name: str
    vectors: Vectors
    labels: npt.NDArray[np.int64]
    names: Sequence[str]

    def shares(self, seed: int) -> Shares:
        """Its products, divided."""
        return by_product(self.labels, self.names, seed)


def labelled_sets(root: Path, features: KeptFeatures) -> Iterator[Set]:
    """Groceries by sort, catalogue pictures by product, garments by kind."""
    of: dict[str, Callable[[data.Labelled], str]] = {
        "grocery": lambda picture: picture.fine if picture.view == "photo" else "",
        "magento": lambda picture: picture.product if picture.category else "",
        "clothing": lambda picture: picture.category,
    }
    for name, label in of.items():
        pictures = [picture for picture in data.read(root, name) if label(picture)]
        names = sorted({label(picture) for picture in pictures})
        vectors = np.stack(list(features.of_sources(Embedding(), [str(each.path) for each in pictures], Limits())))
        yield Set(name, vectors, np.array([names.index(label(each)) for each in pictures]), names)


def mean_precision(vectors: Vectors, labels: npt.NDArray[np.int64]) -> float:
    """mAP of every picture among all others."""
    return float(np.nanmean(precisions(vectors, labels)[0]))


def heads(sets: Sequence[Set]) -> Iterator[Row]:
    """Before and after on products held out; and on the other sets, whole."""
    variants: dict[str, tuple[int, Settings]] = {
        "contrastive": (1280, Settings()),
        "triplet": (1280, Settings(loss="triplet")),
        "contrastive, 256": (256, Settings()),
        "contrastive, 128": (128, Settings()),
    }
    whole = {each.name: mean_precision(each.vectors, each.labels) for each in sets}
    for each in sets:
        for seed in SEEDS:
            shares = each.shares(seed)
            for name, (dimension, settings) in variants.items():
                if 1280 > dimension >= len(shares.fit) or (name != "contrastive" and seed not in FEW_SEEDS):
                    continue
                started = time.perf_counter()
                with one_thread():
                    learned = train_head(
                        each.vectors, each.labels, shares.fit, shares.stop, dimension,
                        Settings(loss=settings.loss, seed=seed),
                    )  # fmt: skip
                seconds = time.perf_counter() - started
                held = each.vectors[shares.held]
                found = judge(held, learned.projection(held), each.labels[shares.held], seed)
                row = {"part": "head", "set": each.name, "seed": seed, "head": name, "step": learned.step}
                row |= {"seconds": seconds, "better": found.better, **found.to_dict()}
                if name == "contrastive":
                    row["elsewhere"] = {
                        other.name: mean_precision(learned.projection(other.vectors), other.labels) - whole[other.name]
                        for other in sets
                        if other is not each
                    }
                yield row


def codes(sets: Sequence[Set]) -> Iterator[Row]:
    """Codes with labels: mAP of the full vectors, of codes without training, of trained ones; and neighbours kept."""
    for each in sets:
        for seed in FEW_SEEDS:
            shares = each.shares(seed)
            held, numbers = each.vectors[shares.held], each.labels[shares.held]
            for bits in (bits for bits in BITS if bits < len(shares.fit)):
                with one_thread():
                    learned = train_codes(each.vectors, each.labels, shares.fit, shares.stop, bits, Settings(seed=seed))
                plain = turned_codes(each.vectors[shares.fit], bits, seed)
                yield {
                    "part": "codes",
                    "set": each.name,
                    "seed": seed,
                    "bits": bits,
                    "step": learned.step,
                    "map_float": mean_precision(held, numbers),
                    "map_untrained": mean_precision(plain(held), numbers),
                    "map_trained": mean_precision(learned.projection(held), numbers),
                }


def unlabelled(vectors: Vectors) -> Iterator[Row]:
    """Codes and principal components of pictures without labels: which neighbours they keep, and how fast."""
    shares = by_picture([f"{number:064x}" for number in range(len(vectors))], 0)
    held = vectors[shares.held]

    def row(name: str, made: Projection, **more: object) -> Row:
        kept = {str(among): float(agreement(held, made(held), among).mean()) for among in (10, 100)}
        return {"part": "unlabelled", "what": name, "kept": kept, "held": len(held), **more}

    for bits in BITS:
        with one_thread():
            learned = train_codes(vectors, None, shares.fit, shares.stop, bits)
        yield row(f"{bits} bits, not trained", turned_codes(vectors[shares.fit], bits))
        yield row(f"{bits} bits, trained", learned.projection, step=learned.step)
    for dimension in (64, 128, 256):
        for whiten in (False, True):
            pca = PCA(dimension, whiten=whiten).fit(vectors[shares.fit])
            name = f"{dimension} components" + (", whitened" if whiten else "")
            yield row(name, pca.projection_, variance=pca.kept_)


def search_times(vectors: Vectors, rounds: int = 7) -> Iterator[Row]:
    """The ten nearest of 200 queries among all vectors: full, 128 components, codes of 128 bits."""
    import faiss

    small = PCA(128).fit(vectors).projection_(vectors)
    packed = pack_codes(turned_codes(vectors, 128)(vectors))

    binary = faiss.IndexBinaryFlat(128)
    binary.add(packed)

    def nearest(rows: Vectors) -> Callable[[], object]:
        return lambda: np.argpartition(-(rows[:200] @ rows.T), 10, axis=1)

    ways: dict[str, Callable[[], object]] = {
        "1280 numbers": nearest(vectors),
        "128 components": nearest(small),
        "128 bits": lambda: np.argpartition(hamming(packed[:200], packed), 10, axis=1),
        "128 bits, FAISS": lambda: binary.search(packed[:200], 10),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):  # taking turns
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            taken[name].append(time.perf_counter() - started)
    for name, seconds in taken.items():
        yield {"part": "search", "what": name, "vectors": len(vectors), "seconds": median(seconds)}


def command_times(root: Path, scratch: Path) -> Iterator[Row]:
    """`lookalike train` as a whole process on 5,000 pictures: described anew, and with features stored."""
    paths, products = train_pictures.crops(root, scratch / "pictures", 5000)
    catalogue = scratch / "catalogue.csv"
    with catalogue.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("image", "product"), *zip(paths, products, strict=True)])
    variables = environment(str(scratch / "bytecode"))
    store = str(scratch / "store.sqlite")
    kinds = [("head, nothing stored", "head"), *((kind, kind) for kind in ("head", "binary", "pca"))]
    for name, kind in kinds:
        out = scratch / "made.onnx"
        command = [sys.executable, "-m", "lookalike", "train", str(catalogue), "--out", str(out), "--kind", kind]
        cost = run([*command, "--store", store, "--keep-anyway", "--quiet"], variables)
        held = json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))["trained"]["held_out"]
        yield {
            "part": "time", "what": name, "pictures": len(paths), "seconds": cost.seconds,
            "processor": cost.processor, "peak_mib": cost.peak_mib, "map": held["map"],
        }  # fmt: skip


def show(rows: Sequence[Row]) -> None:
    """The tables."""
    _show_heads([row for row in rows if row["part"] == "head"])
    coded = [row for row in rows if row["part"] == "codes"]
    if coded:
        keys = ("map_float", "map_untrained", "map_trained")
        lines = [
            [name, bits, *(f"{_mean(row[key] for row in group):.3f}" for key in keys)]
            for (name, bits), group in _grouped(coded, "set", "bits").items()
        ]
        table(
            "Codes on products held out, mAP, mean of 3 divisions",
            ["set", "bits", "float", "untrained", "trained"],
            lines,
        )
    plain = [row for row in rows if row["part"] == "unlabelled"]
    if plain:
        lines = [
            [row["what"], f"{row['variance']:.1%}" if "variance" in row else "",
             *(f"{row['kept'][among]:.3f}" for among in ("10", "100"))] for row in plain
        ]  # fmt: skip
        head = ["vectors", "variance kept", "10 nearest among 10", "among 100"]
        table(f"Photos without labels: neighbours kept, {plain[0]['held']} held out", head, lines)
    searched = [row for row in rows if row["part"] == "search"]
    if searched:
        first = searched[0]["seconds"]
        lines = [[row["what"], f"{1000 * row['seconds']:.1f}", f"{1 - row['seconds'] / first:.0%}"] for row in searched]
        table("200 queries among 10,000", ["vectors", "ms", "time saved"], lines)
    timed = [row for row in rows if row["part"] == "time"]
    if timed:
        lines = [[row["what"], f"{row['seconds']:.1f}", f"{row['processor']:.1f}", f"{row['peak_mib']:.0f}",
                  f"{row['map']['before']:.3f}", f"{row['map']['after']:.3f}"] for row in timed]  # fmt: skip
        table("`lookalike train`, 5,000 pictures", ["kind", "s", "CPU s", "MiB", "mAP before", "after"], lines)
        seconds = next(row["seconds"] for row in timed if row["what"] == "head")
        print(f"\nhead with features stored: {seconds:.1f} s, {TO_REACH:.0f} to reach: {reached(seconds <= TO_REACH)}")


def _show_heads(rows: Sequence[Row]) -> None:
    if not rows:
        return
    lines = []
    for (name, head), group in _grouped(rows, "set", "head").items():
        figures = [f"{_mean(row[key][when] for row in group):.3f}" for key in ("map", "recall_at_1", "auc")
                   for when in ("before", "after")]  # fmt: skip
        elsewhere = [f"{other} {_mean(row['elsewhere'][other] for row in group):+.3f}"
                     for other in group[0].get("elsewhere", {})]  # fmt: skip
        better = f"{sum(row['better'] for row in group)} of {len(group)}"
        lines.append(
            [name, head, *figures, better, f"{_mean(row['seconds'] for row in group):.1f}", ", ".join(elsewhere)]
        )
    head_row = ["set", "head", "mAP", "after", "recall@1", "after", "AUC", "after", "better", "s", "mAP elsewhere"]
    table("Heads on products held out, mean of 5 divisions (variants: of 3)", head_row, lines)


def _grouped(rows: Sequence[Row], *keys: str) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return found


def _mean(values: Iterator[float]) -> float:
    return float(np.mean(list(values)))


PARTS = ("heads", "codes", "unlabelled", "search", "time")


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, action="append", help="may be repeated")
    parser.add_argument("--store", help="file that features are kept in; by default a temporary one")
    parser.add_argument("--no-rows", action="store_true", help="keep the rows of the last run")
    arguments = parser.parse_args()
    wanted = arguments.only or PARTS
    root = data.folder_or_leave()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        with Store(arguments.store or scratch / "features.sqlite") as store, KeptFeatures(store) as features:
            sets = list(labelled_sets(root, features)) if {"heads", "codes"} & set(wanted) else []
            rows += heads(sets) if "heads" in wanted else []
            rows += codes(sets) if "codes" in wanted else []
            if {"unlabelled", "search"} & set(wanted):
                paths, _ = train_pictures.crops(root, scratch / "photos", 10_000)
                vectors = unit(np.stack(list(features.of_sources(Embedding(), paths, Limits()))))
                rows += unlabelled(vectors) if "unlabelled" in wanted else []
                rows += search_times(vectors) if "search" in wanted else []
        if "time" in wanted:
            rows += command_times(root, scratch)
    show(rows)
    if not arguments.no_rows:
        write("train_head", rows, {"parts": list(wanted), "seeds": list(SEEDS)})


if __name__ == "__main__":
    main()
