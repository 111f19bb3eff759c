"""Shrink or enlarge a grey picture exactly as Pillow does, several times faster.

Pillow resamples 8-bit pictures in two passes, one for each axis, with coefficients in fixed point (22 bits after the
point), and rounds to uint8 after each pass (its ``src/libImaging/Resample.c``, version 13). The same sums are made
here as float32 matrix products, which every BLAS does at tens of billions of products a second. A float sum is only
trusted where its error bound cannot move it over a rounding boundary; the few others are added up again in integers.
So the result is Pillow's to the last bit on every machine, whatever order its BLAS adds in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import numpy.typing as npt

    Grey = npt.NDArray[np.uint8]
    Floats = npt.NDArray[np.float64]

Filter = Literal["bicubic", "lanczos"]

PRECISION_BITS = 22
"""Bits after the point in Pillow's coefficients for 8-bit pictures."""

MAX_TAPS = 256
"""Longest sum that is made in float32."""

BLOCK = 16
"""Outputs that are summed in one matrix product: their windows overlap, so few of its numbers are zero."""

SMALL_PRODUCT = 1 << 18
"""Multiplications in one matrix product that no BLAS spreads over threads."""

MAX_DOUBTFUL = 0.03
"""Share of sums in doubt above which Pillow itself is asked: stripes and checkerboards put every sum on a boundary."""


def _bicubic(x: Floats) -> Floats:
    """Keys' cubic with a = -0.5, as in Pillow."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def _lanczos(x: Floats) -> Floats:
    """Sinc in a window of three lobes."""
    return np.where((x >= -3.0) & (x < 3.0), np.sinc(x) * np.sinc(x / 3.0), 0.0)


_FILTERS: dict[Filter, tuple[Callable[[Floats], Floats], float, Image.Resampling]] = {
    "bicubic": (_bicubic, 2.0, Image.Resampling.BICUBIC),
    "lanczos": (_lanczos, 3.0, Image.Resampling.LANCZOS),
}


@dataclass(frozen=True, slots=True)
class _Weights:
    """The weights of one axis.

    Attributes:
        start: int64, (out,): first input of every output.
        fixed: int64, (out, taps): coefficients times 2^22, zero past the last tap.
        blocks: (first output, last output, first input, last input, float (inputs, outputs)) in order.
        dtype: of the blocks and the sums.
        doubt: how far a sum may lie from the true one, in grey levels.
    """

    start: npt.NDArray[np.int64]
    fixed: npt.NDArray[np.int64]
    blocks: tuple[tuple[int, int, int, int, npt.NDArray[np.floating]], ...]
    dtype: type[np.floating]
    doubt: float


@lru_cache(maxsize=64)
def _weights(before: int, after: int, kind: Filter) -> _Weights:
    """Pillow's coefficients for one axis of ``before`` pixels that becomes ``after`` pixels."""
    function, support, _ = _FILTERS[kind]
    scale = before / after
    stretch = max(scale, 1.0)
    centre = (np.arange(after) + 0.5) * scale
    start = np.maximum((centre - support * stretch + 0.5).astype(np.int64), 0)
    stop = np.minimum((centre + support * stretch + 0.5).astype(np.int64), before)
    at = start[:, None] + np.arange(int((stop - start).max()))
    weight = np.where(at < stop[:, None], function((at - centre[:, None] + 0.5) * (1.0 / stretch)), 0.0)
    weight /= weight.sum(axis=1, keepdims=True)
    scaled = weight * (1 << PRECISION_BITS)
    fixed = np.trunc(scaled + np.copysign(0.5, scaled)).astype(np.int64)
    # A float32 sum of very many products is in doubt too often. A float64 sum is exact: doubt is for ties alone.
    dtype: type[np.floating] = np.float32 if fixed.shape[1] <= MAX_TAPS else np.float64
    blocks = []
    for first in range(0, after, BLOCK):
        last = min(first + BLOCK, after)
        low, high = int(start[first]), int(stop[last - 1])
        block = np.zeros((high - low + at.shape[1], last - first), dtype)  # taps past the last are zero: cut off below
        block[at[first:last] - low, np.arange(last - first)[:, None]] = fixed[first:last] * 2.0**-PRECISION_BITS
        blocks.append((first, last, low, high, block[: high - low]))
    magnitude = float(np.abs(fixed).sum(axis=1).max()) * 2.0**-PRECISION_BITS * 255.0
    # n products and n - 1 additions, each wrong by 2^-24 of its size at most, in any order; then one more addition.
    doubt = (fixed.shape[1] + 2) * 2.0**-24 * magnitude if dtype is np.float32 else 1e-6
    return _Weights(start, fixed, tuple(blocks), dtype, doubt)


