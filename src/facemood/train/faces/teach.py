"""Train the finder, and the landmark, mask and appearance networks, and mine the finder's false alarms."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facemood.array_files import check_array, read_arrays
from facemood.atomic import replacing
from facemood.datasets.fer2013 import read_fer2013
from facemood.errors import DatasetError, RecipeError
from facemood.evaluation.protocol import TRAINING
from facemood.geometry import Floats
from facemood.stages.detect.cells import Candidates, concatenate, decode_cells
from facemood.train.data.upright import UPRIGHT_FILE, upright_matrices
from facemood.train.faces.appearance_network import AppearanceNetwork, LookSampler, contrast_loss
from facemood.train.faces.compose import GREY_OF_BGR
from facemood.train.faces.finder_images import FinderSampler
from facemood.train.faces.finder_network import FinderNetwork, finder_loss
from facemood.train.faces.landmark_network import LandmarkNetwork, LandmarkSampler, landmark_loss
from facemood.train.faces.mask_network import MaskNetwork, MaskSampler, mask_loss
from facemood.train.faces.material import LabelledPhoto, Material, Place
from facemood.train.faces.train_loop import Plan, learn

logger: logging.Logger = logging.getLogger("facemood")

FINDER = Plan(steps=12_500, batch=32)
"""How the shipped finder was trained."""

LANDMARKS = Plan(steps=22_000, batch=64, rate=2e-3)
"""How the shipped landmark network was trained, before it was refined."""

REFINED = Plan(steps=5_000, batch=64, rate=5e-4)
"""How the shipped landmark network was refined with the finder's false alarms."""

MASK = Plan(steps=4_500, batch=32)
"""How the shipped mask network was trained."""

APPEARANCE = Plan(steps=800, batch=224, rate=2e-3, warmup=100, mean=0.99, save=50)
"""How the shipped appearance network was trained."""

HARD = "hard.npz"
"""File of a finder's false alarms in a run's folder."""

WEIGHTS = "network.pt"
"""File of the trained weights in a run's folder."""

MINE_FROM = 2500
"""Step of the first search for false alarms."""

MINE_EVERY = 1500
"""Steps between two searches for false alarms."""

MINE_SCORE = 0.2
"""Score, 0..1, from which a box without a face counts as a false alarm."""


def load_weights(network: nn.Module, file: Path) -> nn.Module:
    """Load the weights of a run into a network.

    Raises:
        RecipeError: The file is missing or damaged, or holds the weights of another network.
    """
    try:
        network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    except Exception as error:  # pickle, zipfile and torch have classes of their own for each kind of damage
        raise RecipeError(f"{file}: holds no weights of such a network, or is damaged ({error})") from error
    return network


def train_finder(material: Material, plan: Plan, run: Path) -> nn.Module:
    """Train the finder with hard negative mining: false alarms are searched for, and then drawn more often."""
    sampler = FinderSampler(material, read_hard(run / HARD))

    def loss_of(network: nn.Module, random: np.random.Generator, batch: int) -> Tensor:
        images, targets = zip(*(sampler.draw(random) for _ in range(batch)), strict=True)
        cells = network(_stack(images)[:, None].float().contiguous(memory_format=torch.channels_last))
        score, box, points = (
            _stack([getattr(target, name) for target in targets]) for name in ("score", "box", "points")
        )
        return finder_loss(cells, score, box, points)

    def mine(network: nn.Module, step: int) -> None:
        if step >= MINE_FROM and (step - MINE_FROM) % MINE_EVERY == 0:
            sampler.hard = store_false_alarms(run, network, material)

    return learn(FinderNetwork(), loss_of, plan, run, before=mine)


def train_landmarks(material: Material, plan: Plan, run: Path, *, start: Path | None, hard: Path | None) -> nn.Module:
    """Train the landmark network, or refine it with a finder's false alarms, which it learns to reject."""
    sampler = LandmarkSampler(material, read_hard(hard))

    def loss_of(network: nn.Module, random: np.random.Generator, batch: int) -> Tensor:
        crops = [sampler.draw(random) for _ in range(batch)]
        images = _stack([crop.image for crop in crops])[:, None].float()
        points, presence = network(images.contiguous(memory_format=torch.channels_last))
        wanted = _stack([crop.points.reshape(136) for crop in crops])
        return landmark_loss(points, presence, wanted, torch.tensor([crop.present for crop in crops]))

    network = LandmarkNetwork() if start is None else load_weights(LandmarkNetwork(), start)
    return learn(network, loss_of, plan, run)


