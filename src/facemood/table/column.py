"""Column: name, type, unit and meaning of one column of a table, and how its value is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SCHEMA = 1
"""Version of the table and of the JSON. It changes when programs that read them must be changed."""

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

Value = str | int | float | bool | None
"""Value of a column; None is an empty cell."""

Cell = str | int | float
"""Value in a CSV row: an empty string for a missing value, 0 or 1 for a boolean."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: Name in the header of the table.
        type: `STRING`, `INTEGER`, `NUMBER` or `BOOLEAN`.
        meaning: The meaning in one sentence.
        read: Function that returns the value for a row, or None. What it is given depends on the table: a `RowSource`,
            or a summary.
        path: Path of the value in the JSON of a Result: keys of objects and indices of lists. After ``"faces"``, the
            path continues in one face. Empty for a column of another table.
        unit: Unit of the value; empty without one.
        range: Possible values; empty if there is no limit.
        decimals: Decimals of a rounded number; None without rounding.
    """

    name: str
    type: str
    meaning: str
    read: Callable[[Any], Value]
    path: tuple[str | int, ...] = ()
    unit: str = ""
    range: str = ""
    decimals: int | None = None

    def value(self, source: Any) -> Value:
        """Return the rounded value for a row; None if it has none."""
        value = self.read(source)
        if value is None or self.decimals is None:
            return value
        return round(float(value), self.decimals) + 0.0  # no -0.0

    def describe(self) -> dict[str, Value]:
        """Return the entry of the column in the codebook."""
        return {name: getattr(self, name) for name in CODEBOOK}


def values_of(columns: Iterable[Column], source: Any) -> dict[str, Value]:
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
