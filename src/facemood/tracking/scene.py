"""Scenes hold the state from frame to frame. Photos share none; each video, camera or screen is one scene."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from facemood.geometry import tilts
from facemood.participants import Participants, Period
from facemood.schema import Face, Frame
from facemood.stages.detect import DetectOptions, Detector, FinderDetector, select_faces
from facemood.stages.landmarks import landmarks_of
from facemood.stages.orientation import AUTO, TURNED, Orientation, UprightView, check_orientation, turn_frame
from facemood.tracking.baselines import Baselines
from facemood.tracking.cast import Cast
from facemood.tracking.follow import FaceFollower, time_of
from facemood.tracking.last_look import LastLook
from facemood.tracking.people import People
from facemood.tracking.recent_past import RecentPast
from facemood.tracking.smooth import Smoother, SmoothOptions
from facemood.tracking.unit_smooth import UnitSmoother
from facemood.tracking.video_options import AUTO as EVERY_AUTO
from facemood.tracking.video_options import VideoOptions

LONGEST_FRAME = 1.0
"""Longest time, in seconds, for which a frame counts in a unit baseline, so that no frame after a gap dominates."""


SURE = 0.9
"""Detection score from which a face counts as found in a picture that was turned, for detectors that do not say: three
more tries may not make more false alarms."""


class Scene(Protocol):
    """Finds the faces of each frame, and finishes their predictions."""

    def glance(self, frame: Frame) -> UprightView | None:
        """Return the next frame, turned upright, if it looks like the last one that was read; None if it does not."""
        ...

    def find(self, frame: Frame) -> UprightView:
        """Return the next frame, turned upright, with its faces, without expressions."""
        ...

    def finish(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Return the faces of the next frame as they are reported: smoothed and compared with baselines, if at all."""
        ...

    def repeat(self, frame: Frame) -> list[Face]:
        """Return the faces of a frame that is not read: those of the last one that was, as they are reported now."""
        ...


LYING = 60.0
"""Roll in degrees from which a face lies, rather than being tilted."""


def is_lying(face: Face) -> bool:
    """Return whether a face lies by the line between its outer eye corners; False without 68 landmarks."""
    points = landmarks_of(face)
    return points is not None and abs(float(tilts(points[36:37], points[45:46])[0])) > LYING


class EachIsRead:
    """A scene of which every frame is read."""

    __slots__ = ()

    def glance(self, frame: Frame) -> UprightView | None:
        """Return None: no frame is taken for another one."""
        return None

    def repeat(self, frame: Frame) -> list[Face]:
        """Return no faces: no frame is taken for another one."""
        return []


