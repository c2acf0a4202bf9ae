"""Frontalize a face's landmarks: remove place, size and pose."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.geometry import MIRRORED, Floats, rotation_of
from facemood.stages.pose import generic_face

Matrix = NDArray[np.float64]

STILL = (36, 39, 42, 45, *range(27, 31), 31, 35)
"""Landmarks that fix place and size, because hardly any muscle moves them: the corners of the eyes, and the nose."""

PLANE = (21, 22, 36, 39, 42, 45, 48, 54)
"""Landmarks whose mean depth is that of the plane on which pixels are assumed to lie: brows, eyes, lip corners."""


class Frontal(NamedTuple):
    """A face freed of its pose.

    Attributes:
        shape: (68, 2) float64, x to the picture's right and y down, origin midway between the outer corners of the
            generic face's eyes, whose distance is 1.
        plane: (2, 3) float64 matrix that leads from a place of that frame, at the depth of the eyes, to the picture's
            pixels.
    """

    shape: Matrix
    plane: Matrix

    @property
    def halves(self) -> Matrix:
        """The face, and its mirror image: (2, 68, 2), so that what measures the right side measures both."""
        return np.stack([self.shape, self.shape[MIRRORED] * (-1, 1)])


def frontal(points: Floats, pose: Floats) -> Frontal:
    """Free a face's points of its pose: the generic face is turned as the head is, and what differs is turned back.

    The depth of each point is the generic face's, and there is no perspective: what a turned face hides of itself is
    not made up for.

    Args:
        points: (68, 2) pixels in iBUG order.
        pose: (3,) yaw, pitch and roll in degrees, as `stages.pose.estimate_pose` gives them.

    Example:
        >>> pose = np.array([20, -10, 5], np.float32)
        >>> seen = 100 * (generic_face() @ rotation_of(pose).T)[:, :2] + 300
        >>> bool(np.allclose(frontal(seen, pose).shape, generic_face()[:, :2], atol=1e-4))
        True
    """
    turn = rotation_of(pose).astype(np.float64)[:2]
    face, still, depth = _generic()
    looks, seen = still @ turn.T, points[list(STILL)].astype(np.float64)
    about, wanted = looks - looks.mean(axis=0), seen - seen.mean(axis=0)
    scale = (about * wanted).sum() / (about * about).sum()
    shift = seen.mean(axis=0) - scale * looks.mean(axis=0)
    flat = (points - shift) / scale - face[:, 2:] * turn[:, 2]  # (68, 2): as if all lay in the plane of the eyes
    plane = np.column_stack([scale * turn[:, :2], shift + scale * depth * turn[:, 2]])
    return Frontal(flat @ np.linalg.inv(turn[:, :2]).T, plane)


@functools.cache
def _generic() -> tuple[Matrix, Matrix, float]:
    """Return the generic face (68, 3), its points that keep still, and the depth of its plane."""
    face = generic_face().astype(np.float64)
    return face, face[list(STILL)], float(face[list(PLANE), 2].mean())
