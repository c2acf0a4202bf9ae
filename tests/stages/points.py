"""Landmarks of a synthetic face, for tests that need exact positions."""

import numpy as np
from numpy.typing import NDArray


def made_points(x: float, y: float, width: float) -> NDArray[np.float32]:
    """68 points in iBUG order and 36 around the oval, of a symmetric upright face: (104, 2).

    Args:
        x: Middle of the face.
        y: Middle between brows and chin.
        width: From jaw to jaw.
    """
    half = width / 2
    around = np.linspace(0, np.pi, 17)
    jaw = np.stack([-np.cos(around), 1.2 * np.sin(around) - 0.1], axis=1)
    brow = np.stack([np.linspace(-0.8, -0.2, 5), -0.55 - 0.1 * np.sin(np.linspace(0, np.pi, 5))], axis=1)
    ridge = np.stack([np.zeros(4), np.linspace(-0.35, 0.15, 4)], axis=1)
    nose = np.stack([np.linspace(-0.2, 0.2, 5), [0.22, 0.25, 0.28, 0.25, 0.22]], axis=1)
    eye = np.array([[-0.6, -0.3], [-0.5, -0.36], [-0.4, -0.36], [-0.3, -0.3], [-0.4, -0.25], [-0.5, -0.25]])
    turn = np.linspace(np.pi, 3 * np.pi, 13)[:12]
    lips = np.stack([0.4 * np.cos(turn), 0.55 + 0.15 * np.sin(turn)], axis=1)
    round_inside = np.linspace(np.pi, 3 * np.pi, 9)[:8]
    inner = np.stack([0.3 * np.cos(round_inside), 0.55 + 0.06 * np.sin(round_inside)], axis=1)
    mirror = np.array([-1, 1])
    left_brow, left_eye = (brow * mirror)[::-1], (eye * mirror)[[3, 2, 1, 0, 5, 4]]
    ring = np.linspace(0, 2 * np.pi, 37)[:36]
    oval = np.stack([1.05 * np.sin(ring), -1.2 * np.cos(ring)], axis=1)
    parts = [jaw, brow, left_brow, ridge, nose, eye, left_eye, lips, inner, oval]
    return (np.concatenate(parts) * half + (x, y)).astype(np.float32)
