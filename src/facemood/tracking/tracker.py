"""Assign each face of a video to a track by its expected place and its appearance."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facemood.errors import OptionError
from facemood.geometry import TINY, Floats, iom
from facemood.schema import Face, Image
from facemood.switches import check_switches
from facemood.tracking.appearance import appearance_of
from facemood.tracking.least_cost import assign

PATIENCE = 1.5
"""Seconds for which a person who is not visible keeps the track ID: longer than most head turns and crossings."""

REACH = 0.7
"""Distance from the expected position, in units of the face's size, that costs 1: the largest cost of a distance."""

REACH_GROWTH = 1.0
"""Growth of the reach for each second in which the person is not visible, in units of the face's size."""

UNLIKE = 0.15
"""Cosine distance of two appearances that costs 1. In group photos, other people are 0.25 apart in the median; the same
person within two seconds of a clip is 0.02 apart, and more than 0.1 once in a hundred times."""

MAX_COST = 1.5
"""Pairs of this cost or more are not matched. A face anywhere is matched if its appearance is similar, and a face at
the expected position is matched if its appearance is not too different."""

NEW_TRACK_COST = 0.25
"""Additional cost of a track with a single frame, so that the older of two tracks on one face is kept."""

NEW_TRACK_HASTE = 5.0
"""How many times sooner a track with a single frame is dropped, because it may be a false alarm."""

HEAD = 1.4
"""Side of a head in units of its face's box."""

MAX_HEAD_OVERLAP = 0.05
"""Intersection over minimum of heads above which they occlude each other: one's pixels may be in the other's box."""

OCCLUDED = 4.0
"""Factor by which the appearance of an occluded face costs less, and by which its size and velocity are updated more
slowly. Its appearance is not learned."""

GLIDE = 1.0
"""Time constant, in seconds, with which the velocity of a person who is not visible decays."""

MOTION = 0.12
"""Time constant, in seconds, with which velocity and size follow a change."""

