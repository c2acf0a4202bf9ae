"""Participants: who is who in which video, in which condition and when.

A segment is the time in which a participant is in a condition: a whole video, or the part in which a stimulus was
shown. `facemood.plan_file` reads the segments of a study from a table.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from facemood.errors import OptionError, did_you_mean
from facemood.table import Value
from facemood.text import clock

LEFT = "left"
"""The person on the left of the image."""

RIGHT = "right"
"""The person on the right of the image."""

LARGEST = "largest"
"""The person with the largest face."""

PLACES = (LEFT, RIGHT, LARGEST)
"""What the column `person` may say, besides the number of a track."""

Period = tuple[float, float]
"""Start and end in seconds."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A line of the plan: a participant in a condition, in a part of a video.

    Attributes:
        path: Path or pattern of the inputs, as the plan says it.
        participant: Name or number of the participant.
        person: Who that is in the image: ``"left"``, ``"right"``, ``"largest"``, or the number of a track.
        condition: The condition; empty without one.
        session: The session; empty without one.
        segment: Name of the segment; by default its number among those of the participant in this condition and
            session.
        start: First second.
        end: Second at which it ends; infinite at the end of the video.
        baseline: Start and end of the participant's neutral baseline in seconds; None without one of their own.
        further: Values of the plan's other columns.
        line: Line in the plan, from 2.
    """

    path: str
    participant: str
    person: str = LARGEST
    condition: str = ""
    session: str = ""
    segment: str = "1"
    start: float = 0.0
    end: float = math.inf
    baseline: Period | None = None
    further: Mapping[str, Value] = field(default_factory=dict, hash=False, compare=False)
    line: int = 0

    def covers(self, timestamp: float | None) -> bool:
        """Return whether it contains a time; photos, whose timestamp is None, are in it."""
        return timestamp is None or self.start <= timestamp < self.end

    def overlaps(self, other: Segment) -> bool:
        """Return whether both share some time."""
        return self.start < other.end and other.start < self.end

    def values(self, timestamp: float | None) -> dict[str, Value]:
        """Return its values in the tables, by column.

        Args:
            timestamp: Time in the video, for the time since the start of the segment; None for a photo.
        """
        passed = None if timestamp is None else round(timestamp - self.start, 6)
        names = {name: getattr(self, name) or None for name in ("participant", "condition", "session", "segment")}
        return {**names, "segment_time": passed, **self.further}

    def info(self) -> dict[str, Any]:
        """Return what changes the results, for the settings of a run."""
        end = None if math.isinf(self.end) else self.end
        names = {name: getattr(self, name) for name in ("participant", "person", "condition", "session", "segment")}
        baseline = None if self.baseline is None else list(self.baseline)
        return {**names, "start": self.start, "end": end, "baseline": baseline, **self.further}


@dataclass(frozen=True, slots=True)
class Participants:
    """The plan of a study.

    Attributes:
        segments: Its lines.
        further: Name and type of its other columns.
        name: Where it is from, for messages.
        folder: Folder that its paths are relative to, besides the working directory.

    Example:
        >>> plan = Participants((Segment("p01*.mp4", "p01", condition="calm", end=10.0),))
        >>> [segment.participant for segment in plan.at("videos/p01_a.mp4", 3.0)], plan.at("videos/p01_a.mp4", 10.0)
        (['p01'], ())
    """

    segments: tuple[Segment, ...]
    further: tuple[tuple[str, str], ...] = ()
    name: str = "the plan"
    folder: str = "."
    _known: dict[str, tuple[Segment, ...]] = field(default_factory=dict, repr=False, compare=False)

    def of(self, source: str) -> tuple[Segment, ...]:
        """Return the segments of an input."""
        if source not in self._known:
            self._known[source] = tuple(one for one in self.segments if self._matches(one.path, source))
        return self._known[source]

    def at(self, source: str, timestamp: float | None) -> tuple[Segment, ...]:
        """Return the segments of an input that contain a time."""
        return tuple(one for one in self.of(source) if one.covers(timestamp))

    def only(self, inputs: Iterable[str]) -> Participants:
        """Return the plan of some of its inputs."""
        kept = {one for name in inputs for one in self.of(name)}
        return dataclasses.replace(self, segments=tuple(one for one in self.segments if one in kept), _known={})

    def info(self, source: str) -> list[dict[str, Any]]:
        """Return what changes the results of an input, for the settings of a run."""
        return [one.info() for one in self.of(source)]

    def check(self, inputs: Sequence[str]) -> list[str]:
        """Compare the plan with the inputs of a run.

        Returns:
            The inputs that are not in the plan.

        Raises:
            OptionError: A line fits none of the inputs, or the segments of an input contradict each other.
        """
        matched = {one for name in inputs for one in self.of(name)}
        for one in self.segments:
            if one not in matched:
                near = did_you_mean(Path(one.path).name, [Path(name).name for name in inputs])
                raise OptionError(
                    f"{self.name}, line {one.line}: no input fits the path {one.path!r}; correct it, or analyze that "
                    f"input too.{near}"
                )
        for name in inputs:
            self._check_segments(name)
        return [name for name in inputs if not self.of(name)]

    def _matches(self, pattern: str, source: str) -> bool:
        """Return whether a path or pattern of the plan means an input, with composed or decomposed accents."""
        pairs = [(os.path.abspath(source), os.path.abspath(Path(folder, pattern))) for folder in (self.folder, ".")]
        if not set(pattern) & {"/", os.sep}:
            pairs.append((Path(source).name, pattern))
        composed = [[unicodedata.normalize("NFC", text) for text in pair] for pair in pairs]
        return any(place == wanted or fnmatchcase(place, wanted) for place, wanted in composed)

    def _check_segments(self, name: str) -> None:
        """Refuse segments of one input that contradict each other."""
        segments = self.of(name)
        for one, other in itertools.combinations(segments, 2):
            if not one.overlaps(other):
                continue
            begin = clock(max(one.start, other.start), decimals=2)
            where = f"{self.name}, lines {one.line} and {other.line}: in {name}, from {begin}"
            if one.person == other.person:
                raise OptionError(
                    f"{where}, the {_words(one.person)} is in two segments at once ({one.participant} and "
                    f"{other.participant}); let one end before the other begins"
                )
            if one.participant == other.participant:
                raise OptionError(
                    f"{where}, {one.participant} is two persons at once ({one.person} and {other.person}); correct "
                    "the column person or participant"
                )
            if LARGEST in (one.person, other.person) and {LEFT, RIGHT} & {one.person, other.person}:
                raise OptionError(
                    f"{where}, the largest face may also be the one on the left or right; name both persons by their "
                    "place, or both by the numbers of their tracks"
                )


def _words(person: str) -> str:
    """Return who a person is, in words."""
    if person in (LEFT, RIGHT):
        return f"person on the {person}"
    return f"{person} face" if person == LARGEST else f"track {person}"
