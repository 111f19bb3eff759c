"""How a whole network is trained, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lookalike.lab.training.batches import Numbers
from lookalike.lab.training.heads import Loss


@dataclass(frozen=True, slots=True)
class WholeSettings:
    """How the whole network is trained.

    Attributes:
        loss, temperature, margin: as for a head.
        rate: of Adam, at its highest; it rises at first and then falls to zero along a cosine.
        pull: share of the way back to where the weights began that each step takes, times the rate.
        epochs: how often every picture is seen, at most.
        patience: epochs without anything better after which it stops.
        batch: pictures in a step.
        mixed: compute in 16 bits what allows it.
        seed: decides every batch and every view.
    """

    loss: Loss = "contrastive"
    temperature: float = 0.1
    margin: float = 0.2
    rate: float = 1e-4
    pull: float = 1.0
    epochs: int = 10
    patience: int = 3
    batch: int = 128
    mixed: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """What tells when the network is best.

    Attributes:
        squares: uint8 N×size×size×3.
        labels: (N,), what each shows.
    """

    squares: npt.NDArray[np.uint8]
    labels: Numbers


@dataclass(frozen=True, slots=True)
class Tuned:
    """What training gave.

    Attributes:
        content: of the ONNX file.
        epoch: when the network was best; 0: nothing was better than the beginning.
        mix: how much of the change was taken.
        seen: epoch and score of every look.
        losses: mean loss of every epoch that this run did itself.
    """

    content: bytes
    epoch: int
    mix: float
    seen: tuple[tuple[int, float], ...]
    losses: tuple[float, ...]
