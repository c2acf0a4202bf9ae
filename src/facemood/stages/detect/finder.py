"""The package's own face detector: a small network on an image pyramid, confirmed by the landmark network."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.defaults import FP32
from facemood.geometry import Floats, box_of_points, iom, tilts
from facemood.models import FINDER, ModelSession, find_model
from facemood.schema import Face, Image
from facemood.stages.detect.cells import Candidates, concatenate, decode_cells
from facemood.stages.detect.detect_options import DetectOptions
from facemood.stages.landmarks import LandmarkModel

WINDOW = 21.0
"""Smallest face that the network detects, in pixels of its input. It detects one octave; pyramid levels do the rest."""

MAX_ENLARGEMENT = 2.0
"""Largest factor by which an image is enlarged; faces of fewer than 12 pixels show too little."""

TILE = 1024
"""Pixels of the side of a tile. Larger pyramid levels are detected tile by tile, which bounds the memory."""

TILE_OVERLAP = 192
"""Pixels that neighbouring tiles share: more than any face that is detected at one level."""

MAX_TILES = 1024
"""Most tiles of the first pyramid level. A square image of 100 million pixels has 145, or 578 if it is enlarged twice;
only very long images have more. Those are searched at a smaller scale."""

PADDING = 16
"""Pixels added around a pyramid level, so that faces cut off by the frame have cells outside of it."""

PADDING_GREY = 128
"""Grey level of the padding: the network's zero."""

CANDIDATE = 0.5
"""Score of the detection network, 0..1, from which a candidate is passed to the landmark network: the highest at which
no annotated face is lost."""

MAX_CANDIDATES = 256
"""At most so many candidates, the best, are passed to the landmark network, which bounds the time."""

ODDS = 16.0
"""Product of the two networks' odds at which the combined score is 0.5. Chosen by hand as the trade-off between missed
faces (PublicTest tiles, annotated photos) and false alarms (scenes); see docs/detection.md."""

HOPELESS = 0.02
"""Combined score below which a candidate is rejected at once. Between this and the threshold, the landmark network
looks again, in the box and at the angle of the landmarks that it placed: a face is often rejected only because it was
framed badly, above all if it is tilted or partly covered. `scripts/measure_candidates.py` finds the same faces with
0.001, and looks at more crops."""

OUTER_CORNERS = [36, 45]
"""Landmarks of the outer corners of the right and left eye."""

PART_OF_FACE = 0.7
"""Intersection over minimum from which a box is a part of a better one, after the landmark network."""


class FinderDetector:
    """Detects faces of `min_size` pixels and more, upright or tilted by up to 60 degrees, frontal to three quarters.

    The time depends on the image's size and on `min_size`: the image is resized so that a face of that size has
    `WINDOW` pixels. Memory is bounded: large pyramid levels are cut into tiles.

    Args:
        options: Which faces count.
        threads: Threads inside one run; None for one per core that may be used.
        precision: ``"fp32"`` or ``"int8"``, for the landmark network. The detection network is always in fp32: its
            depthwise convolutions are slower with integers.

    Example:
        >>> FinderDetector()(np.full((240, 320, 3), 128, np.uint8))
        []
    """

    name = "finder"
    """Key of the crop framing on a model's card."""

    THRESHOLD = 0.5
    """Default for `DetectOptions.threshold`: the middle of the combined score."""

    SURE = 0.9
    """Score from which a face counts that is found in a picture only when it is turned."""

    def __init__(
        self, options: DetectOptions | None = None, *, threads: int | None = None, precision: str = FP32
    ) -> None:
        self.options: DetectOptions = options or DetectOptions()
        self.session: ModelSession = ModelSession(find_model(FINDER), device="cpu", threads=threads)
        self.landmark_model: LandmarkModel = LandmarkModel(threads=threads, precision=precision)

    def at_min_size(self, min_size: float) -> FinderDetector:
        """Return a detector with the same networks that looks for faces from another size on, in pixels."""
        other = copy.copy(self)
        vars(other)["options"] = dataclasses.replace(self.options, min_size=min_size)
        return other

    def __call__(self, image: Image) -> list[Face]:
        """Detect the faces of an (H, W, 3) uint8 BGR image, with box, score and 68 landmarks."""
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        found = self.search(grey)
        least = self.options.threshold_or(self.THRESHOLD)
        refined = self._confirm(grey, found.scores, found.boxes, tilts(found.points[:, 0], found.points[:, 1]))
        sure = refined.select(refined.scores >= least)
        part = iom(refined.boxes, sure.boxes).max(axis=1, initial=0) >= PART_OF_FACE
        unsure = (refined.scores < least) & (refined.scores >= HOPELESS) & ~part
        if unsure.any():
            one = refined.select(unsure)
            eyes = one.points[:, OUTER_CORNERS]
            again = self._confirm(grey, found.scores[unsure], one.boxes, tilts(eyes[:, 0], eyes[:, 1]))
            refined = concatenate([refined.select(~unsure), again])
        best = refined.select(refined.scores >= least).non_max_suppression(iom_from=PART_OF_FACE)
        return [
            Face(box=box, score=float(score), landmarks=there)
            for box, score, there in zip(best.boxes, best.scores, best.points, strict=True)
        ]

    def _confirm(self, grey: NDArray[np.uint8], scores: Floats, boxes: Floats, angles: Floats) -> Candidates:
        """Return candidates with their 68 landmarks, the boxes around them, and the combined scores.

        Args:
            grey: (H, W) uint8.
            scores: (N,) of the detection network.
            boxes: (N, 4) in which the landmark network looks.
            angles: (N,) roll of the heads in degrees.
        """
        points, presence = self.landmark_model.predict(grey, boxes, angles)
        return Candidates(box_of_points(points), combine_scores(scores, presence), points)

    def search(self, grey: NDArray[np.uint8], *, threshold: float = CANDIDATE) -> Candidates:
        """Return the detection network's candidates in an (H, W) uint8 image, highest score first."""
        parts = []
        wanted = min(WINDOW / self.options.min_size, MAX_ENLARGEMENT)
        for level, ratio in pyramid_levels(grey, bounded_scale(grey.shape, wanted)):
            for tile, corner in tiles(level):
                cells = self.session.run_batch(tile[None, None])["cells"][0]
                found = decode_cells(cells, threshold=threshold)
                if len(found.scores):
                    corners = (found.boxes.reshape(-1, 2, 2) + corner) / ratio
                    parts.append(Candidates(corners.reshape(-1, 4), found.scores, (found.points + corner) / ratio))
        best = concatenate(parts).non_max_suppression()
        return Candidates(*(column[:MAX_CANDIDATES] for column in best))


