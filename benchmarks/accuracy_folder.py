"""The section of ``docs/accuracy.md`` on folders: every picture against every other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accuracy_rows import Read, folded, percent, said, table

FOLDERS = {
    "photos": "8,000 photos, 2,000 edited copies",
    "catalogue": "8,470 made products on white, 1,530 edited copies",
}
RUNS = {
    "lookalike, default": "`lookalike group`, cold",
    "lookalike, again": "the same again",
    "lookalike, one new": "one new picture",
    "lookalike, quick": "`--quick`, cold",
    "lookalike, thorough": "`--thorough`, cold",
}
"""Names of our runs in the rows → in the table; the others keep theirs."""

ALWAYS, PASTED = 0.995, "pasted small"


def folder(read: Read) -> list[str]:
    """Time, recall and precision of ``lookalike group`` and of other tools."""
    settings = read.run("group")["settings"]
    lines = [
        *("## A folder", ""),
        *said(
            f"""
            `lookalike group` at {settings["threshold"]:.2f} on 10,000 JPEG files of 128 px,
            {read.run("group")["cores"]} cores, {_rounds(settings["repeats"])} of `benchmarks/group.py`. The other
            tools saw the same files in the same run. *Certainly false* leaves out pairs that are alike in another way:
            one shelf, one shot in other shades.
            """
        ),
    ]
    for name, title in FOLDERS.items():
        runs = [row for row in read.rows("group", folder=name) if "run" in row]
        lines += table([title, "s", "planted pairs found, pasting aside", "certainly false"], map(_run, runs))
        lines += _of_edits(runs)
        missed = [row for row in read.rows("group", folder=name) if row.get("reached") == "MISSED"]
        lines += _missed(missed)
    return [*lines, *_others(read)]


def _rounds(count: int) -> str:
    return "one round" if count == 1 else f"{count} rounds"


def _run(row: dict[str, Any]) -> list[object]:
    if not row["seconds"]:  # stopped
        return [row["run"], row["note"], "", ""]
    seconds = sorted(row["seconds"])[len(row["seconds"]) // 2]
    name = RUNS.get(row["run"]) or f"{row['run']}{', ' + row['note'] if row['note'] else ''}"
    if "recall" not in row:
        return [name, f"{seconds:.1f}", row["note"] if row["run"] in RUNS else "", ""]
    relations = row["relations"]
    found = percent(row["recall_but_pasting"])
    if PASTED in row["recall"] and row["recall"][PASTED] > 0.5:
        found += f", of the pasted ones {percent(row['recall'][PASTED])}"
    false = relations.get("strangers", 0)
    return [name, f"{seconds:.1f}", found, f"{false:,} of {false + relations.get('planted', 0):,}"]


def _of_edits(runs: list[dict[str, Any]]) -> list[str]:
    chosen = [row for row in runs if row["run"] in RUNS and "recall" in row and row["run"] != "lookalike, again"]
    edits = sorted(chosen[0]["recall"], key=lambda edit: -chosen[0]["recall"][edit])
    return folded(
        "Found of each edit",
        table(
            ["edit", *(RUNS[row["run"]].replace(", cold", "") for row in chosen)],
            [[edit, *(percent(row["recall"][edit]) for row in chosen)] for edit in edits],
        ),
    )


def _missed(rows: Iterable[dict[str, Any]]) -> list[str]:
    words = [f"{row['what']} {row['is']} ({row['limit']})" for row in rows]
    return said(f"Figures missed there: {'; '.join(words)}.") if words else said("All figures were reached there.")


def _others(read: Read) -> list[str]:
    every, close = read.rows("group_false_pairs_128")
    side = read.run("group_false_pairs_128")["settings"]["side"]
    large = read.rows("group_large")[0]
    return said(
        f"""
        Of real catalogue pictures at {side} px, {every["false"]} of {every["pairs"]:,} pairs of different products
        {"is" if every["false"] == 1 else "are"} called near-duplicates, and {close["false"]} of {close["pairs"]:,}
        within one category. {large["pictures"]:,} made-up pictures whose features are stored take
        {large["seconds"]:.0f} s and {large["MiB"]:,.0f} MiB, helpers aside; the index of that size finds
        {percent(large["search recall"], 2)} of the neighbours.
        """
    )
