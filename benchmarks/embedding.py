"""The built-in embedding models: how fast, how accurate, and what 8 bits cost.

    python benchmarks/embedding.py
    python benchmarks/embedding.py --only accuracy --also other.onnx    # any encoder that takes bytes, such as Lite1

Speed needs no data. Accuracy is measured on labelled pictures of ``LOOKALIKE_DATA`` that played no part in making the
8-bit file: groceries and catalogue pictures, and clothing photos other than the 128 that set its ranges.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import data
import edits
import numpy as np
import numpy.typing as npt
from PIL import Image
from report import reached, table, write
from timing import interleaved, median

from lookalike import Picture, load
from lookalike.features.embedding import BATCH, DEFAULT_MODEL, Embedding, squeeze

INT8, FP32 = DEFAULT_MODEL, "efficientnet-lite0"
SIZES = (128, 224)
EDITS = ("JPEG q10", "crop to 80 %", "crop to 50 %", "flip", "grey", "blur 1 %", "white border")
CALIBRATED_EVERY = 16
"""Every 16th clothing photo, by name, set the ranges of the 8-bit model (scripts/quantise_models.py)."""

Array = npt.NDArray[Any]


def vectors_of(embedding: Embedding, pictures: Sequence[Array]) -> Array:
    """float32, N×dimension."""
    starts = range(0, len(pictures), BATCH)
    batches = (np.stack([squeeze(p, embedding.size) for p in pictures[i : i + BATCH]]) for i in starts)
    return np.concatenate([embedding.embed(batch) for batch in batches])


def retrieval(vectors: Array, classes: Array) -> dict[str, float]:
    """Recall at 1, mean average precision, and AUC of all pairs, for "same class" told by cosine."""
    cosines = vectors @ vectors.T
    same = classes[:, None] == classes[None]
    above = np.triu_indices(len(classes), 1)
    ranks = np.argsort(np.argsort(cosines[above])) + 1
    positive = same[above]
    hits, misses = int(positive.sum()), int((~positive).sum())
    area = (ranks[positive].sum() - hits * (hits + 1) / 2) / (hits * misses)
    np.fill_diagonal(cosines, -np.inf)
    order = np.argsort(-cosines, axis=1)[:, :-1]
    found = np.take_along_axis(same, order, axis=1)
    found = found[found.any(axis=1)]  # a class of one picture has nothing to find
    precision = np.cumsum(found, axis=1) / np.arange(1, found.shape[1] + 1)
    average = (precision * found).sum(axis=1) / found.sum(axis=1)
    return {"recall_at_1": float(found[:, 0].mean()), "map": float(average.mean()), "auc": float(area)}


def speed(rounds: int) -> list[dict[str, Any]]:
    """Throughput in batches and latency of one and two pictures."""
    chance = np.random.default_rng(0)
    photos = [
        np.asarray(cv2.resize(chance.integers(0, 255, (50, 38, 3), np.uint8), (400, 533)), np.uint8)
        for _ in range(8 * BATCH)
    ]
    pictures = [load(photo) for photo in photos]
    rows = []
    for size in SIZES:
        made = {name: Embedding(name, size) for name in (INT8, FP32)}
        ready = np.stack([squeeze(photo, size) for photo in photos])
        work: dict[str, tuple[int, Callable[[Embedding], object]]] = {
            "network": (len(ready), partial(_in_batches, ready)),
            "resize and network": (len(ready), partial(_from_pictures, pictures)),
            "one picture": (1, partial(_in_batches, ready[:1])),
            "two pictures": (2, partial(_in_batches, ready[:2])),
        }
        for what, (count, run) in work.items():
            rivals = {name: partial(run, embedding) for name, embedding in made.items()}
            for name, taken in interleaved(rivals, rounds if count > 2 else 5 * rounds).items():
                rate = {"median": 1000 * count / median(taken), "best": 1000 * count / min(taken)}
                rows.append({"model": name, "size": size, "what": what, "ms": median(taken), "per_second": rate})
    return rows


def _in_batches(ready: Array, embedding: Embedding) -> None:
    for start in range(0, len(ready), BATCH):
        embedding.embed(ready[start : start + BATCH])


def _from_pictures(pictures: Sequence[Picture], embedding: Embedding) -> None:
    embedding.extract(pictures)


def accuracy(names: Sequence[str], root: Path) -> list[dict[str, Any]]:
    """Retrieval on labelled pictures, edited copies found, and cosine to the 32-bit vectors."""
    groceries = [row for row in data.read(root, "grocery") if "/iconic" not in row.name.lower()]
    main_views = [row for row in data.read(root, "magento") if row.view == "main"]
    clothing = sorted((root / "clothing" / "images").glob("*.jpg"))
    held_out = [path for number, path in enumerate(clothing) if number % CALIBRATED_EVERY]
    held_out = held_out[:: max(1, len(held_out) // 300)][:300]
    sets = {
        "grocery": ([row.path for row in groceries], np.array([row.path.parent.name for row in groceries])),
        "magento": ([row.path for row in main_views], np.array([row.product for row in main_views])),
    }
    photos = {name: [np.asarray(edits.opened(path)) for path in paths] for name, (paths, _) in sets.items()}
    originals = [edits.opened(path) for path in held_out]
    photos["clothing"] = [np.asarray(image) for image in originals]
    copies = {edit: [_edited(edit, i, p) for i, p in zip(originals, held_out, strict=True)] for edit in EDITS}
    rows = []
    for size in SIZES:
        reference = {name: vectors_of(Embedding(FP32, size), list(pictures)) for name, pictures in photos.items()}
        for name in names:
            embedding = Embedding(name, size)
            found = {key: vectors_of(embedding, pictures) for key, pictures in photos.items()}
            row: dict[str, Any] = {"model": embedding.label, "size": size}
            for key, (_, classes) in sets.items():
                row[key] = retrieval(found[key], classes)
            row["copies_ranked_first"] = {
                edit: float(
                    np.mean((vectors_of(embedding, made) @ found["clothing"].T).argmax(1) == np.arange(len(made)))
                )
                for edit, made in copies.items()
            }
            if name == INT8:
                cosines = {key: (found[key] * reference[key]).sum(axis=1) for key in found}
                row["cosine_to_fp32"] = {
                    key: {"mean": float(c.mean()), "min": float(c.min())} for key, c in cosines.items()
                }
            rows.append(row)
    return rows


def _edited(edit: str, image: Image.Image, path: Path) -> Array:
    with Image.open(io.BytesIO(edits.apply(edit, image, path.name))) as file:
        return np.asarray(file.convert("RGB"))


def show_speed(rows: Sequence[dict[str, Any]]) -> None:
    """Print the table of :func:`speed` and whether the figures were reached."""
    table(
        "Speed",
        ("model", "size", "what", "median ms", "pictures/s", "at best"),
        [
            (
                row["model"],
                row["size"],
                row["what"],
                f"{row['ms']:.2f}",
                *(f"{n:.0f}" for n in row["per_second"].values()),
            )
            for row in rows
        ],
    )
    for name, wanted in ((INT8, 1500), (FP32, 600)):
        row = next(row for row in rows if (row["model"], row["size"], row["what"]) == (name, 128, "network"))
        best = row["per_second"]["best"]
        print(f"{name}, 128 px: {best:.0f} pictures/s at best, {wanted} wanted: {reached(best >= wanted)}")


def show_accuracy(rows: Sequence[dict[str, Any]]) -> None:
    """Print the table of :func:`accuracy` and what 8 bits changed."""
    table(
        "Same class by cosine: recall at 1 / mean average precision / AUC of pairs. Edited copies: share ranked first",
        ("model", "size", "grocery", "magento", *EDITS),
        [
            (
                row["model"],
                row["size"],
                *(" / ".join(f"{value:.3f}" for value in row[key].values()) for key in ("grocery", "magento")),
                *(f"{value:.3f}" for value in row["copies_ranked_first"].values()),
            )
            for row in rows
        ],
    )
    for row in rows:
        for key, cosine in row.get("cosine_to_fp32", {}).items():
            print(f"{key} at {row['size']} px, 8 bits to 32: cosine {cosine['mean']:.4f}, least {cosine['min']:.4f}")


def main() -> None:
    """Measure, print the tables, write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--also", nargs="*", default=[], metavar="ONNX")
    parser.add_argument("--only", choices=["speed", "accuracy"])
    arguments = parser.parse_args()
    if arguments.only != "accuracy":
        timed = speed(arguments.rounds)
        show_speed(timed)
        write("embedding_speed", timed, {"rounds": arguments.rounds, "batch": BATCH})
    if arguments.only != "speed":
        judged = accuracy([INT8, FP32, *arguments.also], data.folder_or_leave())
        show_accuracy(judged)
        write("embedding", judged, {"also": [Path(path).stem for path in arguments.also]})


if __name__ == "__main__":
    main()
