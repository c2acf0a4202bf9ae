"""Summary of a run on the terminal: a table of faces in photos, and one of people in videos."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from facemood.cli.terminal import shorten
from facemood.filenames import printable
from facemood.languages import Say
from facemood.text import count, joined, percent, share_percent, share_range

if TYPE_CHECKING:
    from rich.console import Console

    from facemood.results import Result
    from facemood.timeline import Track, TrackCollector

MAX_ROWS = 40
"""Rows of each table on the terminal: about one screen. Further rows are only counted."""

MAX_ENTRIES = 3
"""Expressions in the last cell of a row, if the terminal is wide enough."""

PIECE = 1.0
"""Seconds for which a track lasts that is not a false alarm."""

UNBOUNDED = 10_000
"""Columns of a terminal in which every table fits: with it, rich measures how wide a table would like to be."""


class RunSummary:
    """Counts photos, frames and faces, and keeps the rows of the tables.

    Attributes:
        say: Returns the word for a label.
    """

    photos: int
    frames: int
    faces: int
    say: Say

    def __init__(self) -> None:
        self.photos = self.frames = self.faces = 0
        self.say = str
        self._rows: list[list[str]] = []
        self._hidden = 0

    @cached_property
    def _people(self) -> TrackCollector:
        """The people of videos. Their timelines load with the first frame, which photos do not need."""
        from facemood.timeline import TrackCollector

        return TrackCollector()

    def add(self, result: Result) -> None:
        """Add one result."""
        self.faces += len(result)
        if result.timestamp is not None:
            self._people.add(result)
            self.frames += 1
            return
        self.photos += 1
        rows = _face_rows(result, self.say)
        room = MAX_ROWS - len(self._rows)
        self._rows += rows[:room]
        self._hidden += len(rows[room:])

    def told(self) -> str:
        """Return how many images and frames were analyzed, as text.

        Example:
            >>> RunSummary().told()
            '0 images'
        """
        counts = [(self.photos, "image"), (self.frames, "frame")]
        return joined([count(number, noun) for number, noun in counts if number]) or "0 images"

    @property
    def in_pieces(self) -> bool:
        """Whether a video has more tracks of `PIECE` seconds than faces at once: cuts may have given new numbers."""
        return bool(self.frames) and any(
            sum(track.seconds >= PIECE for track in video.tracks) > video.face_counts.max(initial=0)
            for video in self._people.timelines()
        )

    def show(self, *, joined: bool = False, across: bool = False) -> None:
        """Print the tables and the counts on stderr.

        Args:
            joined: Whether the tracks of one person were joined; otherwise a line says that they can be.
            across: Whether a person has the same number in all videos, and counts once.
        """
        from rich.console import Console

        console = Console(stderr=True, emoji=False)
        if self._rows:
            _show_table(console, ["image", "face", "expression", "confidence", "next"], self._rows)
        if self._hidden:
            console.print(f"… and {self._hidden} more; write all with -o table.csv")
        tracks = self._people.tracks() if self.frames else []
        if tracks:
            _show_table(
                console, ["video", "person", "duration", "expressions"], _people_rows(tracks[:MAX_ROWS], self.say)
            )
        if len(tracks) > MAX_ROWS:
            console.print(f"… and {len(tracks) - MAX_ROWS} more people; write all with -o report.html")
        people = len({track.track_id if across else (track.source, track.track_id) for track in tracks})
        known = f", {count(people, 'person', 'people')}" if self.frames else ""
        console.print(f"{self.told()}, {count(self.faces, 'face')}{known}", style="dim", highlight=False)
        if not joined and self.in_pieces:
            console.print("After a cut, people get new numbers; --people auto joins them", style="dim", highlight=False)


def _show_table(console: Console, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table whose first column is never cut, because file names differ at their ends.

    The entries of the last column are separated by two spaces. A narrow terminal gets fewer of them, or none.
    """
    from rich.measure import Measurement
    from rich.table import Column, Table
    from rich.text import Text

    for entries in range(MAX_ENTRIES, -1, -1):
        first = Column(columns[0], min_width=max(len(row[0]) for row in rows))
        table = Table(first, *columns[1 : None if entries else -1], box=None, header_style="bold")
        for *cells, last in rows:
            shown = [*cells, *(["  ".join(last.split("  ")[:entries])] if entries else [])]
            table.add_row(*map(Text, shown))  # names may look like markup
        if Measurement.get(console, console.options.update(max_width=UNBOUNDED), table).maximum <= console.width:
            break
    console.print(table)


def _face_rows(result: Result, say: Say) -> list[list[str]]:
    """Return the table rows of a photo: one per face, or one that says that no face was found."""
    from facemood.render.draw import name_of

    name = shorten(printable(result.source))
    if not result.faces:
        return [[name, "-", "no face found", "", ""]]
    rows = []
    for number, face in enumerate(result.faces):
        others = "  ".join(f"{say(label)} {percent(probability)}" for label, probability in face.top(3)[1:])
        rows.append(
            [
                name if number == 0 else "",
                str(number),
                name_of(face, say),
                percent(face.confidence) if face.labels else "",
                others,
            ]
        )
    return rows


def _people_rows(tracks: list[Track], say: Say) -> list[list[str]]:
    """Return the table rows of videos: one per person, with the three most frequent expressions."""
    rows, video = [], None
    for track in tracks:
        top = sorted(track.shares.items(), key=lambda item: -item[1])[:3]
        ranges = {label: share_range(interval) for label, interval in track.share_intervals.items()}
        expressions = "  ".join(
            f"{say(label)} {share_percent(share)} ({ranges[label]})" for label, share in top if share > 0
        )
        name = shorten(printable(track.source)) if track.source != video else ""
        rows.append([name, printable(track.name), f"{track.seconds:.1f} s", expressions])
        video = track.source
    return rows
