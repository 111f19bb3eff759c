"""Sections of ``docs/accuracy.md`` about what was fitted: the bands and P, training and hashing, published claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from accuracy_rows import Read, folded, met, number, percent, said, table

WORDS = {"product": "same product", "category": "same category", "different": "different category"}
SET_NAMES = {
    "cartons": "cartons, two photos",
    "groceries": "groceries, all classes",
    "garments": "garments of a catalogue",
    "shops": "shop products",
    "clothing": "phone photos of garments",
}


def meaning(read: Read) -> list[str]:
    """What the number means and how well it holds."""
    return [
        *("## What the number means, and how well it holds", ""),
        *said(
            """
            0.90 and more: a near-duplicate, one picture is an edited copy of the other. 0.80: the same product. 0.65:
            the same category. Below: different. 1.0 is said of identical pixels alone. The bands are set so that they
            can be believed: 0.65 lets hardly a pair of two categories through, and of what is over 0.80 nine in ten
            were to be the same product. The price is that many true pairs stay below.
            """
        ),
        *_bands(read),
        *_left_out(read),
        *_probability(read),
    ]


def _bands(read: Read) -> Iterator[str]:
    yield from said(
        """
        Which pairs are in each band, products held out. How many of a band are the same product depends on how many of
        the pairs you compare are: these sets hold many more than two pictures drawn at random would be.
        """
    )
    lines = []
    for name in SET_NAMES:
        rows = read.rows("accuracy", table="bands", set=name)
        for row in rows:
            shared = row["shared"]
            total = sum(shared.values())
            if not total:
                continue
            mostly = [
                f"{percent(shared[what] / total, 0)} {WORDS.get(what, 'another product')}"
                for what in (*WORDS, "not the product")
                if shared.get(what)
            ]
            of_all = shared.get("product", 0) / max(1, sum(each["shared"].get("product", 0) for each in rows))
            lines.append([SET_NAMES[name], row["verdict"], f"{total:,}", ", ".join(mostly), percent(of_all, 0)])
    yield from table(["set", "verdict", "pairs", "which are", "of all same-product pairs"], lines)


LEFT_OUT = (
    "other category below 0.65",
    "other product of the category below 0.80",
    "other product below 0.80",
    "same product 0.80 and more",
    "same product 0.65 and more",
)


def _left_out(read: Read) -> Iterator[str]:
    rows = [row for row in read.rows("accuracy", table="left out") if row["set"] != "several"]
    crossed = [row for row in read.rows("fusion") if "without" not in row]
    worst = min(rows, key=lambda row: row.get(LEFT_OUT[0], {"share": 1.0})["share"])
    yield from said(
        f"""
        The harder question is a shop that the fit has never seen: fitted without all pictures of one set, and asked
        about that set alone. Least holds on {_named(worst["set"])}
        ({percent(worst[LEFT_OUT[0]]["share"])} of other categories below 0.65): in a catalogue on white, models, poses
        and light recur, and different things look more alike than anywhere else. Whoever has such pictures should
        calibrate on some pairs of them (`lookalike calibrate`).
        """
    )
    lines = []
    for row in rows:
        cells = [percent(row[name]["share"]) if name in row else "" for name in LEFT_OUT]
        lines.append([_named(row["set"]), *cells])
    means = [_mean(row.get(_crossed(name)) for row in crossed) for name in LEFT_OUT]
    lines.append(["all sets, products held out", *("" if mean is None else percent(mean) for mean in means)])
    yield from table(["fitted without", *LEFT_OUT], lines)


def _crossed(name: str) -> str:
    """What ``fusion_fit.py`` calls it, where it measures it."""
    return name if name in (LEFT_OUT[0], LEFT_OUT[3], LEFT_OUT[4]) else ""


def _named(of: str) -> str:
    return f"`{of}`"


def _mean(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None and value == value]
    return sum(found) / len(found) if found else None


def _probability(read: Read) -> Iterator[str]:
    error = read.row("accuracy", table="ece")
    bins = read.rows("accuracy", table="bins")
    figure = read.row("accuracy", table="figures", what="calibration error")
    yield from said(
        f"""
        **P(same product)** of pictures that are no copies, told by rules that know neither product, against the share
        that is ({error["pairs"]:,} pairs, every set and answer with a like say): expected calibration error
        {number(error["balanced"])} in ten bins (≤ {figure["most"]} to reach: {met(figure["reached"])}). A probability
        holds for one mix of pairs; on the same pairs as they were drawn, with far more different ones among them, the
        error is {number(error["as_drawn"])}. `lookalike calibrate` fits it to yours.
        """
    )
    yield from table(
        ["P", "pairs", "mean P", "are the same product"],
        [
            [
                f"{row['bin'] / 10:.1f} to {(row['bin'] + 1) / 10:.1f}",
                f"{row['pairs']:,}",
                number(row["told"], 2),
                number(row["true"], 2),
            ]
            for row in bins
        ],
    )


def training(read: Read) -> list[str]:
    """What heads, codes and components gain, and what calibrate and train take."""
    calibrate = read.row("accuracy", table="calibrate")
    kept = read.row("accuracy", table="figures", what="seconds of calibrate")
    lines = [
        *("## Training, hashing, calibrating", ""),
        *said(
            f"""
            `lookalike calibrate` on {calibrate["pairs"]} pairs, as a whole process: {calibrate["seconds"][0]:.1f} s
            with nothing stored, {calibrate["seconds"][1]:.1f} s with features stored (≤ {kept["most"]:g} s to reach:
            {met(kept["reached"])}).
            """
        ),
    ]
    rows = read.rows("train_head")
    if not rows:
        return [*lines, *said("What `lookalike train` gains is not measured yet: `benchmarks/train_head.py`.")]
    parts = {part: [row for row in rows if row["part"] == part] for part in dict.fromkeys(row["part"] for row in rows)}
    for part, make in (("head", _heads), ("codes", _codes), ("unlabelled", _unlabelled), ("search", _search)):
        lines += make(parts[part]) if part in parts else []
    return [*lines, *(_times(parts["time"]) if "time" in parts else [])]


def _heads(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from said(
        """
        A projection head over stored embeddings, judged on products that it never saw, mean over several divisions. The
        tool installs a head only where it is better there; *elsewhere* is the change in mAP on the other sets.
        """
    )
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["set"], row["head"]), []).append(row)
    lines = []
    for (of, name), group in groups.items():
        cells = [
            f"{_mean(row[key]['before'] for row in group):.3f} → {_mean(row[key]['after'] for row in group):.3f}"
            for key in ("map", "recall_at_1", "auc")
        ]
        elsewhere = [
            f"{other} {_mean(row['elsewhere'][other] for row in group):+.3f}" for other in group[0].get("elsewhere", {})
        ]
        better = f"{sum(row['better'] for row in group)} of {len(group)}"
        seconds = f"{_mean(row['seconds'] for row in group):.1f}"
        lines.append([of, name, *cells, better, seconds, ", ".join(elsewhere)])
    yield from table(["set", "head", "mAP", "recall@1", "AUC", "found better", "s", "elsewhere"], lines)


def _codes(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["set"], row["bits"]), []).append(row)
    yield from said("Binary codes with labels, mAP on products held out:")
    keys = ("map_float", "map_untrained", "map_trained")
    yield from table(
        ["set", "bits", "full vectors", "codes, not trained", "codes, trained"],
        [
            [of, bits, *(f"{_mean(row[key] for row in group):.3f}" for key in keys)]
            for (of, bits), group in groups.items()
        ],
    )


def _unlabelled(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from folded(
        f"Without labels: neighbours that codes and principal components keep, {rows[0]['held']:,} photos held out",
        table(
            ["", "variance kept", "of the 10 nearest among 10", "among 100"],
            [
                [
                    row["what"],
                    percent(row["variance"]) if "variance" in row else "",
                    *(percent(row["kept"][among]) for among in ("10", "100")),
                ]
                for row in rows
            ],
        ),
    )


def _search(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    full = rows[0]
    words = [
        f"{row['what']} {1000 * row['seconds']:.0f} ms ({percent(1 - row['seconds'] / full['seconds'], 0)} less)"
        for row in rows[1:]
    ]
    yield from said(
        f"""
        Search for 200 queries among {full["vectors"]:,} vectors, exactly: {full["what"]}
        {1000 * full["seconds"]:.0f} ms, {", ".join(words)}.
        """
    )


def _times(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    head = next(row for row in rows if row["what"] == "head")
    others = [f"{row['what']} {row['seconds']:.1f} s" for row in rows if row["what"] != "head"]
    yield from said(
        f"""
        `lookalike train` on {head["pictures"]:,} pictures with features stored, as a whole process: a head
        {head["seconds"]:.1f} s (≤ 60 s to reach: {met(head["seconds"] <= 60)}); {", ".join(others)}.
        """
    )


def claims(read: Read) -> list[str]:
    """Published claims beside our numbers."""
    return [
        *("## Published claims beside our numbers", ""),
        *table(["claim", "here", ""], [_mixed(read), _components(read), _garments(read), *_thresholds(read)]),
    ]


def _mixed(read: Read) -> list[str]:
    rows = {
        row["name"]: row["map"]["value"]
        for row in read.rows("accuracy", table="retrieval", queries="some")
        if row["how"] != "alone"
    }
    mixed = rows["hybrid"]
    singles = {name: rows[name] for name in ("embedding", "hsv", "ssim")}
    best = max(singles, key=lambda name: singles[name])
    told = [f"`{name}` {number(value)} ({_signed(mixed / value - 1)})" for name, value in singles.items()]
    others = [name for name, value in singles.items() if name != best and mixed / value - 1 >= 0.22]
    return [
        "a mixed score is 22 % better in mAP than a single one",
        f"groceries, the same candidates in order: `hybrid` {number(mixed)}; over its parts alone: {', '.join(told)}",
        _true(
            mixed / singles[best] - 1 >= 0.22, f"over its best part; true over {' and '.join(others)}" if others else ""
        ),
    ]


def _components(read: Read) -> list[str]:
    claim = "PCA to 128 dimensions keeps 95 % of the variance and speeds search by 40 %"
    rows = [row for row in read.rows("train_head", part="unlabelled") if row["what"] == "128 components"]
    times = {row["what"]: row["seconds"] for row in read.rows("train_head", part="search")}
    if not rows or not times:
        return [claim, "not measured yet", ""]
    saved = 1 - times["128 components"] / times["1280 numbers"]
    kept = rows[0]["variance"]
    return [
        claim,
        f"{percent(kept)} of the variance, exact search takes {percent(saved, 0)} less time",
        f"variance: {_true(kept >= 0.95)}; speed: {_true(saved >= 0.4)}",
    ]


def _garments(read: Read) -> list[str]:
    row = read.row("accuracy", table="recolours", name="style")
    share, close = row["share"]["value"], row["share_in_category"]
    return [
        "the garment score ranks with over 85 % accuracy",
        f"`style`, a recolour above another garment of that colour: {percent(share)}; of one type: {percent(close)}",
        _true(share > 0.85),
    ]


CLAIMED = ("fast", "hybrid", "auto")
"""Whose thresholds are looked at."""


def _thresholds(read: Read) -> Iterator[list[str]]:
    claim = "near-duplicate 0.9, same product 0.8, same category 0.65 to 0.75"
    for name in CLAIMED:
        rows = [read.row("accuracy", table="methods", name=name, set=of) for of in ("groceries", "garments")]
        words = [
            f"{row['set']}: of the same {percent(row['same_from_80'], 0)} from 0.80 on, of the others "
            f"{percent(row['other_from_80'], 0)} from 0.80 and {percent(row['other_from_65'], 0)} from 0.65 on"
            for row in rows
        ]
        yield [claim if name == CLAIMED[0] else "", f"`{name}`: {'; '.join(words)}", _kept(rows)]


FEW, MANY = 0.05, 0.5


def _kept(rows: Sequence[dict[str, Any]]) -> str:
    """Whether 0.80 is the same product: it lets few others in, and finds many."""
    if max(row["other_from_80"] for row in rows) > FEW:
        return "not true: 0.80 lets others in"
    if max(row["other_from_65"] for row in rows) > FEW:
        return "not true: 0.65 lets others in"
    return "true" if min(row["same_from_80"] for row in rows) >= MANY else "can be believed, and is said of few"


def _signed(share: float) -> str:
    return f"{100 * share:+.0f} %"


def _true(yes: bool, but: str = "") -> str:
    word = "true" if yes else "not true"
    return f"{word} {but}".strip()
