"""Toned prints: pictures whose colour says nothing that their lightness does not, as sepia.

A toning program gives every grey its own colour. What was coloured before is lost, and what had no colour gets one:
neither is true of a product that comes in two colours, for skin and ground stay what they were.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Lab = npt.NDArray[np.float32]

TONED = 4.5
"""Lab chroma that is left, root mean square, once lightness has explained what it can: sepia prints at 32×32 pixels
stay below in 95 of 100, garments with skin and ground in 25 of 100."""

RICHER = 2.0
"""How much more is left in the picture it was made from, at least."""

NEUTRAL, STRONG = 5.0, 20.0
"""Lab chroma below which a pixel has no colour, and over which it has much."""

SAME_COLOUR = 6.0
"""Difference of Lab chroma up to which a pixel kept its colour."""

MOST_KEPT = 0.2
"""Share of the strongly coloured pixels that may keep their colour by chance: what is brown stays brown."""

FEWEST = 40
"""Pixels below which nothing is told: a cubic goes through a few of any colours."""

LEAST_NEUTRAL, MOSTLY = 0.05, 0.6
"""Share of pixels without colour from which they are asked, and of them that must have been given one."""


def is_toned(a: Lab, b: Lab) -> bool:
    """Whether one of two aligned pictures is a toned print of the other, as far as colours tell.

    Args:
        a, b: float32, N×3, CIE Lab pixel by pixel.

    >>> lightness = np.linspace(20, 90, 300, dtype=np.float32)
    >>> colours = 30 * np.stack([np.sin(lightness), np.cos(lightness)])
    >>> brown = np.stack([lightness, 0.1 * lightness, 30 - 0.2 * lightness], 1)
    >>> is_toned(np.stack([lightness, *colours], 1), brown), is_toned(brown, brown)
    (True, False)
    """
    if len(a) < FEWEST:
        return False
    left_a, left_b = unexplained(a), unexplained(b)
    if min(left_a, left_b) >= TONED or left_a == left_b:
        return False
    toned, rich = (a, b) if left_a < left_b else (b, a)
    was, now = (np.hypot(lab[:, 1], lab[:, 2]) for lab in (rich, toned))
    neutral, strong = was < NEUTRAL, was > STRONG
    if neutral.mean() > LEAST_NEUTRAL:  # a white page, for one, which a dyed product leaves white
        return bool((now[neutral] >= NEUTRAL).mean() >= MOSTLY)
    kept = np.hypot(*(toned - rich)[strong, 1:].T) < SAME_COLOUR
    return abs(left_a - left_b) >= RICHER and bool(kept.sum() <= MOST_KEPT * max(strong.sum(), 0.02 * len(was)))


def unexplained(lab: Lab) -> float:
    """Root mean square of the chroma (Lab units) that a cubic in lightness leaves; N×3."""
    light = lab[:, 0] / 100
    powers = np.stack([np.ones_like(light), light, light**2, light**3], 1)
    chroma = lab[:, 1:]
    fitted, *_ = np.linalg.lstsq(powers, chroma, rcond=None)
    return float(np.sqrt(((chroma - powers @ fitted) ** 2).sum(axis=1).mean()))
