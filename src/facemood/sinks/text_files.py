"""Tables and JSON: a text file grows under a temporary name and takes its own when it is closed.

That holds after an interruption too: what was read until then is kept.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from facemood.atomic import open_partial
from facemood.errors import OutputError
from facemood.results import Result
from facemood.sinks.sink import columns_of
from facemood.table import SCHEMA, Column, csv_line, to_cells


class FileSink:
    """A text file that grows beside its name and is renamed into place on closing.

    Args:
        path: The file's final name.
        info: What makes the results, as `EmotionRecognizer.info` gives it.
        layers: What pictures show; a text file shows none.

    Raises:
        OutputError: The place cannot be written to.
    """

    path: Path
    info: dict[str, Any]
    count: int

    wants_images = False

    def __init__(self, path: Path, info: dict[str, Any], layers: Collection[str] = ()) -> None:
        self.path, self.info, self.count = path, info, 0
        self._file, self._partial = open_partial(path, newline="", encoding="utf-8")
        self._put(self.head())

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

    def close(self) -> None:
        """Finish the file and give it its name."""
        if not self._file.closed:
            self._put(self.tail())
            self._attempt(self._file.close)
            self._attempt(lambda: self._partial.replace(self.path))

    def _put(self, text: str) -> None:
        """Write a text."""
        self._attempt(lambda: self._file.write(text))

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


class CsvSink(FileSink):
    """The table: one row a face, and one for each frame without a face."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of all rows, by what makes the results."""
        return columns_of(self.info)

    def head(self) -> str:
        """Return the header line."""
        return csv_line(column.name for column in self.columns)

    def body(self, result: Result) -> str:
        """Return the lines of one frame."""
        return "".join(csv_line(to_cells(row).values()) for row in result.values(self.columns))


class JsonLinesSink(FileSink):
    """One line of JSON a frame."""

    def body(self, result: Result) -> str:
        """Return the line of one frame."""
        return result.to_json() + "\n"


class JsonSink(FileSink):
    """One JSON object: what made the results, and the list of them, as `Analysis.to_json` gives it."""

    def head(self) -> str:
        """Return the opening up to the list."""
        return f'{{"schema": {SCHEMA}, "info": {json.dumps(self.info, ensure_ascii=False)}, "results": ['

    def body(self, result: Result) -> str:
        """Return the object of one frame."""
        return (",\n" if self.count else "\n") + result.to_json()

    def tail(self) -> str:
        """Return the closing."""
        return "\n]}\n"
