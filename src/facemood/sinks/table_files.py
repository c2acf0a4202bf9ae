"""Tables for other programs: Excel (.xlsx), SPSS (.sav) and Stata (.dta), with the codebook inside."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from facemood.errors import OutputError, require
from facemood.table import BOOLEAN, CODEBOOK, INTEGER, NUMBER, STRING, Column, Value

MOST_XLSX = 1_048_575
"""Most rows of a sheet below its header, by the format."""

MOST_CELL = 32_767
"""Most characters of a cell in a sheet."""

SAV_NAME = 64
"""Most bytes of a variable's name in SPSS."""

DTA_NAME = 32
"""Most characters of a variable's name in Stata."""

SAV_LABEL = 255
"""Most bytes of a variable's label in SPSS."""

DTA_LABEL = 80
"""Most characters of a variable's label in Stata."""

SAV_WIDTH = 12
"""Most characters of a number as SPSS shows it."""

IDENTIFIERS = ("face", "track_id")
"""Whole numbers that name something: a nominal variable, of which SPSS computes no mean."""

Rows = Sequence[Mapping[str, Value]]
"""Rows of a table as values by column name."""


def to_xlsx(columns: Sequence[Column], rows: Rows, info: Mapping[str, Any]) -> bytes:
    """Return a table as an Excel file with the sheets ``table``, ``codebook`` and ``settings``.

    No text is taken for a formula or a link.

    Args:
        columns: The columns.
        rows: The rows.
        info: Settings of the run.

    Raises:
        OutputError: There are more rows than a sheet can have.
    """
    if len(rows) > MOST_XLSX:
        raise OutputError(f".xlsx: {len(rows):,} rows are more than a sheet can have ({MOST_XLSX:,}); write .csv")
    stream = BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    book = require("xlsxwriter", extra="study").Workbook(stream, options)
    head = book.add_format({"bold": True, "bottom": 1})
    settings = [{"setting": key, "value": json.dumps(value, ensure_ascii=False)} for key, value in info.items()]
    _add_sheet(book, "table", [column.name for column in columns], rows, head)
    _add_sheet(book, "codebook", CODEBOOK, [column.describe() for column in columns], head)
    _add_sheet(book, "settings", ("setting", "value"), settings, head)
    book.close()
    return stream.getvalue()


def _add_sheet(book: Any, name: str, head: Sequence[str], rows: Iterable[Mapping[str, Value]], bold: Any) -> None:
    """Add a sheet whose first row stays in view."""
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    widths = [len(column) for column in head]
    for place, column in enumerate(head):
        sheet.write_string(0, place, column, bold)
    for number, row in enumerate(rows, 1):
        for place, column in enumerate(head):
            value = row[column]
            if value is None:
                continue
            if isinstance(value, str):
                value = value[:MOST_CELL]
            elif isinstance(value, bool):
                value = int(value)
            sheet.write(number, place, value)
            widths[place] = max(widths[place], min(len(str(value)), 60))
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width + 2)


def to_sav(columns: Sequence[Column], rows: Rows, info: Mapping[str, Any]) -> bytes:
    """Return a table as an SPSS file: each variable has its meaning as label; truth values are 0 and 1.

    Numbers are scale variables and show their decimals; texts, truth values and `IDENTIFIERS` are nominal.

    A name that SPSS does not accept is changed; the label begins with the original one then.

    Args:
        columns: The columns.
        rows: The rows.
        info: Settings of the run, which are kept as the file's note.
    """
    names = valid_names([column.name for column in columns], SAV_NAME)
    note = [f"{key}: {json.dumps(value, ensure_ascii=True)}"[:80] for key, value in info.items()]
    pairs = list(zip(names, columns, strict=True))
    formats = {name: shown for name, column in pairs if (shown := _sav_format(column))}
    measures = {name: _measure(column) for name, column in pairs}
    more = {"note": note, "variable_measure": measures, "variable_format": formats}
    return _by_pyreadstat("write_sav", columns, rows, names, SAV_LABEL, **more)


