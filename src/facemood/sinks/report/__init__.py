"""A report: one HTML page that tells what was read of videos and photos, and needs nothing but itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path
from typing import Any

from facemood.render import check_way
from facemood.results import Result
from facemood.schema import Image
from facemood.sinks.report.html_page import report_page
from facemood.sinks.report.photo_report import Photos
from facemood.sinks.report.portraits import BestPortraits, Portraits
from facemood.sinks.report.video_report import VideoSection
from facemood.sinks.text_files import FileSink
from facemood.text import clock
from facemood.timeline import TrackCollector

__all__ = ["ReportSink"]


class ReportSink(FileSink):
    """A report as one HTML page without other files, scripts from elsewhere or a date: equal results make equal pages.

    It shows how many faces there were, and of each person the probabilities over time, the share of each expression,
    its episodes and some pictures. Photos are summed up together. All of it is written when it is closed; until then it
    takes about 120 bytes of memory for each face of a video, and some kilobytes for each person.

    Args:
        path: The page's name.
        info: What makes the results, as `EmotionRecognizer.info` gives it.
        layers: What pictures show; a report shows faces as they are.
        anonymize: ``"blur"`` or ``"box"`` where faces are to be hidden: the report has no pictures then.

    Raises:
        OutputError: The place cannot be written to, or there is no such way to hide faces.

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

    def __init__(self, path: Path, info: dict[str, Any], layers: Collection[str] = (), *, anonymize: str = "") -> None:
        self.hidden: bool = bool(check_way(anonymize))
        self.wants_images = not self.hidden
        super().__init__(path, info, layers)
        self._collector, self._photos = TrackCollector(), Photos(tuple(info["labels"]))
        self._best: dict[tuple[int, int], BestPortraits] = {}

    def body(self, result: Result) -> str:
        """Take in one frame or photo; nothing is written yet."""
        known = dataclasses.replace(result, image=None) if self.hidden else result
        video = self._collector.add(known)
        if video is None:
            self._photos.add(known)
        elif known.image is not None:
            self._picture(video, known, known.image)
        return ""

    def tail(self) -> str:
        """Return the page."""
        videos = [
            VideoSection(
                timeline, {track.track_id: self._portraits(place, track.track_id) for track in timeline.tracks}
            )
            for place, timeline in enumerate(self._collector.timelines())
        ]
        return report_page(videos, self._photos, self.info, hidden=self.hidden)

    def _picture(self, video: int, result: Result, image: Image) -> None:
        """Look for better pictures of the people in a frame."""
        for face in result:
            if face.track_id is not None and face.labels:
                best = self._best.setdefault((video, face.track_id), BestPortraits())
                best.add(image, face, f"at {clock(result.timestamp or 0.0, decimals=1)}")

    def _portraits(self, video: int, person: int) -> Portraits:
        """Return the pictures of one person of a video, by expression."""
        best = self._best.get((video, person))
        return {} if best is None else best.kept
