"""The preset ``fast`` against the same formula written with Pillow, ImageHash and scikit-image, in one run.

    python benchmarks/fast_vs_reference.py
    python benchmarks/fast_vs_reference.py --stages        # also where the time goes

On pairs of JPEG files of 1000×1000 pixels, decoding included: how much faster, and whether the scores agree. Then
``auto``, models loaded, against the time of that reference on the same pairs.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pairs_1000
from PIL import Image, ImageOps
from report import reached, table, write
from skimage.metrics import structural_similarity
from timing import interleaved, median, ratio

import lookalike
from lookalike.features.base import method

STAGES = ("phash", "ssim", "look", "tint", "bhattacharyya", "embedding", "xfeat")
"""Methods behind ``fast`` and ``auto``."""


def reference(a: Image.Image, b: Image.Image) -> float:
    """0.6·pHash + 0.4·SSIM to the letter: grey, each contained in 512×512, cut to the common top-left size."""
    grey_a, grey_b = (np.asarray(ImageOps.contain(image.convert("L"), (512, 512))) for image in (a, b))
    height, width = min(grey_a.shape[0], grey_b.shape[0]), min(grey_a.shape[1], grey_b.shape[1])
    ssim = structural_similarity(grey_a[:height, :width], grey_b[:height, :width], data_range=255)  # type: ignore[no-untyped-call]
    phash = 1 - (imagehash.phash(a) - imagehash.phash(b)) / 64
    return 0.6 * float(phash) + 0.4 * float(ssim)


def reference_of_files(a: Path, b: Path) -> float:
    """The same from two files, each decoded once."""
    with Image.open(a) as image_a, Image.open(b) as image_b:
        return reference(image_a, image_b)


def differences(a: Path, b: Path) -> dict[str, float]:
    """How far our ``fast`` is from the reference: from the files, and given the same pixels."""
    right = reference_of_files(a, b)
    with Image.open(a) as image_a, Image.open(b) as image_b:
        image_a.load()
        image_b.load()
        arrays = np.asarray(image_a), np.asarray(image_b)
        return {
            "files": abs(lookalike.compare(a, b, preset="fast").score - right),
            "images": abs(lookalike.compare(image_a, image_b, preset="fast").score - right),
            "arrays": abs(lookalike.compare(*arrays, preset="fast").score - right),
        }


def measure(pair: pairs_1000.FilePair, rounds: int) -> dict[str, Any]:
    """Times and scores of one pair of files."""
    a, b = pair.a, pair.b
    rivals: dict[str, Callable[[], object]] = {
        "reference": lambda: reference_of_files(a, b),
        "fast": lambda: lookalike.compare(a, b, preset="fast"),
        "auto": lambda: lookalike.compare(a, b),
    }
    taken = interleaved(rivals, rounds)
    auto = lookalike.compare(a, b)
    return {
        "picture": pair.picture,
        "pair": pair.relation,
        **{f"{name}_ms": median(times) for name, times in taken.items()},
        **{f"{name}_best_ms": min(times) for name, times in taken.items()},
        "times_faster": ratio(taken["reference"], taken["fast"]),
        "times_faster_best": min(taken["reference"]) / min(taken["fast"]),
        "auto_share": ratio(taken["auto"], taken["reference"]),
        "auto_share_best": min(taken["auto"]) / min(taken["reference"]),
        "fast_score": lookalike.compare(a, b, preset="fast").score,
        "auto_score": auto.score,
        "auto_parts": list(auto.parts),
        **{f"difference_{name}": value for name, value in differences(a, b).items()},
    }


def stages(pair: pairs_1000.FilePair, rounds: int) -> list[dict[str, Any]]:
    """Time of every step of ``fast`` and ``auto`` on one picture, or one pair: no threads, nothing shared."""
    pixels = [lookalike.load(path).decoded(512).pixels for path in (pair.a, pair.b)]
    features_of = {name: method(name).extract([lookalike.load(array) for array in pixels]) for name in STAGES}
    # A new picture for every call: what methods share, such as the grey picture, is paid for by each.
    fresh = {name: [lookalike.load(pixels[0]) for _ in range(rounds + 2)] for name in STAGES}

    steps: dict[str, Callable[[], object]] = {
        "read, sha256, header": lambda: lookalike.load(pair.a),
        "decode for 512 px": lambda: lookalike.load(pair.a).decoded(512),
        "decode every pixel": lambda: lookalike.load(pair.a).decoded(),
    }
    for name in STAGES:
        made = method(name)
        steps[f"{name} extract"] = lambda made=made, left=fresh[name]: made.extract([left.pop()])  # type: ignore[misc]
        steps[f"{name} compare"] = lambda made=made, both=features_of[name]: made.compare(*both)  # type: ignore[misc]
    taken = interleaved(steps, rounds, warm_up=2)
    return [
        {"picture": pair.picture, "pair": pair.relation, "stage": name, "ms": median(times)}
        for name, times in taken.items()
    ]


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Three tables: speed of fast, its scores, speed of auto."""
    table(
        "fast on two JPEG files of 1000×1000, decoding included (median ms)",
        ["picture", "pair", "reference", "fast", "× faster", "at best", "off: files", "off: same pixels", "reach: 4 ×"],
        [
            [
                row["picture"],
                row["pair"],
                f"{row['reference_ms']:.1f}",
                f"{row['fast_ms']:.1f}",
                f"{row['times_faster']:.2f}",
                f"{row['times_faster_best']:.2f}",
                f"{row['difference_files']:.4f}",
                f"{max(row['difference_images'], row['difference_arrays']):.1e}",
                reached(row["times_faster"] >= 4),
            ]
            for row in rows
        ],
    )
    table(
        "auto on the same pairs, models loaded, against the reference of fast (median ms)",
        ["picture", "pair", "reference", "auto", "auto / reference", "at best", "score", "evidence", "reach: ≤ 1"],
        [
            [
                row["picture"],
                row["pair"],
                f"{row['reference_ms']:.1f}",
                f"{row['auto_ms']:.1f}",
                f"{row['auto_share']:.2f}",
                f"{row['auto_share_best']:.2f}",
                f"{row['auto_score']:.2f}",
                " ".join(row["auto_parts"]),
                reached(row["auto_share"] <= 1),
            ]
            for row in rows
        ],
    )


