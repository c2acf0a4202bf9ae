"""Every column of the table, once: its name, type, unit and meaning, and how it is read from a face.

Rows, JSON, CSV, Parquet, data frames, the server's greeting, recordings of the page and the codebook come from here. A
model's labels are words that `facemood.labels.check_labels` accepts. A label that is the name of another column gets
`PREFIX` in the table, and nowhere else.
"""

from __future__ import annotations

import csv
import functools
import io
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from facemood.atomic import replacing
from facemood.facs import UNITS
from facemood.labels import EXPRESSIONS, check_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facemood.schema import Face

SCHEMA = 1
"""Version of the table and of the JSON. It changes when a reader has to."""

RAW = "raw"
"""Variant of a probability in videos: as read from the frame alone, without smoothing."""

CHANGE = "change"
"""Variant of a probability in videos: its log-odds minus those of the person's neutral baseline."""

VARIANTS = (RAW, CHANGE)
"""All variants, in the order of their columns."""

PREFIX = "label"
"""What comes before a label that is already the name of another column, as in ``label_score``."""

STRING, INTEGER, NUMBER, BOOLEAN = "string", "integer", "number", "boolean"
"""The types of columns, by their names in JSON Schema. In CSV a boolean is 0 or 1."""

CODEBOOK = ("name", "type", "unit", "range", "decimals", "meaning")
"""What the codebook says of each column."""

PIXEL_DECIMALS = 1
"""Decimals of pixels: a box is not found more exactly than that."""

SHARE_DECIMALS = 4
"""Decimals of probabilities, scores and log-odds."""

UNIT_DECIMALS = 3
"""Decimals of the intensity of an action unit."""

ANGLE_DECIMALS = 1
"""Decimals of angles in degrees."""

ANGLES = {
    "yaw": "Turn of the head; positive to the right of the picture",
    "pitch": "Nod of the head; positive looks up",
    "roll": "Tilt of the head; positive clockwise in the picture",
}
"""The angles of a head's pose in their order, and what they mean."""

Value = str | int | float | bool | None
"""What a column holds; None where a cell is empty."""

Cell = str | int | float
"""What stands in a row: an empty text where there is no value, 0 or 1 for a boolean."""


class RowSource(NamedTuple):
    """What a row of the table is read from: a face and where it was found, or a frame without a face.

    Attributes:
        face: The face; None in a frame without one.
        number: Its place among the faces of its frame, from 0.
        source: The name of the input.
        frame: The frame's place in the input, from 0.
        timestamp: Seconds since the input began; None for a single image.
    """

    face: Face | None = None
    number: int | None = None
    source: str | None = None
    frame: int | None = None
    timestamp: float | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table.

    Attributes:
        name: What heads it.
        type: `STRING`, `INTEGER`, `NUMBER` or `BOOLEAN`.
        meaning: One sentence.
        read: Reads the value; None where there is none.
        path: Where the value stands in the JSON of a Result: keys of objects, and indices of lists. After ``"faces"``
            comes the place in one face.
        unit: Unit of the value; empty where it has none.
        range: Values that are possible; empty where any are.
        decimals: Decimals that a number is rounded to; None where it is not rounded.
    """

    name: str
    type: str
    meaning: str
    read: Callable[[RowSource], Value]
    path: tuple[str | int, ...]
    unit: str = ""
    range: str = ""
    decimals: int | None = None

    def value(self, source: RowSource) -> Value:
        """Return the value for a row, rounded; None where there is none."""
        value = self.read(source)
        if value is None or self.decimals is None:
            return value
        return round(float(value), self.decimals) + 0.0  # no -0.0

    def describe(self) -> dict[str, Value]:
        """Return the column's line in the codebook."""
        return {name: getattr(self, name) for name in CODEBOOK}


def _of_face(read: Callable[[Face], Value]) -> Callable[[RowSource], Value]:
    """Turn what reads a face into what reads a row, which may have none."""
    return lambda source: None if source.face is None else read(source.face)


def _number(name: str, meaning: str, read: Callable[[Face], Value], *path: str | int, **more: Any) -> Column:
    """Return a column of numbers that are read from a face: a share, where no more is said."""
    details = {"range": "0..1", "decimals": SHARE_DECIMALS, **more}
    return Column(name, NUMBER, meaning, _of_face(read), ("faces", *path), **details)


