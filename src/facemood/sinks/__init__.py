"""Sinks: results are written as they come, by a writer that the file's ending chooses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

from facemood.atomic import STDOUT, is_stream
from facemood.errors import OutputError, did_you_mean
from facemood.languages import ENGLISH
from facemood.render import IMAGE_SUFFIXES, check_layers
from facemood.sinks.sink import MANY, ONE_PHOTO, ONE_VIDEO, Continuable, DescribedSink, FailureSink, Looks, Sink
from facemood.sinks.table_files import FORMATS

__all__ = [
    "MANY",
    "ONE_PHOTO",
    "ONE_VIDEO",
    "SINKS",
    "Continuable",
    "DescribedSink",
    "FailureSink",
    "Looks",
    "Sink",
    "open_sink",
    "refuse_other_format",
    "sink_kind",
]

SUMMARY = ".summary"
"""Start of the endings of summaries, which may also stand alone: ``talk.summary.csv``, ``summary.csv``."""

TABLE = "text_files:CsvSink"
"""Writer of the table, also on standard output."""

FOLDER = "annotated_images:FolderSink"
"""Writer of a folder of images."""

SINKS = {
    ".summary.csv": "whole_tables:SummaryCsvSink",
    **dict.fromkeys((f".summary{suffix}" for suffix in FORMATS), "whole_tables:SummaryFileSink"),
    ".episodes.csv": "episode_table:EpisodesSink",
    ".eaf": "annotation_files:ElanSink",
    ".textgrid": "annotation_files:PraatSink",
    ".srt": "annotation_files:SubtitlesSink",
    ".vtt": "annotation_files:SubtitlesSink",
    "_events.tsv": "annotation_files:EventsSink",
    "_events.json": "annotation_files:EventsCodebookSink",
    ".openface.csv": "peer_tables:OpenFaceSink",
    ".pyfeat.csv": "peer_tables:PyFeatSink",
    "codebook.csv": "codebook:CodebookSink",
    "codebook.md": "codebook:CodebookSink",
    ".csv": TABLE,
    ".parquet": "parquet:ParquetSink",
    **dict.fromkeys(FORMATS, "whole_tables:RowsFileSink"),
    ".jsonl": "text_files:JsonLinesSink",
    ".json": "text_files:JsonSink",
    ".mp4": "video_file:VideoSink",
    ".html": "report:ReportSink",
    **dict.fromkeys(IMAGE_SUFFIXES, "annotated_images:PictureSink"),
}
"""Module and class of the writer by the ending; the first ending that fits counts. A new writer is a new line here.

A writer is imported when it is wanted: all of them take as long as reading two photos."""


def sink_kind(path: str) -> Any:
    """Return the kind of writer for a name; one without an ending, or that ends in a slash, is a folder of images.

    Standard output (``-``), devices and pipes without a known ending get the table as CSV.

    Raises:
        OutputError: The ending is unknown.

    Example:
        >>> [sink_kind(name).__name__ for name in ("clip.episodes.csv", "images/", "summary.csv", "my-summary.csv")]
        ['EpisodesSink', 'FolderSink', 'SummaryCsvSink', 'CsvSink']
    """
    module, _, name = _writer_of(path).partition(":")
    return getattr(import_module(f"facemood.sinks.{module}"), name)


def _writer_of(path: str) -> str:
    """Return the module and class of the writer for a name.

    Raises:
        OutputError: The ending is unknown.
    """
    if path.endswith("/"):
        return FOLDER
    for ending, writer in SINKS.items():
        if path.lower().endswith(ending) or (ending.startswith(SUMMARY) and Path(path).name.lower() == ending[1:]):
            return writer
    if is_stream(path) and path.removeprefix(STDOUT) in ("", path):
        return TABLE
    suffix = Path(path).suffix.lower()
    if not suffix or Path(path).is_dir():
        return FOLDER
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
    language: str = ENGLISH,
    names: Mapping[str, str] | None = None,
) -> Sink:
    """Open the writer for a name.

    Args:
        path: Where to write.
        info: Settings of the run, as `EmotionRecognizer.info` gives it.
        layers: What images show in addition to boxes and labels, as for `Result.draw`.
        anonymize: How images hide faces: ``"blur"``, ``"box"``, or not at all.
        language: Language of the expressions in images, videos and reports, as for `Result.draw`.
        names: What a folder calls the images of each source, without ending.

    Raises:
        OutputError: The ending or a layer is unknown, or the file cannot be written.
        OptionError: There is no such language.
    """
    kind = sink_kind(path)
    looks = [Looks(check_layers(layers), anonymize, language)] if kind.wants_images else []
    options = {"names": names} if names and _writer_of(path) == FOLDER else {}
    sink: Sink = kind(Path(path), info, *looks, **options)
    return sink


def refuse_other_format(path: str | PathLike[str], own: str, method: str) -> None:
    """Refuse a name that ends as files of another format do, such as ``table.xlsx`` for CSV.

    Raises:
        OutputError: The name is that of another format.
    """
    suffix = Path(path).suffix.lower()
    if suffix != own and suffix in {ending for ending in SINKS if ending.startswith(".")}:
        others = {".csv": "to_csv", ".json": "to_json", ".xlsx": "to_excel"}
        fix = f"use {others[suffix]}, or " if suffix in others else ""
        raise OutputError(f"{path}: {method} does not write {suffix}; {fix}give a name that ends in {own}")
