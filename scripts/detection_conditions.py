"""Measure how many faces a detector finds under conditions: tilt, yaw, size, darkness, the frame's edge, occlusion.

The faces are FER2013 tiles with landmarks, laid on a canvas at a chosen size and changed one condition at a time.
`measure_detection.py` reports them. To choose on PublicTest:

    python scripts/detection_conditions.py DATA LABELS.npz PublicTest
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from facemood.defaults import MIN_FACE
from facemood.geometry import Floats, box_of_points
from facemood.schema import Face, Image
from facemood.stages.detect import DetectOptions, Detector, FinderDetector, select_faces
from facemood.train.faces.compose import move, place
from facemood.train.faces.material import load_material
from facemood.train.faces.turned_view import turn_face
from facemood.wilson import wilson_interval
from scripts.detection_metrics import Tally, detect_boxes, tally

FACES = 400
"""Faces per condition, evenly spaced among the tiles with landmarks."""

SIZE = 64
"""Size of a face, the root of its box's area, in pixels; where the size is not the condition."""

CANVAS = (256, 192)
"""Width and height of the canvas in pixels."""

SMALLEST = 12.0
"""`min_face` of the second column of sizes."""

ENLARGED = 3
"""Factor by which a tile is enlarged before its face is turned."""

NOISE = 1.5
"""Standard deviation of the noise in dark pictures, in grey levels of 255."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A face on a canvas.

    Attributes:
        image: (H, W) float32 grey, 0..255.
        points: (68, 2) float32 in pixels.
    """

    image: Floats
    points: Floats


Make = Callable[[NDArray[np.uint8], Floats, int], Scene]
"""Makes a scene of a tile and its points; the number of the face decides about a side or a direction."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition under which faces are looked for.

    Attributes:
        group: What is changed.
        name: By how much.
        make: Makes the scenes.
        min_face: Smallest face that the detector looks for, in pixels.
    """

    group: str
    name: str
    make: Make
    min_face: float = MIN_FACE


def lay_face(tile: NDArray[np.uint8], points: Floats, *, size: float = SIZE, angle: float = 0, yaw: float = 0) -> Scene:
    """Lay a tile on the middle of a canvas of its mean grey.

    Args:
        tile: (h, h) uint8.
        points: (104, 2) in the tile.
        size: Root of the area of the face's box in pixels.
        angle: Roll in degrees.
        yaw: Turn to a side in degrees, in addition to the face's own.
    """
    grey: Floats = np.asarray(tile, np.float32)
    if yaw:
        large = cv2.resize(grey, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)
        grey, points = turn_face(np.clip(large, 0, 255), points * ENLARGED, yaw)
    box = box_of_points(points[:68])
    scale = size / float(np.sqrt(np.prod(box[2:] - box[:2])))
    matrix = place(points[:68], centre=np.array(CANVAS) / 2, scale=scale, angle=angle)
    if scale < 1:
        grey = np.asarray(cv2.GaussianBlur(grey, (0, 0), 0.4 / scale), np.float32)
    laid = cv2.warpAffine(grey, matrix, CANVAS, flags=cv2.INTER_CUBIC, borderValue=float(tile.mean()))
    return Scene(np.clip(laid, 0, 255).astype(np.float32), move(points, matrix)[:68])


def darken(scene: Scene, factor: float, number: int) -> Scene:
    """Multiply the brightness by a factor, and add noise."""
    noise = np.random.default_rng(number).normal(0, NOISE, scene.image.shape)
    return Scene((scene.image * factor + noise).astype(np.float32), scene.points)


def cut(scene: Scene, share: float, number: int) -> Scene:
    """Cut the canvas so that a share of the face's box stays, in turn from the left, the right and below."""
    x1, y1, x2, y2 = np.round(box_of_points(scene.points)).astype(int).tolist()
    if number % 3 == 0:
        left = x2 - round(share * (x2 - x1))
        return Scene(scene.image[:, left:], scene.points - np.array([left, 0], np.float32))
    if number % 3 == 1:
        return Scene(scene.image[:, : x1 + round(share * (x2 - x1))], scene.points)
    return Scene(scene.image[: y1 + round(share * (y2 - y1))], scene.points)


def cover(scene: Scene, what: str, number: int) -> Scene:
    """Cover a part of the face with grey, in turn light and dark."""
    points, image = scene.points, scene.image.copy()
    outlines = {
        "mouth": np.concatenate([points[2:15], points[[29]]]),
        "eyes": _around(points[36:48], 1.25, 1.8),
        "one side": np.concatenate([points[:9], points[[27]]] if number % 4 < 2 else [points[8:17], points[[27]]]),
    }
    cv2.fillPoly(image, [np.round(outlines[what]).astype(np.int32)], 40.0 if number % 2 else 210.0)
    return Scene(image, points)


