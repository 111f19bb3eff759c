"""NumPy arrays → sRGB pixels, mask and full-depth grey."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import InvalidArray
from lookalike.images.colour import grey_to_decoded, to_eight_bits
from lookalike.types import Decoded


def array_to_decoded(array: npt.NDArray[Any], source: str = "<array>") -> Decoded:
    """An array as a picture: H×W, H×W×1, H×W×3 (RGB) or H×W×4 (RGBA); uint8, uint16, bool, or float in 0..1.

    OpenCV keeps its channels as BGR: turn them round (``array[..., ::-1]``) first.

    Raises:
        InvalidArray: another shape or dtype, no pixels, NaN, or floats outside 0..1.

    >>> array_to_decoded(np.full((2, 3), 0.5)).pixels[0, 0].tolist()
    [128, 128, 128]
    """
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise InvalidArray(
            f"an array of shape {array.shape} is no picture", source=source, remedy="give H×W, H×W×3 or H×W×4"
        )
    if array.size == 0:
        raise InvalidArray(f"an array of shape {array.shape} has no pixels", source=source)
    if array.ndim == 2 and array.dtype != np.uint8 and array.dtype != np.bool_:
        return grey_to_decoded(_to_uint16(array, source))
    eight = _to_uint8(array, source)
    if eight.ndim == 2:
        return _frozen(np.repeat(eight[..., None], 3, axis=2), None)
    if eight.shape[2] == 3:
        return _frozen(eight.copy(), None)
    alpha = eight[..., 3].copy()
    return _frozen(_on_white(eight[..., :3], alpha), alpha)


def _on_white(rgb: npt.NDArray[np.uint8], alpha: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    from PIL import Image

    # Pillow's own blend, so that an RGBA array and the PNG saved from it give the same pixels to the last bit.
    white = Image.new("RGB", (rgb.shape[1], rgb.shape[0]), "white")
    white.paste(Image.fromarray(np.ascontiguousarray(rgb)), mask=Image.fromarray(alpha))
    return np.array(white)


def _to_uint8(array: npt.NDArray[Any], source: str) -> npt.NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return (array >> 8).astype(np.uint8)  # colour: the high byte, as it is read from 16-bit colour files
    return to_eight_bits(_to_uint16(array, source))


def _to_uint16(array: npt.NDArray[Any], source: str) -> npt.NDArray[np.uint16]:
    if array.dtype == np.uint16:
        return array.copy()
    if array.dtype.kind != "f":
        raise InvalidArray(
            f"an array of {array.dtype} is no picture",
            source=source,
            remedy="convert it to uint8, uint16, or float in 0..1",
        )
    low, high = float(array.min()), float(array.max())
    if not (low >= 0.0 and high <= 1.0):  # also catches NaN
        raise InvalidArray(f"float values run from {low:.4g} to {high:.4g}", source=source, remedy="scale them to 0..1")
    return np.round(array.astype(np.float64) * 65535).astype(np.uint16)


def _frozen(pixels: npt.NDArray[np.uint8], mask: npt.NDArray[np.uint8] | None) -> Decoded:
    pixels.setflags(write=False)
    if mask is not None:
        mask.setflags(write=False)
    return Decoded(pixels, mask)