def resample(grey: Grey, size: tuple[int, int], kind: Filter) -> Grey:
    """``grey`` at ``size``, bit for bit what ``Image.fromarray(grey).resize(size, kind)`` of Pillow gives.

    Args:
        grey: uint8, H×W.
        size: (width, height) wanted, each at least 1.
        kind: ``"bicubic"`` or ``"lanczos"``.

    Returns:
        uint8, height×width.

    >>> resample(np.array([[0, 255]], np.uint8), (4, 1), "bicubic").tolist()
    [[0, 53, 202, 255]]
    """
    result: Grey | None = grey
    for axis in _order(grey, size):
        if result is not None and result.shape[axis] != size[1 - axis]:
            result = _pass(result, size[1 - axis], axis, kind)
    if result is None:
        return np.asarray(Image.fromarray(grey).resize(size, _FILTERS[kind][2]))
    return result


def _order(grey: Grey, size: tuple[int, int]) -> tuple[int, int]:
    """Which axis first. Pillow 13 takes the columns first where the height shrinks much more than the width."""
    (height, width), (new_width, new_height) = grey.shape, size
    return (0, 1) if height - new_height > 2 * max(width - new_width, 0) else (1, 0)


def multiply(left: npt.NDArray[Any], right: npt.NDArray[Any], out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
    """``left @ right`` in pieces too small for BLAS to start threads of its own.

    Pictures are worked on in parallel already; BLAS threads on top of that wait for each other, ten times as long as
    the product itself takes.

    Args:
        left, right: float, (rows, inner) and (inner, columns).
        out: where to put the result, (rows, columns); a new array where None.
    """
    rows, inner = left.shape
    if out is None:
        out = np.empty((rows, right.shape[1]), np.result_type(left, right))
    step = max(1, SMALL_PRODUCT // (inner * right.shape[1]))
    whole = rows - rows % step
    if whole:
        stacked = (whole // step, step)
        np.matmul(left[:whole].reshape(*stacked, inner), right, out=out[:whole].reshape(*stacked, out.shape[1]))
    if whole < rows:
        np.matmul(left[whole:], right, out=out[whole:])
    return out


def _rounded(sums: npt.NDArray[Any], shift: float) -> Grey:
    """``sums`` + ``shift``, rounded and cut to uint8 in one go."""
    # Not cv2.add(sums, shift): OpenCV takes a number for an array of four where there happen to be four sums.
    return np.asarray(cv2.addWeighted(sums, 1.0, sums, 0.0, shift, dtype=cv2.CV_8U), np.uint8)


def _pass(grey: Grey, after: int, axis: int, kind: Filter) -> Grey | None:
    """Resample one axis; None where too many sums are in doubt for this to be worth it."""
    weights = _weights(grey.shape[axis], after, kind)
    source = grey.astype(weights.dtype)
    if axis:
        sums = np.empty((grey.shape[0], after), weights.dtype)
        for first, last, low, high, block in weights.blocks:
            multiply(source[:, low:high], block, sums[:, first:last])
    else:
        sums = np.empty((after, grey.shape[1]), weights.dtype)
        for first, last, low, high, block in weights.blocks:
            multiply(source[low:high].T, block, sums[first:last].T)
    result = _rounded(sums, weights.doubt)
    below = _rounded(sums, -weights.doubt)
    doubtful = np.flatnonzero(result != below)
    if len(doubtful) > MAX_DOUBTFUL * result.size:
        return None
    if len(doubtful):
        rows, columns = np.divmod(doubtful, result.shape[1])
        output, line = (columns, rows) if axis else (rows, columns)
        taps = np.minimum(weights.start[output, None] + np.arange(weights.fixed.shape[1]), grey.shape[axis] - 1)
        values = grey[line[:, None], taps] if axis else grey[taps, line[:, None]]
        total = np.einsum("ij,ij->i", values.astype(np.int64), weights.fixed[output])
        exact = (total + (1 << (PRECISION_BITS - 1))) >> PRECISION_BITS
        result[rows, columns] = np.clip(exact, 0, 255)
    return result
