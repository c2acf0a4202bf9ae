"""All columns of the table: name, type, unit and meaning of each, and how its value is read from a face.

Rows, JSON, CSV, Parquet, data frames, the server's greeting, recordings of the page and the codebook are made from this
list. A model's labels are those that `facemood.labels.check_labels` accepts. A label that is also the name of another
column, in whatever case, gets the prefix `PREFIX` in the table, and only there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from facemood.facs import UNITS
from facemood.filenames import escape_name
from facemood.labels import EXPRESSIONS, check_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facemood.schema import Face

SCHEMA = 1
"""Version of the table and of the JSON. It changes when programs that read them must be changed."""

RAW = "raw"
"""Variant of a probability in videos: predicted from the single frame, without smoothing."""

CHANGE = "change"
"""Variant of a probability in videos: its log-odds minus those of the person's neutral baseline."""

VARIANTS = (RAW, CHANGE)
"""All variants, in the order of their columns."""

PREFIX = "label"
"""Prefix of the column of a label that is also the name of another column, as in ``label_score``."""

STRING = "string"
"""Type of a column of text. The names of types are those of JSON Schema."""

INTEGER = "integer"
"""Type of a column of whole numbers."""

NUMBER = "number"
"""Type of a column of decimal numbers."""

BOOLEAN = "boolean"
"""Type of a column of truth values; 0 or 1 in CSV."""

CODEBOOK = ("name", "type", "unit", "range", "decimals", "meaning")
"""Properties of each column in the codebook."""

PIXEL_DECIMALS = 1
"""Decimals of pixels: detection is not more precise than that."""

SHARE_DECIMALS = 4
"""Decimals of probabilities, scores and log-odds."""

UNIT_DECIMALS = 3
"""Decimals of the intensity of an action unit."""

ANGLE_DECIMALS = 1
"""Decimals of angles in degrees."""

ANGLES = {
    "yaw": "Turn of the head; positive to the right of the image",
    "pitch": "Nod of the head; positive upwards",
    "roll": "Tilt of the head; positive clockwise in the image",
}
"""The angles of the head pose in order, each with its meaning."""

Value = str | int | float | bool | None
"""Value of a column; None is an empty cell."""

Cell = str | int | float
"""Value in a CSV row: an empty string for a missing value, 0 or 1 for a boolean."""


class RowSource(NamedTuple):
    """The source of a table row: a face and its frame, or a frame without a face.

    Attributes:
        face: The face; None for a frame without one.
        number: Index of the face in its frame, from 0.
        source: Name of the input.
        frame: Number of the frame in the input, from 0.
        timestamp: Time in seconds from the start of the input; None for a single image.
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
        name: Name in the header of the table.
        type: `STRING`, `INTEGER`, `NUMBER` or `BOOLEAN`.
        meaning: The meaning in one sentence.
        read: Function that returns the value for a row, or None.
        path: Path of the value in the JSON of a Result: keys of objects and indices of lists. After ``"faces"``, the
            path continues in one face.
        unit: Unit of the value; empty without one.
        range: Possible values; empty if there is no limit.
        decimals: Decimals of a rounded number; None without rounding.
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
        """Return the rounded value for a row; None if it has none."""
        value = self.read(source)
        if value is None or self.decimals is None:
            return value
        return round(float(value), self.decimals) + 0.0  # no -0.0

    def describe(self) -> dict[str, Value]:
        """Return the entry of the column in the codebook."""
        return {name: getattr(self, name) for name in CODEBOOK}


def _of_face(read: Callable[[Face], Value]) -> Callable[[RowSource], Value]:
    """Return a function that reads a value from the face of a row, or None without a face."""
    return lambda source: None if source.face is None else read(source.face)


def _number(name: str, meaning: str, read: Callable[[Face], Value], *path: str | int, **more: Any) -> Column:
    """Return a column of numbers from a face; by default in 0..1, with `SHARE_DECIMALS`."""
    details = {"range": "0..1", "decimals": SHARE_DECIMALS, **more}
    return Column(name, NUMBER, meaning, _of_face(read), ("faces", *path), **details)


def _corner(name: str, place: int, meaning: str) -> Column:
    """Return the column of one edge of the box."""
    return _number(
        name, meaning, lambda face: float(face.box[place]), "box", place, unit="px", range="", decimals=PIXEL_DECIMALS
    )


def _angle(name: str, place: int, meaning: str) -> Column:
    """Return the column of one angle of the head pose."""
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
        _of_face(lambda face: face.track_id), ("faces", "track_id"), range="1..",
    ),
    _corner("x1", 0, "Left edge of the bounding box, from the left edge of the image"),
    _corner("y1", 1, "Upper edge of the bounding box, from the upper edge of the image"),
    _corner("x2", 2, "Right edge of the bounding box, from the left edge of the image"),
    _corner("y2", 3, "Lower edge of the bounding box, from the upper edge of the image"),
    _number("score", "Detection score: how confident the detector is", lambda face: face.score, "score"),
)  # fmt: skip
"""Columns of the detection."""

LABEL_COLUMNS = (
    Column(
        "emotion", STRING, "Label with the highest probability; empty if the face has no prediction",
        _of_face(lambda face: face.emotion or None), ("faces", "emotion"),
    ),
    _number(
        "confidence", "Probability of that label", lambda face: face.confidence if face.labels else None, "confidence"
    ),
    Column(
        "certain", BOOLEAN, "Whether the confidence reaches the level at which 9 of 10 predictions were right on "
        "held-out images; empty if the model has no such level", _of_face(lambda face: face.certain),
        ("faces", "certain"), range="0, 1",
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
    _of_face(lambda face: face.display_label or None), ("faces", "display_label"),
)  # fmt: skip
"""Column of the steady label in videos."""

_OTHERS = (*FRAME_COLUMNS, *FACE_COLUMNS, *LABEL_COLUMNS, *UNIT_COLUMNS, *ANGLE_COLUMNS, DISPLAY_COLUMN)
"""All columns whose names do not come from labels."""

TAKEN = frozenset(name.casefold() for name in (*(column.name for column in _OTHERS), *EXPRESSIONS))
"""Names that the column of another label cannot have, in lower case."""


def column_name(label: str) -> str:
    """Return the name of a label's column: the label, with `PREFIX` if another column could have that name.

    Names that differ only in case count as one, because to SQL they are one.

    Example:
        >>> column_name("happy"), column_name("score"), column_name("raw_happy"), column_name("label_score")
        ('happy', 'label_score', 'label_raw_happy', 'label_label_score')
        >>> column_name("Happy"), column_name("au12")
        ('label_Happy', 'label_au12')
    """
    if label in EXPRESSIONS:
        return label
    plain, prefixes = label.casefold(), tuple(f"{word}_" for word in (PREFIX, *VARIANTS))
    return f"{PREFIX}_{label}" if plain in TAKEN or plain.startswith(prefixes) else label


def distinct_names(labels: Sequence[str]) -> dict[str, str]:
    """Return for each label the name that its columns are made from: itself, or with `PREFIX` if it is needed.

    Of labels that differ only in case, the first keeps its name; one of `labels.EXPRESSIONS` comes before others.

    Example:
        >>> distinct_names(["Bored", "BORED", "Happy", "happy"])
        {'happy': 'happy', 'Bored': 'Bored', 'BORED': 'label_BORED', 'Happy': 'label_Happy'}
    """
    names: dict[str, str] = {}
    used = set[str]()
    for label in sorted(labels, key=lambda label: label not in EXPRESSIONS):
        names[label] = label
        while names[label].casefold() in used:
            names[label] = f"{PREFIX}_{names[label]}"
        used.add(names[label].casefold())
    return names


def _by_label(values: NDArray[Any] | None, face: Face, label: str) -> float | None:
    """Return the value of one label from an array (K,); None if the face has none."""
    return None if values is None or label not in face.labels else float(values[face.labels.index(label)])


def _probability(label: str, name: str, known: tuple[str, ...]) -> Column:
    """Return the column of a label's probability."""
    missing = "; always empty, because the model does not have this label" if known and label not in known else ""
    return _number(
        column_name(name), f"Probability of the label {label}{missing}",
        lambda face: _by_label(face.probabilities, face, label), "emotions", label,
    )  # fmt: skip


