"""Geometry of boxes, points and rotations: IoU, non-maximum suppression, landmark boxes, pose, eye aspect ratio."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

LIFT = 0.25
"""How far above the brows a face's box begins, as a share of the height of its landmarks."""

MIRRORED = np.array([
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
    41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65,
])  # fmt: skip
"""(68,) index of each landmark's counterpart in the mirrored face: jaw, brows, nose, eyes, lips."""

RIGHT_EYE = slice(36, 42)
"""Landmarks of the subject's right eye, in iBUG order."""

LEFT_EYE = slice(42, 48)
"""Landmarks of the subject's left eye."""

TINY = 1e-9
"""Smallest divisor, where an area or a length may be 0."""

Floats = NDArray[np.float32]


def box_of_points(points: Floats) -> Floats:
    """Return the box of a face: the span of its 68 landmarks, extended upwards by a quarter beyond the brows.

    Args:
        points: (..., 68, 2) in iBUG order.

    Returns:
        (..., 4) float32 x1 y1 x2 y2.

    Example:
        >>> box_of_points(np.float32([[0, 0], [10, 20]])).tolist()
        [0.0, -5.0, 10.0, 20.0]
    """
    first, last = points.min(axis=-2), points.max(axis=-2)
    lifted = first.copy()
    lifted[..., 1] -= LIFT * (last[..., 1] - first[..., 1])
    return np.concatenate([lifted, last], axis=-1).astype(np.float32)


def corner_and_size(box: Floats) -> list[int]:
    """Return a box (4,) x1 y1 x2 y2 as x, y, width and height in whole pixels.

    Example:
        >>> corner_and_size(np.float32([10.4, 20, 50, 60]))
        [10, 20, 40, 40]
    """
    x1, y1, x2, y2 = np.rint(box).astype(int).tolist()
    return [x1, y1, x2 - x1, y2 - y1]


def corners_of(boxes: ArrayLike) -> ArrayLike:
    """Return boxes as x, y, width and height as x1 y1 x2 y2; what is no (N, 4) array is returned as it is.

    Example:
        >>> np.asarray(corners_of([[10, 20, 40, 40]])).tolist()
        [[10.0, 20.0, 50.0, 60.0]]
    """
    try:
        values = np.asarray(boxes, np.float32)
    except (TypeError, ValueError):
        return boxes
    return np.hstack([values[:, :2], values[:, :2] + values[:, 2:]]) if values.shape[1:] == (4,) else values


def iou(one: Floats, other: Floats) -> Floats:
    """Return the intersection over union (IoU) of each box of one set with each of another.

    Args:
        one: (A, 4) x1 y1 x2 y2.
        other: (B, 4) x1 y1 x2 y2.

    Returns:
        (A, B) float32, 0..1.

    Example:
        >>> iou(np.array([[0, 0, 2, 2]], np.float32), np.array([[0, 0, 2, 1], [5, 5, 6, 6]], np.float32)).tolist()
        [[0.5, 0.0]]
    """
    both, first, second = _shared(one, other)
    return np.asarray(both / np.maximum(first + second - both, TINY), np.float32)


def iom(one: Floats, other: Floats) -> Floats:
    """Return the intersection over minimum area (IoM) of each two boxes, (A, B) float32 0..1; 1 if one is inside.

    Example:
        >>> iom(np.array([[0, 0, 4, 4]], np.float32), np.array([[1, 1, 2, 2], [3, 0, 5, 4]], np.float32)).tolist()
        [[1.0, 0.5]]
    """
    both, first, second = _shared(one, other)
    return np.asarray(both / np.maximum(np.minimum(first, second), TINY), np.float32)


