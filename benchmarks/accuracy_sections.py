"""Sections of ``docs/accuracy.md``: figures to reach, copies, other pictures, methods, retrieval, recolours."""

from __future__ import annotations

from typing import Any

from accuracy_rows import Read, day, folded, met, number, percent, said, table, within

SETS = {
    "cartons": "one carton, two photos",
    "cartons, one part": "the same, one part of the set",
    "groceries": "one class of groceries",
    "garments": "one garment",
    "shops": "one product of a shop",
    "copies": "edited copies",
}
"""Sets of labelled pairs, by the names in the rows → in a table's head."""

ABOUT_SETS = """
Sets: *cartons* (`grocery`): a carton photographed twice in shops, against other cartons, a third of them of the same
kind; *one part of the set*: both photos are from its training pictures, or both from its validation pictures, which
have more in common. *Groceries*: all 81 classes, fruit as well. *Garments* (`magento`): one garment in another view or
another colour, against garments of the same and of another type. *Shops* (`shop-demo`): a product in other views and
colours. *Copies*: pictures of all five sets and what 38 edits make of them, against look-alikes.
"""


def head(read: Read) -> list[str]:
    """What this page is, and how far it can be trusted."""
    run = read.run("accuracy")
    return [
        "# Accuracy",
        "",
        *said(
            f"""
            What Lookalike's numbers are worth, measured on {day(run["day"])} on {run["cores"]} cores of an
            {run["processor"]}. This page is made by `benchmarks/accuracy_page.py` from the raw rows in
            `benchmarks/results/`; what makes those, [benchmarks/README.md](../benchmarks/README.md) says. Pictures:
            phone photos of garments (`clothing`), shop photos of groceries (`grocery`), a garment catalogue on white
            (`magento`), three demo shops (`shop-demo`), cut-out drawings and photos (`tuxpaint`).
            """
        ),
        *said(
            """
            How `auto` weighs evidence was fitted to pairs of these pictures. So wherever that weighing matters, `auto`
            is measured here by rules that were fitted anew **without the products of the pair at hand**; *as shipped*
            stands where it is not. Its geometry (what is a copy) was tuned by hand while looking at other pictures of
            these sets, so expect a little less on yours. Intervals are 95 %, by bootstrap over pictures.
            """
        ),
    ]


FIGURES = {
    "copies": ("edited copies, all 38 edits: scored 0.90 or more", "share"),
    "precision of copies": ("precision of 0.90 and more, look-alikes among the others", "share"),
    "groceries": ("one class of groceries, all 81: AUC of `auto`", "area"),
    "cartons": ("one carton, two photos: AUC of `auto`", "area"),
    "cartons, one part": ("the same, both photos from one part of the set", "area"),
    "retrieval": ("retrieval of groceries: mAP of `auto` over that of the embedding at 128 px", "share"),
    "recolours, style": ("recoloured garment above another of the same colour: `style`", "area"),
    "recolours, auto": ("the same: `auto`", "area"),
    "calibration error": ("expected calibration error of P(same product)", "area"),
    "seconds of calibrate": ("`calibrate` on 500 pairs, features stored", "seconds"),
}


def figures(read: Read) -> list[str]:
    """Every figure to reach."""
    lines = [_figure(row) for row in read.rows("accuracy", table="figures")]
    strangers = read.row("auto_sanity", set="all", promise="< 0.65")
    crossed = [row["other category below 0.65"] for row in read.rows("fusion") if "without" not in row]
    told = sum(crossed) / len(crossed)
    lines += [
        ["pictures of other categories below 0.65, products held out", "≥ 99 %", percent(told), met(told >= 0.99)],
        ["the same, as shipped", "≥ 99 %", percent(strangers["share"]), met(strangers["share"] >= 0.99)],
    ]
    for row in read.rows("train_head", part="time", what="head"):
        words = f"`train` on {row['pictures']:,} pictures, features stored"
        lines.append([words, "≤ 60 s", _with(row["seconds"], "seconds"), met(row["seconds"] <= 60)])
    return ["## Figures to reach", "", *table(["what", "to reach", "is", ""], lines)]


def _figure(row: dict[str, Any]) -> list[str]:
    words, unit = FIGURES[row["what"]]
    limit = f"≥ {_with(row['least'], unit)}" if "least" in row else f"≤ {_with(row['most'], unit)}"
    return [words, limit, _with(row["value"], unit), met(row["reached"])]


def _with(value: float, unit: str) -> str:
    if unit == "share":
        return percent(value, 2 if value > 0.995 else 1)
    return f"{value:.1f} s".replace(".0 s", " s") if unit == "seconds" else f"{value:.3f}"


