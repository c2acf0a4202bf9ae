"""The columns of every table of faces: frame, detection, label, action units, head pose."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from facemood.affect import AROUSAL, HAPPY, NEGATIVE, PAST_SECONDS, STRONGEST, VALENCE
from facemood.facs import UNITS
from facemood.filenames import escape_name
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

if TYPE_CHECKING:
    from facemood.schema import Face

ANGLES = {
    "yaw": "Turn of the head; positive to the right of the image",
    "pitch": "Nod of the head; positive upwards",
    "roll": "Tilt of the head; positive clockwise in the image",
}
"""The angles of the head pose in order, each with its meaning."""


class RowSource(NamedTuple):
    """The source of a table row: a face and its frame, or a frame without a face.

    Attributes:
        face: The face; None for a frame without one.
        number: Index of the face in its frame, from 0.
        source: Name of the input.
        frame: Number of the frame in the input, from 0.
        timestamp: Time in seconds from the start of the input; None for a single image.
        repeated: Whether the frame repeats the faces of an earlier one that it looks like.
    """

    face: Face | None = None
    number: int | None = None
    source: str | None = None
    frame: int | None = None
    timestamp: float | None = None
    repeated: bool = False


def of_face(read: Callable[[Face], Value]) -> Callable[[RowSource], Value]:
    """Return a function that reads a value from the face of a row, or None without a face."""
    return lambda source: None if source.face is None else read(source.face)


def number_of_face(name: str, meaning: str, read: Callable[[Face], Value], *path: str | int, **more: Any) -> Column:
    """Return a column of numbers from a face; by default in 0..1, with `SHARE_DECIMALS`."""
    details = {"range": "0..1", "decimals": SHARE_DECIMALS, **more}
    return Column(name, NUMBER, meaning, of_face(read), ("faces", *path), **details)


def _corner(name: str, place: int, meaning: str) -> Column:
    """Return the column of one edge of the box."""
    return number_of_face(
        name, meaning, lambda face: float(face.box[place]), "box", place, unit="px", range="", decimals=PIXEL_DECIMALS
    )


def _angle(name: str, place: int, meaning: str) -> Column:
    """Return the column of one angle of the head pose."""
    return number_of_face(
        name, meaning, lambda face: None if face.pose is None else float(face.pose[place]), "pose", name,
        unit="degrees", range="-180..180", decimals=ANGLE_DECIMALS,
    )  # fmt: skip


def _unit(code: str, name: str) -> Column:
    """Return the column of one action unit."""
    return number_of_face(
        code, f"Intensity of the action unit {name}", lambda face: face.action_units.get(code), "action_units", code,
        decimals=UNIT_DECIMALS,
    )  # fmt: skip


def _source(row: RowSource) -> Value:
    """Return the name of the input, as UTF-8 can store it."""
    return None if row.source is None else escape_name(row.source)


FRAME_COLUMNS = (
    Column("source", STRING, "Name of the input, such as a path", _source, ("source",)),
    Column("frame", INTEGER, "Number of the frame in its input", lambda row: row.frame, ("frame",), range="0.."),
    Column(
        "timestamp", NUMBER, "Time from the start of the input; empty for a single image", lambda row: row.timestamp,
        ("timestamp",), "s", "0..",
    ),
)  # fmt: skip
"""Columns of the frame."""

FACE_COLUMNS = (
    Column(
        "face", INTEGER, "Number of the face in its frame, the largest first; empty if no face was found",
        lambda row: row.number, ("faces", "face"), range="0..",
    ),
    Column(
        "track_id", INTEGER, "Number of the person in the video; empty for single images",
        of_face(lambda face: face.track_id), ("faces", "track_id"), range="1..",
    ),
    _corner("x1", 0, "Left edge of the bounding box, from the left edge of the image"),
    _corner("y1", 1, "Upper edge of the bounding box, from the upper edge of the image"),
    _corner("x2", 2, "Right edge of the bounding box, from the left edge of the image"),
    _corner("y2", 3, "Lower edge of the bounding box, from the upper edge of the image"),
    number_of_face("score", "Detection score: how confident the detector is", lambda face: face.score, "score"),
)  # fmt: skip
"""Columns of the detection."""

LABEL_COLUMNS = (
    Column(
        "emotion", STRING, "Label with the highest probability; empty if the face has no prediction",
        of_face(lambda face: face.emotion or None), ("faces", "emotion"),
    ),
    number_of_face(
        "confidence", "Probability of that label", lambda face: face.confidence if face.labels else None, "confidence"
    ),
    Column(
        "certain", BOOLEAN, "Whether the confidence reaches the level at which 9 of 10 predictions were right on "
        "held-out images; 0 in videos while the display label or that of the single frame is another; empty if the "
        "model has no such level", of_face(lambda face: face.certain), ("faces", "certain"), range="0, 1",
    ),
)  # fmt: skip
"""Columns of the most probable label."""

UNIT_COLUMNS = tuple(_unit(unit.code, unit.name) for unit in UNITS)
"""Columns of the action units of the Facial Action Coding System (FACS)."""

ANGLE_COLUMNS = tuple(_angle(name, place, meaning) for place, (name, meaning) in enumerate(ANGLES.items()))
"""Columns of the head pose."""

DISPLAY_COLUMN = Column(
    "display_label", STRING,
    "Steady label for display: it changes when another label has led for some time (hysteresis)",
    of_face(lambda face: face.display_label or None), ("faces", "display_label"),
)  # fmt: skip
"""Column of the steady label in videos."""

REPEATED_COLUMN = Column(
    "repeated", BOOLEAN,
    "Whether the frame looks like the last one that was read, and has its faces; 0 if it was read itself; empty for a "
    "single image",
    lambda row: None if row.timestamp is None else row.repeated, ("repeated",), range="0, 1",
)  # fmt: skip
"""Column of videos of which only the frames that differ are read."""


DERIVED = {
    VALENCE: f"Valence: probability of {HAPPY} minus the largest of {', '.join(NEGATIVE)}; derived, not learned",
    AROUSAL: f"Arousal: mean of the {STRONGEST} largest rises of action units above their means in the person's last "
    f"{PAST_SECONDS:g} s; derived, not learned; empty for photos",
}
"""Meaning of the derived measures that have no formula of the user's."""


