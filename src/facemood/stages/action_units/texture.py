"""Texture features of a face: edge strengths in eight directions (as in HOG) and grey levels, cell by cell."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import LEFT_EYE, RIGHT_EYE
from facemood.squares import cut_square
from facemood.stages.action_units.frontal import Frontal, Matrix

PATCH = 60
"""Pixels of a patch's side."""

CELLS = 10
"""Cells along a patch's side."""

DIRECTIONS = 8
"""How many directions of edges are distinguished."""

RESOLUTION = 24
"""Pixels between the outer eye corners in a patch: about as many as in FER2013's tiles, so that sharper images show
no finer wrinkles than the training faces."""

ABOVE = 0.75
"""How far above the eyes the patch begins, in units of the distance of the outer eye corners."""

EYE = np.array([0.13, 0.11]) * RESOLUTION
"""(2,) half the width and height of the region of an eye, in pixels of a patch."""

LIPS = slice(48, 60)
"""Landmarks of the outline of the lips."""

UPPER_FACE = slice(17, 48)
"""Landmarks of brows, nose and eyes."""

FAINT_DETAIL = 0.5
"""Grey levels that are added to the edges of the upper face as a divisor."""

FAINT = 1e-3
"""Smallest strength of edges as a divisor."""

DIAGONAL = np.float32(np.sqrt(0.5))
"""Turns the sum of two perpendicular differences into the difference along their diagonal."""

MIRRORED_DIRECTIONS = (4, 1, 3, 2, 0, 5, 7, 6)
"""Index of each direction's counterpart in the mirror image: brighter to the right, down, down right, down left; then
darker in the same order."""

SIDE_CELLS = CELLS // 2
"""Cells across one half of the face."""


def cut_patch(grey: NDArray[np.uint8], face: Frontal) -> NDArray[np.uint8]:
    """Cut a frontalized face out of an image: (PATCH, PATCH) uint8.

    Args:
        grey: (H, W) uint8.
        face: The frontalized landmarks.
    """
    linear = face.plane[:, :2] / RESOLUTION
    corner = (0.5 - PATCH / 2, 0.5 - ABOVE * RESOLUTION)
    frame = np.column_stack([linear, face.plane[:, 2] + linear @ corner])
    return cut_square(grey, frame.astype(np.float32), PATCH)


def texture_of(patch: NDArray[np.uint8]) -> Matrix:
    """Return the texture features of both halves of a patch.

    Args:
        patch: (PATCH, PATCH) uint8.

    Returns:
        (2, CELLS, CELLS / 2, DIRECTIONS + 1) float64, the subject's right half and the mirrored left half. Each cell,
        from the top and from the outside, has the square root of the mean edge strength in each direction, and the
        mean grey level. Both are normalized by the middle of the patch, so that brightness and contrast hardly matter.

    Example:
        >>> ramp = np.tile(np.arange(PATCH, dtype=np.uint8), (PATCH, 1))
        >>> right, left = texture_of(ramp)
        >>> bool(np.allclose(right[2, 2, 0], left[2, 2, 4])), bool(right[2, 2, 0] > right[2, 2, 4])
        (True, True)
    """
    pixels = patch.astype(np.float32)
    edges = np.zeros((PATCH, PATCH, 4), np.float32)
    edges[:, 1:-1, 0] = pixels[:, 2:] - pixels[:, :-2]
    edges[1:-1, :, 1] = pixels[2:] - pixels[:-2]
    edges[..., 2] = (edges[..., 0] + edges[..., 1]) * DIAGONAL
    edges[..., 3] = (edges[..., 1] - edges[..., 0]) * DIAGONAL
    signed, strength = _pool(edges), _pool(np.abs(edges))
    cells = np.concatenate([strength + signed, strength - signed], axis=-1).clip(0) / 2  # rising edges, then falling
    strong = np.sqrt(cells / (cells[1:-1, 1:-1].mean() + 0.5))
    greys = _pool(pixels)
    middle = greys[1:-1, 2:-2]
    light = (greys - middle.mean()) / (middle.std() + 4)
    whole = np.concatenate([strong, light[..., None]], axis=-1).astype(np.float64)
    mirrored = whole[:, ::-1][..., [*MIRRORED_DIRECTIONS, DIRECTIONS]]
    return np.stack([whole[:, :SIDE_CELLS], mirrored[:, :SIDE_CELLS]])


