"""The appearance network: embeds an upright grey face, so that two looks of one face are near. Network, loss, looks.

It learns without labels (NT-Xent, Chen et al. 2020, "A simple framework for contrastive learning of visual
representations"): two altered versions of a tile belong together, all other tiles of the batch do not. Who the people
are is neither known nor needed.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional

from facemood.datasets import ExpressionDataset
from facemood.train.augment_config import AugmentConfig
from facemood.train.data.augment import augment
from facemood.train.networks.pixels import StandardizePixels

SIZE = 48
"""Side of the input in pixels."""

NUMBERS = 64
"""Length of an embedding."""

WIDTHS = (24, 48, 96)
"""Channels after each halving of the side."""

TEMPERATURE = 0.1
"""Temperature of the loss: a low one weights the most similar other faces more."""

LOOKS = AugmentConfig(
    upright=0.9, rotation=10.0, scale=(0.85, 1.18), shift=0.06, shear=6.0, fill="nearest", gamma=2.0, overexpose=0.2,
    overexposure=1.8, blur=0.3, low_resolution=0.6, noise=0.5, noise_level=14.0, erase=0.3,
)  # fmt: skip
"""How a tile is altered: as another shot, size, light and camera would."""

RELIGHT = 1.2
"""Largest natural logarithm of the ratio of the light at opposite edges of a face."""

BENDS = 5
"""Control points per side of the bending, which moves parts of a face as expressions do."""

BEND = 0.05
"""Standard deviation of their shifts, in units of half the side."""


class AppearanceNetwork(nn.Module):
    """A small convolutional network whose output has length 1.

    Attributes:
        centre: (64,) what is subtracted from embeddings, zeros at first. Otherwise all faces of photos and videos would
            be alike by what they have in common, and tiles of FER2013 have not.

    Example:
        >>> tuple(AppearanceNetwork()(torch.zeros(2, 1, 48, 48)).shape)
        (2, 64)
    """

    centre: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(NUMBERS))
        few, more, most = WIDTHS
        self.standardize: StandardizePixels = StandardizePixels()
        self.features: nn.Module = nn.Sequential(
            _step(1, few, stride=2), _step(few, few), _step(few, more, stride=2), _step(more, more),
            _step(more, most, stride=2), _step(most, most), nn.Conv2d(most, most // 3, 1), nn.BatchNorm2d(most // 3),
            nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(),
        )  # fmt: skip
        self.embed: nn.Linear = nn.Linear(most // 3 * 9, NUMBERS)

    def forward(self, images: Tensor) -> Tensor:
        """Return embeddings (N, 64) of length 1.

        Args:
            images: (N, 1, 48, 48) grey of any range.
        """
        embeddings = functional.normalize(self.embed(self.features(self.standardize(images))), dim=1)
        return functional.normalize(embeddings - self.centre, dim=1)

    @torch.no_grad()
    def set_centre(self, images: Tensor) -> None:
        """Set the centre to the mean embedding of faces of photos.

        Args:
            images: (N, 1, 48, 48) grey faces of different people.
        """
        self.centre.zero_()
        self.centre.copy_(self.eval()(images).mean(dim=0))


def _step(inputs: int, outputs: int, *, stride: int = 1) -> nn.Module:
    """Return a convolution with batch norm and ReLU."""
    convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


class LookSampler:
    """Draws two looks of random tiles.

    Args:
        training: The tiles. Near-duplicates are in one cluster.
        upright: (N, 2, 3) where the upright crop of each tile lies in it (`upright_matrices`).
    """

    images: NDArray[np.uint8]
    cluster: NDArray[np.int64]

    def __init__(self, training: ExpressionDataset, upright: Tensor) -> None:
        self.images, self.cluster, self._upright = training.pixels, training.clusters(), upright

    def draw(self, random: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
        """Return two looks of some tiles, (2 N, 1, 48, 48) float32 one after the other, and their clusters (N,)."""
        rows = random.choice(len(self.images), count, replace=False)
        generator = torch.Generator().manual_seed(int(random.integers(1 << 62)))
        tiles = torch.from_numpy(self.images[rows])[:, None].float()
        looks = [alter(tiles, self._upright[rows], generator) for _ in range(2)]
        return torch.cat(looks), torch.from_numpy(self.cluster[rows])


def alter(tiles: Tensor, upright: Tensor, generator: Generator) -> Tensor:
    """Return another look of each tile: other place, size, light, sharpness, and slightly moved parts.

    Args:
        tiles: (N, 1, 48, 48) float32, 0..255.
        upright: (N, 2, 3) where the upright crop of each lies in it.
        generator: Generator of the random numbers.

    Returns:
        (N, 1, 48, 48) float32, 0..255.
    """
    bent = _bend(tiles, generator)
    return augment(_relight(bent, generator), LOOKS, size=SIZE, generator=generator, upright=upright)


def _bend(images: Tensor, generator: Generator) -> Tensor:
    """Shift the parts of each image by a smooth random field."""
    count, side = len(images), images.shape[-1]
    shifts = BEND * torch.randn(count, 2, BENDS, BENDS, generator=generator)
    field = functional.interpolate(shifts, size=(side, side), mode="bicubic", align_corners=True)
    still = functional.affine_grid(torch.eye(2, 3).expand(count, 2, 3), list(images.shape), align_corners=False)
    grid = still + field.permute(0, 2, 3, 1)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _relight(images: Tensor, generator: Generator) -> Tensor:
    """Light each image from a random side."""
    count, side = len(images), images.shape[-1]
    turn = 2 * math.pi * torch.rand(count, generator=generator)
    strength = RELIGHT / 2 * torch.rand(count, generator=generator)
    axis = torch.linspace(-1, 1, side)
    slope = torch.cos(turn)[:, None, None] * axis[None, None] + torch.sin(turn)[:, None, None] * axis[None, :, None]
    return (images * torch.exp(strength[:, None, None] * slope)[:, None]).clamp(0, 255)


def contrast_loss(embeddings: Tensor, cluster: Tensor) -> Tensor:
    """Normalized temperature-scaled cross-entropy of pairs; other looks of a tile's near-duplicates do not count.

    Args:
        embeddings: (2 N, D) of length 1: first looks, then second looks.
        cluster: (N,) whole numbers, equal for near-duplicates.

    Example:
        >>> apart = torch.eye(2).repeat(2, 1)
        >>> bool(contrast_loss(apart, torch.tensor([0, 1])) < 0.01)
        True
    """
    count = len(cluster)
    twice = cluster.repeat(2)
    own = torch.arange(2 * count)
    partner = (own + count) % (2 * count)
    ignored = twice[:, None] == twice[None, :]
    ignored[own, partner] = False
    similar = (embeddings @ embeddings.T / TEMPERATURE).masked_fill(ignored, -math.inf)
    return functional.cross_entropy(similar, partner)
