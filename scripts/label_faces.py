"""Label faces with a teacher: landmarks of mediapipe's face mesh on FER2013's tiles and on everyday scenes.

The teacher is used for training only, and no part of it is in the package. Give it its own environment. mediapipe
0.10.14 is the last small release that contains its models (Apache-2.0), and it pins old packages:

    python3 -m venv teacher
    teacher/bin/pip install --no-deps mediapipe==0.10.14
    teacher/bin/pip install numpy absl-py attrs flatbuffers "protobuf<5" matplotlib "opencv-python-headless<5"
    teacher/bin/python scripts/label_faces.py DATA faces.npz

DATA holds ``fer2013/`` (sheets of tiles and ``labels.csv``) and ``scenes/`` (photos and ``faces.json``). The run takes
about four minutes on two cores. The output has N tiles in the order Training, PublicTest, PrivateTest, and F detections
in scenes:

- ``tile_found`` (N,) bool, ``tile_points`` (N, 104, 3) int16: x, y, z in 1/256 of a tile pixel. The first 68 points are
  in iBUG order, the other 36 follow the oval of the face.
- ``scene_file`` (F,), ``scene_box`` (F, 4), ``scene_score`` (F,): the teacher's detections. ``scene_found`` (F,) says
  whether the mesh confirms them. ``scene_points`` (F, 104, 2) float32 are in pixels of the scene.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

os.environ.setdefault("GLOG_minloglevel", "3")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SPLITS = ("Training", "PublicTest", "PrivateTest")
"""FER2013's splits."""

TILE = 48
"""Side of a tile in pixels."""

ENLARGEMENT = 4
"""How many times a tile is enlarged; `facemood.evaluation.crop_framing` has the same."""

MARGIN = 0.5
"""What the canvas adds on each side, in units of the enlarged tile; `facemood.evaluation.crop_framing` has the same."""

IBUG = (
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,  # brows
    168, 197, 5, 4, 98, 97, 2, 326, 327,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outer lip
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lip
)  # fmt: skip
"""Mesh vertex of each of the 68 landmarks, without the 17 of the jaw, which `jaw` places on the oval."""

OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""The mesh's outer ring, from the middle of the forehead."""

EAR_RIGHT = OVAL.index(127)
"""Index on the oval of the start of the jaw."""

CHIN = OVAL.index(152)
"""Index on the oval of the chin."""

EAR_LEFT = OVAL.index(356)
"""Index on the oval of the end of the jaw."""


mesh: Any = None
"""The teacher, loaded in each worker."""


