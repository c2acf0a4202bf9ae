"""The table as Parquet: typed columns, compressed, read at once by pandas, R, DuckDB and others."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from facemood.atomic import Part
from facemood.errors import require
from facemood.results import Result
from facemood.sinks.sink import MANY, columns_of
from facemood.table import BOOLEAN, INTEGER, NUMBER, STRING, Column, Value

TYPES = {STRING: "string", INTEGER: "int64", NUMBER: "float64", BOOLEAN: "bool"}
"""Arrow's types by those of columns."""

GROUP = 20_000
"""Rows that are held in memory and then written together, as a row group."""


class ParquetSink:
    """The table as a Parquet file: the columns of the CSV, but typed, and with nulls where that has empty cells.

    It grows under a temporary name and takes its own when it is closed. Its metadata has the settings of the run,
    as JSON under the key ``facemood``.

    Args:
        path: The file's final name.
        info: Settings of the run, as `EmotionRecognizer.info` gives it.
        layers: What images show; a table shows none.

    Raises:
        MissingExtraError: pyarrow is not installed (extra ``data``).
        OutputError: The file cannot be written.

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
    size: int

    wants_images = False
    holds = MANY
    continues = True
    of_results = True

    def __init__(self, path: Path, info: dict[str, Any], layers: Collection[str] = ()) -> None:
        arrow, parquet = require("pyarrow", extra="data"), require("pyarrow.parquet", extra="data")
        self.columns: tuple[Column, ...] = columns_of(info)
        fields = [arrow.field(column.name, TYPES[column.type]) for column in self.columns]
        metadata = {"facemood": json.dumps(info, ensure_ascii=False)}
        self.path, self.schema = path, arrow.schema(fields, metadata=metadata)
        self._table, self._reader = arrow.Table, parquet.ParquetFile
        self._rows: list[dict[str, Value]] = []
        self.size = 0
        self._part = Part(path)
        self._writer = parquet.ParquetWriter(self._part.file, self.schema)

    @property
    def growing(self) -> Path:
        """Where the file grows until it is closed."""
        return self._part.path

    def write(self, result: Result) -> None:
        """Take in one result; from time to time the rows are written.

        Raises:
            OutputError: The file cannot be written.
        """
        before = len(self._rows)
        self._rows += result.values(self.columns)
        self.size += len(self._rows) - before
        if len(self._rows) >= GROUP:
            self._flush()

    def close(self, *, whole: bool = True) -> None:
        """Finish the file and give it its name, or that of an unfinished file; do nothing if it is closed.

        Raises:
            OutputError: The file cannot be written.
        """
        if not self._part.closed:
            self._flush()
            with self._part.writing():
                self._writer.close()
            self._part.commit(whole=whole)

    def discard(self) -> None:
        """Discard the file; an older one of its name stays."""
        with contextlib.suppress(OSError):
            self._writer.close()
        self._part.discard()

    def sync(self) -> None:
        """Do nothing: a Parquet file can only be read after it is closed, so a killed run cannot be resumed."""

    def extent(self, old: Path) -> int:
        """Return the rows of a file that an earlier run left; 0 where its columns are others, or it was not closed."""
        try:
            with self._reader(old) as file:
                return file.metadata.num_rows if file.schema_arrow.equals(self.schema) else 0
        except (OSError, ValueError):  # arrow's errors of damaged files are ValueErrors
            return 0

    def keep(self, old: Path, spans: Sequence[tuple[int, int]]) -> None:
        """Copy parts of a file that an earlier run left, each from a row to a row, in order."""
        position = 0
        with self._reader(old) as file:
            for batch in file.iter_batches():
                rows = self._table.from_batches([batch])
                for start, end in spans:
                    first, last = max(start - position, 0), min(end - position, len(rows))
                    if first < last:
                        kept = rows.slice(first, last - first).cast(self.schema)
                        with self._part.writing():
                            self._writer.write_table(kept)
                        self.size += len(kept)
                position += len(rows)

    def _flush(self) -> None:
        """Write the rows that are held, as one row group."""
        if self._rows:
            columns = {name: [row[name] for row in self._rows] for name in self.schema.names}
            table = self._table.from_pydict(columns, schema=self.schema)
            with self._part.writing():
                self._writer.write_table(table)
            self._rows.clear()
