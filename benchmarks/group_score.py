"""How right the pairs are that were found in a made folder.

    lookalike group /tmp/photos/pictures --threshold 0.9 --json /tmp/pairs.jsonl
    python benchmarks/group_score.py /tmp/photos /tmp/pairs.jsonl --sheets /tmp/sheets

prints the recall of every edit, and what the found pairs are to each other. Pairs of pictures that certainly differ are
false. Pairs that may truly be alike (two photos by one sender, one shelf, one product), and one photo's object in
another colour or texture, are counted apart: they are for eyes, and with --sheets drawn side by side, as are the false
pairs and the missed ones.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from group_edits import PASTED
from group_truth import PICTURES, Truth, pair
from PIL import Image, ImageDraw
from report import table

Pair = tuple[str, str]

FALSE = "strangers"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the planted pairs, and what else was found.

    Attributes:
        planted, recalled: how many pairs of every edit there are, and how many were found.
        relations: what the found pairs are to each other (see :meth:`group_truth.Truth.relation`), how many of each.
    """

    planted: Counter[str]
    recalled: Counter[str]
    relations: Counter[str]

    def recall(self, kinds: Iterable[str]) -> float:
        """Share of the planted pairs of these edits that were found."""
        chosen = set(kinds)
        return sum(self.recalled[kind] for kind in chosen) / max(1, sum(self.planted[kind] for kind in chosen))

    @property
    def all_but_pasting(self) -> list[str]:
        """The edits that count towards the recall over all."""
        return [kind for kind in self.planted if kind != PASTED]

    @property
    def false(self) -> int:
        """Found pairs of pictures that certainly differ."""
        return self.relations[FALSE]

    @property
    def precision(self) -> float:
        """Planted pairs among the found ones whose truth is known."""
        return self.relations["planted"] / max(1, self.relations["planted"] + self.false)

    @property
    def doubtful(self) -> int:
        """Found pairs for eyes to judge."""
        return self.relations.total() - self.relations["planted"] - self.false

    @property
    def strict_precision(self) -> float:
        """Planted pairs among all found ones."""
        return self.relations["planted"] / max(1, self.relations.total())

    def to_dict(self) -> dict[str, Any]:
        """As a row for the results."""
        return {
            "recall": {kind: self.recall([kind]) for kind in self.planted},
            "recall_but_pasting": self.recall(self.all_but_pasting),
            "planted": self.planted.total(),
            "precision": self.precision,
            "strict_precision": self.strict_precision,
            "relations": dict(self.relations),
        }


def judge(truth: Truth, found: Iterable[Pair]) -> Verdict:
    """Set what was found against the truth."""
    relations: Counter[str] = Counter()
    recalled: Counter[str] = Counter()
    for a, b in found:
        relations[truth.relation(a, b)] += 1
        if kind := truth.planted.get(pair(a, b)):
            recalled[kind] += 1
    return Verdict(Counter(truth.planted.values()), recalled, relations)


def read_pairs(path: Path, threshold: float) -> dict[Pair, float]:
    """File names → score, of every line of ``--json`` at the threshold or over it."""
    found = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row.get("score", -1.0) >= threshold:
                found[pair(Path(row["a"]).name, Path(row["b"]).name)] = float(row["score"])
    return found


def show(verdict: Verdict) -> None:
    """Print both tables."""
    rows: list[Sequence[object]] = [
        [kind, count, verdict.recalled[kind], f"{100 * verdict.recall([kind]):.1f}"]
        for kind, count in sorted(verdict.planted.items())
    ]
    kinds = verdict.all_but_pasting
    counts = [sum(number[kind] for kind in kinds) for number in (verdict.planted, verdict.recalled)]
    rows.append(["all but pasting", *counts, f"{100 * verdict.recall(kinds):.2f}"])
    table("Planted pairs", ["edit", "pairs", "found", "recall, %"], rows)
    named = [(relation, count) for relation, count in verdict.relations.most_common()]
    table("What the found pairs are", ["relation", "pairs"], named)
    print(
        f"\nprecision {100 * verdict.precision:.2f} % ({verdict.false} false); "
        f"{100 * verdict.strict_precision:.2f} % if the {verdict.doubtful} doubtful ones are false too"
    )


def sheets(folder: Path, truth: Truth, found: dict[Pair, float], into: Path, most: int = 240) -> list[Path]:
    """Draw false, doubtful and missed pairs side by side, at most ``most`` a sheet, the highest scores first."""
    drawn: dict[str, list[tuple[Pair, str]]] = {"false": [], "kin": [], "same-photo": [], "missed": []}
    for names, score in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        relation = truth.relation(*names)
        if relation != "planted":
            where = {FALSE: "false", "kin": "kin"}.get(relation, "same-photo")
            drawn[where].append((names, f"{score:.3f} {relation.removeprefix('same photo, ')}"))
    for names, kind in sorted(truth.planted.items(), key=lambda item: (item[1], item[0])):
        if names not in found:
            drawn["missed"].append((names, kind))
    into.mkdir(parents=True, exist_ok=True)
    written = []
    for name, pairs in drawn.items():
        if pairs:
            path = into / f"{name}.png"
            sheet(folder / PICTURES, pairs[:most]).save(path)
            written.append(path)
            print(f"{path}: {min(most, len(pairs))} of {len(pairs)}")
    return written


def sheet(pictures: Path, pairs: Sequence[tuple[Pair, str]], columns: int = 6, cell: int = 128) -> Image.Image:
    """Pairs with their names and a word on each."""
    width, height = 2 * cell + 12, cell + 30
    page = Image.new("RGB", (columns * width, -(-len(pairs) // columns) * height), (70, 70, 70))
    draw = ImageDraw.Draw(page)
    for number, (names, words) in enumerate(pairs):
        left, top = number % columns * width, number // columns * height
        for side, name in enumerate(names):
            with Image.open(pictures / name) as image:
                image.thumbnail((cell, cell))
                page.paste(image.convert("RGB"), (left + side * (cell + 2), top))
        draw.text((left + 2, top + cell + 1), words, "white")
        draw.text((left + 2, top + cell + 14), " ".join(names), (190, 190, 190))
    return page


def main() -> None:
    """Judge one file of pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="as group_photos.py or group_catalogue.py made it")
    parser.add_argument("pairs", type=Path, help="what `lookalike group … --json FILE` wrote")
    parser.add_argument("--threshold", type=float, default=0.9)
    parser.add_argument("--sheets", type=Path, help="draw false, doubtful and missed pairs into this folder")
    asked = parser.parse_args()
    truth = Truth(asked.folder)
    found = read_pairs(asked.pairs, asked.threshold)
    show(judge(truth, found))
    if asked.sheets:
        sheets(asked.folder, truth, found, asked.sheets)


if __name__ == "__main__":
    main()