def copies(read: Read) -> list[str]:
    """Copies by edit."""
    edited = read.rows("accuracy", table="edit")
    made = read.row("accuracy", table="sets", set="copies")
    totals = {row["name"]: row for row in read.rows("accuracy", table="edits")}
    lines = [
        *("## Copies by edit", ""),
        *said(
            f"""
            `auto` should score an edited copy 0.90 or more, whatever was done to it. {made["same"]:,} copies, made by
            [every edit](guide.md) that `lookalike edits` knows; pictures up to 1,024 px. *Light* edits leave nearly
            all of the picture, *medium* ones what matters, *strong* ones less.
            """
        ),
        *table(
            ["edits", "copies", "0.90 or more", "95 % interval", "0.80 or more", "precision of 0.90 and more"],
            [
                [
                    name,
                    f"{row['copies']:,}",
                    percent(row["share"]),
                    f"{percent(row['low'])} to {percent(row['high'])}",
                    percent(row["same_product"] / max(1, row["copies"])),
                    percent(row["precision"], 2),
                ]
                for name, row in totals.items()
            ],
        ),
    ]
    lines += table(
        ["edit", "strength", "copies", "0.90 or more", "0.80 or more", "median", "least"],
        [
            [
                row["name"],
                row["strength"],
                row["copies"],
                percent(row["share"]),
                percent(row["same_product"] / max(1, row["copies"])),
                number(row["median"], 2),
                number(row["least"], 2),
            ]
            for row in edited
            if row["copies"]
        ],
    )
    return [*lines, *_by_set(read)]


def _by_set(read: Read) -> list[str]:
    """The fifteen edits of ``auto_sanity.py``, set by set."""
    rows = [row for row in read.rows("auto_sanity") if row.get("promise") in ("≥ 0.90", "1.0")]
    sets = list(dict.fromkeys(row["set"] for row in rows))
    lines = []
    for what in dict.fromkeys(row["what"] for row in rows):
        of_it = {row["set"]: row for row in rows if row["what"] == what}
        lines.append([what, of_it["all"]["promise"], *(percent(of_it[each]["share"]) for each in sets)])
    each = read.run("auto_sanity")["settings"]["pictures"]
    return folded(f"By set: {each} pictures of each, from `auto_sanity.py`", table(["edit", "should be", *sets], lines))


def others(read: Read) -> list[str]:
    """Pictures that are no copies of each other."""
    rows = read.rows("accuracy", table="others")
    promised = [row for row in read.rows("auto_sanity") if row.get("promise") in ("< 0.65", "< 0.90", "0.80 to 0.90")]
    greatest = read.row("auto_sanity", what="asymmetry")
    order = "to the last bit" if greatest["greatest"] == 0 else f"to {greatest['greatest']:.0e}"
    return [
        *("## Other pictures", ""),
        *said(
            """
            What stood against the copies, and how often `auto`, as shipped, took it for more than it is. Nothing was
            left out because a rule called it a copy.
            """
        ),
        *table(
            ["different products", "pairs", "0.90 or more", "0.80 or more", "0.65 or more", "highest"],
            [
                [
                    row["kind"],
                    f"{row['pairs']:,}",
                    *(row[f"from_{lowest}"] for lowest in ("0.90", "0.80", "0.65")),
                    number(row["highest"], 2),
                ]
                for row in rows
            ],
        ),
        *said("By kind of pair, as shipped (`auto_sanity.py`):"),
        *table(
            ["pairs", "set", "how many", "should be", "are", "highest"],
            [
                [
                    row["what"],
                    row["set"],
                    f"{row['pairs']:,}",
                    row["promise"],
                    percent(row["share"]),
                    number(row["quantiles"]["1"], 2),
                ]
                for row in promised
            ],
        ),
        *said(f"The score is the same in both orders, {order}."),
    ]


