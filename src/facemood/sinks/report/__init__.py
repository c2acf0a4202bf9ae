"""The report: one self-contained HTML file about the results for videos and photos."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path
from typing import Any

from facemood.filenames import printable
from facemood.languages import ENGLISH, speaker
from facemood.render import check_anonymize
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
    """Writes a report as one HTML file. It loads nothing from elsewhere and has no date, so it is reproducible.

    It shows the number of faces over time. For each person it shows the probabilities over time, the share of each
    expression, its episodes, action units, blinks and portraits. Photos have one common section. The file is written
    by `close`. Until then, the sink needs about 120 bytes of memory per face, and some kilobytes per person.

    Args:
        path: The file.
        info: Settings of the run, as `EmotionRecognizer.info` returns them.
        layers: Not used: portraits show the faces without annotations.
        anonymize: ``"blur"`` or ``"box"`` leaves out the portraits.
        language: Language of the expressions; all other words are English.

    Raises:
        OutputError: The file cannot be written, or the anonymization method is unknown.
        OptionError: There is no such language.

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

    def __init__(
        self,
        path: Path,
        info: dict[str, Any],
        layers: Collection[str] = (),
        *,
        anonymize: str = "",
        language: str = ENGLISH,
    ) -> None:
        self._say = speaker(language)
        self.hidden: bool = bool(check_anonymize(anonymize))
        self.wants_images = not self.hidden
        super().__init__(path, info, layers)
        self._collector, self._photos = TrackCollector(), Photos(tuple(info["labels"]), self._say)
        self._best: dict[tuple[int, int], BestPortraits] = {}

    def body(self, result: Result) -> str:
        """Add one frame or photo; nothing is written yet."""
        known = dataclasses.replace(result, image=None) if self.hidden else result
        video = self._collector.add(known)
        if video is None:
            self._photos.add(known)
        elif known.image is not None:
            self._add_portraits(video, known, known.image)
        return ""

    def tail(self) -> str:
        """Return the whole page."""
        videos = [
            VideoSection(
                timeline,
                {track.track_id: self._portraits(place, track.track_id) for track in timeline.tracks},
                self._say,
            )
            for place, timeline in enumerate(self._collector.timelines())
        ]
        return printable(report_page(videos, self._photos, self.info, hidden=self.hidden), lines=True)

    def _add_portraits(self, video: int, result: Result, image: Image) -> None:
        """Keep the faces of a frame that are better portraits than those so far."""
        for face in result:
            if face.track_id is not None and face.labels:
                best = self._best.setdefault((video, face.track_id), BestPortraits())
                best.add(image, face, f"at {clock(result.timestamp or 0.0, decimals=1)}")

    def _portraits(self, video: int, person: int) -> Portraits:
        """Return the portraits of one person in a video, by expression."""
        best = self._best.get((video, person))
        return {} if best is None else best.kept
