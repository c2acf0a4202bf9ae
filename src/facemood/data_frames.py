"""Tables as pandas DataFrames; the type of a column does not depend on the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facemood.errors import require
from facemood.table import BOOLEAN, INTEGER, NUMBER, STRING, Column, Value

DTYPES = {STRING: "string", INTEGER: "Int64", NUMBER: "float64", BOOLEAN: "boolean"}
"""The types of pandas by those of columns. All of them can have missing values."""


def data_frame(columns: Sequence[Column], rows: Sequence[Mapping[str, Value]]) -> Any:
    """Return a table as a DataFrame; empty cells are missing values.

    Args:
        columns: The columns: texts become ``string``, whole numbers ``Int64``, other numbers ``float64`` and truth
            values ``boolean``.
        rows: The rows as values by column name.

    Raises:
        MissingExtraError: pandas is not installed (extra ``data``).
    """
    pandas = require("pandas", extra="data")
    return pandas.DataFrame(
        {
            column.name: pandas.Series([row[column.name] for row in rows], dtype=DTYPES[column.type])
            for column in columns
        }
    )
