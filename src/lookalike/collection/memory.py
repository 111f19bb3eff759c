"""What earlier runs found, so that the same pictures are not compared again."""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from lookalike.collection.candidates import FEW, SPACES
from lookalike.collection.describe import keys
from lookalike.collection.neighbours import Whitening
from lookalike.collection.pairing import Paired
from lookalike.scoring.calibration import scored_by
from lookalike.types import Comparison

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.scoring.presets import Preset
    from lookalike.types import Mode, PictureFile

VERSION = 7
"""Raised whenever the same pictures would give other pairs."""

GROWN = 0.05
"""Share of new pictures up to which only they are compared; beyond it the whole is looked at anew."""

_MALFORMED = (
    ValueError, TypeError, AttributeError, LookupError, RuntimeError, OSError, EOFError, BadZipFile, zlib.error,
)  # fmt: skip
"""What bytes of another make end in, one way or another."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier run as seen from the pictures at hand.

    Attributes:
        paired: what it found, of those pictures that are still there.
        fresh: indices of pictures that it did not know.
    """

    paired: Paired
    fresh: list[int]


class Memory:
    """Runs over all pairs with one way of scoring.

    Args:
        store: where they lie.
        preset, mode: how pairs were scored and looked for.
        least: score from which pairs mattered.
    """

    def __init__(self, store: Store, preset: Preset, mode: Mode, least: float) -> None:
        self.store = store
        about = {
            "version": VERSION,
            "features": dict(keys(mode, least)),
            "preset": [preset.name, preset.rule, dict(preset.weights), dict(preset.thresholds), repr(preset.options)],
            "scored_by": scored_by(preset, None),  # another fusion, or another version of a method, says otherwise
            "mode": mode,
            "least": least,
        }
        self.key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    def recall(self, files: Sequence[PictureFile]) -> Earlier | None:
        """The newest run that knew nearly all of ``files``; None where there is none."""
        index = {file.digest: number for number, file in enumerate(files)}
        for digests, payload in self.store.runs(self.key):
            known = set(digests)
            fresh = [number for digest, number in index.items() if digest not in known]
            if len(fresh) > max(1, GROWN * len(files)):
                continue
            paired = _unpacked(payload)
            if paired is None or (fresh and paired.spaces is None):
                continue
            if len(files) <= FEW and paired.spaces is not None:
                continue  # of a few pictures every pair is compared, and of many it was not
            kept = [pair for pair in paired.comparisons if pair.a in index and pair.b in index]
            paired.comparisons = [_named(pair, files, index) for pair in kept]
            return Earlier(paired, sorted(fresh))
        return None

    def keep(self, files: Sequence[PictureFile], paired: Paired) -> None:
        """Write down what a run found of ``files``; paths are left out, for files may be renamed."""
        digest = {file.path: file.digest for file in files}
        rows = []
        for pair in paired.comparisons:
            if pair.a in digest and pair.b in digest:
                row = pair.to_dict()
                row["a"], row["b"] = digest[pair.a], digest[pair.b]
                rows.append(row)
        self.store.save_run(self.key, [file.digest for file in files], _packed(rows, paired))


def _named(pair: Comparison, files: Sequence[PictureFile], index: dict[str, int]) -> Comparison:
    a, b = files[index[pair.a]].path, files[index[pair.b]].path
    told = Comparison(a, b, pair.score, pair.verdict, pair.parts, pair.transform, pair.reasons, pair.preset, pair.model,
                      pair.details, pair.probability)  # fmt: skip
    return told if a < b else told.reversed()


def _packed(rows: list[dict[str, object]], paired: Paired) -> bytes:
    arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {
        "pairs": np.frombuffer(zlib.compress(json.dumps(rows).encode(), 1), np.uint8)
    }
    if paired.spaces is not None:
        for name, space in paired.spaces.items():
            arrays[f"{name}_mean"] = space.mean
            # its scale means nothing, for vectors get length 1: at 1 it fits into half the bytes
            arrays[f"{name}_matrix"] = (space.matrix / np.abs(space.matrix).max()).astype(np.float16)
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]  # its stubs take no mapping
    return content.getvalue()


def _unpacked(payload: bytes) -> Paired | None:
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
            rows = json.loads(zlib.decompress(arrays["pairs"].tobytes()))
            spaces = {
                name: Whitening(arrays[f"{name}_mean"], arrays[f"{name}_matrix"].astype(np.float32))
                for name in SPACES
                if f"{name}_mean" in arrays
            }
        comparisons = [Comparison.from_dict(row) for row in rows]
    except _MALFORMED:
        return None  # of another make; the run is done anew
    return Paired(comparisons, [], spaces or None)
