"""Options that several commands have, and what they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from lookalike.errors import UsageError, printable

if TYPE_CHECKING:
    from lookalike.scoring.presets import Preset

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, errors too.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no remarks.")]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and touch nothing.")]

PresetName: TypeAlias = Annotated[str, typer.Option("--preset", "-p", help="How to score; see `lookalike presets`.")]
PresetFile: TypeAlias = Annotated[
    str | None, typer.Option("--preset-file", metavar="FILE", help="A TOML file with presets of your own.")
]

StoreFile: TypeAlias = Annotated[
    str | None,
    typer.Option("--store", metavar="FILE", help="Where features are kept; by default in your cache folder."),
]

MaxBytes: TypeAlias = Annotated[int, typer.Option(min=1, help="Largest file, in bytes.")]
MaxPixels: TypeAlias = Annotated[int, typer.Option(min=1, help="Most pixels of a picture.")]
MaxSide: TypeAlias = Annotated[int, typer.Option(min=1, help="Most pixels on a side.")]
MaxScans: TypeAlias = Annotated[int, typer.Option(min=1, help="Most scans of a progressive JPEG.")]


def chosen_preset(name: str, file: str | None) -> Preset:
    """The preset of that name, from ``file`` where one is given.

    Raises:
        UnknownPreset, UsageError: there is none, or the file is no presets.
    """
    from lookalike.scoring.presets import preset as find
    from lookalike.scoring.presets import read_presets

    own = read_presets(file) if file is not None else {}
    found = find(name, own)
    if file is not None and name not in own:
        raise UsageError(
            f"{printable(file)} has no preset {name!r}", remedy=f"choose one of it with --preset: {', '.join(own)}"
        )
    return found
