"""Measure a face detector and landmarks: recall and false alarms on photos, scenes, tiles and clips; point errors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.errors import DatasetError
from facemood.evaluation.crop_framing import ENLARGEMENT, MARGIN, on_canvas
from facemood.geometry import Floats, box_of_points, iou
from facemood.schema import Image
from facemood.stages.detect import Detector

SAME = 0.4
"""A box finds a face where their intersection over union is larger."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a detector did.

    Attributes:
        faces: Faces that are there.
        found: Those that it found.
        false: Boxes on no face.
        pictures: Pictures that it saw.
        alarmed: Pictures with at least one box on no face.
    """

    faces: int = 0
    found: int = 0
    false: int = 0
    pictures: int = 0
    alarmed: int = 0

    def to_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __add__(self, other: Tally) -> Tally:
        """Add up two tallies."""
        return Tally(
            self.faces + other.faces,
            self.found + other.found,
            self.false + other.false,
            self.pictures + other.pictures,
            self.alarmed + other.alarmed,
        )


@dataclass(frozen=True, slots=True)
class Annotated:
    """A picture and its faces.

    Attributes:
        name: The file.
        image: (H, W, 3) uint8 BGR.
        points: (F, 68, 2) float32 in pixels.
    """

    name: str
    image: Image
    points: Floats


def tally(found: Floats, faces: Floats) -> Tally:
    """Compare the boxes found in one picture with its faces; each box finds at most one face, the best match first.

    Args:
        found: (N, 4) float32 x1 y1 x2 y2.
        faces: (F, 4) float32.

    Example:
        >>> tally(np.float32([[0, 0, 9, 10], [50, 50, 60, 60]]), np.float32([[0, 0, 10, 10]]))
        Tally(faces=1, found=1, false=1, pictures=1, alarmed=1)
    """
    shared = iou(found, faces)
    hits = 0
    while shared.size and shared.max() > SAME:
        row, column = np.unravel_index(shared.argmax(), shared.shape)
        shared[row], shared[:, column] = -1, -1
        hits += 1
    false = len(found) - hits
    return Tally(len(faces), hits, false, 1, int(false > 0))


def detect_boxes(detector: Detector, image: Image) -> Floats:
    """Return a detector's boxes, (N, 4) float32."""
    return np.array([face.box for face in detector(image)], np.float32).reshape(-1, 4)


def read_photos(folder: Path) -> list[Annotated]:
    """Read photos whose faces are marked by hand with 68 points, as ``faces.json`` in their folder says.

    Raises:
        DatasetError: A file is missing.
    """
    table = folder / "faces.json"
    if not table.is_file():
        raise DatasetError(f"{table}: there is no such file; expected photo names with the points of their faces")
    marked = json.loads(table.read_text(encoding="utf-8"))
    return [
        Annotated(name, read_picture(folder / name), np.array([face["points68"] for face in faces], np.float32))
        for name, faces in marked.items()
    ]


def read_picture(file: Path) -> Image:
    """Read a picture, (H, W, 3) uint8 BGR.

    Raises:
        DatasetError: It cannot be read.
    """
    image = cv2.imread(str(file))
    if image is None:
        raise DatasetError(f"{file}: cannot be read as an image")
    return np.asarray(image, np.uint8)


def measure_photos(detector: Detector, photos: Iterable[Annotated]) -> Tally:
    """Count what a detector finds on annotated photos."""
    return sum(
        (tally(detect_boxes(detector, photo.image), box_of_points(photo.points)) for photo in photos), start=Tally()
    )


def measure_empty(detector: Detector, files: Iterable[Path]) -> Tally:
    """Count a detector's false alarms on pictures without faces."""
    nothing = np.zeros((0, 4), np.float32)
    return sum((tally(detect_boxes(detector, read_picture(file)), nothing) for file in files), start=Tally())


def measure_tiles(detector: Detector, tiles: NDArray[np.uint8]) -> Tally:
    """Count in how many (N, h, h) uint8 tiles, enlarged on a canvas, the face is found."""
    return sum((_tile(detector, tile) for tile in tiles), start=Tally())


def _tile(detector: Detector, tile: NDArray[np.uint8]) -> Tally:
    """Look at one tile: a box counts whose middle lies near the tile's, and that is not much smaller or larger.

    Some tiles cut through their face, so its box may be larger than the tile.
    """
    side = tile.shape[0] * ENLARGEMENT
    boxes = detect_boxes(detector, on_canvas(tile))
    middles, sizes = (
        (boxes[:, :2] + boxes[:, 2:]) / 2 / side - MARGIN,
        (boxes[:, 2:] - boxes[:, :2]).mean(axis=1) / side,
    )
    right = (np.abs(middles - 0.5) < 0.3).all(axis=1) & (sizes > 0.4) & (sizes < 1.5)
    found, false = int(right.any()), int(len(boxes) - right.any())
    return Tally(1, found, false, 1, int(false > 0))


def point_errors(read: Floats, marked: Floats) -> Floats:
    """Return the mean distance of the points over the distance of the outer eye corners, as 300-W measures it.

    Args:
        read: (N, 68, 2) float32.
        marked: (N, 68, 2) float32.

    Returns:
        (N,) float32; 0.1 and more counts as a failure.
    """
    apart = np.linalg.norm(read - marked, axis=2).mean(axis=1)
    eyes = np.linalg.norm(marked[:, 36] - marked[:, 45], axis=1)
    return np.asarray(apart / eyes, np.float32)
