"""Looking at aligned pictures: local correlation, which flat agreement and silhouettes do not fool.

Two aligned grey pictures are compared window by window: zero-mean normalised correlation in every window that has
texture, then the mean. A brighter, greyer or recompressed copy stays near 1; two products photographed from one
template, whose outlines agree and whose insides do not, stay well below.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from lookalike.features.base import Method
from lookalike.features.dihedral import TRANSFORMS, apply
from lookalike.features.shrink import square, twice

if TYPE_CHECKING:
    from lookalike.types import Picture, Pixels

Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

TEXTURE = 36.0
"""Least variance (grey levels squared) that makes a window worth looking at: 6 grey levels, above JPEG's own noise."""

STEADY = 20.0
"""Added to each variance: keeps a faint window from counting like a strong one."""


def local_correlation(a: Grey, b: Grey, window: int = 15) -> float:
    """Mean correlation of ``a`` and ``b`` over the windows in which either has texture.

    Args:
        a, b: float32, H×W, grey levels 0..255, aligned.
        window: side of the windows in pixels, odd.

    Returns:
        -1 to 1; 1.0 for two pictures without any texture where their levels agree within 12 levels, else 0.0.

    >>> ramp = np.tile(np.arange(0, 256, 4, dtype=np.float32), (64, 1))
    >>> round(local_correlation(ramp, ramp + 20), 2), round(local_correlation(ramp, 255 - ramp), 2)
    (1.0, -1.0)
    """
    return local_correlations(a, b, window, (np.ones(a.shape, np.bool_),))[0]


