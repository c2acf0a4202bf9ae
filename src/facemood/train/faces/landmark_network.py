"""The landmark network: 68 points and presence from a square grey crop, its training examples and its loss."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from facemood.geometry import Floats, box_of_points
from facemood.stages.landmarks import ROOM
from facemood.train.faces.compose import (
    Random,
    cut_ground,
    draw_face,
    draw_tilt,
    face_mask,
    hide,
    lay,
    log_uniform,
    move,
    place,
    plain_ground,
    spoil,
)
from facemood.train.faces.material import Material, Place
from facemood.train.networks.pixels import StandardizePixels

SIZE = 64
"""Side of the crop in pixels."""

EMPTY = 0.28
"""Share of crops without a face."""

PHOTOGRAPHED = 0.08
"""Share of crops with a face that is part of a scene; in all others a face is pasted into a scene."""

THINGS = 0.3
"""Share of the crops without a face that have an object cut out like a face."""

BADLY_FRAMED = 0.2
"""Share of the crops without a face that have a badly framed face."""

PLAIN = 0.08
"""Share of plain backgrounds."""

HARD = 0.62
"""Share of backgrounds that are false alarms of the finder, if there are any (hard negative mining)."""


class Plain(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body: nn.Sequential = nn.Sequential(*_step(channels, channels), nn.ReLU(), *_step(channels, channels))

    def forward(self, features: Tensor) -> Tensor:
        """Map (N, channels, h, w) to the same shape."""
        return torch.relu(features + self.body(features))


class LandmarkNetwork(nn.Module):
    """Returns 68 points and the logit of presence.

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
        self.standardize: StandardizePixels = StandardizePixels()
        self.trunk: nn.Sequential = nn.Sequential(*layers)
        cells = (SIZE // 2 ** len(widths)) ** 2
        self.points: nn.Sequential = nn.Sequential(
            nn.Conv2d(widths[-1], 32, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * cells, 136),
        )  # fmt: skip
        self.presence: nn.Sequential = nn.Sequential(
            nn.Conv2d(widths[-1], 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(),
            nn.Linear(16 * cells, 1),
        )  # fmt: skip

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return points (N, 136) x y x y ... relative to the middle, in units of the crop, and presence logits (N, 1).

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
        image: (SIZE, SIZE) uint8 grey.
        points: (68, 2) float32 relative to the middle, in units of the crop; zero without a face.
        present: 1 for a face, 0 for none.
    """

    image: NDArray[np.uint8]
    points: NDArray[np.float32]
    present: float


@dataclass
class LandmarkSampler:
    """Draws training crops.

    Attributes:
        material: Faces and scenes.
        hard: The finder's false alarms, as crops without a face.
    """

    material: Material
    hard: list[Place] = field(default_factory=list)

    def draw(self, random: Random) -> Crop:
        """Return an example: a face pasted into a scene, a face of a scene, or no face."""
        chance = random.random()
        if chance < EMPTY:
            return Crop(spoil(self._without_face(random), random), np.zeros((68, 2), np.float32), 0.0)
        image, points = self._photographed(random) if chance < EMPTY + PHOTOGRAPHED else self._composed(random)
        return Crop(spoil(image, random), (points[:68] / SIZE - 0.5).astype(np.float32), 1.0)

    def _composed(self, random: Random) -> tuple[Floats, Floats]:
        """Paste a face into a scene; return the image and the points."""
        tile, points = draw_face(self.material, random)
        angle, stretch = draw_tilt(random), float(np.exp(random.normal(0, 0.08)))
        tilted = place(points[:68], centre=np.zeros(2), scale=1, angle=angle, stretch=stretch)
        box = box_of_points(move(points[:68], tilted))
        scale = fitting_scale(box) * random.uniform(0.83, 1.2)
        off = (box[:2] + box[2:]) / 2 * scale  # from the middle of the points to that of the box
        centre = SIZE / 2 - off + random.normal(0, 0.035 * SIZE, 2)
        matrix = place(points[:68], centre=centre, scale=scale, angle=angle, stretch=stretch)
        image, there = self._ground(random), move(points, matrix)
        lay(image, tile, face_mask(points, len(tile), random), matrix, random)
        if random.random() < 0.35:
            hide(image, box_of_points(there[:68]), self._ground(random), random)
        return image, there

    def _photographed(self, random: Random) -> tuple[Floats, Floats]:
        """Crop a face of a scene that the teacher is confident of; return the image and the points."""
        scenes = self.material.scenes
        while not len((scene := scenes[random.integers(len(scenes))]).points):
            pass
        box = box_of_points(scene.points[random.integers(len(scene.points)), :68])
        scale = fitting_scale(box) * random.uniform(0.83, 1.2)
        x, y = ((box[:2] + box[2:]) / 2 + random.normal(0, 0.035 * SIZE / scale, 2)).tolist()
        ground = cut_ground(scene, SIZE, scale=scale, centre=(x, y), random=random)
        nearest = np.abs(ground.points[:, :68].mean(axis=1) - SIZE / 2).sum(axis=1).argmin()
        return ground.image, ground.points[nearest]

    def _without_face(self, random: Random) -> Floats:
        """Return a background, an object cut out like a face, or a badly framed face."""
        image, chance = self._ground(random, hard=True), random.random()
        tile, points = draw_face(self.material, random)
        if chance < THINGS:
            tile = self._ground(random, hard=True)[: len(tile), : len(tile)]
            centre, scale = random.normal(SIZE / 2, 6, 2).astype(np.float32), random.uniform(0.7, 1.6)
        elif chance < THINGS + BADLY_FRAMED:
            centre, scale = _badly_framed(points, random)
        else:
            return image
        matrix = place(points[:68], centre=centre, scale=scale, angle=random.normal(0, 18))
        lay(image, tile, face_mask(points, len(tile), random), matrix, random)
        return image

    def _ground(self, random: Random, *, hard: bool = False) -> Floats:
        """Draw a part of a scene without faces or a plain background; or, with `hard`, mostly a false alarm."""
        chance = random.random()
        if chance < PLAIN:
            return plain_ground(SIZE, random).image
        if self.hard and hard and chance < PLAIN + HARD:
            return self._false_alarm(random)
        scenes = self.material.scenes
        while not (scene := scenes[random.integers(len(scenes))]).empty:
            pass
        scale = log_uniform(SIZE / max(scene.size), 2.0, random)
        x, y = random.uniform(0, scene.size).tolist()
        return cut_ground(scene, SIZE, scale=scale, centre=(x, y), random=random).image

    def _false_alarm(self, random: Random) -> Floats:
        """Return a false alarm of the finder, framed as in the pipeline."""
        alarm = self.hard[random.integers(len(self.hard))]
        scale = SIZE / (ROOM * alarm.side) * random.uniform(0.83, 1.2)
        x, y = random.normal((alarm.x, alarm.y), 0.045 * alarm.side)
        return cut_ground(self.material.scenes[alarm.scene], SIZE, scale=scale, centre=(x, y), random=random).image


def fitting_scale(box: Floats) -> float:
    """Return the scale at which a face's box (4,) is framed as in the pipeline."""
    return SIZE / (ROOM * float(max(box[2] - box[0], box[3] - box[1])))


def _badly_framed(points: Floats, random: Random) -> tuple[Floats, float]:
    """Return centre and scale of a face that is far too small, far too large, or outside of the crop."""
    scale = fitting_scale(box_of_points(points[:68]))
    if random.random() < 0.5:
        wrong = random.uniform(0.25, 0.42) if random.random() < 0.5 else random.uniform(2.4, 4.0)
        return random.normal(SIZE / 2, 8, 2).astype(np.float32), scale * wrong
    turn, away = random.uniform(0, 2 * np.pi), random.uniform(0.5, 0.8) * SIZE
    return np.array([SIZE / 2 + away * np.cos(turn), SIZE / 2 + away * np.sin(turn)], np.float32), scale


def landmark_loss(points: Tensor, presence: Tensor, wanted: Tensor, present: Tensor) -> Tensor:
    """Wing loss of the points (Feng et al. 2018) and focal cross-entropy of presence.

    Args:
        points: (N, 136) output of the network.
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
