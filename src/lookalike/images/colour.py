"""Pillow images of any mode → sRGB pixels, mask and full-depth grey."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from lookalike.types import Decoded

if TYPE_CHECKING:
    from lookalike.types import Pixels

log = logging.getLogger(__name__)

STRIP_PIXELS = 2**17
"""Pixels converted at a time. Small strips stay in the cache and out of fresh memory: a picture of 1 megapixel converts
six times faster than in one piece, and one of 50 never stands in memory three times over."""

_PROFILE_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def to_decoded(image: Image.Image) -> Decoded:
    """Convert a loaded, oriented Pillow image.

    Palette and grey become RGB; alpha, palette transparency and colour keys are laid on white and kept as mask; CMYK
    and embedded ICC profiles are converted to sRGB (a profile that cannot be read is ignored, as browsers do); 16-bit
    grey is divided by 257 and kept at full depth; 32-bit integers and floats count as 0..1 (floats), 0..255 or
    0..65535, the first that holds them, and are stretched from their smallest to their largest value where none does.
    """
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return grey_to_decoded(_full_depth(image), transparent=image.info.get("transparency"))
    has_alpha = image.mode in {"RGBA", "LA", "PA", "RGBa", "La"} or "transparency" in image.info
    transform = _srgb_transform(image.info.get("icc_profile"), image.mode)
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    mask = np.empty((height, width), np.uint8) if has_alpha else None
    for rows, strip in _strips(image):
        pixels[rows], alpha = _strip_to_rgb(strip, has_alpha, transform)
        if mask is not None and alpha is not None:
            mask[rows] = alpha
    return Decoded(_frozen(pixels), None if mask is None else _frozen(mask))


def to_luma(image: Image.Image) -> Pixels:
    """A loaded, oriented image of mode ``L`` as uint8, H×W. Read-only."""
    luma = np.empty((image.height, image.width), np.uint8)
    for rows, strip in _strips(image):
        luma[rows] = np.asarray(strip)
    return _frozen(luma)


def is_srgb(image: Image.Image) -> bool:
    """Whether an image's colours are sRGB already: it has no profile, or one that changes nothing."""
    return _srgb_transform(image.info.get("icc_profile"), image.mode) is None


def grey_to_decoded(grey16: npt.NDArray[np.uint16], transparent: object = None) -> Decoded:
    """Full-depth grey (uint16, H×W) → the record; ``transparent`` is the grey value that is see-through, if any.

    ``grey16`` itself becomes part of the record and read-only.
    """
    height, width = grey16.shape
    pixels = np.empty((height, width, 3), np.uint8)
    mask = np.empty((height, width), np.uint8) if isinstance(transparent, int) else None
    for rows in _row_blocks(width, height):
        if mask is not None:
            see_through = grey16[rows] == transparent
            mask[rows] = np.where(see_through, np.uint8(0), np.uint8(255))
            grey16[rows][see_through] = 65535
        pixels[rows] = to_eight_bits(grey16[rows])[..., None]
    return Decoded(_frozen(pixels), None if mask is None else _frozen(mask), _frozen16(grey16))


def to_eight_bits(sixteen: npt.NDArray[np.uint16]) -> Pixels:
    """uint16 → uint8, divided by 257 and rounded, so that 0 and 65535 become 0 and 255."""
    return ((sixteen.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _row_blocks(width: int, height: int) -> Iterator[slice]:
    step = max(1, STRIP_PIXELS // max(1, width))
    return (slice(top, min(height, top + step)) for top in range(0, height, step))


def _strips(image: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """The picture in strips of whole rows, each with the rows it holds."""
    width, height = image.size
    for rows in _row_blocks(width, height):
        strip = image
        if rows != slice(0, height):
            strip = image.crop((0, rows.start, width, rows.stop))
            strip.info = image.info  # a palette's transparency lives there, and crop() may leave it behind
        yield rows, strip


def _strip_to_rgb(
    strip: Image.Image, has_alpha: bool, transform: ImageCms.ImageCmsTransform | None
) -> tuple[Pixels, Pixels | None]:
    alpha = None
    if has_alpha:
        if strip.mode == "La":
            strip = strip.convert("LA")  # Pillow has no direct way
        strip = strip.convert("RGBA")
        alpha = strip.getchannel("A")
    if transform is not None:
        colour = strip if strip.mode == transform.input_mode else strip.convert(transform.input_mode)
        rgb = ImageCms.applyTransform(colour, transform)
        assert rgb is not None  # only an in-place transform gives None
    elif strip.mode == "LAB":
        rgb = ImageCms.applyTransform(strip, _lab_transform())
        assert rgb is not None
    else:
        rgb = strip if strip.mode == "RGB" else strip.convert("RGB")
    if alpha is not None:
        white = Image.new("RGB", rgb.size, "white")
        white.paste(rgb, mask=alpha)
        rgb = white
    return np.asarray(rgb), None if alpha is None else np.asarray(alpha)


def _full_depth(image: Image.Image) -> npt.NDArray[np.uint16]:
    width, height = image.size
    grey16 = np.empty((height, width), np.uint16)
    if image.mode.startswith("I;16"):
        for rows, strip in _strips(image):
            grey16[rows] = np.asarray(strip)
        return grey16
    tops = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    top = 1.0 if image.mode == "F" else 65535.0  # what an infinite value becomes
    ends = [(float(values.min()), float(values.max())) for _, values in _finite_strips(image, top)]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    if low >= 0 and high <= top:  # Pillow's convert("I") and convert("F") keep the numbers of 8-bit grey
        low, high = 0.0, next(top for top in tops if high <= top)
    for rows, values in _finite_strips(image, top):
        grey16[rows] = np.round((values - low) / max(high - low, 1e-12) * 65535.0)
    return grey16


def _finite_strips(image: Image.Image, top: float) -> Iterator[tuple[slice, npt.NDArray[np.float64]]]:
    for rows, strip in _strips(image):
        yield rows, np.nan_to_num(np.asarray(strip, np.float64), copy=False, nan=0.0, posinf=top, neginf=0.0)


def _srgb_transform(profile: object, mode: str) -> ImageCms.ImageCmsTransform | None:
    """The transform from an embedded profile to sRGB; None where there is none, it is sRGB already, or is broken."""
    if not isinstance(profile, bytes) or not profile:
        return None
    base = {"RGBA": "RGB", "RGBa": "RGB", "RGBX": "RGB", "P": "RGB", "PA": "RGB", "LA": "L", "La": "L", "1": "L"}
    try:
        return _cached_transform(profile, base.get(mode, mode))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        log.debug("embedded colour profile ignored: %s", error)
        return None


@lru_cache(maxsize=16)
def _cached_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if _PROFILE_MODES.get(source.profile.xcolor_space.strip()) != mode:
        return None  # a profile for another kind of picture describes nothing here
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    return None if mode == "RGB" and _changes_nothing(transform) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether the profile is sRGB under whatever name: "Linear sRGB" is not, and the nameless "c2" is."""
    levels = np.arange(0, 256, 15).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    there = ImageCms.applyTransform(Image.fromarray(colours), transform)
    return there is not None and int(np.abs(np.asarray(there, np.int16) - colours).max()) <= 2


@lru_cache(maxsize=1)
def _lab_transform() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")


def _frozen(array: Pixels) -> Pixels:
    array.setflags(write=False)
    return array


def _frozen16(array: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
    array.setflags(write=False)
    return array
