"""Options that several commands have, and what they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from lookalike.errors import UsageError, printable

if TYPE_CHECKING:
    from lookalike.scoring.calibration import Calibration
    from lookalike.scoring.presets import Preset

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, errors too.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no remarks.")]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and touch nothing.")]

PresetName: TypeAlias = Annotated[
    str | None, typer.Option("--preset", "-p", help="How to score; see `lookalike presets`.", show_default="auto")
]
PresetFile: TypeAlias = Annotated[
    str | None, typer.Option("--preset-file", metavar="FILE", help="A TOML file with presets of your own.")
]

EmbeddingSize: TypeAlias = Annotated[
    int | None, typer.Option("--size", min=32, max=1024, help="Input side of the embedding: 224, or 128 for speed.")
]
EmbeddingModel: TypeAlias = Annotated[
    str | None, typer.Option("--model", help="Embedding model: a name of `lookalike models` or an ONNX file.")
]

CalibrationFile: TypeAlias = Annotated[
    str | None,
    typer.Option("--calibration", metavar="FILE", help="Score and decide by what `lookalike calibrate` wrote."),
]

StoreFile: TypeAlias = Annotated[
    str | None,
    typer.Option("--store", metavar="FILE", help="Where features are kept; by default in your cache folder."),
]

NoStore: TypeAlias = Annotated[bool, typer.Option("--no-store", help="Keep nothing for the next run.")]


def store_of(file: str | None, no_store: bool) -> str | Literal[False] | None:
    """The store that ``--store`` and ``--no-store`` mean, see :func:`lookalike.collection.store.opened`.

    Raises:
        UsageError: both were given.
    """
    if file is not None and no_store:
        raise UsageError("--store and --no-store contradict each other", remedy="leave one out")
    return False if no_store else file


def chosen_preset(name: str | None, file: str | None) -> Preset:
    """The preset of that name, ``auto`` where there is none, from ``file`` where one is given.

    Raises:
        UnknownPreset, UsageError: there is none, or the file is no presets.
    """
    from lookalike.scoring.presets import preset as find
    from lookalike.scoring.presets import read_presets

    name = "auto" if name is None else name
    own = read_presets(file) if file is not None else {}
    found = find(name, own)
    if file is not None and name not in own:
        raise UsageError(
            f"{printable(file)} has no preset {name!r}", remedy=f"choose one of it with --preset: {', '.join(own)}"
        )
    return found


def embedding_options(size: int | None, model: str | None) -> dict[str, dict[str, Any]]:
    """``--size`` and ``--model`` as arguments for the embedding; empty where neither is given."""
    chosen = {name: value for name, value in (("size", size), ("model", model)) if value is not None}
    return {"embedding": chosen} if chosen else {}


def refuse_idle_embedding(request: dict[str, Any]) -> None:
    """Raise :class:`~lookalike.errors.UsageError` where ``--size`` or ``--model`` would do nothing."""
    from lookalike.commands.pair_table import parts_of
    from lookalike.features.base import REGISTRY

    method = request["method"]
    if not request["options"] or "embedding" in parts_of(request) or (method is not None and method not in REGISTRY):
        return  # an unknown method has an error of its own
    chosen = f"method {method!r}" if method is not None else f"preset {request['preset'].name!r}"
    raise UsageError(f"--size and --model are for the embedding, which {chosen} does not use", remedy="leave them out")


def refuse_beside_calibration(**given: object) -> None:
    """Raise :class:`~lookalike.errors.UsageError` where something is given that the calibration brings itself."""
    for name, value in given.items():
        if value:
            raise UsageError(
                f"--calibration brings its own way of scoring, and --{name.replace('_', '-')} would change it",
                remedy="leave one of them out",
            )


def read_calibration(file: str) -> Calibration:
    """The calibration in ``file``.

    Raises:
        SourceNotFound, UsageError: there is none, or none for this installation.
    """
    from lookalike.scoring.calibration import Calibration

    return Calibration.load(file)
