"""Sinks: results are written as they come, by a writer that the file's ending chooses."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from facemood.errors import OutputError, did_you_mean
from facemood.render import PICTURES
from facemood.sinks.pictures import FolderSink, PictureSink
from facemood.sinks.sink import Sink
from facemood.sinks.text import CsvSink, JsonLinesSink, JsonSink

__all__ = ["SINKS", "CsvSink", "FolderSink", "JsonLinesSink", "JsonSink", "PictureSink", "Sink", "open_sink"]

SINKS: dict[str, Callable[[Path, dict[str, Any], Collection[str]], Sink]] = {
    ".csv": CsvSink,
    ".jsonl": JsonLinesSink,
    ".json": JsonSink,
    **dict.fromkeys(PICTURES, PictureSink),
    "": FolderSink,
}
"""A new writer is a new line here."""


def open_sink(path: str, info: dict[str, Any], *, layers: Collection[str] = ()) -> Sink:
    """Choose a writer by a name's ending; a name without one, or that ends in a slash, is a folder of pictures.

    Args:
        path: Where to write.
        info: What makes the results, as `EmotionRecognizer.info` gives it.
        layers: What pictures show beside boxes and labels, as for `Result.draw`.

    Raises:
        OutputError: The ending or a layer is unknown, or the place cannot be written to.
    """
    suffix = "" if path.endswith("/") or Path(path).is_dir() else Path(path).suffix.lower()
    if suffix not in SINKS:
        known = [ending for ending in SINKS if ending]
        raise OutputError(
            f"{path}: unknown kind of output {suffix!r}; expected {', '.join(known)} or a folder."
            f"{did_you_mean(suffix, known)}"
        )
    return SINKS[suffix](Path(path), info, layers)
