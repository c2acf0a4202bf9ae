"""Sinks: results are written as they come, by a writer that the file's ending chooses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from facemood.atomic import STDOUT, is_stream
from facemood.errors import OutputError, did_you_mean
from facemood.render import IMAGE_SUFFIXES
from facemood.sinks.annotated_images import FolderSink, PictureSink
from facemood.sinks.annotation_files import (
    ElanSink,
    EventsCodebookSink,
    EventsSink,
    PraatSink,
    SubtitlesSink,
)
from facemood.sinks.codebook import CodebookSink
from facemood.sinks.episode_table import EpisodesSink
from facemood.sinks.parquet import ParquetSink
from facemood.sinks.peer_tables import OpenFaceSink, PyFeatSink
from facemood.sinks.report import ReportSink
from facemood.sinks.sink import MANY, ONE_PHOTO, ONE_VIDEO, Continuable, FailureSink, Sink
from facemood.sinks.table_files import FORMATS
from facemood.sinks.text_files import CsvSink, JsonLinesSink, JsonSink
from facemood.sinks.video_file import VideoSink
from facemood.sinks.whole_tables import RowsFileSink, SummaryCsvSink, SummaryFileSink

__all__ = ["MANY", "ONE_PHOTO", "ONE_VIDEO", "SINKS", "Continuable", "FailureSink", "Sink", "open_sink", "sink_kind"]

SUMMARY = ".summary"
"""Start of the endings of summaries, which may also stand alone: ``talk.summary.csv``, ``summary.csv``."""

SINKS: dict[str, Any] = {
    ".summary.csv": SummaryCsvSink,
    **dict.fromkeys((f".summary{suffix}" for suffix in FORMATS), SummaryFileSink),
    ".episodes.csv": EpisodesSink,
    ".eaf": ElanSink,
    ".textgrid": PraatSink,
    ".srt": SubtitlesSink,
    ".vtt": SubtitlesSink,
    "_events.tsv": EventsSink,
    "_events.json": EventsCodebookSink,
    ".openface.csv": OpenFaceSink,
    ".pyfeat.csv": PyFeatSink,
    "codebook.csv": CodebookSink,
    "codebook.md": CodebookSink,
    ".csv": CsvSink,
    ".parquet": ParquetSink,
    **dict.fromkeys(FORMATS, RowsFileSink),
    ".jsonl": JsonLinesSink,
    ".json": JsonSink,
    ".mp4": VideoSink,
    ".html": ReportSink,
    **dict.fromkeys(IMAGE_SUFFIXES, PictureSink),
}
"""A new writer is a new line here; the first ending that fits counts."""


def sink_kind(path: str) -> Any:
    """Return the kind of writer for a name; one without an ending, or that ends in a slash, is a folder of images.

    Standard output (``-``), devices and pipes without a known ending get the table as CSV.

    Raises:
        OutputError: The ending is unknown.

    Example:
        >>> [sink_kind(name).__name__ for name in ("clip.episodes.csv", "images/", "summary.csv", "my-summary.csv")]
        ['EpisodesSink', 'FolderSink', 'SummaryCsvSink', 'CsvSink']
    """
    if path.endswith("/"):
        return FolderSink
    for ending, kind in SINKS.items():
        if path.lower().endswith(ending) or (ending.startswith(SUMMARY) and Path(path).name.lower() == ending[1:]):
            return kind
    if is_stream(path) and path.removeprefix(STDOUT) in ("", path):
        return CsvSink
    suffix = Path(path).suffix.lower()
    if not suffix or Path(path).is_dir():
        return FolderSink
    raise OutputError(
        f"{path}: unknown kind of output {suffix!r}; expected {', '.join(SINKS)} or a folder."
        f"{did_you_mean(suffix, list(SINKS))}"
    )


def open_sink(
    path: str,
    info: dict[str, Any],
    *,
    layers: Collection[str] = (),
    anonymize: str = "",
    names: Mapping[str, str] | None = None,
) -> Sink:
    """Open the writer for a name.

    Args:
        path: Where to write.
        info: Settings of the run, as `EmotionRecognizer.info` gives it.
        layers: What images show in addition to boxes and labels, as for `Result.draw`.
        anonymize: How images hide faces: ``"blur"``, ``"box"``, or not at all.
        names: What a folder calls the images of each source, without ending.

    Raises:
        OutputError: The ending or a layer is unknown, or the file cannot be written.
    """
    kind = sink_kind(path)
    options: dict[str, Any] = {"anonymize": anonymize} if anonymize and kind.wants_images else {}
    if names and kind is FolderSink:
        options["names"] = names
    sink: Sink = kind(Path(path), info, layers, **options)
    return sink
