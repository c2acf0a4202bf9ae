"""Normalization of pixels (0..255) as the first layer of a network, so that no caller can get it wrong."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MEAN = (0.485, 0.456, 0.406)
"""ImageNet's mean of red, green and blue, 0..1, which its pretrained networks subtract."""

DEVIATION = (0.229, 0.224, 0.225)
"""ImageNet's standard deviation of red, green and blue, 0..1, by which its pretrained networks divide."""

GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601), as in OpenCV."""


class StandardizePixels(nn.Module):
    """Shift and scale each image to mean 0 and standard deviation 1, to remove brightness and contrast."""

    def forward(self, images: Tensor) -> Tensor:
        """Standardize (N, C, h, w) float images of any range, per channel; a flat image becomes 0."""
        centred = images - images.mean(dim=(2, 3), keepdim=True)
        variance = (centred * centred).mean(dim=(2, 3), keepdim=True)
        return centred / torch.sqrt(variance + 1.0)


class BlueFirst(nn.Module):
    """Change red, green and blue into blue, green and red; grey stays as it is."""

    def forward(self, images: Tensor) -> Tensor:
        """Reverse the channels of (N, C, h, w) images."""
        return images.flip(1)


class Normalize(nn.Module):
    """Subtract a mean and divide by a standard deviation for each channel, both for pixels 0..255."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: tuple[float, ...], deviation: tuple[float, ...]) -> None:
        super().__init__()
        for name, values in (("mean", mean), ("deviation", deviation)):
            self.register_buffer(name, torch.tensor(values).reshape(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Normalize (N, C, h, w) float images."""
        return (images - self.mean) / self.deviation


CAFFE = (103.939, 116.779, 123.68)
"""ImageNet's mean of blue, green and red, 0..255, which networks that were trained in Caffe subtract, such as VGG16."""

HALF = (127.0, 128.0)
"""What is subtracted from each pixel, and by what it is divided, for networks that were trained on -1..1."""


def pixel_layer(kind: str, channels: int) -> nn.Module:
    """Return the layer for a recipe's ``input.pixels``.

    Args:
        kind: ``"standardized"``, ``"unit"``, ``"imagenet"``, ``"half"`` or ``"caffe"``.
        channels: 1 or 3; grey images get the mean of ImageNet's channels.
    """
    if kind == "standardized":
        return StandardizePixels()
    if kind == "unit":
        return Normalize((0.0,) * channels, (255.0,) * channels)
    if kind == "half":
        return Normalize(HALF[:1] * channels, HALF[1:] * channels)
    if kind == "caffe":
        subtracted = CAFFE if channels == 3 else (sum(CAFFE) / 3,)
        return nn.Sequential(BlueFirst(), Normalize(subtracted, (1.0,) * channels))
    mean, deviation = ([255 * value for value in values] for values in (MEAN, DEVIATION))
    if channels == 1:
        mean, deviation = [sum(mean) / 3], [sum(deviation) / 3]
    return Normalize(tuple(mean), tuple(deviation))
