"""What training makes small. All take tensors of torch and give a scalar with gradients."""

from __future__ import annotations

from typing import Any, TypeAlias

from lookalike.optional import later

torch = later("torch", extra="train")

Tensor: TypeAlias = Any
"""A torch.Tensor; torch is an extra."""


def contrastive(vectors: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrastive loss: a picture should choose those of its own product among all of the batch.

    Khosla et al., "Supervised contrastive learning" (NeurIPS 2020), equation 2 (L_out): the mean over pictures i of
    -1/|P(i)| Σ_{p in P(i)} log(exp(v_i·v_p/t) / Σ_{a ≠ i} exp(v_i·v_a/t)). With two views of every picture and no
    other labels it is InfoNCE (NT-Xent: Chen et al., "A simple framework for contrastive learning", ICML 2020).

    Args:
        vectors: N×d, rows of length 1.
        labels: (N,), whole numbers; a picture whose label no other has is only a negative.
        temperature: the smaller, the more the hardest negatives count.
    """
    alike = vectors @ vectors.T / temperature
    itself = torch.eye(len(labels), dtype=torch.bool, device=vectors.device)
    same = (labels[:, None] == labels[None, :]) & ~itself
    chances = alike - torch.logsumexp(alike.masked_fill(itself, -torch.inf), dim=1, keepdim=True)
    counts = same.sum(dim=1)
    anchors = counts > 0
    total = chances.masked_fill(~same, 0.0).sum(dim=1)
    return -(total[anchors] / counts[anchors]).mean()


def triplet(vectors: Tensor, labels: Tensor, margin: float = 0.2) -> Tensor:
    """The least alike of one's own product should be nearer than the most alike other, by a margin.

    Batch-hard mining: Hermans, Beyer and Leibe, "In defense of the triplet loss for person re-identification" (2017),
    equation 5, with 1 - cosine as the distance.

    Args:
        vectors, labels: as for :func:`contrastive`.
        margin: in cosine.
    """
    alike = vectors @ vectors.T
    itself = torch.eye(len(labels), dtype=torch.bool, device=vectors.device)
    same = labels[:, None] == labels[None, :]
    hardest = alike.masked_fill(~same | itself, torch.inf).min(dim=1).values
    nearest = alike.masked_fill(same, -torch.inf).max(dim=1).values
    anchors = torch.isfinite(hardest) & torch.isfinite(nearest)
    return torch.relu(nearest[anchors] - hardest[anchors] + margin).mean()


def likeness(soft: Tensor, vectors: Tensor) -> Tensor:
    """Codes should be as alike as the vectors they stand for: mean squared difference of the cosines of all pairs.

    Args:
        soft: N×bits, in [-1, 1].
        vectors: N×D, centred, rows of length 1.
    """
    bits = soft.shape[1]
    away = ~torch.eye(len(soft), dtype=torch.bool, device=soft.device)
    return ((soft @ soft.T / bits - vectors @ vectors.T)[away] ** 2).mean()


def quantisation(soft: Tensor) -> Tensor:
    """How far numbers are from +1 or -1: the mean of (|y| - 1)². Zero for a code.

    Liu et al., "Deep supervised hashing for fast image retrieval" (CVPR 2016), squared in place of absolute.
    """
    return ((soft.abs() - 1) ** 2).mean()


def balance(soft: Tensor) -> Tensor:
    """How far bits are from being + in half of the batch and from saying different things.

    Mean square of the bits' means, and of the correlations of different bits (Erin Liong et al., "Deep hashing for
    compact binary codes learning", CVPR 2015, their balance and independence terms). Zero for ideal codes.
    """
    count, bits = soft.shape
    together = soft.T @ soft / count
    apart = together - torch.diag(torch.diagonal(together))
    return (soft.mean(dim=0) ** 2).mean() + (apart**2).sum() / (bits * (bits - 1))