def main() -> None:
    """Label all images and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    with multiprocessing.Pool(initializer=start) as pool:
        tiles = list(pool.imap(mark_tile, read_tiles(options.data / "fer2013"), chunksize=64))
        files, boxes, scores = read_detections(options.data / "scenes")
        faces = list(
            pool.imap(
                mark_scene, zip([options.data / "scenes" / file for file in files], boxes, strict=True), chunksize=8
            )
        )
    points = np.stack([np.zeros((104, 3)) if found is None else found for found in tiles])
    partial = options.output.with_suffix(".partial.npz")
    np.savez_compressed(
        partial,
        tile_found=np.array([found is not None for found in tiles]),
        tile_points=np.clip(np.round(points * 256), -32768, 32767).astype(np.int16),
        scene_file=np.array(files),
        scene_box=np.array(boxes, np.float32),
        scene_score=np.array(scores, np.float32),
        scene_found=np.array([found is not None for found in faces]),
        scene_points=np.stack([np.zeros((104, 2)) if found is None else found for found in faces]).astype(np.float32),
    )
    partial.rename(options.output)
    print(
        f"{sum(found is not None for found in tiles)} of {len(tiles)} tiles, "
        f"{sum(found is not None for found in faces)} of {len(faces)} detections in scenes"
    )


def start() -> None:
    """Load the mesh in each worker."""
    global mesh
    import mediapipe

    cv2.setNumThreads(1)
    mesh = mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=1, refine_landmarks=False, min_detection_confidence=0.3
    )


def mark(image: np.ndarray) -> np.ndarray | None:
    """Return the (104, 3) points of the face in an (H, W, 3) uint8 RGB image, in its pixels, or None."""
    found = mesh.process(image).multi_face_landmarks
    if not found:
        return None
    height, width = image.shape[:2]
    points = np.array([(point.x, point.y, point.z) for point in found[0].landmark])
    points *= (width, height, width)
    oval = points[list(OVAL)]
    return np.concatenate([jaw(oval), points[list(IBUG)], oval])


def jaw(oval: np.ndarray) -> np.ndarray:
    """Spread the 17 points of the jaw evenly from ear to chin to ear, as the iBUG scheme does: (36, 3) to (17, 3)."""
    right = spread(oval[CHIN : EAR_RIGHT + 1][::-1], 9)
    left = spread(oval[EAR_LEFT : CHIN + 1][::-1], 9)
    return np.concatenate([right, left[1:]])


def spread(line: np.ndarray, count: int) -> np.ndarray:
    """Place `count` points on a polyline (P, 3), equally spaced along it."""
    steps = np.linalg.norm(np.diff(line[:, :2], axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(steps)])
    wanted = np.linspace(0, along[-1], count)
    return np.stack([np.interp(wanted, along, line[:, axis]) for axis in range(line.shape[1])], axis=1)


def mark_tile(tile: np.ndarray) -> np.ndarray | None:
    """Label a (48, 48) uint8 tile, enlarged on a canvas of its mean grey; points in pixels of the tile."""
    side = TILE * ENLARGEMENT
    pad = round(side * MARGIN)
    large = cv2.resize(tile, (side, side), interpolation=cv2.INTER_CUBIC)
    canvas = cv2.copyMakeBorder(large, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=float(tile.mean()))
    points = mark(cv2.cvtColor(canvas, cv2.COLOR_GRAY2RGB))
    return None if points is None else (points - (pad, pad, 0)) / ENLARGEMENT


def mark_scene(task: tuple[Path, list[float]]) -> np.ndarray | None:
    """Label the face in the surroundings of a detection, enlarged to 384 pixels; (104, 2) in pixels of the scene.

    The mesh must lie about where the detector saw the face, or it is none.
    """
    file, box = task
    image = cv2.cvtColor(open_picture(file), cv2.COLOR_BGR2RGB)
    x1, y1, x2, y2 = box
    side, centre = 2 * max(x2 - x1, y2 - y1), ((x1 + x2) / 2, (y1 + y2) / 2)
    scale = 384 / side
    matrix = np.array([[scale, 0, 192 - centre[0] * scale], [0, scale, 192 - centre[1] * scale]])
    around = cv2.warpAffine(image, matrix, (384, 384), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    points = mark(around)
    if points is None:
        return None
    points = (points[:, :2] - matrix[:, 2]) / scale
    middle, extent = points[:68].mean(0), np.ptp(points[:68], axis=0).mean()
    near = np.abs(middle - centre).max() < 0.35 * (side / 2) and 0.5 < extent / (side / 2) < 1.6
    return points if near else None


def read_tiles(folder: Path) -> Iterator[np.ndarray]:
    """Yield the tiles of all splits, each (48, 48) uint8, as often as labels.csv has rows."""
    with open(folder / "labels.csv", newline="") as file:
        usage = [row["usage"] for row in csv.DictReader(file)]
    for split in SPLITS:
        sheet = open_picture(folder / f"{split}.png", cv2.IMREAD_GRAYSCALE)
        columns = sheet.shape[1] // TILE
        for index in range(usage.count(split)):
            y, x = divmod(index, columns)
            yield sheet[y * TILE : (y + 1) * TILE, x * TILE : (x + 1) * TILE]


def open_picture(file: Path, mode: int = cv2.IMREAD_COLOR) -> np.ndarray:
    """Read an image, (h, w, 3) uint8 BGR or (h, w) grey."""
    image = cv2.imread(str(file), mode)
    if image is None:
        raise SystemExit(f"{file}: cannot be read as an image")
    return image


def read_detections(folder: Path) -> tuple[list[str], list[list[float]], list[float]]:
    """Return file, box and score of the teacher's detections, one per face: the boxes of its two models are merged."""
    files, boxes, scores = [], [], []
    for file, found in json.loads((folder / "faces.json").read_text()).items():
        kept: list[dict[str, Any]] = []
        for face in sorted(found, key=lambda face: -face["score"]):
            if all(overlap(face["box"], other["box"]) < 0.3 for other in kept):
                kept.append(face)
        files += [file] * len(kept)
        boxes += [face["box"] for face in kept]
        scores += [face["score"] for face in kept]
    return files, boxes, scores


def overlap(one: list[float], other: list[float]) -> float:
    """Return the intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0, width) * max(0, height)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return both / (areas - both)


if __name__ == "__main__":
    main()
