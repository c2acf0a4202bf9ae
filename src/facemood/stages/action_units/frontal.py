"""Frontalize the landmarks of a face: remove position, size and pose."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.geometry import MIRRORED, Floats, rotation_of
from facemood.stages.pose import generic_face

Matrix = NDArray[np.float64]

STILL = (36, 39, 42, 45, *range(27, 31), 31, 35)
"""Landmarks that fix position and size, because facial muscles hardly move them: corners of the eyes, and nose."""

PLANE = (21, 22, 36, 39, 42, 45, 48, 54)
"""Landmarks at whose mean depth all pixels are assumed to lie: brows, eyes, corners of the mouth."""


class Frontal(NamedTuple):
    """A frontalized face.

    Attributes:
        shape: (68, 2) float64 landmarks, x to the right of the image and y down. The origin is midway between the outer
            eye corners of the generic face, whose distance is 1.
        plane: (2, 3) float64 affine matrix from these coordinates, at the depth of the eyes, to pixels of the image.
    """

    shape: Matrix
    plane: Matrix

    @property
    def halves(self) -> Matrix:
        """The face and its mirror image, (2, 68, 2), so that a measure of the right side measures both sides."""
        return np.stack([self.shape, self.shape[MIRRORED] * (-1, 1)])


def frontal(points: Floats, pose: Floats) -> Frontal:
    """Remove the pose from landmarks: rotate the generic face like the head, and rotate the differences back.

    The depth of each landmark is that of the generic face, and there is no perspective. Parts of a turned face that are
    hidden are not reconstructed.

    Args:
        points: (68, 2) pixels in iBUG order.
        pose: (3,) yaw, pitch and roll in degrees, as `stages.pose.estimate_pose` returns them.

    Example:
        >>> pose = np.array([20, -10, 5], np.float32)
        >>> projected = 100 * (generic_face() @ rotation_of(pose).T)[:, :2] + 300
        >>> bool(np.allclose(frontal(projected, pose).shape, generic_face()[:, :2], atol=1e-4))
        True
    """
    turn = rotation_of(pose).astype(np.float64)[:2]
    face, still, depth = _generic()
    expected, measured = still @ turn.T, points[list(STILL)].astype(np.float64)
    centred, target = expected - expected.mean(axis=0), measured - measured.mean(axis=0)
    scale = (centred * target).sum() / (centred * centred).sum()
    shift = measured.mean(axis=0) - scale * expected.mean(axis=0)
    flat = (points - shift) / scale - face[:, 2:] * turn[:, 2]  # (68, 2): all points moved to the depth of the eyes
    plane = np.column_stack([scale * turn[:, :2], shift + scale * depth * turn[:, 2]])
    return Frontal(flat @ np.linalg.inv(turn[:, :2]).T, plane)


@functools.cache
def _generic() -> tuple[Matrix, Matrix, float]:
    """Return the generic face (68, 3), its `STILL` landmarks, and the mean depth of `PLANE`."""
    face = generic_face().astype(np.float64)
    return face, face[list(STILL)], float(face[list(PLANE), 2].mean())
