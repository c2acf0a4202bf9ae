"""Batch-norm re-estimation: running means and variances for the current weights of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def reestimated_norms(network: nn.Module) -> Iterator[None]:
    """Re-estimate the batch norms of averaged weights: run the network inside the block.

    Each batch norm gets the plain mean over these batches instead of the running mean of training, which belongs to
    other weights (Izmailov et al. 2018, "Averaging weights leads to wider optima"). Dropout and
    gradients are off.

    Args:
        network: Is in evaluation mode afterwards.

    Example:
        >>> network = nn.Sequential(nn.BatchNorm1d(1))
        >>> with reestimated_norms(network):
        ...     _ = network(torch.tensor([[1.0], [3.0]])), network(torch.tensor([[5.0], [7.0]]))
        >>> network[0].running_mean
        tensor([4.])
    """
    norms = [module for module in network.eval().modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # in torch this means the mean over all batches
        norm.train()
    with torch.no_grad():
        yield
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()


@torch.no_grad()
def adopt_norms(network: nn.Module, norms: Sequence[nn.BatchNorm2d], images: Tensor) -> None:
    """Set batch norms to the mean and variance of their input, and rescale them so that their output stays the same.

    Args:
        network: Is in evaluation mode afterwards.
        norms: Batch norms of the network, with any scale and shift.
        images: (N, C, h, w) float32, on which the network is run.
    """
    measured: dict[nn.BatchNorm2d, tuple[Tensor, Tensor]] = {}

    def measuring(norm: nn.BatchNorm2d) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            measured[norm] = (inputs[0].mean(dim=(0, 2, 3)), inputs[0].var(dim=(0, 2, 3)))

        return hook

    handles = [norm.register_forward_pre_hook(measuring(norm)) for norm in norms]
    network.eval()(images)
    for handle in handles:
        handle.remove()
    for norm, (mean, variance) in measured.items():
        norm.running_mean.copy_(mean)  # type: ignore[union-attr]
        norm.running_var.copy_(variance)  # type: ignore[union-attr]
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.add_(mean)
