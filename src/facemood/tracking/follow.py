"""Find the people of one source frame by frame, cheaply: faces are followed, and the detector runs now and then."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats, box_of_points, iom, iou
from facemood.schema import Face, Frame, Image
from facemood.stages.detect import DetectOptions, Detector, select_faces
from facemood.stages.landmarks import LandmarkModel, landmarks_of
from facemood.tracking.tracker import Tracker, TrackOptions

EVERY = 5
"""The detector runs at least every so many frames."""

SEEKING = 2
"""It runs at least every so many frames while nobody is there, or somebody is waited for."""

STALE, LONGEST = 0.35, 0.5
"""Seconds between two frames from which on people may be anywhere, and nobody is followed; seconds after which the
detector runs, however few frames there were. Between them a machine that the detector makes slow gains time."""

SURE = 0.8
"""A followed face of less presence is doubtful."""

LEAP, SWELL, TWIST = 0.35, 1.25, 0.06
"""A followed face is doubtful that moves by a larger share of its size between two frames, whose size changes by a
larger factor, or whose points change places within their box by a larger share of it in the mean."""

TOUCHING = 0.2
"""So are two that share more of the smaller one's box: one of them may sit on the other's face."""

AGREED = 0.7
"""From this one on, a followed face is where the detector sees it, and its points stay as they are."""

BESIDE = 0.3
"""A followed face that the detector misses shares at most so much with one that it sees."""

OVERLOOKED = 3
"""So often the detector may miss a face that is followed, before it is given up."""

CUT = 0.5
"""Two frames whose thumbnails correlate less are not of the same scene."""

RATE = 25.0
"""Frames a second where the source tells no time."""


class FaceFollower:
    """Turns the frames of one source, in their order, into faces with points and the numbers of their people.

    Each face is followed by its own points (`LandmarkModel.follow`). The detector runs

    * every `every` frames, and every half second;
    * every second frame while nobody is there, or while somebody is waited for who was there a moment ago;
    * where a followed face is lost or doubtful: of low presence, moved, grown or twisted too fast, or touching another;
    * where a face has no points to be followed by;
    * after a cut, and where frames are so far apart in time that people may be anywhere.

    Where the detector sees a face where it was followed to, the followed points stay, so that they do not jump. A box
    keeps its position about the points, so that it is framed as the detector frames it, followed or not.

    Args:
        detector: What finds the faces.
        reader: What reads their points and follows them.
        options: Which faces count.
        every: The detector runs at least every so many frames; 1 runs it on each.
        track: How long people are remembered.

    Attributes:
        found: Whether the detector ran on the last frame.
        frames: How many frames there were.
        finds: On how many of them the detector ran.

    Raises:
        ValueError: `every` is below 1.

    Example:
        >>> from facemood.stages.detect import FinderDetector
        >>> detector = FinderDetector(threads=1)
        >>> people = FaceFollower(detector, detector.reader)
        >>> blank = np.full((240, 320, 3), 128, np.uint8)
        >>> [len(people.find(Frame(blank, index=index, timestamp=index / 30))) for index in range(4)], people.finds
        ([0, 0, 0, 0], 2)
    """

    def __init__(
        self,
        detector: Detector,
        reader: LandmarkModel,
        options: DetectOptions | None = None,
        *,
        every: int = EVERY,
        track: TrackOptions | None = None,
    ) -> None:
        if every < 1:
            raise ValueError(f"expected the detector to run every 1 or more frames, but got every={every}")
        self.detector, self.reader, self.options, self.every = detector, reader, options or DetectOptions(), every
        self.tracker = Tracker(track)
        self.found, self.frames, self.finds = False, 0, 0
        self._faces: list[Face] = []
        self._rested, self._searched = 0, 0.0
        self._time: float | None = None
        self._thumb: Floats | None = None
        self._missed: dict[int | None, int] = {}

    def find(self, frame: Frame) -> list[Face]:
        """Return the faces of the next frame, largest first: box, score, points and `track_id`; no expression.

        Args:
            frame: The next frame. Where it has no timestamp, 25 frames a second are taken.
        """
        time = time_of(frame)
        thumb = thumbnail(frame.image)
        cut = self._thumb is not None and not alike(self._thumb, thumb)
        fresh = self._time is not None and abs(time - self._time) < STALE
        followed, doubtful = self._follow(frame.image) if fresh and not cut else ([], True)
        self.found = doubtful or self._due(time)
        faces = self._confirm(frame.image, followed) if self.found else followed
        faces = self.tracker.update(frame.image, select_faces(faces, self.options), time, cut=cut)
        self._remember(faces, time, thumb)
        return faces

    def _follow(self, image: Image) -> tuple[list[Face], bool]:
        """Follow the faces of the last frame; return those that are still there, and whether any is doubtful."""
        if any(landmarks_of(face) is None for face in self._faces):
            return [], True
        read = self.reader.follow(image, self._faces)
        pairs = [(before, _reframe(before, now)) for before, now in zip(self._faces, read, strict=True) if now]
        faces = [now for _, now in pairs]
        lost = len(pairs) < len(read)
        return faces, lost or _touching(faces) or any(is_doubtful(before, now) for before, now in pairs)

    def _due(self, time: float) -> bool:
        """Return whether the detector has rested long enough."""
        seeking = not self._faces or self.tracker.waiting > 0
        frames = min(SEEKING, self.every) if seeking else self.every
        return self._rested + 1 >= frames or time - self._searched >= LONGEST

    def _confirm(self, image: Image, followed: list[Face]) -> list[Face]:
        """Run the detector and bring its faces together with those that were followed."""
        found = select_faces(self.detector(image), dataclasses.replace(self.options, max_faces=None))
        if not followed:
            self._missed = {}
            return self.reader.mark(image, found)
        if not found:
            return self._overlooked(followed)
        seen, follows = (np.stack([face.box for face in faces]) for faces in (found, followed))
        best = _couple(iou(seen, follows))
        kept = [followed[best[row]] if row in best else face for row, face in enumerate(found)]
        beside = iom(follows, seen).max(axis=1) <= BESIDE
        return self.reader.mark(image, kept) + self._overlooked([followed[row] for row in np.flatnonzero(beside)])

    def _overlooked(self, faces: list[Face]) -> list[Face]:
        """Return those of the followed faces that the detector did not miss too often by now."""
        self._missed = {face.track_id: self._missed.get(face.track_id, 0) + 1 for face in faces}
        return [face for face in faces if self._missed[face.track_id] <= OVERLOOKED and face.score >= SURE]

    def _remember(self, faces: list[Face], time: float, thumb: Floats) -> None:
        """Keep what the next frame needs."""
        self.frames, self.finds = self.frames + 1, self.finds + self.found
        self._rested, self._searched = (0, time) if self.found else (self._rested + 1, self._searched)
        self._faces, self._time, self._thumb = faces, time, thumb


def time_of(frame: Frame) -> float:
    """Return a frame's seconds since the source began; 25 frames a second are taken where it does not tell.

    Example:
        >>> time_of(Frame(np.zeros((8, 8, 3), np.uint8), index=50))
        2.0
    """
    return frame.index / RATE if frame.timestamp is None else frame.timestamp


def is_doubtful(before: Face, now: Face) -> bool:
    """Return whether a followed face may be none, or another's: of low presence, or changed faster than faces do.

    Args:
        before: The face in the last frame, with 68 points.
        now: The same face followed to this one.

    Example:
        >>> points = np.random.default_rng(1).uniform(100, 200, (68, 2)).astype(np.float32)
        >>> one = Face(box_of_points(points), 1.0, landmarks=points)
        >>> other = Face(box_of_points(points + 60), 1.0, landmarks=points + 60)
        >>> is_doubtful(one, one), is_doubtful(one, other)
        (False, True)
    """
    if before.landmarks is None or now.landmarks is None or now.score < SURE:
        return True
    boxes = box_of_points(np.stack([before.landmarks, now.landmarks]))
    corners, sides = boxes[:, :2], np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-3)
    middles, sizes = corners + sides / 2, np.sqrt(sides.prod(axis=1))
    leap = np.linalg.norm(middles[1] - middles[0]) / sizes[0]
    swell = np.abs(np.log(sides[1] / sides[0])).max()
    inner = (np.stack([before.landmarks, now.landmarks]) - corners[:, None]) / sides[:, None]
    twist = np.linalg.norm(inner[1] - inner[0], axis=1).mean()
    return bool(leap > LEAP or swell > np.log(SWELL) or twist > TWIST)


def thumbnail(image: Image) -> Floats:
    """Return a frame as (24, 32) float32 grey levels, for a comparison of scenes; it reads one pixel in 64."""
    few = np.ascontiguousarray(image[::8, ::8, 1])  # green stands for the light; a copy is cheap, it is small
    return np.asarray(cv2.resize(few, (32, 24), interpolation=cv2.INTER_AREA), np.float32)


def alike(one: Floats, other: Floats) -> bool:
    """Return whether two thumbnails may be of the same scene: whether they correlate; even ones say nothing.

    Example:
        >>> ramp = np.tile(np.arange(32, dtype=np.float32), (24, 1))
        >>> alike(ramp, ramp * 2 + 9), alike(ramp, ramp[:, ::-1])
        (True, False)
    """
    first, second = one - one.mean(), other - other.mean()
    strength = float(np.linalg.norm(first) * np.linalg.norm(second))
    return strength < one.size or float((first * second).sum()) >= CUT * strength


def _reframe(before: Face, now: Face) -> Face:
    """Give a followed face a box that lies about its points as the box before lay about its own."""
    if before.landmarks is None or now.landmarks is None:
        return now
    old, new = box_of_points(before.landmarks), box_of_points(now.landmarks)
    scale = np.tile((new[2:] - new[:2]) / np.maximum(old[2:] - old[:2], 1e-3), 2)
    return dataclasses.replace(
        now, box=(new[[0, 1, 0, 1]] + (before.box - old[[0, 1, 0, 1]]) * scale).astype(np.float32)
    )


def _touching(faces: Sequence[Face]) -> bool:
    """Return whether two faces share so much that they may be one."""
    if len(faces) < 2:
        return False
    boxes = np.stack([face.box for face in faces])
    return bool((iom(boxes, boxes)[~np.eye(len(boxes), dtype=bool)] > TOUCHING).any())


def _couple(shared: NDArray[np.float32]) -> dict[int, int]:
    """Pair boxes that agree, greedily, the nearest first: {row: column} of an (A, B) intersection over union."""
    pairs: dict[int, int] = {}
    for flat in np.argsort(-shared, axis=None).tolist():
        row, column = divmod(flat, shared.shape[1])
        if shared[row, column] < AGREED:
            break
        if row not in pairs and column not in pairs.values():
            pairs[row] = column
    return pairs
