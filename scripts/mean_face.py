"""Make the mean 3-D face of the 68 landmarks, from which head pose is estimated.

    python scripts/mean_face.py faces.npz src/facemood/stages/generic_face.csv --data DATA

``faces.npz`` is the output of ``label_faces.py``. Only FER2013's Training tiles are used. With DATA (the folder with
``fer2013/labels.csv``, in the same order) only their neutral faces are used, because open and closed mouths do not
average to a neutral one.

Faces that look aside are excluded. The others are rotated, scaled and shifted onto their common mean until it converges
(generalized Procrustes analysis: Gower 1975). The mean is then averaged with its mirror image, so that it is symmetric.
The result has this coordinate frame:

- The origin is midway between the outer corners of the eyes. Their distance is 1.
- x points to the right of the image, y down, z away from the camera. A face that looks at the camera looks along -z.
- By symmetry, yaw and roll are 0. Pitch is 0 where the neutral faces have their mean pitch.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facemood.atomic import replacing
from facemood.geometry import MIRRORED, rotation_of
from facemood.stages.pose import estimate_pose

Floats = NDArray[np.float64]

TRAINING = 28_709
"""Rows of FER2013's Training, the first of the file."""

NEUTRAL = "6"
"""FER2013's number for neutral."""

TILE = 48
"""Side of a tile in pixels."""

EYES = [36, 45]
"""The outer corners of the eyes."""

ASIDE = 20.0
"""Largest yaw in degrees of the faces used. Beyond it, the teacher guesses half of the face."""


def main() -> None:
    """Make the mean face and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labels", type=Path, help="the teacher's labels, .npz")
    parser.add_argument("output", type=Path, help="the table to write, .csv")
    parser.add_argument("--data", type=Path, help="the folder that holds fer2013/labels.csv: neutral faces only")
    options = parser.parse_args()
    face = mean_face(read_shapes(options.labels, options.data))
    with replacing(options.output, newline="", encoding="utf-8") as file:
        file.write("x,y,z\n")
        file.writelines(",".join(f"{value + 0.0:.4f}" for value in point) + "\n" for point in face.round(4))


def read_shapes(labels: Path, data: Path | None) -> Floats:
    """Return the training faces that the teacher found, (N, 68, 3) in pixels of a tile."""
    with np.load(labels) as table:
        wanted, points = table["tile_found"][:TRAINING], table["tile_points"][:TRAINING, :68]
    if data is not None:
        with (data / "fer2013" / "labels.csv").open(newline="") as file:
            emotions = [row["emotion"] for row in csv.DictReader(file)]
        wanted = wanted & (np.array(emotions[:TRAINING]) == NEUTRAL)
    return np.asarray(points[wanted], np.float64) / 256


def mean_face(shapes: Floats) -> Floats:
    """Return the mean of (N, 68, 3) shapes in the coordinate frame of the module docstring, (68, 3)."""
    mean = canonical(align(shapes))
    looks = turns_onto(mean, centred(shapes))[:, :, 2]  # (N, 3): where each face's z axis points
    facing = shapes[np.abs(np.degrees(np.arctan2(looks[:, 0], looks[:, 2]))) < ASIDE]
    mean = canonical(align(facing))
    for _ in range(3):  # the measure hangs a little on the pitch itself
        mean = mean @ turn_up(mean_pitch(mean, facing)).T
    return mean


def mean_pitch(face: Floats, shapes: Floats) -> float:
    """Return the mean estimated pitch in degrees of (N, 68, 3) shapes, in photos four tiles wide."""
    size = 4 * TILE
    points = shapes[:, :, :2] + (size - TILE) / 2
    poses = [estimate_pose(marked, (size, size), face=face.astype(np.float32)) for marked in points.astype(np.float32)]
    return float(np.mean([pose[1] for pose in poses if pose is not None]))


def turn_up(degrees: float) -> Floats:
    """Return the rotation (3, 3) that makes a face look up by an angle."""
    return rotation_of(np.array([0, degrees, 0], np.float32)).astype(np.float64)


def align(shapes: Floats, *, rounds: int = 10) -> Floats:
    """Return the Procrustes mean of (N, 68, 3) shapes, (68, 3) of size 1."""
    shapes = centred(shapes)
    mean: Floats = shapes[0]
    for _ in range(rounds):
        turned = (shapes @ turns_onto(mean, shapes)).mean(axis=0)
        mean = np.asarray(turned / np.linalg.norm(turned))
    return mean


def centred(shapes: Floats) -> Floats:
    """Return (N, 68, 3) shapes with their means at the origin and of size 1."""
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    return np.asarray(shapes / np.linalg.norm(shapes, axis=(1, 2), keepdims=True))


def turns_onto(mean: Floats, shapes: Floats) -> Floats:
    """Return the rotations (N, 3, 3) that turn the mean into each of (N, 68, 3) shapes: ``shape ~ mean @ turn.T``."""
    left, _, right = np.linalg.svd(shapes.transpose(0, 2, 1) @ mean)
    left[:, :, 2] *= np.linalg.det(left @ right)[:, None]  # a rotation, never a mirror image
    return np.asarray(left @ right)


def canonical(mean: Floats) -> Floats:
    """Return a mean face (68, 3) made symmetric, with x along the line of the eyes, in units of the eyes' distance.

    The mirror image of a face is turned onto the face; the average of both is symmetric to a plane, whose normal
    becomes the x axis. How far the face is pitched stays as it was.
    """
    mirrored = mean[MIRRORED] * (-1, 1, 1)
    mirrored = mirrored @ turns_onto(mirrored, mean[None])[0].T
    symmetric = (mean + mirrored) / 2
    across = symmetric[EYES[1]] - symmetric[EYES[0]]
    right = across / np.linalg.norm(across)
    down = np.cross([0.0, 0.0, 1.0], right)
    down /= np.linalg.norm(down)
    axes = np.stack([right, down, np.cross(right, down)])
    return np.asarray((symmetric - symmetric[EYES].mean(axis=0)) @ axes.T / np.linalg.norm(across))


if __name__ == "__main__":
    main()
