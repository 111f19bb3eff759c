"""A search from the picture to the answers, over 100,000 items, and what searching by an index costs in quality.

    python benchmarks/index_search.py --work /tmp/index-bench      # 15 minutes, 3 GB

Of the 100,000 items 20,000 are pictures: parts of the real ones, mirrored or not, 400 pixels on the longer side; the
other 80,000 are vectors made as in index_made.py, for the search to pass over. Queries are other parts of the real
pictures, enlarged to a megapixel and saved as JPEG; none is a copy of a file in the index. One process searches for all
of them, first without comparing, then comparing twenty candidates, then with everything known from the searches before
except the queries, as in a service that has run for a while.

Quality is the share of the answers that show the product asked for, at the ranks where it matters (mAP at 10), on
groceries and on a catalogue, each among 80,000 vectors made around pictures of the other sets, of the exact index and
of every other kind.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from data import SETS, Labelled, folder_or_leave, read
from index_made import Mixture, real_embeddings
from report import reached, table, write

from lookalike import Index
from lookalike.features.embedding import Embedding
from lookalike.images.load import load
from lookalike.index.base import Space
from lookalike.index.items import Item
from lookalike.index.local import LocalIndex

PARTS, MADE, QUERIES = 20_000, 80_000, 150
STAGES = ("query", "candidates", "comparing", "ordering")


def main() -> None:
    """Measure both, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", type=Path, required=True, help="folder for pictures and indexes")
    parser.add_argument("--quality", action="store_true", help="only the quality")
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True, exist_ok=True)
    rows = [] if chosen.quality else [*searches(chosen.work)]
    rows += [variance(chosen.work), *quality(folder_or_leave(), chosen.work)]
    show(rows)
    if not chosen.quality:
        write("index_search", rows, {"parts": PARTS, "made": MADE, "queries": QUERIES})


def part(pixels: np.ndarray, rng: np.random.Generator, side: int) -> np.ndarray:
    """A part of a picture, 60 to 90 % of either side, mirrored or not, ``side`` pixels on the longer one."""
    height, width = pixels.shape[:2]
    share = rng.uniform(0.6, 0.9)
    top, left = rng.uniform(0, 1 - share, 2)
    top, left, down, across = round(top * height), round(left * width), round(share * height), round(share * width)
    cut = pixels[top : top + down, left : left + across]
    scale = side / max(cut.shape[:2])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    made = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=way)
    return made[:, ::-1] if rng.random() < 0.3 else made


def pictures(work: Path) -> tuple[Path, list[Path]]:
    """The folder of parts, and the queries; made once."""
    root = folder_or_leave()
    files = [picture.path for name in SETS for picture in read(root, name)]
    parts, queries = work / "parts", work / "queries"
    rng = np.random.default_rng(11)
    if not (work / "made").exists():
        for folder in (parts, queries):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        for number in range(PARTS + QUERIES):
            pixels = load(files[number % len(files)]).decoded(800).pixels[:, :, ::-1]
            if number < PARTS:
                cv2.imwrite(str(parts / f"{number}.jpg"), part(pixels, rng, 400), [cv2.IMWRITE_JPEG_QUALITY, 85])
                continue
            made = part(load(files[int(rng.integers(len(files)))]).pixels[:, :, ::-1], rng, 1000)
            side = round(1000 * (1e6 / (made.shape[0] * made.shape[1])) ** 0.5)
            scale = side / max(made.shape[:2])
            made = cv2.resize(made, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(queries / f"{number}.jpg"), made, [cv2.IMWRITE_JPEG_QUALITY, 88])
        (work / "made").touch()
    return parts, sorted(queries.iterdir())


def searches(work: Path) -> Iterator[dict[str, object]]:
    """Rows of every search, and of the building."""
    parts, queries = pictures(work)
    place = work / "catalogue"
    shutil.rmtree(place, ignore_errors=True)
    began = time.perf_counter()
    with Index.build(parts, place=place, store=work / "store.sqlite3") as index:
        seconds = time.perf_counter() - began
        rows = Mixture(real_embeddings(work), 0).draw(MADE, 5)
        index.vectors.add(Item(f"made {number}", row, tags=("made",)) for number, row in enumerate(rows))
        index.vectors.save()
        about = index.info()
    yield {"what": "build", "pictures": PARTS, "seconds": seconds, "kind": about.kind, "bytes": about.bytes}
    runs = (("by vectors", 0, True), ("twenty compared, cold", 20, True), ("twenty compared", 20, False))
    for name, rerank, cold in runs:
        store = work / "store.sqlite3"
        if cold:
            for file in work.glob("store.sqlite3*"):
                file.unlink()
        with Index.open(place, store=store) as index:
            if not cold:
                for query in queries:  # other queries' work on the same candidates
                    index.search(cv2.imread(str(query))[3:, 3:, ::-1].copy(), rerank=20)
            for query in queries:
                before = time.perf_counter()
                found = index.search(query, rerank=rerank)
                yield {
                    "what": name,
                    "query": query.name,
                    "ms": 1000 * (time.perf_counter() - before),
                    **{stage: 1000 * found.seconds.get(stage, 0.0) for stage in STAGES},
                    "best": found[0].score,
                }


