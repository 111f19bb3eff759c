"""lookalike sample: labelled pairs of a labelled set of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lookalike.commands.options import Quiet
from lookalike.errors import OutputError, UsageError, printable


def sample(
    dataset: Annotated[
        str, typer.Argument(help="Folder or table of labelled pictures.", show_default=False, metavar="DATASET")
    ],
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="A new .csv file for the pairs.")],
    layout: Annotated[
        str | None,
        typer.Option("--layout", metavar="NAME", help="csv, sop, inshop, copydays, disc21 or folders; seen by itself."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="WHAT=NAME", help="Columns of a table: path=file,product=sku …"),
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="Pictures of this split only: train, test …")
    ] = None,
    positives: Annotated[int, typer.Option("--positives", min=0, help="How many pairs of the same product.")] = 500,
    negatives: Annotated[int, typer.Option("--negatives", min=0, help="How many pairs of different ones.")] = 1500,
    hard: Annotated[
        float, typer.Option("--hard", min=0, max=1, help="Share of these in one category, or most alike.")
    ] = 0.33,
    seed: Annotated[int, typer.Option("--seed", help="Another one, another sample.")] = 0,
    quiet: Quiet = False,
) -> None:
    """Draw labelled pairs from a labelled set of pictures, balanced over its products."""
    from lookalike.console import plural, remark, show_failures
    from lookalike.files import check_place
    from lookalike.lab.datasets.read import part_of, read_dataset
    from lookalike.lab.datasets.sampling import sample_pairs
    from lookalike.lab.written import write_table
    from lookalike.progress import Progress

    file = Path(out)
    if file.suffix.lower() != ".csv":
        raise UsageError(f"pairs are written as .csv, not {printable(file.name)!r}", remedy="--out pairs.csv")
    if file.exists():
        raise OutputError(f"{printable(out)} exists already, and nothing is overwritten", remedy="name a new file")
    check_place(file)
    pictures = read_dataset(dataset, layout, columns=_columns(columns))
    if split is not None:
        pictures = part_of(pictures, split, seed)
    with Progress(quiet=quiet) as progress:
        drawn = sample_pairs(
            pictures, positives=positives, negatives=negatives, hard=hard, seed=seed, progress=progress.tell
        )
    write_table(file, ("a", "b", "label", "kind"), drawn.pairs)
    if quiet:
        return
    labels = [pair.label for pair in drawn.pairs]
    counts = ", ".join(f"{labels.count(label):,} {label}" for label in dict.fromkeys(labels))
    used = len({path for pair in drawn.pairs for path in (pair.a, pair.b)})
    typer.echo(f"{printable(out)}: {plural(len(labels), 'pair')} of {plural(used, 'picture')} ({counts})")
    remark(f"read as {pictures.layout}: {plural(len(pictures.pictures), 'picture')}")
    for notice in drawn.notices:
        remark(f"note: {printable(notice, 500)}")
    show_failures(drawn.failures, "could not be read", more="")


def _columns(text: str | None) -> dict[str, str]:
    """``path=file,product=sku`` as a dictionary."""
    found = {}
    for part in text.split(",") if text else []:
        what, equals, name = part.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--columns takes WHAT=NAME, not {printable(part)!r}", remedy="path=file,product=sku")
        found[what.strip()] = name.strip()
    return found
