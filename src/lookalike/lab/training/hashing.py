"""A head whose signs are a binary code: deep hashing over stored embeddings, with products or without."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lookalike.features.embedding import unit
from lookalike.lab.training import losses
from lookalike.lab.training.batches import Balanced, Numbers, Shuffled
from lookalike.lab.training.heads import EVERY, Best, Learned, Settings, Step, train_head
from lookalike.lab.training.nearest import agreement, precisions
from lookalike.lab.training.projection import Projection
from lookalike.lab.training.rotation import turned_codes
from lookalike.optional import later

torch = later("torch", extra="train")

LEAST_BITS, MOST_BITS = 64, 256

SHARP = 0.1
"""Weight of the quantisation term."""

EVEN = 1.0
"""Weight of the balance of bits."""

WORTH = 0.01
"""By how much codes have to get better where training is stopped; less has proved to be luck."""


def train_codes(
    vectors: npt.NDArray[np.float32],
    labels: Numbers | None,
    fit: Numbers,
    stop: Numbers,
    bits: int,
    settings: Settings | None = None,
    progress: Step | None = None,
) -> Learned:
    """Train a head that gives codes.

    With labels a head of plain numbers is trained first, and codes begin as its vectors, turned
    (:func:`~lookalike.lab.training.rotation.turned_codes`); then codes of one product are brought together. Without,
    they begin as the vectors themselves, turned, and become as alike as these are.

    Args:
        vectors, fit, stop, progress: as for :func:`~lookalike.lab.training.heads.train_head`.
        labels: (N,), the number of each picture's product; None where they are not known.
        bits: length of a code, 64 to 256, a multiple of 8.
        settings: see there.
    """
    chosen = settings or Settings()
    first = None
    if labels is not None:
        first = train_head(vectors, labels, fit, stop, vectors.shape[1], chosen, progress).projection
    begun = turned_codes(vectors[fit], bits, chosen.seed, first)
    rows = torch.as_tensor(unit(vectors))
    # numbers of about 1, so that tanh neither is a straight line nor a step
    scale = 1 / np.abs(begun.before(vectors[fit])).mean()
    matrix = torch.as_tensor(begun.matrix * scale).requires_grad_()
    bias = torch.as_tensor(begun.bias * scale).requires_grad_()
    start = matrix.detach().clone()
    centre = torch.as_tensor(unit(vectors[fit]).mean(axis=0))
    optimiser = torch.optim.Adam([matrix, bias], lr=chosen.rate)
    batches: Balanced | Shuffled = (
        Shuffled(fit, seed=chosen.seed) if labels is None else Balanced(labels, fit, seed=chosen.seed)
    )

    means = batches.means(vectors) if isinstance(batches, Balanced) else None

    def projection(best: Best | None = None) -> Projection:
        found = [matrix.detach(), bias.detach()] if best is None else best.parameters
        return Projection(found[0].numpy().copy(), found[1].numpy().copy(), bits=True)

    def look() -> float:
        codes = projection()(vectors[stop])
        if labels is None:
            return float(agreement(unit(vectors[stop]), codes).mean())
        return float(np.nanmean(precisions(codes, labels[stop])[0]))

    best = Best(look(), matrix, bias)
    for step in range(1, chosen.steps + 1):
        which = batches.batch(step)
        soft = torch.tanh(rows[torch.as_tensor(which)] @ matrix + bias)
        loss = _loss(soft, rows[torch.as_tensor(which)] - centre, None if labels is None else labels[which], chosen)
        loss = loss + chosen.pull * ((matrix - start) ** 2).sum() / float(scale) ** 2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % EVERY == 0:
            if progress is not None:
                progress(step, chosen.steps)
            if best.looked(step, look(), matrix, bias) >= chosen.patience:
                break
            if isinstance(batches, Balanced) and means is not None:
                batches.look(projection()(means))
    if best.score < best.seen[0][1] + WORTH:
        return Learned(begun, 0, tuple(best.seen))
    return Learned(projection(best), best.step, tuple(best.seen))


def _loss(soft: Any, vectors: Any, labels: Numbers | None, settings: Settings) -> Any:
    normalize = torch.nn.functional.normalize
    if labels is None:
        wanted = losses.likeness(soft, normalize(vectors, dim=1))
    else:
        wanted = losses.contrastive(normalize(soft, dim=1), torch.as_tensor(labels), settings.temperature)
    return wanted + SHARP * losses.quantisation(soft) + EVEN * losses.balance(soft)
