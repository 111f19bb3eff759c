"""The whole network learns: with labels, or without from edited views of each picture. For a GPU."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lookalike.features.embedding import unit
from lookalike.features.models import ModelSpec
from lookalike.lab.training import checkpoints, losses
from lookalike.lab.training.batches import Balanced, Numbers, Shuffled
from lookalike.lab.training.heads import Best
from lookalike.lab.training.nearest import precisions
from lookalike.lab.training.network import Network
from lookalike.lab.training.views import MILD, WIDE, views
from lookalike.lab.training.whole_records import Stop, Tuned, WholeSettings
from lookalike.optional import later

torch = later("torch", extra="train")

Tensor: TypeAlias = Any

SAVE_EVERY = 200
"""Steps after which a checkpoint is written, beside the end of every epoch."""

WARM_UP = 0.05
"""Share of all steps over which the rate rises from zero."""

MIXES = (0.25, 0.5, 0.75)
"""How much of the change is taken: between the network as it was and as it became may lie a better one
(Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022)."""


class Tuning:
    """One training of a whole network, which can be broken off after any step and gone on with.

    Args:
        model: the network; of 32 bits.
        squares: uint8 N×S×S×3, the pictures to learn from; S somewhat over ``size``.
        labels: (N,), what each shows; None to learn from edited views alone.
        size: side of the network's input.
        settings: see there.
        device: ``"cpu"``, ``"cuda"`` …
        checkpoint: file of the state; None for none.
        belongs_to: digest of the data and of all that matters.
    """

    def __init__(
        self,
        model: ModelSpec,
        squares: npt.NDArray[np.uint8],
        labels: Numbers | None,
        size: int,
        settings: WholeSettings,
        device: str = "cpu",
        checkpoint: Path | None = None,
        belongs_to: str = "",
    ) -> None:
        self.squares, self.labels, self.size, self.settings, self.device = squares, labels, size, settings, device
        self.checkpoint, self.belongs_to = checkpoint, belongs_to
        self.network = Network(model, device)
        self.start = {name: tensor.detach().clone() for name, tensor in self.network.weights.items()}
        self.optimiser = torch.optim.Adam(list(self.network.weights.values()), lr=settings.rate)
        members = np.arange(len(squares))
        each = 4
        self.batches: Balanced | Shuffled = (
            Shuffled(members, size=settings.batch // 2, seed=settings.seed)  # two views of each
            if labels is None
            else Balanced(labels, members, products=max(2, settings.batch // each), each=each, seed=settings.seed)
        )
        seen = len(self.batches.batch(0))
        self.an_epoch = max(1, math.ceil(len(squares) / seen))
        self.steps = self.an_epoch * settings.epochs
        self.step = 0
        half = torch.bfloat16 if device == "cpu" or torch.cuda.is_bf16_supported() else torch.float16
        self._autocast: Callable[[], Any] = (
            (lambda: torch.autocast(device.partition(":")[0], half)) if settings.mixed else nullcontext
        )
        self.scaler = torch.amp.GradScaler(enabled=settings.mixed and half == torch.float16)

    def run(self, stop: Stop, progress: Callable[[int, int], None] | None = None) -> Tuned:
        """Train, from the checkpoint where there is one.

        Raises:
            UsageError: the checkpoint is of another training.
        """
        best = self._resumed() or Best(self.score(stop), *self.network.weights.values())
        epochs: list[float] = []
        total = 0.0
        while self.step < self.steps and best.waiting < self.settings.patience:
            total += self.learn()
            if progress is not None:
                progress(self.step, self.steps)
            if self.step % self.an_epoch == 0:
                epochs.append(total / self.an_epoch)
                total = 0.0
                best.looked(self.step // self.an_epoch, self.score(stop), *self.network.weights.values())
                self._save(best)
            elif self.step % SAVE_EVERY == 0:
                self._save(best)
        mix = self._mixed(best, stop)
        return Tuned(self.network.to_onnx(), best.step, mix, tuple(best.seen), tuple(epochs))

    def learn(self) -> float:
        """One step; the loss."""
        settings = self.settings
        self.step += 1
        which = self.batches.batch(self.step)
        with self._autocast():
            found, numbers = self._seen(which)
        found = torch.nn.functional.normalize(found.float(), dim=1)
        if settings.loss == "contrastive":
            loss = losses.contrastive(found, numbers, settings.temperature)
        else:
            loss = losses.triplet(found, numbers, settings.margin)
        rate = self._rate()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        with torch.no_grad():
            for name, tensor in self.network.weights.items():
                tensor.lerp_(self.start[name], rate * settings.pull)
        return float(loss.detach())

    def _seen(self, which: Numbers) -> tuple[Tensor, Tensor]:
        """Vectors of views of these pictures, and what belongs together."""
        squares = torch.as_tensor(self.squares[np.sort(which)], device=self.device)
        seed = (self.settings.seed, self.step)
        if self.labels is None:
            pair = [views(squares, self.size, (*seed, side), WIDE) for side in (0, 1)]
            return self.network(torch.cat(pair)), torch.arange(len(which), device=self.device).repeat(2)
        numbers = torch.as_tensor(self.labels[np.sort(which)], device=self.device)
        return self.network(views(squares, self.size, seed, MILD)), numbers

    def _rate(self) -> float:
        done = self.step / self.steps
        if done < WARM_UP:
            return self.settings.rate * done / WARM_UP
        return self.settings.rate * 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))

    def embedded(self, squares: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Vectors of squares that have the network's size: float32 N×D, rows of length 1."""
        found = []
        with torch.no_grad():
            for start in range(0, len(squares), 64):
                part = torch.as_tensor(squares[start : start + 64], device=self.device)
                found.append(self.network(part).float().cpu().numpy())
        return unit(np.concatenate(found))

    def score(self, stop: Stop) -> float:
        """mAP on what says when to stop."""
        return float(np.nanmean(precisions(self.embedded(stop.squares), stop.labels)[0]))

    def _mixed(self, best: Best, stop: Stop) -> float:
        """Set the best weights, or those between them and the beginning where these are better."""
        names = list(self.network.weights)
        tuned = dict(zip(names, best.parameters, strict=True))
        chosen, highest, mix = tuned, best.score, 1.0
        for share in MIXES if best.step else ():
            between = {name: torch.lerp(self.start[name], tuned[name], share) for name in names}
            self.network.set_weights(between)
            found = self.score(stop)
            if found > highest:
                chosen, highest, mix = between, found, share
        self.network.set_weights(chosen)
        return mix

    def _save(self, best: Best) -> None:
        if self.checkpoint is None:
            return
        state = {
            "step": self.step,
            "weights": {name: tensor.detach() for name, tensor in self.network.weights.items()},
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
            "best": {
                "parameters": best.parameters,
                "score": best.score,
                "step": best.step,
                "waiting": best.waiting,
                "seen": best.seen,
            },
        }
        checkpoints.save(self.checkpoint, state, self.belongs_to)

    def _resumed(self) -> Best | None:
        state = None if self.checkpoint is None else checkpoints.load(self.checkpoint, self.belongs_to)
        if state is None:
            return None
        self.step = state["step"]
        self.network.set_weights(state["weights"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        kept = state["best"]
        best = Best(kept["score"], *(tensor.to(self.device) for tensor in kept["parameters"]))
        best.step, best.waiting, best.seen = kept["step"], kept["waiting"], [tuple(each) for each in kept["seen"]]
        return best
