"""Makes ``docs/scale.md`` from the rows in ``results/``; every number in it is one of them, or computed from them.

python benchmarks/scale_page.py            # write the page
python benchmarks/scale_page.py --check    # is the page that is there what the rows say?
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from index_search import FIGURES as SEARCH_FIGURES
from index_search import STAGES
from index_vectors import FIGURES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "scale.md"
RESULTS = Path(__file__).resolve().parent / "results"

Row = dict[str, Any]

MEMORY_PRICE = 3.0
"""Dollars for a GB of memory a month: what large clouds ask on demand for machines with much of it, 2 to 5 of late."""

SHARD = 10_000_000
"""Vectors of a shard, for the arithmetic beyond one machine: as many as were really run in one index."""


def rows_of(name: str) -> list[Row]:
    """The rows of one run, the first of which tells of the machine."""
    with (RESULTS / f"{name}.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def page() -> str:
    """The whole text."""
    head, *cases = rows_of("index_vectors")
    searches = rows_of("index_search")[1:]
    by_name = {row["name"]: row for row in cases}
    sections = (
        lambda: _head(head, by_name),
        lambda: _measured(cases),
        lambda: _figures(by_name, searches),
        lambda: _search(searches),
        lambda: _components(by_name, searches),
        lambda: _codes(by_name),
        lambda: _quality(searches),
        lambda: _beyond(by_name, searches),
        _how,
    )
    return "\n\n".join("\n".join(section()).strip() for section in sections) + "\n"


def _head(head: Row, by_name: dict[str, Row]) -> Iterator[str]:
    million, ten = by_name["million"], by_name["ten million"]
    yield "# Scale"
    yield ""
    yield (
        "What indexes of up to ten million vectors or codes take and give, measured; and what a hundred million and "
        f"more would, computed from that. A million vectors of 256 numbers are searched in {million['p50_ms']:.2f} "
        f"ms, with {100 * million['recall']:.1f} % of the true ten nearest among the answers; ten million of 128 "
        f"numbers in {ten['p50_ms']:.1f} ms with {100 * ten['recall']:.1f} %."
    )
    yield ""
    yield (
        f"All on {head['cores']} cores of {_article(head['processor'])}, without a GPU, on {head['day']}. The vectors "
        "are mixtures around the embeddings of 3,655 real pictures: to each its principal components, and noise along "
        "them half as wide as the real ones spread. Queries are drawn likewise, by themselves. Every number is of the "
        "library as a program calls it, one query at a time, with ids, tags and data of the answers read from the disk."
    )


def _article(processor: str | None) -> str:
    return f"an {processor}" if (processor or "").startswith("AMD") else f"a {processor}"


def _measured(cases: list[Row]) -> Iterator[str]:
    yield "## Measured"
    yield ""
    yield "| vectors | kind | build | on disk | open | a query, median | 99 of 100 | 512 at once | recall@10 | memory |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for row in cases:
        what = f"{_count(row['count'])} × {row['dimension']} {'bits' if row['metric'] == 'hamming' else 'numbers'}"
        kind = row["chosen"] + (f", {row['components']} components in front" if row["components"] else "")
        cells = (
            what,
            kind,
            _seconds(row["build_seconds"]),
            _bytes(row["disk_bytes"]),
            f"{row['open_seconds']:.2f} s",
            f"{row['p50_ms']:.2f} ms",
            f"{row['p99_ms']:.2f} ms",
            f"{row['batched_per_second']:,.0f}/s",
            f"{row['recall']:.4f}",
            f"{_bytes(row['resident_bytes'])} ({_bytes(row['held_bytes'])})",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield (
        "*Build* is everything: items, vectors and structure, written and synced. *Recall* is the share of the ten "
        "nearest of an exact search over the vectors as they were drawn that is among the ten answers; the "
        "similarities given are exact whatever the kind. An exact search does not reach 1, because vectors are kept "
        "in half precision and equals change places. *Memory* is that of the process that searches, in brackets "
        "without what the libraries take."
    )


def _figures(by_name: dict[str, Row], searches: list[Row]) -> Iterator[str]:
    yield "## Figures to reach"
    yield ""
    yield "| what | to reach | seen | |"
    yield "|---|---|---|---|"
    for name, figures in FIGURES.items():
        for what, way, figure in figures:
            value = by_name[name][what]
            good = value <= figure if way == "<=" else value >= figure
            sign = "≤" if way == "<=" else "≥"
            label, told = _WHAT[what]
            yield f"| {_LABELS[name]}: {label} | {sign} {told(figure)} | {told(value)} | {_reached(good)} |"
    for name, figure in SEARCH_FIGURES.items():
        value = float(np.percentile([row["ms"] for row in searches if row["what"] == name], 50))
        label = f"a search with a picture, {name}, median"
        yield f"| {label} | ≤ {figure:g} ms | {value:.0f} ms | {_reached(value <= figure)} |"
    for row in (row for row in searches if row["what"] == "quality" and row["kind"] != "flat"):
        if row["kind"].startswith("components"):
            continue
        share = row["map10"] / _exact(searches, row["set"])
        label = f"mAP at 10 on {row['set']}, {row['kind']}, of exact"
        yield f"| {label} | ≥ 0.99 | {share:.4f} | {_reached(share >= 0.99)} |"


def _reached(good: bool) -> str:
    return "reached" if good else "**missed**"


_LABELS = {
    "exact": "100,000 × 1280, exact",
    "million": "1 million × 256",
    "codes exact": "10 million codes of 256 bits, exact",
    "codes hashed": "10 million codes of 256 bits, hashed",
}

_WHAT: dict[str, tuple[str, Callable[[float], str]]] = {
    "p50_ms": ("a query, median", lambda value: f"{value:.2g} ms"),
    "p99_ms": ("a query, 99 of 100", lambda value: f"{value:.2g} ms"),
    "batched_per_second": ("512 queries at once, a second", lambda value: f"{value:.0f}"),
    "recall": ("recall@10", lambda value: f"{value:.4g}"),
    "resident_bytes": ("memory of the process", lambda value: f"{value / 1e6:.0f} MB"),
    "held_bytes": ("memory it takes", lambda value: f"{value / 1e6:.0f} MB"),
    "build_seconds": ("build", lambda value: f"{value:.0f} s"),
    "open_seconds": ("open", lambda value: f"{value:.2g} s"),
    "within_p50_ms": ("all within 32 bits, median", lambda value: f"{value:.2g} ms"),
    "within_missed": ("missed within 32 bits", lambda value: f"{value:.0f}"),
}


def _search(searches: list[Row]) -> Iterator[str]:
    built = next(row for row in searches if row["what"] == "build")
    yield "## From a picture to the answers"
    yield ""
    yield (
        f"An index of 100,000 items, of which {built['pictures']:,} are pictures: indexed in {built['seconds']:.0f} "
        f"s, {built['pictures'] / built['seconds']:.0f} a second. Queries are JPEG files of a megapixel, parts of "
        "the same originals; the process has opened the index."
    )
    yield ""
    yield "| | median | 90 of 100 | the query | candidates | comparing | ordering |"
    yield "|---|---|---|---|---|---|---|"
    for name, label in (
        ("by vectors", "`--rerank 0`: by vectors alone"),
        ("twenty compared", "twenty candidates compared, their features known"),
        ("twenty compared, cold", "twenty candidates compared, seen for the first time"),
    ):
        taken = [row for row in searches if row["what"] == name]
        p50, p90 = (np.percentile([row["ms"] for row in taken], share) for share in (50, 90))
        stages = " | ".join(f"{np.median([row[stage] for row in taken]):.0f} ms" for stage in STAGES)
        yield f"| {label} | {p50:.0f} ms | {p90:.0f} ms | {stages} |"


def _components(by_name: dict[str, Row], searches: list[Row]) -> Iterator[str]:
    full, small = by_name["exact"], by_name["pca"]
    variance = next(row for row in searches if row["what"] == "variance")
    faster = 1 - small["p50_ms"] / full["p50_ms"]
    yield "## Principal components"
    yield ""
    yield (
        "It is said that 128 components save 40 % of the time and keep 95 % of the variance. Among 100,000 vectors "
        "of 1,280 numbers, searching by 128 components, and computing exact similarities of the candidates after, "
        f"takes {small['p50_ms']:.2f} ms instead of {full['p50_ms']:.2f}: {100 * faster:.0f} % less. So the time is "
        f"saved. The variance is not kept: 128 components have {100 * variance['share_128']:.0f} % of that of the "
        f"real embeddings, and 95 % takes {variance['for_95']} of them. What that costs is recall: "
        f"{small['recall']:.3f} instead of {full['recall']:.3f}. So `--pca` is there where time or memory count for "
        "more, and nothing chooses it by itself."
    )


def _codes(by_name: dict[str, Row]) -> Iterator[str]:
    exact, hashed = by_name["codes exact"], by_name["codes hashed"]
    yield "## Codes"
    yield ""
    yield (
        f"Ten million codes of 256 bits are compared one by one in {exact['p50_ms']:.1f} ms. Multi-index hashing "
        f"finds all within 32 bits in {hashed['within_p50_ms']:.2f} ms ({hashed['within_p99_ms']:.1f} ms for 99 of "
        f"100); over 200 queries it found {hashed['within_found']:,} codes and missed {hashed['within_missed']} that "
        f"comparing every one finds. Its tables take memory: {_bytes(hashed['held_bytes'])} against "
        f"{_bytes(exact['held_bytes'])}. The ten nearest, however far, take {hashed['p50_ms']:.1f} ms: where they "
        "are near, the tables find them, and where not, every code is compared after all."
    )


def _exact(searches: list[Row], of: str) -> float:
    return float(
        next(r["map10"] for r in searches if r["what"] == "quality" and r["set"] == of and r["kind"] == "flat")
    )


def _quality(searches: list[Row]) -> Iterator[str]:
    yield "## What approximation costs in answers"
    yield ""
    yield (
        "Mean average precision at 10 of the right product, by vectors alone, on groceries on shelves and on a "
        "catalogue, each among 80,000 vectors made around pictures of other sets."
    )
    yield ""
    yield "| kind | grocery | of exact | magento | of exact |"
    yield "|---|---|---|---|---|"
    kinds = dict.fromkeys(row["kind"] for row in searches if row["what"] == "quality")
    for kind in kinds:
        cells = []
        for of in ("grocery", "magento"):
            those = (row for row in searches if row["what"] == "quality" and row["set"] == of)
            value = next(row["map10"] for row in those if row["kind"] == kind)
            cells += [f"{value:.4f}", f"{value / _exact(searches, of):.4f}"]
        yield f"| {kind} | {' | '.join(cells)} |"


def _beyond(by_name: dict[str, Row], searches: list[Row]) -> Iterator[str]:
    built = next(row for row in searches if row["what"] == "build")
    speed = built["pictures"] / built["seconds"]
    graph, lists = by_name["million"], by_name["ten million"]
    per_graph = graph["sizes"]["structure"] / graph["count"]
    per_list = lists["sizes"]["structure"] / lists["count"]
    per_item = graph["sizes"]["items"] / graph["count"]
    yield "## A hundred million and more"
    yield ""
    yield "Computed, not run. What goes in is measured above:"
    yield ""
    yield (
        f"- A graph takes {per_graph:.0f} bytes for a vector of 256 numbers: 256 of the vector itself at 8 bits, and "
        f"{per_graph - 256:.0f} of links. Lists of product codes take {per_list:.0f} for one of 128."
    )
    yield (
        f"- The vectors themselves, on disk, take 2 bytes a number and 4 of checksum: {2 * 256 + 4} and "
        f"{2 * 128 + 4}. An item with a short source, a tag and a price takes {per_item:.0f}, on disk."
    )
    yield (
        "- Building a graph of n vectors takes n · log n steps: "
        f"{graph['build_seconds'] - graph['add_seconds']:.0f} s for a million on {2} cores, and so "
        f"{_graph_seconds(graph, SHARD) / 60:.0f} minutes for ten. Lists grow as n."
    )
    yield (
        f"- A search of a graph takes log n steps: {graph['p50_ms']:.2f} ms over a million, and so about "
        f"{graph['p50_ms'] * math.log(SHARD) / math.log(1e6):.2f} ms over ten. Shards are searched side by side; a "
        "query is as slow as the slowest, and a network's millisecond."
    )
    yield ""
    yield (
        "A shard is ten million vectors, the largest that was run. Memory is what has to be in memory to answer in "
        f"milliseconds: the structure. Money is that memory at {MEMORY_PRICE:g} dollars a GB and month, an "
        "assumption to put your own price in for; disk costs a fiftieth of it and is left out."
    )
    yield ""
    yield "| vectors | kind | shards | memory | disk | build, 2 cores a shard | a query | a month |"
    yield "|---|---|---|---|---|---|---|---|"
    for count in (100_000_000, 1_000_000_000, 10_000_000_000):
        kinds = (("graph, 256 numbers", per_graph, 256, graph), ("lists, 128 numbers", per_list, 128, lists))
        for kind, per, width, row in kinds:
            shards = math.ceil(count / SHARD)
            disk = count * (per + 2 * width + 4 + per_item)
            slow = row["p50_ms"] * (math.log(SHARD) / math.log(1e6) if row is graph else 1) + 1
            build = _graph_seconds(graph, SHARD) if row is graph else lists["build_seconds"]
            yield (
                f"| {_count(count)} | {kind} | {shards:,} | {_bytes(count * per)} | {_bytes(disk)} "
                f"| {_seconds(build)} | {slow:.1f} ms | {count * per / 1e9 * MEMORY_PRICE:,.0f} $ |"
            )
    yield ""
    yield (
        "In Milvus a shard is a partition's segments on a query node: for 100 million vectors in a graph "
        f"{_bytes(1e8 * per_graph)} of memory, on four nodes of {math.ceil(1e8 * per_graph / 4 / 0.7 / 1e9)} GB with "
        "a third of it free for loading and growing, and twice that for a replica of each. Filters by tag are inverted "
        "indexes there. Below fifty million vectors one machine of 64 GB does it alone, and is one thing less to run."
    )
    yield ""
    yield (
        "Making the vectors costs more than searching them: at the pictures a second above, 100 million take "
        f"{1e8 / speed / 86400:.0f} days on two cores, and {1e8 / speed / 3600 / 50:.0f} hours on a hundred of a "
        "[Ray cluster](ray.md)."
    )


def _graph_seconds(graph: Row, count: int) -> float:
    one = graph["build_seconds"] - graph["add_seconds"]
    return float(one * count / graph["count"] * math.log(count) / math.log(graph["count"]))


def _how() -> Iterator[str]:
    yield "## How"
    yield ""
    yield (
        "`python benchmarks/index_vectors.py --work DIR` runs the indexes, `python benchmarks/index_search.py "
        "--work DIR` the searches with pictures and the quality; this page is made of their rows, "
        "`benchmarks/results/index_vectors.jsonl` and `index_search.jsonl`, by `benchmarks/scale_page.py`. No "
        "server was measured: what Milvus takes for the same structures depends on its version and its network."
    )


def _count(count: float) -> str:
    if count >= 1e9:
        return f"{count / 1e9:g} billion"
    return f"{count / 1e6:g} million" if count >= 1e6 else f"{count:,}"


def _bytes(count: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"


def _seconds(count: float) -> str:
    if count < 120:
        return f"{count:.0f} s"
    return f"{count / 60:.0f} min" if count < 7200 else f"{count / 3600:.1f} h"


def main() -> None:
    """Write the page, or say whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page would change")
    if parser.parse_args().check:
        same = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page()
        print("as the rows say" if same else f"{PAGE.name} is not what the rows say: run scale_page.py")
        sys.exit(0 if same else 1)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"written: {PAGE.name}")


if __name__ == "__main__":
    main()
