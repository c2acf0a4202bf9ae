"""The losses of the label head and the vote head."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def label_loss(logits: Tensor, targets: Tensor, *, weights: Tensor | None = None, gamma: float = 0.0) -> Tensor:
    """Cross-entropy to a distribution, weighted by class; focal loss if gamma is above 0 (Lin et al. 2017).

    The loss of an image is ``-sum_k w_k t_k (1 - p_k)^gamma log p_k``. The mean is weighted by ``sum_k w_k t_k``, so
    that class weights change the balance between classes but not the size of the loss.

    Args:
        logits: (N, K) float.
        targets: (N, K) float, each row a distribution.
        weights: (K,) float, the weight of each class; None for 1.
        gamma: Focusing parameter: how much well-classified images are down-weighted; 0 weights all equally.
    """
    logarithms = logits.log_softmax(dim=1)
    weighted = targets if weights is None else targets * weights
    losses = -weighted * logarithms
    if gamma:
        losses = losses * (1 - logarithms.exp()).clamp(min=0) ** gamma
    total: Tensor = losses.sum() / weighted.sum()
    return total


def consistency_loss(logits: Tensor, given: Tensor) -> Tensor:
    """Kullback-Leibler divergence from the network's answer to one view of the images to its answer to another.

    The other answer is what is learned: no gradient goes through it, so the answer to good images is not pulled towards
    that to degraded ones (Xie et al. 2020, "Unsupervised data augmentation for consistency training").

    Args:
        logits: (N, K) float, of the view that learns.
        given: (N, K) float logits of the other view.

    Returns:
        The mean, a scalar.
    """
    return functional.kl_div(
        logits.log_softmax(dim=1), given.detach().log_softmax(dim=1), reduction="batchmean", log_target=True
    )


def vote_loss(logits: Tensor, votes: Tensor, share: Tensor) -> Tensor:
    """Kullback-Leibler divergence from the network to the votes, weighted by the share of votes for an expression.

    Args:
        logits: (N, K) float.
        votes: (N, K) float, each row a distribution, or all zero without votes.
        share: (N,) float, weight 0..1 of each row.

    Returns:
        The weighted mean, a scalar; 0 if no row has a weight.
    """
    divergence = functional.kl_div(logits.log_softmax(dim=1), votes, reduction="none").sum(dim=1)
    total: Tensor = (divergence * share).sum() / share.sum().clamp(min=torch.finfo(share.dtype).tiny)
    return total