def local_correlations(a: Grey, b: Grey, window: int, masks: Sequence[Mask]) -> list[float]:
    """:func:`local_correlation` over several areas (H×W masks) of one pair, at the cost of one.

    The first mask is where both pictures are; nothing outside it is looked at.
    """
    inside = None if masks[0].all() else masks[0]
    correlation, strength = correlation_map(a, b, window, inside)
    textured = strength > TEXTURE
    most = strength / (strength + STEADY)  # what equal windows reach
    found = []
    for mask in masks:
        where = textured & mask
        if int(where.sum()) >= max(8, where.size // 400):
            found.append(float(correlation[where].sum() / most[where].sum()))
        else:
            found.append(1.0 if mask.any() and float(np.abs(a - b)[mask].mean()) < 12 else 0.0)
    return found


def correlation_map(a: Grey, b: Grey, window: int, inside: Mask | None = None) -> tuple[Grey, Grey]:
    """Correlation of every window of two aligned pictures, and the variance of the stronger of the two; H×W each.

    A constant is added to both variances, so that faint windows count less: equal windows of variance v reach
    v / (v + 20) only.

    Args:
        a, b: float32, H×W, grey levels.
        window: side of the windows in pixels, odd.
        inside: H×W, the pixels that count; None for all.
    """
    correlation, var_a, var_b = _windows(a, b, window, inside)
    return correlation, np.asarray(np.maximum(var_a, var_b), np.float32)


def _windows(a: Grey, b: Grey, window: int, inside: Mask | None = None) -> tuple[Grey, Grey, Grey]:
    """Correlation of every window, and its variance in either picture."""
    if inside is None:
        share: Grey | float = 1.0
    else:
        weight = inside.astype(np.float32)
        share = np.maximum(_box(weight, window), np.float32(1e-3))
        a, b = a * weight, b * weight
    mean_a, mean_b = _box(a, window) / share, _box(b, window) / share
    var_a = np.maximum(_box(a * a, window) / share - mean_a * mean_a, 0)
    var_b = np.maximum(_box(b * b, window) / share - mean_b * mean_b, 0)
    together = _box(a * b, window) / share - mean_a * mean_b
    correlation = np.asarray(together / np.sqrt((var_a + STEADY) * (var_b + STEADY)), np.float32)
    return correlation, var_a, var_b


def equally_sharp(a: Grey, b: Grey, inside: Mask | None = None) -> tuple[Grey, Grey]:
    """Both pictures (float32, H×W), the sharper blurred until it is no sharper than the other.

    A blurred or enlarged copy lacks the fine detail of its original; looked at as they are, the windows that hold only
    such detail would speak against it. Sharpness is the energy of the gradient over the variance, so that contrast and
    brightness do not enter. Up to half as sharp again is left alone. Of ``inside`` (H×W) only is it measured.
    """
    sharp_a, sharp_b = _sharpness(a, inside), _sharpness(b, inside)
    if sharp_b > sharp_a:
        second, first = equally_sharp(b, a, inside)
        return first, second
    softer = a
    for sigma in (1.0, 1.5, 2.0, 3.0, 4.0, 6.0):
        if _sharpness(softer, inside) <= 1.5 * sharp_b:
            break
        softer = np.asarray(cv2.GaussianBlur(a, (0, 0), sigma), np.float32)
    return softer, b


def _sharpness(values: Grey, inside: Mask | None) -> float:
    across, down = values[:, 1:] - values[:, :-1], values[1:] - values[:-1]
    if inside is None:
        count = values.size
        variance = float(cv2.meanStdDev(values)[1].item()) ** 2
    else:
        across, down = across * (inside[:, 1:] & inside[:, :-1]), down * (inside[1:] & inside[:-1])
        count = max(1, int(inside.sum()))
        variance = float(cv2.meanStdDev(values, mask=inside.astype(np.uint8))[1].item()) ** 2
    return (float(np.vdot(across, across)) + float(np.vdot(down, down))) / count / (variance + STEADY)


def equal_shares(a: Grey, b: Grey, least: float = 0.0) -> tuple[float, float]:
    """How much of two aligned pictures is the same but for what was laid over one of them: text, a sticker, a frame.

    What covers a picture brings edges of its own, so that the windows of one picture are asked at a time, and the
    picture whose windows agree more is taken to be the one beneath. It must not be next to nothing, as a page that has
    the same logo as a page full of goods: windows count for three times their share of both pictures' at most.

    Args:
        a, b: float32, H×W, grey levels 0..255.
        least: share of windows below which that of the pixels is not counted, and given as 0.

    Returns:
        Share of the textured 7×7 windows that agree (correlation over 0.85), and share of their middle pixels that are
        equal within 12 levels once contrast and brightness are. Lines of text leave 0.27 and 0.53 in 95 of 100
        pictures; other pictures that show the like reach 0.17 and 0.31 in one of 100.
    """
    correlation, variance_a, variance_b = _windows(a, b, 7)
    agree = correlation > 0.85
    textured = [mask for mask in (variance_a > 60, variance_b > 60) if int(mask.sum()) >= max(8, mask.size // 100)]
    if not textured:
        return 0.0, 0.0
    windows, beneath = max(((float(agree[mask].mean()), mask) for mask in textured), key=lambda each: each[0])
    windows = min(windows, 3 * float(agree[(variance_a > 60) | (variance_b > 60)].mean()))
    if windows < least:
        return windows, 0.0
    x, y = (values[agree & beneath] for values in (a, b))
    if x.size < 64:
        x, y = a.ravel(), b.ravel()
    every = 1 + x.size // 8192  # a few thousand pixels tell the contrast of all
    gain, offset = _gain(x[::every], y[::every])
    equal = np.abs(b - (gain * a + offset)) < 12
    return windows, float(equal[beneath].mean())


EQUAL_FLAT, EQUAL_TEXTURED = 0.95, 0.82
"""Share of pixels that are equal in nearly every copy, where there is no texture and where there is nothing else.

Of 732 planted crops, shifts and tilts those with the least texture had 0.96 and more and those with the most 0.83 and
more; of other pictures that agreed along one edge, such as two hems on two floors, none had over 0.90."""


def levels_agree(a: Grey, b: Grey, inside: Mask) -> float:
    """How equal the levels of two aligned pictures are once contrast and brightness are, of what copies reach.

    Local correlation looks where there is texture; where there is little, the levels must bear it out, and with hardly
    any change of contrast, for that would make any two levels equal to any other two.

    Args:
        a, b: float32, H×W, grey levels 0..255.
        inside: H×W, where both pictures are.

    Returns:
        Share of pixels equal within 12 levels, over the share that copies with as much texture have: 1 and more for
        copies, 0 where the pictures hardly overlap.
    """
    if int(inside.sum()) < 64:
        return 0.0
    b = np.where(inside, b, a)  # so that nothing from outside is blurred into it
    soft_a, soft_b = (np.asarray(cv2.GaussianBlur(x, (0, 0), 1.0), np.float32) for x in (a, b))
    flat_a, flat_b = soft_a[inside], soft_b[inside]
    mean = _box(soft_a, 9)
    texture = float(((_box(soft_a * soft_a, 9) - mean * mean)[inside] > TEXTURE).mean())
    told = (np.minimum(flat_a, flat_b) > 3) & (np.maximum(flat_a, flat_b) < 252)  # what is cut off tells no contrast
    fitted = told if int(told.sum()) >= 64 else np.ones(told.shape, np.bool_)
    gain, offset = _gain(flat_a[fitted][::3], flat_b[fitted][::3], 1 - texture / 2)
    forth = np.abs(flat_b - np.clip(gain * flat_a + offset, 0, 255))
    back = np.abs(flat_a - np.clip((flat_b - offset) / max(gain, 0.1), 0, 255))
    equal = float((np.minimum(forth, back) < 12).mean())
    return equal / (EQUAL_FLAT + (EQUAL_TEXTURED - EQUAL_FLAT) * texture)


def _gain(a: Grey, b: Grey, least: float = 0.0) -> tuple[float, float]:
    """Contrast and brightness that make most of ``a`` equal to ``b``: least squares, thrice, without what strays.

    Args:
        least: the contrast is no lower than this, and no higher than its inverse.
    """
    good = np.ones(a.shape, np.bool_)
    gain, offset = 1.0, 0.0
    for _ in range(3):
        x, y = a[good], b[good]
        centred = x - x.mean()
        gain = float(centred @ y) / max(float(centred @ centred), 1e-6)
        gain = max(least, min(gain, 1 / max(least, 1e-3)))
        offset = float(y.mean() - gain * x.mean())
        miss = np.abs(b - (gain * a + offset))
        median = float(np.partition(miss, len(miss) // 2)[len(miss) // 2])
        good = miss < max(8.0, 2 * median)
    return gain, offset


def agreeing(a: Grey, b: Grey, window: int = 9, least: float = 0.4) -> npt.NDArray[np.bool_]:
    """Where two aligned pictures show the same structure, or neither shows any; H×W."""
    correlation, strength = correlation_map(a, b, window)
    return np.asarray((strength < TEXTURE) | (correlation > least))


def _box(values: Grey, window: int) -> Grey:
    return np.asarray(cv2.boxFilter(values, cv2.CV_32F, (window, window), borderType=cv2.BORDER_REFLECT), np.float32)


FLAT = 3.0
"""Standard deviation, in grey levels, below which what is inside the margins shows nothing."""


BEHIND = 0.25
"""Correlation of 24×24 thumbnails by which an orientation may stay behind the best and still be looked at."""


class Frame(NamedTuple):
    """How well one whole frame matches the other.

    Attributes:
        correlation: mean local correlation, -1 to 1.
        orientation: index into :data:`~lookalike.features.dihedral.TRANSFORMS`; applied to the second picture it
            gives the first.
        trimmed: whether the pictures were compared without their margins.
    """

    correlation: float
    orientation: int
    trimmed: bool


class Look(Method[npt.NDArray[np.uint8]]):
    """Whole frame against whole frame, in the best of the eight flips and quarter turns, with margins or without.

    The feature is uint8, 2×96×96: the picture squeezed to a square, and its content (margins taken off) likewise.

    >>> from lookalike import load
    >>> picture = np.random.default_rng(0).integers(0, 255, (12, 9), np.uint8).repeat(20, 0).repeat(20, 1)
    >>> look = Look()
    >>> a, b = look.extract([load(picture), load(np.ascontiguousarray(np.rot90(picture)[:, ::-1]))])
    >>> look.compare(a, b) > 0.95
    True
    """

    name = "look"
    metric = None
    dtype = "uint8"
    SIDE = 96
    WINDOW = 11

    @property
    def shape(self) -> tuple[int, ...]:
        return (2, self.SIDE, self.SIDE)

    def extract(self, pictures: Sequence[Picture]) -> list[npt.NDArray[np.uint8]]:
        return [np.stack(twice(picture, self._square)) for picture in pictures]

    def compare(self, a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
        if np.array_equal(a, b):
            return 1.0
        return min(1.0, max(0.0, self.best(a, b).correlation))

    def best(self, a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> Frame:
        """The flip or turn of ``b``, with margins or without, that agrees best with ``a``."""
        candidates = []
        for trimmed in (False, True):
            if trimmed and np.array_equal(a[0], a[1]) and np.array_equal(b[0], b[1]):
                break
            if trimmed and min(float(a[1].std()), float(b[1].std())) < FLAT:
                break  # inside the margins there is nothing to tell pictures apart by
            first, second = equally_sharp(_soft(a[int(trimmed)]), _soft(b[int(trimmed)]))
            for index, alike in _promising(first, second):
                turned = np.ascontiguousarray(apply(second, index))
                frame = Frame(local_correlation(first, turned, self.WINDOW), index, trimmed)
                # Where there is too little texture to tell (sparks in the dark), every turn looks alike.
                candidates.append((round(frame.correlation, 6), round(alike, 3), -index, not trimmed, frame))
        return max(candidates)[-1]

    def agreement(self, a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8], frame: Frame) -> npt.NDArray[np.bool_]:
        """Where ``b``, laid down as ``frame`` says, shows the structure of ``a``; 96×96."""
        which = int(frame.trimmed)
        turned = np.ascontiguousarray(apply(b[which], frame.orientation))
        return agreeing(*equally_sharp(_soft(a[which]), _soft(turned)), self.WINDOW)

    def _square(self, pixels: Pixels) -> npt.NDArray[np.uint8]:
        return square(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8), self.SIDE)


def _soft(square: npt.NDArray[np.uint8]) -> Grey:
    return np.asarray(cv2.GaussianBlur(square.astype(np.float32), (0, 0), 1.0), np.float32)


def _promising(a: Grey, b: Grey, keep: int = 3) -> list[tuple[int, float]]:
    """The orientations worth a look, each with the correlation of 24×24 thumbnails: the best, and no turn.

    Those that agree far less than the best at 24 pixels never agree better at 96.
    """
    small_a, small_b = (_standard(cv2.resize(x, (24, 24), interpolation=cv2.INTER_AREA)) for x in (a, b))
    alike = [float((small_a * apply(small_b, index)).sum()) for index in range(len(TRANSFORMS))]
    ranked = sorted(range(len(TRANSFORMS)), key=lambda index: -alike[index])
    best = alike[ranked[0]]
    return [(index, alike[index]) for index in sorted({0, *ranked[:keep]}) if alike[index] >= best - BEHIND]


def _standard(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    centred = values - values.mean()
    return np.asarray(centred / (np.linalg.norm(centred) + 1e-6))
