"""A table as a folder of Parquet files, for tables that are larger than one file should be.

DuckDB reads it as ``'all/*.parquet'``; pandas, polars, R and Spark read the folder.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from facemood.archive.archive_place import LocalPlace, Place, growing_file
from facemood.errors import OutputConflictError, OutputError

FILE_ROWS = 1_000_000
"""Rows of a file, or a few more: some 300 MB."""

FILE_NAME = re.compile(r"rows-\d{5,}\.parquet")
"""How the files are called."""

CODEBOOK_FILE = "_codebook.json"
"""File of the codebook; readers of a folder leave out what begins with an underscore."""

WriteTables: TypeAlias = "Callable[[Path, Iterable[Any]], None]"
"""Writes Arrow tables as one Parquet file."""


def write_table_folder(place: Place, tables: Iterable[Any], write: WriteTables) -> None:
    """Write Arrow tables as a folder; an earlier one is replaced when the whole of the new one is there.

    Raises:
        OutputConflictError: The folder holds other files, or the working folder is in it.
        OutputError: It cannot be written.
    """
    if isinstance(place, LocalPlace) and Path.cwd().is_relative_to(place.path.resolve()):
        raise OutputConflictError(
            f"{place.name}: the working folder cannot be replaced by a table; give the name of a new folder"
        )
    old = place.list("")
    strangers = [name for name in old if not FILE_NAME.fullmatch(name) and name != CODEBOOK_FILE]
    if strangers:
        raise OutputConflictError(
            f"{place.name}: the folder holds other files, such as {strangers[0]}; give the name of a new folder"
        )
    if isinstance(place, LocalPlace):
        _write_local(place.path, tables, write)
        return
    new = set(_write_files(place, tables, write))
    for name in filter(lambda name: name not in new, old):
        place.remove(name)


def _write_local(folder: Path, tables: Iterable[Any], write: WriteTables) -> None:
    """Write a folder under another name, and rename it."""
    growing = folder.with_name(f".{folder.name}.{os.urandom(8).hex()}.part")
    try:
        growing.mkdir(parents=True)
        list(_write_files(LocalPlace(growing), tables, write))
        if folder.is_dir():
            shutil.rmtree(folder)
        growing.replace(folder)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot be written ({error.strerror}); free space or choose another place"
        ) from error
    finally:
        shutil.rmtree(growing, ignore_errors=True)


def _write_files(place: Place, tables: Iterable[Any], write: WriteTables) -> Iterator[str]:
    """Write the files, and yield their names; there is one also without rows."""
    coming = iter(tables)
    first = next(coming, None)
    number = 0
    while first is not None or number == 0:
        name = f"rows-{number:05d}.parquet"
        with growing_file(place, name) as path:
            write(path, () if first is None else _until_full(first, coming))
        yield name
        first, number = next(coming, None), number + 1


def _until_full(first: Any, coming: Iterator[Any]) -> Iterator[Any]:
    """Yield tables for one file."""
    yield first
    rows = len(first)
    while rows < FILE_ROWS and (table := next(coming, None)) is not None:
        yield table
        rows += len(table)
