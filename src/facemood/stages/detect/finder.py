"""Our own face finder: a small network on copies of the image, and a second look by the landmark network."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats, box_of_points, tilts
from facemood.models import FINDER, ModelSession, find_model
from facemood.schema import Face, Image
from facemood.stages.detect.cells import Found, join, read_cells
from facemood.stages.detect.detect_options import DetectOptions
from facemood.stages.landmarks import LandmarkModel

WINDOW = 24.0
"""The smallest face that the network is trained for, in its own pixels; it finds an octave, copies do the rest."""

ENLARGED = 2.0
"""An image is enlarged by so much at most; faces of fewer than 12 pixels show too little."""

BLOCK, SEAM = 1024, 192
"""A larger copy is worked on in squares of this many pixels, which share a seam wider than any face sought there."""

EDGE = 16
"""What is added around a copy, so that faces that the frame cuts off have cells outside of it."""

GREY = 128
"""The grey of that edge: the network's zero."""

CANDIDATE = 0.35
"""From this score on, the network's finds get a second look."""

ODDS = 16.0
"""Where the product of both networks' odds gives a score of one half. Chosen by hand: there few faces of PublicTest's
tiles and of photos are lost, and few other things in scenes are kept (docs/detection.md)."""

INSIDE = 0.7
"""After the second look, a box of which so much lies in a better one is a part of that face."""

MOST = 256
"""At most so many, the best, get one."""


class FinderDetector:
    """Finds faces of `min_size` pixels and more, upright or tilted by up to 45 degrees, frontal to three quarters.

    The time is set by the image's size and by `min_size`: the image is resized so that a face of that size has `WINDOW`
    pixels. Memory is bounded: large copies are worked on in blocks.

    Args:
        options: Which faces count.
        threads: Threads inside one run; None leaves it to ONNX Runtime.

    Example:
        >>> FinderDetector()(np.full((240, 320, 3), 128, np.uint8))
        []
    """

    name = "finder"
    THRESHOLD = 0.5

    def __init__(self, options: DetectOptions | None = None, *, threads: int | None = None) -> None:
        self.options = options or DetectOptions()
        self.session = ModelSession(find_model(FINDER), device="cpu", threads=threads)
        self.reader = LandmarkModel(threads=threads)

    def __call__(self, image: Image) -> list[Face]:
        """Find the faces of an (H, W, 3) uint8 BGR image, with box, score and 68 landmarks."""
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        found = self.search(grey)
        points, presence = self.reader.read(grey, found.boxes, tilts(found.points[:, 0], found.points[:, 1]))
        sure = weigh(found.scores, presence)
        kept = sure >= self.options.threshold_or(self.THRESHOLD)
        refined = Found(box_of_points(points[kept]), sure[kept], points[kept]).best(inside=INSIDE)
        return [
            Face(box=box, score=float(score), landmarks=there)
            for box, score, there in zip(refined.boxes, refined.scores, refined.points, strict=True)
        ]

    def search(self, grey: NDArray[np.uint8], *, threshold: float = CANDIDATE) -> Found:
        """Return the network's own candidates in an (H, W) uint8 image, best first, without the second look."""
        parts = []
        for copy, ratio in copies(grey, min(WINDOW / self.options.min_size, ENLARGED)):
            for block, corner in blocks(copy):
                cells = self.session.run_batch(block[None, None].astype(np.float32))["cells"][0]
                found = read_cells(cells, threshold=threshold)
                boxes, points = found.boxes + np.tile(corner, 2), found.points + corner
                parts.append(
                    found._replace(boxes=(boxes / np.tile(ratio, 2)).astype(np.float32), points=points / ratio)
                )
        best = join(parts).best()
        return best.take(np.arange(min(MOST, len(best.scores))))


def copies(grey: NDArray[np.uint8], scale: float) -> Iterator[tuple[NDArray[np.uint8], Floats]]:
    """Yield an image resized by a scale, then by half of it, and so on, as long as a face would fit in.

    Args:
        grey: (H, W) uint8.
        scale: Pixels of the first copy for one of the image.

    Yields:
        Each copy, and how many of its pixels are one of the image, (2,) float32 across and down.
    """
    height, width = grey.shape
    while True:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        grey = np.asarray(cv2.resize(grey, size, interpolation=interpolation), np.uint8)
        yield grey, np.array([size[0] / width, size[1] / height], np.float32)
        if max(size) < 2 * WINDOW:
            return
        scale /= 2


def blocks(copy: NDArray[np.uint8]) -> Iterator[tuple[NDArray[np.uint8], Floats]]:
    """Cut a copy into squares that share seams, with a grey edge around the whole, sides multiples of 16.

    Args:
        copy: (h, w) uint8.

    Yields:
        A block (a, b) uint8 and x and y of its first pixel in the copy.
    """
    height, width = (side + 2 * EDGE for side in copy.shape)
    step = BLOCK - SEAM
    for top in range(0, max(height - SEAM, 1), step):
        for left in range(0, max(width - SEAM, 1), step):
            rows, columns = min(BLOCK, height - top), min(BLOCK, width - left)
            block = np.full((-(-rows // 16) * 16, -(-columns // 16) * 16), GREY, np.uint8)
            y, x = max(top - EDGE, 0), max(left - EDGE, 0)
            part = copy[y : top - EDGE + rows, x : left - EDGE + columns]
            y, x = y - top + EDGE, x - left + EDGE
            block[y : y + part.shape[0], x : x + part.shape[1]] = part
            yield block, np.array([left - EDGE, top - EDGE], np.float32)


def weigh(scores: Floats, presence: Floats) -> Floats:
    """Return how sure both networks together are of a face, 0..1: the product of their odds, over `ODDS`.

    Args:
        scores: (N,) 0..1, of the finder.
        presence: (N,) 0..1, of the landmark network.

    Example:
        >>> sure = weigh(np.array([0.5, 0.9], np.float32), np.array([0.5, 0.99], np.float32))
        >>> [f"{value:.2f}" for value in sure]
        ['0.06', '0.98']
    """
    first, second = (np.clip(share, 1e-6, 1 - 1e-6).astype(np.float64) for share in (scores, presence))
    odds = first / (1 - first) * second / (1 - second) / ODDS
    return (odds / (1 + odds)).astype(np.float32)
