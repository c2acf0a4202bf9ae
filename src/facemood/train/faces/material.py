"""What the two networks are taught with: FER2013's tiles, everyday scenes, and where the teacher saw faces in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.datasets import open_dataset
from facemood.errors import DatasetError
from facemood.schema import Image

TEST_FROM = "0800.jpg"
"""Scenes from this name on are kept for testing."""

SURE = 0.7
"""A detection of the teacher that its own mesh confirms, with at least this score, is a face; others are not known."""

OVERLOOKED = frozenset(
    f"{number:04}.jpg"
    for number in (217, 226, 255, 354, 394, 408, 430, 444, 445, 495, 560, 571, 643, 651, 673, 702, 791)
)
"""Scenes of training that show people (or a mask, a doll, helmets) though the teacher saw none; looked at, left out."""

POINTS = 104
"""The points of a face in the labels: 68 in iBUG order, then 36 around the oval."""

BEYOND = 6
"""How many pixels outside of its tile a point may lie; where the teacher guesses further, the tile is left out."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A photo and what is known of its faces.

    Attributes:
        copies: (H, W, 3) uint8 BGR, then copies of half the size, a quarter ..., each the mean of the one before.
        points: (F, 104, 2) float32, of the faces that are sure.
        unknown: (U, 4) float32, boxes x1 y1 x2 y2 of what may be a face.
    """

    copies: tuple[Image, ...]
    points: NDArray[np.float32]
    unknown: NDArray[np.float32]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.copies[0].shape[1], self.copies[0].shape[0]

    @property
    def empty(self) -> bool:
        """Whether the teacher saw nothing like a face."""
        return not len(self.points) and not len(self.unknown)


class Place(NamedTuple):
    """Where the finder took something for a face.

    Attributes:
        scene: Index of the scene.
        scale: Scale of the scene's copy in which it did.
        x: Middle of the box in the scene's pixels.
        y: Middle of the box in the scene's pixels.
        side: Longer side of the box in the scene's pixels.
    """

    scene: int
    scale: float
    x: float
    y: float
    side: float


@dataclass(frozen=True, slots=True)
class Material:
    """Faces to lay into scenes.

    Attributes:
        tiles: (N, 48, 48) uint8 grey faces.
        points: (N, 104, 2) float32, in pixels of the tile.
        scenes: What they are laid into.
    """

    tiles: NDArray[np.uint8]
    points: NDArray[np.float32]
    scenes: tuple[Scene, ...]


def load_material(data: Path, labels: Path, *, split: str = "Training") -> Material:
    """Read the faces of one split and the scenes of training; other splits go with the scenes kept for testing.

    Args:
        data: The folder with ``fer2013/`` and ``scenes/``.
        labels: What ``scripts/label_faces.py`` wrote.
        split: ``"Training"``, ``"PublicTest"`` or ``"PrivateTest"``.

    Raises:
        DatasetError: A file is missing.
    """
    table = read_labels(labels)
    dataset = open_dataset(data / "fer2013")
    points = table["tile_points"][..., :2].astype(np.float32) / np.float32(256)
    side = dataset.images.shape[1]
    inside = (points[:, :68].min(axis=(1, 2)) > -BEYOND) & (points[:, :68].max(axis=(1, 2)) < side + BEYOND)
    rows = np.flatnonzero((dataset.usage == split) & table["tile_found"] & inside)
    scenes = read_scenes(data / "scenes", table, test=split != "Training")
    return Material(np.asarray(dataset.images[rows]), points[rows], scenes)


def read_labels(file: Path) -> dict[str, NDArray[np.generic]]:
    """Read the teacher's labels.

    Raises:
        DatasetError: The file is missing.
    """
    if not file.is_file():
        raise DatasetError(f"{file}: there is no such file; scripts/label_faces.py makes the labels")
    with np.load(file) as table:
        return dict(table)


def read_scenes(folder: Path, table: dict[str, NDArray[np.generic]], *, test: bool) -> tuple[Scene, ...]:
    """Read the scenes of training, or those kept for testing, with what the teacher saw in them."""
    files = [file for file in sorted(folder.glob("*.jpg")) if (file.name >= TEST_FROM) == test]
    files = [file for file in files if file.name not in OVERLOOKED]
    if not files:
        raise DatasetError(f"{folder}: there are no scenes; expected photos 0000.jpg, 0001.jpg ...")
    return tuple(_read_scene(file, table) for file in files)


def _read_scene(file: Path, table: dict[str, NDArray[np.generic]]) -> Scene:
    """Read one scene; a detection without a mesh, or with a low score, is neither face nor background."""
    here = table["scene_file"] == file.name
    sure = here & table["scene_found"] & (table["scene_score"].astype(np.float32) >= SURE)
    image = cv2.imread(str(file))
    if image is None:
        raise DatasetError(f"{file}: cannot be read as an image")
    points = np.asarray(table["scene_points"][sure], np.float32)
    copies = [np.asarray(image, np.uint8)]
    while min(copies[-1].shape[:2]) >= 64:
        copies.append(np.asarray(cv2.resize(copies[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8))
    return Scene(tuple(copies), points, np.asarray(table["scene_box"][here & ~sure], np.float32))
