"""Read the finder's cells: 15 numbers for every 8x8 pixels become boxes, scores and points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats, suppress

STRIDE = 8
"""Pixels of a cell's side."""

OVERLAP = 0.4
"""Two boxes whose intersection over union reaches this are the same face."""


class Found(NamedTuple):
    """Candidates of one image.

    Attributes:
        boxes: (N, 4) float32 x1 y1 x2 y2 in pixels.
        scores: (N,) float32, 0..1.
        points: (N, 5, 2) float32: right eye, left eye, nose, right and left corner of the mouth.
    """

    boxes: Floats
    scores: Floats
    points: Floats

    def take(self, rows: NDArray[np.int64]) -> Found:
        """Return some of the candidates, in the order of `rows`."""
        return Found(self.boxes[rows], self.scores[rows], self.points[rows])

    def best(self, *, inside: float = 2.0) -> Found:
        """Keep the best where several lie on the same face, best first; `inside` as in `geometry.suppress`."""
        return self.take(suppress(self.boxes, self.scores, overlap=OVERLAP, inside=inside))


def read_cells(cells: Floats, *, threshold: float) -> Found:
    """Turn the network's output for one picture into candidates, before suppression.

    Args:
        cells: (15, h, w): logit of the score; logarithms of the distances to the left, top, right and bottom side in
            cells; five points as x and y from the cell's middle in cells.
        threshold: Smallest score, 0..1.
    """
    least = np.log(max(threshold, 1e-6) / max(1 - threshold, 1e-6))
    rows, columns = np.nonzero(cells[0] >= least)
    scores = 1 / (1 + np.exp(-np.clip(cells[0, rows, columns], -30, 30)))
    middles = (np.stack([columns, rows], axis=1) + 0.5).astype(np.float32)  # (N, 2) in cells
    values = cells[1:, rows, columns].T  # (N, 14)
    away = np.exp(np.clip(values[:, :4], -4, 4))
    boxes = np.concatenate([middles - away[:, :2], middles + away[:, 2:]], axis=1)
    points = middles[:, None] + values[:, 4:].reshape(-1, 5, 2)
    return Found(boxes * STRIDE, scores.astype(np.float32), points * STRIDE)


def join(parts: list[Found]) -> Found:
    """Put the candidates of several copies or pieces of an image together."""
    if not parts:
        return Found(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))
    return Found(*(np.concatenate(column) for column in zip(*parts, strict=True)))
