"""The verbs."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from lookalike.errors import PictureError, UsageError
from lookalike.images.limits import Limits
from lookalike.images.load import Source, load, source_name
from lookalike.scoring.pair import FeatureCache, Pair
from lookalike.scoring.presets import Preset
from lookalike.scoring.presets import preset as find_preset
from lookalike.types import Comparison, Failure, PairFailure

_LIMITS = Limits()


def compare(
    a: Source,
    b: Source,
    *,
    preset: str | Preset = "auto",
    method: str | None = None,
    weights: Mapping[str, float] | None = None,
    thresholds: Mapping[str, float] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    limits: Limits = _LIMITS,
    trim: bool = False,
    explain: str | os.PathLike[str] | None = None,
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
    1.00  identical   (the same file)
    """
    from lookalike.scoring.rules import by_method, decide  # brings OpenCV and ONNX Runtime

    chosen = _chosen(preset, method, weights, thresholds)
    if explain is not None:
        from lookalike.explain import explain as draw
        from lookalike.explain import output_kind

        output_kind(explain)  # a name that cannot be written is said before any work
    pair = make_pair(a, b, chosen, options, limits, trim=trim)
    result = decide(pair, chosen) if method is None else by_method(pair, method)
    if explain is not None:
        draw(pair, result, explain)
    return result


def make_pair(
    a: Source,
    b: Source,
    preset: Preset,
    options: Mapping[str, Mapping[str, Any]] | None,
    limits: Limits,
    cache: FeatureCache | None = None,
    *,
    trim: bool = False,
) -> Pair:
    """Both pictures read, with the preset's options and the caller's over them."""
    merged = {**preset.options, **(options or {})}
    first, second = load(a, limits=limits), load(b, limits=limits)
    if trim:
        from lookalike.images.trim import trimmed

        first, second = trimmed(first), trimmed(second)
    return Pair(first, second, merged, cache)


def _chosen(
    preset: str | Preset,
    method: str | None,
    weights: Mapping[str, float] | None,
    thresholds: Mapping[str, float] | None,
) -> Preset:
    if method is not None and (weights or thresholds or preset != "auto"):
        raise UsageError("a single method has no preset, weights or thresholds", remedy="give one or the other")
    return find_preset(preset).changed(weights, thresholds)


def compare_many(
    pairs: Iterable[tuple[Source, Source]],
    *,
    preset: str | Preset = "auto",
    method: str | None = None,
    weights: Mapping[str, float] | None = None,
    thresholds: Mapping[str, float] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    limits: Limits = _LIMITS,
    trim: bool = False,
    threads: int | None = None,
) -> Iterator[Comparison | PairFailure]:
    """Compare many pairs, in order; a picture that cannot be read ends its own pair only.

    Pairs are taken from ``pairs`` as they are needed, never all at once, and a picture that recurs is described once
    while it is remembered.

    Args:
        pairs: two sources each.
        threads: pairs worked on at a time; as many as there are processors by default.

    Other arguments are those of :func:`compare`.

    Yields:
        A comparison, or a failure, for every pair.
    """
    from lookalike.scoring.rules import by_method, decide

    chosen = _chosen(preset, method, weights, thresholds)
    cache = FeatureCache()

    def one(a: Source, b: Source) -> Comparison | PairFailure:
        try:
            pair = make_pair(a, b, chosen, options, limits, cache, trim=trim)
            return decide(pair, chosen) if method is None else by_method(pair, method)
        except PictureError as error:
            return PairFailure(source_name(a), source_name(b), Failure.of(error))

    workers = threads or os.cpu_count() or 2
    with ThreadPoolExecutor(workers, thread_name_prefix="lookalike-pairs") as pool:
        waiting: deque[Future[Comparison | PairFailure]] = deque()
        try:
            for a, b in pairs:
                waiting.append(pool.submit(one, a, b))
                if len(waiting) >= 4 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