def variance(work: Path) -> dict[str, object]:
    """How much of the variance of the real embeddings their first components have."""
    real = real_embeddings(work)
    sizes = np.linalg.svd(real - real.mean(axis=0), compute_uv=False) ** 2
    shares = np.cumsum(sizes) / sizes.sum()
    return {"what": "variance", "share_128": float(shares[127]), "for_95": int(np.searchsorted(shares, 0.95)) + 1}


def quality(root: Path, work: Path) -> Iterator[dict[str, object]]:
    """mAP at 10 by every kind of index."""
    embedding = Embedding()
    for name in ("grocery", "magento"):
        labelled = [picture for picture in read(root, name) if picture.product or picture.fine]
        vectors = []
        for start in range(0, len(labelled), 64):
            vectors += embedding.extract([load(picture.path) for picture in labelled[start : start + 64]])
        real, at = real_embeddings(work), np.cumsum([0, *(len(read(root, each)) for each in SETS)])
        own = SETS.index(name)
        others = np.concatenate([real[: at[own]], real[at[own + 1] :]])
        rows = np.concatenate([np.stack(vectors), Mixture(others, 0).draw(MADE, 9)])
        for kind in ("flat", "int8", "hnsw", "ivfpq", "components 128"):
            found = _map10(labelled, rows, kind, work)
            yield {"what": "quality", "set": name, "kind": kind, "map10": found}


def _map10(labelled: list[Labelled], vectors: np.ndarray, kind: str, work: Path) -> float:
    place = work / "quality"
    shutil.rmtree(place, ignore_errors=True)
    components = 128 if kind.startswith("components") else 0
    with LocalIndex.create(
        place, Space(vectors.shape[1]), kind="flat" if components else kind, components=components
    ) as index:
        index.add(Item(str(number), row) for number, row in enumerate(vectors))
        index.save()
        found = index.search(vectors[: len(labelled)], 11)
    shutil.rmtree(place, ignore_errors=True)
    product = [picture.product or picture.fine for picture in labelled]
    values = []
    for number, hits in enumerate(found):
        ranked = [int(hit.id) for hit in hits if int(hit.id) != number][:10]
        right = [other < len(product) and product[other] == product[number] for other in ranked]
        there = min(10, product.count(product[number]) - 1)
        if there:
            ranks = np.flatnonzero(right)
            values.append(float(np.sum((np.arange(len(ranks)) + 1) / (ranks + 1))) / there)
    return float(np.mean(values))


FIGURES = {"by vectors": 40.0, "twenty compared": 150.0}


def show(rows: list[dict[str, object]]) -> None:
    """Print what came out."""
    lines = []
    for name in ("by vectors", "twenty compared, cold", "twenty compared"):
        taken = [row for row in rows if row["what"] == name]
        if not taken:
            continue
        p50, p90 = (float(np.percentile([row["ms"] for row in taken], share)) for share in (50, 90))
        stages = [f"{np.median([float(str(row[stage])) for row in taken]):.0f}" for stage in STAGES]
        figure = FIGURES.get(name)
        said = "" if figure is None else f"<= {figure:g}: {reached(p50 <= figure)}"
        lines.append((name, f"{p50:.0f}", f"{p90:.0f}", *stages, said))
    table("A search, milliseconds", ("what", "p50", "p90", *STAGES, "to reach"), lines)
    exact = {row["set"]: row["map10"] for row in rows if row["what"] == "quality" and row["kind"] == "flat"}
    table(
        "mAP at 10",
        ("set", "kind", "mAP", "of exact", "to reach"),
        [
            (
                row["set"], row["kind"], f"{row['map10']:.4f}", f"{row['map10'] / exact[row['set']]:.4f}",
                f">= 0.99: {reached(float(str(row['map10'])) >= 0.99 * float(str(exact[row['set']])))}",
            )
            for row in rows
            if row["what"] == "quality"
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
