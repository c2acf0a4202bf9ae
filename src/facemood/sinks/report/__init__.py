"""The report: one self-contained HTML file about the results for videos and photos."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from facemood.filenames import printable
from facemood.languages import speaker
from facemood.participants import Period, Segment
from facemood.results import Failure, Result
from facemood.schema import Image
from facemood.sinks.report.html_page import ReportContent, report_page
from facemood.sinks.report.photo_report import Photos
from facemood.sinks.report.player import address_of_video
from facemood.sinks.report.portraits import BestPortraits, Portraits, merge_portraits
from facemood.sinks.report.study_report import SummaryRow
from facemood.sinks.report.video_report import VideoSection, frequent_portraits
from facemood.sinks.sink import PLAIN_LOOKS, Looks, design_of
from facemood.sinks.text_files import FileSink
from facemood.text import clock
from facemood.timeline import Summary, SummaryCollector, Timeline, TrackCollector

__all__ = ["ReportSink"]


class ReportSink(FileSink):
    """Writes a report as one HTML file. It loads nothing from elsewhere and has no date, so it is reproducible.

    It shows the number of faces over time. For each person it shows the probabilities over time, the share of each
    expression, its episodes, action units, blinks and portraits. Photos have one common section. Several videos have a
    table of all people at the top; a study has a line there for each segment, and the curves of its participants side
    by side. Inputs that failed are named. A video that is a file gets a player, which links it. The page is written by
    `close`. Until then, the sink needs about 120 bytes of memory per face, in a study twice as many, and some kilobytes
    per person.

    Args:
        path: The file.
        info: Settings of the run, as `EmotionRecognizer.info` returns them.
        looks: If they hide faces, portraits and players, which show them, are left out. The language is that of the
            expressions; all other words are English. Portraits have no layers.

    Raises:
        OutputError: The file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     sink = ReportSink(Path(folder, "report.html"), {"labels": ["happy", "sad"]})
        ...     sink.write(Result("talk.mp4", timestamp=0.0, labels=("happy", "sad")))
        ...     sink.close()
        ...     "<h1>talk.mp4</h1>" in Path(folder, "report.html").read_text()
        True
    """

    wants_images: bool = True

    def __init__(self, path: Path, info: dict[str, Any], looks: Looks = PLAIN_LOOKS) -> None:
        self._say = speaker(looks.language)
        self.hidden: bool = bool(looks.anonymize)
        self.wants_images = not self.hidden
        super().__init__(path, info)
        self._collector, self._photos = TrackCollector(), Photos(tuple(info["labels"]), self._say)
        self._study = None if design_of(info) is None else SummaryCollector()
        # by video, person, segment, and source; the source of photos is empty, because they have common portraits
        self._best: dict[tuple[int | None, int | None, Segment | None, str], BestPortraits] = {}
        self._segments: dict[int, dict[Segment, None]] = {}
        self._failures: list[Failure] = []

    def body(self, result: Result) -> str:
        """Add one frame or photo; nothing is written yet."""
        known = dataclasses.replace(result, image=None) if self.hidden else result
        video = self._collector.add(known)
        if video is None:
            self._photos.add(known)
        else:
            self._segments.setdefault(video, {}).update(dict.fromkeys(result.segments))
        if self._study is not None:
            self._study.add(known)
        if known.image is not None:
            self._add_portraits(video, known, known.image)
        return ""

    def fail(self, failure: Failure) -> None:
        """Keep an input that could not be read, to name it."""
        self._failures.append(failure)

    def tail(self) -> str:
        """Return the whole page."""
        videos = [self._section(place, timeline) for place, timeline in enumerate(self._collector.timelines())]
        content = ReportContent(
            videos, self._photos, self.info, self._rows(videos), self._failures, self._study is not None, self.hidden
        )
        return printable(report_page(content), lines=True)

    def _section(self, place: int, timeline: Timeline) -> VideoSection:
        """Return the section of a video."""
        portraits = {track.track_id: self._portraits(place, track.track_id) for track in timeline.tracks}
        address = "" if self.hidden else address_of_video(timeline.source, self.path)
        return VideoSection(timeline, portraits, tuple(self._segments[place]), self._baseline, address, self._say)

    @property
    def _baseline(self) -> Period | None:
        """The neutral baseline of all people who have none of their own."""
        known = self.info.get("baseline")
        return None if known is None else (float(known[0]), float(known[1]))

    def _rows(self, videos: Sequence[VideoSection]) -> list[SummaryRow]:
        """Return the lines of the overview: the segments of a study, otherwise the people of all videos."""
        places: dict[str, str] = {}
        for number, video in enumerate(videos, 1):
            places.setdefault(video.timeline.source, f"video-{number}")
        if self._study is not None:
            return [self._row(summary, places) for summary in self._study.summaries()]
        return [
            SummaryRow(
                Summary(video.timeline.source, None, track, video.seconds, 0.0, len(video.timeline.face_counts), False),
                next(iter(frequent_portraits(video.portraits.get(track.track_id, {}), track.shares)), None),
                f"video-{number}",
                self._baseline,
                self._say,
            )
            for number, video in enumerate(videos, 1)
            for track in video.main_people
        ]

    def _row(self, summary: Summary, places: dict[str, str]) -> SummaryRow:
        """Return the line of a segment in one video or in photos, with the best portrait of the participant in it."""
        wanted = summary.segment, "" if summary.photos else summary.source
        kept = merge_portraits(one.kept for key, one in self._best.items() if key[2:] == wanted)
        portraits = frequent_portraits(kept, summary.shares) if summary.segment and summary.shares else []
        baseline = (summary.segment.baseline if summary.segment else None) or self._baseline
        return SummaryRow(summary, next(iter(portraits), None), places.get(summary.source, ""), baseline, self._say)

    def _add_portraits(self, video: int | None, result: Result, image: Image) -> None:
        """Keep the faces of a frame or photo that are better portraits than those so far."""
        for face in result:
            if face.labels and (face.segment is not None or (video is not None and face.track_id is not None)):
                source = "" if video is None else result.source
                best = self._best.setdefault((video, face.track_id, face.segment, source), BestPortraits())
                best.add(image, face, f"at {clock(result.timestamp or 0.0, decimals=1)}")

    def _portraits(self, video: int, person: int) -> Portraits:
        """Return the portraits of one person in a video, by expression."""
        return merge_portraits(best.kept for key, best in self._best.items() if key[:2] == (video, person))