def non_max_suppression(
    boxes: Floats, scores: Floats, *, iou_from: float, iom_from: float = math.inf
) -> NDArray[np.int64]:
    """Greedy non-maximum suppression (NMS): of overlapping boxes, keep the one with the highest score.

    Args:
        boxes: (N, 4) x1 y1 x2 y2.
        scores: (N,).
        iou_from: IoU from which two boxes are the same face.
        iom_from: IoM from which they are the same face too; above 1 a box may lie inside another.

    Returns:
        (M,) int64 indices of the boxes that are kept, highest score first.

    Example:
        >>> boxes = np.array([[0, 0, 4, 4], [0, 0, 4, 5], [9, 9, 12, 12]], np.float32)
        >>> non_max_suppression(boxes, np.array([0.5, 0.9, 0.7], np.float32), iou_from=0.4)
        array([1, 2])
    """
    order = np.argsort(-scores, kind="stable")
    if len(order) < 2:
        return np.asarray(order, np.int64)
    ranked = boxes[order]
    shared = iou(ranked, ranked) >= iou_from
    if iom_from <= 1:
        shared |= iom(ranked, ranked) >= iom_from
    alive = np.ones(len(order), bool)
    for position in range(len(order)):
        if alive[position]:
            alive[position + 1 :] &= ~shared[position, position + 1 :]
    return np.asarray(order[alive], np.int64)


def rotation_of(pose: Floats) -> Floats:
    """Return the rotation matrix of a head pose. The head is rotated by its pitch first, then by its yaw and roll.

    Args:
        pose: (3,) yaw, pitch and roll in degrees.

    Returns:
        (3, 3) float32, to be multiplied with columns of points.

    Example:
        >>> to_the_right, ahead = np.array([90, 0, 0], np.float32), np.array([0, 0, -1], np.float32)
        >>> round(float((rotation_of(to_the_right) @ ahead)[0]), 3)
        1.0
    """
    turn, nod, tilt = np.radians(np.asarray(pose, np.float64) * (-1, -1, 1))
    about_x = [[1, 0, 0], [0, np.cos(nod), -np.sin(nod)], [0, np.sin(nod), np.cos(nod)]]
    about_y = [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    about_z = [[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]]
    return np.asarray(np.array(about_z) @ about_y @ about_x, np.float32)


def angles_of(rotation: NDArray[np.floating]) -> Floats:
    """Return yaw -90..90, pitch and roll -180..180 of a (3, 3) rotation, the inverse of `rotation_of`: (3,) in degrees.

    Example:
        >>> angles_of(rotation_of(np.array([20, -10, 5], np.float32))).round(2).tolist()
        [20.0, -10.0, 5.0]
    """
    yaw = np.arcsin(np.clip(rotation[2, 0], -1, 1))
    pitch = -np.arctan2(rotation[2, 1], rotation[2, 2])
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return np.asarray(np.degrees([yaw, pitch, roll]), np.float32)


def tilts(right: Floats, left: Floats) -> Floats:
    """Return the roll of heads by the line between the eyes, in degrees, -180..180, clockwise in the image.

    Args:
        right: (N, 2) positions of the subjects' right eyes.
        left: (N, 2) positions of their left eyes.

    Returns:
        (N,) float32.

    Example:
        >>> tilts(np.array([[0, 0]], np.float32), np.array([[5, 5]], np.float32)).round().tolist()
        [45.0]
    """
    across = left - right
    return np.asarray(np.degrees(np.arctan2(across[:, 1], across[:, 0])), np.float32)


def eye_aspect_ratio(points: Floats) -> tuple[float, float]:
    """Return the eye aspect ratio, height over width, of each eye (Soukupova & Cech 2016).

    Args:
        points: (68, 2) in iBUG order.

    Returns:
        The subject's right eye and left eye: about 0.3 if open, near 0 if closed, NaN for an eye without width.
    """
    return _openness(points[RIGHT_EYE]), _openness(points[LEFT_EYE])


def _openness(eye: Floats) -> float:
    """Return the aspect ratio of one eye, (6, 2) points: clockwise in the image, from its left corner."""
    width = float(np.linalg.norm(eye[3] - eye[0]))
    height = float(np.linalg.norm(eye[1] - eye[5]) + np.linalg.norm(eye[2] - eye[4])) / 2
    return height / width if width > 0 else float("nan")


def _shared(one: Floats, other: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the intersection areas of boxes, (A, B), and the areas of both sets, (A, 1) and (1, B)."""
    first = np.maximum(one[:, None, :2], other[None, :, :2])
    last = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.maximum(last - first, 0)
    both = shared[..., 0] * shared[..., 1]
    return both, _areas(one)[:, None], _areas(other)[None, :]


def _areas(boxes: Floats) -> Floats:
    """Return the area of each of (N, 4) boxes."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)
