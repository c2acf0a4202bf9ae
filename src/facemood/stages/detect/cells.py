"""Decode the finder's output: 15 numbers for every 8x8 pixels become boxes, scores and points."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats, non_max_suppression

STRIDE = 8
"""Pixels of a cell's side: the network's output is eight times as coarse as its input."""

SAME_FACE = 0.4
"""Intersection over union from which two boxes are the same face in non-maximum suppression."""


class Candidates(NamedTuple):
    """Boxes in one image that may be faces.

    Attributes:
        boxes: (N, 4) float32 x1 y1 x2 y2 in pixels.
        scores: (N,) float32, 0..1.
        points: (N, 5, 2) float32: right eye, left eye, nose, right and left corner of the mouth.
    """

    boxes: Floats
    scores: Floats
    points: Floats

    def select(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Candidates:
        """Return some of the candidates, by indices or by a mask."""
        return Candidates(self.boxes[rows], self.scores[rows], self.points[rows])

    def non_max_suppression(self, *, iom_from: float = math.inf) -> Candidates:
        """Keep the best candidate of each face, highest score first; see `geometry.non_max_suppression`."""
        return self.select(non_max_suppression(self.boxes, self.scores, iou_from=SAME_FACE, iom_from=iom_from))


NONE = Candidates(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))
"""No candidates."""


def decode_cells(cells: Floats, *, threshold: float) -> Candidates:
    """Decode the network's output for one image, before non-maximum suppression.

    Args:
        cells: (15, h, w) float32: logit of the score; logarithms of the distances to the left, top, right and bottom
            side in cells; five points as x and y from the cell's middle in cells.
        threshold: Smallest score, 0..1.
    """
    rows, columns = np.nonzero(cells[0] >= math.log(max(threshold, 1e-6) / max(1 - threshold, 1e-6)))
    if not len(rows):
        return NONE
    scores = 1 / (1 + np.exp(-np.clip(cells[0, rows, columns], -30, 30)))
    middles = (np.stack([columns, rows], axis=1) + 0.5).astype(np.float32)  # (N, 2) in cells
    values = cells[1:, rows, columns].T  # (N, 14)
    away = np.exp(np.clip(values[:, :4], -4, 4))
    boxes = np.concatenate([middles - away[:, :2], middles + away[:, 2:]], axis=1)
    points = middles[:, None] + values[:, 4:].reshape(-1, 5, 2)
    return Candidates(boxes * STRIDE, scores.astype(np.float32), points * STRIDE)


def concatenate(parts: list[Candidates]) -> Candidates:
    """Concatenate the candidates of several pyramid levels and tiles of an image."""
    if not parts:
        return NONE
    return Candidates(*(np.concatenate(column) for column in zip(*parts, strict=True)))