LEARNING = 1.0
"""Time constant, in seconds, with which the appearance of a track follows a change."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrackOptions:
    """How people are tracked.

    Attributes:
        patience: Seconds for which a person who is not visible keeps the track ID; the next frame always counts.
        reach: Distance from the expected position that costs 1, in units of the face's size; see `REACH`.
        over_cuts: Whether people keep their track over a cut if they look almost the same.

    Raises:
        OptionError: An option is negative or NaN, or `over_cuts` is no bool.

    Example:
        >>> TrackOptions(patience=3).patience
        3
    """

    patience: float = PATIENCE
    reach: float = REACH
    over_cuts: bool = True

    def __post_init__(self) -> None:
        check_switches(over_cuts=self.over_cuts)
        if not (self.patience >= 0 and self.reach > 0):
            raise OptionError(f"expected patience >= 0 and reach > 0, but got {self.patience} and {self.reach}")


@dataclasses.dataclass(slots=True)
class TrackState:
    """The state of one track.

    Attributes:
        track_id: From 1, never reused.
        place: (4,) float32 x and y of the centre in pixels, and the logarithms of width and height, when last visible.
        velocity: (4,) float32 change of the place per second.
        appearance: (L,) float32 of length 1, as `appearance_of` returns it.
        last_seen: When the person was last visible, in seconds of the tracker's clock.
        frames: Number of frames with the person.
        learned: Number of frames from which the appearance was learned.
    """

    track_id: int
    place: Floats
    velocity: Floats
    appearance: Floats
    last_seen: float
    frames: int = 1
    learned: int = 0

    def predict(self, now: float) -> Floats:
        """Return the expected place at a time (constant velocity with damping)."""
        seconds = GLIDE * (1 - np.exp(-(now - self.last_seen) / GLIDE))
        return np.asarray(self.place + self.velocity * seconds, np.float32)


class Tracker:
    """Gives the faces of one source their `track_id`, frame by frame.

    The cost of matching a face to a track has two parts: the distance from the expected position and size (damped
    constant velocity), and the difference in appearance (grey thumbnail and colour histogram). The assignment with the
    lowest total cost is used. A track without a face is kept for some seconds. It is matched again near the expected
    position, or anywhere if the appearance is very similar. A face without a track starts a new track with the next ID.

    Every face gets a track ID at once, so each row of a table has one. A false alarm in a single frame uses up a track
    ID, but its track is soon dropped.

    Args:
        options: How people are tracked.

    Example:
        >>> tracker, grey = Tracker(), np.full((90, 90, 3), 128, np.uint8)
        >>> face = Face(np.array([20, 20, 60, 70], np.float32), score=0.9)
        >>> tracked = [tracker.update(grey, faces, second) for second, faces in ((0, [face]), (1, []), (9, [face]))]
        >>> [[face.track_id for face in faces] for faces in tracked]
        [[1], [], [2]]
    """

    def __init__(self, options: TrackOptions | None = None) -> None:
        self.options: TrackOptions = options or TrackOptions()
        self._tracks: list[TrackState] = []
        self._count = 0
        self._clock = 0.0
        self._last: float | None = None

    @property
    def waiting(self) -> int:
        """Number of tracks without a face in the last frame that are still kept; those with one frame do not count."""
        return sum(track.last_seen < self._clock and track.frames > 1 for track in self._tracks)

    def update(self, image: Image, faces: Sequence[Face], timestamp: float, *, cut: bool = False) -> list[Face]:
        """Give the faces of the next frame their track IDs.

        Args:
            image: The frame, (H, W, 3) uint8 BGR.
            faces: The faces in it, each person once. A `track_id` that they have already is ignored.
            timestamp: Seconds since the source began. If it goes back, the clock stands still.
            cut: Whether the frame belongs to another shot than the last one, so that positions are meaningless.

        Returns:
            The same faces in the same order, with `track_id`.
        """
        self._pass_time(timestamp)
        if cut and not self.options.over_cuts:
            self._tracks = []
        if not faces:
            return []
        boxes = np.stack([face.box for face in faces])
        places, looks = places_of(boxes), np.stack([appearance_of(image, face) for face in faces])
        clear = (_head_overlaps(boxes) <= MAX_HEAD_OVERLAP) & looks.any(axis=1)  # faces outside of the frame are not
        matches = dict(assign(self._costs(places, looks, clear, cut=cut).T, MAX_COST))
        tracked = []
        for row, face in enumerate(faces):
            if row in matches:
                track = self._tracks[matches[row]]
                self._update_track(track, places[row], looks[row], clear=bool(clear[row]), moved=not cut)
            else:
                track = self._start_track(places[row], looks[row], clear=bool(clear[row]))
            tracked.append(dataclasses.replace(face, track_id=track.track_id))
        return tracked

    def _pass_time(self, timestamp: float) -> None:
        """Advance the clock, and drop tracks without a face for too long; those in the last frame are always kept."""
        before, passed = self._clock, 0.0 if self._last is None else max(timestamp - self._last, 0.0)
        self._clock, self._last = before + passed, timestamp
        self._tracks = [track for track in self._tracks if track.last_seen >= before or self._is_kept(track)]

    def _is_kept(self, track: TrackState) -> bool:
        """Return whether a track is kept although its person is not visible."""
        return self._clock - track.last_seen <= self.options.patience / (NEW_TRACK_HASTE if track.frames < 2 else 1)

    def _costs(self, places: Floats, looks: Floats, clear: NDArray[np.bool_], *, cut: bool) -> Floats:
        """Return the cost of each pair of a track and a face, (T, F) float32."""
        if not self._tracks:
            return np.zeros((0, len(places)), np.float32)
        expected = np.stack([track.predict(self._clock) for track in self._tracks])
        last = np.stack([track.place for track in self._tracks])  # a person who turns back while hidden is there again
        known = np.stack([track.appearance for track in self._tracks])
        unseen = np.array([[self._clock - track.last_seen] for track in self._tracks])
        extra = np.array([[NEW_TRACK_COST * (track.frames < 2)] for track in self._tracks])
        reach = self.options.reach + REACH_GROWTH * unseen
        away = np.minimum(distances(expected, places), distances(last, places)) / reach
        far = np.ones_like(away) if cut else np.minimum(away, 1)
        unlike = (1 - known @ looks.T) / UNLIKE
        unlike = np.where(clear, unlike, np.minimum(unlike / OCCLUDED, MAX_COST - 1))
        return np.asarray(far + unlike + extra, np.float32)

    def _start_track(self, place: Floats, look: Floats, *, clear: bool) -> TrackState:
        """Start the track of a new person."""
        self._count += 1
        track = TrackState(self._count, place, np.zeros(4, np.float32), look, self._clock, learned=int(clear))
        self._tracks.append(track)
        return track

    def _update_track(self, track: TrackState, place: Floats, look: Floats, *, clear: bool, moved: bool) -> None:
        """Update a track's place, velocity and appearance."""
        passed = np.float32(self._clock - track.last_seen)
        weight, before = _weight(passed, MOTION if clear else OCCLUDED * MOTION), track.place
        if clear:
            learned = max(_weight(passed, LEARNING), np.float32(1 / (track.learned + 1)))
            mixed = track.appearance + learned * (look - track.appearance)
            track.appearance = mixed / np.maximum(np.linalg.norm(mixed), np.float32(TINY))
            track.learned += 1
        else:  # the occluder may shrink the box or push it aside
            place = np.concatenate([place[:2], before[2:] + weight * (place - before)[2:]])
        if not moved:
            track.velocity = np.zeros(4, np.float32)
        elif passed > 0:
            track.velocity = track.velocity + weight * ((place - before) / passed - track.velocity)
        track.place, track.last_seen, track.frames = place, self._clock, track.frames + 1


