"""Scenes hold the state from frame to frame. Photos share none; each video, camera or screen is one scene."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, Protocol

from facemood.defaults import SMOOTH
from facemood.errors import OptionError
from facemood.geometry import tilts
from facemood.schema import Face, Frame
from facemood.stages.detect import DetectOptions, Detector, select_faces
from facemood.stages.landmarks import landmarks_of
from facemood.stages.orientation import AUTO, TURNED, Orientation, UprightView, check_orientation, turn_frame
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


SURE = 0.9
"""Detection score from which a face counts as found in a picture that was turned, for detectors that do not say: three
more tries may not make more false alarms."""


class Scene(Protocol):
    """Finds the faces of each frame, and finishes their predictions."""

    def find(self, frame: Frame) -> UprightView:
        """Return the next frame, turned upright, with its faces, without expressions."""
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


LYING = 60.0
"""Roll in degrees from which a face lies, rather than being tilted."""


def is_lying(face: Face) -> bool:
    """Return whether a face lies by the line between its outer eye corners; False without 68 landmarks."""
    points = landmarks_of(face)
    return points is not None and abs(float(tilts(points[36:37], points[45:46])[0])) > LYING


class PhotoScene:
    """Unrelated frames: the detector runs on each, and nothing is remembered.

    Args:
        detector: Detects faces.
        options: Which faces count.
        orientation: How pictures are turned to be upright. With ``"auto"``, a picture without a sure face is tried at
            90, 180 and 270 degrees. One of them counts if it has a sure face, and not fewer faces. A sure face has a
            score of the detector's `SURE` or more, and does not lie.
    """

    detector: Detector
    options: DetectOptions
    orientation: Orientation

    def __init__(self, detector: Detector, options: DetectOptions, orientation: Orientation = AUTO) -> None:
        self.detector, self.options, self.orientation = detector, options, check_orientation(orientation)
        self._sure = max(getattr(detector, "SURE", SURE), options.threshold or 0.0)

    def find(self, frame: Frame) -> UprightView:
        """Run the detector; turn the frame if it has no sure face as it is."""
        if self.orientation != AUTO:
            return self._look(frame, int(self.orientation))
        as_given = self._look(frame, 0)
        narrow = min(frame.size) < self.options.min_size  # no whole face fits in, whichever way it is turned
        if narrow or any(map(self._is_sure, as_given.faces)):
            return as_given
        turned = self._try_turned(frame)
        return turned if turned is not None and len(turned.faces) >= len(as_given.faces) else as_given

    def finish(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Return the faces as they are."""
        return faces

    def _is_sure(self, face: Face) -> bool:
        """Return whether a face is upright beyond doubt: a face that is upside down is also found at times."""
        return face.score >= self._sure and not is_lying(face)

    def _look(self, frame: Frame, degrees: int) -> UprightView:
        """Run the detector on a frame that is turned clockwise."""
        turned = turn_frame(frame, degrees)
        return UprightView(turned, select_faces(self.detector(turned.image), self.options), degrees)

    def _try_turned(self, frame: Frame) -> UprightView | None:
        """Return the best of the three turned views that has a sure face that does not lie, None if there is none."""
        best, most = None, 0.0
        for degrees in TURNED:
            view = self._look(frame, degrees)
            sure = sum(face.score for face in view.faces if self._is_sure(face))
            if sure > most:
                best, most = view, sure
        return best


class VideoScene:
    """The frames of one video, camera or screen, in order: people have track IDs, and predictions are smoothed.

    Args:
        follower: Tracks the people.
        options: How the video is read.
        baseline: The people's expression baselines, if they are known already.
        unit_baseline: Their action-unit baselines, if they are known already.
        learn: Whether both are learned while the video is read, from the frames within `VideoOptions.baseline`.
        orientation: Degrees by which each frame is turned clockwise: 0, 90, 180 or 270.
    """

    follower: FaceFollower
    smoother: Smoother
    baseline: ExpressionBaseline
    unit_baseline: UnitBaseline
    orientation: int

    def __init__(
        self,
        follower: FaceFollower,
        options: VideoOptions,
        *,
        baseline: ExpressionBaseline | None = None,
        unit_baseline: UnitBaseline | None = None,
        learn: bool = False,
        orientation: int = 0,
    ) -> None:
        self.orientation = orientation
        self.follower, self.smoother = follower, Smoother(SmoothOptions(seconds=options.smooth))
        self.baseline, self.unit_baseline = baseline or ExpressionBaseline(), unit_baseline or UnitBaseline()
        self._period = options.baseline if learn else None
        self._last: float | None = None

    def find(self, frame: Frame) -> UprightView:
        """Track the people to the next frame."""
        turned = turn_frame(frame, self.orientation)
        return UprightView(turned, self.follower.find(turned), self.orientation)

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
