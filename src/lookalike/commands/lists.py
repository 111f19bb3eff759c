"""lookalike methods, presets and models: what can be chosen."""

from __future__ import annotations

from lookalike.commands.options import AsJson, PresetFile


def methods(as_json: AsJson = False) -> None:
    """List the methods that compare --method takes."""
    from lookalike.listing import list_methods

    list_methods(as_json=as_json)


def presets(preset_file: PresetFile = None, as_json: AsJson = False) -> None:
    """List the presets that --preset takes, with their weights and thresholds."""
    from lookalike.listing import list_presets

    list_presets(preset_file, as_json=as_json)


def models(as_json: AsJson = False) -> None:
    """List the networks that ship with the package."""
    from lookalike.listing import list_models

    list_models(as_json=as_json)
