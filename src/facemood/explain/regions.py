"""Regions of a face from its 68 landmarks: brows, eyes, nose, cheeks, mouth, chin, forehead, and what lies outside."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

REGIONS = ("outside", "cheeks", "forehead", "chin", "nose", "mouth", "eyes", "brows")
"""The regions in the order in which they are painted: where two meet, the later one is seen."""

FOREHEAD = 0.75
"""Height of the forehead, in units of the way from the brows to the base of the nose."""

RIGHT_BROW = range(17, 22)
"""Points of the subject's right brow, of the 68 in iBUG order."""

LEFT_BROW = range(22, 27)
"""Points of the left brow."""

RIGHT_EYE = range(36, 42)
"""Points of the right eye."""

LEFT_EYE = range(42, 48)
"""Points of the left eye."""

MOUTH = range(48, 60)
"""Points of the outer lips."""

JAW = range(17)
"""Points of the jaw, from ear to ear."""

NOSE = range(27, 36)
"""Points of the nose."""

GROW = {"brows": 0.10, "eyes": 0.10, "nose": 0.06, "mouth": 0.06}
"""How far regions reach beyond their outlines, for skin that moves with them, in units of the eyes' distance."""

Floats = NDArray[np.float32]


def face_regions(points: Floats, size: tuple[int, int]) -> NDArray[np.int64]:
    """Tell for each pixel which region of a face it belongs to.

    Args:
        points: (68, 2) in iBUG order, in pixels.
        size: Width and height of the picture.

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
    """Return the outlines that make each region, lowest first; a region may have several.

    Args:
        points: (68, 2) in iBUG order.

    Returns:
        For each region but ``"outside"``, polygons (P, 2) float32.
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
    """Return the convex outline of points."""
    return np.asarray(cv2.convexHull(points.astype(np.float32)), np.float32).reshape(-1, 2)


def _paint(painted: NDArray[np.uint8], shape: Floats, number: int, grow: float) -> None:
    """Fill a polygon with a number, a little larger than it is."""
    corners = np.rint(shape * 16).astype(np.int32)  # in sixteenths of a pixel
    cv2.fillPoly(painted, [corners], number, cv2.LINE_8, 4)
    if grow >= 0.5:
        cv2.polylines(painted, [corners], True, number, max(1, round(2 * grow)), cv2.LINE_8, 4)


def shares_of(values: Floats, regions: NDArray[np.int64]) -> Floats:
    """Return each region's share of what a map holds above 0, (R,) in the order of `REGIONS`; NaN where it holds none.

    Args:
        values: (h, w); what is below 0 counts nothing.
        regions: (h, w), as `face_regions` tells.

    Example:
        >>> shares_of(np.array([[1.0, 3.0, -2.0]]), np.array([[0, 5, 5]]))[[0, 5]].tolist()
        [0.25, 0.75]
    """
    positive = np.maximum(values, 0)
    sums = np.bincount(regions.ravel(), weights=positive.ravel(), minlength=len(REGIONS))
    total = sums.sum()
    return np.asarray(sums / total if total > 0 else np.full(len(REGIONS), np.nan), np.float32)


def coverage_of(mask: NDArray[np.bool_], regions: NDArray[np.int64]) -> Floats:
    """Return which share of each region a mask covers, (R,) 0..1; NaN for a region that is not in the picture.

    Example:
        >>> coverage_of(np.array([[True, True, False]]), np.array([[0, 5, 5]]))[[0, 5]].tolist()
        [1.0, 0.5]
    """
    sizes = np.bincount(regions.ravel(), minlength=len(REGIONS)).astype(np.float64)
    sums = np.bincount(regions.ravel(), weights=mask.ravel().astype(np.float64), minlength=len(REGIONS))
    return np.asarray(np.divide(sums, sizes, out=np.full(len(REGIONS), np.nan), where=sizes > 0), np.float32)
