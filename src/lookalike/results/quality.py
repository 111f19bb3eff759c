"""How good a file is as the one to keep: what its pixels show, how it was compressed."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import JpegImagePlugin

from lookalike.errors import SourceUnreadable
from lookalike.features.base import WORKING_SIDE
from lookalike.features.grey import grey_of
from lookalike.images.load import load

if TYPE_CHECKING:
    import numpy.typing as npt

    from lookalike.types import PictureFile, Pixels

LOSSLESS = frozenset({"PNG", "BMP", "TIFF", "DICOM"})
"""Formats that keep every pixel as it was. GIF does not: it keeps 256 colours. TIFF may hold JPEG, which is rare."""

_GREYISH = 12
"""Levels between the greatest and the least channel that JPEG may give to a picture without colour."""

_TILE = 1024
"""Side of the middle of a picture that is looked at, at full scale."""

_BANDS, _PER_OCTAVE = 26, 4
_LEAST_VARIANCE = 1.0
"""Of grey levels: below that there is nothing in a picture to be sharp."""

_ROUNDING = 2 / 12
"""Squared grey levels that are taken for rounding, once in the file and once on the way to grey."""

# ITU-T T.81, annex K, table K.1: the luminance quantisation that quality 50 stands for.
_K1 = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
).reshape(-1)


@dataclass(frozen=True, slots=True)
class Quality:
    """What speaks for a file.

    Attributes:
        picture: the file.
        lossless: its format keeps every pixel.
        jpeg_quality: 1 to 100, as libjpeg counts; None where it is no JPEG.
        spectrum: energy of the grey picture in bands a quarter of an octave wide, the finest detail first; None where
            the picture is flat.
        coloured: it has any colour to speak of.
    """

    picture: PictureFile
    lossless: bool
    jpeg_quality: int | None
    spectrum: tuple[float, ...] | None
    coloured: bool = True

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.picture.width * self.picture.height

    def new_detail(self, factor: float) -> float:
        """How much there is to see that a picture ``factor`` times smaller could not hold, against what it just could.

        Natural pictures have about the same energy in every octave (Field, "Relations between the statistics of
        natural images and the response properties of cortical cells", 1987), so this is 0.2 to 0.9 for a picture that
        was taken at its size, and below 0.15 for most that were enlarged. 1.0 for a flat picture: nothing speaks
        against it.
        """
        if self.spectrum is None:
            return 1.0
        octaves = float(np.log2(factor))
        beyond, within = self._energy(0, octaves), self._energy(octaves, octaves + 1)
        return 1.0 if within <= 0 else (beyond / octaves) / within

    def sharpness(self, factor: float = 1.0) -> float:
        """Energy of the finest octave against coarser ones, as it would be ``factor`` times smaller; 0 where flat.

        A share of high in low frequencies, as measures of focus go (Pertuz, Puig, Garcia, "Analysis of focus measure
        operators for shape-from-focus", 2013). It tells pictures of one thing apart, not of different things.
        """
        if self.spectrum is None:
            return 0.0
        octaves = float(np.log2(factor))
        coarse = self._energy(octaves + 2, octaves + 5)
        return 0.0 if coarse <= 0 else self._energy(octaves, octaves + 1) / coarse

    def _energy(self, first: float, last: float) -> float:
        """Between ``first`` and ``last`` octaves below the finest detail that the picture's size allows."""
        assert self.spectrum is not None
        summed = np.concatenate([[0.0], np.cumsum(self.spectrum)])
        at = np.arange(_BANDS + 1) / _PER_OCTAVE
        return float(np.interp(last, at, summed) - np.interp(first, at, summed))


def measure(picture: PictureFile) -> Quality:
    """Look at a file for what speaks for it. It is decoded in full.

    Raises:
        PictureError: it cannot be read, or no longer.
    """
    loaded = load(picture.path)
    grey = grey_of(loaded, 0)
    lossless, quality = picture.format in LOSSLESS, None
    if picture.format in ("JPEG", "WEBP"):
        try:
            with open(picture.path, "rb") as file:
                if picture.format == "WEBP":
                    lossless = file.read(16)[12:] == b"VP8L"
                else:
                    quality = jpeg_quality(JpegImagePlugin.JpegImageFile(file).quantization.get(0, []))
        except (OSError, SyntaxError, ValueError, struct.error) as error:
            raise SourceUnreadable("it changed while it was read", source=picture.path) from error
    return Quality(picture, lossless, quality, spectrum(grey), _coloured(loaded.decoded(WORKING_SIDE).pixels))


def _coloured(pixels: Pixels) -> bool:
    """Whether one pixel in twenty differs from grey by more than :data:`_GREYISH` levels between its channels."""
    sample = pixels[::3, ::3]
    spread = sample.max(axis=2).astype(np.int16) - sample.min(axis=2)
    return bool(np.percentile(spread, 95) > _GREYISH)


def jpeg_quality(table: list[int]) -> int | None:
    """The quality, 1 to 100, that a luminance quantisation table stands for; None where it is no such table.

    libjpeg scales table K.1 of ITU-T T.81 by (200 - 2 q) % from quality 50 on and by 5000 / q % below, and clips to
    1..255 (``jpeg_quality_scaling`` and ``jpeg_add_quant_table`` in its jcparam.c); this goes back. The tables of other
    programs have no such number, and get that of the libjpeg table about as coarse.

    >>> jpeg_quality([1] * 64), jpeg_quality([16, 11, 10, 16, 24]), jpeg_quality(_K1.tolist())
    (100, None, 50)
    """
    steps = np.asarray(table, np.float64)
    if steps.shape != (64,) or steps.min() < 1:
        return None
    if steps.max() == 1:
        return 100
    unclipped = (steps > 1) & (steps < 255)
    if not unclipped.any():
        return 1
    scale = 100 * steps[unclipped].sum() / _K1[unclipped].sum()
    quality = (200 - scale) / 2 if scale <= 100 else 5000 / scale
    return int(np.clip(round(quality), 1, 100))


def spectrum(grey: Pixels) -> tuple[float, ...] | None:
    """Energy in the middle of a picture by fineness: 26 bands of a quarter octave from half a cycle a pixel down.

    Args:
        grey: uint8, H×W.

    Returns:
        The energies, finest first, in grey levels squared; None where the picture is flat.
    """
    height, width = grey.shape
    top, left = max(0, height - _TILE) // 2, max(0, width - _TILE) // 2
    tile = grey[top : top + _TILE, left : left + _TILE].astype(np.float32)
    if tile.size == 0 or tile.var() < _LEAST_VARIANCE:
        return None
    rows, columns = (np.hanning(side + 2)[1:-1].astype(np.float32) for side in tile.shape)
    window = rows[:, None] * columns
    power = np.abs(np.fft.rfft2((tile - tile.mean()) * window)) ** 2 / tile.size**2
    bands = _band_of(tile.shape).reshape(-1)
    energies = np.bincount(bands, weights=power.reshape(-1), minlength=_BANDS + 2)
    # Whole grey levels are wrong by 1/12 squared level on average, evenly over all frequencies: no detail.
    rounding = _ROUNDING * float(np.mean(window**2)) / tile.size * np.bincount(bands, minlength=_BANDS + 2)
    return tuple(float(energy) for energy in np.maximum(energies - rounding, 0)[:_BANDS])


def _band_of(shape: tuple[int, ...]) -> npt.NDArray[np.intp]:
    """The band of every frequency of ``rfft2``; those past the corners and the coarsest go where nobody looks."""
    down, across = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    cycles = np.hypot(down, across)
    with np.errstate(divide="ignore"):
        band = np.floor(_PER_OCTAVE * np.log2(0.5 / cycles))
    band[cycles > 0.5] = _BANDS + 1
    within: npt.NDArray[np.intp] = np.clip(band, 0, _BANDS + 1).astype(np.intp)
    return within
