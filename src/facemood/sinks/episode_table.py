"""Episodes as a CSV table for annotation programs: who shows which expression, with start and end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from facemood.csv_dialect import head_line
from facemood.filenames import escape_name
from facemood.results import Result
from facemood.sinks.sink import design_of
from facemood.sinks.text_files import FileSink
from facemood.table import DESIGN_COLUMNS, INTEGER, NUMBER, SHARE_DECIMALS, STRING, Column, Design, Value, to_cells
from facemood.table.label_columns import further_columns
from facemood.timeline import (
    MAX_GAP,
    MIN_SECONDS,
    Episode,
    SummaryCollector,
    TrackCollector,
    check_limits,
    find_episodes,
)


class EpisodeTextSink(FileSink):
    """A text file of episodes, written by `close`; until then, it needs about 120 bytes of memory per face.

    In a study, the episodes of participants are those within their segments, over cuts and tracks. Other people have
    those of their tracks. It then needs twice the memory.

    Args:
        path: The file.
        info: Settings of the run, as `EmotionRecognizer.info` gives it.
        min_seconds: Shorter episodes are left out.
        max_gap: Longest time, in seconds, for which a person may be out of sight within an episode.

    Raises:
        OutputError: The file cannot be written.
        ValueError: A limit is below 0.
    """

    min_seconds: float
    max_gap: float

    def __init__(
        self,
        path: Path,
        info: dict[str, Any],
        *,
        min_seconds: float = MIN_SECONDS,
        max_gap: float = MAX_GAP,
    ) -> None:
        check_limits(min_seconds, max_gap)
        super().__init__(path, info)
        self.min_seconds, self.max_gap = min_seconds, max_gap
        self._collector = TrackCollector()
        self._study = None if design_of(info) is None else SummaryCollector()

    def body(self, result: Result) -> str:
        """Add one frame; nothing is written yet."""
        if result.timestamp is not None:
            self._collector.add(result)
            if self._study is not None:
                self._study.add(result)
        return ""

    def episodes(self) -> Iterator[Episode]:
        """Yield the episodes of each participant, segment by segment, and of each other person."""
        limits = {"min_seconds": self.min_seconds, "max_gap": self.max_gap}
        for summary in self._study.summaries() if self._study else ():
            for episode in find_episodes(summary.track, **limits) if len(summary.track) else ():
                yield dataclasses.replace(episode, segment=summary.segment)
        for track in self._collector.tracks():
            if not track.participants:
                yield from find_episodes(track, **limits)


class EpisodesSink(EpisodeTextSink):
    """Writes a CSV file with one line per episode, person by person, in order; see `timeline.find_episodes`.

    To import it in ELAN, use File, Import, CSV / Tab-delimited Text File. The first row of data is row 2, and the
    delimiter is a comma. Choose Tier, Begin Time, End Time, Duration and Annotation for the first five columns, and
    leave out the others. Each person becomes a tier, such as "expression person 1". If a file has several videos, the
    column `source` names them; for ELAN, write one file per video.

    The file is written by `close`. Until then, the sink needs about 120 bytes of memory per face.

    Args:
        path: The file; its suffix is usually ``.episodes.csv``.
        info: Not used: the file does not store the settings of the run.
        min_seconds: Shorter episodes are left out.
        max_gap: Longest time, in seconds, for which a person may be out of sight within an episode.

    Raises:
        OutputError: The file cannot be written.
        ValueError: A limit is below 0.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     EpisodesSink(Path(folder, "a.episodes.csv"), {}).close()
        ...     Path(folder, "a.episodes.csv").read_text().strip()
        'tier,begin,end,duration,annotation,peak_time,peak,mean,source,person'
    """

    described = True

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the table; in a study with those of its plan."""
        return episode_columns(design_of(self.info))

    def head(self) -> str:
        """Return the header line."""
        return head_line(self.line, (column.name for column in self.columns))

    def tail(self) -> str:
        """Return a line for each episode."""
        columns = self.columns
        return "".join(
            self.line(to_cells({one.name: one.read(row) for one in columns}).values()) for row in self.episodes()
        )


def tier_of(episode: Episode) -> str:
    """Return the name of a person's tier in annotation programs."""
    return f"expression {episode.who}"


class EpisodeFigures(NamedTuple):
    """The figures of an episode as tables give them: times in seconds with 3 decimals, probabilities with 4."""

    begin: Decimal
    end: Decimal
    duration: Decimal
    peak_time: Decimal
    peak: float
    mean: float


def figures_of(episode: Episode) -> EpisodeFigures:
    """Round the figures of an episode. The duration is that of the rounded times, so that the numbers agree."""
    begin, end, peak_time = (Decimal(f"{time:.3f}") for time in (episode.start, episode.end, episode.peak_time))
    return EpisodeFigures(begin, end, end - begin, peak_time, round(episode.peak, 4), round(episode.mean, 4))


def _figure(name: str) -> Callable[[Any], Any]:
    """Return what reads a figure of an episode, rounded as a decimal number."""
    return lambda episode: getattr(figures_of(episode), name)


def _seconds(name: str, figure: str, meaning: str) -> Column:
    """Return a column of times in seconds."""
    return Column(name, NUMBER, meaning, _figure(figure), unit="s", range="0..", decimals=3)


def _share(name: str, meaning: str) -> Column:
    """Return a column of probabilities."""
    return Column(name, NUMBER, meaning, _figure(name), range="0..1", decimals=SHARE_DECIMALS)


EPISODE_COLUMNS: tuple[Column, ...] = (
    Column("tier", STRING, "Name of the person's tier in annotation programs", lambda one: tier_of(one)),
    _seconds("begin", "begin", "Start of the first frame, from the start of the video"),
    _seconds("end", "end", "End of the last frame, from the start of the video"),
    _seconds("duration", "duration", "Length of the episode"),
    Column("annotation", STRING, "The most probable label of the smoothed probabilities", lambda one: one.label),
    _seconds("peak_time", "peak_time", "Time of the frame with the highest probability"),
    _share("peak", "Highest probability of the label within the episode"),
    _share("mean", "Mean probability of the label over the episode"),
    Column("source", STRING, "Name of the video", lambda one: escape_name(one.source)),
    Column(
        "person", INTEGER, "Track ID of the person in the video; empty for a participant of the plan",
        lambda one: None if one.segment else one.track_id, range="1..",
    ),
)  # fmt: skip
"""Columns of the table. ELAN imports the first five."""


def episode_columns(design: Design | None) -> tuple[Column, ...]:
    """Return the columns of a table of episodes.

    Args:
        design: Name and type of each of the plan's own columns; None without a plan.

    Raises:
        OptionError: A column of the plan is called like one of the table.

    Example:
        >>> [column.name for column in episode_columns((("age", "number"),))][-3:]
        ['segment', 'segment_time', 'age']
    """
    if design is None:
        return EPISODE_COLUMNS
    fixed = [
        dataclasses.replace(column, read=_of_segment(column.name, column.decimals), path=())
        for column in DESIGN_COLUMNS
    ]
    columns = (*EPISODE_COLUMNS, *fixed)
    return (*columns, *further_columns(columns, design, _of_segment))


def _of_segment(name: str, decimals: int | None = None) -> Callable[[Any], Value]:
    """Return what reads a value of the segment of an episode, rounded; its time is that of the episode's start."""

    def read(one: Episode) -> Value:
        value = None if one.segment is None else one.segment.values(one.start).get(name)
        return round(value, decimals) if isinstance(value, float) and decimals is not None else value

    return read
