"""A head over stored embeddings: a linear map that brings pictures of one product together. Seconds on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lookalike.features.embedding import unit
from lookalike.lab.training import losses
from lookalike.lab.training.batches import Balanced, Numbers
from lookalike.lab.training.nearest import precisions
from lookalike.lab.training.pca import PCA
from lookalike.lab.training.projection import Projection, centred
from lookalike.optional import later

torch = later("torch", extra="train")

Loss = Literal["contrastive", "triplet"]

Step = Callable[[int, int], None]
"""Called with the steps done and the most that there may be."""

EVERY = 25
"""Steps between two looks at the part that says when to stop."""

LEAST_GAIN = 1e-4


@dataclass(frozen=True, slots=True)
class Settings:
    """How a head is trained. The defaults were chosen on classes of groceries and catalogue products held out.

    Attributes:
        loss: ``"contrastive"`` or ``"triplet"``, see :mod:`lookalike.lab.training.losses`.
        temperature: of the contrastive loss.
        margin: of the triplet loss, in cosine.
        rate: of Adam.
        pull: weight of the squared distance from where the matrix began: what holds it there.
        steps: at most.
        patience: looks without anything better after which it stops.
        seed: decides every batch.
    """

    loss: Loss = "contrastive"
    temperature: float = 0.1
    margin: float = 0.2
    rate: float = 3e-4
    pull: float = 1e-2
    steps: int = 600
    patience: int = 6
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Learned:
    """What training gave.

    Attributes:
        projection: the best that was seen, by the part that says when to stop.
        step: when that was; 0: nothing was better than the beginning.
        seen: step and score of every look.
    """

    projection: Projection
    step: int
    seen: tuple[tuple[int, float], ...]


def beginning(vectors: npt.NDArray[Any], dimension: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Mean and matrix that a head begins with: nothing changed but the mean, or as many principal components."""
    rows = unit(vectors).astype(np.float64)
    if dimension == rows.shape[1]:
        return rows.mean(axis=0), np.eye(dimension)
    pca = PCA(dimension).fit(rows)
    return pca.mean_, pca.components_.T


def train_head(
    vectors: npt.NDArray[np.float32],
    labels: Numbers,
    fit: Numbers,
    stop: Numbers,
    dimension: int,
    settings: Settings | None = None,
    progress: Step | None = None,
) -> Learned:
    """Train a head.

    Args:
        vectors: N×D, embeddings.
        labels: (N,), the number of each picture's product.
        fit: numbers of the pictures that it learns from.
        stop: numbers of those that tell when it is best; of other products.
        dimension: of what comes out; D, or less.
        settings: see there.
        progress: called after every look.

    Returns:
        The head; the same for one seed on one machine.
    """
    chosen = settings or Settings()
    mean, begun = beginning(vectors[fit], dimension)
    rows = torch.as_tensor(unit(vectors) - mean.astype(np.float32))
    start = torch.as_tensor(begun.astype(np.float32))
    change = torch.zeros_like(start, requires_grad=True)
    numbers = torch.as_tensor(labels)
    optimiser = torch.optim.Adam([change], lr=chosen.rate)
    batches = Balanced(labels, fit, seed=chosen.seed)
    means = torch.as_tensor(batches.means(rows.numpy()))

    def mapped(which: Numbers) -> Any:
        return torch.nn.functional.normalize(rows[torch.as_tensor(which)] @ (start + change), dim=1)

    def look() -> float:
        with torch.no_grad():
            return float(np.nanmean(precisions(mapped(stop).numpy(), labels[stop])[0]))

    best = Best(look(), change)
    for step in range(1, chosen.steps + 1):
        which = batches.batch(step)
        found = mapped(which)
        if chosen.loss == "contrastive":
            loss = losses.contrastive(found, numbers[which], chosen.temperature)
        else:
            loss = losses.triplet(found, numbers[which], chosen.margin)
        loss = loss + chosen.pull * (change**2).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % EVERY == 0:
            if progress is not None:
                progress(step, chosen.steps)
            if best.looked(step, look(), change) >= chosen.patience:
                break
            with torch.no_grad():
                batches.look(torch.nn.functional.normalize(means @ (start + change), dim=1).numpy())
    matrix = begun + best.parameters[0].numpy().astype(np.float64)
    return Learned(centred(matrix, mean), best.step, tuple(best.seen))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch work alone in the block, as it was before afterwards.

    Steps of a head are short: on a busy machine two threads that wait for each other took three times as long as one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Best:
    """The best parameters so far, and since when there were none better.

    Args:
        score: before any step.
        parameters: tensors; copied.
    """

    def __init__(self, score: float, *parameters: Any) -> None:
        self.score, self.step, self.waiting = score, 0, 0
        self.parameters = [each.detach().clone() for each in parameters]
        self.seen: list[tuple[int, float]] = [(0, score)]

    def looked(self, step: int, score: float, *parameters: Any) -> int:
        """Tell a score; how many looks there were since the best."""
        self.seen.append((step, score))
        self.waiting += 1
        if score > self.score + LEAST_GAIN:
            self.score, self.step, self.waiting = score, step, 0
            self.parameters = [each.detach().clone() for each in parameters]
        return self.waiting
