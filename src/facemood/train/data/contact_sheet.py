"""Contact sheets of augmented training images, to judge the augmentation by eye."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facemood.datasets import ExpressionDataset
from facemood.render import write_image
from facemood.train.data.augment import augment
from facemood.train.data.batches import as_tensor
from facemood.train.recipe import Recipe

COLUMNS = 8
"""Images per row of the sheet."""

CELL = 96
"""Side of an image in pixels."""

GAP = 4
"""Pixels between two images."""


def write_contact_sheet(file: Path, training: ExpressionDataset, recipe: Recipe, upright: Tensor | None = None) -> None:
    """Write a sheet with a row for each class, up to ten: one training image, then seven augmented versions of it.

    Args:
        file: The image file.
        training: The training images.
        recipe: Says how they are augmented.
        upright: (N, 2, 3) matrices of the upright crops; None if the images are not turned.

    Raises:
        OutputError: The file cannot be written.
    """
    rows = [int(np.flatnonzero(training.labels == label)[0]) for label in np.unique(training.labels)[:10]]
    images = as_tensor(np.asarray(training.images[np.array(rows)])).float()
    turned = None if upright is None else upright[rows]
    generator = torch.Generator().manual_seed(recipe.train.seed)
    side = images.shape[-1]
    views = (recipe.augment, recipe.degraded) if recipe.train.consistency else (recipe.augment,)
    varied = [
        augment(images, views[column % len(views)], size=side, generator=generator, upright=turned)
        for column in range(COLUMNS - 1)
    ]
    cells = torch.stack([images, *varied], dim=1)  # (rows, 8, C, h, h)
    write_image(file, lay_out(cells.clamp(0, 255).byte().numpy()))


def lay_out(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Arrange images in a grid on white.

    Args:
        cells: (rows, columns, C, h, h) uint8, grey or red, green and blue.

    Returns:
        (H, W, 3) uint8 BGR.
    """
    rows, columns = cells.shape[:2]
    step = CELL + GAP
    sheet = np.full((rows * step + GAP, columns * step + GAP, 3), 255, np.uint8)
    for row in range(rows):
        for column in range(columns):
            image = cells[row, column].transpose(1, 2, 0)[..., ::-1]  # BGR, or one grey channel
            large = cv2.resize(np.ascontiguousarray(image), (CELL, CELL), interpolation=cv2.INTER_AREA)
            top, left = GAP + row * step, GAP + column * step
            sheet[top : top + CELL, left : left + CELL] = large.reshape(CELL, CELL, -1)
    return sheet
