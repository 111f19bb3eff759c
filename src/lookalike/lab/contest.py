"""Several ways to score, over the same labelled pairs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from lookalike.api import Options, Result, compare_many
from lookalike.errors import UsageError
from lookalike.images.limits import Limits
from lookalike.scoring.pair import FeatureCache
from lookalike.types import Comparison, PairFailure

if TYPE_CHECKING:
    from lookalike.lab.labelled import LabelledPair
    from lookalike.scoring.presets import Preset

Floats = npt.NDArray[np.float64]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

_LIMITS = Limits()
AT_MOST = 16
"""Pairs that are timed with nothing remembered."""


class Correction(Protocol):
    """What a calibration does to a comparison."""

    def apply(self, comparison: Comparison) -> Comparison:
        """The comparison with another score, and a probability where that is known."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to score a pair; the arguments are those of :func:`lookalike.compare`.

    Attributes:
        name: what tables and plots call it.
        preset, method, weights, thresholds, options, trim: how to score.
        calibration: applied to every comparison; None for the score as it is.
    """

    name: str
    preset: str | Preset = "auto"
    method: str | None = None
    weights: Mapping[str, float] | None = None
    thresholds: Mapping[str, float] | None = None
    options: Options = field(default_factory=dict)
    trim: bool = False
    calibration: Correction | None = None

    @property
    def request(self) -> dict[str, Any]:
        """The arguments of :func:`lookalike.compare` and :func:`lookalike.compare_many`."""
        names = ("preset", "method", "weights", "thresholds", "options", "trim")
        return {name: getattr(self, name) for name in names}

    def corrected(self, result: Result) -> Result:
        """The result after calibration, where there is one."""
        if self.calibration is None or isinstance(result, PairFailure):
            return result
        return self.calibration.apply(result)


@dataclass(frozen=True, slots=True)
class Scored:
    """What one contestant said of every pair.

    Attributes:
        contestant: who.
        results: a comparison or a failure a pair, in the pairs' order.
        seconds: time that all of it took, with what was remembered of the pictures.
        fresh_seconds: median time of one pair of which nothing is remembered, alone; nan where none was timed.
    """

    contestant: Contestant
    results: tuple[Result, ...]
    seconds: float
    fresh_seconds: float = float("nan")

    @property
    def name(self) -> str:
        """Of the contestant."""
        return self.contestant.name

    @property
    def scores(self) -> Floats:
        """(pairs,), in [0, 1]; nan where a pair failed."""
        return np.array([each.score if isinstance(each, Comparison) else np.nan for each in self.results], np.float64)

    @property
    def probabilities(self) -> Floats | None:
        """(pairs,), that it is the same product; nan where a pair failed, None where the score is no probability."""
        found = [each.probability for each in self.results if isinstance(each, Comparison)]
        if not found or any(value is None for value in found):
            return None
        filled = iter(found)
        return np.array([next(filled) if isinstance(each, Comparison) else np.nan for each in self.results], np.float64)

    @property
    def failures(self) -> list[PairFailure]:
        """The pairs that failed."""
        return [each for each in self.results if isinstance(each, PairFailure)]


def contestants_of(
    presets: Sequence[str | Preset] = (),
    methods: Sequence[str] = (),
    models: Sequence[str] = (),
    options: Options | None = None,
) -> list[Contestant]:
    """A contestant for every preset, every method alone and every embedding model; ``auto`` where none is given.

    A method may have arguments behind a colon: ``"embedding:size=128"``.

    Raises:
        UsageError: what stands behind a colon is no argument.

    >>> [each.name for each in contestants_of(["fast"], ["phash"], ["shoes.onnx"])]
    ['fast', 'phash', 'embedding shoes.onnx']
    >>> contestants_of(methods=["embedding:size=128"])[0].options
    {'embedding': {'size': 128}}
    """
    options = options or {}
    made = [Contestant(each if isinstance(each, str) else each.name, each, options=options) for each in presets]
    made += [_by_method(each, options) for each in methods]
    for model in models:
        given = {**options, "embedding": {**options.get("embedding", {}), "model": model}}
        made.append(Contestant(f"embedding {os.path.basename(model)}", method="embedding", options=given))
    return made or [Contestant("auto", options=options)]


def _by_method(given: str, options: Options) -> Contestant:
    name, colon, arguments = given.partition(":")
    own: dict[str, Any] = {}
    for argument in arguments.split(",") if colon else ():
        key, equals, value = (part.strip() for part in argument.partition("="))
        if not equals:
            raise UsageError(f"{argument!r} of {given!r} is no NAME=VALUE", remedy="for example embedding:size=128")
        own[key] = _value(value)
    return Contestant(
        given, method=name, options={**options, name: {**options.get(name, {}), **own}} if own else options
    )


def _value(text: str) -> Any:
    """A number or a truth where it reads as one, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def calibrated(path: str | os.PathLike[str]) -> Contestant:
    """The contestant that a calibration file stands for: what it belongs to, corrected by it.

    Raises:
        SourceNotFound, UsageError: there is no such file, or it is no calibration.
    """
    from lookalike.scoring.calibration import Calibration

    found = Calibration.load(path)
    return Contestant(f"{found.name} ({os.path.basename(path)})", calibration=found, **found.request)


