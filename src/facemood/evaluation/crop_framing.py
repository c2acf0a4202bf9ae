"""Measure the framing of a detector: the crop around its box that matches the training images.

Dataset tiles are enlarged, pasted on a larger canvas and given to the detector. The tile's edges in units of the
detected box are the framing: it maps a box to the crop that the network was trained on.
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
from facemood.recognizer import EmotionRecognizer
from facemood.schema import Image
from facemood.stages.detect import Detector

ENLARGEMENT = 4
"""Factor by which a tile is enlarged: 48 pixels become 192."""

MARGIN = 0.5
"""Margin of the canvas on each side, in units of the enlarged tile."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Framing:
    """The boxes of a detector on dataset tiles.

    Attributes:
        crop: The tile in units of the box: left, top, right, bottom; the median over the tiles with a detection.
        box: The box in units of the tile; the mean.
        found: Number of tiles with a detection.
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
