"""Summaries: one person in one segment of a study, or in one video, as numbers."""

from __future__ import annotations

from array import array
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from facemood.facs import CODES, KEYS
from facemood.participants import Segment
from facemood.timeline.collect import OpenPerson, ends_of
from facemood.timeline.episodes import Episode, find_episodes
from facemood.timeline.tracks import Times, Track, weights_of
from facemood.timeline.units import Blinking, UnitEvent, find_blinks, find_unit_events

if TYPE_CHECKING:
    from facemood.results import Result
    from facemood.schema import Face


@dataclass(frozen=True, eq=False)
class Summary:
    """A person in a segment of a study or, without a plan, in a whole video. Or all faces of photos.

    Attributes:
        source: The input; empty for several photos.
        segment: The segment of the plan; None without a plan.
        track: The frames with a prediction for the person; for photos, a second for each face.
        seconds: Seconds of the segment that were read, with and without the person; the number of photos for photos.
        start: Second at which the segment begins in the input; 0 without a plan.
        frames: Frames or photos that were read.
        photos: Whether it is made of photos, which have no times.
    """

    source: str
    segment: Segment | None
    track: Track
    seconds: float
    start: float
    frames: int
    photos: bool

    @property
    def missing(self) -> float:
        """Share of the time without a prediction for the person, 0..1."""
        return max(1 - self.track.seconds / self.seconds, 0.0) if self.seconds > 0 else 1.0

    @property
    def certain(self) -> float | None:
        """Share of the time in sight in which the prediction is certain, 0..1; None if it is unknown."""
        values = self.track.certain
        known = None if values is None else values >= 0
        if values is None or known is None or not known.any():
            return None
        return float(np.average(values[known], weights=weights_of(self.track.durations[known])))

    @cached_property
    def shares(self) -> dict[str, float]:
        """Share of the time in sight of each label, 0..1; empty if the person was not seen."""
        return self.track.shares if len(self.track) else {}

    @cached_property
    def share_intervals(self) -> dict[str, tuple[float, float]]:
        """95% sampling interval of each share."""
        return self.track.share_intervals if len(self.track) else {}

    @cached_property
    def means(self) -> dict[str, float]:
        """Mean probability of each label, 0..1."""
        return self._means(self.track.labels, self.track.probabilities)

    @cached_property
    def changes(self) -> dict[str, float]:
        """Mean change of each label from the neutral baseline, in log-odds; empty without a baseline."""
        return self._means(self.track.labels, self.track.change)

    @cached_property
    def unit_means(self) -> dict[str, float]:
        """Mean intensity of each action unit while it can be measured, 0..1."""
        return self._means(KEYS, self.track.units)

    @cached_property
    def measures(self) -> dict[str, tuple[float, float, float]]:
        """Mean, lowest and highest value of each derived measure while it is known."""
        rows = self.track.measures
        means = self._means(tuple(rows), np.stack(list(rows.values()), axis=1)) if rows else {}
        return {
            name: (mean, float(np.nanmin(rows[name])), float(np.nanmax(rows[name]))) for name, mean in means.items()
        }

    @cached_property
    def episodes(self) -> dict[str, list[Episode]]:
        """Episodes of each label; empty for photos."""
        found: dict[str, list[Episode]] = {label: [] for label in self.track.labels}
        for episode in find_episodes(self.track) if not self.photos else ():
            found[episode.label].append(episode)
        return {} if self.photos or not len(self.track) else found

    @cached_property
    def events(self) -> dict[str, list[UnitEvent]]:
        """Events of each action unit that was measured; empty for photos."""
        found: dict[str, list[UnitEvent]] = {code: [] for code in CODES if code in self.unit_means}
        for event in find_unit_events(self.track) if found and not self.photos else ():
            found[event.unit].append(event)
        return {} if self.photos else found

    @cached_property
    def blinking(self) -> Blinking | None:
        """Blinks; None where they cannot be counted."""
        return None if self.photos else find_blinks(self.track)

    def peak(self, label: str) -> tuple[float, float] | None:
        """Return the highest probability of a label, and its time since the start of the segment in seconds."""
        if not len(self.track):
            return None
        values = self.track.probabilities[:, self.track.labels.index(label)]
        top = int(values.argmax())
        return float(values[top]), float(self.track.timestamps[top]) - self.start

    def _means(self, names: tuple[str, ...], values: NDArray[np.float32] | None) -> dict[str, float]:
        """Return the means of (T, N) values over the time in which they are known, by name."""
        if values is None or not len(values):
            return {}
        known = ~np.isnan(values)
        weights = weights_of(self.track.durations)[:, None] * known
        totals = weights.sum(axis=0)
        sums = (np.where(known, values, 0).astype(np.float64) * weights).sum(axis=0)
        return {name: float(sums[row] / totals[row]) for row, name in enumerate(names) if totals[row] > 0}


