"""A comparison with a picture within a picture → one with the whole of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from lookalike.scoring.auto import LEAST_COPY
from lookalike.verdicts import verdict_of

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
    score, transform, reasons = found.score, found.transform, found.reasons
    if transform is not None:
        cover = min(transform.overlap or 1.0, transform.overlap_other or 1.0)
        if score > LEAST_COPY:
            score = LEAST_COPY + (score - LEAST_COPY) * (1 + cover * share) / (1 + cover)
        transform = _laid_on_host(transform, host, inset, box)
        reasons = tuple(str(transform).split(", "))
    return replace(found, a=host.source, score=score, verdict=verdict_of(score), transform=transform, reasons=reasons)


def _laid_on_host(transform: Transform, host: Picture, inset: Picture, box: Sequence[float]) -> Transform:
    left, top, right, bottom = box
    overlap = (1.0 if transform.overlap is None else transform.overlap) * (right - left) * (bottom - top)
    transform = replace(transform, overlap=overlap, overlap_other=transform.overlap_other or 1.0, pasted=True)
    if transform.homography is None:
        return transform
    (width, height), size = host.original_size, inset.original_size
    across, down = (right - left) * width / size[0], (bottom - top) * height / size[1]
    laid = np.array([[across, 0, left * width], [0, down, top * height], [0, 0, 1]])
    homography = laid @ np.reshape(transform.homography, (3, 3))
    return replace(transform, homography=tuple(float(value) for value in homography.ravel()))


def turned_round(found: Comparison) -> Comparison:
    """The comparison with its pictures exchanged, and the words of its transform with them."""
    other = found.reversed()
    return other if other.transform is None else replace(other, reasons=tuple(str(other.transform).split(", ")))
