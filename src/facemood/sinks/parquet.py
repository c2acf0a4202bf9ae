"""The table as Parquet: typed columns, compressed, read at once by pandas, R, DuckDB and others.

A Parquet file can only be read when it is closed. So the rows grow as a stream in Arrow's format, which can be read up
to its last whole part at any time, and become a Parquet file in the end. A run that was killed goes on from the stream.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
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


MAGIC = b"PAR1"
"""The first bytes of a Parquet file."""


class ParquetSink:
    """The table as a Parquet file: the columns of the CSV, but typed, and with nulls where that has empty cells.

    It grows under a temporary name as a stream of Arrow's, and becomes a Parquet file of its own name when it is
    closed. Output to a pipe is Parquet from the start. Its metadata has the settings of the run, as JSON under the key
    ``facemood``.

    Args:
        path: The file's final name.
        info: Settings of the run, as `EmotionRecognizer.info` gives it.
        more: Columns after those of every table.

    Attributes:
        notes: Texts for the file's metadata, by key, that are known only in the end.

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
    info: dict[str, Any]
    schema: Any
    size: int

    wants_images = False
    holds = MANY
    continues = True
    of_results = True
    described = True

    def __init__(self, path: Path, info: dict[str, Any], *, more: Iterable[Column] = ()) -> None:
        arrow, parquet = require("pyarrow", extra="data"), require("pyarrow.parquet", extra="data")
        self._ipc: Any = require("pyarrow.ipc", extra="data")
        self.columns: tuple[Column, ...] = (*columns_of(info), *more)
        fields = [arrow.field(column.name, TYPES[column.type]) for column in self.columns]
        metadata = {"facemood": json.dumps(info, ensure_ascii=False)}
        self.path, self.info, self.schema = path, info, arrow.schema(fields, metadata=metadata)
        self._table, self._parquet = arrow.Table, parquet
        self._rows: list[dict[str, Value]] = []
        self.size = 0
        self.notes: dict[str, str] = {}
        self._part = Part(path)
        self._writer = self._new_parquet(self._part) if self._part.direct else self._new_stream()

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
            if not self._part.direct:
                self._convert()
            self._part.commit(whole=whole)

    def discard(self) -> None:
        """Discard the file; an older one of its name stays."""
        with contextlib.suppress(OSError, ValueError):  # arrow's error of a file that is closed
            self._writer.close()
        self._part.discard()

    def sync(self) -> None:
        """Write the rows that are held, and sync the file to the disk."""
        self._flush()
        with self._part.writing():
            self._part.sync()

    def extent(self, old: Path) -> int:
        """Return the whole rows of a file that an earlier run left; 0 where its columns are others."""
        return sum(batch.num_rows for batch in self._batches_of(old))

    def keep(self, old: Path, spans: Sequence[tuple[int, int]]) -> None:
        """Copy parts of a file that an earlier run left, each from a row to a row, in order."""
        position = 0
        for batch in self._batches_of(old):
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

    def _new_stream(self) -> Any:
        """Return a writer of Arrow's stream format into the growing file."""
        return self._ipc.new_stream(self._part.file, self.schema)

    def _new_parquet(self, part: Part) -> Any:
        """Return a writer of Parquet."""
        return self._parquet.ParquetWriter(part.file, self.schema)

    def _convert(self) -> None:
        """Replace the growing stream by a Parquet file with the same rows."""
        whole = Part(self.path, lasting=False)
        try:
            with self._part.writing():
                self._part.sync()
                writer = self._new_parquet(whole)
                for rows in self._grouped(self._batches_of(self._part.path)):
                    writer.write_table(rows)
                if self.notes:
                    writer.add_key_value_metadata(self.notes)
                writer.close()
                whole.sync()
                whole.file.close()
                self._part.file.close()
                whole.path.replace(self._part.path)
        finally:
            whole.discard()

    def _grouped(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Join record batches to tables of `GROUP` rows or a little more."""
        held: list[Any] = []
        for batch in batches:
            held.append(batch)
            if sum(one.num_rows for one in held) >= GROUP:
                yield self._table.from_batches(held)
                held = []
        if held:
            yield self._table.from_batches(held)

    def _batches_of(self, file: Path) -> Iterator[Any]:
        """Yield the record batches of a Parquet file or a stream with these columns, up to where it is damaged."""
        damage = (OSError, ValueError)  # arrow's errors of damaged files are ValueErrors
        with contextlib.suppress(*damage), file.open("rb") as stored:
            if stored.read(len(MAGIC)) == MAGIC:
                with self._parquet.ParquetFile(file) as table:
                    if table.schema_arrow.equals(self.schema):
                        yield from table.iter_batches()
                return
            stored.seek(0)
            with self._ipc.open_stream(stored) as stream:
                if stream.schema.equals(self.schema):
                    yield from stream
