"""The section of ``docs/accuracy.md`` on where the default preset fails, with pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accuracy_rows import Read, percent, point, said
from accuracy_why import WHY

SHOWN = 6
"""Pairs of a strip."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A row of mistakes.

    Attributes:
        file: of the picture, in ``docs/images``.
        of: the rows they are from: what, and set.
        title: above it.
        about: below the title; the counts of the row are put in.
    """

    file: str
    of: tuple[str, str]
    title: str
    about: str

    def row(self, read: Read) -> dict[str, Any]:
        """The row it is made from."""
        what, of = self.of
        return read.row("accuracy", table="worst", what=what, set=of)

    def pairs(self, read: Read) -> list[dict[str, Any]]:
        """The pairs that are shown."""
        found: list[dict[str, Any]] = self.row(read)["shown"]
        return found[:SHOWN]


STRIPS = (
    Strip(
        "accuracy-other-cartons.webp",
        ("other things", "cartons"),
        "Other cartons that look the same",
        "Of {pairs:,} pairs of different cartons, {wrong:,} ({share}) score 0.65 or more.",
    ),
    Strip(
        "accuracy-same-carton.webp",
        ("the same thing", "cartons"),
        "One carton, not recognised",
        "Of {pairs:,} pairs of photos of one carton, {wrong:,} ({share}) score below 0.65.",
    ),
    Strip(
        "accuracy-other-groceries.webp",
        ("other things", "groceries"),
        "Other groceries that look the same",
        "Of {pairs:,} pairs of two classes, {wrong:,} ({share}) score 0.65 or more.",
    ),
    Strip(
        "accuracy-garments.webp",
        ("other things", "clothing"),
        "Garments of several people",
        "Of {pairs:,} pairs of garments that people sent, {wrong:,} ({share}) score 0.80 or more.",
    ),
    Strip(
        "accuracy-copies.webp",
        ("copies", "copies"),
        "Copies, not recognised",
        "Of {pairs:,} copies, {wrong:,} ({share}) score below 0.90; shown are such as may be, pasting aside.",
    ),
    Strip(
        "accuracy-no-copies.webp",
        ("no copies", "copies"),
        "Taken for copies",
        "Of {pairs:,} pairs of other pictures, {wrong:,} ({share}) score 0.90 or more.",
    ),
)

ABOUT = (
    """**Same category is rarely said.** The built-in embedding does not tell two shirts from a shirt and a jacket well
    enough for a band to hold without calling other things alike; the rule errs towards *different*. Search and grouping
    by category need the embedding itself (`--method embedding`) or a calibration on your own pairs.""",
    """**Another photo of the same thing** is found where print or pattern matches (a carton's front), not from another
    side, and hardly for smooth things (most fruit, plain garments), where only kind and colour speak.""",
    """**Two flavours of one brand** share their print: what tells them apart is a colour, and a photo's light changes
    colours too.""",
    """**Recolours without much colour**: black, grey and white versions of one shot often stay over 0.90; so do, by
    contrast, strong changes of tone (very dark copies; casts and prints in sepia that leave one of two colours nearly
    as it was) fall below it, as if recoloured. Renders of one product that were redrawn for each colour are
    *different* more often than not.""",
    """**A picture pasted into another**, such as a screenshot of a shop page: two alone are compared by keypoints,
    which find large ones only. In a folder `--thorough` looks for rectangles with a border on all four sides.""",
    """**A crop that was also turned by a quarter** is usually found, not always. Tilts of more than ten degrees on top
    of a quarter turn are not.""",
    """**Pages of text** with one layout look alike: two invoices of one sender can be called copies.""",
    """**Flat pictures** carry nothing to compare: pale ones lose what they have when brightened.""",
)


def mistakes(read: Read) -> list[str]:
    """Where it fails."""
    lines = ["## Where it fails", ""]
    for text in ABOUT:
        lines += point(text)
    lines += [""]
    lines += said(
        """
        The worst mistakes of `auto` on each set, from those pictures that may be shown here, no two of the same
        products; for cartons, groceries and garments by rules that do not know the products.
        """
    )
    for strip in STRIPS:
        lines += _strip(strip, read)
    return [
        *lines,
        *said(
            """
            Pictures: garments from the [Clothing dataset](https://github.com/alexeygrigorev/clothing-dataset), CC0 1.0;
            groceries from the [Grocery Store Dataset](https://github.com/marcusklasson/GroceryStoreDataset), MIT
            License, Copyright (c) 2019 Marcus Klasson (whole text in [NOTICE](../NOTICE)); made smaller, and edited
            where it says so.
            """
        ),
    ]


def _strip(strip: Strip, read: Read) -> list[str]:
    row, pairs = strip.row(read), strip.pairs(read)
    counts = {"pairs": row["pairs"], "wrong": row["wrong"], "share": percent(row["wrong"] / max(1, row["pairs"]))}
    lines = [f"### {strip.title}", "", *said(strip.about.format(**counts))]
    if not pairs:
        return lines
    lines += [f"![{strip.title}: {len(pairs)} pairs with their scores](images/{strip.file})", ""]
    for place, pair in enumerate(pairs, 1):
        # "1. " and not "- ": the numbers are in the picture
        lines += [
            line.replace("- ", f"{place}. ", 1) if not line.startswith(" ") else f" {line}" for line in _told(pair)
        ]
    return [*lines, ""]


def _told(pair: Mapping[str, Any]) -> list[str]:
    return point(f"{pair['score']:.2f}; {label(pair)}. {why(pair)}")


LABELS = {
    "carton of the same kind": "another carton of the same kind",
    "carton of another kind": "a carton of another kind",
    "one carton, two photos": "one carton",
    "one fruit, two photos": "one sort",
    "another class": "two classes",
    "same label": "two garments with the same label",
    "another label": "two garments with other labels",
    "worn elsewhere": "two garments worn elsewhere",
}


def label(pair: Mapping[str, Any]) -> str:
    """What the pair is, in words."""
    return LABELS.get(pair["kind"]) or (f"a copy: {pair['kind']}" if pair["shared"] == "copy" else "two pictures")


def key(pair: Mapping[str, Any]) -> str:
    """By what :data:`accuracy_why.WHY` knows a pair."""
    return f"{pair['a'].rpartition('/')[2]} ~ {pair['b'].rpartition('/')[2] or pair['kind']}"


def why(pair: Mapping[str, Any]) -> str:
    """What a person sees there; the evidence in words where nobody has looked yet."""
    if key(pair) in WHY:
        return WHY[key(pair)]
    evidence = pair["evidence"]
    words = [
        f"kind {evidence['cosine']:.2f}" if "cosine" in evidence else "",
        f"colours {evidence['palette']:.2f}" if "palette" in evidence else "",
        f"{evidence['agreeing_points']:.0f} agreeing points" if "agreeing_points" in evidence else "",
        f"{evidence['inliers']:.0f} aligned points" if "inliers" in evidence else "",
    ]
    return f"The evidence: {', '.join(word for word in words if word) or 'the frames alone'}."