def describe_measure(name: str, formula: str) -> str:
    """Return what a derived measure is: the meaning of its column."""
    return DERIVED[name] if not formula else f"Own expression of the user: {formula}, clipped to 0..1"


def range_of_measure(name: str) -> str:
    """Return the possible values of a derived measure."""
    return "-1..1" if name == VALENCE else "0..1"


def measure_column(name: str, formula: str) -> Column:
    """Return the column of a derived measure.

    Args:
        name: Its name.
        formula: Formula of an own expression; empty for valence and arousal.
    """
    return number_of_face(
        name, describe_measure(name, formula), lambda face: face.measures.get(name), "measures", name,
        range=range_of_measure(name),
    )  # fmt: skip


def _design(name: str, meaning: str, kind: str = STRING, **more: Any) -> Column:
    """Return a column of the study's plan."""
    path = ("faces", "segment", name)
    return Column(name, kind, f"{meaning}; empty outside of the plan's segments", of_segment(name), path, **more)


def of_segment(name: str) -> Callable[[RowSource], Value]:
    """Return a function that reads a value of the segment that a face belongs to."""

    def read(row: RowSource) -> Value:
        segment = None if row.face is None else row.face.segment
        return None if segment is None else segment.values(row.timestamp).get(name)

    return read


DESIGN_COLUMNS = (
    _design("participant", "Participant, by the plan of the study"),
    _design("condition", "Condition of the segment"),
    _design("session", "Session of the segment"),
    _design("segment", "Name of the segment, or its number in participant, condition and session"),
    _design("segment_time", "Time from the start of the segment", NUMBER, unit="s", range="0..", decimals=3),
)
"""Columns of a study: who is who, and in which condition."""


def further_column(name: str, kind: str, read: Callable[[Any], Value]) -> Column:
    """Return the column of a plan's own column, of type `STRING` or `NUMBER`."""
    path = ("faces", "segment", name)
    return Column(name, kind, f"Column {name!r} of the plan; empty outside of the plan's segments", read, path)
