"""The losses of the two heads."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def label_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy to a distribution, averaged over the batch.

    Args:
        logits: (N, K) float.
        targets: (N, K) float, each row a distribution.
    """
    return functional.cross_entropy(logits, targets)


def vote_loss(logits: Tensor, votes: Tensor, share: Tensor) -> Tensor:
    """Kullback-Leibler divergence from the network to the votes, weighted by how much of the vote names an expression.

    Args:
        logits: (N, K) float.
        votes: (N, K) float, each row a distribution, or all zero where there are no votes.
        share: (N,) float, weight 0..1 of each row.

    Returns:
        The weighted mean, a scalar; 0 where no row has a weight.
    """
    divergence = functional.kl_div(logits.log_softmax(dim=1), votes, reduction="none").sum(dim=1)
    total: Tensor = (divergence * share).sum() / share.sum().clamp(min=torch.finfo(share.dtype).tiny)
    return total
