"""Features ↔ bytes, exactly, for the store."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.features.align import Keypoints
from lookalike.features.cells import CHANNELS, GRID

if TYPE_CHECKING:
    import numpy.typing as npt

    from lookalike.features.base import Method
    from lookalike.types import Pixels

_COUNTS = struct.Struct("<HH")
_GRID = GRID * GRID // 4, CHANNELS


def pack(feature: npt.NDArray[Any]) -> bytes:
    """An array's values; of two equal halves along the first axis only one.

    Look and tint keep a picture with and without its margins, and most pictures have none.

    >>> len(pack(np.zeros((2, 4), np.uint8))), len(pack(np.arange(8, dtype=np.uint8).reshape(2, 4)))
    (4, 8)
    """
    if feature.ndim > 1 and len(feature) == 2 and np.array_equal(feature[0], feature[1]):
        feature = feature[0]
    return np.ascontiguousarray(feature).tobytes()


def pack_insets(boxes: npt.NDArray[np.float32], grids: npt.NDArray[np.uint8]) -> bytes:
    """Pictures within a picture: where (n×4) and what (uint8, n×16×80, cells at half the size)."""
    return boxes.astype("<f4").tobytes() + grids.tobytes()


def unpack_insets(content: bytes) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """What :func:`pack_insets` made."""
    count = len(content) // (16 + _GRID[0] * _GRID[1])
    boxes = np.frombuffer(content, "<f4", count * 4).reshape(count, 4)
    return boxes, np.frombuffer(content, np.uint8, offset=16 * count).reshape(count, *_GRID)


def pack_place(place: npt.NDArray[np.float64]) -> bytes:
    """Where a content lies in its picture: 3×3, affine."""
    return place[:2].astype("<f8").tobytes()


def unpack_place(content: bytes) -> npt.NDArray[np.float64]:
    """What :func:`pack_place` made."""
    return np.vstack([np.frombuffer(content, "<f8").reshape(2, 3), [0, 0, 1]])


def unpack(made: Method[Any], content: bytes, dtype: str | None = None) -> npt.NDArray[Any]:
    """What :func:`pack` made of a feature of the method ``made``; read-only.

    Args:
        made: the method, for its dtype and shape.
        content: the bytes.
        dtype: of the values, where they were kept in another than the method's.
    """
    shape = made.shape
    assert shape is not None
    values = np.frombuffer(content, dtype or made.dtype)
    if values.size * 2 == int(np.prod(shape)):
        half = values.reshape(shape[1:])
        return np.broadcast_to(half, shape)
    return values.reshape(shape)


def pack_points(feature: Keypoints) -> bytes:
    """Points and descriptors; the small picture they belong to is decoded anew, which is cheap."""
    counts = _COUNTS.pack(*feature.descriptors.shape)
    return counts + feature.points.astype("<f4").tobytes() + feature.descriptors.astype("<f4").tobytes()


def unpack_points(content: bytes, small: Pixels, digest: str) -> Keypoints:
    """What :func:`pack_points` made, with the picture it belongs to."""
    count, width = _COUNTS.unpack_from(content)
    values = np.frombuffer(content, "<f4", offset=_COUNTS.size)
    points = values[: 2 * count].reshape(count, 2).astype(np.float32)
    return Keypoints(points, values[2 * count :].reshape(count, width).astype(np.float32), small, digest)
