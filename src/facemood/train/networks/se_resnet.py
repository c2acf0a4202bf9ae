"""The expression network: a squeeze-and-excitation ResNet on grey face crops, one trunk and a head per label set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from facemood.train.networks.pixels import StandardizePixels


class SqueezeExcite(nn.Module):
    """Squeeze-and-excitation: scale each channel by a gate computed from the whole image (Hu et al. 2018)."""

    def __init__(self, channels: int, *, reduction: int = 8) -> None:
        super().__init__()
        hidden = max(channels // reduction, 4)
        self.gate: nn.Sequential = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, hidden, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(hidden, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Scale (N, C, h, w) features by a gate of (N, C, 1, 1)."""
        gated: Tensor = features * self.gate(features)
        return gated


class Block(nn.Module):
    """Two 3x3 convolutions, squeeze-and-excitation and a shortcut (He et al. 2016); a stride of 2 halves the map."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__()
        self.body: nn.Sequential = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            SqueezeExcite(outputs),
        )
        self.shortcut: nn.Module = (
            nn.Identity() if inputs == outputs and stride == 1 else _projection(inputs, outputs, stride)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, inputs, h, w) to (N, outputs, h / stride, w / stride)."""
        return torch.relu(self.body(features) + self.shortcut(features))


class ExpressionNetwork(nn.Module):
    """A compact SE-ResNet with several classification heads on one trunk.

    Args:
        heads: Number of classes of each head, by name.
        widths: Channels of each stage. The first has the stem's size, half of the input's; each later one halves it.
        blocks: Residual blocks of each stage.
        dropout: Share of the pooled features that is dropped in training, 0..1.
        channels: Channels of the images.
        stem: ``"single"`` for one 5x5 convolution, ``"deep"`` for two of 3x3.
        stem_stride: Stride of the stem's last convolution.

    Example:
        >>> network = ExpressionNetwork({"fer2013": 7, "ferplus": 8}, widths=(8, 16), blocks=(1, 1))
        >>> {name: tuple(logits.shape) for name, logits in network(torch.zeros(2, 1, 48, 48)).items()}
        {'fer2013': (2, 7), 'ferplus': (2, 8)}
    """

    def __init__(
        self,
        heads: Mapping[str, int],
        *,
        widths: Sequence[int],
        blocks: Sequence[int],
        dropout: float = 0.0,
        channels: int = 1,
        stem: str = "single",
        stem_stride: int = 2,
    ) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        inputs = widths[0]
        for index, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for position in range(count):
                stages.append(Block(inputs, width, stride=2 if index and position == 0 else 1))
                inputs = width
        self.standardize: StandardizePixels = StandardizePixels()
        self.stem: nn.Sequential = nn.Sequential(*STEMS[stem](channels, widths[0], stem_stride))
        self.stages: nn.Sequential = nn.Sequential(*stages)
        self.pool: nn.Sequential = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout))
        self.heads: nn.ModuleDict = nn.ModuleDict({name: nn.Linear(inputs, classes) for name, classes in heads.items()})

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the logits (N, classes) of each head for (N, 1, h, w) float images of any range."""
        return self.classify(self.features(images))

    def features(self, images: Tensor) -> Tensor:
        """Return the last feature map (N, C, rows, columns) of images: 6 x 6 for 48 x 48 and three stages."""
        features: Tensor = self.stages(self.stem(self.standardize(images)))
        return features

    def classify(self, features: Tensor) -> dict[str, Tensor]:
        """Return the logits (N, classes) of each head for a feature map (N, C, h, w)."""
        pooled = self.pool(features)
        return {name: head(pooled) for name, head in self.heads.items()}

    def head_weights(self, name: str) -> Tensor:
        """Return the weights (classes, C) of one head."""
        head = self.heads[name]
        assert isinstance(head, nn.Linear)
        return head.weight


def _single_stem(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    """Return a stem of one 5x5 convolution."""
    return _convolution(inputs, outputs, side=5, stride=stride)


def _deep_stem(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    """Return a stem of two 3x3 convolutions, the first at the image's size, which keeps fine detail."""
    narrow = max(outputs // 2, 4)
    return [*_convolution(inputs, narrow, side=3, stride=1), *_convolution(narrow, outputs, side=3, stride=stride)]


STEMS = {"single": _single_stem, "deep": _deep_stem}
"""Functions that make the stem, by its name in recipes."""


def _convolution(inputs: int, outputs: int, *, side: int, stride: int) -> list[nn.Module]:
    """Return a convolution with batch norm and activation."""
    convolution = nn.Conv2d(inputs, outputs, side, stride=stride, padding=side // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _projection(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Return the projection of a shortcut: average pooling by the stride, then a 1x1 convolution (He et al. 2019)."""
    return nn.Sequential(
        nn.AvgPool2d(stride) if stride > 1 else nn.Identity(),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
    )