def openness_of(patch: NDArray[np.uint8], face: Frontal) -> tuple[float, float]:
    """Return how open the subject's right and left eye look: about 0.7 if open, about half of that if shut.

    It is the mean strength of vertical edges around the eye, where iris and white meet, in units of all edges of the
    face. A closed lid hides these edges, and its lashes are horizontal. Landmarks are less reliable: the landmark
    network places them on shut eyes nearly as on open ones.

    Args:
        patch: (PATCH, PATCH) uint8.
        face: The frontalized landmarks.

    Example:
        >>> from facemood.stages.pose import generic_face
        >>> face = Frontal(generic_face()[:, :2].astype(float), np.eye(2, 3))
        >>> openness_of(np.full((PATCH, PATCH), 128, np.uint8), face)
        (0.0, 0.0)
    """
    across, down = cv2.absdiff(patch[:, 2:], patch[:, :-2]), cv2.absdiff(patch[2:], patch[:-2])
    inner = slice(CELLS, -CELLS)
    usual = float(across[inner, CELLS - 1 : 1 - CELLS].mean() + down[CELLS - 1 : 1 - CELLS, inner].mean()) + FAINT
    middles = np.stack([face.shape[RIGHT_EYE].mean(axis=0), face.shape[LEFT_EYE].mean(axis=0)])
    places = middles * RESOLUTION + (PATCH / 2 - 0.5, ABOVE * RESOLUTION - 0.5)
    far = ((np.arange(PATCH) - places[..., None]) / EYE[:, None]) ** 2  # (2 eyes, x and y, PATCH)
    near = np.exp(-far * far)
    near /= near.sum(axis=-1, keepdims=True) + FAINT
    right, left = (float(y @ (across @ x[1:-1])) / usual for x, y in near)
    return right, left


def mouth_detail_of(patch: NDArray[np.uint8], face: Frontal) -> float:
    """Return the mean strength of edges between the lips' outlines, in units of that of brows, eyes and nose.

    Lips have edges on any skin, in shadow and in beards. Under a plain mask of any colour there are hardly any.

    Args:
        patch: (PATCH, PATCH) uint8.
        face: The frontalized landmarks.

    Example:
        >>> from facemood.stages.pose import generic_face
        >>> face = Frontal(generic_face()[:, :2].astype(float), np.eye(2, 3))
        >>> noise = np.random.default_rng(0).integers(0, 256, (PATCH, PATCH)).astype(np.uint8)
        >>> masked = noise.copy()
        >>> masked[PATCH // 2 :] = 128
        >>> mouth_detail_of(noise, face) > 0.8, mouth_detail_of(masked, face) < 0.2
        (True, True)
    """
    pixels = patch.astype(np.float32)
    across, down = pixels[1:-1, 2:] - pixels[1:-1, :-2], pixels[2:, 1:-1] - pixels[:-2, 1:-1]
    strength = np.zeros((PATCH, PATCH), np.float32)
    strength[1:-1, 1:-1] = np.hypot(across, down)
    places = face.shape * RESOLUTION + (PATCH / 2 - 0.5, ABOVE * RESOLUTION - 0.5)
    mouth, rest = (float(strength[_inside(places[part])].mean()) for part in (LIPS, UPPER_FACE))
    return mouth / (rest + FAINT_DETAIL)


def _inside(places: Matrix) -> NDArray[np.bool_]:
    """Return which pixels of a patch lie in the convex hull of some points, (PATCH, PATCH); always some."""
    mask = np.zeros((PATCH, PATCH), np.uint8)
    hull = cv2.convexHull(np.clip(places, 0, PATCH - 1).astype(np.float32))
    cv2.fillConvexPoly(mask, hull.astype(np.int32), 1)
    return mask.astype(bool)


def _pool(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average (PATCH, PATCH[, 4]) pixels over cells: (CELLS, CELLS[, 4])."""
    return np.asarray(cv2.resize(pixels, (CELLS, CELLS), interpolation=cv2.INTER_AREA), np.float32)
