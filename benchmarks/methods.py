"""Every method alone: how long a feature and a comparison take, and what eight turned copies cost.

    python benchmarks/methods.py
    python benchmarks/methods.py --only phash ssim style --rounds 30

Pictures are arrays of 1000×1000 pixels, so decoding is not in the figures; one thread. With the real pictures where
they are, also how far ``dihedral`` hashes lie from hashes of the turned picture, and the share of recoloured garments
that ``style`` ranks above another garment of the same colour.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from data import folder
from report import reached, table, write
from timing import interleaved, median

from lookalike import load
from lookalike.features.base import REGISTRY, Method, method
from lookalike.features.bits import DihedralHash
from lookalike.features.dihedral import TRANSFORMS, apply
from lookalike.types import Picture

Array = npt.NDArray[np.uint8]
Row = dict[str, Any]

LIMITS = {"style": (10.0, 0.1)}
"""Milliseconds that an extraction and a comparison may take."""

TURNED = ("ahash", "dhash", "phash", "phash16", "pdq")
SLOW = 100.0
"""Methods over so many milliseconds are timed in fewer rounds."""


def drawn(seed: int, side: int = 1000) -> Array:
    """Smooth blotches of many sizes and some grain."""
    random = np.random.default_rng(seed)
    total = np.zeros((side, side, 3))
    for cells in (4, 16, 64, 250):
        coarse = random.normal(size=(cells, cells, 3)) / np.sqrt(cells)
        total += cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 90 * total, 0, 255).astype(np.uint8)


def fresh(pixels: Array) -> Picture:
    """A picture that has nothing worked out yet."""
    return load(pixels)


def time_extract(made: Method[Any], pixels: Array) -> float:
    """Milliseconds for one picture that nobody has looked at; making it is not timed."""
    picture = fresh(pixels)
    before = time.perf_counter()
    made.extract([picture])
    return (time.perf_counter() - before) * 1000


def time_method(name: str, rounds: int) -> Row:
    """Medians of one method in milliseconds."""
    made, pixels = method(name), drawn(0)
    a, b = made.extract([fresh(pixels), fresh(drawn(1))])
    compare = median(interleaved({"compare": lambda: made.compare(a, b)}, 5)["compare"])
    taken = [time_extract(made, pixels)]
    while len(taken) < (rounds if taken[0] < SLOW else 3):
        taken.append(time_extract(made, pixels))
    extract = median(taken)
    compare = median(interleaved({"compare": lambda: made.compare(a, b)}, 200 if compare < 1 else 20)["compare"])
    return {"method": name, "extract_ms": extract, "compare_ms": compare}


def time_dihedral(name: str, rounds: int) -> Row:
    """What all eight cost against one: extraction and comparison together."""
    made, pixels = method(name), drawn(0)
    assert isinstance(made, DihedralHash)
    (other,) = made.extract([fresh(drawn(1))])
    ones, eights = (iter([fresh(pixels) for _ in range(rounds + 2)]) for _ in range(2))
    taken = interleaved(
        {
            "one": lambda: made.compare(other, made.extract([next(ones)])[0]),
            "eight": lambda: made.compare_dihedral(other, made.dihedral(next(eights))),
        },
        rounds,
    )
    return {"method": name, "one_ms": median(taken["one"]), "eight_ms": median(taken["eight"])}


def turned_bits(name: str, paths: Sequence[Path]) -> Row:
    """Bits by which the dihedral hashes differ from hashes of the picture really turned."""
    made = method(name)
    assert isinstance(made, DihedralHash)
    differing = []
    for path in paths:
        pixels = load(path).decoded(512).pixels
        turned = made.extract([load(np.ascontiguousarray(apply(pixels, index))) for index in range(len(TRANSFORMS))])
        differing.append(np.count_nonzero(made.dihedral(load(pixels)) != np.stack(turned), axis=1)[1:])
    every = np.concatenate(differing)
    return {
        "method": name,
        "bits": len(turned[0]),
        "mean": float(every.mean()),
        "p95": float(np.percentile(every, 95)),
        "max": int(every.max()),
    }


def recoloured_share(root: Path, name: str) -> Row:
    """Share of (garment, it in another colour, another garment of its colour) that ``name`` ranks right."""
    with (root / "magento" / "labels.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["view"] == "main" and row["colour"]]
    made = method(name)
    features = made.extract([load(root / "magento" / row["path"]) for row in rows])
    scores = np.array([[made.compare(a, b) for b in features] for a in features])
    product, colour, kind = (np.array([row[key] for row in rows]) for key in ("product", "colour", "kind"))
    shares = {}
    for label, of_kind in (("all", False), ("one_kind", True)):
        wins = []
        for index in range(len(rows)):
            same = product == product[index]
            rivals = ~same & (colour == colour[index]) & ((kind == kind[index]) | (not of_kind))
            recoloured = same & (colour != colour[index])
            wins.append((scores[index, recoloured][:, None] > scores[index, rivals]).ravel())
        shares[label] = float(np.concatenate(wins).mean())
    return {"method": name, **shares}


def main() -> None:
    """Time, then measure on the real pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=sorted(REGISTRY), default=list(REGISTRY))
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    times = [time_method(name, arguments.rounds) for name in arguments.only]
    table("one thread, 1000×1000 pixels", ("method", "extract ms", "compare ms", ""), map(_time_cells, times))
    turned = [name for name in TURNED if name in arguments.only]
    eights = [time_dihedral(name, arguments.rounds) for name in turned]
    head = ("method", "one ms", "eight ms", "times", "")
    table("all flips and turns, extraction and comparison", head, map(_eight_cells, eights))
    root = folder()
    bits, shares = [], []
    if root is not None:
        photos = (
            sorted((root / "grocery").rglob("*.jpg"))[::20] + sorted((root / "clothing" / "images").glob("*"))[::40]
        )
        bits = [turned_bits(name, photos) for name in turned]
        table(
            f"bits that differ from the turned picture's hash, {len(photos)} photos",
            ("method", "bits", "mean", "95 %", "max"),
            ([row["method"], row["bits"], f"{row['mean']:.2f}", f"{row['p95']:.0f}", row["max"]] for row in bits),
        )
        shares = [recoloured_share(root, name) for name in ("style", "phash", "hsv") if name in arguments.only]
        table(
            "recoloured garment above another of its colour (magento)",
            ("method", "all", "of one kind"),
            ([row["method"], f"{row['all']:.3f}", f"{row['one_kind']:.3f}"] for row in shares),
        )
    write("methods", [*times, *eights, *bits, *shares], {"rounds": arguments.rounds})


def _time_cells(row: Row) -> list[str]:
    extract, compare = row["extract_ms"], row["compare_ms"]
    limits = LIMITS.get(row["method"])
    verdict = reached(extract <= limits[0] and compare <= limits[1]) if limits else ""
    return [row["method"], f"{extract:.2f}", f"{compare:.4f}", verdict]


def _eight_cells(row: Row) -> list[str]:
    times = row["eight_ms"] / row["one_ms"]
    return [row["method"], f"{row['one_ms']:.2f}", f"{row['eight_ms']:.2f}", f"{times:.2f}", reached(times < 2)]


if __name__ == "__main__":
    main()
