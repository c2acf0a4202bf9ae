"""The landmark network: 68 points and presence from a square grey crop, what it is shown, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from facemood.geometry import box_of_points
from facemood.train.faces.compose import (
    Ground,
    Random,
    cut_ground,
    face_mask,
    hide,
    lay,
    mirror_points,
    move,
    place,
    plain_ground,
    spoil,
)
from facemood.train.faces.material import Material, Place
from facemood.train.networks import Standardize

SIZE = 64
"""Pixels of the crop's side."""

ROOM = 1.35
"""The crop's side, in units of the longer side of the face's box."""


class Plain(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*_step(channels, channels), nn.ReLU(), *_step(channels, channels))

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, channels, h, w) to the same shape."""
        return torch.relu(features + self.body(features))


class LandmarkNetwork(nn.Module):
    """Gives 68 points and the logit of presence.

    Example:
        >>> points, presence = LandmarkNetwork()(torch.zeros(2, 1, 64, 64))
        >>> tuple(points.shape), tuple(presence.shape)
        ((2, 136), (2, 1))
    """

    def __init__(self, widths: tuple[int, ...] = (24, 40, 64, 80), blocks: tuple[int, ...] = (2, 2, 1)) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(1, widths[0], 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(widths[0]),
        ]
        for inputs, outputs, count in zip(widths, widths[1:], blocks, strict=False):
            layers += [nn.ReLU(), *_step(inputs, outputs, stride=2), nn.ReLU(), *(Plain(outputs) for _ in range(count))]
        self.standardize = Standardize()
        self.trunk = nn.Sequential(*layers)
        cells = (SIZE // 2 ** len(widths)) ** 2
        self.points = nn.Sequential(
            nn.Conv2d(widths[-1], 32, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * cells, 136),
        )  # fmt: skip
        self.presence = nn.Sequential(
            nn.Conv2d(widths[-1], 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(),
            nn.Linear(16 * cells, 1),
        )  # fmt: skip

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return points (N, 136) x y x y ... in units of the crop from its middle, and the logit (N, 1) of presence.

        Args:
            images: (N, 1, 64, 64) grey of any range.
        """
        features = self.trunk(self.standardize(images))
        return self.points(features), self.presence(features)


