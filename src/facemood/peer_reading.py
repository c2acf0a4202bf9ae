"""Read the tables of OpenFace and py-feat as results, so that their faces go through the same tables and functions."""

from __future__ import annotations

import csv
import dataclasses
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from facemood.errors import SourceError
from facemood.geometry import Floats, angles_of, box_of_points
from facemood.results import Result
from facemood.schema import Face
from facemood.table.peer_columns import (
    OPENFACE_SCALE,
    OPENFACE_UNITS,
    POINTS,
    PYFEAT_ANGLES,
    PYFEAT_LABELS,
    PYFEAT_UNITS,
)
from facemood.text import parse_seconds

Row = Mapping[str, str]
"""A row of a table: its cells by column."""

PERSON = re.compile(r".*?(\d+)")
"""A name of a person that has a number, such as ``Person_0``."""


def read_openface(path: str | os.PathLike[str], *, source: str | None = None) -> tuple[Result, ...]:
    """Read a table of OpenFace 2, from FeatureExtraction, FaceLandmarkVidMulti or FaceLandmarkImg.

    Args:
        path: The CSV file.
        source: Name of the video, which the table does not have; None takes that of the file.

    Returns:
        A result for each frame, in order. Faces have score, landmarks, a box around these, head pose and action units:
        OpenFace's intensities divided by 5, or 0 and 1 where a unit has only a presence. They have no expressions.
        Their track IDs are the face IDs plus 1. Without landmarks in pixels, boxes are 0.

    Raises:
        SourceError: The file cannot be read, or is no such table.
    """
    rows = _rows_of(path, needed=("confidence",))
    units = [name for name in OPENFACE_UNITS if f"{name}_r" in rows[0] or f"{name}_c" in rows[0]] if rows else []
    if rows and not units:
        raise SourceError(f"{path}: no column is an action unit of OpenFace, such as AU12_r; expected its CSV file")
    name = os.fspath(path) if source is None else source
    frames: dict[int, list[tuple[Row, Face | None]]] = {}
    for number, row in enumerate(rows, 2):
        where = f"{path}, line {number}"
        frame = int(_number(where, row, "frame") or 1) - 1
        frames.setdefault(frame, []).append((row, _openface_face(where, row, units)))
    return tuple(
        Result(name, frame, _number(str(path), found[0][0], "timestamp"), faces=_faces(found))
        for frame, found in frames.items()
    )


def read_pyfeat(path: str | os.PathLike[str], *, fps: float | None = None) -> tuple[Result, ...]:
    """Read a table of py-feat (a Fex that was saved as CSV).

    Args:
        path: The CSV file.
        fps: Frames per second, by which frames get times; None takes the column ``approx_time``. Without either, frames
            count as photos.

    Returns:
        A result for each frame of each input, in order. Faces have box, score, landmarks, head pose, action units and
        expressions. ``Identity`` becomes the track ID; without it, a video with at most one face per frame is one
        person.

    Raises:
        SourceError: The file cannot be read, or is no such table.
    """
    rows = _rows_of(path, needed=("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"))
    names = [name for name in PYFEAT_LABELS if rows and name in rows[0]]
    labels = tuple(PYFEAT_LABELS[name] for name in names)
    frames: dict[tuple[str, int], list[tuple[Row, Face | None]]] = {}
    people: dict[str, int] = {}
    for number, row in enumerate(rows, 2):
        where = f"{path}, line {number}"
        key = row.get("input") or os.fspath(path), int(_number(where, row, "frame") or 0)
        frames.setdefault(key, []).append((row, _pyfeat_face(where, row, names, labels, people)))
    alone = {source: True for source, _ in frames}
    for (source, _), found in frames.items():
        alone[source] &= len(found) == 1
    results = []
    for (source, frame), found in frames.items():
        time = frame / fps if fps else _time_of(found[0][0])
        faces = _faces(found)
        if time is not None and alone[source] and faces and faces[0].track_id is None:
            faces = (dataclasses.replace(faces[0], track_id=1),)
        results.append(Result(source, frame, time, faces=faces, labels=labels))
    return tuple(results)