def _measure(column: Column) -> str:
    """Return the level of measurement of a variable in SPSS."""
    return "scale" if column.type in (INTEGER, NUMBER) and column.name not in IDENTIFIERS else "nominal"


def _sav_format(column: Column) -> str:
    """Return how SPSS shows a number; empty for texts, and for numbers without known decimals."""
    decimals = 0 if column.type in (INTEGER, BOOLEAN) else column.decimals
    return "" if column.type == STRING or decimals is None else f"F{SAV_WIDTH}.{decimals}"


def to_dta(columns: Sequence[Column], rows: Rows, info: Mapping[str, Any]) -> bytes:
    """Return a table as a Stata file (version 15), with labels as in `to_sav`; the settings are not in it."""
    names = valid_names([column.name for column in columns], DTA_NAME)
    return _by_pyreadstat("write_dta", columns, rows, names, DTA_LABEL)


def _by_pyreadstat(
    writer: str, columns: Sequence[Column], rows: Rows, names: Sequence[str], most: int, **more: Any
) -> bytes:
    """Write a table by a function of pyreadstat, which can write files only, and return it."""
    import tempfile  # loads OpenSSL

    pyreadstat, pandas = require("pyreadstat", extra="study"), require("pandas", extra="study")
    series, labels, values = {}, [], {}
    for column, name in zip(columns, names, strict=True):
        cells = [row[column.name] for row in rows]
        if column.type == STRING:
            series[name] = pandas.Series(["" if cell is None else cell for cell in cells], dtype=object)
        else:
            series[name] = pandas.Series([None if cell is None else float(cell) for cell in cells], dtype="float64")
        if column.type == BOOLEAN:
            values[name] = {0.0: "no", 1.0: "yes"}
        meaning = column.meaning if name == column.name else f"{column.name}: {column.meaning}"
        unit = f" ({column.unit})" if column.type == NUMBER and column.unit else ""
        labels.append(_shorten(meaning, most - len(unit)) + unit)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table")
        write: Callable[..., None] = getattr(pyreadstat, writer)
        write(pandas.DataFrame(series), str(path), column_labels=labels, variable_value_labels=values, **more)
        return path.read_bytes()


def _shorten(text: str, most: int) -> str:
    """Return a text of at most a number of bytes in UTF-8."""
    return text.encode()[:most].decode(errors="ignore")


def valid_names(names: Sequence[str], most: int) -> list[str]:
    """Return names as SPSS and Stata accept them, no two of which differ only in case.

    Args:
        names: The names.
        most: Most characters of a name.

    Example:
        >>> valid_names(["share_happy", "not sure", "not_sure", "7th", "a" * 40], 32)
        ['share_happy', 'not_sure_2', 'not_sure', 'v_7th', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa']
    """
    plain = [re.sub(r"[^A-Za-z0-9_]", "_", name) for name in names]
    plain = [(name if re.match("[A-Za-z]", name) else f"v_{name}".replace("__", "_"))[:most] for name in plain]
    taken = {made.casefold() for name, made in zip(names, plain, strict=True) if name == made}
    found = []
    for name, made in zip(names, plain, strict=True):
        number, unique = 1, made
        while name != made and unique.casefold() in taken:
            number += 1
            unique = f"{made[: most - len(str(number)) - 1]}_{number}"
        taken.add(unique.casefold())
        found.append(unique)
    return found


COMPLETE = (".xlsx",)
"""Formats that hold the whole codebook and the settings. SPSS and Stata shorten labels, and Stata has no settings."""

FORMATS: dict[str, Callable[[Sequence[Column], Rows, Mapping[str, Any]], bytes]] = {
    ".xlsx": to_xlsx,
    ".sav": to_sav,
    ".dta": to_dta,
}
"""The formats by the ending of a name."""

MODULES: dict[str, tuple[str, ...]] = {
    ".xlsx": ("xlsxwriter",),
    ".sav": ("pyreadstat", "pandas"),
    ".dta": ("pyreadstat", "pandas"),
}
"""The modules that each of them needs."""
