"""Plain convolutional networks, as in older recipes, and the network that combines any trunk with heads."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from facemood.train.recipe import NetworkConfig


class TrunkNetwork(nn.Module):
    """A trunk that maps each image to a vector, and a linear head for each set of labels.

    Args:
        pixels: The normalization of pixels.
        trunk: Maps (N, C, h, w) to (N, width).
        width: Length of the trunk's vectors.
        heads: Number of classes of each head, by name.
        dropout: Dropout of the vector, 0..1.
    """

    pixels: nn.Module
    trunk: nn.Module
    dropout: nn.Dropout

    def __init__(
        self, pixels: nn.Module, trunk: nn.Module, width: int, heads: Mapping[str, int], *, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.pixels, self.trunk, self.dropout = pixels, trunk, nn.Dropout(dropout)
        self.heads: nn.ModuleDict = nn.ModuleDict({name: nn.Linear(width, classes) for name, classes in heads.items()})

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the logits (N, classes) of each head for (N, C, h, w) float images, 0..255."""
        vectors = self.dropout(self.trunk(self.pixels(images)))
        return {name: head(vectors) for name, head in self.heads.items()}


def plain_trunk(config: NetworkConfig, *, channels: int, size: int) -> tuple[nn.Module, int]:
    """Build stages of 3x3 convolutions, each with pooling at its end, then dense layers on the flattened map.

    Args:
        config: Widths and number of convolutions of the stages, pooling, dropout, dense layers.
        channels: Channels of the images.
        size: Side of the images in pixels.

    Returns:
        The trunk and the length of its vectors.
    """
    layers: list[nn.Module] = []
    for width, count in zip(config.widths, config.blocks, strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            layers += [nn.BatchNorm2d(width)] if config.batch_norm else []
            channels = width
        layers += [nn.MaxPool2d(2) if config.pool == "max" else nn.AvgPool2d(2), nn.Dropout(config.stage_dropout)]
    layers.append(nn.Flatten())
    length = channels * (size // 2 ** len(config.widths)) ** 2
    for width in config.dense:
        layers += [nn.Linear(length, width), nn.ReLU(inplace=True)]
        layers += [nn.BatchNorm1d(width)] if config.batch_norm else []
        length = width
    return nn.Sequential(*layers), length
