"""Head pose: fit a generic 3-D face to 68 landmarks under a pinhole camera model.

Assumptions: the focal length equals the longer side of the frame (a field of view of 53 degrees, between a phone and a
portrait lens); the optical axis is in the middle of the frame; there is no lens distortion; and everyone has the same
3-D face, ``generic_face.csv``, which ``scripts/mean_face.py`` makes. In a tight crop that focal length would put the
face right in front of the lens, so the distance of a face is at least `NEAREST`.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.errors import ModelError
from facemood.geometry import Floats, angles_of

Matrix = NDArray[np.float64]

FITTED = np.array([*range(4), *range(13, 17), *range(27, 48)])
"""Landmarks that are fitted: the upper ends of the jaw, nose and eyes. Brows, mouth and chin are left out, because
talking or frowning would look like nodding. Without the ends of the jaw, which are deepest, the error of the yaw
doubles."""

WEIGHTS = np.array([(1.0, 0.3)] * 8 + [(1.0, 1.0)] * 21).reshape(-1, 1)
"""(58, 1) weight of each of them across and along the face, in turn. When a head nods, the ends of the jaw slide along
its outline and move by two thirds of what a rigid head's would. With full weight they make the pitch a quarter too
small."""

OUTER_CORNERS = (36, 45)
"""Landmarks of the outer corners of the right and left eye."""

NEAREST = 6.0
"""Smallest distance of a face from the camera, in units of its larger extent: about 85 cm."""

MIN_RATIO = 1e-3
"""Smallest ratio of the two extents of landmarks; below it they lie on a line and are not a face."""

MIN_EXTENT = 0.1
"""Smallest extent of landmarks in pixels; below it they are not a face."""

MAX_COORDINATE = 1e8
"""Largest coordinate of landmarks in pixels; above it they are not a face."""

CAMERA = np.eye(3)
"""Camera matrix of normalized coordinates: points are in units of the focal length."""

ITERATIONS = 5
"""Most iterations of the Gauss-Newton fit; after three it hardly changes."""

SMALLEST_STEP = 1e-7
"""A fit is finished after a step of less, in radians and in units of the face: the next would be smaller still."""


def estimate_pose(points: Floats, size: tuple[int, int], *, face: Floats | None = None) -> Floats | None:
    """Return yaw, pitch and roll of a head, relative to the line from the camera to the face.

    A face that looks into the camera has a yaw and a pitch of 0 anywhere in the frame, so a crop of a photo gives
    nearly the same pose as the photo.

    Args:
        points: (68, 2) pixels, in iBUG order.
        size: Width and height of the frame in pixels.
        face: A 3-D face (68, 3) instead of `generic_face`, in the same coordinates.

    Returns:
        (3,) float32 degrees: yaw -90..90, positive if the face is turned to the right of the image; pitch -180..180,
        positive if it looks up; roll -180..180, positive if the head is tilted clockwise in the image. None if the
        points are not a face: not finite, on a line, or without extent.

    Raises:
        ValueError: There are not 68 points.

    Example:
        >>> points = generic_face()[:, :2] * 10 + (320, 240)  # from far away, in the middle of the frame
        >>> [round(angle) for angle in estimate_pose(points, (640, 480))]
        [0, 0, 0]
    """
    if points.shape != (68, 2):
        raise ValueError(f"a pose needs 68 points (68, 2), but got {points.shape}")
    exact = points.astype(np.float64)
    if not _has_extent(exact[FITTED]) or not _has_extent(exact):
        return None
    focal = max(*size, NEAREST * np.ptp(exact, axis=0).max())
    normalized = (exact - np.array(size) / 2) / focal
    right, left = normalized[list(OUTER_CORNERS)]
    tilt = _roll_matrix(float(np.arctan2(*(left - right)[::-1])))
    upright = normalized @ tilt[:2, :2]  # so that across and along the face are x and y
    fitted = _fit(upright, generic_face() if face is None else face)
    if fitted is None:
        return None
    turn, place = fitted
    return angles_of(_turn_to_axis(tilt @ place) @ tilt @ turn)


@functools.cache
def generic_face() -> Floats:
    """Return the mean 3-D face: (68, 3) float32, x to the right of the image, y down, z away from the camera.

    The origin is midway between the outer corners of the eyes, and their distance is 1.

    Example:
        >>> generic_face()[[36, 45]].tolist()
        [[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0]]
    """
    file = Path(__file__).with_name("generic_face.csv")
    try:
        face = np.loadtxt(file, np.float32, delimiter=",", skiprows=1).reshape(68, 3)
    except (OSError, ValueError) as error:
        raise ModelError(f"{file}: is damaged ({error}); install facemood again") from error
    face.setflags(write=False)
    return face


def _has_extent(points: Matrix) -> bool:
    """Return whether points (P, 2) are finite and extend in two directions."""
    if not (np.abs(points) < MAX_COORDINATE).all():  # NaN fails too
        return False
    centred = points - points.mean(axis=0)
    (across, both), (_, down) = (centred.T @ centred).tolist()
    middle, half = (across + down) / 2, math.hypot((across - down) / 2, both)
    first, second = math.sqrt(middle + half), math.sqrt(max(middle - half, 0.0))  # the singular values
    return first > MIN_EXTENT and second > MIN_RATIO * first


def _fit(points: Matrix, whole: Floats) -> tuple[Matrix, Matrix] | None:
    """Return the rotation (3, 3) and position (3,) of a face that fit points best, or None if the fit fails.

    The Gauss-Newton method refines a fit without perspective.

    Args:
        points: (68, 2) upright points relative to the optical axis, in units of the focal length.
        whole: (68, 3) points of the face.
    """
    face, target = whole[FITTED].astype(np.float64), points[FITTED]
    begun = _fit_without_perspective(face, target)
    if begun is None:
        return None
    turn, place = begun
    for _ in range(ITERATIONS):
        projected, slopes = cv2.projectPoints(face, turn, place, CAMERA, None)[:2]
        slope = slopes[:, :6] * WEIGHTS
        residual = (target - projected[:, 0]).ravel() * WEIGHTS[:, 0]
        step = _solve(slope.T @ slope, slope.T @ residual)
        if step is None or not place[2] > 0:
            return None
        turn, place = turn + step[:3], place + step[3:]
        if np.abs(step).max() < SMALLEST_STEP:
            break
    return np.asarray(cv2.Rodrigues(turn)[0], np.float64), place


def _solve(squares: Matrix, right: Matrix) -> Matrix | None:
    """Return the solution of the normal equations of a least-squares fit; None if there is no finite one."""
    try:
        solution = np.linalg.solve(squares, right)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(solution, np.float64) if np.isfinite(solution).all() else None


def _fit_without_perspective(face: Matrix, points: Matrix) -> tuple[Matrix, Matrix] | None:
    """Return the rotation vector (3,) and position (3,) of a face by a scaled orthographic projection.

    None if the fit fails.
    """
    shape, target = face - face.mean(axis=0), points - points.mean(axis=0)
    columns = _solve(shape.T @ shape, shape.T @ target)  # (3, 2): images of the x, y and z axis
    if columns is None:
        return None
    one, sizes, other = np.linalg.svd(columns.T, full_matrices=False)
    across, down = one @ other
    (x, y, z), (u, v, w) = across.tolist(), down.tolist()
    turn = np.array([[x, y, z], [u, v, w], [y * w - z * v, z * u - x * w, x * v - y * u]])
    place = np.array([*points.mean(axis=0), 1]) / sizes.mean() - turn @ face.mean(axis=0)
    return np.asarray(cv2.Rodrigues(turn)[0][:, 0], np.float64), place


def _roll_matrix(angle: float) -> Matrix:
    """Return the rotation (3, 3) about the optical axis by an angle in radians, clockwise in the image."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])


def _turn_to_axis(place: Matrix) -> Matrix:
    """Return the smallest rotation (3, 3) that moves a position (3,) in front of the camera onto its optical axis."""
    x, y, z = place / np.linalg.norm(place)
    shared = 1 / (1 + z)
    return np.array([[1 - x * x * shared, -x * y * shared, -x], [-x * y * shared, 1 - y * y * shared, -y], [x, y, z]])
