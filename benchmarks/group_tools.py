"""Other tools for the same task, each run as a process of its own by group.py.

    python group_tools.py phash FOLDER --pairs FILE        # in an environment that has the tool

Every tool is used as its documentation shows first, with its own defaults, but for what is said at each. This file
imports nothing of the project and nothing that it does not use, so that it runs in any environment.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

Pair = tuple[str, str]
Found = tuple[Iterable[Pair], str]
"""Pairs of file names, and what must be said about the run."""


def imagehash_numpy(folder: Path) -> Found:
    """ImageHash's pHash of every picture, then NumPy: all pairs within 6 of 64 bits, by blocks of rows."""
    import imagehash
    import numpy as np
    from PIL import Image

    paths = sorted(folder.iterdir())
    hashes = []
    for path in paths:
        with Image.open(path) as image:
            hashes.append(imagehash.phash(image).hash.ravel())
    signs = np.where(np.array(hashes), 1, -1).astype(np.float32)
    found = []
    for start in range(0, len(signs), 1000):
        same = signs[start : start + 1000] @ signs.T  # 64 - 2 × distance
        rows, columns = np.nonzero(same >= 64 - 2 * 6)
        found += [(paths[start + a].name, paths[b].name) for a, b in zip(rows, columns) if start + a < b]  # noqa: B905
    return found, "within 6 bits"


def imagededup_phash(folder: Path) -> Found:
    """imagededup's PHash, as its first example: within 10 of 64 bits."""
    from imagededup.methods import PHash

    found = PHash(verbose=False).find_duplicates(image_dir=folder)
    return ((a, b) for a, others in found.items() for b in others if a < b), "within 10 bits"


def imagededup_cnn(folder: Path) -> Found:
    """imagededup's CNN, as its first example: cosine over 0.9.

    Its weights come from the network. Where there is none it runs with weights drawn by chance, which takes as long,
    and keeps nothing: the time is then a little too good, and there are no pairs to judge.
    """
    from imagededup.methods import CNN
    from torchvision import models

    try:
        return _alike(CNN(verbose=False).find_duplicates(image_dir=folder, min_similarity_threshold=0.9)), "cosine 0.9"
    except OSError as error:
        print(f"no weights: {error}", file=sys.stderr)
    trained = models.mobilenet_v3_small
    models.mobilenet_v3_small = lambda weights: trained()
    CNN(verbose=False).find_duplicates(image_dir=folder, min_similarity_threshold=1.0)
    return (), "weights drawn by chance, no pairs kept"


def difpy(folder: Path) -> Found:
    """difPy's search for similar pictures, of any size."""
    import difPy

    repository = difPy.build(str(folder), show_progress=False)
    search = difPy.search(repository, similarity="similar", same_dim=False, show_progress=False)
    found = {a: [match[0] for match in others] for a, others in search.result.items()}
    return _alike(
        {Path(a).name: [Path(b).name for b in others] for a, others in found.items()}
    ), "mean squares within 5"


def _alike(found: dict[str, list[str]]) -> list[Pair]:
    return sorted({(min(a, b), max(a, b)) for a, others in found.items() for b in others})


TOOLS: dict[str, tuple[str, str, str, Callable[[Path], Found]]] = {
    # name: what the table calls it, package, module, how
    "imagehash": ("ImageHash pHash + NumPy", "ImageHash", "imagehash", imagehash_numpy),
    "phash": ("imagededup PHash", "imagededup", "imagededup", imagededup_phash),
    "cnn": ("imagededup CNN", "imagededup", "imagededup", imagededup_cnn),
    "difpy": ("difPy", "difPy", "difPy", difpy),
}


def main() -> None:
    """Run one tool and write the pairs that it found; with --installed, say which can be run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", nargs="?", choices=TOOLS)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--pairs", type=Path, help="write what was found here, a line a pair")
    parser.add_argument("--installed", action="store_true", help="only say which tools are there")
    asked = parser.parse_args()
    if asked.installed:
        there = [name for name, (_, _, module, _) in TOOLS.items() if importlib.util.find_spec(module)]
        print(json.dumps({name: importlib.metadata.version(TOOLS[name][1]) for name in there}))
        return
    if asked.tool is None or asked.folder is None:
        parser.error("which tool, and which folder?")
    found, note = TOOLS[asked.tool][3](asked.folder)
    if asked.pairs:
        before = time.perf_counter()
        with asked.pairs.open("w", encoding="utf-8") as file:
            file.write(json.dumps({"note": note}) + "\n")
            file.writelines(f'{{"a": {json.dumps(a)}, "b": {json.dumps(b)}, "score": 1}}\n' for a, b in found)
        print(f"written in {time.perf_counter() - before:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
