"""Training material of the face networks: FER2013's tiles, everyday scenes, and the teacher's labels for them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.array_files import check_array, read_arrays
from facemood.datasets import open_dataset
from facemood.errors import DatasetError
from facemood.schema import Image

TEST_FROM = "0800.jpg"
"""Scenes from this name on are held out for testing."""

CONFIDENT = 0.7
"""Score, 0..1, from which a detection of the teacher with a mesh counts as a face; others are unknown."""

OVERLOOKED = frozenset(
    f"{number:04}.jpg"
    for number in (217, 226, 255, 354, 394, 408, 430, 444, 445, 495, 560, 571, 643, 651, 673, 702, 791)
)
"""Training scenes with people (or a mask, a doll, helmets) that the teacher missed: found by eye, and left out."""

POINTS = 104
"""Points per face in the labels: 68 in iBUG order, then 36 around the oval."""

LABELS: dict[str, tuple[type[np.generic], tuple[int | None, ...]]] = {
    "tile_found": (np.bool_, ()),
    "tile_points": (np.number, (POINTS, None)),
    "scene_file": (np.str_, ()),
    "scene_box": (np.floating, (4,)),
    "scene_score": (np.floating, ()),
    "scene_found": (np.bool_, ()),
    "scene_points": (np.floating, (POINTS, 2)),
}
"""The arrays of a file of labels: their type, and their shape behind the number of tiles or detections."""

BEYOND = 6
"""Pixels by which a point may be outside of its tile; a tile with points further outside is left out."""


@dataclass(frozen=True, slots=True)
class LabelledPhoto:
    """A photo and the teacher's labels for its faces.

    Attributes:
        levels: Image pyramid: (H, W, 3) uint8 BGR, then half the size, a quarter ..., by averaging.
        points: (F, 104, 2) float32, points of the confident faces.
        unknown: (U, 4) float32, boxes x1 y1 x2 y2 of objects that may be faces.
    """

    levels: tuple[Image, ...]
    points: NDArray[np.float32]
    unknown: NDArray[np.float32]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.levels[0].shape[1], self.levels[0].shape[0]

    @property
    def empty(self) -> bool:
        """Whether the teacher detected nothing like a face."""
        return not len(self.points) and not len(self.unknown)


class Place(NamedTuple):
    """A false alarm of the finder.

    Attributes:
        scene: Index of the scene.
        scale: Scale of the pyramid level on which it was detected.
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
    """Faces and scenes to compose.

    Attributes:
        tiles: (N, 48, 48) uint8 grey faces.
        points: (N, 104, 2) float32, in pixels of the tile.
        scenes: The scenes.
    """

    tiles: NDArray[np.uint8]
    points: NDArray[np.float32]
    scenes: tuple[LabelledPhoto, ...]


def load_material(data: Path, labels: Path, *, split: str = "Training") -> Material:
    """Read the faces of one split with the training scenes; other splits come with the test scenes.

    Args:
        data: The folder with ``fer2013/`` and ``scenes/``.
        labels: The file of ``scripts/label_faces.py``.
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
        DatasetError: The file is missing or damaged.
    """
    if not file.is_file():
        raise DatasetError(f"{file}: there is no such file; scripts/label_faces.py makes the labels")
    try:
        table = read_arrays(file, needed=LABELS)
        for name, (kind, shape) in LABELS.items():
            count = len(np.atleast_1d(table["tile_found" if name.startswith("tile") else "scene_found"]))
            check_array(name, table[name], kind=kind, shape=(count, *shape))
        return table
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file}: is not a file of labels, or is damaged: {error}") from error


def read_scenes(folder: Path, table: dict[str, NDArray[np.generic]], *, test: bool) -> tuple[LabelledPhoto, ...]:
    """Read the training scenes or the test scenes, with the teacher's labels."""
    files = [file for file in sorted(folder.glob("*.jpg")) if (file.name >= TEST_FROM) == test]
    files = [file for file in files if file.name not in OVERLOOKED]
    if not files:
        raise DatasetError(f"{folder}: there are no scenes; expected photos 0000.jpg, 0001.jpg ...")
    return tuple(_read_scene(file, table) for file in files)


def _read_scene(file: Path, table: dict[str, NDArray[np.generic]]) -> LabelledPhoto:
    """Read one scene; detections without a mesh or with a low score are unknown."""
    here = table["scene_file"] == file.name
    confident = here & table["scene_found"] & (table["scene_score"].astype(np.float32) >= CONFIDENT)
    image = cv2.imread(str(file))
    if image is None:
        raise DatasetError(f"{file}: cannot be read as an image")
    points = np.asarray(table["scene_points"][confident], np.float32)
    levels = [np.asarray(image, np.uint8)]
    while min(levels[-1].shape[:2]) >= 64:
        levels.append(np.asarray(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8))
    return LabelledPhoto(tuple(levels), points, np.asarray(table["scene_box"][here & ~confident], np.float32))
