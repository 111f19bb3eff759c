"""The real pictures that the benchmarks measure on, and what is known about each.

They are not part of this repository: the folder is named by the environment variable ``LOOKALIKE_DATA`` and looked for
beside the checkout (``../shared/data``) otherwise. Every set has a ``labels.tsv`` but the cut-outs, whose folders say
what they show.
"""

from __future__ import annotations

import csv
import os
import random
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

SETS = ("clothing", "grocery", "magento", "shop-demo", "tuxpaint")
"""Sets with ground truth, by the names used in the tables."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture and its ground truth.

    Attributes:
        path: where it is.
        name: path below the data folder, as the tables name it.
        of: the set it belongs to.
        category: what it shows, at the coarseness of the set: "T-Shirt", "Juice", "jacket" …; empty where unknown.
        group: a coarser one: part of the body worn on, aisle …; empty where the set has none.
        product: which product exactly; empty where the set does not say.
        fine: the finest class of groceries: a product where they are packaged, a sort of fruit where they are loose.
        colour, view: of the product; empty where the set does not say. A catalogue picture without a named view is
            "alone": another shot than the "main" one of that product. Groceries have a "photo" each, and the producer's
            "iconic" one.
        sender: who took the picture; empty where the set does not say.
    """

    path: Path
    name: str
    of: str
    category: str = ""
    group: str = ""
    product: str = ""
    colour: str = ""
    view: str = ""
    sender: str = ""
    fine: str = ""


def folder() -> Path | None:
    """The data folder, or None where it is absent."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    found = Path(os.environ.get("LOOKALIKE_DATA", beside))
    return found if found.is_dir() else None


def folder_or_leave() -> Path:
    """The data folder; where there is none, say why nothing is measured and leave with success."""
    found = folder()
    if found is None:
        print("skipped: the real pictures are absent; set LOOKALIKE_DATA to their folder")
        sys.exit(0)
    return found


def read(root: Path, of: str) -> list[Labelled]:
    """All pictures of one of :data:`SETS`, in a fixed order; empty, with a line that says so, where it is absent."""
    reader, part = _READERS[of]
    if not (root / part).is_dir():
        print(f"skipped: no folder {part} in the data")
        return []
    return sorted(reader(root), key=lambda picture: picture.name)


def sample(pictures: Sequence[T], count: int, seed: int) -> list[T]:
    """``count`` of ``pictures``, in order, the same for the same seed; all of them where there are fewer."""
    if len(pictures) <= count:
        return list(pictures)
    return [pictures[index] for index in sorted(random.Random(seed).sample(range(len(pictures)), count))]


def sample_pairs(
    pictures: Sequence[Labelled], accept: Callable[[Labelled, Labelled], bool], count: int, seed: int
) -> list[tuple[Labelled, Labelled]]:
    """``count`` different unordered pairs that ``accept`` lets through; all of them where there are fewer."""
    total = len(pictures) * (len(pictures) - 1) // 2
    if total <= 20 * count:  # few enough to look at them all
        return sample([pair for pair in _all_pairs(pictures) if accept(*pair)], count, seed)
    chance = random.Random(seed)
    found: dict[tuple[int, int], None] = {}
    for _ in range(200 * count):
        if len(found) == count:
            break
        i, j = sorted(chance.sample(range(len(pictures)), 2))
        if accept(pictures[i], pictures[j]):
            found[i, j] = None
    return [(pictures[i], pictures[j]) for i, j in found]


def _all_pairs(pictures: Sequence[Labelled]) -> Iterable[tuple[Labelled, Labelled]]:
    return ((a, b) for index, a in enumerate(pictures) for b in pictures[index + 1 :])


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


_WORN = {
    **dict.fromkeys(("Blouse", "Longsleeve", "Polo", "Shirt", "T-Shirt", "Top", "Undershirt", "Hoodie"), "top"),
    **dict.fromkeys(("Blazer", "Outwear"), "top"),
    **dict.fromkeys(("Pants", "Shorts", "Skirt"), "bottom"),
    "Dress": "dress",
    "Hat": "hat",
    "Shoes": "shoes",
    "Body": "body",
}
"""Labels of the clothing set that name a garment ("Not sure", "Other" and "Skip" do not) → where it is worn."""


def _clothing(root: Path) -> list[Labelled]:
    found = []
    for row in _rows(root / "clothing" / "labels.tsv"):
        path = root / "clothing" / "images" / f"{row['image']}.jpg"
        if path.is_file():
            group = _WORN.get(row["label"], "")
            label = row["label"] if group else ""
            name = f"clothing/{path.name}"
            found.append(Labelled(path, name, "clothing", label, group, sender=row["sender_id"]))
    return found


def _grocery(root: Path) -> list[Labelled]:
    return [
        Labelled(
            path=root / "grocery" / row["path"],
            name=f"grocery/{row['path']}",
            of="grocery",
            category=row["coarse_class"],
            group=row["form"],
            product=row["fine_class"] if row["form"] == "packaged" else "",
            view="iconic" if row["kind"] == "iconic" else "photo",
            fine=row["fine_class"],
        )
        for row in _rows(root / "grocery" / "labels.tsv")
    ]


_SKU = re.compile(r"([mw]sh|[mw][bghjpst]|ug)(\d\d)-([a-z]+)(?:-0)?(?:_([a-z_]+\d?))?$")
"""Who wears what, its number, colour and view: ``wsh05-purple_main``, ``mg02-bk-0``.

