"""The columns of tables that are named and scaled as those of OpenFace 2 and of py-feat, for programs that read these.

What a peer has and facemood has not (gaze, distances to the camera, AU11, AU28) is left out, and so is what only
facemood has (contempt, AU16, AU24, AU27 and both sides of a unit).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from facemood.facs import ACTIVE
from facemood.filenames import escape_name
from facemood.geometry import rotation_of
from facemood.table.column import (
    ANGLE_DECIMALS,
    BOOLEAN,
    INTEGER,
    NUMBER,
    PIXEL_DECIMALS,
    SHARE_DECIMALS,
    STRING,
    UNIT_DECIMALS,
    Column,
    Value,
)
from facemood.table.fixed_columns import RowSource, of_face

if TYPE_CHECKING:
    from facemood.schema import Face

POINTS = 68
"""Landmarks of a face, in the order of iBUG, as both peers number them."""

OPENFACE_SCALE = 5.0
"""Intensity in OpenFace's scale that stands for 1."""

OPENFACE_UNITS = {
    **{code: code for code in ("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU14", "AU15",
                               "AU17", "AU20", "AU23", "AU25", "AU26")},
    "AU45": "AU43",
}  # fmt: skip
"""Our unit for each of OpenFace's; it calls closed eyes AU45 (blink) in every frame."""

PYFEAT_UNITS = (
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23",
    "AU24", "AU25", "AU26", "AU43",
)  # fmt: skip
"""The units that both py-feat and facemood have."""

PYFEAT_LABELS = {
    "anger": "angry", "disgust": "disgust", "fear": "fear", "happiness": "happy", "sadness": "sad",
    "surprise": "surprise", "neutral": "neutral",
}  # fmt: skip
"""Our label for each of py-feat's emotions."""

PYFEAT_ANGLES = ("Pitch", "Roll", "Yaw")
"""Angles of the head, in py-feat's order."""


def _number(name: str, meaning: str, read: Callable[[Face], Value], decimals: int, **more: Any) -> Column:
    """Return a column of numbers from a face."""
    return Column(name, NUMBER, meaning, of_face(read), decimals=decimals, **more)


def _points() -> list[Column]:
    """Return the columns of the landmarks: all x, then all y."""

    def read(number: int, axis: int) -> Callable[[Face], Value]:
        def value(face: Face) -> Value:
            known = face.landmarks is not None and len(face.landmarks) == POINTS
            return float(face.landmarks[number, axis]) if known and face.landmarks is not None else None

        return value

    return [
        _number(f"{axis}_{number}", f"{axis} of landmark {number}", read(number, place), PIXEL_DECIMALS, unit="px")
        for place, axis in enumerate("xy")
        for number in range(POINTS)
    ]


def openface_angles(face: Face) -> tuple[float, float, float] | None:
    """Return the head pose as OpenFace states it: rotations in radians about x (right), y (down) and z (away).

    The rotation matrix is that about x, times that about y, times that about z. None without a pose.
    """
    if face.pose is None:
        return None
    turn = rotation_of(face.pose).astype(float)
    about_y = math.asin(min(max(turn[0, 2], -1.0), 1.0))
    return math.atan2(-turn[1, 2], turn[2, 2]), about_y, math.atan2(-turn[0, 1], turn[0, 0])


def _openface_id(row: RowSource) -> Value:
    """Return the number of a face, from 0: that of the person in a video."""
    if row.face is None or row.face.track_id is None:
        return row.number or 0
    return row.face.track_id - 1


def _openface_angle(axis: str, place: int) -> Column:
    """Return the column of a rotation about an axis."""

    def read(face: Face) -> Value:
        angles = openface_angles(face)
        return None if angles is None else angles[place]

    return _number(f"pose_R{axis}", f"Rotation of the head about the axis {axis}", read, 3, unit="rad")


def _openface_intensity(name: str, code: str) -> Column:
    """Return the column of the intensity of a unit, 0..5."""

    def read(face: Face) -> Value:
        strong = face.action_units.get(code)
        return None if strong is None else OPENFACE_SCALE * strong

    return _number(f"{name}_r", f"Intensity of {code}, times {OPENFACE_SCALE:g}", read, UNIT_DECIMALS, range="0..5")


def _openface_presence(name: str, code: str) -> Column:
    """Return the column that says whether a unit is active."""
    meaning = f"Whether the intensity of {code} is {ACTIVE:g} or more"
    read = of_face(lambda face: face.action_units[code] >= ACTIVE if code in face.action_units else None)
    return Column(f"{name}_c", BOOLEAN, meaning, read, range="0, 1")