def overall(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The figures to reach, over all pairs."""
    return {
        "what": "overall",
        "times_faster_median": median([row["times_faster"] for row in rows]),
        "times_faster_least": min(row["times_faster"] for row in rows),
        "auto_share_median": median([row["auto_share"] for row in rows]),
        "auto_share_most": max(row["auto_share"] for row in rows),
        "difference_files_most": max(row["difference_files"] for row in rows),
        "difference_same_pixels_most": max(max(row["difference_images"], row["difference_arrays"]) for row in rows),
    }


def main() -> None:
    """Make the pairs, measure, print, write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="calls of each rival on each pair")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stages", action="store_true", help="also time every step on its own")
    parser.add_argument("--no-rows", action="store_true", help="print only, keep the stored rows as they are")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pairs = pairs_1000.make(Path(folder), asked.seed)
        rows = [measure(pair, asked.rounds) for pair in pairs]
        show(rows)
        sums = overall(rows)
        print(
            f"\nfast: {sums['times_faster_median']:.2f} times faster in the median, {sums['times_faster_least']:.2f} at"
            f" least; scores within {sums['difference_files_most']:.4f} from files,"
            f" {sums['difference_same_pixels_most']:.1e} from the same pixels"
            f"\nauto: {sums['auto_share_median']:.2f} of the reference's time in the median,"
            f" {sums['auto_share_most']:.2f} at most"
        )
        strangers = [pair for pair in pairs if pair.relation == "different"] if asked.stages else []
        steps = [row for pair in strangers for row in stages(pair, asked.rounds)]
        if steps:
            lines = [[row["picture"], row["stage"], f"{row['ms']:.2f}"] for row in steps]
            table("Where the time goes (one picture, or one pair; median ms)", ["picture", "stage", "ms"], lines)
    if not asked.no_rows:
        write("fast_vs_reference", [*rows, sums, *steps], {"rounds": asked.rounds, "seed": asked.seed})


if __name__ == "__main__":
    main()