def _variant(kind: str, label: str, name: str) -> Column:
    """Return the column of a variant of a label's probability."""
    if kind == RAW:
        return _number(
            f"{RAW}_{name}", f"Probability of the label {label} in the single frame, before smoothing",
            lambda face: _by_label(face.raw_probabilities, face, label), "raw_emotions", label,
        )  # fmt: skip
    return _number(
        f"{CHANGE}_{name}", f"Log-odds of the label {label} minus their mean during the person's neutral baseline",
        lambda face: _by_label(face.change, face, label), "change", label, unit="log-odds", range="",
    )  # fmt: skip


@functools.lru_cache(maxsize=64)
def columns_for(labels: tuple[str, ...], variants: tuple[str, ...] = ()) -> tuple[Column, ...]:
    """Return the columns of a table.

    Args:
        labels: The model's labels.
        variants: Variants of the probabilities in a table of videos, some of `VARIANTS`.

    Returns:
        The columns of every table, then the model's labels that are not in `labels.EXPRESSIONS`, then the columns of
        videos.

    Raises:
        ValueError: `labels.check_labels` refuses the labels.

    Example:
        >>> [column.name for column in columns_for(("happy", "bored"), (RAW,))][-5:]
        ['roll', 'bored', 'display_label', 'raw_happy', 'raw_bored']
    """
    check_labels(labels)
    names = distinct_names(labels)
    return (
        *FRAME_COLUMNS,
        *FACE_COLUMNS,
        *LABEL_COLUMNS,
        *(_probability(label, label, labels) for label in EXPRESSIONS),
        *UNIT_COLUMNS,
        *ANGLE_COLUMNS,
        *(_probability(label, names[label], labels) for label in labels if label not in EXPRESSIONS),
        *([DISPLAY_COLUMN] if variants else []),
        *(_variant(kind, label, names[label]) for kind in VARIANTS if kind in variants for label in labels),
    )


@functools.lru_cache(maxsize=64)
def face_columns(labels: tuple[str, ...]) -> tuple[Column, ...]:
    """Return the columns for the JSON of a face, labels in the model's order; without units, which have sides there."""
    return (
        *FACE_COLUMNS,
        *ANGLE_COLUMNS,
        *LABEL_COLUMNS,
        DISPLAY_COLUMN,
        *(_probability(label, label, labels) for label in labels),
        *(_variant(kind, label, label) for kind in VARIANTS for label in labels),
    )


def values_of(columns: Iterable[Column], source: RowSource) -> dict[str, Value]:
    """Return a row as values by column name; None for a missing value."""
    return {column.name: column.value(source) for column in columns}


def to_cells(values: Mapping[str, Value]) -> dict[str, Cell]:
    """Return a row as cells of CSV.

    Example:
        >>> to_cells({"track_id": None, "certain": True, "score": 0.5})
        {'track_id': '', 'certain': 1, 'score': 0.5}
    """
    return {
        name: "" if value is None else int(value) if isinstance(value, bool) else value
        for name, value in values.items()
    }