def _step(inputs: int, outputs: int, *, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    """Return a 3x3 convolution with batch norm."""
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(outputs)


@dataclass(frozen=True, slots=True)
class Crop:
    """One example.

    Attributes:
        picture: (SIZE, SIZE) uint8 grey.
        points: (68, 2) float32 in units of the crop from its middle; zero where there is no face.
        present: 1 for a face, 0 for none.
    """

    picture: NDArray[np.uint8]
    points: NDArray[np.float32]
    present: float


@dataclass
class LandmarkSampler:
    """Draws training crops.

    Attributes:
        material: Faces and scenes.
        hard: The finder's false alarms, shown as crops without a face.
    """

    material: Material
    hard: list[Place] = field(default_factory=list)

    def draw(self, random: Random) -> Crop:
        """Return an example: a face laid into a scene, a face that was in it, or none."""
        chance = random.random()
        if chance < 0.28:
            return self._empty(random)
        if chance < 0.36:
            return self._photographed(random)
        return self._composed(random)

    def _composed(self, random: Random) -> Crop:
        """Lay a face into a scene."""
        row = random.integers(len(self.material.tiles))
        tile, points = self.material.tiles[row].astype(np.float32), self.material.points[row]
        if random.random() < 0.5:
            tile, points = np.ascontiguousarray(tile[:, ::-1]), mirror_points(points, 48)
        angle = random.normal(0, 12) if random.random() < 0.7 else random.uniform(-45, 45)
        stretch = float(np.exp(random.normal(0, 0.08)))
        turned = move(points, place(points[:68], centre=np.zeros(2), scale=1, angle=float(angle), stretch=stretch))
        box = box_of_points(turned[:68])
        scale = SIZE / (ROOM * max(box[2] - box[0], box[3] - box[1])) * random.uniform(0.83, 1.2)
        off = (box[:2] + box[2:]) / 2 * scale  # where the box's middle lies from the points' middle
        centre = SIZE / 2 - off + random.normal(0, 0.035 * SIZE, 2)
        matrix = place(points[:68], centre=centre, scale=float(scale), angle=float(angle), stretch=stretch)
        ground = self._ground(random).picture
        stuff = self._ground(random).picture
        lay(ground, tile, face_mask(points, 48, random), matrix, random)
        there = move(points, matrix)
        if random.random() < 0.35:
            hide(ground, box_of_points(there[:68]), stuff, random)
        return Crop(spoil(ground, random), (there[:68] / SIZE - 0.5).astype(np.float32), 1.0)

    def _photographed(self, random: Random) -> Crop:
        """Take a face that the teacher is sure of from its scene."""
        scenes = self.material.scenes
        while not len((scene := scenes[random.integers(len(scenes))]).points):
            pass
        points = scene.points[random.integers(len(scene.points))]
        box = box_of_points(points[:68])
        side = max(box[2] - box[0], box[3] - box[1])
        scale = SIZE / (ROOM * side) * random.uniform(0.83, 1.2)
        centre = (box[:2] + box[2:]) / 2 + random.normal(0, 0.045 * side, 2)
        ground = cut_ground(scene, SIZE, scale=float(scale), centre=tuple(centre.tolist()), random=random)
        nearest = np.abs(ground.points[:, :68].mean(axis=1) - SIZE / 2).sum(axis=1).argmin()
        return Crop(spoil(ground.picture, random), (ground.points[nearest, :68] / SIZE - 0.5).astype(np.float32), 1.0)

    def _empty(self, random: Random) -> Crop:
        """Show no face: ground, stuff that is cut out like a face, or a face so badly framed that it is none."""
        ground = self._ground(random, empty=True).picture
        chance = random.random()
        row = random.integers(len(self.material.tiles))
        points = self.material.points[row]
        box = box_of_points(points[:68])
        side = max(box[2] - box[0], box[3] - box[1])
        if chance < 0.3:
            stuff = self._ground(random, empty=True).picture[:48, :48]
            matrix = place(
                points[:68],
                centre=random.normal(SIZE / 2, 6, 2),
                scale=random.uniform(0.7, 1.6),
                angle=random.normal(0, 20),
            )
            lay(ground, stuff, face_mask(points, 48, random), matrix, random)
        elif chance < 0.5:
            scale = SIZE / (ROOM * side)
            if random.random() < 0.5:  # far too small or too large
                scale *= random.choice((random.uniform(0.25, 0.42), random.uniform(2.4, 4.0)))
                centre = random.normal(SIZE / 2, 8, 2)
            else:  # beside the crop
                turn = random.uniform(0, 2 * np.pi)
                centre = SIZE / 2 + random.uniform(0.5, 0.8) * SIZE * np.array([np.cos(turn), np.sin(turn)])
            matrix = place(points[:68], centre=centre, scale=float(scale), angle=random.normal(0, 15))
            lay(ground, self.material.tiles[row].astype(np.float32), face_mask(points, 48, random), matrix, random)
        return Crop(spoil(ground, random), np.zeros((68, 2), np.float32), 0.0)

    def _ground(self, random: Random, *, empty: bool = False) -> Ground:
        """Choose a piece of a scene, of a false alarm's place, or a plain ground; without faces if asked for."""
        chance = random.random()
        if chance < 0.08:
            return plain_ground(SIZE, random)
        if self.hard and empty and chance < 0.7:
            hard = self.hard[random.integers(len(self.hard))]
            scale = SIZE / (ROOM * hard.side) * random.uniform(0.83, 1.2)
            x, y = random.normal((hard.x, hard.y), 0.045 * hard.side)
            return cut_ground(self.material.scenes[hard.scene], SIZE, scale=scale, centre=(x, y), random=random)
        scenes = self.material.scenes
        while not (scene := scenes[random.integers(len(scenes))]).empty:
            pass
        width, height = scene.size
        scale = float(np.exp(random.uniform(np.log(SIZE / max(height, width)), np.log(2.0))))
        x, y = random.uniform(0, (width, height))
        return cut_ground(scene, SIZE, scale=scale, centre=(float(x), float(y)), random=random)


def landmark_loss(points: Tensor, presence: Tensor, wanted: Tensor, present: Tensor) -> Tensor:
    """Wing loss of the points (Feng et al. 2018) and focal cross-entropy of presence.

    Args:
        points: (N, 136) of the network.
        presence: (N, 1) logits.
        wanted: (N, 136) in units of the crop.
        present: (N,) 1 or 0.
    """
    width, curve = 0.08, 0.01  # in units of the crop: 5 and 0.6 pixels
    apart = (points - wanted).abs()
    offset = width - width * np.log(1 + width / curve)
    wing = torch.where(apart < width, width * torch.log1p(apart / curve), apart - offset).mean(dim=1)
    logit = presence[:, 0]
    wrong = (torch.sigmoid(logit) - present).abs()
    cross = functional.binary_cross_entropy_with_logits(logit, present, reduction="none")
    return 20 * (wing * present).sum() / present.sum().clamp(min=1) + 4 * (wrong * cross).mean()
