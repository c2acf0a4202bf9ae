"""Turn training images upright by the landmarks of their faces, as inference turns the faces that it finds."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facemood.array_files import check_array, read_arrays
from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset, Images
from facemood.evaluation.crop_framing import framing_of_points, tile_points
from facemood.stages.align import square_of_points
from facemood.stages.landmarks import LandmarkModel

logger: logging.Logger = logging.getLogger("facemood")

UPRIGHT_FILE = "upright.npz"
"""File in a run's folder with the landmarks of its training images, so that a resumed run need not find them again."""


def upright_matrices(dataset: ExpressionDataset, file: Path) -> Tensor:
    """Return where the upright crop of each image lies in it.

    Args:
        dataset: The training images.
        file: Where their landmarks are stored, or are read from if they were stored for these images.

    Returns:
        (N, 2, 3) float32: affine matrices from places in the crop to places in the image, both -1..1 from edge to edge.
        An image without landmarks has the identity.

    Raises:
        DatasetError: No image has landmarks.
        OutputError: The file cannot be written.
    """
    points = _stored(file, len(dataset))
    if points is None:
        points = find_points(dataset.images)
        with replacing(file, "wb") as stream:
            np.savez_compressed(stream, points=points)
    framing = framing_of_points(points).crop
    matrices = np.tile(np.eye(2, 3, dtype=np.float32), (len(points), 1, 1))
    known = np.isfinite(points).all(axis=(1, 2))
    for row in np.flatnonzero(known):
        square = square_of_points(points[row], framing)  # in units of the image
        turn, middle = np.deg2rad(square.tilt), square.box[:2] + square.box[2:]
        linear = square.side * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        matrices[row] = np.column_stack([linear, middle - 1])
    logger.info("%d of %d training images have landmarks and can be turned upright", known.sum(), len(points))
    return torch.from_numpy(matrices)


def find_points(images: Images) -> NDArray[np.float32]:
    """Return the landmarks of images, (N, 68, 2) float32 in units of the image, NaN where there is no face.

    Args:
        images: (N, h, h) uint8 grey or (N, h, h, 3) BGR, with a face in the middle of each.
    """
    landmark_model = LandmarkModel(threads=1)
    points = np.full((len(images), 68, 2), np.nan, np.float32)
    for row in range(len(images)):
        found = tile_points(landmark_model, np.asarray(images[row]))
        if found is not None:
            points[row] = found
    return points


def _stored(file: Path, count: int) -> NDArray[np.float32] | None:
    """Return the landmarks in a file; None if it is missing, damaged, or of another number of images."""
    try:
        points = read_arrays(file, needed=["points"])["points"]
        check_array("points", points, kind=np.float32, shape=(count, 68, 2))
    except (OSError, ValueError):
        return None
    return points
