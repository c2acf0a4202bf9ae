"""Write a trained network as ONNX, with an output for each head and the outputs for activation maps."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from facemood.models.activation import FEATURES, weights_of
from facemood.models.card import ModelCard
from facemood.train.networks.se_resnet import ExpressionNetwork
from facemood.train.onnx_file import save_onnx


def write_onnx(network: nn.Module, file: Path, card: ModelCard, *, half: bool = False) -> None:
    """Export a network for batches of any size, with an output for each head.

    An se-resnet also has the outputs that `models.activation` needs.

    Args:
        network: Maps (N, C, h, w) float images to the logits of each head, from `build_network`.
        file: The ONNX file.
        card: The card, for the file's metadata.
        half: Store the weights in half precision.
    """
    (width, height), channels = card.input_size, len(card.mean)
    batch = torch.export.Dim("batch", min=1, max=4096)
    example = torch.zeros(2, channels, height, width)
    names = tuple(card.heads)
    more: tuple[str, ...] = ()
    ordered: nn.Module = _Ordered(network, names)
    if isinstance(network, ExpressionNetwork):
        ordered, more = _WithFeatures(network, names), (FEATURES, *(weights_of(head) for head in names))
    save_onnx(ordered, file, card, example=example, free={0: batch}, more=more, half=half)


class _Ordered(nn.Module):
    """Returns the logits of a network as a tuple in the card's order, as ONNX needs it."""

    def __init__(self, network: nn.Module, heads: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.names = network, heads

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        logits = self.network(images)
        return tuple(logits[name] for name in self.names)


class _WithFeatures(nn.Module):
    """Returns logits, last feature map, and the heads' weights."""

    def __init__(self, network: ExpressionNetwork, heads: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.names = network, heads

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        features = self.network.features(images)
        logits = self.network.classify(features)
        weights = (self.network.head_weights(name).clone() for name in self.names)
        return (*(logits[name] for name in self.names), features, *weights)
