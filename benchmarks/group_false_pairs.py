"""How often two products of a catalogue are called near-duplicates: real shots on white, all pairs of a folder.

    python benchmarks/group_false_pairs.py                 # the files as they are
    python benchmarks/group_false_pairs.py --side 128      # as small as a folder of thumbnails

groups the catalogue photos of the data folder with the command line and counts the pairs of different products at 0.9
and more: among all such pairs, and among garments of one type. --sheet draws them for eyes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from data import Labelled, folder_or_leave, read
from edits import opened
from group_edits import jpeg
from group_score import read_pairs, sheet
from process import environment, run
from report import reached, table, write

THRESHOLD = 0.9

LIMITS = {"different products": 1 / 10_000, "different products of one category": 1 / 1_000}

Pair = tuple[str, str]


def laid_out(photos: Sequence[Labelled], folder: Path, side: int) -> dict[str, Labelled]:
    """All photos side by side under names of their own: file name → photo.

    Args:
        photos: which.
        folder: where to.
        side: longer side in pixels; 0 leaves the files as they are.
    """
    folder.mkdir()
    names = {}
    for number, photo in enumerate(photos):
        path = folder / f"{number:04d}{photo.path.suffix if not side else '.jpg'}"
        if side:
            path.write_bytes(jpeg(opened(photo.path), side))
        else:
            path.write_bytes(photo.path.read_bytes())
        names[path.name] = photo
    return names


def differ(a: Labelled, b: Labelled) -> bool:
    """Whether both show a product that is known, and not the same."""
    return bool(a.product) and bool(b.product) and a.product != b.product


def of_one_category(a: Labelled, b: Labelled) -> bool:
    """Whether both are different garments of one type."""
    return differ(a, b) and bool(a.category) and a.category == b.category


def count(photos: Sequence[Labelled], names: dict[str, Labelled], found: Iterable[Pair]) -> list[dict[str, Any]]:
    """One row for each of :data:`LIMITS`: pairs there are, pairs that were found, and which."""
    rows = []
    for (what, limit), counts in zip(LIMITS.items(), (differ, of_one_category), strict=True):
        pairs = sum(counts(a, b) for index, a in enumerate(photos) for b in photos[index + 1 :])
        false = [(a, b) for a, b in found if counts(names[a], names[b])]
        rows.append(
            {
                "what": what,
                "pairs": pairs,
                "false": len(false),
                "limit": limit,
                "reached": len(false) < limit * pairs,
                "which": [[names[a].name, names[b].name] for a, b in false[:50]],
            }
        )
    return rows


def main() -> None:
    """Group, count, print, write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=0, help="scale the pictures to this longer side, in pixels, first")
    parser.add_argument("--mode", choices=("quick", "default", "thorough"), default="default")
    parser.add_argument("--sheet", type=Path, help="draw the false pairs into this file")
    parser.add_argument("--no-rows", action="store_true", help="print only, keep the stored rows as they are")
    asked = parser.parse_args()
    root = folder_or_leave()
    photos = read(root, "magento") + read(root, "shop-demo")
    with tempfile.TemporaryDirectory() as scratch:
        folder, pairs = Path(scratch) / "pictures", Path(scratch) / "pairs.jsonl"
        names = laid_out(photos, folder, asked.side)
        command = [sys.executable, "-m", "lookalike", "group", str(folder), "--threshold", str(THRESHOLD), "--quiet"]
        command += ["--json", str(pairs), "--store", os.path.join(scratch, "store.sqlite3")]
        cost = run(
            command + ([] if asked.mode == "default" else [f"--{asked.mode}"]), environment(f"{scratch}/bytecode")
        )
        found = read_pairs(pairs, THRESHOLD)
        rows = count(photos, names, found)
        false = [
            (names_, f"{score:.3f}") for names_, score in found.items() if differ(*(names[name] for name in names_))
        ]
        if asked.sheet and false:
            sheet(folder, sorted(false, key=lambda item: item[1], reverse=True)).save(asked.sheet)
    lines = [
        [row["what"], row["pairs"], row["false"], f"{row['limit'] * row['pairs']:.0f}", reached(row["reached"])]
        for row in rows
    ]
    size = f"{asked.side} px" if asked.side else "full size"
    title = f"{len(photos)} catalogue pictures, {size}, {asked.mode}, {cost.seconds:.1f} s, {len(found)} pairs in all"
    table(title, ["pairs of", "there are", "at 0.9", "fewer than", ""], lines)
    for row in rows[:1]:
        print("\n".join(json.dumps(pair) for pair in row["which"]))
    if not asked.no_rows:
        settings = {"side": asked.side, "mode": asked.mode, "threshold": THRESHOLD, "found": len(found)}
        write(f"group_false_pairs{f'_{asked.side}' if asked.side else ''}", rows, settings)


if __name__ == "__main__":
    main()