Read from the file name, since the table has taken some names for products of their own, all seen from the front.
"""

_GARMENTS = {
    "h": ("hoodie", "top"),
    "j": ("jacket", "top"),
    "s": ("shirt", "top"),
    "t": ("tank or tee", "top"),
    "p": ("pants", "bottom"),
    "sh": ("shorts", "bottom"),
    "mb": ("bag", "gear"),
    "wb": ("bra", "top"),
    "g": ("watch", "gear"),
    "ug": ("equipment", "gear"),
}


def _magento(root: Path) -> list[Labelled]:
    found = []
    for row in _rows(root / "magento" / "labels.tsv"):
        path = root / "magento" / row["path"]
        name = f"magento/{row['path']}"
        parts = _SKU.match(path.stem)
        if parts is None:
            found.append(Labelled(path, name, "magento", product=row["product"], view=row["view"]))
            continue
        kind, number, colour, view = parts.groups()
        category, group = _GARMENTS.get(kind) or _GARMENTS[kind[1:]]
        found.append(Labelled(path, name, "magento", category, group, kind + number, colour, view or "alone"))
    return found


def _shop_demo(root: Path) -> list[Labelled]:
    return [
        Labelled(
            path=root / "shop-demo" / row["path"],
            name=f"shop-demo/{row['path']}",
            of="shop-demo",
            product=row["product"],
            colour=row["colour"] or "",
            view=row["view"] or "",
        )
        for row in _rows(root / "shop-demo" / "labels.tsv")
    ]


def _tuxpaint(root: Path) -> list[Labelled]:
    base = root / "tuxpaint-cutouts"
    found = []
    for path in base.rglob("*.png"):
        inside = path.relative_to(base)
        group = inside.parts[0]
        category = "/".join(inside.parts[:-1])
        found.append(Labelled(path, f"tuxpaint-cutouts/{inside.as_posix()}", "tuxpaint", category, group))
    return found


_READERS: dict[str, tuple[Callable[[Path], list[Labelled]], str]] = {
    "clothing": (_clothing, "clothing"),
    "grocery": (_grocery, "grocery"),
    "magento": (_magento, "magento"),
    "shop-demo": (_shop_demo, "shop-demo"),
    "tuxpaint": (_tuxpaint, "tuxpaint-cutouts"),
}
