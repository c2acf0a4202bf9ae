"""Measures of each action unit on landmarks, before the comparison with neutral faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facemood.facs import UNITS

Matrix = NDArray[np.float64]

MIN_EYE_WIDTH = 1e-3
"""Smallest width of an eye as a divisor, in units of the distance of the outer eye corners."""


def measure_points(halves: Matrix) -> Matrix:
    """Measure each unit on the subject's right side of some shapes; larger values mean a stronger unit.

    The table `facemood.facs.UNITS` describes the measures in words. All distances are in units of the distance of the
    outer eye corners. The formulas are our own, after the descriptions in the FACS manual.

    Args:
        halves: (N, 68, 2) frontalized shapes, x to the right of the image and y down. The subject's right side is on
            the left of the image. For the left side, pass the mirrored shape.

    Returns:
        (N, U) float64 in the order of `UNITS`.

    Example:
        >>> from facemood.stages.pose import generic_face
        >>> neutral = generic_face()[:, :2].astype(float)
        >>> smile = neutral.copy()
        >>> smile[[48, 60]] += (-0.1, -0.05)  # the lip corner goes out and up
        >>> codes = [unit.code for unit in UNITS]
        >>> before, after = measure_points(np.stack([neutral, smile]))[:, codes.index("AU12")]
        >>> bool(after > before)
        True
    """
    return np.array([_measure_side(*half.T.tolist()) for half in halves])


def _measure_side(x: list[float], y: list[float]) -> list[float]:
    """Measure the right side of a shape, given as 68 x and y coordinates; plain numbers are faster here than arrays."""

    def down(*points: int) -> float:
        return sum(y[point] for point in points) / len(points)

    inner, outer = -down(20, 21), -down(17, 18, 19)
    upper, lower = down(37, 38), down(40, 41)
    corner, wide, wing, long = y[48], -x[48], down(31, 32), y[8] - y[33]
    top, above, under, bottom = down(49, 50, 51), down(61, 62), down(66, 67), down(57, 58)  # the lips' edges
    gap, open_eye = under - above, lower - upper
    lift, raised = top - corner, (above + under) / 2 - corner
    thin = top - above + under - bottom
    measured = {
        1: inner,
        2: outer,
        4: -inner + x[21],
        5: open_eye,
        6: -lower,
        7: -open_eye,
        9: -wing - inner,
        10: wing - top,
        12: wide + lift + raised / 2,
        14: wide - 2 * lift - gap,
        15: -raised - wide / 2,
        16: bottom - corner,
        17: bottom - y[8],
        20: wide - 2 * lift - raised,
        23: thin - wide / 2,
        24: thin - gap - wide / 2,
        25: gap,
        26: gap + long,
        27: gap - 1.5 * wide,
        43: -open_eye / max(x[39] - x[36], MIN_EYE_WIDTH),
    }
    return [measured[unit.number] for unit in UNITS]