def methods(read: Read) -> list[str]:
    """Presets and methods side by side, on every set."""
    rows = read.rows("accuracy", table="methods")
    speed = {row["name"]: row for row in read.rows("accuracy", table="speed")}
    sets = [name for name in SETS if any(row["set"] == name for row in rows)]
    names = list(dict.fromkeys(row["name"] for row in rows))
    of = {(row["set"], row["name"]): row for row in rows}
    best = {name: max(row["auc"]["value"] for row in rows if row["set"] == name) for name in sets}
    lines = []
    for name in names:
        cells = []
        for each in sets:
            row = of.get((each, name))
            value = "" if row is None else number(row["auc"]["value"])
            cells.append(f"**{value}**" if row is not None and row["auc"]["value"] == best[each] else value)
        timed = speed.get(name)
        cells += ["", ""] if timed is None else [f"{timed['ms_new']:.0f}", number(timed["ms_known"], 1)]
        lines.append([f"`{name}`", *cells])
    long = [line for each in sets for line in _of_set(read, each)]
    return [
        *("## Presets and methods side by side", ""),
        *said(
            """
            Area under the ROC curve: how often a pair that belongs together scores over one that does not; 0.5 is
            chance. Times are milliseconds for a pair of two catalogue photos of about 1274×1580 pixels, one after the
            other: *new*, read from their files with nothing remembered, and *known*, features in memory.
            """
        ),
        *table(["", *(SETS[name] for name in sets), "ms, new", "ms, known"], lines),
        *said(ABOUT_SETS),
        *folded("Each set with intervals: AUC, average precision, recall at 1 % false positives", long),
    ]


def _of_set(read: Read, name: str) -> list[str]:
    counts = read.row("accuracy", table="sets", set=name)
    rows = read.rows("accuracy", table="methods", set=name)
    what = f"**{SETS[name]}**"
    if name == "copies":
        what += ", a sample; of all that the set holds:"
    return [
        *said(f"{what} {counts['pairs']:,} pairs, {counts['same']:,} of them same; {counts['pictures']:,} pictures"),
        *table(
            ["", "AUC", "average precision", "recall at 1 %", "same 0.80 or more", "others 0.65 or more"],
            [
                [
                    row["name"],
                    *(within(row[measure]) for measure in ("auc", "average_precision", "tpr_at_fpr_1")),
                    percent(row["same_from_80"]),
                    percent(row["other_from_65"]),
                ]
                for row in rows
            ],
        ),
    ]


def retrieval(read: Read) -> list[str]:
    """Photos of groceries that find each other."""
    rows = read.rows("accuracy", table="retrieval")
    every = next(row["count"] for row in rows if row["queries"] == "all")
    some = next(row["count"] for row in rows if row["queries"] == "some")
    better = read.row("accuracy", table="figures", what="retrieval")
    lines = [
        [row["name"], row["how"], within(row["map"]), within(row["recall_at_1"])]
        for row in rows
        if row["queries"] == "some"
    ]
    return [
        *("## Retrieval", ""),
        *said(
            f"""
            Groceries: {some} of {every} shop photos each look for photos of the same of 81 classes among all others.
            *Alone*: ranked by the method. Otherwise it puts in order what the embedding at 128 px finds. `auto`
            re-ranks {percent(better["value"])} better in mAP than the embedding alone at 128 px
            ({percent(better["least"], 0)} to reach: {met(better["reached"])}), by rules that do not know the class
            looked for.
            """
        ),
        *table(["", "how", "mAP", "recall@1"], lines),
        *folded(
            f"All {every} photos as queries, for what ranks alone",
            table(
                ["", "mAP", "recall@1"],
                [
                    [row["name"], within(row["map"]), within(row["recall_at_1"])]
                    for row in rows
                    if row["queries"] == "all"
                ],
            ),
        ),
    ]


def recolours(read: Read) -> list[str]:
    """The policy on colours, flips and turns, and what comes of it."""
    rows = read.rows("accuracy", table="recolours")
    auto = read.row("accuracy", table="recolours", name="auto")
    return [
        *("## Recolours, flips and turns", ""),
        *said(
            """
            The policy: a recoloured product is **the same product, not a near-duplicate** (0.80 to 0.90): who looks for
            copies of a picture does not want the blue shirt for the red one, and who looks for a product does. What
            changes all colours alike (grey, a colour cast, another brightness) is an edit of the picture, and a copy.
            A flip or a turn by a quarter is a copy, too: it shows the same thing, whole.
            """
        ),
        *said(
            f"""
            A garment in another colour (`magento`, main view) should score over another garment of the same colour:
            {auto["triples"]:,} triples of {auto["garments"]} garments. Of {auto["recolours"]} recoloured pairs `auto`
            puts {percent(auto["recolours_in_band"])} between 0.80 and 0.90 and {percent(auto["recolours_over_band"])}
            above: black, grey and white versions of one shot, and colours close to each other.
            """
        ),
        *table(
            ["", "recolour above other garment", "other garment of the same type"],
            [[f"`{row['name']}`", within(row["share"]), number(row["share_in_category"])] for row in rows],
        ),
    ]
