"""Labelled pictures → how good each way to score is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lookalike.collection.kept import KeptFeatures
from lookalike.collection.store import opened
from lookalike.errors import UsageError
from lookalike.images.limits import Limits
from lookalike.lab.bootstrap import ROUNDS, drawn, middle, picture_numbers, picture_weights
from lookalike.lab.calibrating.cleaned import clean
from lookalike.lab.contest import Contestant, Progress, Scored, calibrated, contestants_of, run
from lookalike.lab.evaluated import DECISIVE, Evaluation, Measured, Result
from lookalike.lab.labelled import VERDICTS, Labelled, labelled, read_labelled
from lookalike.lab.measures import MEASURES, NOT_HERE, Measure, Sample, ranks, sample_verdicts
from lookalike.lab.ranking import Floats
from lookalike.lab.retrieval.found import search
from lookalike.lab.retrieval.ranked import RANKED, Weighed
from lookalike.lab.retrieval.sets import RetrievalSet, is_retrieval, read_retrieval
from lookalike.pairs import Row as PairRow
from lookalike.scoring.calibration import Calibration

if TYPE_CHECKING:
    from lookalike.scoring.presets import Preset
    from lookalike.verdicts import Verdict

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Settings:
    """How a set is worked through."""

    features: KeptFeatures
    limits: Limits = _LIMITS
    threads: int | None = None
    rerank: int = 100
    size: int = 224
    timed: bool = True
    rounds: int = ROUNDS
    progress: Progress | None = None
    notices: list[str] = field(default_factory=list)


def evaluate(
    labels: str | os.PathLike[str] | Labelled | RetrievalSet | Iterable[tuple[str, str, Any]],
    *,
    presets: Sequence[str | Preset] = (),
    methods: Sequence[str] = (),
    models: Sequence[str] = (),
    calibrations: Sequence[str | os.PathLike[str]] = (),
    contestants: Sequence[Contestant] = (),
    label_column: str | None = None,
    store: str | os.PathLike[str] | Literal[False] | None = None,
    limits: Limits = _LIMITS,
    threads: int | None = None,
    rerank: int = 100,
    size: int = 224,
    timed: bool = True,
    rounds: int = ROUNDS,
    progress: Progress | None = None,
) -> Evaluation:
    """Measure how well scores tell what people said of pictures.

    Args:
        labels: a table of labelled pairs, see :func:`lookalike.lab.labelled.read_labelled`, or a retrieval set, see
            :func:`lookalike.lab.retrieval.sets.read_retrieval`, which its columns tell; or (a, b, label) for each pair.
        presets, methods, models: a contestant for each: a preset, a method alone, an embedding model; ``auto`` where
            nothing is given.
        calibrations: files that ``lookalike calibrate`` wrote: a contestant each.
        contestants: more of them, made by hand.
        label_column: where the labels stand, if the name of the column does not tell.
        store: file that features are kept in from run to run; None for the user's cache folder, False for none.
        limits: what a picture may cost.
        threads: pairs worked on at a time.
        rerank: retrieval: how many of the best candidates of each query a preset puts in order.
        size: retrieval: input side, in pixels, of the embedding that finds candidates.
        timed: also time some pairs with nothing remembered.
        rounds: of the bootstrap that intervals come from.
        progress: called with what is being done, how much of it is done, and how much there is.

    Returns:
        For each contestant every measure with its 95 % interval.

    Raises:
        UsageError: labels that say nothing, or of one kind only; a contestant twice; and what :func:`lookalike.compare`
            raises for a request that makes no sense.
        StoreError: the store that was named cannot be used.

    >>> lookalike.evaluate("pairs.csv", presets=["auto", "hybrid"]).results[0].measures["auc"]  # doctest: +SKIP
    Measured(value=0.93, low=0.90, high=0.96)
    """
    table = _read(labels, label_column)
    if isinstance(table, Labelled):
        table.require_both()
    chosen = [*contestants, *map(calibrated, calibrations)]
    if presets or methods or models or not chosen:
        chosen = [*contestants_of(presets, methods, models), *chosen]
    doubts = tuple(_doubts(table, chosen, limits)) if isinstance(table, Labelled) else ()
    with ExitStack() as stack:
        kept = stack.enter_context(opened(store))
        features = stack.enter_context(KeptFeatures(kept))
        settings = Settings(features, limits, threads, rerank, size, timed, rounds, progress)
        done = (_pairs if isinstance(table, Labelled) else _retrieval)(table, chosen, settings)  # type: ignore[arg-type]
        features.flush()
        notices = tuple(dict.fromkeys((*doubts, *kept.notices, *features.notices)))
    return Evaluation(**{**done, "notices": notices})


def _read(labels: Any, label_column: str | None) -> Labelled | RetrievalSet:
    if isinstance(labels, (Labelled, RetrievalSet)):
        return labels
    if isinstance(labels, (str, os.PathLike)):
        return read_retrieval(labels, label_column) if is_retrieval(labels) else read_labelled(labels, label_column)
    rows = [PairRow(str(a), str(b), {"label": label}) for a, b, label in labels]
    if not rows:
        raise UsageError("there are no pairs", remedy="give some, with labels")
    return labelled(rows, "label")


def _doubts(table: Labelled, contestants: Sequence[Contestant], limits: Limits) -> Iterator[str]:
    """What makes figures say less than they seem to."""
    cleaned = clean(table.pairs, limits)
    yield from cleaned.odd.told(
        "of one file with itself: any score is right about those",
        "labelled in two ways, so that one of the labels counts as a mistake",
        "labelled more than once, and counted as often",
    )
    for each in contestants:
        data = each.calibration.report.get("data", {}) if isinstance(each.calibration, Calibration) else {}
        if isinstance(data, dict) and data.get("sha256") == cleaned.digest():
            yield (
                f"{each.name} was fitted to these very pairs: its figures flatter it; what to expect of other pictures "
                "stands in its file, under expect"
            )


def _pairs(table: Labelled, contestants: Sequence[Contestant], settings: Settings) -> dict[str, Any]:
    scored = run(
        table.pairs,
        contestants,
        store=settings.features,
        limits=settings.limits,
        threads=settings.threads,
        timed=settings.timed,
        progress=settings.progress,
    )
    same = sum(pair.same for pair in table.pairs)
    _, _, pictures = picture_numbers([(pair.a, pair.b) for pair in table.pairs])
    return {
        "kind": "pairs",
        "name": table.name,
        "counts": {
            "pairs": len(table.pairs),
            "same": same,
            "different": len(table.pairs) - same,
            "pictures": pictures,
        },
        "results": tuple(_result(table, each, settings) for each in scored),
        "table": table,
        "scored": tuple(scored),
    }


def _result(table: Labelled, scored: Scored, settings: Settings) -> Result:
    scores, good = scored.scores, np.isfinite(scored.scores)
    probabilities = scored.probabilities
    sample = Sample(
        scores[good], ranks(table)[good], table.five, None if probabilities is None else probabilities[good]
    )
    _say(settings, f"{scored.name}: intervals")
    labels = sample.labels()
    if labels.all() or not labels.any():
        told: dict[str, Measured] = {}
        rounds: dict[str, Floats] = {}
        lacks = dict.fromkeys(MEASURES, "pairs of only one kind could be scored")
    else:
        pairs = [(pair.a, pair.b) for pair, used in zip(table.pairs, good, strict=True) if used]
        weights = picture_weights(*picture_numbers(pairs), rounds=settings.rounds)
        told, lacks, rounds = measured(MEASURES, sample, sample.weighed, weights)
    return Result(
        name=scored.name,
        measures=told,
        lacks=lacks,
        used=int(good.sum()),
        failed=int((~good).sum()),
        milliseconds=1000 * scored.fresh_seconds if np.isfinite(scored.fresh_seconds) else None,
        seconds=scored.seconds,
        confusion=_confusion(sample) if table.five else None,
        drawn=rounds.get(DECISIVE["pairs"]),
    )


NO_INTERVAL = float("nan"), float("nan")


def measured(
    measures: Mapping[str, Measure[Any]], sample: Any, weighed: Callable[[Floats], Any], weights: Iterable[Floats]
) -> tuple[dict[str, Measured], dict[str, str], dict[str, Floats]]:
    """Every measure of a sample with its interval, why those that are missing are, and what every round gave.

    Args:
        measures: name → measure.
        sample: what is measured.
        weighed: weights → the sample with those.
        weights: rounds of the bootstrap.
    """
    lacks = {name: why for name, measure in measures.items() if (why := measure.lacks(sample))}
    asked = {name: measure for name, measure in measures.items() if name not in lacks}

    def values(block: Floats) -> dict[str, Floats]:
        with_weights = weighed(block)
        return {name: measure.value(with_weights) for name, measure in asked.items()}

    rounds = drawn(values, weights)
    told = {
        name: Measured(float(measure.value(sample)), *(middle(rounds[name]) if measure.drawn_anew else NO_INTERVAL))
        for name, measure in asked.items()
    }
    return told, {name: why for name, why in lacks.items() if why != NOT_HERE}, rounds


def _confusion(sample: Sample) -> dict[Verdict, dict[Verdict, int]]:
    counts = np.zeros((len(VERDICTS), len(VERDICTS)), np.int64)
    np.add.at(counts, (sample.ranks, sample_verdicts(sample.scores)), 1)
    return {label: dict(zip(VERDICTS, row.tolist(), strict=True)) for label, row in zip(VERDICTS, counts, strict=True)}


def _retrieval(table: RetrievalSet, contestants: Sequence[Contestant], settings: Settings) -> dict[str, Any]:
    found = search(
        table,
        contestants,
        settings.features,
        best=settings.rerank,
        size=settings.size,
        limits=settings.limits,
        threads=settings.threads,
        progress=settings.progress,
    )
    results = []
    for each in found:
        _say(settings, f"{each.name}: intervals")
        random = np.random.default_rng(0)
        count = len(each.ranked.grades)
        weights = random.multinomial(count, np.full(count, 1 / count), size=settings.rounds).astype(np.float64)
        blocks = np.array_split(weights, max(1, settings.rounds // 100))
        told, lacks, rounds = measured(RANKED, Weighed(each.ranked), partial(Weighed, each.ranked), blocks)
        lost = len(table.queries) - count
        decisive = rounds.get(DECISIVE["retrieval"])
        results.append(Result(each.name, told, lacks, count, lost, None, each.seconds, drawn=decisive))
    return {
        "kind": "retrieval",
        "name": table.name,
        "counts": {"queries": len(table.queries), "gallery": len(table.gallery)},
        "results": tuple(results),
        "wanted": table,
        "found": tuple(found),
    }


def _say(settings: Settings, what: str) -> None:
    if settings.progress is not None:
        settings.progress(what, 0, 0)
