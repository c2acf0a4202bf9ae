"""The mask network: segments the face in a square grey crop. Network, training examples and loss."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from facemood.geometry import Floats, box_of_points
from facemood.train.faces.compose import Random, draw_face, draw_tilt, move, place, spoil
from facemood.train.faces.landmark_network import SIZE, LandmarkSampler, fitting_scale
from facemood.train.networks.pixels import StandardizePixels

WIDTHS = (16, 24, 40, 56)
"""Channels of the encoder after each halving of the side."""

DECODED = (24, 24, 24, 12)
"""Channels of the decoder, from the smallest feature map on."""

TILES = 0.35
"""Share of crops with a face that fills its image, as in FER2013."""

PHOTOGRAPHED = 0.1
"""Share of crops with a face that is part of a scene; in all others a face is pasted into a scene."""

FINE = 4
"""Factor by which the grid is finer when the oval is filled, because pixels on a polygon's edge count as inside."""


class MaskNetwork(nn.Module):
    """An encoder and a decoder with additive skip connections (after U-Net, Ronneberger et al. 2015).

    Example:
        >>> tuple(MaskNetwork()(torch.zeros(2, 1, 64, 64)).shape)
        (2, 64, 64)
    """

    def __init__(self) -> None:
        super().__init__()
        self.standardize: StandardizePixels = StandardizePixels()
        self.down: nn.ModuleList = nn.ModuleList([_step(1, WIDTHS[0], size=5, stride=2)])
        self.down.extend(_step(few, more, stride=2) for few, more in pairwise(WIDTHS))
        self.middle: nn.Module = _step(WIDTHS[-1], WIDTHS[-1])
        self.across: nn.ModuleList = nn.ModuleList(
            nn.Conv2d(there, here, 1) for there, here in zip(reversed(WIDTHS), DECODED, strict=True)
        )
        self.up: nn.ModuleList = nn.ModuleList(_step(few, more) for few, more in pairwise(DECODED))
        self.mask: nn.Conv2d = nn.Conv2d(DECODED[-1], 1, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logit (N, 64, 64) of each pixel to belong to the face.

        Args:
            images: (N, 1, 64, 64) grey of any range.
        """
        features, skips = self.standardize(images), []
        for down in self.down:
            features = down(features)
            skips.append(features)
        features = self.across[0](features + self.middle(features))
        for up, across, shortcut in zip(self.up, list(self.across)[1:], reversed(skips[:-1]), strict=True):
            features = torch.relu(_enlarge(up(features)) + across(shortcut))
        logits: Tensor = _enlarge(self.mask(features))[:, 0]
        return logits


def _step(inputs: int, outputs: int, *, size: int = 3, stride: int = 1) -> nn.Module:
    """Return a convolution with batch norm and ReLU."""
    convolution = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def _enlarge(features: Tensor) -> Tensor:
    """Double the sides of (N, C, h, w)."""
    return functional.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)


class MaskCrop(NamedTuple):
    """One example: an image (SIZE, SIZE) uint8 grey, and the share of each pixel that is face, float32 0..1."""

    image: NDArray[np.uint8]
    mask: NDArray[np.float32]


class MaskSampler(LandmarkSampler):
    """Draws training crops like those of the landmark network, but each with a face."""

    def draw_mask(self, random: Random) -> MaskCrop:
        """Return an example: a face in its tile, a face pasted into a scene, or a face of a scene."""
        chance = random.random()
        if chance < TILES:
            image, points = self._tile(random)
        else:
            image, points = self._photographed(random) if chance < TILES + PHOTOGRAPHED else self._composed(random)
        return MaskCrop(spoil(image, random), fill_oval(points[68:], SIZE))

    def _tile(self, random: Random) -> tuple[Floats, Floats]:
        """Frame a tile as in the pipeline, repeating its edge; return image and points."""
        tile, points = draw_face(self.material, random)
        angle, stretch = draw_tilt(random) / 2, float(np.exp(random.normal(0, 0.08)))
        box = box_of_points(points[:68])
        scale = fitting_scale(box) * random.uniform(0.87, 1.15)
        middle = (points[:68].min(axis=0) + points[:68].max(axis=0)) / 2
        off = scale * (middle - (box[:2] + box[2:]) / 2)  # the middle of the points lies below that of the box
        centre = SIZE / 2 + off + random.normal(0, 0.035 * SIZE, 2)
        matrix = place(points[:68], centre=centre, scale=scale, angle=angle, stretch=stretch)
        image = cv2.warpAffine(tile, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(image, np.float32), move(points, matrix)


def fill_oval(oval: Floats, side: int) -> Floats:
    """Fill a polygon, and return the share of each pixel inside of it.

    Args:
        oval: (P, 2) its corners in pixels.
        side: Side of the square in pixels.

    Returns:
        (side, side) float32, 0..1.

    Example:
        >>> float(fill_oval(np.float32([[0, 0], [4, 0], [4, 2], [0, 2]]), 4)[0].min())
        1.0
    """
    mask = np.zeros((FINE * side, FINE * side), np.uint8)
    cv2.fillPoly(mask, [np.round(oval * FINE - 0.5).astype(np.int32)], 255)
    shrunk = cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.float32) / np.float32(255)


def mask_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy of the pixels plus the soft IoU loss (1 minus soft intersection over union).

    Args:
        logits: (N, h, w) output of the network.
        wanted: (N, h, w) 0..1.
    """
    cross = functional.binary_cross_entropy_with_logits(logits, wanted)
    found = torch.sigmoid(logits)
    both = (found * wanted).sum(dim=(1, 2))
    either = (found + wanted).sum(dim=(1, 2)) - both
    return cross + (1 - (both + 1) / (either + 1)).mean()