def train_mask(material: Material, plan: Plan, run: Path) -> nn.Module:
    """Train the mask network."""
    sampler = MaskSampler(material)

    def loss_of(network: nn.Module, random: np.random.Generator, batch: int) -> Tensor:
        images, masks = zip(*(sampler.draw_mask(random) for _ in range(batch)), strict=True)
        logits = network(_stack(images)[:, None].float().contiguous(memory_format=torch.channels_last))
        return mask_loss(logits, _stack(masks))

    return learn(MaskNetwork(), loss_of, plan, run)


def train_appearance(data: Path, plan: Plan, run: Path) -> AppearanceNetwork:
    """Train the appearance network on the training tiles of FER2013, without those that are near test images.

    Args:
        data: Folder of FER2013.
        plan: Length and learning rate.
        run: Folder of the checkpoint, and of the tiles' landmarks.

    Raises:
        DatasetError: The dataset is missing or damaged.
    """
    dataset = read_fer2013(data)
    tests = {usage for usage in dataset.splits if usage != TRAINING}
    training = dataset.subset((dataset.usage == TRAINING) & ~dataset.near_duplicates_of(tests)).with_clusters()
    sampler = LookSampler(training, upright_matrices(training, run / UPRIGHT_FILE))

    def loss_of(network: nn.Module, random: np.random.Generator, batch: int) -> Tensor:
        looks, cluster = sampler.draw(random, batch)
        return contrast_loss(network(looks.contiguous(memory_format=torch.channels_last)), cluster)

    return cast(AppearanceNetwork, learn(AppearanceNetwork(), loss_of, plan, run))


def store_false_alarms(run: Path, network: nn.Module, material: Material) -> list[Place]:
    """Search for the finder's false alarms, and store them in the run's folder."""
    found = find_false_alarms(network, material.scenes)
    with replacing(run / HARD, "wb") as file:
        np.savez(file, hard=np.array(found, np.float64).reshape(-1, len(Place._fields)))
    logger.info("%d false alarms in %d scenes", len(found), len({place.scene for place in found}))
    return found


def find_false_alarms(network: nn.Module, scenes: tuple[LabelledPhoto, ...]) -> list[Place]:
    """Run the finder over scenes without faces, and return its detections."""
    network.eval()
    found: list[Place] = []
    for index, scene in enumerate(scenes):
        if not scene.empty:
            continue
        candidates, scales = search(network, scene)
        kept = np.argsort(-candidates.scores)[:20]
        for row in kept.tolist():
            box = candidates.boxes[row]
            (x, y), side = ((box[:2] + box[2:]) / 2).tolist(), float((box[2:] - box[:2]).max())
            found.append(Place(index, float(scales[row]), x, y, side))
    return found


@torch.no_grad()
def search(network: nn.Module, scene: LabelledPhoto) -> tuple[Candidates, Floats]:
    """Return the candidates on all pyramid levels of a scene, in pixels of the scene, and the scale of each."""
    parts, scales = [], []
    for level in scene.levels:
        height, width = (-(-side // 16) * 16 for side in level.shape[:2])
        grey = np.zeros((height, width), np.float32)
        grey[: level.shape[0], : level.shape[1]] = level @ GREY_OF_BGR
        cells = network(torch.from_numpy(grey)[None, None])[0].numpy()
        found = decode_cells(cells, threshold=MINE_SCORE).non_max_suppression()
        scale = level.shape[1] / scene.size[0]
        parts.append(Candidates(found.boxes / scale, found.scores, found.points / scale))
        scales.append(np.full(len(found.scores), scale, np.float32))
    return concatenate(parts), np.concatenate(scales)


def read_hard(file: Path | None) -> list[Place]:
    """Read false alarms; none without a file.

    Raises:
        DatasetError: The file is damaged.
    """
    if file is None or not file.is_file():
        return []
    try:
        rows = read_arrays(file, needed=["hard"])["hard"]
        check_array("hard", rows, kind=np.floating, shape=(None, len(Place._fields)))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file}: is not a file of false alarms, or is damaged: {error}") from error
    return [Place(int(row[0]), *row[1:].tolist()) for row in rows]


def _stack(arrays: Sequence[NDArray[Any]]) -> Tensor:
    """Stack arrays to a tensor."""
    return torch.from_numpy(np.stack(arrays))
