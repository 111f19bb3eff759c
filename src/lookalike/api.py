"""The verbs."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from lookalike.errors import LookalikeError, UsageError
from lookalike.images.limits import Limits
from lookalike.images.load import Source, load, source_name
from lookalike.scoring.pair import FeatureCache, Pair, shared_method
from lookalike.scoring.presets import Preset
from lookalike.scoring.presets import preset as find_preset
from lookalike.types import Comparison, Failure, GroupBy, Grouping, Mode, PairFailure

if TYPE_CHECKING:
    from lookalike.collection.store import Store
    from lookalike.scoring.calibration import Calibration

Options: TypeAlias = Mapping[str, Mapping[str, Any]]
Result: TypeAlias = Comparison | PairFailure

_LIMITS = Limits()


def compare(
    a: Source,
    b: Source,
    *,
    preset: str | Preset = "auto",
    method: str | None = None,
    weights: Mapping[str, float] | None = None,
    thresholds: Mapping[str, float] | None = None,
    options: Options | None = None,
    limits: Limits = _LIMITS,
    trim: bool = False,
    explain: str | os.PathLike[str] | None = None,
    calibration: Calibration | str | os.PathLike[str] | None = None,
) -> Comparison:
    """How alike two pictures are.

    Args:
        a, b: paths, URLs, bytes, file objects, Pillow images, NumPy arrays or loaded pictures; see
            :func:`lookalike.load`.
        preset: how to score: ``auto`` (the default), ``fast``, ``semantic``, ``robust``, ``layered``, ``hybrid``,
            ``style``, ``medical``, or a :class:`Preset` of your own.
        method: score by this one method alone instead, such as ``"ssim"``.
        weights, thresholds: replace some of the preset's numbers.
        options: arguments for methods by name, such as ``{"embedding": {"size": 128}}``.
        limits: what a picture may cost at most.
        trim: take uniform margins off both pictures first; the default preset does not need it.
        explain: also draw the reasons into this .png or .html file.
        calibration: what :func:`lookalike.calibrate` fitted, or its file: it brings its own preset or method, the score
            follows its thresholds, and the comparison has a ``probability``. Preset, method, weights, thresholds,
            options and trim cannot be given beside it.

    Returns:
        Score in [0, 1], verdict, parts, transform and reasons. The same for (b, a), but for the direction of the
        transform.

    Raises:
        PictureError: a picture cannot be read; see :mod:`lookalike.errors`.
        UnknownPreset, UnknownMethod, UsageError: the request makes no sense.

    >>> import numpy as np
    >>> square = np.zeros((64, 64), np.uint8)
    >>> square[16:48, 16:48] = 255
    >>> print(compare(square, square))
    1.00  identical   (the same pixels)
    """
    way = way_of(preset, method, weights, thresholds, options, trim, calibration)
    if explain is not None:
        from lookalike.explain import explain as draw
        from lookalike.explain import output_kind

        output_kind(explain)  # a name that cannot be written is said before any work
        _refuse_to_overwrite(explain, a, b)
    pair = make_pair(a, b, way.options, limits, trim=trim)
    result = way.score(pair)
    if explain is not None:
        draw(pair, result, explain)
    return result


def group(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    threshold: float | None = None,
    against: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    mode: Mode = "default",
    group_by: GroupBy = "base",
    preset: str | Preset = "auto",
    weights: Mapping[str, float] | None = None,
    thresholds: Mapping[str, float] | None = None,
    options: Options | None = None,
    store: str | os.PathLike[str] | Literal[False] | None = None,
    limits: Limits = _LIMITS,
    recursive: bool = True,
    hidden: bool = False,
    leave_out: str | os.PathLike[str] | None = None,
    workers: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
    calibration: Calibration | str | os.PathLike[str] | None = None,
) -> Grouping:
    """Find what is alike among many pictures: every one against every other.

    Args:
        sources: folders, files, globs such as ``"photos/**/*.jpg"``, or ``"@list.txt"``; one or several.
        threshold: least score of a pair, over 0 and at most 1; by default 0.9, near-duplicates, and with a calibration
            0.8, where it says that the same product begins.
        against: a reference set, named likewise; where it is given, sources are compared with it and not with each
            other.
        mode: ``"quick"`` finds whole pictures, resized, recompressed, flipped or turned, from stored thumbnails alone;
            ``"default"`` finds crops, shifts, tilts and covered pictures too; ``"thorough"`` looks at several
            times as many pairs, and for pictures pasted into others.
        group_by: ``"base"``, ``"cluster"`` or ``"component"``, see :func:`lookalike.collection.clusters.grouped`.
        preset, weights, thresholds, options: as for :func:`compare`; scores are those that :func:`compare` gives.
        store: file that features are kept in from run to run; None for the user's cache folder, False for none.
        limits: what a picture may cost at most.
        recursive: go into folders of folders.
        hidden: take hidden files as well.
        leave_out: a folder whose files are no sources, such as the one results go to.
        workers: processes that much work is shared among; 0 for one a core, 1 for none but this one.
        progress: called now and then with what is being done, how much of it is done, and how much there is.
        calibration: as for :func:`compare`; ``threshold`` is then a calibrated score, and so are those of the pairs.

    Returns:
        Pictures, pairs, groups and failures; files in = pictures + failures.

    Raises:
        SourceNotFound: a source is not there.
        StoreError: the store cannot be used or is full; what was kept stays.
        UnknownPreset, UsageError: the request makes no sense.

    >>> lookalike.group("photos/", threshold=0.9).groups  # doctest: +SKIP
    """
    from lookalike.collection.group import Request
    from lookalike.collection.group import group as find
    from lookalike.collection.store import opened

    way = way_of(preset, None, weights, thresholds, options, False, calibration)
    request = Request(
        sources=_several(sources),
        preset=replace(way.preset if way.calibration is None else way.calibration.as_preset(), options=way.options),
        calibration=way.calibration,
        against=_several(against),
        threshold=(0.9 if way.calibration is None else 0.8) if threshold is None else threshold,
        mode=check_choice("mode", mode, get_args(Mode)),
        group_by=check_choice("group_by", group_by, get_args(GroupBy)),
        limits=limits,
        recursive=recursive,
        hidden=hidden,
        leave_out=leave_out,
        workers=workers,
    )
    with opened(store) as kept:
        return find(request, kept, progress)


def _several(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> tuple[str | os.PathLike[str], ...]:
    return (sources,) if isinstance(sources, (str, os.PathLike)) else tuple(sources)


def check_choice(what: str, given: str, choices: Sequence[str]) -> Any:
    """``given``; :class:`~lookalike.errors.UsageError` where it is none of ``choices``."""
    if given not in choices:
        raise UsageError(f"{what} must be one of {', '.join(choices)}, not {given!r}")
    return given


def make_pair(
    a: Source, b: Source, options: Options, limits: Limits, cache: FeatureCache | None = None, *, trim: bool = False
) -> Pair:
    """Both pictures read, for methods with these ``options``."""
    first, second = load(a, limits=limits), load(b, limits=limits)
    if trim:
        from lookalike.images.trim import trimmed

        first, second = trimmed(first), trimmed(second)
    return Pair(first, second, options, cache)


def _merged(preset: Preset, method: str | None, given: Options | None) -> Options:
    """The preset's options with the caller's over them, every method of them made once to see that it can be."""
    given = given or {}
    merged = {name: {**preset.options.get(name, {}), **given.get(name, {})} for name in {*preset.options, *given}}
    for name in {*merged, *([method] if method else [])}:
        shared_method(name, merged.get(name, {}))
    return merged


def _refuse_to_overwrite(out: str | os.PathLike[str], *sources: Source) -> None:
    for source in sources:
        is_file = isinstance(source, (str, os.PathLike)) and os.path.exists(source) and os.path.exists(out)
        if is_file and os.path.samefile(out, source):  # type: ignore[arg-type]
            raise UsageError(f"the reasons would overwrite {source_name(source)}", remedy="name another file")


def _chosen(
    preset: str | Preset,
    method: str | None,
    weights: Mapping[str, float] | None,
    thresholds: Mapping[str, float] | None,
) -> Preset:
    if method is not None and (weights or thresholds or preset != "auto"):
        raise UsageError("a single method has no preset, weights or thresholds", remedy="give one or the other")
    return find_preset(preset).changed(weights, thresholds)


@dataclass(frozen=True, slots=True)
class Way:
    """How pairs are scored.

    Attributes:
        preset, method: by a method alone where there is one.
        options: arguments of all methods, the caller's over the preset's.
        calibration: what is done to every comparison.
    """

    preset: Preset
    method: str | None
    options: Options
    calibration: Calibration | None = None

    def score(self, pair: Pair) -> Comparison:
        """Compare the two pictures of ``pair``."""
        from lookalike.scoring.rules import by_method, decide  # brings OpenCV and ONNX Runtime

        found = decide(pair, self.preset) if self.method is None else by_method(pair, self.method)
        return found if self.calibration is None else self.calibration.apply(found)


def way_of(
    preset: str | Preset,
    method: str | None,
    weights: Mapping[str, float] | None,
    thresholds: Mapping[str, float] | None,
    options: Options | None,
    trim: bool,
    calibration: Calibration | str | os.PathLike[str] | None,
) -> Way:
    """What was asked for, checked; a calibration brings everything itself."""
    if calibration is None:
        chosen = _chosen(preset, method, weights, thresholds)
        return Way(chosen, method, _merged(chosen, method, options))
    from lookalike.scoring.calibration import Calibration

    if preset != "auto" or method is not None or weights or thresholds or options or trim:
        raise UsageError(
            "a calibration belongs to one way of scoring, and brings it",
            remedy="leave out preset, method, weights, thresholds, options and trim",
        )
    fitted = calibration if isinstance(calibration, Calibration) else Calibration.load(calibration)
    chosen = find_preset(fitted.request["preset"])
    return Way(chosen, fitted.method, _merged(chosen, fitted.method, fitted.request["options"]), fitted)


def compare_many(
    pairs: Iterable[tuple[Source, Source]],
    *,
    preset: str | Preset = "auto",
    method: str | None = None,
    weights: Mapping[str, float] | None = None,
    thresholds: Mapping[str, float] | None = None,
    options: Options | None = None,
    limits: Limits = _LIMITS,
    trim: bool = False,
    threads: int | None = None,
    store: str | os.PathLike[str] | Store | FeatureCache | None = None,
    calibration: Calibration | str | os.PathLike[str] | None = None,
) -> Iterator[Result]:
    """Compare many pairs, in order; a picture that cannot be read ends its own pair only.

    Pairs are taken from ``pairs`` as they are needed, never all at once, and a picture that recurs is described once
    while it is remembered.

    Args:
        pairs: two sources each.
        threads: pairs worked on at a time; as many as there are processors by default.
        store: file in which features are kept, so that another run finds them; or an open store, or the features of
            one. By default they are kept in memory, and for this run.

    Other arguments are those of :func:`compare`.

    Returns:
        An iterator: a comparison, or a failure, for every pair.

    Raises:
        UnknownPreset, UnknownMethod, UsageError, StoreError: at once, before any pair is taken.
    """
    way = way_of(preset, method, weights, thresholds, options, trim, calibration)
    if threads is not None and threads < 1:
        raise UsageError(f"threads must be 1 or more, not {threads}")
    cache, end = _features(store)

    def one(a: Source, b: Source) -> Result:
        try:
            return way.score(make_pair(a, b, way.options, limits, cache, trim=trim))
        except LookalikeError as error:
            return PairFailure(source_name(a), source_name(b), Failure.of(error))

    return _and_then(_in_order(pairs, one, threads or os.cpu_count() or 2), end)


def _features(
    store: str | os.PathLike[str] | Store | FeatureCache | None,
) -> tuple[FeatureCache, Callable[[], None]]:
    """Where features of many pairs are found, and what is to be done with them at the end."""
    if store is None:
        return FeatureCache(), lambda: None
    if isinstance(store, FeatureCache):
        return store, lambda: None
    from lookalike.collection.kept import KeptFeatures
    from lookalike.collection.store import Store

    if isinstance(store, Store):
        kept = KeptFeatures(store)
        return kept, kept.flush
    opened = Store(store)
    kept = KeptFeatures(opened)

    def end() -> None:
        kept.flush()
        opened.close()

    return kept, end


def _and_then(results: Iterator[Result], end: Callable[[], None]) -> Iterator[Result]:
    """The same results, and ``end`` called after the last of them, however it comes about."""
    try:
        yield from results
    finally:
        end()


def _in_order(
    pairs: Iterable[tuple[Source, Source]], one: Callable[[Source, Source], Result], workers: int
) -> Iterator[Result]:
    """``one`` over all pairs by several threads, results in order, a few pairs ahead of the caller at most."""
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="lookalike-pairs") as pool:
        try:
            try:
                for a, b in pairs:
                    waiting.append(pool.submit(one, a, b))
                    while waiting and (waiting[0].done() or len(waiting) >= 4 * workers):
                        yield waiting.popleft().result()
            except Exception:  # the source of pairs broke: what was begun is finished first
                while waiting:
                    yield waiting.popleft().result()
                raise
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
