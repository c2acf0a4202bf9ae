"""Regions of a face from its 68 landmarks: brows, eyes, nose, cheeks, mouth, chin, forehead, and outside."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import LEFT_EYE, RIGHT_EYE, Floats

REGIONS = ("outside", "cheeks", "forehead", "chin", "nose", "mouth", "eyes", "brows")
"""The regions in the order in which they are painted: where two overlap, the later one counts."""

FOREHEAD = 0.75
"""Height of the forehead, in units of the distance from the brows to the base of the nose."""

RIGHT_BROW = range(17, 22)
"""Landmarks of the subject's right brow, in iBUG order."""

LEFT_BROW = range(22, 27)
"""Landmarks of the left brow."""

MOUTH = range(48, 60)
"""Landmarks of the outer lips."""

JAW = range(17)
"""Landmarks of the jaw, from ear to ear."""

NOSE = range(27, 36)
"""Landmarks of the nose."""

GROW = {"brows": 0.10, "eyes": 0.10, "nose": 0.06, "mouth": 0.06}
"""Margin around the outlines of regions, for skin that moves with them, in units of the distance of the eyes."""


def face_regions(points: Floats, size: tuple[int, int]) -> NDArray[np.int64]:
    """Return the region of a face that each pixel belongs to.

    Args:
        points: (68, 2) in iBUG order, in pixels.
        size: Width and height of the image.

    Returns:
        (height, width) int64, an index into `REGIONS`.

    Raises:
        ValueError: There are not 68 points.

    Example:
        >>> nowhere = np.full((68, 2), -99, np.float32)
        >>> face_regions(nowhere, (3, 2)).tolist()
        [[0, 0, 0], [0, 0, 0]]
    """
    if points.shape != (68, 2):
        raise ValueError(f"face regions need (68, 2) landmarks, but these are {points.shape}")
    painted = np.zeros(size[::-1], np.uint8)
    unit = float(np.linalg.norm(points[RIGHT_EYE].mean(axis=0) - points[LEFT_EYE].mean(axis=0)))
    for name, shapes in outlines(points).items():
        for shape in shapes:
            _paint(painted, shape, REGIONS.index(name), GROW.get(name, 0.0) * unit)
    return painted.astype(np.int64)


def outlines(points: Floats) -> dict[str, list[Floats]]:
    """Return the outlines of each region in the order of painting; a region may have several.

    Args:
        points: (68, 2) in iBUG order.

    Returns:
        Polygons (P, 2) float32 for each region except ``"outside"``.
    """
    brows = points[[*RIGHT_BROW, *LEFT_BROW]]
    lifted = brows + FOREHEAD * (brows.mean(axis=0) - points[33])
    return {
        "cheeks": [np.concatenate([points[JAW], brows[::-1]])],
        "forehead": [np.concatenate([brows, lifted[::-1]])],
        "chin": [np.concatenate([points[4:13], points[54:60], points[48:49]])],
        "nose": [_hull(points[NOSE])],
        "mouth": [_hull(points[MOUTH])],
        "eyes": [_hull(points[RIGHT_EYE]), _hull(points[LEFT_EYE])],
        "brows": [points[RIGHT_BROW], points[LEFT_BROW], points[[21, 22, 27]]],
    }


def _hull(points: Floats) -> Floats:
    """Return the convex hull of points."""
    return np.asarray(cv2.convexHull(points.astype(np.float32)), np.float32).reshape(-1, 2)


def _paint(painted: NDArray[np.uint8], shape: Floats, number: int, grow: float) -> None:
    """Fill a polygon and a margin around it with a number."""
    corners = np.rint(shape * 16).astype(np.int32)  # in sixteenths of a pixel
    cv2.fillPoly(painted, [corners], number, cv2.LINE_8, 4)
    if grow >= 0.5:
        cv2.polylines(painted, [corners], True, number, max(1, round(2 * grow)), cv2.LINE_8, 4)


def shares_of(values: Floats, regions: NDArray[np.int64]) -> Floats:
    """Return each region's share of a map's positive values, (R,) in the order of `REGIONS`; NaN if there are none.

    Args:
        values: (h, w); values below 0 count as 0.
        regions: (h, w), as `face_regions` returns them.

    Example:
        >>> shares_of(np.array([[1.0, 3.0, -2.0]]), np.array([[0, 5, 5]]))[[0, 5]].tolist()
        [0.25, 0.75]
    """
    positive = np.maximum(values, 0)
    sums = np.bincount(regions.ravel(), weights=positive.ravel(), minlength=len(REGIONS))
    total = sums.sum()
    return np.asarray(sums / total if total > 0 else np.full(len(REGIONS), np.nan), np.float32)


def coverage_of(mask: NDArray[np.bool_], regions: NDArray[np.int64]) -> Floats:
    """Return the share of each region that a mask covers, (R,) 0..1; NaN for a region outside of the image.

    Example:
        >>> coverage_of(np.array([[True, True, False]]), np.array([[0, 5, 5]]))[[0, 5]].tolist()
        [1.0, 0.5]
    """
    sizes = np.bincount(regions.ravel(), minlength=len(REGIONS)).astype(np.float64)
    sums = np.bincount(regions.ravel(), weights=mask.ravel().astype(np.float64), minlength=len(REGIONS))
    return np.asarray(np.divide(sums, sizes, out=np.full(len(REGIONS), np.nan), where=sizes > 0), np.float32)
