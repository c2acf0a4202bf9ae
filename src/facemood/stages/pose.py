"""Where a head is turned to: a generic 3-D face is fitted to 68 points as a pinhole camera sees it.

What is assumed: a focal length as long as the frame's longer side (a field of view of 53 degrees, between those of a
phone and of a portrait lens), the optical axis in the frame's middle, no lens distortion, and the same 3-D face for
everyone. That is ``generic_face.csv``; ``scripts/mean_face.py`` makes it and states its frame. In a tight crop that
focal length would put the face right before the lens, so no face is taken to be nearer than `NEAREST`.
"""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats, angles_of

Matrix = NDArray[np.float64]

FITTED = (*range(4), *range(13, 17), *range(27, 48))
"""The points that are fitted: the jaw's upper ends; nose and eyes. Brows, mouth and chin are left out, because a face
that talks or frowns would seem to nod. Without the jaw's ends, which lie deepest, the yaw errs twice as much."""

WEIGHTS = np.array([(1.0, 0.3)] * 8 + [(1.0, 1.0)] * 21)
"""How much each of them counts across and along the face. On a face that nods, the jaw's ends slide along its outline,
and so move by two thirds of what a rigid head's would: counted in full, they make the pitch a quarter too small."""

OUTER_CORNERS = (36, 45)
"""The right eye's and the left eye's."""

NEAREST = 6.0
"""How far off a face is at least, in units of its larger extent: about 85 cm."""

MIN_RATIO = 1e-3
"""Points whose two extents have a smaller ratio lie on a line and are no face."""

MIN_EXTENT = 0.1
"""Points that span fewer pixels are no face."""

MAX_COORDINATE = 1e8
"""Points with larger coordinates, in pixels, are no face."""

ITERATIONS = 5
"""Iterations of the fit; after three it hardly changes."""


def estimate_pose(points: Floats, size: tuple[int, int], *, face: Floats | None = None) -> Floats | None:
    """Return yaw, pitch and roll of a head, relative to the line from the camera to the face.

    A face that looks into the camera has a yaw and a pitch of 0 wherever in the frame it is, so a crop of a photo gives
    nearly what the photo gives.

    Args:
        points: (68, 2) pixels, in iBUG order.
        size: Width and height of the frame in pixels.
        face: Another 3-D face (68, 3) than `generic_face`, in its frame.

    Returns:
        (3,) float32 degrees: yaw -90..90, positive where the face is turned to the right of the picture (whichever side
        that is to the subject); pitch -180..180, positive where it looks up; roll -180..180, positive where the head is
        tilted clockwise in the picture. None where the points are no face: not finite, all on a line, or
        without a size.

    Raises:
        ValueError: There are not 68 points.

    Example:
        >>> seen = generic_face()[:, :2] * 10 + (320, 240)  # from far away, in the middle of the frame
        >>> [round(angle) for angle in estimate_pose(seen, (640, 480))]
        [0, 0, 0]
    """
    if points.shape != (68, 2):
        raise ValueError(f"a pose wants 68 points (68, 2), but these are {points.shape}")
    exact = points.astype(np.float64)
    if not _has_extent(exact[list(FITTED)]) or not _has_extent(exact):
        return None
    focal = max(*size, NEAREST * np.ptp(exact, axis=0).max())
    seen = (exact - np.array(size) / 2) / focal
    right, left = seen[list(OUTER_CORNERS)]
    tilt = _turn_in_picture(float(np.arctan2(*(left - right)[::-1])))
    upright = seen @ tilt[:2, :2]  # so that across and along the face are x and y
    fitted = _fit(upright, generic_face() if face is None else face)
    if fitted is None:
        return None
    turn, place = fitted
    return angles_of(_turn_to_axis(tilt @ place) @ tilt @ turn)


@functools.cache
def generic_face() -> Floats:
    """Return the mean 3-D face: (68, 3) float32 x to the picture's right, y down, z away from the camera.

    The origin lies midway between the outer corners of the eyes, and their distance is 1.

    Example:
        >>> generic_face()[[36, 45]].tolist()
        [[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0]]
    """
    face = np.loadtxt(Path(__file__).with_name("generic_face.csv"), np.float32, delimiter=",", skiprows=1)
    face.setflags(write=False)
    return face


def _has_extent(points: Matrix) -> bool:
    """Tell whether points (P, 2) are finite and spread in two directions."""
    if not (np.abs(points) < MAX_COORDINATE).all():  # nor is what is not a number
        return False
    first, second = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(first > MIN_EXTENT and second > MIN_RATIO * first)


def _fit(seen: Matrix, whole: Floats) -> tuple[Matrix, Matrix] | None:
    """Return the rotation (3, 3) and the place (3,) at which a face looks most like points, or None.

    Gauss and Newton's method refines what fits without perspective.

    Args:
        seen: (68, 2) upright points about the optical axis, in units of the focal length.
        whole: (68, 3) points of the face.
    """
    face, wanted = whole[list(FITTED)].astype(np.float64), seen[list(FITTED)]
    turn, place = _fit_from_afar(face, wanted)
    for _ in range(ITERATIONS):
        looks, slopes = cv2.projectPoints(face, turn, place, np.eye(3), None)[:2]
        missing, slope = (wanted - looks[:, 0]) * WEIGHTS, slopes[:, :6] * WEIGHTS.reshape(-1, 1)
        if not (np.isfinite(missing).all() and np.isfinite(slope).all() and place[2] > 0):
            return None
        step = np.linalg.lstsq(slope, missing.ravel(), rcond=None)[0]
        turn, place = turn + step[:3], place + step[3:]
    return np.asarray(cv2.Rodrigues(turn)[0], np.float64), place


def _fit_from_afar(face: Matrix, seen: Matrix) -> tuple[Matrix, Matrix]:
    """Return a rotation vector (3,) and a place (3,) of a face that is so far off that it has no perspective."""
    shape, picture = face - face.mean(axis=0), seen - seen.mean(axis=0)
    rows = np.linalg.lstsq(shape, picture, rcond=None)[0].T  # (2, 3): where x, y and z of the face go
    one, sizes, other = np.linalg.svd(rows, full_matrices=False)
    across, down = one @ other
    turn = np.stack([across, down, np.cross(across, down)])
    place = np.array([*seen.mean(axis=0), 1]) / sizes.mean() - turn @ face.mean(axis=0)
    return np.asarray(cv2.Rodrigues(turn)[0][:, 0], np.float64), place


def _turn_in_picture(angle: float) -> Matrix:
    """Return the rotation (3, 3) about the optical axis by an angle in radians, clockwise in the picture."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])


def _turn_to_axis(place: Matrix) -> Matrix:
    """Return the shortest rotation (3, 3) that brings a place (3,) before the camera onto its optical axis, z."""
    x, y, z = place / np.linalg.norm(place)
    shared = 1 / (1 + z)
    return np.array([[1 - x * x * shared, -x * y * shared, -x], [-x * y * shared, 1 - y * y * shared, -y], [x, y, z]])
