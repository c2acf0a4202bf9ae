"""The table as Parquet: typed columns, compressed, read at once by pandas, R, DuckDB and others."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from facemood.atomic import open_partial
from facemood.errors import OutputError, require
from facemood.results import Result
from facemood.sinks.sink import columns_of
from facemood.table import BOOLEAN, INTEGER, NUMBER, STRING, Column, Value

TYPES = {STRING: "string", INTEGER: "int64", NUMBER: "float64", BOOLEAN: "bool"}
"""Arrow's types by those of columns."""

GROUP = 20_000
"""Rows that are held in memory and then written together, as a row group."""


class ParquetSink:
    """The table as a Parquet file: the columns of the CSV, but typed, and with nulls where that has empty cells.

    It grows under a temporary name and takes its own when it is closed. What makes the results stands in its metadata,
    as JSON under the key ``facemood``.

    Args:
        path: The file's final name.
        info: What makes the results, as `EmotionRecognizer.info` gives it.
        layers: What pictures show; a table shows none.

    Raises:
        MissingExtraError: pyarrow is not installed (extra ``data``).
        OutputError: The place cannot be written to.

    Example:
        >>> import tempfile, pyarrow.parquet
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sink = ParquetSink(Path(folder, "table.parquet"), {"labels": ["happy", "sad"]})
        ...     sink.write(Result("talk.mp4", timestamp=0.0, labels=("happy", "sad")))
        ...     sink.close()
        ...     pyarrow.parquet.read_table(Path(folder, "table.parquet")).num_rows
        1
    """

    path: Path
    schema: Any

    wants_images = False

    def __init__(self, path: Path, info: dict[str, Any], layers: Collection[str] = ()) -> None:
        arrow, parquet = require("pyarrow", extra="data"), require("pyarrow.parquet", extra="data")
        self.columns: tuple[Column, ...] = columns_of(info)
        fields = [arrow.field(column.name, TYPES[column.type]) for column in self.columns]
        told = {"facemood": json.dumps(info, ensure_ascii=False)}
        self.path, self.schema = path, arrow.schema(fields, metadata=told)
        self._table = arrow.Table
        self._rows: list[dict[str, Value]] = []
        self._file, self._partial = open_partial(path, "wb")
        self._writer = parquet.ParquetWriter(self._file, self.schema)

    def write(self, result: Result) -> None:
        """Take in one result; from time to time the rows are written.

        Raises:
            OutputError: The place cannot be written to.
        """
        self._rows += result.values(self.columns)
        if len(self._rows) >= GROUP:
            self._flush()

    def close(self) -> None:
        """Finish the file and give it its name; once that is done, do nothing more.

        Raises:
            OutputError: The place cannot be written to.
        """
        if not self._file.closed:
            self._flush()
            self._attempt(self._writer.close)
            self._attempt(self._file.close)
            self._attempt(lambda: self._partial.replace(self.path))

    def _flush(self) -> None:
        """Write the rows that are held, as one row group."""
        if self._rows:
            columns = {name: [row[name] for row in self._rows] for name in self.schema.names}
            table = self._table.from_pydict(columns, schema=self.schema)
            self._attempt(lambda: self._writer.write_table(table))
            self._rows.clear()

    def _attempt(self, action: Callable[[], object]) -> None:
        """Do something with the file, and turn the system's refusal (a full disk, say) into our error."""
        try:
            action()
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.close()
            raise OutputError(
                f"{self.path}: cannot be written ({error.strerror or error}); a part stands in {self._partial}"
            ) from error
