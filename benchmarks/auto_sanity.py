"""Whether the score of the default preset means what its verdict says, on real pictures.

    python benchmarks/auto_sanity.py                       # about 40 pictures a set, 2,000 pairs of strangers
    python benchmarks/auto_sanity.py --pictures 200 --pairs 8000 --seed 1

prints a table for each promise: identical pictures give 1.0, edited copies 0.90 and more, different products of one
catalogue category less than 0.90, products of different categories less than 0.65, and order does not matter. The
worst pairs are named with the evidence behind their scores.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import auto_cases
from auto_cases import Case
from data import folder_or_leave, sample
from edits import EDITS, REQUIRED
from report import reached, table, write
from timing import median

import lookalike
from lookalike import Comparison

WORST = 5


@dataclass(frozen=True, slots=True)
class Promise:
    """Scores from ``least`` up to, but not including, ``below``; kept by a share of pairs."""

    words: str
    least: float
    below: float
    least_share: float

    def holds(self, score: float) -> bool:
        """Whether one score is as promised."""
        return self.least <= score < self.below

    def miss(self, score: float) -> float:
        """By how much a score misses; below 0 where it does not, the nearer to 0 the narrower."""
        return max(self.least - score, score - self.below)


SAME = Promise("1.0", 1.0, 2.0, 1.0)
COPY = Promise("≥ 0.90", 0.90, 2.0, 0.95)
STRANGER = Promise("< 0.65", -1.0, 0.65, 0.98)
RIVAL = Promise("< 0.90", -1.0, 0.90, 0.995)
RECOLOURED = Promise("0.80 to 0.90", 0.80, 0.90, 0.0)

Scored = tuple[Case, Comparison]


def compared(cases: Iterable[Case]) -> Iterator[Scored]:
    """Every case with its comparison, in order."""
    ours, theirs = itertools.tee(cases)
    for case, result in zip(ours, lookalike.compare_many((case.a, case.b) for case in theirs), strict=True):
        if isinstance(result, Comparison):
            yield case, result
        else:
            print(f"failed: {case.names}: {result}")


def summary(what: str, of: str, scored: Sequence[Scored], promise: Promise, *, counts: bool = True) -> dict[str, Any]:
    """One row: how many keep the promise, how the scores lie, and the worst pairs with their evidence."""
    scores = sorted(result.score for _, result in scored)
    kept = sum(promise.holds(score) for score in scores)
    worst = sorted(scored, key=lambda item: -promise.miss(item[1].score))[:WORST]
    return {
        "what": what,
        "set": of,
        "pairs": len(scores),
        "promise": promise.words,
        "share": kept / len(scores),
        "least_share": promise.least_share if counts else None,
        "reached": kept >= promise.least_share * len(scores) if counts else None,
        "quantiles": {str(q): scores[round(q * (len(scores) - 1))] for q in (0, 0.005, 0.05, 0.5, 0.95, 0.995, 1)},
        "worst": [evidence(case, result) for case, result in worst],
    }


def evidence(case: Case, result: Comparison) -> dict[str, Any]:
    """A pair and everything that made its score."""
    return {
        "pair": case.names,
        "score": result.score,
        "reasons": result.reasons,
        "parts": dict(result.parts),
        "details": dict(result.details),
    }


def by_set(what: str, scored: Sequence[Scored], promise: Promise, *, counts: bool) -> list[dict[str, Any]]:
    """A row for each set, and the one for all of them that counts."""
    sets = dict.fromkeys(case.of for case, _ in scored)
    rows = [summary(what, of, [item for item in scored if item[0].of == of], promise, counts=False) for of in sets]
    for row in rows:
        del row["worst"]  # they are among those of all sets
    return [*rows, summary(what, "all", scored, promise, counts=counts)]


def show_copies(rows: Sequence[dict[str, Any]]) -> None:
    """One line an edit, one column a set."""
    sets = list(dict.fromkeys(row["set"] for row in rows))
    lines = []
    for what in dict.fromkeys(row["what"] for row in rows):
        of_it = {row["set"]: row for row in rows if row["what"] == what}
        verdict = "" if of_it["all"]["reached"] is None else reached(of_it["all"]["reached"])
        lines.append([what, of_it["all"]["promise"], *(f"{100 * of_it[of]['share']:.1f}" for of in sets), verdict])
    table("Copies: % of pictures whose score is as promised", ["edit", "score", *sets, ""], lines)


def show_others(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """One line a row, with the quantiles that tell how near the limit is."""
    lines = []
    for row in rows:
        quantiles = (f"{row['quantiles'][q]:.2f}" for q in ("0", "0.05", "0.5", "0.95", "0.995", "1"))
        verdict = "" if row["reached"] is None else reached(row["reached"])
        share = f"{100 * row['share']:.2f}"
        lines.append([row["what"], row["set"], row["pairs"], row["promise"], share, *quantiles, verdict])
    head = ["pairs of", "set", "pairs", "score", "% so", "least", "5 %", "median", "95 %", "99.5 %", "most", ""]
    table(title, head, lines)


def show_worst(rows: Sequence[dict[str, Any]]) -> None:
    """The worst pairs of every row that has one breaking its promise."""
    for row in rows:
        if row["share"] == 1.0 or "worst" not in row:
            continue
        print(f"\nworst: {row['what']} ({row['set']}), promised {row['promise']}")
        for pair in row["worst"]:
            known = {**pair["parts"], **pair["details"]}
            numbers = " ".join(f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in known.items())
            print(f"  {pair['score']:.3f}  {pair['pair'][0]}  ~  {pair['pair'][1]}\n         {numbers}")


def asymmetry(scored: Sequence[Scored], pairs: int) -> dict[str, Any]:
    """Greatest |score(a, b) − score(b, a)| over every n-th pair, all computed anew."""
    chosen = scored[:: max(1, len(scored) // pairs)]
    straight = {case.names: result.score for case, result in chosen}
    turned = compared(case.swapped() for case, _ in chosen)
    greatest = max(abs(straight[case.names[::-1]] - result.score) for case, result in turned)
    return {"what": "asymmetry", "pairs": len(chosen), "greatest": greatest, "reached": greatest <= 1e-6}


def seconds(scored: Sequence[Scored], each: int) -> list[dict[str, Any]]:
    """Time of a comparison from the files, models loaded, nothing remembered: by kind of pair and by verdict."""
    taken: dict[tuple[str, str], list[float]] = {}
    for case, result in scored:
        times = taken.setdefault((case.kind, result.verdict), [])
        if len(times) < each:
            before = time.perf_counter()
            lookalike.compare(case.a, case.b)
            times.append((time.perf_counter() - before) * 1000)
    return [
        {"what": "time", "kind": kind, "verdict": verdict, "pairs": len(times), "median_ms": median(times)}
        for (kind, verdict), times in taken.items()
    ]


def main() -> None:
    """Run everything, print the tables, write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=40, help="pictures of each set that are edited")
    parser.add_argument("--pairs", type=int, default=2000, help="pairs of different products in different categories")
    parser.add_argument("--rivals", type=int, default=3000, help="pairs of different products in one category")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-rows", action="store_true", help="print only, keep the stored rows as they are")
    asked = parser.parse_args()
    started = time.perf_counter()
    sources = auto_cases.read_all(folder_or_leave())

    copies: list[dict[str, Any]] = []
    same = list(compared(auto_cases.identical(sources, asked.pictures, asked.seed)))
    copies += by_set("the same file", same, SAME, counts=True)
    edited = list(compared(auto_cases.edited(sources, asked.pictures, asked.seed)))
    for name in EDITS:
        of_it = [item for item in edited if item[0].kind == name]
        promise = SAME if name == "PNG" else COPY
        copies += by_set(name, of_it, promise, counts=name in REQUIRED or promise is SAME)
    show_copies(copies)

    strangers = list(compared(auto_cases.different(sources, asked.pairs, asked.seed)))
    others = []
    counted: list[Scored] = []
    for kind, of, counts, _ in auto_cases.DIFFERENT:
        of_it = [item for item in strangers if (item[0].kind, item[0].of) == (kind, of)]
        if of_it:
            others.append(summary(kind, of, of_it, STRANGER, counts=False))
            counted += of_it if counts else []
    others.append(summary("all that count (the first four)", "all", counted, STRANGER))
    rivals: list[Scored] = []
    if sources["magento"]:
        rivals = list(compared(sample(list(auto_cases.same_category(sources)), asked.rivals, asked.seed)))
        shots = list(compared(auto_cases.recoloured(sources)))
        others.append(summary("one category, same view", "magento", rivals, RIVAL))
        others.append(summary("one product, two colours", "magento", shots, RECOLOURED, counts=False))
        rivals += shots
    show_others("Different pictures: % of pairs whose score is as promised", others)
    show_worst(copies + others)

    everything = [*edited, *strangers, *rivals]
    order = asymmetry(everything, 300)
    print(f"\ngreatest |score(a, b) - score(b, a)| of {order['pairs']} pairs: {order['greatest']:.2g}", end=" ")
    print(f"({reached(order['reached'])}: 1e-6)")
    times = [row for row in seconds(everything, 7) if row["pairs"] > 2]
    lines = [[row["kind"], row["verdict"], row["pairs"], f"{row['median_ms']:.0f}"] for row in times]
    table("Time of one comparison, files of all sizes, models loaded", ["kind", "verdict", "pairs", "median ms"], lines)
    print(f"\n{time.perf_counter() - started:.0f} s in all")
    if not asked.no_rows:
        settings = {"pictures": asked.pictures, "pairs": asked.pairs, "rivals": asked.rivals, "seed": asked.seed}
        write("auto_sanity", [*copies, *others, order, *times], settings)


if __name__ == "__main__":
    main()
