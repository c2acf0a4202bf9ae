"""Scenes: what is remembered from frame to frame. Photos share nothing; a video, a camera or a screen is one scene."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

from facemood.schema import Face, Frame
from facemood.stages.detect import DetectOptions, Detector, select_faces
from facemood.table import CHANGE, RAW
from facemood.tracking.baseline import ExpressionBaseline
from facemood.tracking.follow import FaceFollower, time_of
from facemood.tracking.smooth import Smoother, SmoothOptions
from facemood.tracking.unit_baseline import UnitBaseline

SMOOTH = SmoothOptions().seconds
"""Seconds over which readings of a person are smoothed."""

SHORTEST_FRAME, LONGEST_FRAME = 1e-3, 1.0
"""Seconds for which a frame stands at least and at most, where it is counted how a person looks at rest."""


class Scene(Protocol):
    """How faces are found in a frame, and what becomes of them when they are read."""

    def find(self, frame: Frame) -> list[Face]:
        """Return the faces of the next frame, without expressions."""
        ...

    def finish(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Return the faces of the next frame, once their expressions are read, as they are to be told."""
        ...


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """How videos, cameras and screens are read.

    Attributes:
        every: A whole number k reads each k-th frame of a video, a float T one at most every T seconds; None reads all.
        smooth: Seconds over which readings are smoothed; 0 for not at all.
        baseline: From which second of a video to which people are at rest; None where that is not known.

    Raises:
        ValueError: An option is out of its range.

    Example:
        >>> VideoOptions(baseline=(0, 10)).variants
        ('raw', 'change')
    """

    every: float | None = None
    smooth: float = SMOOTH
    baseline: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.every is not None and not 0 < self.every < math.inf:
            raise ValueError(f"every must be a number of frames or seconds above 0, but is {self.every!r}")
        if not 0 <= self.smooth < math.inf:
            raise ValueError(f"smooth must be a number of seconds from 0 on, but is {self.smooth!r}")
        if self.baseline is not None and not 0 <= self.baseline[0] < self.baseline[1]:
            start, end = self.baseline
            raise ValueError(f"baseline must run from a second on to a later one, but runs from {start:g} to {end:g}")

    @property
    def variants(self) -> tuple[str, ...]:
        """Which values each label has besides its probability."""
        return (RAW,) if self.baseline is None else (RAW, CHANGE)

    def info(self) -> dict[str, Any]:
        """Return the settings for a table's or report's head."""
        baseline = None if self.baseline is None else list(self.baseline)
        return {"every": self.every, "smooth": self.smooth, "baseline": baseline, "variants": list(self.variants)}


class PhotoScene:
    """Frames that have nothing to do with each other."""

    def __init__(self, detector: Detector, options: DetectOptions) -> None:
        self.detector, self.options = detector, options

    def find(self, frame: Frame) -> list[Face]:
        """Run the detector."""
        return select_faces(self.detector(frame.image), self.options)

    def finish(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Return the faces as they are."""
        return faces


class VideoScene:
    """The frames of one video, camera or screen in their order: people have numbers, and readings are smoothed.

    Args:
        people: What finds people again.
        options: How the video is read.
        rest: What the people's resting faces read as, where that is known already.
        units: What their action units measure at rest, where that is known already.
        learn: Whether it is learned while the video is read, from what is seen in the time of `VideoOptions.baseline`.
    """

    def __init__(
        self,
        people: FaceFollower,
        options: VideoOptions,
        *,
        rest: ExpressionBaseline | None = None,
        units: UnitBaseline | None = None,
        learn: bool = False,
    ) -> None:
        self.people, self.smoother = people, Smoother(SmoothOptions(seconds=options.smooth))
        self.rest, self.units = rest or ExpressionBaseline(), units or UnitBaseline()
        self._lesson = options.baseline if learn else None
        self._last: float | None = None

    def find(self, frame: Frame) -> list[Face]:
        """Follow the people, or look for them."""
        return self.people.find(frame)

    def finish(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Smooth what was read, and compare it with the people's rest."""
        now = time_of(frame)
        passed = 0.0 if self._last is None else min(max(now - self._last, 0.0), LONGEST_FRAME)
        self._last = now
        smoothed = self.smoother.update(faces, now)
        if self._lesson and now < self._lesson[1]:
            resting = smoothed if now >= self._lesson[0] else []
            self.rest.add(resting)
            self.units.learn(resting, seconds=max(passed, SHORTEST_FRAME))
            return smoothed
        self.units.follow(smoothed, seconds=passed)
        return self.rest.compare(self.units.compare(smoothed))
