"""Episodes as a table that annotation programs read: who shows which expression, from when to when."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from facemood.results import Result
from facemood.sinks.text_files import FileSink
from facemood.table import csv_line
from facemood.timeline import MAX_GAP, MIN_SECONDS, Episode, TrackCollector, check_limits, find_episodes

COLUMNS = ("tier", "begin", "end", "duration", "annotation", "peak_time", "peak", "mean", "source", "person")
"""The first five are what ELAN imports; times are in seconds with 3 decimals, probabilities 0..1."""


class EpisodesSink(FileSink):
    """A CSV file with a line for each episode, person by person, in the order of time; see `timeline.find_episodes`.

    ELAN takes it in by File, Import, CSV / Tab-delimited Text File: the first row of data is row 2, the delimiter a
    comma; choose Tier, Begin Time, End Time, Duration and Annotation for the first five columns, and leave out the
    others. Each person becomes a tier, such as "expression person 1". Where a file tells of several videos, `source`
    says which; for ELAN, write one file for each.

    The episodes are written when it is closed; until then it takes about 120 bytes of memory for each face.

    Args:
        path: The file's name; its ending is ``.episodes.csv`` by custom.
        info: What makes the results; the file does not tell it.
        layers: What pictures show; a text file shows none.
        min_seconds: Shorter episodes are left out.
        max_gap: For how many seconds a person may be out of sight within an episode.

    Raises:
        OutputError: The place cannot be written to.
        ValueError: A limit is below 0.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     EpisodesSink(Path(folder, "a.episodes.csv"), {}).close()
        ...     Path(folder, "a.episodes.csv").read_text().strip()
        'tier,begin,end,duration,annotation,peak_time,peak,mean,source,person'
    """

    min_seconds: float
    max_gap: float

    def __init__(
        self,
        path: Path,
        info: dict[str, Any],
        layers: Collection[str] = (),
        *,
        min_seconds: float = MIN_SECONDS,
        max_gap: float = MAX_GAP,
    ) -> None:
        check_limits(min_seconds, max_gap)
        super().__init__(path, info, layers)
        self.min_seconds, self.max_gap = min_seconds, max_gap
        self._collector = TrackCollector()

    def head(self) -> str:
        """Return the header line."""
        return csv_line(COLUMNS)

    def body(self, result: Result) -> str:
        """Take in one frame; nothing is written yet."""
        self._collector.add(result)
        return ""

    def tail(self) -> str:
        """Return a line for each episode."""
        return "".join(csv_line(_cells(episode)) for episode in self._episodes())

    def _episodes(self) -> Iterator[Episode]:
        """Yield the episodes of each person."""
        for track in self._collector.tracks():
            yield from find_episodes(track, min_seconds=self.min_seconds, max_gap=self.max_gap)


def _cells(episode: Episode) -> tuple[object, ...]:
    """Return the cells of one line; the duration is that of the rounded times, so that the line agrees with itself."""
    begin, end = round(episode.start, 3), round(episode.end, 3)
    return (
        f"expression person {episode.track_id}",
        f"{begin:.3f}",
        f"{end:.3f}",
        f"{end - begin:.3f}",
        episode.label,
        f"{episode.peak_time:.3f}",
        round(episode.peak, 4),
        round(episode.mean, 4),
        episode.source,
        episode.track_id,
    )
