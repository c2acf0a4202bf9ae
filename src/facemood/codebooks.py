"""The codebook of a table, written beside it in JSON: what each column holds, and how the table was made.

A table with a sidecar has it there. The others have a file of their own: those that are made of all results at once,
and those that `Analysis.to_csv`, `Result.save` and `facemood review` write.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from facemood.atomic import is_stream, replacing
from facemood.csv_dialect import write_csv
from facemood.errors import OutputConflictError
from facemood.locks import FileLock
from facemood.table import Cell, Column

SCHEMA = 1
"""Version of the format."""

CODEBOOK_MARK = "facemood_codebook"
"""Key that marks the codebook of a table without a sidecar; it has the name that a sidecar would have."""

SIDECAR_MARK = "facemood_outputs"
"""Key that marks a file as a sidecar."""


def codebook_path(table: str | os.PathLike[str]) -> Path:
    """Return the file of the codebook of a table that has no sidecar.

    Example:
        >>> codebook_path("summary.csv").name
        'summary.csv.json'
    """
    return Path(f"{os.fspath(table)}.json")


def with_codebook(file: Path) -> list[Path]:
    """Return a file that is to be written, and the codebook that comes beside it if it is a CSV table.

    Example:
        >>> [path.name for path in with_codebook(Path("face.csv"))], len(with_codebook(Path("face.png")))
        (['face.csv', 'face.csv.json'], 1)
    """
    return [file, codebook_path(file)] if file.suffix.lower() == ".csv" else [file]


def refuse_foreign_codebook(path: Path) -> None:
    """Refuse to write a codebook where another file stands.

    The codebook or the sidecar of an earlier table of this name is replaced with the table.

    Raises:
        OutputConflictError: The file was not written by facemood beside a table, or cannot be read.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise OutputConflictError(
            f"{path}: this name is needed for the codebook of the table, but cannot be used ({error.strerror}); move "
            "what is there away, or choose another output"
        ) from None
    check_codebook(str(path), data)


def check_codebook(path: str, data: bytes) -> None:
    """Check that a file is the codebook or the sidecar of a table.

    Args:
        path: Its name, for the error.
        data: Its bytes.

    Raises:
        OutputConflictError: It is another file.
    """
    try:
        known = json.loads(data)
    except (ValueError, RecursionError):
        known = None
    if not isinstance(known, dict) or not (CODEBOOK_MARK in known or (SIDECAR_MARK in known and known.get("table"))):
        raise OutputConflictError(
            f"{path}: this name is needed for the codebook of the table, but the file there is not a codebook; move it "
            "away, or choose another output"
        )


def codebook_text(table: str, columns: Sequence[Column], info: Mapping[str, Any]) -> str:
    """Return the codebook of a table as JSON; the arguments are those of `write_codebook`."""
    entries = [column.describe() for column in columns]
    known = {CODEBOOK_MARK: SCHEMA, "table": table, "settings": info, "codebook": entries}
    return json.dumps(known, indent=1, default=str) + "\n"


def write_codebook(path: Path, table: str, columns: Sequence[Column], info: Mapping[str, Any]) -> None:
    """Write the codebook of a table.

    Args:
        path: The file of the codebook.
        table: File name of the table.
        columns: Its columns.
        info: Settings of the run.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path, encoding="ascii") as file:
        file.write(codebook_text(table, columns, info))


def write_described_csv(
    path: str | os.PathLike[str],
    columns: Sequence[Column],
    rows: Iterable[Mapping[str, Cell]],
    info: Mapping[str, Any],
    *,
    dialect: str,
) -> Path:
    """Write a table as CSV, and its codebook beside it; standard output, devices and pipes get the table alone.

    Args:
        path: The table's file.
        columns: Its columns.
        rows: Its rows.
        info: Settings of the run.
        dialect: One of `facemood.csv_dialect.DIALECTS`.

    Raises:
        OutputConflictError: A file that facemood did not write stands where the codebook belongs; nothing is written.
        OutputBusyError: A run writes the table at present.
        OutputError: A file cannot be written.
        OptionError: There is no such dialect.
    """
    if is_stream(path):
        return write_csv(path, columns, rows, dialect=dialect)
    beside = codebook_path(path)
    with ExitStack() as stack:
        if beside.parent.is_dir():  # otherwise the folder is made with the table, and nobody writes there
            stack.callback(FileLock(beside).release)
        refuse_foreign_codebook(beside)
        written = write_csv(path, columns, rows, dialect=dialect)
        write_codebook(beside, written.name, columns, info)
    return written
