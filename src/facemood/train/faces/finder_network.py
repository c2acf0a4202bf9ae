"""The face detection network: a small fully convolutional network, its targets and its loss.

It detects faces of one octave, 21 to 42 pixels; larger faces are detected on higher levels of an image pyramid. Each
cell of 8x8 pixels has 15 outputs: the score, the distances to the four sides, and five points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from facemood.geometry import Floats, box_of_points
from facemood.stages.detect.cells import STRIDE

SIZE = 144
"""Side of a training image in pixels."""

TAUGHT = (14.0, 55.0)
"""Smallest and largest face (root of the box's area, in pixels) that is a target: an octave and a margin."""

IGNORED = (10.0, 75.0)
"""Smaller and larger faces are background; sizes between these and `TAUGHT` are ignored in the loss."""


class Separable(nn.Module):
    """A depthwise 3x3 and a pointwise convolution, each with batch norm, and a shortcut if the shape stays the same."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__()
        self.body: nn.Sequential = nn.Sequential(
            nn.Conv2d(inputs, inputs, 3, stride=stride, padding=1, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.short: bool = inputs == outputs and stride == 1

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, inputs, h, w) to (N, outputs, h / stride, w / stride)."""
        changed: Tensor = self.body(features)
        return torch.relu(features + changed if self.short else changed)


class FinderNetwork(nn.Module):
    """Returns 15 numbers for each cell of 8x8 pixels; most of the layers work on cells of 16x16, with a larger context.

    The first layers are dense, because they have few channels: there a depthwise convolution waits for memory.

    Example:
        >>> FinderNetwork()(torch.zeros(1, 1, 64, 96)).shape
        torch.Size([1, 15, 8, 12])
    """

    def __init__(self) -> None:
        super().__init__()
        self.near: nn.Sequential = nn.Sequential(
            nn.Conv2d(1, 24, 7, stride=4, padding=3, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(inplace=True),
            nn.Conv2d(24, 48, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(48),
            nn.ReLU(inplace=True),
            Separable(48, 48),
        )
        self.far: nn.Sequential = nn.Sequential(
            Separable(48, 128, stride=2),
            Separable(128, 128),
            Separable(128, 128),
            Separable(128, 128),
            nn.Conv2d(128, 48, 1, bias=False),
            nn.BatchNorm2d(48),
            nn.Upsample(scale_factor=2, mode="nearest"),
        )
        self.head: nn.Sequential = nn.Sequential(Separable(48, 48), nn.Conv2d(48, 15, 1))
        nn.init.constant_(self.head[-1].bias[:1], -4.6)  # type: ignore[index]

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, 15, h / 8, w / 8) for (N, 1, h, w) grey 0..255, h and w multiples of 16.

        Channels: logit of the score; left, top, right, bottom, the logarithm of the distance in cells; x and y of right
        eye, left eye, nose, right and left corner of the mouth, from the cell's middle in cells.
        """
        near = self.near(images / 128 - 1)
        cells: Tensor = self.head(torch.relu(near + self.far(near)))
        return cells


FIVE = ((36, 42), (42, 48), (30, 31), (48, 49), (54, 55))
"""The five points, each the mean of a range of the 68: eyes, nose, mouth corners."""


def five_points(points: Floats) -> Floats:
    """Return the five points (..., 5, 2) of (..., 68 or more, 2)."""
    means = [points[..., first:last, :].mean(axis=-2) for first, last in FIVE]
    return np.stack(means, axis=-2).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Target:
    """The target of the cells of one image.

    Attributes:
        score: (h, w) float32: 1 in the middle of a face, -1 where it is ignored, 0 elsewhere.
        box: (4, h, w) float32 x1 y1 x2 y2 in pixels, where the score is 1.
        points: (10, h, w) float32 in pixels, where the score is 1.
    """

    score: Floats
    box: Floats
    points: Floats

    @classmethod
    def empty(cls, cells: int) -> Target:
        """Return the target of an image without faces."""
        return cls(*(np.zeros(shape, np.float32) for shape in ((cells, cells), (4, cells, cells), (10, cells, cells))))

    def ignore(self, box: Floats, grid: Floats) -> None:
        """Ignore a box and half a cell around it."""
        x1, y1, x2, y2 = (box + np.array([-1, -1, 1, 1]) * STRIDE / 2).tolist()
        self.score[(grid[0] > x1) & (grid[0] < x2) & (grid[1] > y1) & (grid[1] < y2)] = -1

    def add_face(self, points: Floats, box: Floats, grid: Floats) -> None:
        """Add a face: its middle is positive, a ring around it is ignored."""
        extent = size_of(box)
        away = np.hypot(grid[0] - (box[0] + box[2]) / 2, grid[1] - (box[1] + box[3]) / 2)
        middle = (away <= 0.22 * extent) | (away == away.min())
        self.score[(away <= 0.45 * extent) & ~middle & (self.score == 0)] = -1
        self.score[middle] = 1
        self.box[:, middle] = box[:, None]
        self.points[:, middle] = five_points(points).reshape(10, 1)


def make_target(faces: Floats, unknown: Floats, size: int = SIZE) -> Target:
    """Return the target for the faces of an image.

    Args:
        faces: (F, 68 or more, 2) points in pixels.
        unknown: (U, 4) boxes of objects that may be faces.
        size: Side of the image in pixels.
    """
    target, grid = Target.empty(size // STRIDE), cell_middles(size // STRIDE, size // STRIDE).numpy()
    boxes = box_of_points(faces[:, :68])
    sizes = np.array([size_of(box) for box in boxes])
    taught = (sizes >= TAUGHT[0]) & (sizes <= TAUGHT[1])
    for box in (*unknown, *boxes[~taught & (sizes >= IGNORED[0]) & (sizes <= IGNORED[1])]):
        target.ignore(box, grid)
    for index in np.argsort(-sizes):
        if taught[index]:
            target.add_face(faces[index], boxes[index], grid)
    return target


def size_of(box: Floats) -> float:
    """Return the root of a box's area."""
    return float(np.sqrt(max(float((box[2] - box[0]) * (box[3] - box[1])), 0.0)))


def finder_loss(cells: Tensor, score: Tensor, box: Tensor, points: Tensor) -> Tensor:
    """Focal loss of the score (Lin et al. 2017), GIoU of the box (Rezatofighi et al. 2019), L1 of the points.

    Args:
        cells: (N, 15, h, w) output of the network.
        score: (N, h, w) 1, 0 or -1.
        box: (N, 4, h, w) in pixels.
        points: (N, 10, h, w) in pixels.
    """
    found = score == 1
    count = found.sum().clamp(min=1)
    logit = cells[:, 0]
    truth = found.float()
    chance = torch.sigmoid(logit)
    wrong = torch.where(found, 1 - chance, chance)
    weight = torch.where(found, 0.6, 0.4) * wrong.square() * (score >= 0)
    focal = (weight * functional.binary_cross_entropy_with_logits(logit, truth, reduction="none")).sum() / count
    middles = cell_middles(cells.shape[2], cells.shape[3])  # (2, h, w)
    grid = middles.expand(len(cells), 2, *middles.shape[1:]).permute(0, 2, 3, 1)[found]  # (F, 2)
    given = decode_boxes(cells[:, 1:5].permute(0, 2, 3, 1)[found], grid)
    wanted = box.permute(0, 2, 3, 1)[found]
    size = (wanted[:, 2:] - wanted[:, :2]).prod(dim=1).clamp(min=1).sqrt()[:, None]
    five = grid.repeat(1, 5) + cells[:, 5:].permute(0, 2, 3, 1)[found] * STRIDE
    apart = ((five - points.permute(0, 2, 3, 1)[found]).abs() / size).mean(dim=1)
    return focal + (1 - giou(given, wanted)).sum() / count + 3 * apart.sum() / count


def cell_middles(height: int, width: int) -> Tensor:
    """Return x and y of each cell's middle in pixels, (2, h, w)."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([x, y]).float() * STRIDE + STRIDE / 2


def decode_boxes(sides: Tensor, middles: Tensor) -> Tensor:
    """Turn (F, 4) logarithms of distances in cells into (F, 4) x1 y1 x2 y2 in pixels."""
    away = sides.clamp(-4, 4).exp() * STRIDE
    return torch.cat([middles - away[:, :2], middles + away[:, 2:]], dim=1)


def giou(one: Tensor, other: Tensor) -> Tensor:
    """Return the generalized intersection over union of (F, 4) boxes, pair by pair, -1..1."""
    both = (torch.minimum(one[:, 2:], other[:, 2:]) - torch.maximum(one[:, :2], other[:, :2])).clamp(min=0).prod(dim=1)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(dim=1) for boxes in (one, other)]
    union = areas[0] + areas[1] - both
    hull = (torch.maximum(one[:, 2:], other[:, 2:]) - torch.minimum(one[:, :2], other[:, :2])).prod(dim=1)
    return both / union - (hull - union) / hull