def _around(points: Floats, wider: float, higher: float) -> Floats:
    """Return the four corners of the rotated rectangle around points, enlarged."""
    middle, extent, angle = cv2.minAreaRect(points)
    sides = np.array(extent) * ((wider, higher) if extent[0] > extent[1] else (higher, wider))
    return np.asarray(cv2.boxPoints((middle, sides.tolist(), angle)), np.float32)


def conditions() -> Iterator[Condition]:
    """Yield all conditions, in the order of the page."""
    for angle in (0, 15, 30, 45, 60):
        yield Condition("tilt", f"{angle}°", partial(_tilted, angle))
    for yaw in (15, 30, 45, 60):
        yield Condition("yaw", f"+{yaw}°", partial(_turned, yaw))
    for least in (MIN_FACE, SMALLEST):
        for size in (12, 14, 16, 20, 24, 28, 32, 48):
            yield Condition(f"size, min_face {least:.0f}", f"{size} px", partial(_sized, size), least)
    for part in (4, 8, 16, 32):
        yield Condition("brightness", f"1/{part}", partial(_changed, partial(darken, factor=1 / part)))
    for share in (80, 65, 50, 40):
        yield Condition("shown at the edge", f"{share}%", partial(_changed, partial(cut, share=share / 100)))
    for what in ("mouth", "eyes", "one side"):
        yield Condition("covered", what, partial(_changed, partial(cover, what=what)))


def _tilted(angle: float, tile: NDArray[np.uint8], points: Floats, number: int) -> Scene:
    """Tilt faces, in turn to both sides."""
    return lay_face(tile, points, angle=angle if number % 2 else -angle)


def _turned(yaw: float, tile: NDArray[np.uint8], points: Floats, number: int) -> Scene:
    """Turn faces, in turn to both sides."""
    return lay_face(tile, points, yaw=yaw if number % 2 else -yaw)


def _sized(size: float, tile: NDArray[np.uint8], points: Floats, number: int) -> Scene:
    """Lay faces at a size."""
    return lay_face(tile, points, size=size)


def _changed(change: Callable[..., Scene], tile: NDArray[np.uint8], points: Floats, number: int) -> Scene:
    """Change the scene of a face as it is."""
    return change(lay_face(tile, points), number=number)


def measure_conditions(
    data: Path, labels: Path, split: str, *, faces: int = FACES
) -> dict[str, dict[str, dict[str, int]]]:
    """Return how many faces of a split are found: by group of conditions, and by condition the counts of a `Tally`.

    Args:
        data: The folder with ``fer2013/`` and ``scenes/``.
        labels: The file of ``scripts/label_faces.py``.
        split: ``"PublicTest"`` to choose, ``"PrivateTest"`` to report.
        faces: Faces per condition.
    """
    material = load_material(data, labels, split=split)
    chosen = np.linspace(0, len(material.tiles) - 1, faces).astype(int)
    detectors: dict[float, Detector] = {}
    groups: dict[str, dict[str, dict[str, int]]] = {}
    for one in conditions():
        if one.min_face not in detectors:
            detectors[one.min_face] = Selecting(FinderDetector(DetectOptions(min_size=one.min_face), threads=1))
        total = Tally()
        for number, row in enumerate(chosen.tolist()):
            scene = one.make(material.tiles[row], material.points[row], number)
            total += look(detectors[one.min_face], scene)
        groups.setdefault(one.group, {})[one.name] = total.to_dict()
        told = f"{one.group} {one.name}: {total.found} of {total.faces}, {total.false} false"
        print(told, file=sys.stderr, flush=True)
    return groups


class Selecting:
    """The finder as users get it: faces below their `min_face` are excluded."""

    name = "finder"

    def __init__(self, detector: FinderDetector) -> None:
        self.detector = detector

    def __call__(self, image: Image) -> list[Face]:
        """Find faces in an (H, W, 3) uint8 BGR image."""
        return select_faces(self.detector(image), self.detector.options)


def look(detector: Detector, scene: Scene) -> Tally:
    """Run a detector on a scene."""
    grey = np.clip(np.round(scene.image), 0, 255).astype(np.uint8)
    image = np.asarray(cv2.cvtColor(np.ascontiguousarray(grey), cv2.COLOR_GRAY2BGR), np.uint8)
    return tally(detect_boxes(detector, image), box_of_points(scene.points)[None])


def condition_rows(groups: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[dict[str, str]]:
    """Return the table of the page: a row per condition, with the share found and its interval."""
    rows = []
    for group, members in groups.items():
        for name, found in members.items():
            low, high = wilson_interval(found["found"] / found["faces"], found["faces"])
            rows.append(
                {
                    "condition": f"{group}: {name}",
                    "found": f"{found['found']} of {found['faces']}",
                    "share [95%]": f"{found['found'] / found['faces']:.1%} [{low:.1%}, {high:.1%}]",
                    "false boxes": str(found["false"]),
                }
            )
    return rows


def main() -> None:
    """Measure one split, and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("split")
    parser.add_argument("--faces", type=int, default=FACES)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    measure_conditions(options.data, options.labels, options.split, faces=options.faces)


if __name__ == "__main__":
    main()
