"""Lists of inputs in a file: names, one a line, or a CSV file with a column of paths and others."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from facemood.csv_dialect import find_delimiter
from facemood.errors import SourceError, did_you_mean

PATH_COLUMNS = ("path", "file", "filename", "source", "image", "video")
"""Names of the column of paths that are known, in lower case."""


class InputList(NamedTuple):
    """The inputs that a file lists.

    Attributes:
        names: The inputs in their order.
        carried: The values of the other columns, by the name of the input.
    """

    names: list[str]
    carried: Mapping[str, Mapping[str, str]]


def read_input_list(file: str | Path, *, column: str | None = None) -> InputList:
    r"""Read a list of inputs.

    Args:
        file: Its name. A file that ends in ``.csv`` has a header; any other has one name a line.
        column: The column of paths in a CSV file; None takes the first one that is called like one (`PATH_COLUMNS`).

    Raises:
        SourceError: The file cannot be read, is empty, or has no such column.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "list.csv").write_text("person,path\nAda,a.jpg\n")
        ...     read_input_list(Path(folder, "list.csv"))
        InputList(names=['a.jpg'], carried={'a.jpg': {'person': 'Ada'}})
    """
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise SourceError(f"{file}: the list cannot be read ({error.strerror})") from None
    if path.suffix.lower() == ".csv":
        return _read_table(str(file), list(io.StringIO(text)), column)
    names = [_plain(line) for line in text.split("\n") if line.strip()]
    if not names:
        raise SourceError(f"{file}: the list is empty; expected one name a line")
    return InputList(names, {})


def _plain(name: str) -> str:
    """Return a name as folders and patterns give it, without ``./``; an address stays as it is.

    Example:
        >>> _plain("./a.jpg"), _plain("https://example.org/a.jpg"), _plain("")
        ('a.jpg', 'https://example.org/a.jpg', '')
    """
    return name if "://" in name or not name else str(Path(name))


def _read_table(file: str, lines: list[str], column: str | None) -> InputList:
    """Read the lines of a CSV file."""
    table = csv.DictReader(lines, delimiter=find_delimiter("".join(lines[:1])))
    header = list(table.fieldnames or [])
    known = [name for name in header if name.lower() in PATH_COLUMNS] if column is None else [column]
    if not known or known[0] not in header:
        wanted = f"there is no column {column!r}.{did_you_mean(column, header)}" if column else "no column has paths;"
        raise SourceError(f"{file}: {wanted} expected one called {', '.join(PATH_COLUMNS)}, or --column NAME")
    names: list[str] = []
    carried: dict[str, dict[str, str]] = {}
    for row in table:
        name = _plain(row.pop(known[0]) or "")
        if name:
            names.append(name)
            carried[name] = {key: value or "" for key, value in row.items() if key}
    if not names:
        raise SourceError(f"{file}: the list is empty; expected a row for each input")
    return InputList(names, carried)
