"""Turn the face of an image sideways or up and down, by the depth of the generic 3-D face.

The views are approximations: what was hidden before stays unknown, so the far cheek is squeezed and the near one is
stretched. They show a network other poses than the training faces have, and they measure how it copes with them.
"""

from __future__ import annotations

import functools
import itertools

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats, rotation_of
from facemood.stages.pose import generic_face

CELLS = 32
"""Cells of the depth map per distance of the outer eye corners."""

EXTENT = 2.0
"""Reach of the depth map from the middle between the eyes to each side, in distances of the outer eye corners."""

AXIS = 0.35
"""Depth of the axis of the turn behind the outer eye corners: about the middle of the 68 landmarks."""

HAIRLINE = ((-0.7, -0.45, 0.5), (-0.4, -0.75, 0.25), (0.0, -0.85, 0.15), (0.4, -0.75, 0.25), (0.7, -0.45, 0.5))
"""Points x y z of the forehead, which the landmarks leave out."""

RIM = 0.85
"""Depth far outside of the face."""

STEPS = np.linspace(-0.9, 1.3, 23)
"""Depths at which the rays of the pixels are sampled, in front of and behind the axis."""


@functools.cache
def depth_map() -> Floats:
    """Return the depth of the generic face on a grid, (2 EXTENT CELLS, the same) float32: a thin-plate spline."""
    ring = [(1.7 * np.cos(turn), 0.3 + 1.7 * np.sin(turn), RIM) for turn in np.arange(0, 2 * np.pi, np.pi / 8)]
    known = np.concatenate([generic_face(), HAIRLINE, ring]).astype(np.float64)
    axis = (np.arange(round(2 * EXTENT * CELLS)) + 0.5) / CELLS - EXTENT
    places = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    count = len(known)
    flat = np.column_stack([np.ones(count), known[:, :2]])
    system = np.block([[_bend(known, known) + 0.02 * np.eye(count), flat], [flat.T, np.zeros((3, 3))]])
    solved = np.linalg.solve(system, np.concatenate([known[:, 2], np.zeros(3)]))
    depth = _bend(places, known) @ solved[:count] + np.column_stack([np.ones(len(places)), places]) @ solved[count:]
    return np.minimum(depth, RIM).reshape(len(axis), len(axis)).astype(np.float32)


def turn_face(image: Floats, points: Floats, yaw: float, pitch: float = 0.0) -> tuple[Floats, Floats]:
    """Turn the face of an image by angles, in addition to how it is turned already.

    Args:
        image: (h, w) float32 grey.
        points: (68 or more, 2), the 68 landmarks first.
        yaw: Degrees, positive to the right of the image.
        pitch: Degrees, positive up.

    Returns:
        The new image, of the same shape, and the new points.
    """
    rotation = rotation_of(np.array([yaw, pitch, 0], np.float32)).astype(np.float64)
    shape = np.column_stack([generic_face()[:, :2], np.ones(68)])
    fitted = np.linalg.lstsq(shape, points[:68].astype(np.float64), rcond=None)[0].T  # (2, 3): face to image
    linear, middle = fitted[:, :2], fitted[:, 2]
    back = np.linalg.inv(linear).T
    height, width = image.shape[:2]
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1) + 0.5
    source = _first_hit(((pixels - middle) @ back), rotation)
    turned = _sample(image, source @ linear.T + middle - 0.5)
    faces = (points - middle) @ back
    depth = _depth_at(faces[None])[0] - AXIS
    moved = faces @ rotation[:2, :2].T + depth[:, None] * rotation[:2, 2]
    return turned, (moved @ linear.T + middle).astype(np.float32)


def _first_hit(seen: NDArray[np.float64], rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cast a ray through each pixel of the turned face, and return where it first meets the face's surface.

    Args:
        seen: (h, w, 2) places in the view, in distances of the outer eye corners.
        rotation: (3, 3) from the face to the view.

    Returns:
        (h, w, 2) places on the face that is not turned.
    """
    start, along = seen @ rotation[:2], rotation[2]  # of the ray: (h, w, 3) and (3,)
    hit = np.full(seen.shape[:2], STEPS[-1])
    before, open_ = np.full(hit.shape, -1.0), np.ones(hit.shape, bool)
    for last, step in itertools.pairwise(STEPS.tolist()):
        place = start + step * along
        behind = place[..., 2] + AXIS - _depth_at(place[..., :2])
        met = open_ & (behind >= 0)
        part = before[met] / (before[met] - behind[met])
        hit[met] = last + (step - last) * part
        open_ &= ~met
        before = np.minimum(behind, -1e-6)
    return np.asarray((start + hit[..., None] * along)[..., :2], np.float64)


def _depth_at(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the depth at places (a, b, 2) of the generic face."""
    return np.asarray(_sample(depth_map(), (places + EXTENT) * CELLS - 0.5), np.float64)


def _sample(image: Floats, places: NDArray[np.float64]) -> Floats:
    """Return the values of an image at places (a, b, 2) x y in pixels, (a, b) float32; edges go on outside."""
    x, y = (np.ascontiguousarray(places[..., axis], np.float32) for axis in (0, 1))
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _bend(places: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the radial functions of a thin-plate spline, (P, K), for places (P, 2 or more) and known points."""
    away = ((places[:, None, :2] - known[None, :, :2]) ** 2).sum(axis=2)
    return np.asarray(0.5 * away * np.log(np.maximum(away, 1e-12)))
