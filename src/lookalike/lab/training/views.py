"""Edited views of pictures, made where the network is: crops, turns, colours, blur, what is laid over.

Every random choice comes from a generator on the CPU, so that a step sees the same views on every device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from lookalike.optional import later

torch = later("torch", extra="train")

Tensor: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Range:
    """How far views go from their picture.

    Attributes:
        area: least and most of the picture's area that is seen; over 1 there is a white border.
        turn: degrees, either way.
        aspect: sides change by up to this factor.
        tone: brightness, contrast and colours change by up to this share.
        grey, blur, cover: how often a view is grey, blurred, or partly covered.
    """

    area: tuple[float, float]
    turn: float
    aspect: float
    tone: float
    grey: float
    blur: float
    cover: float


MILD = Range((0.6, 1.1), turn=5, aspect=1.15, tone=0.2, grey=0.0, blur=0.1, cover=0.1)
"""Where labels say what belongs together."""

WIDE = Range((0.3, 1.3), turn=15, aspect=1.3, tone=0.4, grey=0.15, blur=0.3, cover=0.3)
"""Where edits are all there is to learn from."""

WHITE = 255.0


def views(squares: Tensor, size: int, seed: tuple[int, ...], within: Range) -> Tensor:
    """One edited view of every picture.

    Args:
        squares: uint8 N×S×S×3, on any device.
        size: side of a view.
        seed: numbers that decide every choice.
        within: how far to go.

    Returns:
        float32 N×size×size×3, from 0 to 255, on the device of the squares.
    """
    generator = torch.Generator().manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
    device, count = squares.device, len(squares)

    def chance(low: float, high: float, *shape: int) -> Tensor:
        return (torch.rand((count, *shape), generator=generator) * (high - low) + low).to(device)

    pixels = squares.permute(0, 3, 1, 2).float() - WHITE  # so that what lies outside, zero, is white
    grid = torch.nn.functional.affine_grid(_frames(chance, within), [count, 3, size, size], align_corners=False)
    seen = torch.nn.functional.grid_sample(pixels, grid, mode="bilinear", align_corners=False) + WHITE
    seen = _toned(seen, chance, within)
    blurred = chance(0, 1) < within.blur
    if bool(blurred.any()):
        small = torch.nn.functional.interpolate(seen[blurred], scale_factor=0.3, mode="area")
        seen[blurred] = torch.nn.functional.interpolate(small, (size, size), mode="bilinear")
    return _covered(seen, chance, within).clamp(0, WHITE).permute(0, 2, 3, 1)


def _frames(chance: Any, within: Range) -> Tensor:
    """N×2×3: where in the picture, from -1 to 1, a view looks."""
    side = torch.sqrt(chance(*within.area))
    stretch = torch.exp(chance(-1, 1) * math.log(within.aspect) / 2)
    across, down = side * stretch, side / stretch
    angle = chance(-1, 1) * math.radians(within.turn)
    flip = torch.where(chance(0, 1) < 0.5, -1.0, 1.0)
    room_x, room_y = (1 - across).abs(), (1 - down).abs()
    shift_x, shift_y = chance(-1, 1) * room_x, chance(-1, 1) * room_y
    cosine, sine = torch.cos(angle), torch.sin(angle)
    rows = [cosine * across * flip, -sine * down, shift_x, sine * across * flip, cosine * down, shift_y]
    return torch.stack(rows, dim=1).reshape(-1, 2, 3)


def _toned(seen: Tensor, chance: Any, within: Range) -> Tensor:
    """Brightness, contrast, colours; some views in grey."""
    wide = (slice(None), None, None, None)
    gain = 1 + chance(-within.tone, within.tone)[wide]
    contrast = 1 + chance(-within.tone, within.tone)[wide]
    cast = 1 + chance(-within.tone / 3, within.tone / 3, 3)[:, :, None, None]
    grey = (seen * torch.tensor([0.299, 0.587, 0.114], device=seen.device)[:, None, None]).sum(dim=1, keepdim=True)
    colour = torch.where(chance(0, 1) < within.grey, 0.0, 1 + chance(-within.tone, within.tone))[wide]
    middle = grey.mean(dim=(2, 3), keepdim=True)
    return ((grey + (seen - grey) * colour) - middle) * contrast * cast + middle * gain


def _covered(seen: Tensor, chance: Any, within: Range) -> Tensor:
    """A plain rectangle over up to a quarter of some views, as labels, bars and stickers are."""
    size = seen.shape[-1]
    covered = chance(0, 1) < within.cover
    half = chance(0.1, 0.25, 2) * size
    centre = chance(0, 1, 2) * size
    place = torch.arange(size, device=seen.device) + 0.5
    inside = [(place[None] - centre[:, axis, None]).abs() < half[:, axis, None] for axis in (0, 1)]
    mask = inside[0][:, None, :, None] & inside[1][:, None, None, :] & covered[:, None, None, None]
    return torch.where(mask, chance(0, WHITE, 3)[:, :, None, None], seen)
