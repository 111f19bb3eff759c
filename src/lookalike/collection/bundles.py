"""Any method's feature ↔ bytes for the store, exactly."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from lookalike.collection.describe import ALIKE, AT_SIGHT
from lookalike.collection.packing import pack, pack_points, unpack, unpack_points
from lookalike.features.align import Keypoints
from lookalike.features.keypoints import KeypointMethod
from lookalike.features.objects import ObjectPoints, Objects
from lookalike.features.shrink import shrunk, small

if TYPE_CHECKING:
    from lookalike.features.base import Method
    from lookalike.types import Picture

AS_IN_GROUPS = frozenset(name for name in AT_SIGHT if name != "disc") | {"embedding", "xfeat", "palette"}
"""Methods whose features `group` keeps as well, and as exactly; others have a key of their own."""


def kept_key(made: Method[Any]) -> str:
    """The store's key of a method's features."""
    return made.key if _as_in_groups(made) else f"kept {made.key}"


def _as_in_groups(made: Method[Any]) -> bool:
    return made.name in AS_IN_GROUPS and made.key != ALIKE.key  # that one is kept in half precision there


def bundled(made: Method[Any], feature: Any) -> bytes | None:
    """The feature as bytes, or None of a record that nobody here knows how to read again."""
    if made.name == "xfeat":
        return pack_points(feature)
    if _as_in_groups(made):
        return pack(feature)
    if isinstance(feature, np.ndarray):
        arrays: tuple[Any, ...] = (feature,)
    elif isinstance(feature, Keypoints):
        arrays = (feature.points, feature.descriptors)
    elif isinstance(feature, ObjectPoints):
        arrays = (feature.points, feature.descriptors, feature.colours)
    else:
        return None
    written = io.BytesIO()
    for array in arrays:
        np.save(written, array, allow_pickle=False)
    content = written.getvalue()
    sparse = 2 * content.count(0) > len(content)  # such as a histogram; what is dense only costs time
    return b"z" + zlib.compress(content, 1) if sparse else b"-" + content


def unbundled(made: Method[Any], content: bytes | None, picture: Picture) -> Any | None:
    """What :func:`bundled` made; None where nothing is kept, or something else."""
    if content is None:
        return None
    try:
        if made.name == "xfeat":
            return unpack_points(content, shrunk(small(picture)), picture.digest)
        if _as_in_groups(made):
            return unpack(made, content)
        stream = io.BytesIO(zlib.decompress(content[1:]) if content[:1] == b"z" else content[1:])
        arrays = []
        while stream.tell() < len(stream.getbuffer()):
            arrays.append(np.load(stream, allow_pickle=False))
        if isinstance(made, KeypointMethod):
            points, descriptors = arrays
            return Keypoints(points, descriptors, shrunk(picture.decoded(made.side).pixels), picture.digest)
        if isinstance(made, Objects):
            points, descriptors, colours = arrays
            return ObjectPoints(points, descriptors, colours, picture.digest)
        return arrays[0]
    except (ValueError, EOFError, IndexError, struct.error, zlib.error):
        return None
