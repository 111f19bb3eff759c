"""A comparison with a picture within a picture → one with the whole of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lookalike.scoring.auto import LEAST_COPY
from lookalike.types import verdict_of

if TYPE_CHECKING:
    from lookalike.types import Comparison, Picture, Transform


def told_of_host(found: Comparison, host: Picture, inset: Picture, box: Sequence[float]) -> Comparison:
    """The comparison of ``host`` with a picture, of which ``found`` compares what is in ``box`` with that picture.

    Args:
        found: with the inset as its first picture.
        host: the whole.
        inset: what is in the box, as it was compared.
        box: left, top, right and bottom, in shares of the host.

    Returns:
        A copy scores the lower the less of the host it is, as a crop to that much does; 0.90 at least.
    """
    share = (box[2] - box[0]) * (box[3] - box[1])
    score, transform = found.score, found.transform
    words: list[str] = []
    if transform is not None:
        words = [word for word in str(replace(transform, overlap=None, inliers=0)).split(", ") if word]
        cover = min(transform.overlap or 1.0, transform.overlap_other or 1.0)
        if score > LEAST_COPY:
            score = LEAST_COPY + (score - LEAST_COPY) * (1 + cover * share) / (1 + cover)
        transform = _laid_on_host(transform, host, inset, box)
    return replace(
        found,
        a=host.source,
        score=score,
        verdict=verdict_of(score),
        transform=transform,
        reasons=(f"one pasted into the other, {max(1, round(100 * share))} % of its area", *words),
    )


def _laid_on_host(transform: Transform, host: Picture, inset: Picture, box: Sequence[float]) -> Transform:
    left, top, right, bottom = box
    overlap = None if transform.overlap is None else transform.overlap * (right - left) * (bottom - top)
    if transform.homography is None:
        return replace(transform, overlap=overlap)
    (width, height), size = host.original_size, inset.original_size
    across, down = (right - left) * width / size[0], (bottom - top) * height / size[1]
    laid = np.array([[across, 0, left * width], [0, down, top * height], [0, 0, 1]])
    homography = laid @ np.reshape(transform.homography, (3, 3))
    return replace(transform, homography=tuple(float(value) for value in homography.ravel()), overlap=overlap)
