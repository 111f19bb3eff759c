"""Calibrations from files: everything in them is checked before it is believed."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lookalike.errors import LookalikeError, SourceNotFound, UsageError, printable
from lookalike.features.base import check_method
from lookalike.scoring.bands import Bands
from lookalike.scoring.calibration import FORMAT, VERSION, Calibration
from lookalike.scoring.calibrators import calibrator_from_dict
from lookalike.scoring.fusion import Fusion
from lookalike.scoring.preset_rules import check_options, numbers
from lookalike.scoring.presets import Preset

MOST_BYTES = 16 * 2**20
"""No calibration is larger; a file that is was named by mistake."""

ANEW = "fit it anew with lookalike calibrate"


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The fields of the :class:`~lookalike.scoring.calibration.Calibration` in a file.

    Raises:
        SourceNotFound: there is no such file.
        UsageError: it is no calibration, or none for this installation; the message names the file.
    """
    name = printable(str(path))
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise UsageError("it is far too large", remedy="name the file that lookalike calibrate wrote")
        values = json.loads(content, parse_constant=_finite, parse_float=_finite)
    except FileNotFoundError as error:
        raise SourceNotFound("there is no such file", source=str(path), remedy="check the path") from error
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{name} is no calibration: it is no JSON", remedy="name the file that lookalike calibrate wrote"
        ) from error
    except (OSError, ValueError, RecursionError, UsageError) as error:  # RecursionError: nested beyond reason
        raise UsageError(f"{name} is no calibration: {printable(str(error))}") from error
    try:
        fields = fields_of(values, Path(path).parent)
    except LookalikeError as error:
        raise UsageError(f"{name} is no calibration that can be used: {error.reason}", remedy=error.remedy) from error
    fields["source"] = str(path)
    try:
        Calibration(**fields).check()
    except UsageError:
        raise
    except LookalikeError as error:
        raise UsageError(f"{name}: {error}", remedy=ANEW) from error
    return fields


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is no number")
    return number


def fields_of(values: object, folder: Path | None = None) -> dict[str, Any]:
    """The document as arguments of :class:`~lookalike.scoring.calibration.Calibration`.

    Args:
        values: what JSON gave.
        folder: where models are looked for that are no longer where they were.

    Raises:
        UsageError: something in it cannot be.
    """
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise UsageError("it does not say that it is one", remedy="name the file that lookalike calibrate wrote")
    version = values.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise UsageError(f"its version is {version!r}", remedy=ANEW)
    if version > VERSION:
        raise UsageError("a newer version of lookalike made it", remedy="upgrade lookalike, or fit it anew")
    report, fusion = values.get("report", {}), values.get("fusion")
    if not isinstance(report, dict):
        raise UsageError("its report must be a table", remedy=ANEW)
    return {
        **_belongs_to(values.get("belongs_to"), _fusion(fusion), folder),
        "curve": calibrator_from_dict(values.get("probability")),
        "bands": _bands(values.get("thresholds")),
        "scored_by": _texts(values.get("scored_by")),
        "report": report,
    }


def _fusion(given: object) -> Fusion | None:
    try:
        return None if given is None else Fusion.from_dict(given)
    except (OverflowError, RecursionError) as error:
        raise UsageError(f"its fusion has a number that is none ({error})", remedy=ANEW) from error


def _belongs_to(given: object, fusion: Fusion | None, folder: Path | None) -> dict[str, Any]:
    if not isinstance(given, dict) or ("preset" in given) == ("method" in given):
        raise UsageError("it does not say which preset or method it belongs to", remedy=ANEW)
    options = _with_models(check_options(given.get("options", {})), folder)
    if "method" in given:
        if fusion is not None:
            raise UsageError("a method has no fusion", remedy=ANEW)
        check_method(given["method"])
        return {"preset": None, "method": given["method"], "options": options}
    found: dict[str, Any] = {name: given.get(name) for name in ("about", "rule", "weights", "thresholds")}
    return {"preset": Preset(given["preset"], **found, options=options, fusion=fusion), "method": None}


def _with_models(options: dict[str, dict[str, Any]], folder: Path | None) -> dict[str, dict[str, Any]]:
    """A model that is not where it was is taken from beside the calibration; its sha256 is checked later."""
    for arguments in options.values():
        model = arguments.get("model")
        if folder is None or not isinstance(model, str) or not model.lower().endswith(".onnx"):
            continue
        beside = folder / model.replace("\\", "/").rpartition("/")[2]
        if not os.path.exists(model) and beside.exists():
            arguments["model"] = str(beside)
    return options


def _bands(given: object) -> Bands:
    if not isinstance(given, dict):
        raise UsageError("it has no thresholds", remedy=ANEW)
    given = dict(given)
    near = given.pop("near-duplicate", None)
    found = numbers("thresholds", given if near is None else {**given, "near-duplicate": near})
    for name in ("same product", "same category"):
        if name not in found:
            raise UsageError(f"it has no threshold for {name!r}", remedy=ANEW)
    return Bands(found["same product"], found["same category"], found.get("near-duplicate"))


def _texts(given: object) -> dict[str, str]:
    if not isinstance(given, Mapping) or not all(isinstance(each, str) for each in given.values()):
        raise UsageError("it does not say what scored its pairs", remedy=ANEW)
    return dict(given)
