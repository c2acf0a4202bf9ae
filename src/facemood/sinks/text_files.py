"""Tables and JSON: a text file grows under a temporary name and takes its own when it is closed.

That holds after an interruption too: results so far are kept.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facemood.atomic import Part
from facemood.csv_dialect import ExcelLines, Line, head_line, lines_for
from facemood.results import Failure, Result
from facemood.sinks.sink import MANY, columns_of
from facemood.table import SCHEMA, Column, to_cells

logger: logging.Logger = logging.getLogger("facemood")

BLOCK = 1 << 20
"""Bytes that are copied at once."""


class FileSink:
    """A text file that grows under a temporary name and is renamed into place on closing.

    Args:
        path: The file's final name.
        info: Settings of the run, as `EmotionRecognizer.info` gives it.

    Raises:
        OutputError: The file cannot be written.
    """

    path: Path
    info: dict[str, Any]
    count: int
    size: int
    line: Line

    wants_images = False
    holds = MANY
    continues = False
    of_results = True
    described = False

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.path, self.info, self.count, self.size = path, info, 0, 0
        self.line = lines_for(info)
        self._part = Part(path)
        self._put(self.head())

    @property
    def growing(self) -> Path:
        """Where the file grows until it is closed."""
        return self._part.path

    def head(self) -> str:
        """Return what stands before the first result."""
        return ""

    def body(self, result: Result) -> str:
        """Return what stands for one result."""
        raise NotImplementedError

    def tail(self) -> str:
        """Return what stands after the last result."""
        return ""

    def write(self, result: Result) -> None:
        """Write one result."""
        self._put(self.body(result))
        self.count += 1
        if self._part.direct:
            self.sync()

    def close(self, *, whole: bool = True) -> None:
        """Finish the file and give it its name, or that of an unfinished file."""
        if not self._part.closed:
            self._put(self.tail())
            if isinstance(self.line, ExcelLines) and self.line.guarded:
                logger.warning("%s: %s", self.path, self.line.told())
            self._part.commit(whole=whole)

    def discard(self) -> None:
        """Discard the file; an older one of its name stays."""
        self._part.discard()

    def sync(self) -> None:
        """Sync the file to the disk."""
        with self._part.writing():
            self._part.sync()

    def extent(self, old: Path) -> int:
        """Return the bytes of a file that an earlier run left, 0 where its head is another."""
        head = self.head().encode()
        with contextlib.suppress(OSError), old.open("rb") as file:
            return old.stat().st_size if file.read(len(head)) == head else 0
        return 0

    def keep(self, old: Path, spans: Sequence[tuple[int, int]]) -> None:
        """Copy parts of a file that an earlier run left, each from a byte to a byte."""
        with old.open("rb") as file:
            for start, end in spans:
                file.seek(start)
                while data := file.read(min(end - start, BLOCK)):
                    self._write(data)
                    start += len(data)

    def _put(self, text: str) -> None:
        """Write a text."""
        self._write(text.encode())

    def _write(self, data: bytes) -> None:
        """Write bytes."""
        with self._part.writing():
            self._part.file.write(data)
        self.size += len(data)


class CsvSink(FileSink):
    """The table: one row a face, and one for each frame without a face."""

    continues = True
    described = True

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of all rows, by the settings of the run."""
        return columns_of(self.info)

    def head(self) -> str:
        """Return the header line."""
        return head_line(self.line, (column.name for column in self.columns))

    def body(self, result: Result) -> str:
        """Return the lines of one frame."""
        return "".join(self.line(to_cells(row).values()) for row in result.values(self.columns))


class JsonLinesSink(FileSink):
    """One line of JSON a frame."""

    continues = True

    def body(self, result: Result) -> str:
        """Return the line of one frame."""
        return result.to_json() + "\n"


class JsonSink(FileSink):
    """One JSON object: settings, results and failures, with the content of `Analysis.to_json`."""

    failures: tuple[Failure, ...] = ()

    def fail(self, failure: Failure) -> None:
        """Keep a failure for the end of the file."""
        self.failures += (failure,)

    def head(self) -> str:
        """Return the opening up to the list."""
        return f'{{"schema": {SCHEMA}, "info": {json.dumps(self.info, ensure_ascii=False)}, "results": ['

    def body(self, result: Result) -> str:
        """Return the object of one frame."""
        return (",\n" if self.count else "\n") + result.to_json()

    def tail(self) -> str:
        """Return the closing."""
        failures = json.dumps([failure.to_dict() for failure in self.failures], ensure_ascii=False)
        return f'\n], "failures": {failures}}}\n'
