"""All columns of all tables: name, type, unit and meaning of each column, and how its value is read.

Rows, JSON, CSV, Parquet, data frames, the server's greeting, recordings of the page and the codebook are made from
these lists.
"""

from facemood.table.column import (
    BOOLEAN,
    CODEBOOK,
    INTEGER,
    NUMBER,
    PIXEL_DECIMALS,
    SCHEMA,
    SHARE_DECIMALS,
    STRING,
    UNIT_DECIMALS,
    Cell,
    Column,
    Value,
    to_cells,
    values_of,
)
from facemood.table.fixed_columns import (
    ANGLE_COLUMNS,
    DESIGN_COLUMNS,
    FACE_COLUMNS,
    FRAME_COLUMNS,
    RowSource,
    describe_measure,
)
from facemood.table.label_columns import (
    CHANGE,
    RAW,
    REPEATED,
    TAKEN,
    VARIANTS,
    Design,
    Measures,
    column_name,
    columns_for,
    distinct_names,
    face_columns,
    is_free_name,
)
from facemood.table.summary_columns import summary_columns

__all__ = [
    "ANGLE_COLUMNS",
    "BOOLEAN",
    "CHANGE",
    "CODEBOOK",
    "DESIGN_COLUMNS",
    "FACE_COLUMNS",
    "FRAME_COLUMNS",
    "INTEGER",
    "NUMBER",
    "PIXEL_DECIMALS",
    "RAW",
    "REPEATED",
    "SCHEMA",
    "SHARE_DECIMALS",
    "STRING",
    "TAKEN",
    "UNIT_DECIMALS",
    "VARIANTS",
    "Cell",
    "Column",
    "Design",
    "Measures",
    "RowSource",
    "Value",
    "column_name",
    "columns_for",
    "describe_measure",
    "distinct_names",
    "face_columns",
    "is_free_name",
    "summary_columns",
    "to_cells",
    "values_of",
]