def _corner(name: str, place: int, meaning: str) -> Column:
    """Return the column of one number of the box."""
    return _number(
        name, meaning, lambda face: float(face.box[place]), "box", place, unit="px", range="", decimals=PIXEL_DECIMALS
    )


def _angle(name: str, place: int, meaning: str) -> Column:
    """Return the column of one angle of the head."""
    return _number(
        name, meaning, lambda face: None if face.pose is None else float(face.pose[place]), "pose", name,
        unit="degrees", range="-180..180", decimals=ANGLE_DECIMALS,
    )  # fmt: skip


def _unit(code: str, name: str) -> Column:
    """Return the column of one action unit."""
    return _number(
        code, f"Intensity of the action unit {name}", lambda face: face.action_units.get(code), "action_units", code,
        decimals=UNIT_DECIMALS,
    )  # fmt: skip


FRAME_COLUMNS = (
    Column("source", STRING, "Name of the input, such as a path", lambda row: row.source, ("source",)),
    Column("frame", INTEGER, "Place of the frame in its input", lambda row: row.frame, ("frame",), range="0.."),
    Column(
        "timestamp", NUMBER, "Time since the input began; empty for a single image", lambda row: row.timestamp,
        ("timestamp",), "s", "0..",
    ),
)  # fmt: skip
"""Where a row comes from."""

FACE_COLUMNS = (
    Column(
        "face", INTEGER, "Number of the face in its frame, the largest first; empty where no face was found",
        lambda row: row.number, ("faces", "face"), range="0..",
    ),
    Column(
        "track_id", INTEGER, "Number of the person in the video; empty for single images",
        _of_face(lambda face: face.track_id), ("faces", "track_id"), range="1..",
    ),
    _corner("x1", 0, "Left edge of the face's box, from the left of the picture"),
    _corner("y1", 1, "Upper edge of the face's box, from the top of the picture"),
    _corner("x2", 2, "Right edge of the face's box"),
    _corner("y2", 3, "Lower edge of the face's box"),
    _number("score", "How sure the detector is that this is a face", lambda face: face.score, "score"),
)  # fmt: skip
"""Where a face is."""

LABEL_COLUMNS = (
    Column(
        "emotion", STRING, "Label with the highest probability; empty where the face could not be read",
        _of_face(lambda face: face.emotion or None), ("faces", "emotion"),
    ),
    _number(
        "confidence", "Probability of that label", lambda face: face.confidence if face.labels else None, "confidence"
    ),
    Column(
        "certain", BOOLEAN, "Whether predictions of this confidence were right 9 times in 10 on other images; empty "
        "where the model cannot tell", _of_face(lambda face: face.certain), ("faces", "certain"), range="0, 1",
    ),
)  # fmt: skip
"""What a face shows."""

UNIT_COLUMNS = tuple(_unit(unit.code, unit.name) for unit in UNITS)
"""The action units of the Facial Action Coding System."""

ANGLE_COLUMNS = tuple(_angle(name, place, meaning) for place, (name, meaning) in enumerate(ANGLES.items()))
"""How the head is turned."""

DISPLAY_COLUMN = Column(
    "display_label", STRING, "Label for people to read: it stays until another one leads clearly (hysteresis)",
    _of_face(lambda face: face.display_label or None), ("faces", "display_label"),
)  # fmt: skip
"""The label that videos show."""

TAKEN = frozenset(
    column.name
    for column in (*FRAME_COLUMNS, *FACE_COLUMNS, *LABEL_COLUMNS, *UNIT_COLUMNS, *ANGLE_COLUMNS, DISPLAY_COLUMN)
)
"""Names that a label cannot have as its column's."""


def column_name(label: str) -> str:
    """Return what heads the probability of a label: the label, with `PREFIX` where another column could have that name.

    Example:
        >>> column_name("happy"), column_name("score"), column_name("raw_happy"), column_name("label_score")
        ('happy', 'label_score', 'label_raw_happy', 'label_label_score')
    """
    prefixes = tuple(f"{word}_" for word in (PREFIX, *VARIANTS))
    return f"{PREFIX}_{label}" if label in TAKEN or label.startswith(prefixes) else label


