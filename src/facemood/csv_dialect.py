"""How tables are written as CSV: plainly, or so that a spreadsheet program reads the numbers and runs no text."""

from __future__ import annotations

import csv
import io
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from facemood.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from facemood.table import Cell, Column

logger: logging.Logger = logging.getLogger("facemood")

PLAIN = "plain"
"""UTF-8, lines that end in a line feed, and every text exactly as it is."""

EXCEL = "excel"
"""UTF-8 with a byte order mark, lines as Excel writes them, and no text that is taken for a formula."""

EXCEL_EU = "excel-eu"
"""As `EXCEL`, with semicolons between the cells and decimal commas, as Excel reads CSV in most of Europe."""

KEY = "csv_dialect"
"""Under which name a run's settings tell the dialect, where it is not `PLAIN`."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - full width, as in East Asia
"""How texts begin that spreadsheet programs take for formulas, or for what comes before one."""

GUARD = "'"
"""What comes before such a text: spreadsheet programs take what follows for text."""

MARK = "\ufeff"
"""The byte order mark, by which Excel knows UTF-8."""


DELIMITERS = ",;\t"
"""What may separate the cells of a table that is read."""


def find_delimiter(head: str) -> str:
    """Return what separates the cells of a table: the most frequent one of `DELIMITERS` in its first line.

    Example:
        >>> find_delimiter("file;glasses;light"), find_delimiter("file")
        (';', ',')
    """
    return max(DELIMITERS, key=head.count)


class Line(Protocol):
    """Writes one line of CSV."""

    def __call__(self, values: Iterable[object], /) -> str:
        """Return the line."""
        ...


def csv_line(values: Iterable[object], /) -> str:
    """Return one line of CSV in the dialect `PLAIN`.

    Example:
        >>> csv_line(["a, b.jpg", 0, ""]).strip()
        '"a, b.jpg",0,'
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(values)  # texts are quoted that hold a part of it
    return line.getvalue().removesuffix("\r\n") + "\n"


def cells_by_tab(values: Iterable[object], /) -> str:
    r"""Return one line of a table whose cells are separated by tabs; a tab or line break within a text is a space.

    Example:
        >>> cells_by_tab(["onset", 1.5, ""])
        'onset\t1.5\tn/a\n'
    """
    return "\t".join(" ".join(str(value).split()) or "n/a" for value in values) + "\n"


class ExcelLines:
    r"""Writes lines in the dialect `EXCEL`.

    Attributes:
        guarded: How many texts got an apostrophe.

    Example:
        >>> line = ExcelLines()
        >>> line(["source", "x1"]), line(["=1+1.jpg", -1.5]), line.guarded
        ('source,x1\r\n', "'=1+1.jpg,-1.5\r\n", 1)
    """

    delimiter: ClassVar[str] = ","
    """What stands between two cells."""

    guarded: int

    def __init__(self) -> None:
        self.guarded = 0

    def __call__(self, values: Iterable[object], /) -> str:
        """Return one line."""
        line = io.StringIO()
        writer = csv.writer(line, delimiter=self.delimiter, lineterminator="\r\n")
        writer.writerow(self.number(value) if isinstance(value, Number) else self._guard(value) for value in values)
        return line.getvalue()

    def number(self, value: Number) -> object:
        """Return how a number is written."""
        return value

    def _guard(self, value: object) -> object:
        """Put an apostrophe before a text that could be a formula."""
        if not isinstance(value, str) or not value.startswith(FORMULA):
            return value
        self.guarded += 1
        return GUARD + value

    def told(self) -> str:
        """Say how many texts were changed; empty if none was."""
        many = "1 text begins" if self.guarded == 1 else f"{self.guarded:,} texts begin"
        return f"{many} with an apostrophe, so that no spreadsheet takes it for a formula" * bool(self.guarded)


class EuropeanExcelLines(ExcelLines):
    r"""Writes lines in the dialect `EXCEL_EU`.

    Example:
        >>> EuropeanExcelLines()(["a;b.jpg", -1.5, 3])
        '"a;b.jpg";-1,5;3\r\n'
    """

    delimiter = ";"

    def number(self, value: Number) -> object:
        """Write the point of a decimal number as a comma."""
        return str(value).replace(".", ",")


LINES: dict[str, Callable[[], Line]] = {
    PLAIN: lambda: csv_line,
    EXCEL: ExcelLines,
    EXCEL_EU: EuropeanExcelLines,
}
"""What writes the lines of each dialect."""

DIALECTS = tuple(LINES)
"""All dialects."""


def check_dialect(name: str) -> str:
    """Return the name of a dialect.

    Raises:
        OptionError: There is none of that name.

    Example:
        >>> check_dialect("excel")
        'excel'
    """
    if name not in DIALECTS:
        raise OptionError(
            f"unknown CSV dialect {name!r}; expected {' or '.join(DIALECTS)}.{did_you_mean(name, DIALECTS)}"
        )
    return name


def lines_for(info: Mapping[str, Any]) -> Line:
    """Return what writes the lines of a run's tables.

    Args:
        info: The run's settings.

    Raises:
        OptionError: Their dialect is none.
    """
    return LINES[check_dialect(info.get(KEY, PLAIN))]()


def head_line(line: Line, names: Iterable[str]) -> str:
    """Return the first line of a table, with the byte order mark where the dialect has one."""
    return MARK * isinstance(line, ExcelLines) + line(names)


def write_csv(
    path: str | os.PathLike[str],
    columns: Iterable[Column],
    rows: Iterable[Mapping[str, Cell]],
    *,
    dialect: str = PLAIN,
) -> Path:
    """Write a table.

    Args:
        path: The file's name.
        columns: Its columns.
        rows: Its rows.
        dialect: One of `DIALECTS`.

    Raises:
        OutputError: The place cannot be written to.
        OptionError: There is no such dialect.
    """
    from facemood.atomic import replacing

    line = lines_for({KEY: dialect})
    with replacing(path, newline="", encoding="utf-8") as file:
        file.write(head_line(line, (column.name for column in columns)))
        file.writelines(line(row.values()) for row in rows)
    if isinstance(line, ExcelLines) and line.guarded:
        logger.warning("%s: %s", path, line.told())
    return Path(path)
