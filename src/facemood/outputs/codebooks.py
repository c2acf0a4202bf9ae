"""The codebook of a table, written beside it in JSON: what each column holds, and how the table was made.

A table with a sidecar has it there. The others, which are made of all results at once, have a file of their own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from facemood.atomic import replacing
from facemood.errors import OutputConflictError
from facemood.sinks import DescribedSink

MARK = "facemood_codebook"
"""Key that marks a file as a codebook; its value is `SCHEMA`."""

SCHEMA = 1
"""Version of the format."""


def codebook_of(sink: object) -> list[dict[str, Any]]:
    """Return the entry of each column of a table; empty for another output."""
    return [dict(column.describe()) for column in sink.columns] if isinstance(sink, DescribedSink) else []


def refuse_foreign_codebook(path: Path) -> None:
    """Refuse to write a codebook where another file stands.

    Raises:
        OutputConflictError: The file was not written by facemood as a codebook.
    """
    try:
        known = json.loads(path.read_bytes())
    except FileNotFoundError:
        return
    except (OSError, ValueError, RecursionError):
        known = None
    if not isinstance(known, dict) or MARK not in known:
        raise OutputConflictError(
            f"{path}: this name is needed for the codebook of the table, but the file there is not a codebook; move it "
            "away, or choose another output"
        )


def write_codebook(path: Path, table: str, sink: object) -> None:
    """Write the codebook of a table.

    Args:
        path: The file of the codebook.
        table: File name of the table.
        sink: The table's writer; nothing is written for another output.

    Raises:
        OutputError: The file cannot be written.
    """
    if not isinstance(sink, DescribedSink):
        return
    known = {MARK: SCHEMA, "table": table, "settings": sink.info, "codebook": codebook_of(sink)}
    with replacing(path, encoding="ascii") as file:
        file.write(json.dumps(known, indent=1, default=str) + "\n")
