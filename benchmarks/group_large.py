"""All pairs of very many pictures whose features are in a store already: time and memory.

    python benchmarks/group_large.py --pictures 100000

The features are made up: random ones, and for one picture in ten those of another with a little noise, as of a copy in
another format. No file is there, and none is opened: small pictures are compared by their thumbnails. Printed are the
time of everything behind reading, the greatest memory of the process, and how many of the planted copies were found.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from report import table, write

from lookalike.collection.crew import Crew
from lookalike.collection.describe import keys
from lookalike.collection.hues import hues
from lookalike.collection.layout import patches
from lookalike.collection.packing import pack_place
from lookalike.collection.pairing import Pairing
from lookalike.collection.rows import PictureRow, Stored
from lookalike.collection.store import Store
from lookalike.images.limits import Limits
from lookalike.scoring.presets import PRESETS
from lookalike.types import PictureFile

SIDE = 128
BATCH = 1000
COPIES = 10
"""Every so manieth picture is a copy of the one before it."""


def features(number: int) -> dict[str, bytes]:
    """What the store would have of picture ``number``."""
    copy = number % COPIES == COPIES - 1
    chance, noise = np.random.default_rng(number - copy), np.random.default_rng([number, 1])

    def grey(values: np.ndarray) -> bytes:
        return np.clip(values + copy * noise.normal(0, 2, values.shape), 0, 255).astype(np.uint8).tobytes()

    coarse = chance.integers(0, 255, (12, 12, 3), np.uint8).astype(np.float32)
    look = cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC) + chance.normal(0, 12, (96, 96, 1))
    group = np.random.default_rng([(number - copy) % 500, 7])  # things of one kind lie together
    disc = np.abs(group.normal(0, 1, 117) + chance.normal(0, 1, 117))
    kind, own = group.normal(0, 1, (1, 80)), chance.normal(0, 1, (64 + 16, 80))
    cells = np.clip(131 + 20 * (kind + own + copy * noise.normal(0, 0.2, own.shape)), 0, 255).astype(np.uint8)
    tint = cv2.resize(look, (32, 32), interpolation=cv2.INTER_AREA)
    colours = np.clip(tint + copy * noise.normal(0, 2, tint.shape), 0, 255).astype(np.uint8)
    made = {
        "disc": unit(disc + copy * noise.normal(0, 0.1, 117)),
        "look": grey(look.mean(axis=2)),
        "tint": colours.tobytes(),
        "hues": hues([np.stack([colours, colours])])[0].astype(np.float16).tobytes(),
        "cells": cells[:64].tobytes(),
        "patches": patches(cells[:64]).tobytes(),
        "halved": cells[64:].tobytes(),
        "place": pack_place(np.eye(3)),
    }
    return {key: made[name] for name, key in keys().items()}


def unit(values: np.ndarray) -> bytes:
    """A vector of length 1, as the store keeps it."""
    return (values / np.linalg.norm(values)).astype(np.float16).tobytes()


def fill(store: Store, count: int) -> list[PictureFile]:
    """Features of ``count`` pictures."""
    files = []
    for start in range(0, count, BATCH):
        rows = []
        for number in range(start, min(start + BATCH, count)):
            digest = hashlib.sha256(str(number).encode()).hexdigest()
            rows.append(Stored(None, digest, PictureRow("JPEG", SIDE, SIDE), features(number)))
            files.append(PictureFile(f"{number:07}.jpg", digest, "JPEG", SIDE, SIDE, 4000, 0))
        store.add(rows)
    return files


def main() -> None:
    """Make a store, compare all its pictures, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--mode", choices=("quick", "default"), default="default")
    parser.add_argument("--store", type=Path, help="where the made-up features are kept, for another run")
    parser.add_argument("--no-rows", action="store_true", help="print only")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = asked.store or Path(folder) / "store.db"
        with Store(path, limit=None) as store:
            files = fill(store, asked.pictures)
        with Store(path, limit=None) as store, Crew() as crew:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            started = time.perf_counter()
            pairing = Pairing(files, store, PRESETS["auto"], asked.mode, Limits(), crew, 0.9, None)
            found = pairing.run()
            seconds = time.perf_counter() - started
            crew.close()
    planted = {(number - 1, number) for number in range(asked.pictures) if number % COPIES == COPIES - 1}
    copies = {(int(c.a[:7]), int(c.b[:7])) for c in found.comparisons if c.score >= 0.9}
    row = {
        "pictures": asked.pictures,
        "mode": asked.mode,
        "seconds": seconds,
        "MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "MiB before": before,
        "MiB of a helper": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        "compared": found.looked_at["compared"],
        "planted": len(planted),
        "found": len(planted & copies),
        "others": len(copies - planted),
        "search recall": found.search_recall,
    }
    table(
        "All pairs of stored features",
        list(row),
        [[f"{value:.4g}" if isinstance(value, float) else value for value in row.values()]],
    )
    if not asked.no_rows:
        print(f"rows: {write('group_large', [row])}")


if __name__ == "__main__":
    main()