def _by_label(values: NDArray[Any] | None, face: Face, label: str) -> float | None:
    """Return the value of one label; None where the face has none."""
    return None if values is None or label not in face.labels else float(values[face.labels.index(label)])


def _probability(label: str, known: tuple[str, ...]) -> Column:
    """Return the column of a label's probability."""
    missing = "; always empty, since the model does not know this label" if known and label not in known else ""
    return _number(
        column_name(label), f"Probability of the label {label}{missing}",
        lambda face: _by_label(face.probabilities, face, label), "emotions", label,
    )  # fmt: skip


def _variant(kind: str, label: str) -> Column:
    """Return the column of a variant of a label's probability."""
    if kind == RAW:
        return _number(
            f"{RAW}_{label}", f"Probability of the label {label} in this frame alone, not smoothed",
            lambda face: _by_label(face.raw_probabilities, face, label), "raw_emotions", label,
        )  # fmt: skip
    return _number(
        f"{CHANGE}_{label}", f"Log-odds of the label {label} minus their mean in the person's neutral baseline",
        lambda face: _by_label(face.change, face, label), "change", label, unit="log-odds", range="",
    )  # fmt: skip


@functools.lru_cache(maxsize=64)
def columns_for(labels: tuple[str, ...], variants: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """Return the columns of a table.

    Args:
        labels: The labels that the model knows.
        variants: Which values each label has besides its probability, of `VARIANTS`; videos have some.

    Returns:
        The columns that every table has, the labels of the model's own that are not among `labels.EXPRESSIONS`, and
        those of videos.

    Raises:
        ValueError: The labels are such as `labels.check_labels` refuses.

    Example:
        >>> [column.name for column in columns_for(("happy", "bored"), (RAW,))][-5:]
        ['roll', 'bored', 'display_label', 'raw_happy', 'raw_bored']
    """
    check_labels(labels)
    return (
        *FRAME_COLUMNS,
        *FACE_COLUMNS,
        *LABEL_COLUMNS,
        *(_probability(label, labels) for label in EXPRESSIONS),
        *UNIT_COLUMNS,
        *ANGLE_COLUMNS,
        *(_probability(label, labels) for label in labels if label not in EXPRESSIONS),
        *([DISPLAY_COLUMN] if variants else []),
        *(_variant(kind, label) for kind in VARIANTS if kind in variants for label in labels),
    )


@functools.lru_cache(maxsize=64)
def face_columns(labels: tuple[str, ...]) -> tuple[Column, ...]:
    """Return the columns of a face's JSON, labels in their own order; without units, which have sides there."""
    return (
        *FACE_COLUMNS,
        *ANGLE_COLUMNS,
        *LABEL_COLUMNS,
        DISPLAY_COLUMN,
        *(_probability(label, labels) for label in labels),
        *(_variant(kind, label) for kind in VARIANTS for label in labels),
    )


def values_of(columns: Iterable[Column], source: RowSource) -> dict[str, Value]:
    """Return a row by the names of its columns; None where a column has no value."""
    return {column.name: column.value(source) for column in columns}


def to_cells(values: Mapping[str, Value]) -> dict[str, Cell]:
    """Return a row as CSV has it.

    Example:
        >>> to_cells({"track_id": None, "certain": True, "score": 0.5})
        {'track_id': '', 'certain': 1, 'score': 0.5}
    """
    return {
        name: "" if value is None else int(value) if isinstance(value, bool) else value
        for name, value in values.items()
    }


def csv_line(values: Iterable[object]) -> str:
    """Return one line of CSV.

    Example:
        >>> csv_line(["a, b.jpg", 0, ""]).strip()
        '"a, b.jpg",0,'
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def write_csv(path: str | os.PathLike[str], columns: Iterable[Column], rows: Iterable[Mapping[str, Cell]]) -> Path:
    """Write a table.

    Raises:
        OutputError: The place cannot be written to.
    """
    with replacing(path, newline="", encoding="utf-8") as file:
        file.write(csv_line(column.name for column in columns))
        file.writelines(csv_line(row.values()) for row in rows)
    return Path(path)
