"""The verb: labelled pairs in, a calibration out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from lookalike.api import Options, way_of
from lookalike.collection.kept import KeptFeatures
from lookalike.collection.store import opened
from lookalike.errors import UsageError
from lookalike.images.limits import Limits
from lookalike.lab.calibrating.fitting import Fitted, Progress, Task, fit
from lookalike.lab.calibrating.quality import AUTO
from lookalike.lab.calibrating.thresholds import Target
from lookalike.lab.labelled import Labelled, labelled, read_labelled
from lookalike.pairs import Row
from lookalike.scoring.calibration import Calibration
from lookalike.scoring.presets import Preset

_LIMITS = Limits()


def calibrate(
    pairs: str | os.PathLike[str] | Iterable[tuple[str, str, object]],
    *,
    target_tpr: float | None = None,
    target_fpr: float | None = None,
    target_precision: float | None = None,
    preset: str | Preset = "auto",
    method: str | None = None,
    weights: Mapping[str, float] | None = None,
    thresholds: Mapping[str, float] | None = None,
    options: Options | None = None,
    kind: str = AUTO,
    negatives: str | os.PathLike[str] | None = None,
    fit_weights: bool = False,
    label_column: str | None = None,
    seed: int = 0,
    store: str | os.PathLike[str] | Literal[False] | None = None,
    limits: Limits = _LIMITS,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Fit a threshold and a probability to labelled pairs.

    Args:
        pairs: a CSV, TSV, JSONL or Parquet file with the columns ``a``, ``b`` and a label, see
            :func:`lookalike.lab.labelled.read_labelled`; or triples of two sources and a label.
        target_tpr, target_fpr, target_precision: what the threshold for the same product is asked to do, one of them:
            find this share of the same pairs (0.95 by default), take at most this share of the different pairs for the
            same, or be right in this share of what it calls the same.
        preset, method, weights, thresholds, options: how to score, as for :func:`lookalike.compare`.
        kind: of the curve that gives P: ``platt``, ``beta``, ``isotonic``, or ``auto`` for the best on new pictures.
        negatives: a folder without labels, from which different pairs are drawn at random.
        fit_weights: also fit the weights of a preset that mixes; they are kept only where they are better.
        label_column: what the column of labels is called, where that is not clear.
        seed: of folds, bootstrap and random pairs.
        store: file that features are kept in from run to run; None for the user's cache folder, False for none.
        limits, threads: as for :func:`lookalike.compare_many`.
        progress: told how far it has come.

    Returns:
        The calibration: ``save(path)`` writes it, ``report`` has the figures.

    Raises:
        UsageError: too few pairs (the message has the number wanted), or something that makes no sense.
        StoreError: the store that was named cannot be used.

    >>> lookalike.calibrate("pairs.csv").save("shoes.calibration.json")  # doctest: +SKIP
    """
    way = way_of(preset, method, weights, thresholds, options, False, None)
    task = Task(
        table=table_of(pairs, label_column),
        preset=replace(way.preset, options=way.options) if method is None else None,
        method=method,
        options={} if method is None else way.options,
        target=target_of(target_tpr, target_fpr, target_precision),
        kind=kind,
        negatives=negatives,
        seed=seed,
        fit_weights=fit_weights,
        limits=limits,
        threads=threads,
        progress=progress,
    )
    return fit_kept(task, store)[0].calibration


def fit_kept(task: Task, store: str | os.PathLike[str] | Literal[False] | None) -> tuple[Fitted, list[str]]:
    """Fit with features kept in a store, see :func:`calibrate`; and what the store had to say."""
    if store is False:
        return fit(task), []
    with opened(store) as kept, KeptFeatures(kept) as features:
        fitted = fit(task, features)
    return fitted, [*kept.notices, *features.notices]


def table_of(
    pairs: str | os.PathLike[str] | Iterable[tuple[str, str, object]], label_column: str | None = None
) -> Labelled:
    """The labelled pairs of a file, or of triples."""
    if isinstance(pairs, (str, os.PathLike)):
        return read_labelled(pairs, label_column)
    return labelled([Row(str(a), str(b), {"label": label}) for a, b, label in pairs], "label")


def target_of(tpr: float | None, fpr: float | None, precision: float | None) -> Target:
    """The one target that was given; a true-positive rate of 0.95 where none was.

    Raises:
        UsageError: several.
    """
    given = [Target("tpr", tpr)] if tpr is not None else []
    given += [Target("fpr", fpr)] if fpr is not None else []
    given += [Target("precision", precision)] if precision is not None else []
    if len(given) > 1:
        raise UsageError(f"one threshold cannot aim at {' and '.join(map(str, given))}", remedy="choose one")
    return given[0] if given else Target()
