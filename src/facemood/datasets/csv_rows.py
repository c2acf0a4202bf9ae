"""Read CSV tables; errors name the file and the line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from facemood.csv_dialect import find_delimiter
from facemood.errors import DatasetError

FETCH_AGAIN = "the file is cut off or damaged; fetch it again"
"""The fix in messages for incomplete tables."""


LONGEST_HEAD = 65_536
"""Characters of the first line that are looked at for what separates the cells."""


def read_table(file: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the rows of a CSV file with their position; blank lines are skipped.

    Args:
        file: The table; its first line names the columns. Commas, semicolons or tabs separate the cells.
        columns: Required columns; there may be others.

    Yields:
        A text such as ``"votes.csv, line 7"`` for messages, and the row by column.

    Raises:
        DatasetError: Columns are missing, a row has too few or too many fields, or the file is not a text.
    """
    with file.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.reader(lines)
        try:
            rows = csv.reader(lines, delimiter=find_delimiter(lines.readline(LONGEST_HEAD)))
            lines.seek(0)
            header = [name.strip() for name in next(rows, [])]
            if not set(columns) <= set(header):
                found = ",".join(header)[:80] or "an empty file"
                raise DatasetError(f"{file}: expected the columns {','.join(columns)}, but found {found}")
            for row in filter(None, rows):
                where = f"{file}, line {rows.line_num}"
                if len(row) != len(header):
                    raise DatasetError(f"{where}: expected {len(header)} fields, but found {len(row)}; {FETCH_AGAIN}")
                yield where, dict(zip(header, row, strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise DatasetError(
                f"{file}, after line {rows.line_num}: this is not a CSV text ({error}); {FETCH_AGAIN}"
            ) from None


def whole_number(row: dict[str, str], column: str, where: str, *, most: int = 2**31) -> int:
    """Return a cell as an integer, 0 or more.

    Args:
        row: The row by column.
        column: The cell's column.
        where: Position of the row, for the message.
        most: Largest allowed number.

    Raises:
        DatasetError: The cell is not such a number.

    Example:
        >>> whole_number({"emotion": "3"}, "emotion", "fer2013.csv, line 2", most=6)
        3
    """
    text = row[column].strip()
    if not (text.isascii() and text.isdigit() and int(text) <= most):
        limits = f"0..{most}" if most < 2**31 else "a whole number"
        raise DatasetError(f"{where}: {column} must be {limits}, but is {text!r}; correct or remove the row")
    return int(text)