def _rows_of(path: str | os.PathLike[str], *, needed: Sequence[str]) -> list[Row]:
    """Return the rows of a CSV file whose header has some columns; names and cells have no spaces around them."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            lines = [[cell.strip() for cell in line] for line in csv.reader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path}: the table cannot be read ({error}); expected a CSV file in UTF-8") from None
    header = lines[0] if lines else []
    for column in needed:
        if column not in header:
            raise SourceError(f"{path}: the table has no column {column!r}; is it of another program?")
    return [dict(zip(header, line, strict=False)) for line in lines[1:] if any(line)]


def _number(where: str, row: Row, column: str) -> float | None:
    """Return the number in a cell; None if there is none."""
    text = row.get(column, "")
    try:
        value = float(text) if text else math.nan
    except ValueError:
        raise SourceError(f"{where}: expected a number in the column {column!r}, but got {text!r}") from None
    return value if math.isfinite(value) else None


def _numbers(where: str, row: Row, columns: Sequence[str]) -> Floats | None:
    """Return the numbers in some cells, (N,) float32; None if one is missing."""
    values = [_number(where, row, column) for column in columns]
    return None if None in values else np.array(values, np.float32)


def _points_of(where: str, row: Row) -> Floats | None:
    """Return the landmarks of a row, (68, 2) float32; None without them."""
    values = _numbers(where, row, [f"{axis}_{number}" for axis in "xy" for number in range(POINTS)])
    return None if values is None else np.ascontiguousarray(values.reshape(2, POINTS).T)


def _openface_face(where: str, row: Row, units: Sequence[str]) -> Face | None:
    """Return the face of a row of OpenFace; None for a frame without a face."""
    if _number(where, row, "success") == 0:
        return None
    points = _points_of(where, row)
    turns = _numbers(where, row, ("pose_Rx", "pose_Ry", "pose_Rz"))
    found: dict[str, float] = {}
    for name in units:
        strong, present = (_number(where, row, f"{name}_{kind}") for kind in "rc")
        if strong is not None:
            found[OPENFACE_UNITS[name]] = min(max(strong / OPENFACE_SCALE, 0.0), 1.0)
        elif present is not None:
            found[OPENFACE_UNITS[name]] = min(max(present, 0.0), 1.0)
    moving = row.get("timestamp", "") != ""
    return Face(
        np.zeros(4, np.float32) if points is None else box_of_points(points),
        _number(where, row, "confidence") or 0.0,
        landmarks=points,
        pose=None if turns is None else angles_of(_openface_rotation(turns)),
        track_id=int(_number(where, row, "face_id") or 0) + 1 if moving else None,
        action_units=found,
    )


def _openface_rotation(turns: Floats) -> Floats:
    """Return the (3, 3) rotation of OpenFace's (3,) angles in radians: about x, times about y, times about z."""
    (a, b, c), (d, e, f) = np.cos(turns.astype(float)).tolist(), np.sin(turns.astype(float)).tolist()
    about_x = np.array([[1, 0, 0], [0, a, -d], [0, d, a]])
    about_y = np.array([[b, 0, e], [0, 1, 0], [-e, 0, b]])
    about_z = np.array([[c, -f, 0], [f, c, 0], [0, 0, 1]])
    return np.asarray(about_x @ about_y @ about_z, np.float32)


def _pyfeat_face(
    where: str, row: Row, names: Sequence[str], labels: tuple[str, ...], people: dict[str, int]
) -> Face | None:
    """Return the face of a row of py-feat; None for a frame without a face.

    Args:
        where: File and line, for messages.
        row: The row.
        names: The emotions in the table.
        labels: Our labels for them.
        people: Track IDs by ``Identity``; new ones are added.
    """
    corner = _numbers(where, row, ("FaceRectX", "FaceRectY"))
    size = _numbers(where, row, ("FaceRectWidth", "FaceRectHeight"))
    if corner is None or size is None:
        return None
    shares = _numbers(where, row, names) if names else None
    angles = _numbers(where, row, PYFEAT_ANGLES)
    units = {code: _number(where, row, code) for code in PYFEAT_UNITS}
    who = row.get("Identity", "")
    return Face(
        np.concatenate([corner, corner + size]),
        _number(where, row, "FaceScore") or 0.0,
        landmarks=_points_of(where, row),
        labels=() if shares is None else labels,
        probabilities=np.zeros(0, np.float32) if shares is None else shares,
        pose=None if angles is None else angles[[2, 0, 1]],
        track_id=people.setdefault(who, _person_number(who, people)) if who else None,
        action_units={code: min(max(value, 0.0), 1.0) for code, value in units.items() if value is not None},
    )


def _person_number(who: str, people: Mapping[str, int]) -> int:
    """Return the track ID of a person who is new: the number in the name plus 1, or the next one that is free."""
    found = PERSON.fullmatch(who)
    wanted = int(found[1]) + 1 if found else 1
    return wanted if wanted not in people.values() else max(people.values()) + 1


def _time_of(row: Row) -> float | None:
    """Return the time of a row of py-feat in seconds; None for a photo."""
    try:
        return parse_seconds(row["approx_time"]) if row.get("approx_time") else None
    except ValueError:
        return None


def _faces(found: Sequence[tuple[Row, Face | None]]) -> tuple[Face, ...]:
    """Return the faces of a frame, largest first."""
    faces = [face for _, face in found if face is not None]
    return tuple(sorted(faces, key=lambda face: -face.area))
