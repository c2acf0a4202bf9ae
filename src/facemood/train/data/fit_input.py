"""Images in the colour and size of a network's input."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from facemood.train.networks.pixels import GREY
from facemood.train.recipe import Recipe


def fit_input(images: Tensor, recipe: Recipe, size: int) -> Tensor:
    """Convert images to the network's colour and size, bilinearly as inference does.

    Args:
        images: (N, C, h, w) float, grey or red, green and blue, 0..255.
        recipe: Defines the colour.
        size: Side in pixels.
    """
    if recipe.input.colour == "rgb" and images.shape[1] == 1:
        images = images.expand(-1, 3, -1, -1)
    elif recipe.input.colour == "grey" and images.shape[1] == 3:
        weights = torch.tensor(GREY, device=images.device)[None, :, None, None]
        images = (images * weights).sum(dim=1, keepdim=True)
    if images.shape[-1] == size:
        return images
    shrink = images.shape[-1] > size
    return functional.interpolate(images, size=(size, size), mode="bilinear", align_corners=False, antialias=shrink)