@functools.cache
def openface_columns() -> tuple[Column, ...]:
    """Return the columns of a table like that of OpenFace's FeatureExtraction, for one video.

    Example:
        >>> [column.name for column in openface_columns()][:6]
        ['frame', 'face_id', 'timestamp', 'confidence', 'success', 'pose_Rx']
    """
    return (
        Column("frame", INTEGER, "Number of the frame, from 1", lambda row: (row.frame or 0) + 1, range="1.."),
        Column("face_id", INTEGER, "Number of the person, from 0", _openface_id, range="0.."),
        Column("timestamp", NUMBER, "Time from the start of the video", lambda row: row.timestamp, (), "s", "0..", 3),
        Column(
            "confidence", NUMBER, "Detection score; 0 without a face",
            lambda row: 0.0 if row.face is None else row.face.score, range="0..1", decimals=SHARE_DECIMALS,
        ),
        Column("success", BOOLEAN, "Whether there is a face", lambda row: row.face is not None, range="0, 1"),
        *(_openface_angle(axis, place) for place, axis in enumerate("xyz")),
        *_points(),
        *(_openface_intensity(name, code) for name, code in OPENFACE_UNITS.items()),
        *(_openface_presence(name, code) for name, code in OPENFACE_UNITS.items()),
    )  # fmt: skip


def _pyfeat_angle(name: str) -> Column:
    """Return the column of an angle of the head pose."""
    place = ("Yaw", "Pitch", "Roll").index(name)
    read: Callable[[Face], Value] = lambda face: None if face.pose is None else float(face.pose[place])  # noqa: E731
    return _number(name, f"{name} of the head, with the sign of facemood's {name.lower()}", read, ANGLE_DECIMALS,
                   unit="degrees")  # fmt: skip


def _pyfeat_emotion(name: str, label: str) -> Column:
    """Return the column of an emotion."""
    return _number(name, f"Probability of the label {label}", lambda face: face.emotions.get(label), SHARE_DECIMALS,
                   range="0..1")  # fmt: skip


def _pyfeat_unit(code: str) -> Column:
    """Return the column of a unit."""
    return _number(code, f"Intensity of {code}", lambda face: face.action_units.get(code), UNIT_DECIMALS, range="0..1")


def _pyfeat_time(row: RowSource) -> Value:
    """Return the time of a frame as minutes and seconds."""
    if row.timestamp is None:
        return None
    milliseconds = round(1000 * row.timestamp)
    return f"{milliseconds // 60000:02}:{milliseconds % 60000 / 1000:06.3f}"


@functools.cache
def pyfeat_columns() -> tuple[Column, ...]:
    """Return the columns of a table like py-feat's Fex.

    Example:
        >>> [column.name for column in pyfeat_columns()][-4:]
        ['Identity', 'input', 'frame', 'approx_time']
    """
    names = {"FaceRectX": "Left edge", "FaceRectY": "Upper edge"}
    corners = [
        _number(name, f"{meaning} of the bounding box", _corner(place), PIXEL_DECIMALS, unit="px")
        for place, (name, meaning) in enumerate(names.items())
    ]
    return (
        *corners,
        _number("FaceRectWidth", "Width of the bounding box", lambda face: face.size[0], PIXEL_DECIMALS, unit="px"),
        _number("FaceRectHeight", "Height of the bounding box", lambda face: face.size[1], PIXEL_DECIMALS, unit="px"),
        _number("FaceScore", "Detection score", lambda face: face.score, SHARE_DECIMALS, range="0..1"),
        *_points(),
        *map(_pyfeat_angle, PYFEAT_ANGLES),
        *map(_pyfeat_unit, PYFEAT_UNITS),
        *(_pyfeat_emotion(name, label) for name, label in PYFEAT_LABELS.items()),
        Column(
            "Identity", STRING, "Person in the video, from Person_0; empty for photos",
            of_face(lambda face: None if face.track_id is None else f"Person_{face.track_id - 1}"),
        ),
        Column("input", STRING, "Name of the input", lambda row: escape_name(row.source) or None),
        Column("frame", INTEGER, "Number of the frame, from 0", lambda row: row.frame, range="0.."),
        Column("approx_time", STRING, "Time of the frame in minutes and seconds; empty for photos", _pyfeat_time),
    )  # fmt: skip


def _corner(place: int) -> Callable[[Face], Value]:
    """Return what reads a corner of a box."""
    return lambda face: float(face.box[place])
