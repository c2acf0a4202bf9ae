"""The codebook of a table: what each column holds, as Markdown to read or as CSV."""

from __future__ import annotations

import re
from collections.abc import Sequence

from facemood.csv_dialect import csv_line
from facemood.results import Result
from facemood.sinks.sink import columns_of
from facemood.sinks.text_files import FileSink
from facemood.sinks.whole_tables import summary_columns_of
from facemood.table import CODEBOOK, Column
from facemood.text import markdown_table

MARKUP = re.compile(r"[\\`*\[\]<>|~&#]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown may take for more than itself in a table; underscores within a word are safe."""


class CodebookSink(FileSink):
    """The codebook of the run's table. The name's ending says how it is written: ``codebook.md`` or ``codebook.csv``.

    The codebook of summaries is called ``summary-codebook.md`` or ``.csv``, or its name ends so.

    Args:
        path: The file's name.
        info: Settings of the run; its labels and variants say which columns there are.

    Raises:
        OutputError: The file cannot be written.
    """

    of_results = False

    def head(self) -> str:
        """Return the whole codebook; the results add nothing."""
        summary = self.path.stem.lower().endswith(("summary-codebook", "summary.codebook"))
        columns = summary_columns_of(self.info) if summary else columns_of(self.info)
        return codebook_csv(columns) if self.path.suffix.lower() == ".csv" else codebook_markdown(columns)

    def body(self, result: Result) -> str:
        """Return nothing."""
        return ""


def codebook_csv(columns: Sequence[Column]) -> str:
    """Return a codebook as CSV; empty cells where a column has no unit, range or decimals.

    Example:
        >>> from facemood.table import FACE_COLUMNS
        >>> print(codebook_csv(FACE_COLUMNS[2:3]).strip())
        name,type,unit,range,decimals,meaning
        x1,number,px,,1,"Left edge of the bounding box, from the left edge of the image"
    """
    return "".join(map(csv_line, [CODEBOOK, *(column.describe().values() for column in columns)]))


def codebook_markdown(columns: Sequence[Column]) -> str:
    """Return a codebook as a table of Markdown.

    Example:
        >>> from facemood.table import FACE_COLUMNS
        >>> print(codebook_markdown(FACE_COLUMNS[2:3]).strip())
        | name | type | unit | range | decimals | meaning |
        |---|---|---|---|---|---|
        | x1 | number | px |  | 1 | Left edge of the bounding box, from the left edge of the image |
    """
    rows = [{name: _cell(value) for name, value in column.describe().items()} for column in columns]
    return markdown_table(rows) + "\n"


def _cell(value: object) -> str:
    """Return a cell of Markdown, in which nothing is taken for markup."""
    return MARKUP.sub(r"\\\g<0>", "" if value is None else str(value))
