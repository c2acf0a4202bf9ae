"""Framing: which crop about a detector's box shows a face as the training images show it.

Dataset tiles are enlarged, laid on a larger canvas and given to the detector. The tile's own edges, in units of the
box that is found, are the framing: it leads from a box to the crop that the network knows.
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
"""How many times a tile is enlarged: 48 pixels become 192."""

MARGIN = 0.5
"""What the canvas adds on each side, in units of the enlarged tile."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Framing:
    """What a detector's boxes on dataset tiles say.

    Attributes:
        crop: The tile in units of the box: left, top, right, bottom, the median over all tiles found.
        box: The box in units of the tile, the mean.
        found: Tiles in which the detector found a face.
        tiles: Tiles it was given.
    """

    crop: Box
    box: Box
    found: int
    tiles: int


def on_canvas(tile: NDArray[np.uint8]) -> Image:
    """Enlarge a tile, (h, h) uint8 grey or (h, h, 3) BGR, and lay it on the middle of a canvas of its mean colour.

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
    """Run a detector over tiles and learn the way from its box to the tile.

    Args:
        detector: The detector.
        images: (N, h, h) uint8 grey faces as the network is trained on.

    Returns:
        The framing; with several faces on a canvas the largest counts.

    Raises:
        DatasetError: The detector found no face at all.
    """
    side = images.shape[1] * ENLARGEMENT
    boxes = [found for image in images if (found := _largest(detector, on_canvas(image))) is not None]
    if not boxes:
        raise DatasetError(
            f"the detector {detector.name!r} found no face in {len(images)} tiles, so no framing can be measured; "
            "are they faces? If so, go without"
        )
    inside = (np.stack(boxes) - side * MARGIN) / side  # (found, 4) in units of the tile
    corner, size = np.tile(inside[:, :2], 2), np.tile(inside[:, 2:] - inside[:, :2], 2)
    crops = (np.array([0, 0, 1, 1]) - corner) / size
    return Framing(_box(np.median(crops, axis=0)), _box(inside.mean(axis=0)), len(boxes), len(images))


def read_end_to_end(recognizer: EmotionRecognizer, dataset: ExpressionDataset) -> dict[str, Any]:
    """Read tiles through the whole pipeline, and compare with reading the given crop.

    Args:
        recognizer: Detector, framing and network; its head must know the dataset's labels.
        dataset: The images to read.

    Returns:
        The detection rate; and for the tiles in which a face was found, the accuracy of the given crop, the accuracy of
        the crop that the pipeline made, and what was lost.
    """
    words = np.array(dataset.classes)[dataset.labels]
    given = np.array(recognizer.labels)[recognizer.classify(dataset.pixels).argmax(axis=1)]
    results = list(recognizer.stream(on_canvas(image) for image in dataset.images))
    found = np.array([len(result) > 0 for result in results])
    read = np.array([result.faces[0].emotion if result.faces else "" for result in results])
    before, after = accuracy(given[found], words[found]), accuracy(read[found], words[found])
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
    """Return the box of the largest face, (4,), or None."""
    largest = max(detector(image), key=lambda face: face.area, default=None)
    return None if largest is None else largest.box


def _box(values: NDArray[np.float64]) -> Box:
    """Round four numbers for a card."""
    left, top, right, bottom = (round(float(value), 4) for value in values)
    return left, top, right, bottom