def run(
    pairs: Sequence[LabelledPair],
    contestants: Sequence[Contestant],
    *,
    store: FeatureCache | None = None,
    limits: Limits = _LIMITS,
    threads: int | None = None,
    timed: bool = False,
    progress: Progress | None = None,
) -> list[Scored]:
    """Let every contestant score all pairs.

    Args:
        pairs: what to score; their labels are not looked at.
        contestants: who takes part; their names must differ.
        store: features that are remembered, such as :class:`~lookalike.collection.kept.KeptFeatures`; None for those
            of this run.
        limits: what a picture may cost.
        threads: pairs worked on at a time.
        timed: also time some pairs as if they were new, see :func:`fresh_seconds`.
        progress: told how far it has come.

    Raises:
        UsageError: two contestants of one name, or one that cannot score at all; before any pair is scored.
    """
    names = [each.name for each in contestants]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{name!r} takes part twice", remedy="name it once")
    features = store or FeatureCache()
    begun = [
        (each, compare_many(_sources(pairs), limits=limits, threads=threads, store=features, **each.request))
        for each in contestants
    ]
    done = []
    for contestant, results in begun:
        told = _told(results, f"{contestant.name}: comparing pairs", len(pairs), progress)
        started = time.perf_counter()
        scored = tuple(contestant.corrected(result) for result in told)
        seconds = time.perf_counter() - started
        fresh = fresh_seconds(pairs, contestant, limits) if timed else float("nan")
        done.append(Scored(contestant, scored, seconds, fresh))
    return done


def fresh_seconds(pairs: Sequence[LabelledPair], contestant: Contestant, limits: Limits = _LIMITS) -> float:
    """Median time of one pair, alone and with nothing remembered, reading the files included; nan where all fail.

    At most :data:`AT_MOST` pairs, spread over the list; the one before them is not counted, as it opens the networks.
    """
    chosen = [pairs[round(number)] for number in np.linspace(0, len(pairs) - 1, min(len(pairs), AT_MOST))]
    if not chosen:
        return float("nan")
    times = []
    for pair in [chosen[0], *chosen]:
        started = time.perf_counter()
        [result] = compare_many([(pair.a, pair.b)], limits=limits, threads=1, **contestant.request)
        if isinstance(contestant.corrected(result), Comparison):
            times.append(time.perf_counter() - started)
    return float(np.median(times[1:])) if len(times) > 1 else float("nan")


def _sources(pairs: Sequence[LabelledPair]) -> Iterator[tuple[str, str]]:
    return ((pair.a, pair.b) for pair in pairs)


def _told(results: Iterator[Result], what: str, total: int, progress: Progress | None) -> Iterator[Result]:
    for done, result in enumerate(results, 1):
        yield result
        if progress is not None:
            progress(what, done, total)