class SummaryCollector:
    """Collects the frames of results, and summarizes them by segments of a study, or by people.

    With a plan there is a summary for each segment and video, also of participants who were not in sight; photos of a
    segment are summarized together. Without a plan there is one for each person of a video, and one for all photos.
    It needs about 130 bytes per face and stores no images.

    Example:
        >>> from facemood.results import Result
        >>> from facemood.schema import Face
        >>> face = Face(np.zeros(4), 0.9, labels=("happy", "sad"), probabilities=np.array([0.8, 0.2]), track_id=7)
        >>> collector = SummaryCollector()
        >>> for index in range(4):
        ...     faces = (face,) if index < 3 else ()
        ...     collector.add(Result("a.mp4", index, index / 10, labels=face.labels, faces=faces))
        >>> (summary,) = collector.summaries()
        >>> summary.source, summary.track.track_id, summary.shares["happy"], round(summary.missing, 4)
        ('a.mp4', 7, 1.0, 0.25)
    """

    def __init__(self) -> None:
        self._open: list[_OpenInput] = []
        self._current: dict[str, _OpenInput] = {}

    def add(self, result: Result) -> None:
        """Add one photo or frame. The frames of a video must be in order."""
        photos = result.timestamp is None
        place = "" if photos else result.source
        video = self._current.get(place)
        time = float(video.count) if photos and video else result.timestamp or 0.0
        if video is None or (video.times and time < video.times[-1]) or (photos and not video.photos):
            video = self._current[place] = _OpenInput(result.source, result.labels, photos)
            self._open.append(video)
        video.add(time, result)

    def summaries(self) -> list[Summary]:
        """Return the summaries so far, input by input; those of a study in the order of the plan."""
        return [summary for video in self._open for summary in video.summaries()]


@dataclass(slots=True)
class _OpenInput:
    """A video that is being read, or all photos."""

    source: str
    labels: tuple[str, ...]
    photos: bool
    count: int = 0
    times: array[float] = field(default_factory=lambda: array("d"))
    people: dict[Hashable, OpenPerson] = field(default_factory=dict)
    segments: dict[Segment, array[int]] = field(default_factory=dict)
    sources: dict[Hashable, set[str]] = field(default_factory=dict)
    video_end: float | None = None

    def add(self, time: float, result: Result) -> None:
        """Add one frame, or the faces of one photo, of which each counts as a frame."""
        self.video_end = result.video_end
        rows: list[tuple[Face, ...]] = (
            [(face,) for face in result.faces] if self.photos and result.faces else [result.faces]
        )
        for faces in rows:
            for segment in result.segments:
                self.segments.setdefault(segment, array("i")).append(self.count)
            for face in faces:
                key = face.segment if result.design is not None else None if self.photos else face.track_id
                outside = key is None and (result.design is not None or not self.photos)
                if face.labels and not outside:
                    self.people.setdefault(key, OpenPerson(self.labels)).add(self.count, face)
                    self.sources.setdefault(key, set()).add(result.source)
            self.times.append(time if not self.photos else float(self.count))
            self.count += 1

    def summaries(self) -> list[Summary]:
        """Return the summary of each segment, or of each person."""
        times = np.array(self.times)
        ends = ends_of(times, self.video_end) if not self.photos else times + 1
        if self.segments:
            ordered = sorted(self.segments, key=lambda one: one.line)
            return [self._of_segment(one, times, ends) for one in ordered]
        whole = np.arange(len(times))
        people = [(key, person) for key, person in self.people.items() if not isinstance(key, Segment)]
        return [
            self._summary(key, None, person.track(self.source, key or 0, times, ends), whole, ends - times)
            for key, person in sorted(people, key=lambda one: str(one[0]).zfill(12))
            if key is None or isinstance(key, int)
        ]

    def _of_segment(self, segment: Segment, times: Times, ends: Times) -> Summary:
        """Return the summary of a segment; its last frame ends with it."""
        ends = np.minimum(ends, segment.end) if not self.photos else ends
        person = self.people.get(segment, OpenPerson(self.labels))
        track = person.track(self.source, 0, times, ends)
        return self._summary(segment, segment, track, np.array(self.segments[segment]), ends - times)

    def _summary(
        self, key: Hashable, segment: Segment | None, track: Track, frames: NDArray[np.int64], durations: Times
    ) -> Summary:
        """Return a summary of frames, given as indices."""
        names = self.sources.get(key, {self.source})
        source = "" if len(names) > 1 else next(iter(names))
        start = segment.start if segment and not self.photos else 0.0
        return Summary(source, segment, track, float(durations[frames].sum()), start, len(frames), self.photos)
