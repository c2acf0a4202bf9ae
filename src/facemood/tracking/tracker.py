"""Give each face of a video the number of its person: where a face should be by now, and what it looks like."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import TINY, Floats, iom
from facemood.schema import Face, Image

REACH, SPREAD = 0.7, 1.0
"""How far from where it should be a face may be, in units of its size, where nothing but the place speaks for it; and
by how much that grows with each second in which the person is not seen."""

UNLIKE, LIMIT = 0.15, 1.5
"""A likeness of 1 less this counts as much against a pair as `REACH`. On group photos other people are 0.25 apart in
the median; the same person within two seconds of a clip is 0.02 apart, and more than 0.1 once in a hundred times. And
what a pair may cost: a face anywhere is found again where it looks alike, one at its place where it does not."""

ONCE, BRIEFLY = 0.25, 5.0
"""What a person who was seen but once costs more, so that of two on one face the older is kept; and so many times
shorter they are waited for."""

HEAD, CLEAR, PARTLY = 1.4, 0.05, 4.0
"""A head's size in units of its face's box. Where heads share more of their area than `CLEAR`, part of what shows of
one may be the other's: the look then counts so many times less and is not learned; size and velocity follow so many
times slower."""

GLIDE, AGILE, LEARN = 1.0, 0.12, 1.0
"""Seconds for which a head goes on as it went, before it is taken to have stopped; in which velocity and size follow a
change; and in which the look does."""

THUMB, COLOUR, BINS, PALEST, DEEPEST = 8, 0.9, 24, (0.15, 0.15), (0.5, 0.7)
"""Pixels of the thumbnail's side; the colours' share in the likeness; bins of the shares of green and of red in the
light, and between what they lie: what is beyond is on the edge."""

PATIENCE = 1.5
"""Seconds for which a person who is not seen keeps the track ID: longer than most turns of the head and crossings."""

Doubles = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrackOptions:
    """How long people are remembered.

    Attributes:
        patience: Seconds for which the number of somebody who is not seen is kept; to the next frame it is in any case.
        reach: How far from where it should be a face may be, in units of its size.

    Raises:
        ValueError: One is negative, or not a number.

    Example:
        >>> TrackOptions(patience=3).patience
        3
    """

    patience: float = PATIENCE
    reach: float = REACH

    def __post_init__(self) -> None:
        if not (self.patience >= 0 and self.reach > 0):
            raise ValueError(f"expected patience >= 0 and reach > 0, but got {self.patience} and {self.reach}")


@dataclasses.dataclass(slots=True)
class Trail:
    """A person, as the tracker remembers them.

    Attributes:
        number: From 1, never given twice.
        place: (4,) x and y of the middle in pixels, and the logarithms of width and height, when last seen.
        velocity: (4,) its change a second.
        look: (L,) what the face looks like, of length 1.
        seen: When, in seconds of the tracker's clock.
        times: In how many frames.
        learned: From how many of them the look was learned.
    """

    number: int
    place: Floats
    velocity: Floats
    look: Floats
    seen: float
    times: int = 1
    learned: int = 0

    def predict(self, now: float) -> Floats:
        """Return the place at a time: on as it went, slower and slower (a damped constant velocity)."""
        seconds = GLIDE * (1 - np.exp(-(now - self.seen) / GLIDE))
        return np.asarray(self.place + self.velocity * seconds, np.float32)


class Tracker:
    """Gives faces of one source their `track_id`, frame by frame.

    Each face is compared with each person who was seen in the last seconds: how far it is from where the person should
    be (a damped constant velocity of middle and size), and how unlike it is to what the person looked like (a grey
    thumbnail and the colours' histogram). Of all ways to pair them the cheapest is taken. A person whom no face fits is
    waited for, and found again near the expected place, or anywhere where the look is much the same. A face that fits
    nobody is a new person, with the next number.

    Every face gets a number at once, so that each row of a table has one. A false alarm of a single frame uses up a
    number, but is soon forgotten and takes no one's place.

    Args:
        options: How long people are remembered.

    Example:
        >>> tracker, grey = Tracker(), np.full((90, 90, 3), 128, np.uint8)
        >>> face = Face(np.array([20, 20, 60, 70], np.float32), score=0.9)
        >>> seen = [tracker.update(grey, faces, second) for second, faces in ((0, [face]), (1, []), (9, [face]))]
        >>> [[face.track_id for face in faces] for faces in seen]
        [[1], [], [2]]
    """

    def __init__(self, options: TrackOptions | None = None) -> None:
        self.options = options or TrackOptions()
        self._trails: list[Trail] = []
        self._given = 0
        self._clock = 0.0
        self._last: float | None = None

    @property
    def waiting(self) -> int:
        """How many people, seen more than once, are not seen in the last frame and still waited for."""
        return sum(trail.seen < self._clock and trail.times > 1 for trail in self._trails)

    def update(self, image: Image, faces: Sequence[Face], timestamp: float, *, cut: bool = False) -> list[Face]:
        """Give the faces of the next frame their numbers.

        Args:
            image: The frame, (H, W, 3) uint8 BGR.
            faces: The faces in it, each person once. What `track_id` they have is not asked for.
            timestamp: Seconds since the source began; where it goes back, no time is taken to have passed.
            cut: Whether the scene is another than before, so that places say nothing.

        Returns:
            The same faces in the same order, with `track_id`.
        """
        self._pass_time(timestamp)
        if not faces:
            return []
        boxes = np.stack([face.box for face in faces])
        places, looks = places_of(boxes), np.stack([describe(image, face) for face in faces])
        clear = (_shared(boxes) <= CLEAR) & looks.any(axis=1)  # outside of the frame nothing is seen
        owners = dict(assign(self._costs(places, looks, clear, cut=cut).T, LIMIT))
        numbered = []
        for row, face in enumerate(faces):
            if row in owners:
                trail = self._trails[owners[row]]
                self._see(trail, places[row], looks[row], clear=bool(clear[row]), moved=not cut)
            else:
                trail = self._begin(places[row], looks[row], clear=bool(clear[row]))
            numbered.append(dataclasses.replace(face, track_id=trail.number))
        return numbered

    def _pass_time(self, timestamp: float) -> None:
        """Set the clock forward, and forget who was away for too long; who was in the last frame was not."""
        before, passed = self._clock, 0.0 if self._last is None else max(timestamp - self._last, 0.0)
        self._clock, self._last = before + passed, timestamp
        self._trails = [trail for trail in self._trails if trail.seen >= before or self._waits(trail)]

    def _waits(self, trail: Trail) -> bool:
        """Return whether a person is still waited for."""
        return self._clock - trail.seen <= self.options.patience / (BRIEFLY if trail.times < 2 else 1)

    def _costs(self, places: Floats, looks: Floats, clear: NDArray[np.bool_], *, cut: bool) -> Floats:
        """Return what speaks against each pair of a person and a face, (P, F)."""
        if not self._trails:
            return np.zeros((0, len(places)), np.float32)
        expected = np.stack([trail.predict(self._clock) for trail in self._trails])
        left = np.stack([trail.place for trail in self._trails])  # who turns back while hidden is there again
        known = np.stack([trail.look for trail in self._trails])
        lost = np.array([[self._clock - trail.seen] for trail in self._trails])
        once = np.array([[ONCE * (trail.times < 2)] for trail in self._trails])
        away = np.minimum(apart(expected, places), apart(left, places)) / (self.options.reach + SPREAD * lost)
        far = np.ones_like(away) if cut else np.minimum(away, 1)
        unlike = (1 - known @ looks.T) / UNLIKE
        unlike = np.where(clear, unlike, np.minimum(unlike / PARTLY, LIMIT - 1))
        return np.asarray(far + unlike + once, np.float32)

    def _begin(self, place: Floats, look: Floats, *, clear: bool) -> Trail:
        """Remember somebody new."""
        self._given += 1
        trail = Trail(self._given, place, np.zeros(4, np.float32), look, self._clock, learned=int(clear))
        self._trails.append(trail)
        return trail

    def _see(self, trail: Trail, place: Floats, look: Floats, *, clear: bool, moved: bool) -> None:
        """Remember where somebody is now, how they move, and what they look like."""
        passed = np.float32(self._clock - trail.seen)
        weight, before = _weight(passed, AGILE if clear else PARTLY * AGILE), trail.place
        if clear:
            learned = max(_weight(passed, LEARN), np.float32(1 / (trail.learned + 1)))
            look = trail.look + learned * (look - trail.look)
            trail.look, trail.learned = look / np.maximum(np.linalg.norm(look), np.float32(TINY)), trail.learned + 1
        else:
            place = np.concatenate([place[:2], before[2:] + weight * (place - before)[2:]])  # it may be pressed aside
        if not moved:
            trail.velocity = np.zeros(4, np.float32)
        elif passed > 0:
            trail.velocity = trail.velocity + weight * ((place - before) / passed - trail.velocity)
        trail.place, trail.seen, trail.times = place, self._clock, trail.times + 1


def places_of(boxes: Floats) -> Floats:
    """Return boxes as x and y of the middle and the logarithms of width and height.

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


def apart(expected: Floats, found: Floats) -> Floats:
    """Return how far places are from each other: between the middles in units of the size, and in the size's logarithm.

    Args:
        expected: (T, 4) as `places_of` gives them; their size is the unit.
        found: (F, 4).

    Returns:
        (T, F) float32.

    Example:
        >>> places = places_of(np.array([[0, 0, 10, 10], [5, 0, 15, 10]], np.float32))
        >>> apart(places[:1], places).round(3).tolist()
        [[0.0, 0.5]]
    """
    away = np.linalg.norm(found[None, :, :2] - expected[:, None, :2], axis=2)
    before, now = expected[:, 2:].mean(axis=1)[:, None], found[:, 2:].mean(axis=1)[None]
    return np.asarray(away / np.exp(before) + np.abs(now - before), np.float32)


def describe(image: Image, face: Face) -> Floats:
    """Return what a face looks like: light and shade of a thumbnail, and its colours without their brightness.

    The product of two descriptions is their likeness, at most 1. Neither part knows how strong the light is, and
    neither changes much with the expression: the thumbnail is too small, and colours do not move.

    Args:
        image: The frame, (H, W, 3) uint8 BGR.
        face: A face in it.

    Returns:
        (640,) float32 of length 1; of length 0 where the face is outside of the frame.
    """
    crop = face.crop(image)
    if not crop.size:
        return np.zeros(THUMB * THUMB + BINS * BINS, np.float32)
    small = cv2.resize(crop, (3 * THUMB, 3 * THUMB), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(cv2.resize(small, (THUMB, THUMB), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    shade = grey.astype(np.float32).ravel() - grey.mean()
    parts = [
        np.sqrt(1 - COLOUR) * shade / max(float(np.linalg.norm(shade)), TINY),
        np.sqrt(COLOUR) * _tint(np.asarray(small, np.uint8)),
    ]
    return np.concatenate(parts).astype(np.float32)


def _tint(pixels: Image) -> Floats:
    """Return the root of how much of the light has each colour: (576,) of (h, w, 3) uint8 BGR.

    The product of two is Bhattacharyya's coefficient of their histograms, at most 1.
    """
    light = pixels.reshape(-1, 3).astype(np.float32)
    strength = light.sum(axis=1)
    shares = light[:, 1:] / np.maximum(strength, 1)[:, None]  # of green and of red
    scaled = (shares - PALEST) / np.subtract(DEEPEST, PALEST)
    cells = np.clip(scaled * BINS, 0, BINS - 1).astype(int)
    amounts = np.bincount(cells[:, 0] * BINS + cells[:, 1], strength, BINS * BINS).reshape(BINS, BINS)
    spread = cv2.GaussianBlur(amounts.astype(np.float32), (3, 3), 0.7)  # a colour on the edge of a bin counts for both
    return np.asarray(np.sqrt(spread.ravel() / max(float(spread.sum()), TINY)), np.float32)


def assign(costs: Floats, limit: float) -> list[tuple[int, int]]:
    """Pair rows with columns so that the sum of the costs is least, where each row left alone costs `limit`.

    The Hungarian method with shortest augmenting paths (Kuhn 1955; Jonker & Volgenant 1987): at most R * R * (R + C)
    steps for R rows and C columns; two microseconds a step of a row, so less than a millisecond for ten faces.

    Args:
        costs: (R, C).
        limit: No pair costs as much.

    Returns:
        Pairs of a row and a column, by row.

    Example:
        >>> assign(np.array([[0.1, 0.2], [0.2, 0.9]], np.float32), 1.0)
        [(0, 1), (1, 0)]
    """
    rows, columns = costs.shape
    alone = np.full((rows, rows), limit)  # a column for each row that may stay alone
    table = np.concatenate([np.where(costs < limit, costs, 2 * limit + 1), alone], axis=1)
    owner = np.full(columns + rows + 1, -1)  # the row of each column; the last column is where a path begins
    price_row, price_column = np.zeros(rows), np.zeros(columns + rows + 1)
    for row in range(rows):
        _augment(table, owner, price_row, price_column, row)
    return sorted((int(owner[column]), column) for column in range(columns) if owner[column] >= 0)


def _augment(table: Doubles, owner: NDArray[np.int64], price_row: Doubles, price_column: Doubles, row: int) -> None:
    """Give one more row a column, along the path of least cost, and move those in its way; changes all but `table`."""
    start = table.shape[1]
    owner[start], column = row, start
    least, came = np.full(start, np.inf), np.full(start, start)
    done = np.zeros(start + 1, bool)
    while owner[column] >= 0:
        done[column] = True
        own = owner[column]
        reduced = table[own] - price_row[own] - price_column[:start]
        better = ~done[:start] & (reduced < least)
        least[better], came[better] = reduced[better], column
        following = int(np.where(done[:start], np.inf, least).argmin())
        step = least[following]
        price_row[owner[done]] += step
        price_column[done] -= step
        least[~done[:start]] -= step
        column = following
    while column != start:
        owner[column] = owner[came[column]]
        column = int(came[column])
    owner[start] = -1


def _shared(boxes: Floats) -> Floats:
    """Return how much of each head, or of the one before or behind it where that is smaller, is shared: (N,) 0..1."""
    middles, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    heads = np.concatenate([middles - HEAD / 2 * sides, middles + HEAD / 2 * sides], axis=1)
    shared = iom(heads, heads)
    np.fill_diagonal(shared, 0.0)
    return np.asarray(shared.max(axis=1), np.float32)


def _weight(passed: float | np.float32, seconds: float) -> np.float32:
    """Return how much a new value counts in an exponential average, after some time."""
    return np.float32(1 - np.exp(-passed / seconds))
