"""What can be chosen: methods, presets, models."""

from __future__ import annotations

import json
from collections.abc import Sequence

import typer

from lookalike.console import styled
from lookalike.verdicts import BANDS


def list_methods(*, as_json: bool) -> None:
    """Print the methods."""
    from lookalike.features.base import describe_methods

    rows = describe_methods()
    if as_json:
        typer.echo(json.dumps(rows))
        return
    _table(("method", "metric", "what"), [(row["name"], row["metric"] or "-", row["about"]) for row in rows])


def list_presets(file: str | None, *, as_json: bool) -> None:
    """Print the presets with their numbers."""
    from lookalike.scoring.presets import PRESETS, read_presets

    table = {**PRESETS, **(read_presets(file) if file else {})}
    if as_json:
        keys = ("name", "about", "rule", "weights", "thresholds")
        typer.echo(json.dumps([{key: getattr(preset, key) for key in keys} for preset in table.values()]))
        return
    for preset in table.values():
        typer.echo(f"{styled(f'{preset.name:<10}', bold=True)}  {preset.about}")
        for label, numbers in (("weights", preset.weights), ("thresholds", preset.thresholds)):
            if numbers:
                typer.echo(f"{'':10}  {label}: {', '.join(f'{key}={value:g}' for key, value in numbers.items())}")
    bands = ", ".join(f"from {lowest:.2f} {verdict}" for lowest, verdict in BANDS[1:-1])
    typer.echo(f"\nauto's score means: 1.00 identical, {bands}, below that different")


def list_models(*, as_json: bool) -> None:
    """Print the built-in networks."""
    from lookalike.features.models import MODELS

    rows = [
        {
            "name": row.name,
            "gives": row.gives,
            "precision": row.precision,
            "size": row.size,
            "licence": row.licence,
            "sha256": row.sha256,
        }
        for row in MODELS.values()
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    _table(
        ("model", "gives", "precision", "input", "licence"),
        [tuple(str(row[key]) for key in ("name", "gives", "precision", "size", "licence")) for row in rows],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    for number, line in enumerate((head, *rows)):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        typer.echo(styled(text, bold=True) if number == 0 else text)