def bounded_scale(shape: tuple[int, ...], scale: float) -> float:
    """Return the scale at which an image is searched: the one that is wanted, or a smaller one for very long images.

    A strip of 40,000,000 x 1 pixels would have 48,000 tiles, and no face.

    Args:
        shape: Height and width of the image in pixels.
        scale: The scale that is wanted.

    Returns:
        A scale at which no side has more tiles than `MAX_TILES` leaves it.

    Example:
        >>> bounded_scale((480, 640), 1.0), bounded_scale((1, 8_500_000), 1.0) < 0.11
        (1.0, True)
    """
    step = TILE - TILE_OVERLAP
    tiles_of = [max(1.0, side * scale / step) for side in shape[:2]]
    excess = tiles_of[0] * tiles_of[1] / MAX_TILES
    if excess <= 1:
        return scale
    return scale / (excess if min(tiles_of) == 1 else excess**0.5)


def pyramid_levels(grey: NDArray[np.uint8], scale: float) -> Iterator[tuple[NDArray[np.uint8], Floats]]:
    """Yield the levels of an image pyramid: each is half as large as the one before, as long as a face fits in.

    Args:
        grey: (H, W) uint8.
        scale: Pixels of the first level per pixel of the image.

    Yields:
        A level (h, w) uint8, and its pixels per pixel of the image, (2,) float32 across and down.
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


def tiles(level: NDArray[np.uint8]) -> Iterator[tuple[Floats, Floats]]:
    """Cut a padded pyramid level into overlapping tiles whose sides are multiples of 16.

    Args:
        level: (h, w) uint8.

    Yields:
        A tile (a, b) float32 of grey levels, and x and y of its first pixel in the level, (2,) float32.
    """
    height, width = (side + 2 * PADDING for side in level.shape)
    step = TILE - TILE_OVERLAP
    for top in range(0, max(height - TILE_OVERLAP, 1), step):
        for left in range(0, max(width - TILE_OVERLAP, 1), step):
            rows, columns = min(TILE, height - top), min(TILE, width - left)
            tile = np.full((-(-rows // 16) * 16, -(-columns // 16) * 16), PADDING_GREY, np.float32)
            y, x = max(top - PADDING, 0), max(left - PADDING, 0)
            part = level[y : top - PADDING + rows, x : left - PADDING + columns]
            y, x = y - top + PADDING, x - left + PADDING
            tile[y : y + part.shape[0], x : x + part.shape[1]] = part
            yield tile, np.array([left - PADDING, top - PADDING], np.float32)


def combine_scores(scores: Floats, presence: Floats) -> Floats:
    """Combine the scores of both networks: the product of their odds, divided by `ODDS`, as a probability.

    Args:
        scores: (N,) float32 0..1, of the detection network.
        presence: (N,) float32 0..1, of the landmark network.

    Returns:
        (N,) float32, 0..1.

    Example:
        >>> combined = combine_scores(np.array([0.5, 0.9], np.float32), np.array([0.5, 0.99], np.float32))
        >>> [f"{value:.2f}" for value in combined]
        ['0.06', '0.98']
    """
    first, second = (np.clip(share, 1e-6, 1 - 1e-6).astype(np.float64) for share in (scores, presence))
    odds = first / (1 - first) * second / (1 - second) / ODDS
    return (odds / (1 + odds)).astype(np.float32)
