"""Turn frames upright by quarters of a turn, and turn their faces back to the given picture's coordinates."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import cv2
import numpy as np

from facemood.errors import OptionError
from facemood.geometry import Floats
from facemood.schema import Face, Frame, Image

AUTO = "auto"
"""The orientation is found out: a picture without a face is tried at the other three."""

QUARTERS: dict[int, int | None] = {
    0: None,
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
"""OpenCV's code for turning a picture clockwise by so many degrees."""

TURNED = (90, 270, 180)
"""The orientations that are tried, those of a camera held upright first."""

Orientation: TypeAlias = "str | int"
"""``"auto"``, or the degrees by which a picture is turned clockwise to be upright: 0, 90, 180 or 270."""


class UprightView(NamedTuple):
    """A frame as the stages read it, and its faces.

    Attributes:
        frame: The frame, turned upright.
        faces: Its faces, in pixels of the frame that is turned.
        orientation: Degrees by which it was turned clockwise.
    """

    frame: Frame
    faces: list[Face]
    orientation: int = 0


def check_orientation(orientation: Orientation) -> Orientation:
    """Return an orientation that is valid; a number may be given as text.

    Raises:
        OptionError: It is neither ``"auto"`` nor 0, 90, 180 or 270.

    Example:
        >>> check_orientation("auto"), check_orientation("90"), check_orientation(270)
        ('auto', 90, 270)
    """
    known: dict[str, Orientation] = {AUTO: AUTO, **{str(degrees): degrees for degrees in QUARTERS}}
    if isinstance(orientation, bool) or str(orientation) not in known:
        raise OptionError(f"orientation must be 'auto', 0, 90, 180 or 270, but is {orientation!r}")
    return known[str(orientation)]


def turn_frame(frame: Frame, degrees: int) -> Frame:
    """Turn a frame clockwise by 0, 90, 180 or 270 degrees; 0 returns the frame itself."""
    code = QUARTERS[degrees]
    return frame if code is None else dataclasses.replace(frame, image=_turned_image(frame.image, code))


def turn_back(faces: Iterable[Face], degrees: int, size: tuple[int, int]) -> list[Face]:
    """Return the faces of a frame that was turned upright, in pixels of the given frame.

    Boxes, landmarks, parts, activation maps and the roll of the head are turned; all else stays.

    Args:
        faces: Faces in the frame that was turned.
        degrees: By how much it was turned clockwise: 0, 90, 180 or 270.
        size: Width and height of the given frame.

    Example:
        >>> upright = Face(np.float32([0, 0, 10, 20]), score=1.0)
        >>> [face.box.tolist() for face in turn_back([upright], 90, (640, 480))]
        [[0.0, 470.0, 20.0, 480.0]]
    """
    return [face if degrees == 0 else _turned_face(face, degrees, size) for face in faces]


def _turned_image(image: Image, code: int) -> Image:
    """Turn an image by one of OpenCV's codes."""
    return np.asarray(cv2.rotate(image, code), np.uint8)


def _turned_face(face: Face, degrees: int, size: tuple[int, int]) -> Face:
    """Turn one face back."""
    moved = face.moved(lambda points: turn_points(points, degrees, size))
    pose, shown = moved.pose, moved.activation_map
    return dataclasses.replace(
        moved,
        pose=None if pose is None else np.array([pose[0], pose[1], _wrapped(float(pose[2]) - degrees)], np.float32),
        activation_map=None if shown is None else shown._replace(tilt=_wrapped(shown.tilt - degrees)),
    )


def turn_points(points: Floats, degrees: int, size: tuple[int, int]) -> Floats:
    """Return points of a frame that was turned clockwise by some degrees, in pixels of the given frame.

    Args:
        points: (..., 2) x and y.
        degrees: 0, 90, 180 or 270.
        size: Width and height of the given frame.
    """
    width, height = size
    x, y = points[..., 0], points[..., 1]
    turned = {0: (x, y), 90: (y, height - x), 180: (width - x, height - y), 270: (width - y, x)}[degrees]
    return np.stack(turned, axis=-1).astype(np.float32)


def _wrapped(angle: float) -> float:
    """Return an angle between -180 and 180 degrees, including 180."""
    return 180 - (180 - angle) % 360
