"""DICOM → :class:`Picture`: rescaled, windowed as the file says, at full depth. Needs the extra ``dicom``."""

from __future__ import annotations

import io
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.errors import DecodeFailed, LookalikeError, UnsupportedFormat
from lookalike.images.colour import grey_to_decoded
from lookalike.images.limits import Limits
from lookalike.optional import need
from lookalike.types import Decoded, Picture

_META_AT = 132
_DEFLATED = "1.2.840.10008.1.2.1.99"


def read_dicom(data: bytes, source: str, digest: str, limits: Limits) -> Picture:
    """The first frame of a DICOM file, its modality and VOI (window and level) tables applied.

    Grey becomes uint16 over the window's range (MONOCHROME1, where low is bright, is inverted); colour becomes RGB.

    Raises:
        MissingExtra: pydicom is not installed.
        UnsupportedFormat: compressed in a way for which pydicom has no decoder here.
        LimitExceeded, DecodeFailed: as for every picture.
    """
    pydicom = need("pydicom", extra="dicom")
    pixels = need("pydicom.pixels", extra="dicom")
    try:
        _check_syntax(data, source, pydicom, pixels)
        header = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
        width, height = int(header.Columns), int(header.Rows)
    except LookalikeError:
        raise
    except Exception as error:
        raise _damaged(source) from error
    limits.check_size(width, height, source)

    @cache
    def decode() -> Decoded:
        try:
            decoded = _decode(pydicom.dcmread(io.BytesIO(data)), pixels)
            if decoded.pixels.shape != (height, width, 3):
                raise ValueError(f"the pixels have shape {decoded.pixels.shape}")
            return decoded
        except Exception as error:
            raise _damaged(source) from error

    size = (width, height)
    return Picture(source=source, format="DICOM", digest=digest, original_size=size, decode=lambda side: decode())


def _damaged(source: str) -> DecodeFailed:
    return DecodeFailed("this DICOM cannot be decoded, it is damaged", source=source, remedy="get the file again")


def _check_syntax(data: bytes, source: str, pydicom: Any, pixels: Any) -> None:
    """Refuse what has no decoder, and what pydicom would inflate as a whole, however large it becomes."""
    file = io.BytesIO(data)
    file.seek(_META_AT)
    meta = pydicom.filereader.read_dataset(file, False, True, stop_when=lambda tag, vr, length: tag.group != 2)
    syntax = meta.TransferSyntaxUID
    if syntax != _DEFLATED:
        if not syntax.is_encapsulated:
            return
        try:
            if pixels.get_decoder(syntax).is_available:
                return
        except NotImplementedError:  # not even known by name
            pass
    raise UnsupportedFormat(
        f"this DICOM is compressed as {syntax.name}, which is not read", source=source, remedy="save it uncompressed"
    )


def _decode(dataset: Any, pixels: Any) -> Decoded:
    array = pixels.pixel_array(dataset, index=0)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        return _colour(pixels.apply_color_lut(array, dataset), bits=array.dtype.itemsize * 8)
    if array.ndim == 3:
        return _colour(array, bits=int(dataset.BitsStored))
    values = pixels.apply_modality_lut(array, dataset)
    shown = np.clip(_window(np.asarray(values), dataset, pixels), 0.0, 1.0)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        shown = 1.0 - shown
    return grey_to_decoded(np.round(shown * 65535.0).astype(np.uint16))


def _colour(array: npt.NDArray[Any], bits: int) -> Decoded:
    rgb = array[..., :3]
    if rgb.dtype != np.uint8:
        rgb = np.round(rgb * (255.0 / (2**bits - 1)))
    rgb = np.ascontiguousarray(rgb, np.uint8)
    rgb.setflags(write=False)
    return Decoded(rgb)


def _window(values: npt.NDArray[Any], dataset: Any, pixels: Any) -> npt.NDArray[np.float64]:
    """What is shown, 0 = black to 1 = white, by the formulas of DICOM PS3.3 C.11.2.1; all there is without a window."""
    if "VOILUTSequence" in dataset:
        table: npt.NDArray[np.float64] = pixels.apply_voi(values, dataset, index=0).astype(np.float64)
        return table / (2.0 ** int(dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1)
    real: npt.NDArray[np.float64] = values.astype(np.float64)
    centre, width = _first(dataset.get("WindowCenter")), _first(dataset.get("WindowWidth"))
    if centre is None or width is None or width <= 0:
        low, high = float(real.min()), float(real.max())
        return (real - low) / max(high - low, 1e-12)
    function = dataset.get("VOILUTFunction", "LINEAR")
    if function == "SIGMOID":
        return 1.0 / (1.0 + np.asarray(np.exp(-4.0 * (real - centre) / width)))
    if function == "LINEAR_EXACT":
        return (real - centre) / width + 0.5
    return (real - (centre - 0.5)) / max(width - 1.0, 1e-12) + 0.5


def _first(value: Any) -> float | None:
    """A file may offer several windows, the first being the default; or name the tag and leave it empty."""
    if value is None or value == "":
        return None
    many = isinstance(value, (list, tuple)) or hasattr(value, "__iter__")
    return (float(value[0]) if len(value) else None) if many else float(value)
