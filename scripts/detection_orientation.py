"""Measure what `orientation="auto"` finds in photos that are not upright, and what it costs where there is no face."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from facemood.geometry import Floats, box_of_points
from facemood.schema import Frame, Image
from facemood.stages.detect import DetectOptions, Detector
from facemood.stages.orientation import AUTO, QUARTERS, Orientation, turn_back, turn_points
from facemood.tracking import PhotoScene
from scripts.detection_metrics import Annotated, Tally, read_picture, tally

NOBODY = np.zeros((0, 4), np.float32)
"""The boxes of no face."""


def measure_orientation(detector: Detector, photos: Sequence[Annotated], scenes: Sequence[Path]) -> dict[str, Any]:
    """Return the counts of photos at each orientation, and those of scenes without faces.

    Args:
        detector: The detector.
        photos: Annotated photos, upright.
        scenes: Photos without faces.
    """
    auto, plain = (PhotoScene(detector, DetectOptions(), orientation) for orientation in (AUTO, 0))
    turned = {str(degrees): _photos(auto, photos, degrees) for degrees in QUARTERS}
    empty = {name: _empty(scene, scenes) for name, scene in (("auto", auto), ("0", plain))}
    return {
        "photos": {name: found.to_dict() for name, found in turned.items()},
        "scenes": {
            name: {"pictures": count.pictures, "alarmed": count.alarmed, "false": count.false, "ms": round(spent, 1)}
            for name, (count, spent) in empty.items()
        },
    }


def _photos(scene: PhotoScene, photos: Iterable[Annotated], degrees: int) -> Tally:
    """Count what is found in photos that must be turned clockwise by some degrees."""
    total = Tally()
    for photo in photos:
        given = lay(photo.image, degrees)
        size = (given.shape[1], given.shape[0])
        faces = box_of_points(photo.points)
        corners = turn_points(faces.reshape(-1, 2, 2), degrees, size)
        there = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
        total += tally(_boxes(scene, given), there)
    return total


def _empty(scene: PhotoScene, files: Iterable[Path]) -> tuple[Tally, float]:
    """Count false boxes in photos without faces; return the CPU milliseconds of each, too."""
    total, spent = Tally(), 0.0
    for file in files:
        image = read_picture(file)
        began = time.process_time()
        boxes = _boxes(scene, image)
        spent += time.process_time() - began
        total += tally(boxes, NOBODY)
    return total, 1000 * spent / total.pictures


def _boxes(scene: PhotoScene, image: Image) -> Floats:
    """Return the boxes that a scene finds, (N, 4) in pixels of the given image."""
    frame = Frame(image)
    view = scene.find(frame)
    faces = turn_back(view.faces, view.orientation, frame.size)
    return np.array([face.box for face in faces], np.float32).reshape(-1, 4)


def lay(image: Image, degrees: int) -> Image:
    """Turn an upright image so that it must be turned by some degrees clockwise to be upright again."""
    code = QUARTERS[-degrees % 360]
    return image if code is None else np.asarray(cv2.rotate(image, code), np.uint8)


def orientation_rows(found: dict[str, Any]) -> list[dict[str, str]]:
    """Return the table of the page."""
    rows = [
        {"pictures": f"photos, to be turned by {name}°", "found": f"{count['found']} of {count['faces']}",
         "with a false box": f"{count['alarmed']} of {count['pictures']}"}
        for name, count in found["photos"].items()
    ]  # fmt: skip
    named: dict[str, Orientation] = {"auto": "auto", "0": 0}
    return rows + [
        {"pictures": f"scenes without faces, orientation={named[name]!r}", "found": "",
         "with a false box": f"{count['alarmed']} of {count['pictures']}"}
        for name, count in found["scenes"].items()
    ]  # fmt: skip
