"""Tables that are written as a whole in the end: rows for other programs, and summaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from facemood.atomic import Part
from facemood.csv_dialect import head_line
from facemood.errors import require
from facemood.results import Result
from facemood.sinks.sink import MANY, columns_of, design_of, measures_of
from facemood.sinks.table_files import FORMATS, MODULES
from facemood.sinks.text_files import FileSink
from facemood.table import Column, Value, summary_columns, to_cells, values_of
from facemood.timeline import SummaryCollector


class RowsFileSink:
    """The table of faces as a file for Excel, SPSS or Stata: the columns of the CSV, typed, with the codebook.

    The file is written by `close`; until then, all rows are in memory, a kilobyte or two each.

    Args:
        path: The file's name; its suffix selects the format.
        info: Settings of the run, as `EmotionRecognizer.info` gives it.

    Raises:
        MissingExtraError: A package is not installed (extra ``study``).
        OutputError: The file cannot be written.
    """

    path: Path
    info: dict[str, Any]

    wants_images = False
    holds = MANY
    continues = False
    of_results = True
    described = True

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.path, self.info, self._suffix = path, info, path.suffix.lower()
        for module in MODULES[self._suffix]:
            require(module, extra="study")
        self._rows: list[dict[str, Value]] = []
        self.columns: tuple[Column, ...] = self.find_columns()
        self._part = Part(path)

    def find_columns(self) -> tuple[Column, ...]:
        """Return the columns of the table."""
        return columns_of(self.info)

    def write(self, result: Result) -> None:
        """Take in one result."""
        self._rows += result.values(self.columns)

    def rows(self) -> list[dict[str, Value]]:
        """Return all rows so far."""
        return self._rows

    def close(self, *, whole: bool = True) -> None:
        """Write the file and give it its name, or that of an unfinished file; do nothing if it is closed.

        Raises:
            OutputError: The file cannot be written.
        """
        if self._part.closed:
            return
        data = FORMATS[self._suffix](self.columns, self.rows(), self.info)
        with self._part.writing():
            self._part.file.write(data)
        self._part.commit(whole=whole)

    def discard(self) -> None:
        """Discard the file; an older one of its name stays."""
        self._part.discard()


class SummaryFileSink(RowsFileSink):
    """Summaries as a file for Excel, SPSS or Stata: a row for each segment of a study, or for each person of a video.

    Until it is closed, it needs about 130 bytes of memory per face.

    Args:
        path: The file's name; its suffix selects the format.
        info: Settings of the run, as `EmotionRecognizer.info` gives it.

    Raises:
        MissingExtraError: A package is not installed (extra ``study``).
        OutputError: The file cannot be written.
    """

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self._collector = SummaryCollector()
        super().__init__(path, info)

    def find_columns(self) -> tuple[Column, ...]:
        """Return the columns of summaries."""
        return summary_columns_of(self.info)

    def write(self, result: Result) -> None:
        """Take in one result."""
        self._collector.add(result)

    def rows(self) -> list[dict[str, Value]]:
        """Return the summaries so far."""
        return list(_summary_rows(self._collector, self.columns))


class SummaryCsvSink(FileSink):
    """Summaries as CSV: a row for each segment of a study, or for each person of a video.

    The file is written by `close`. Until then, the sink needs about 130 bytes of memory per face.

    Args:
        path: The file; its name is ``summary.csv``, or ends in ``.summary.csv``.
        info: Settings of the run, as `EmotionRecognizer.info` gives it.

    Raises:
        OutputError: The file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     SummaryCsvSink(Path(folder, "summary.csv"), {"labels": ["happy"]}).close()
        ...     Path(folder, "summary.csv").read_text()[:43]
        'source,track_id,start,seconds,seconds_seen,'
    """

    columns: tuple[Column, ...]

    described = True

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        self.columns, self._collector = summary_columns_of(info), SummaryCollector()
        super().__init__(path, info)

    def head(self) -> str:
        """Return the header line."""
        return head_line(self.line, (column.name for column in self.columns))

    def body(self, result: Result) -> str:
        """Add one result; nothing is written yet."""
        self._collector.add(result)
        return ""

    def tail(self) -> str:
        """Return a line for each summary."""
        return "".join(self.line(to_cells(row).values()) for row in _summary_rows(self._collector, self.columns))


def summary_columns_of(info: dict[str, Any]) -> tuple[Column, ...]:
    """Return the columns of a run's summaries, by its settings."""
    variants = tuple(info.get("variants", ()))
    return summary_columns(tuple(info["labels"]), variants, design_of(info), measures_of(info))


def _summary_rows(collector: SummaryCollector, columns: tuple[Column, ...]) -> Iterator[dict[str, Value]]:
    """Yield the summaries as rows."""
    for summary in collector.summaries():
        yield values_of(columns, summary)
