"""Crop faces for the network: upright, and the same part of the head with every detector.

A face with 68 landmarks is turned upright about its eye line. Its landmarks also say where the crop is and how large.
So the crop does not follow the small movements of a detector's box. A face without landmarks is cut out by its box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import LEFT_EYE, RIGHT_EYE, TINY, Floats
from facemood.schema import Face, Image
from facemood.squares import cut_square

WHOLE_BOX = (0.0, 0.0, 1.0, 1.0)
"""Framing of a detector's box itself: left, top, right, bottom in units of the box."""

LANDMARK_FRAMING = "landmarks"
"""Name of the framing by landmarks: in units of their size, from their mean. The others are named after detectors."""

LARGEST_CROP = 512
"""Longest side in pixels of a crop that is turned upright; larger faces are shrunk."""

Framing = tuple[float, float, float, float]
"""A crop: left, top, right, bottom, in units of a detector's box or of the landmarks' size."""


@dataclass(frozen=True, slots=True, eq=False)
class CropSquare:
    """The square of an image that a crop shows.

    Attributes:
        box: (4,) float32 x1 y1 x2 y2 in pixels of the image, as wide as high, before it is turned about its centre.
        tilt: Rotation about its centre in degrees, clockwise in the image.
    """

    box: NDArray[np.float32]
    tilt: float = 0.0

    @property
    def side(self) -> float:
        """Side in pixels of the image."""
        return float(self.box[2] - self.box[0])

    def matrix(self, size: int) -> NDArray[np.float32]:
        """Return the affine matrix (2, 3) from the pixels of a crop of some size to the pixels of the image.

        Example:
            >>> CropSquare(np.float32([10, 20, 30, 40])).matrix(20) @ (0, 0, 1)
            array([10., 20.])
        """
        turn, scale = np.deg2rad(self.tilt), self.side / size
        linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        middle = (self.box[:2] + self.box[2:]) / 2 - 0.5  # the centre of a pixel is half a pixel from its edge
        return np.column_stack([linear, middle - linear @ np.full(2, size / 2 - 0.5)]).astype(np.float32)


def squares_of(faces: Sequence[Face], framing: Mapping[str, Framing], detector: str) -> list[CropSquare]:
    """Return the square that a network's crop of each face shows.

    Args:
        faces: The faces.
        framing: The crops that the network expects, from its card: by detector, and by landmarks if it was trained on
            upright faces.
        detector: The detector that found them.
    """
    by_landmarks, by_box = framing.get(LANDMARK_FRAMING), framing.get(detector, WHOLE_BOX)
    return [
        square_of_points(face.landmarks, by_landmarks)
        if by_landmarks and face.landmarks is not None and len(face.landmarks) == 68
        else CropSquare(frame_box(face.box, by_box))
        for face in faces
    ]


def frame_box(box: NDArray[np.float32], framing: Framing) -> NDArray[np.float32]:
    """Return the square crop for a detector's box, centred in the framed region.

    Args:
        box: (4,) float32 x1 y1 x2 y2.
        framing: Left, top, right, bottom of the crop in units of the box; (0, 0, 1, 1) is the box.

    Returns:
        (4,) float32 x1 y1 x2 y2, as wide as high.

    Example:
        >>> frame_box(np.float32([10, 10, 20, 20]), (-0.1, -0.2, 1.1, 1.0)).tolist()
        [9.0, 8.0, 21.0, 20.0]
    """
    corner, size = box[:2], box[2:] - box[:2]
    first = corner + size * np.array(framing[:2], np.float32)
    last = corner + size * np.array(framing[2:], np.float32)
    centre, half = (first + last) / 2, (last - first).mean() / 2
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def square_of_points(points: Floats, framing: Framing) -> CropSquare:
    """Return the upright square crop for a face's landmarks.

    Args:
        points: (68, 2) in iBUG order, in pixels of the image.
        framing: Left, top, right, bottom of the crop from the mean of the landmarks, in units of their size, on axes
            along and across the eye line.

    Example:
        >>> points = np.zeros((68, 2), np.float32)
        >>> points[36:42], points[42:48] = (10, 20), (20, 20)
        >>> square_of_points(points, (-1, -1, 1, 1)).tilt
        0.0
    """
    centre, size, turn = place_of_points(points)
    left, top, right, bottom = framing
    cosine, sine = np.cos(turn), np.sin(turn)
    shift = np.array([left + right, top + bottom]) / 2 * size
    middle = centre + np.array([[cosine, -sine], [sine, cosine]]) @ shift
    half = max((right - left + bottom - top) / 4 * size, 0.5)
    box = np.concatenate([middle - half, middle + half]).astype(np.float32)
    return CropSquare(box, float(np.rad2deg(turn)))


def place_of_points(points: Floats) -> tuple[NDArray[np.float64], float, float]:
    """Return where a face's landmarks are, how large, and how far the eye line is turned.

    Args:
        points: (68, 2) in iBUG order.

    Returns:
        Their mean (2,); their size, the root mean square distance from it; and the angle of the eye line in radians,
        clockwise in the image. All points count, so the noise of single ones hardly matters.
    """
    centre = points.mean(axis=0, dtype=np.float64)
    size = float(np.sqrt(((points - centre) ** 2).sum(axis=1).mean()))
    across = points[LEFT_EYE].mean(axis=0) - points[RIGHT_EYE].mean(axis=0)
    return centre, max(size, TINY), float(np.arctan2(across[1], across[0]))


def cut_faces(image: Image, squares: Sequence[CropSquare]) -> list[Image]:
    """Cut squares out of an image.

    Args:
        image: (H, W, 3) uint8 BGR.
        squares: The squares.

    Returns:
        One (s, s, 3) uint8 BGR image per square. Outside of the image, the pixels of its edge are repeated. A square
        that is not turned is a copy of the pixels.
    """
    return [_cut_upright(image, one.box) if one.tilt == 0 else _cut_turned(image, one) for one in squares]


def _cut_turned(image: Image, square: CropSquare) -> Image:
    """Cut out a turned square, at most `LARGEST_CROP` pixels wide."""
    size = min(max(1, round(square.side)), LARGEST_CROP)
    return cut_square(image, square.matrix(size), size)


def _cut_upright(image: Image, square: NDArray[np.float32]) -> Image:
    """Cut out one square; outside of the image, the pixels of its edge are repeated."""
    height, width = image.shape[:2]
    side = max(1, round(float(square[2] - square[0])))
    x1, y1 = (round(float(value)) for value in square[:2])
    left, top = max(0, -x1), max(0, -y1)
    right, bottom = max(0, x1 + side - width), max(0, y1 + side - height)
    inside = image[
        min(y1 + top, height - 1) : max(y1 + side - bottom, 1), min(x1 + left, width - 1) : max(x1 + side - right, 1)
    ]
    if not (left or top or right or bottom):
        return inside
    padded = cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return np.asarray(padded[:side, :side], np.uint8)
