"""Measure a framing: the crop around a detector's box, or around the landmarks, that matches the training images.

Dataset tiles are enlarged, pasted on a larger canvas and given to the detector, or to the landmark network. The tile's
edges in units of the detected box are the framing: it maps a box to the crop that the network was trained on. The
framing by landmarks is the tile in units of the landmarks' size, on the axes of the eye line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.datasets import ExpressionDataset
from facemood.errors import DatasetError
from facemood.evaluation.metrics import accuracy
from facemood.geometry import Floats, box_of_points, tilts
from facemood.recognizer import EmotionRecognizer
from facemood.schema import Image
from facemood.stages.align import place_of_points
from facemood.stages.detect import Detector
from facemood.stages.landmarks import PRESENT, LandmarkModel

ENLARGEMENT = 4
"""Factor by which a tile is enlarged: 48 pixels become 192."""

MARGIN = 0.5
"""Margin of the canvas on each side, in units of the enlarged tile."""

USUAL_BOX = (0.10, 0.02, 0.90, 1.0)
"""Where a face's box usually is in a tile of FER2013, in units of the tile: the mean of the finder's boxes."""

PASSES = 3
"""Times that the landmarks of a tile are predicted, each time in the upright box of the last ones."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Framing:
    """Where faces are in dataset tiles, by a detector's boxes or by landmarks.

    Attributes:
        crop: The tile in units of the box or of the landmarks' size: left, top, right, bottom; the median over the
            tiles with a face.
        box: The face's box in units of the tile; the mean.
        found: Number of tiles with a face.
        tiles: Number of tiles.
    """

    crop: Box
    box: Box
    found: int
    tiles: int


def on_canvas(tile: NDArray[np.uint8]) -> Image:
    """Enlarge a tile, (h, h) uint8 grey or (h, h, 3) BGR, and paste it on the middle of a canvas of its mean colour.

    Returns:
        (2H, 2H, 3) uint8 BGR, H = h * `ENLARGEMENT`.
    """
    side = tile.shape[0] * ENLARGEMENT
    large = cv2.resize(tile, (side, side), interpolation=cv2.INTER_CUBIC)
    pad = round(side * MARGIN)
    mean = np.atleast_1d(tile.mean(axis=(0, 1))).tolist()
    canvas = cv2.copyMakeBorder(large, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=mean)
    return np.asarray(canvas if tile.ndim == 3 else cv2.cvtColor(canvas, cv2.COLOR_GRAY2BGR), np.uint8)


def measure_framing(detector: Detector, images: NDArray[np.uint8]) -> Framing:
    """Run a detector over tiles and measure the crop in units of its box.

    Args:
        detector: The detector.
        images: (N, h, h) uint8 grey faces of the kind that the network is trained on.

    Returns:
        The framing. If there are several detections on a canvas, the largest counts.

    Raises:
        DatasetError: The detector finds no face in any tile.
    """
    side = images.shape[1] * ENLARGEMENT
    boxes = [found for image in images if (found := _largest(detector, on_canvas(image))) is not None]
    if not boxes:
        raise DatasetError(
            f"the detector {detector.name!r} found no face in {len(images)} tiles, so no framing can be measured; "
            "check that the tiles are faces, or export without this detector"
        )
    inside = (np.stack(boxes) - side * MARGIN) / side  # (found, 4) in units of the tile
    corner, size = np.tile(inside[:, :2], 2), np.tile(inside[:, 2:] - inside[:, :2], 2)
    crops = (np.array([0, 0, 1, 1]) - corner) / size
    return Framing(_box(np.median(crops, axis=0)), _box(inside.mean(axis=0)), len(boxes), len(images))


def tile_points(landmark_model: LandmarkModel, tile: NDArray[np.uint8]) -> Floats | None:
    """Return the landmarks of the face in a tile, without a detector.

    Args:
        landmark_model: The landmark network.
        tile: (h, h) uint8 grey or (h, h, 3) BGR, with a face in the middle.

    Returns:
        (68, 2) float32 in units of the tile, 0..1 inside of it; None if there is no face.
    """
    side = tile.shape[0] * ENLARGEMENT
    grey = np.asarray(cv2.cvtColor(on_canvas(tile), cv2.COLOR_BGR2GRAY), np.uint8)
    points, presence = landmark_model.predict(grey, (np.array([USUAL_BOX], np.float32) + np.float32(MARGIN)) * side)
    for _ in range(PASSES - 1):
        angles = tilts(points[:, 36], points[:, 45])
        points, presence = landmark_model.predict(grey, box_of_points(points), angles)
    return np.asarray(points[0] / side - MARGIN, np.float32) if presence[0] >= PRESENT else None


def framing_of_points(points: Floats) -> Framing:
    """Return the framing by landmarks of some tiles: the crop in units of the landmarks' size, from their mean.

    Args:
        points: (N, 68, 2) landmarks in units of the tiles, NaN for a tile without a face.

    Raises:
        DatasetError: No tile has landmarks.
    """
    known = points[np.isfinite(points).all(axis=(1, 2))]
    if not len(known):
        raise DatasetError(f"none of {len(points)} tiles has landmarks, so no framing can be measured")
    crops = []
    for face in known:
        centre, size, turn = place_of_points(face)
        x, y = (0.5 - centre) / size
        middle = np.array([np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x])
        crops.append([*(middle - 0.5 / size), *(middle + 0.5 / size)])
    boxes = box_of_points(known).mean(axis=0)
    return Framing(_box(np.median(crops, axis=0)), _box(boxes), len(known), len(points))


def evaluate_end_to_end(recognizer: EmotionRecognizer, dataset: ExpressionDataset) -> dict[str, Any]:
    """Evaluate the whole pipeline on tiles, and compare it with the predictions for the given crops.

    Args:
        recognizer: Detector, framing and network; its head must know the dataset's labels.
        dataset: The images.

    Returns:
        The detection rate; and for the tiles with a detection, the accuracy with the given crop, the accuracy with the
        pipeline's crop, and the loss.
    """
    words = np.array(dataset.classes)[dataset.labels]
    given = np.array(recognizer.labels)[recognizer.classify(dataset.pixels).argmax(axis=1)]
    results = list(recognizer.stream(on_canvas(image) for image in dataset.images))
    found = np.array([len(result) > 0 for result in results])
    cropped = np.array([result.faces[0].emotion if result.faces else "" for result in results])
    before, after = accuracy(given[found], words[found]), accuracy(cropped[found], words[found])
    return {
        "detector": recognizer.detector.name,
        "n": len(dataset),
        "found": int(found.sum()),
        "detection_rate": round(float(found.mean()), 4),
        "accuracy_of_given_crop": round(before, 4),
        "accuracy_end_to_end": round(after, 4),
        "loss": round(before - after, 4),
    }


def _largest(detector: Detector, image: Image) -> NDArray[np.float32] | None:
    """Return the box of the largest face, (4,), or None if there is none."""
    largest = max(detector(image), key=lambda face: face.area, default=None)
    return None if largest is None else largest.box


def _box(values: NDArray[np.float64]) -> Box:
    """Round four numbers for a card."""
    left, top, right, bottom = (round(float(value), 4) for value in values)
    return left, top, right, bottom
