"""Scenes hold the state from frame to frame. Photos share none; each video, camera or screen is one scene."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, Protocol

from facemood.defaults import SMOOTH
from facemood.errors import OptionError
from facemood.schema import Face, Frame
from facemood.stages.detect import DetectOptions, Detector, select_faces
from facemood.table import CHANGE, RAW
from facemood.tracking.baseline import ExpressionBaseline
from facemood.tracking.follow import FaceFollower, time_of
from facemood.tracking.smooth import Smoother, SmoothOptions
from facemood.tracking.tracker import PATIENCE
from facemood.tracking.unit_baseline import UnitBaseline

SHORTEST_FRAME = 1e-3
"""Shortest time, in seconds, for which a frame counts in a unit baseline, so that the first frame counts too."""

LONGEST_FRAME = 1.0
"""Longest time, in seconds, for which a frame counts in a unit baseline, so that no frame after a gap dominates."""


class Scene(Protocol):
    """Finds the faces of each frame, and finishes their predictions."""

    def find(self, frame: Frame) -> list[Face]:
        """Return the faces of the next frame, without expressions."""
        ...

    def finish(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Return the faces of the next frame as they are reported: smoothed and compared with baselines, if at all."""
        ...


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """How videos, cameras and screens are read.

    Attributes:
        every: A whole number k reads each k-th frame of a video, a float T one at most every T seconds; None reads all.
        smooth: Time constant of smoothing in seconds; 0 for none.
        baseline: First and last second of the baseline period, in which people look neutral; None without one.
        patience: Seconds for which a person who is not visible keeps the track ID.

    Raises:
        OptionError: An option is out of range.

    Example:
        >>> VideoOptions(baseline=(0, 10)).variants
        ('raw', 'change')
    """

    every: float | None = None
    smooth: float = SMOOTH
    baseline: tuple[float, float] | None = None
    patience: float = PATIENCE

    def __post_init__(self) -> None:
        number = isinstance(self.every, Real) and not isinstance(self.every, bool)
        if self.every is not None and (not number or not 0 < self.every < math.inf):
            raise OptionError(f"every must be a number of frames or seconds above 0, but is {self.every!r}")
        if not 0 <= self.smooth < math.inf:
            raise OptionError(f"smooth must be a number of seconds, 0 or more, but is {self.smooth!r}")
        if not 0 <= self.patience < math.inf:
            raise OptionError(f"patience must be a number of seconds, 0 or more, but is {self.patience!r}")
        if self.baseline is not None and not 0 <= self.baseline[0] < self.baseline[1] < math.inf:
            start, end = self.baseline
            raise OptionError(
                f"baseline must start at 0 seconds or later and end after its start, but runs from {start:g} to {end:g}"
            )

    @property
    def variants(self) -> tuple[str, ...]:
        """The values of each label besides its probability."""
        return (RAW,) if self.baseline is None else (RAW, CHANGE)

    def info(self) -> dict[str, Any]:
        """Return the settings for a table's or report's head."""
        baseline = None if self.baseline is None else list(self.baseline)
        return {
            "every": self.every,
            "smooth": self.smooth,
            "baseline": baseline,
            "patience": self.patience,
            "variants": list(self.variants),
        }


class PhotoScene:
    """Unrelated frames: the detector runs on each, and nothing is remembered."""

    detector: Detector
    options: DetectOptions

    def __init__(self, detector: Detector, options: DetectOptions) -> None:
        self.detector, self.options = detector, options

    def find(self, frame: Frame) -> list[Face]:
        """Run the detector."""
        return select_faces(self.detector(frame.image), self.options)

    def finish(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Return the faces as they are."""
        return faces


class VideoScene:
    """The frames of one video, camera or screen, in order: people have track IDs, and predictions are smoothed.

    Args:
        follower: Tracks the people.
        options: How the video is read.
        baseline: The people's expression baselines, if they are known already.
        unit_baseline: Their action-unit baselines, if they are known already.
        learn: Whether both are learned while the video is read, from the frames within `VideoOptions.baseline`.
    """

    follower: FaceFollower
    smoother: Smoother
    baseline: ExpressionBaseline
    unit_baseline: UnitBaseline

    def __init__(
        self,
        follower: FaceFollower,
        options: VideoOptions,
        *,
        baseline: ExpressionBaseline | None = None,
        unit_baseline: UnitBaseline | None = None,
        learn: bool = False,
    ) -> None:
        self.follower, self.smoother = follower, Smoother(SmoothOptions(seconds=options.smooth))
        self.baseline, self.unit_baseline = baseline or ExpressionBaseline(), unit_baseline or UnitBaseline()
        self._period = options.baseline if learn else None
        self._last: float | None = None

    def find(self, frame: Frame) -> list[Face]:
        """Track the people to the next frame."""
        return self.follower.find(frame)

    def finish(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Smooth the predictions and compare them with the baselines."""
        now = time_of(frame)
        passed = 0.0 if self._last is None else min(max(now - self._last, 0.0), LONGEST_FRAME)
        self._last = now
        smoothed = self.smoother.update(faces, now)
        if self._period and now < self._period[1]:
            neutral = smoothed if now >= self._period[0] else []
            self.baseline.add(neutral)
            self.unit_baseline.learn(neutral, seconds=max(passed, SHORTEST_FRAME))
            return smoothed
        self.unit_baseline.follow(smoothed, seconds=passed)
        return self.baseline.compare(self.unit_baseline.compare(smoothed))
