"""Fits how the default rule weighs evidence, and measures the fit on products it was not fitted to.

    python benchmarks/fusion_fit.py            # prints every figure, keeps rows in results/fusion.jsonl
    python benchmarks/fusion_fit.py --write    # and writes src/lookalike/scoring/fusion.json, fitted to all pairs

reads ``results/fusion_evidence.csv.gz`` (made by ``fusion_evidence.py``). Five folds by product: a pair is measured
where both its products are in the held-out fold, and fitted to where neither is; pairs across are in neither.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from fusion_evidence import TABLE
from fusion_pairs import CATEGORY, DIFFERENT, PRODUCT, UNKNOWN
from report import table, write

from lookalike.lab.calibrating.fusing import fit_sum, score_lines
from lookalike.lab.datasets.splits import folds
from lookalike.lab.metrics import ece, roc_auc
from lookalike.scoring.fusion import QUESTIONS, SHIPPED, Fusion, Sum
from lookalike.scoring.preset_rules import AUTO_THRESHOLDS

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

PIECES = ("embedding", "palette", "object")
SETS_OF_PIECES = (PIECES, PIECES[:2])
"""All evidence, and what there is where no object was looked for."""

MOST_OF_A_KIND = 2000.0
"""What the pairs of one set with one answer count for at most, so that no set drowns the others."""

STRANGERS = 0.9975
"""Share of pairs of different categories that each question keeps below 0.65; together they promise 0.99."""

PRECISION = 0.9
"""Of the pairs told to be the same product, this share is."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The table as arrays; (N,) each.

    ``one_part`` tells pictures of one of the set's own parts, such as its training pictures: taken on the same days.
    """

    of: npt.NDArray[np.str_]
    kind: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]
    shared: npt.NDArray[np.str_]
    same_class: Flags
    one_part: Flags
    copy: Flags
    evidence: Mapping[str, Floats]

    def is_product(self) -> Flags:
        """Whether both show one product."""
        return np.asarray(self.shared == PRODUCT)

    def asked(self, question: str) -> tuple[Flags, Flags]:
        """Which pairs answer a question, and how. Copies are told by geometry; of two apples nobody knows."""
        if question == "product":
            two_fruits = self.same_class & (self.shared == CATEGORY)
            return ~self.copy & ~two_fruits, self.is_product()
        return ~self.copy & (self.shared != UNKNOWN), np.isin(self.shared, [PRODUCT, CATEGORY])


def read() -> Rows:
    """The table of evidence."""
    lines = list(csv.DictReader(gzip.decompress(TABLE.read_bytes()).decode().splitlines()))

    def column(name: str) -> npt.NDArray[np.str_]:
        return np.array([line[name] for line in lines])

    return Rows(
        column("of"),
        column("kind"),
        np.column_stack([column("group_a"), column("group_b")]),
        column("shared"),
        column("same_class") == "1",
        np.array([line["a"].split("/")[2:3] == line["b"].split("/")[2:3] for line in lines]),
        column("frame").astype(float) >= AUTO_THRESHOLDS["frame_doubt"],
        {piece: column(piece).astype(float) for piece in PIECES},
    )


def weights(rows: Rows, used: Flags, answers: Flags) -> Floats:
    """How much each pair counts."""
    found = np.zeros(len(used))
    for of in np.unique(rows.of):
        for answer in (False, True):
            chosen = used & (rows.of == of) & (answers == answer)
            found[chosen] = min(1.0, MOST_OF_A_KIND / max(1, chosen.sum()))
    return found


def as_a_whole(rows: Rows, used: Flags, answers: Flags) -> Floats:
    """How much each pair of a fold counts, so that its mix is that of all pairs.

    Pairs of one product are never across folds, others mostly are: of a fold's pairs too many are the same product, and
    a probability means something for one mix only.
    """
    whole, truth = rows.asked("product")
    counts = weights(rows, whole, truth)
    found = np.zeros(len(used))
    for of in np.unique(rows.of):
        for answer in (False, True):
            here = (rows.of == of) & (answers == answer)
            found[used & here] = counts[whole & here].sum() / max(1, (used & here).sum())
    return found


def fitted(rows: Rows, part: Flags) -> Fusion:
    """The fusion fitted to some of the pairs."""
    sums = tuple({name: _sum(rows, part, name, pieces) for name in QUESTIONS} for pieces in SETS_OF_PIECES)
    strangers = part & ~rows.copy & (rows.shared == DIFFERENT)
    kind, low = (float(np.quantile(log_odds(sums[0][name], rows)[strangers], STRANGERS)) for name in QUESTIONS)
    used, answers = rows.asked("product")
    same = least_precise(log_odds(sums[0]["product"], rows), used & part, answers, weights(rows, used & part, answers))
    return Fusion(sums, score_lines((kind, max(same, kind + 0.5)), low), about={})


def _sum(rows: Rows, part: Flags, question: str, pieces: tuple[str, ...]) -> Sum:
    used, answers = rows.asked(question)
    used = used & part
    chosen = {piece: rows.evidence[piece][used] for piece in pieces}
    return fit_sum(chosen, answers[used], weights(rows, used, answers)[used])


def least_precise(odds: Floats, used: Flags, answers: Flags, counts: Floats) -> float:
    """The lowest log-odds over which :data:`PRECISION` of the pairs are the same product."""
    order = np.flatnonzero(used)[np.argsort(-odds[used])]
    right = np.cumsum(counts[order] * answers[order]) / np.cumsum(counts[order])
    return float(odds[order][np.flatnonzero(right >= PRECISION)[-1]])


def log_odds(sums: Sum, rows: Rows) -> Floats:
    """Of all pairs at once."""
    found = np.full(len(rows.of), sums.base)
    for piece, line in sums.lines.items():
        found += np.interp(rows.evidence[piece], [x for x, _ in line], [y for _, y in line])
    return found


def scores(fusion: Fusion, rows: Rows, variant: int = 0) -> Floats:
    """Of all pairs at once; copies count as 0.95."""
    found = np.max(
        [
            np.interp(log_odds(fusion.sums[variant][name], rows), *zip(*fusion.scores[name], strict=True))
            for name in QUESTIONS
        ],
        axis=0,
    )
    return np.where(rows.copy, 0.95, found)


CLASSES = ("one carton, two photos", "one fruit, two photos", "another class")
CARTONS = ("one carton, two photos", "carton of the same kind", "carton of another kind")


def figures(rows: Rows, fusion: Fusion, test: Flags, variant: int = 0) -> dict[str, float]:
    """Everything that is promised, on some of the pairs."""
    score = scores(fusion, rows, variant)
    odds = log_odds(fusion.sums[variant]["product"], rows)
    likely = np.where(rows.copy, 0.99, 1 / (1 + np.exp(-odds)))
    asked, same = rows.asked("product")
    asked = test & asked
    counts = as_a_whole(rows, asked, same)
    found = {
        "AUC, same class, all photos of groceries": area(rows, score, test, CLASSES, rows.same_class),
        "AUC, one carton": area(rows, score, test, CARTONS, rows.same_class),
        "AUC, one carton, photos of one part of the set": area(
            rows, score, test & rows.one_part, CARTONS, rows.same_class
        ),
        "AUC, one carton, by P(same product)": area(rows, likely, test, CARTONS, rows.same_class),
        "calibration error of P(same product)": float(ece(likely[asked], same[asked], counts[asked])),
        "other category below 0.65": _share(score < 0.65, test & (rows.shared == DIFFERENT)),
        "same product 0.80 and more": _share(score >= 0.80, asked & same),
        "same product 0.65 and more": _share(score >= 0.65, asked & same),
        "same category 0.65 and more": _share(score >= 0.65, test & (rows.shared == CATEGORY)),
        "other product of the category 0.80 and more": _share(score >= 0.80, asked & (rows.shared == CATEGORY)),
        "other category 0.80 and more": _share(score >= 0.80, test & (rows.shared == DIFFERENT)),
    }
    for of in np.unique(rows.of):
        found[f"other category below 0.65, {of}"] = _share(
            score < 0.65, test & (rows.of == of) & (rows.shared == DIFFERENT)
        )
        found[f"same product 0.80 and more, {of}"] = _share(score >= 0.80, asked & same & (rows.of == of))
    return found


def area(rows: Rows, score: Floats, test: Flags, kinds: tuple[str, ...], same: Flags) -> float:
    """Under the ROC curve, for pairs of some kinds."""
    chosen = test & (rows.of == "grocery") & np.isin(rows.kind, kinds)
    return float(roc_auc(score[chosen], same[chosen]))


def _share(flags: Flags, among: Flags) -> float:
    return float(flags[among].mean()) if among.any() else float("nan")


def alone(rows: Rows, test: Flags) -> dict[str, float]:
    """The same areas for each piece by itself."""
    return {
        f"{piece} alone: {name}": area(rows, rows.evidence[piece], test, kinds, rows.same_class)
        for piece in PIECES
        for name, kinds in (("same class", CLASSES), ("one carton", CARTONS))
    } | {
        f"{piece} alone: one carton, photos of one part of the set": area(
            rows, rows.evidence[piece], test & rows.one_part, CARTONS, rows.same_class
        )
        for piece in PIECES
    }


def cross_validated(rows: Rows, count: int, seeds: int) -> list[dict[str, object]]:
    """Figures on every held-out fold."""
    found: list[dict[str, object]] = []
    names = np.unique(rows.groups)
    for seed in range(seeds):
        number = dict(
            zip(
                names.tolist(),
                folds(names.tolist(), count, strata=[name.split("/")[0] for name in names.tolist()], seed=seed),
                strict=True,
            )
        )
        sides = np.array([[number[name] for name in pair] for pair in rows.groups.tolist()])
        for fold in range(count):
            fusion = fitted(rows, (sides != fold).all(axis=1))
            test = (sides == fold).all(axis=1)
            found.append({"seed": seed, "fold": fold, **figures(rows, fusion, test), **alone(rows, test)})
            found.append({"seed": seed, "fold": fold, "without": "object", **figures(rows, fusion, test, 1)})
    return found


def main() -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="fit to all pairs and write the package's file")
    asked = parser.parse_args()
    started = time.perf_counter()
    rows = read()
    found = cross_validated(rows, asked.folds, asked.seeds)
    for title, chosen in (
        ("All evidence", [row for row in found if "without" not in row]),
        ("No object looked for", [row for row in found if "without" in row]),
    ):
        lines = []
        for name in [name for name in chosen[0] if name not in ("seed", "fold", "without")]:
            values = np.array([row[name] for row in chosen], float)
            if np.isfinite(values).any():
                lines.append([name, *(f"{of(values):.4f}" for of in (np.nanmean, np.nanmin, np.nanmax))])
        table(f"{title}: means over held-out folds", ["figure", "mean", "least", "most"], lines)
    settings = {"folds": asked.folds, "seeds": asked.seeds, "pairs": len(rows.of)}
    write("fusion", found, settings)
    if asked.write:
        fusion = fitted(rows, np.ones(len(rows.of), bool))
        about = {
            "made by": "benchmarks/fusion_fit.py",
            "day": datetime.now(UTC).date().isoformat(),
            "pairs": {of: int((rows.of == of).sum()) for of in np.unique(rows.of).tolist()},
            "what the numbers are": "log-odds added by a piece of evidence at the knots of a broken line; then scores",
        }
        document = Fusion(fusion.sums, fusion.scores, about).to_dict()
        SHIPPED.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        print(f"written: {SHIPPED.name}")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