def places_of(boxes: Floats) -> Floats:
    """Turn boxes into places: x and y of the centre, and the logarithms of width and height.

    Args:
        boxes: (N, 4) x1 y1 x2 y2 in pixels.

    Returns:
        (N, 4) float32.

    Example:
        >>> places_of(np.array([[10, 20, 11, 21]], np.float32)).tolist()
        [[10.5, 20.5, 0.0, 0.0]]
    """
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, np.log(sides)], axis=1).astype(np.float32)


def distances(expected: Floats, found: Floats) -> Floats:
    """Return the distance of each two places: between the centres in units of the size, plus the log ratio of sizes.

    Args:
        expected: (T, 4) as `places_of` returns them; their size is the unit.
        found: (F, 4).

    Returns:
        (T, F) float32.

    Example:
        >>> places = places_of(np.array([[0, 0, 10, 10], [5, 0, 15, 10]], np.float32))
        >>> distances(places[:1], places).round(3).tolist()
        [[0.0, 0.5]]
    """
    away = np.linalg.norm(found[None, :, :2] - expected[:, None, :2], axis=2)
    before, now = expected[:, 2:].mean(axis=1)[:, None], found[:, 2:].mean(axis=1)[None]
    return np.asarray(away / np.exp(before) + np.abs(now - before), np.float32)


def _head_overlaps(boxes: Floats) -> Floats:
    """Return the largest intersection over minimum of each head with another one: (N,) float32, 0..1."""
    middles, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    heads = np.concatenate([middles - HEAD / 2 * sides, middles + HEAD / 2 * sides], axis=1)
    overlaps = iom(heads, heads)
    np.fill_diagonal(overlaps, 0.0)
    return np.asarray(overlaps.max(axis=1), np.float32)


def _weight(passed: float | np.float32, seconds: float) -> np.float32:
    """Return the weight of a new value in an exponential average, by the seconds since the last one."""
    return np.float32(1 - np.exp(-passed / seconds))