class PhotoScene(EachIsRead):
    """Unrelated frames: the detector runs on each, and nothing is remembered.

    Args:
        detector: Detects faces.
        options: Which faces count.
        orientation: How pictures are turned to be upright. With ``"auto"``, a picture without a sure face is tried at
            90, 180 and 270 degrees. One of them counts if it has a sure face, and not fewer faces. A sure face has a
            score of the detector's `SURE` or more, and does not lie.
        participants: The plan of a study, by which faces are participants; None without one.
    """

    detector: Detector
    options: DetectOptions
    orientation: Orientation
    participants: Participants | None

    def __init__(
        self,
        detector: Detector,
        options: DetectOptions,
        orientation: Orientation = AUTO,
        participants: Participants | None = None,
    ) -> None:
        self.detector, self.options, self.orientation = detector, options, check_orientation(orientation)
        self.participants = participants
        self._sure = max(getattr(detector, "SURE", SURE), options.threshold or 0.0)

    def find(self, frame: Frame) -> UprightView:
        """Run the detector; turn the frame if it has no sure face as it is."""
        if self.orientation != AUTO:
            return self._look(frame, int(self.orientation))
        as_given = self._look(frame, 0)
        narrow = min(frame.full_size) < self.options.min_size  # no whole face fits in, whichever way it is turned
        if narrow or any(map(self._is_sure, as_given.faces)):
            return as_given
        turned = self._try_turned(frame)
        return turned if turned is not None and len(turned.faces) >= len(as_given.faces) else as_given

    def finish(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Return the faces as they are, as participants of a study if they are in its plan."""
        if self.participants is None:
            return faces
        cast = Cast(self.participants.of(frame.source))
        return cast.update(faces, width=frame.size[0], now=frame.timestamp)[0]

    def _is_sure(self, face: Face) -> bool:
        """Return whether a face is upright beyond doubt: a face that is upside down is also found at times."""
        return face.score >= self._sure and not is_lying(face)

    def _look(self, frame: Frame, degrees: int) -> UprightView:
        """Run the detector on a frame that is turned clockwise."""
        turned = turn_frame(frame, degrees)
        detector, options = self.detector, self.options
        if frame.reduction > 1 and isinstance(detector, FinderDetector):
            options = dataclasses.replace(options, min_size=options.min_size / frame.reduction)
            detector = detector.at_min_size(options.min_size)
        return UprightView(turned, select_faces(detector(turned.image), options), degrees)

    def _try_turned(self, frame: Frame) -> UprightView | None:
        """Return the best of the three turned views that has a sure face that does not lie, None if there is none."""
        best, most = None, 0.0
        for degrees in TURNED:
            view = self._look(frame, degrees)
            sure = sum(face.score for face in view.faces if self._is_sure(face))
            if sure > most:
                best, most = view, sure
        return best


@dataclass(frozen=True, slots=True)
class KnownFaces(EachIsRead):
    """One photo whose faces were found elsewhere; their order is kept.

    Attributes:
        faces: The faces.
    """

    faces: Sequence[Face]

    def find(self, frame: Frame) -> UprightView:
        """Return the frame as it is, with the faces."""
        return UprightView(frame, list(self.faces), 0)

    def finish(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Return the faces as they are."""
        return faces


class VideoScene:
    """The frames of one video, camera or screen, in order: people have track IDs, and predictions are smoothed.

    Args:
        follower: Tracks the people.
        options: How the video is read.
        baselines: The people's baselines, if they are known already.
        learn: Whether they are learned while the video is read, from the frames in their periods.
        cast: Says who is which participant of a study; None without a study.
        people: Who the tracks are, if tracks of one person were joined; then `Face.track_id` is the person's number.
        orientation: Degrees by which each frame is turned clockwise: 0, 90, 180 or 270.
        past: Measures people's arousal against their recent past; None measures none.
    """

    follower: FaceFollower
    smoother: Smoother
    baselines: Baselines
    orientation: int

    def __init__(
        self,
        follower: FaceFollower,
        options: VideoOptions,
        *,
        baselines: Baselines | None = None,
        learn: bool = False,
        cast: Cast | None = None,
        people: People | None = None,
        orientation: int = 0,
        past: RecentPast | None = None,
    ) -> None:
        self.orientation, self._past = orientation, past
        self.follower, self.smoother = follower, Smoother(SmoothOptions(seconds=options.smooth))
        self._unit_smoother = UnitSmoother(options.smooth)
        self._cast, self._learn, self._default = cast or Cast(()), learn, options.baseline
        self._people = people
        self.baselines = baselines or Baselines(self.periods)
        self._last: float | None = None
        self._look = LastLook() if options.every == EVERY_AUTO else None
        self._read: list[Face] = []  # the faces of the last frame that was read, with predictions

    @property
    def periods(self) -> list[Period]:
        """All baseline periods of the video: that of the options, and those of the study's segments."""
        given = [self._default, *(one.baseline for one in self._cast.segments)]
        return [period for period in given if period is not None]

    def glance(self, frame: Frame) -> UprightView | None:
        """Return the next frame, without faces, if it looks like the last one: the people are where they were."""
        if self._look is None:
            return None
        turned = turn_frame(frame, self.orientation)
        if not self._look.resembles(turned):
            return None
        self.follower.hold(turned)
        return UprightView(turned, [], self.orientation)

    def find(self, frame: Frame) -> UprightView:
        """Track the people to the next frame."""
        turned = turn_frame(frame, self.orientation)
        faces = self.follower.find(turned)
        if self._look is not None:
            self._look.remember(turned, faces)
        return UprightView(turned, faces, self.orientation)

    def repeat(self, frame: Frame) -> list[Face]:
        """Return the faces of the last frame that was read: time goes on for smoothing, baselines and the study."""
        return self.finish(frame, self._read)

    def finish(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Smooth the predictions, say who is who, and compare them with the baselines."""
        self._read = faces
        now = time_of(frame)
        passed = 0.0 if self._last is None else min(max(now - self._last, 0.0), LONGEST_FRAME)
        self._last = now
        smoothed = self._name(self._unit_smoother.update(self.smoother.update(faces, now), now))
        width = frame.size[0 if self.orientation in (0, 180) else 1]
        known, participants = self._cast.update(smoothed, width=width, now=now)
        names = dict(participants)
        keys = [
            one.segment.participant if one.segment else names.get(place, one.track_id)
            for place, one in enumerate(known)
        ]
        if self._learn and now < self.baselines.end:
            self._learn_from(known, participants, now=now, seconds=passed)
        else:
            periods = [self._default if one.segment is None else one.segment.baseline or self._default for one in known]
            known = self.baselines.compare(known, keys, periods, seconds=passed)
        return known if self._past is None else self._past.update(known, keys, now=now, seconds=passed)

    def _name(self, faces: list[Face]) -> list[Face]:
        """Return the faces with the numbers of their people, if tracks were joined."""
        if self._people is None:
            return faces
        number = self._people.number
        return [
            face if face.track_id is None else dataclasses.replace(face, track_id=number(face.track_id))
            for face in faces
        ]

    def _learn_from(
        self, faces: list[Face], participants: list[tuple[int, str]], *, now: float, seconds: float
    ) -> None:
        """Add the faces of a frame to the baselines of their tracks, and of the participants that they are."""
        learned = [*((face, face.track_id) for face in faces), *((faces[place], name) for place, name in participants)]
        self.baselines.learn([face for face, _ in learned], [key for _, key in learned], now=now, seconds=seconds)
