"""Track faces through a video. The landmark network follows each face; the detector runs only every few frames."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.errors import OptionError
from facemood.geometry import Floats, box_of_points, iom, iou
from facemood.schema import Face, Frame, Image
from facemood.sources.container import DEFAULT_RATE
from facemood.stages.detect import DetectOptions, Detector, FinderDetector, select_faces
from facemood.stages.landmarks import LandmarkModel, landmarks_of
from facemood.tracking.tracker import Tracker, TrackOptions

DETECT_EVERY = 5
"""The detector runs at least every so many frames."""

SEARCH_EVERY = 2
"""The detector runs at least every so many frames while there is no face, or while a track has no face."""

DETECT_SECONDS = 0.5
"""The detector runs at least every so many seconds, so that it does not become rare at a low frame rate."""

FULL_SECONDS = 1.0
"""The detector looks for faces of all sizes at least every so many seconds; in between for larger ones, which is a
quarter of the work."""

LARGE = 48.0
"""Smallest face, in pixels, that the detector looks for in between."""

ROOM_FOR_CHANGE = 1.25
"""A face is known to be large if it is larger than `LARGE` by this factor; smaller ones need the whole search."""

LONGEST_GAP = 0.35
"""Longest gap between frames, in seconds, over which a face is still followed. It is less than `DETECT_SECONDS`, so
that a machine that the detector slows down can follow faces in between."""

RELIABLE = 0.8
"""Below this presence score a followed face is unreliable and the detector runs."""

MAX_SHIFT = 0.35
"""A face that moves by a larger share of its size between two frames is unreliable."""

MAX_SCALING = 1.25
"""A face that grows or shrinks by a larger factor between two frames is unreliable."""

MAX_DEFORMATION = 0.06
"""A face is unreliable if its points move within their box by a larger share of the box, in the mean."""

MAX_OVERLAP = 0.2
"""Two followed faces with a larger intersection over minimum are unreliable: both may follow the same face."""

SAME_FACE = 0.7
"""Intersection over union from which a detected face is the followed one, whose points then stay."""

MISSED = 0.3
"""A followed face whose intersection over minimum with all detected ones is at most this was missed by the detector."""

MAX_MISSES = 3
"""How many times in a row the detector may miss a followed face before it is dropped."""

SAME_SHOT = 0.5
"""Two frames whose thumbnails correlate less have a cut between them."""


class FaceFollower:
    """Tracks faces through the frames of one source: box, score, landmarks and `track_id`.

    Each face is followed by its own landmarks (`LandmarkModel.follow`). The detector runs

    * every `every` frames, and every half second;
    * every second frame while there is no face, or while a track has no face;
    * if a followed face is lost or unreliable: a low presence score, too fast a change, or an overlap with another
      face;
    * if a face has no landmarks to be followed by;
    * after a cut, and after a long gap between frames.

    Once a second, after a cut, and while a face is not large or a track has no face, the detector looks for faces of
    all sizes. Otherwise it looks for those of `LARGE` pixels and more, if it is the finder. So a small face may be
    found up to a second later.

    If the detector finds a face where it was followed to, the followed landmarks stay, so that they do not jump. A box
    keeps its position relative to the landmarks, so it is framed as the detector's boxes are.

    Args:
        detector: Detects faces.
        landmark_model: The landmark network, which also follows faces.
        options: Which faces count.
        every: The detector runs at least every so many frames; 1 runs it on each.
        track: How people are tracked.

    Attributes:
        detected: Whether the detector ran on the last frame.
        frames: How many frames there were.
        detections: On how many of them the detector ran.

    Raises:
        OptionError: `every` is below 1.

    Example:
        >>> from facemood.stages.detect import FinderDetector
        >>> detector = FinderDetector(threads=1)
        >>> follower = FaceFollower(detector, detector.landmark_model)
        >>> blank = np.full((240, 320, 3), 128, np.uint8)
        >>> [len(follower.find(Frame(blank, index=index, timestamp=index / 30))) for index in range(4)]
        [0, 0, 0, 0]
        >>> follower.detections
        2
    """

    detector: Detector
    landmark_model: LandmarkModel
    options: DetectOptions
    every: int
    detected: bool
    frames: int
    detections: int

    def __init__(
        self,
        detector: Detector,
        landmark_model: LandmarkModel,
        options: DetectOptions | None = None,
        *,
        every: int = DETECT_EVERY,
        track: TrackOptions | None = None,
    ) -> None:
        if every < 1:
            raise OptionError(f"expected the detector to run every 1 or more frames, but got every={every}")
        self.detector, self.landmark_model = detector, landmark_model
        self.options, self.every = options or DetectOptions(), every
        self.tracker: Tracker = Tracker(track)
        self.detected, self.frames, self.detections = False, 0, 0
        self._faces: list[Face] = []
        self._frames_since, self._detected_at = 0, 0.0
        self._searched_at: float | None = None
        self._coarse: Detector | None = None
        if isinstance(detector, FinderDetector) and detector.options.min_size < LARGE:
            self._coarse = detector.at_min_size(LARGE)
        self._time: float | None = None
        self._thumbnail: Floats | None = None
        self._misses: dict[int | None, int] = {}

    def find(self, frame: Frame) -> list[Face]:
        """Return the faces of the next frame, largest first: box, score, landmarks and `track_id`; no expression.

        Args:
            frame: The next frame. Without a timestamp, 25 frames a second are assumed.
        """
        time = time_of(frame)
        small = thumbnail(frame.image)
        cut = self._thumbnail is not None and not is_same_shot(self._thumbnail, small)
        recent = self._time is not None and abs(time - self._time) < LONGEST_GAP
        followed, unreliable = self._follow(frame.image) if recent and not cut else ([], True)
        self.detected = unreliable or self._is_due(time)
        faces = self._detect(frame.image, followed, self._choose(time, cut=cut)) if self.detected else followed
        faces = self.tracker.update(frame.image, select_faces(faces, self.options), time, cut=cut)
        self._remember(faces, time, small)
        return faces

    def hold(self, frame: Frame) -> None:
        """Take note of a frame that looks like the last one: its faces are where they were.

        Args:
            frame: The next frame.
        """
        self._time = time_of(frame)

    def _follow(self, image: Image) -> tuple[list[Face], bool]:
        """Follow the faces of the last frame; return those that are still there, and whether any is unreliable."""
        if any(landmarks_of(face) is None for face in self._faces):
            return [], True
        followed = self.landmark_model.follow(image, self._faces)
        pairs = [(before, _reframe(before, now)) for before, now in zip(self._faces, followed, strict=True) if now]
        faces = [now for _, now in pairs]
        lost = len(pairs) < len(followed)
        return faces, lost or _is_overlapping(faces) or any(is_unreliable(before, now) for before, now in pairs)

    def _is_due(self, time: float) -> bool:
        """Return whether the detector must run again after so many frames or seconds."""
        searching = not self._faces or self.tracker.waiting > 0
        frames = min(SEARCH_EVERY, self.every) if searching else self.every
        return self._frames_since + 1 >= frames or time - self._detected_at >= DETECT_SECONDS

    def _choose(self, time: float, *, cut: bool) -> Detector:
        """Return the detector of all faces, or that of large ones where it suffices."""
        due = self._searched_at is None or cut or not 0 <= time - self._searched_at < FULL_SECONDS
        missing = self.tracker.waiting > 0 or any(min(face.size) < LARGE * ROOM_FOR_CHANGE for face in self._faces)
        if self._coarse is None or due or missing:
            self._searched_at = time
            return self.detector
        return self._coarse

    def _detect(self, image: Image, followed: list[Face], detector: Detector) -> list[Face]:
        """Run a detector and merge its faces with those that were followed."""
        found = select_faces(detector(image), dataclasses.replace(self.options, max_faces=None))
        if not followed:
            self._misses = {}
            return self.landmark_model.add_landmarks(image, found)
        if not found:
            return self._keep_missed(followed)
        detected, before = (np.stack([face.box for face in faces]) for faces in (found, followed))
        matches = _match(iou(detected, before))
        kept = [followed[matches[row]] if row in matches else face for row, face in enumerate(found)]
        missed = iom(before, detected).max(axis=1) <= MISSED
        return self.landmark_model.add_landmarks(image, kept) + self._keep_missed(
            [followed[row] for row in np.flatnonzero(missed)]
        )

    def _keep_missed(self, faces: list[Face]) -> list[Face]:
        """Return those of the faces missed by the detector that are reliable and were not missed too often."""
        self._misses = {face.track_id: self._misses.get(face.track_id, 0) + 1 for face in faces}
        return [face for face in faces if self._misses[face.track_id] <= MAX_MISSES and face.score >= RELIABLE]

    def _remember(self, faces: list[Face], time: float, small: Floats) -> None:
        """Keep what the next frame needs."""
        self.frames, self.detections = self.frames + 1, self.detections + self.detected
        self._frames_since = 0 if self.detected else self._frames_since + 1
        self._detected_at = time if self.detected else self._detected_at
        self._faces, self._time, self._thumbnail = faces, time, small


def time_of(frame: Frame) -> float:
    """Return a frame's seconds since the source began. Without a timestamp, 25 frames a second are assumed.

    Example:
        >>> time_of(Frame(np.zeros((8, 8, 3), np.uint8), index=50))
        2.0
    """
    return frame.index / DEFAULT_RATE if frame.timestamp is None else frame.timestamp


def is_unreliable(before: Face, now: Face) -> bool:
    """Return whether a followed face may be lost: a low presence score, or a change that is too fast for a face.

    Args:
        before: The face in the last frame, with 68 points.
        now: The same face followed to this one.

    Example:
        >>> points = np.random.default_rng(1).uniform(100, 200, (68, 2)).astype(np.float32)
        >>> one = Face(box_of_points(points), 1.0, landmarks=points)
        >>> other = Face(box_of_points(points + 60), 1.0, landmarks=points + 60)
        >>> is_unreliable(one, one), is_unreliable(one, other)
        (False, True)
    """
    if before.landmarks is None or now.landmarks is None or now.score < RELIABLE:
        return True
    boxes = box_of_points(np.stack([before.landmarks, now.landmarks]))
    corners, sides = boxes[:, :2], np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3)
    middles, sizes = corners + sides / 2, np.sqrt(sides.prod(axis=1))
    shift = np.linalg.norm(middles[1] - middles[0]) / sizes[0]
    scaling = np.abs(np.log(sides[1] / sides[0])).max()
    inner = (np.stack([before.landmarks, now.landmarks]) - corners[:, None]) / sides[:, None]
    deformation = np.linalg.norm(inner[1] - inner[0], axis=1).mean()
    return bool(shift > MAX_SHIFT or scaling > np.log(MAX_SCALING) or deformation > MAX_DEFORMATION)


def thumbnail(image: Image) -> Floats:
    """Return a frame as (24, 32) float32 grey levels, by which cuts are detected; it reads one pixel in 64."""
    few = np.ascontiguousarray(image[::8, ::8, 1])  # the green channel is near the brightness
    return np.asarray(cv2.resize(few, (32, 24), interpolation=cv2.INTER_AREA), np.float32)


def is_same_shot(one: Floats, other: Floats) -> bool:
    """Return whether two thumbnails correlate, so that there is no cut between them; even ones always count as such.

    Example:
        >>> ramp = np.tile(np.arange(32, dtype=np.float32), (24, 1))
        >>> is_same_shot(ramp, ramp * 2 + 9), is_same_shot(ramp, ramp[:, ::-1])
        (True, False)
    """
    first, second = one - one.mean(), other - other.mean()
    strength = float(np.linalg.norm(first) * np.linalg.norm(second))
    return strength < one.size or float((first * second).sum()) >= SAME_SHOT * strength


def _reframe(before: Face, now: Face) -> Face:
    """Move a followed face's box with its landmarks: position and size relative to them stay the same."""
    if before.landmarks is None or now.landmarks is None:
        return now
    old, new = box_of_points(before.landmarks), box_of_points(now.landmarks)
    scale = np.tile((new[2:] - new[:2]) / np.maximum(old[2:] - old[:2], 1e-3), 2)
    return dataclasses.replace(
        now, box=(new[[0, 1, 0, 1]] + (before.box - old[[0, 1, 0, 1]]) * scale).astype(np.float32)
    )


def _is_overlapping(faces: Sequence[Face]) -> bool:
    """Return whether two faces overlap so much that they may be the same."""
    if len(faces) < 2:
        return False
    boxes = np.stack([face.box for face in faces])
    return bool((iom(boxes, boxes)[~np.eye(len(boxes), dtype=bool)] > MAX_OVERLAP).any())


def _match(overlaps: NDArray[np.float32]) -> dict[int, int]:
    """Match boxes greedily by an (A, B) intersection over union, the largest first: {row: column}."""
    pairs: dict[int, int] = {}
    for flat in np.argsort(-overlaps, axis=None).tolist():
        row, column = divmod(flat, overlaps.shape[1])
        if overlaps[row, column] < SAME_FACE:
            break
        if row not in pairs and column not in pairs.values():
            pairs[row] = column
    return pairs
